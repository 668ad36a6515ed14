-- Tables of the Clickhouse jobs with the types that servers of all ages have.
DROP TABLE IF EXISTS source_table;
DROP TABLE IF EXISTS sink_table;
CREATE TABLE source_table (
  id Int64, c_array_string Array(String), c_array_short Array(Int16), c_array_int Array(Int32), c_array_long Array(Int64),
  c_array_float Array(Float32), c_array_double Array(Float64), c_string String, c_boolean UInt8, c_int8 Int8, c_int16 Int16,
  c_int32 Int32, c_int64 Int64, c_float32 Float32, c_float64 Float64, c_decimal Decimal(9,4), c_date Date,
  c_datetime DateTime, c_nullable Nullable(Int32), c_nested Nested(int UInt32, double Float64, string String)
) ENGINE = Memory;
INSERT INTO source_table SELECT
  number, [toString(number), 'größe'], [number], [number, 0], [number], [number / 8], [number / 7], concat('text ', toString(number)),
  number % 2, number - 50, number - 50, number, 9223372036854775807 - number, number / 8, number / 7, number / 16, toDate(19000 + number),
  toDateTime(1700000000 + number), if(number % 3 = 0, NULL, number), [number, 1], [number / 2, 1], ['a', toString(number)]
  FROM numbers(100);
CREATE TABLE sink_table AS source_table ENGINE = Memory;
