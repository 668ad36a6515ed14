-- Tables of the Jdbc jobs for PostgreSQL, derived from the statements in the jobs. Where SeaTunnel's own have the types of
-- PostGIS these have the server's.
CREATE TABLE pg_e2e_source_table (
  gid serial PRIMARY KEY, uuid_col uuid, text_col text, varchar_col varchar(255), char_col char(10), boolean_col boolean,
  smallint_col smallint, integer_col integer, bigint_col bigint, decimal_col decimal(10,2), numeric_col numeric(8,4),
  real_col real, double_precision_col double precision, smallserial_col smallserial, serial_col serial,
  bigserial_col bigserial, date_col date, timestamp_col timestamp, bpchar_col bpchar(10), age int NOT NULL,
  name varchar(255) NOT NULL, point point, linestring path, polygon_colums polygon, multipoint path,
  multilinestring path, multipolygon polygon, geometrycollection box, geog circle, json_col json NOT NULL,
  jsonb_col jsonb NOT NULL, xml_col xml NOT NULL
);
INSERT INTO pg_e2e_source_table
  SELECT i, md5(i::text)::uuid, 'text ' || i, 'varchar ' || i, 'char ' || i % 10, i % 2 = 0, i * 300 - 16000,
    i - 2147483648, 9223372036854775807 - i, 99999999.99 - i, 9999.9999 - i, i / 8.0, i / 7.0, i, i, i, date '0001-01-01' + i,
    timestamp '2024-02-29 23:59:59.999999' + i * interval '1 hour', 'bpchar', i, 'größe ' || i || ' 😀', point(i, -i),
    path '[(0,0),(1,1.5)]', polygon '((0,0),(1,0),(1,1))', path '((0,0),(1,1))', path '[(2,2),(3,4)]',
    polygon '((1,1),(2,1),(2,2))', box '((0,0),(1,1))', circle '<(0,0),5>', '{"a" : 1}', '{"b": [1, null]}',
    '<a>b</a>'
  FROM generate_series(1, 100) i;
CREATE TABLE pg_e2e_sink_table (LIKE pg_e2e_source_table INCLUDING ALL);

CREATE TABLE pg_ide_source_table AS
  SELECT gid, text_col, varchar_col, char_col, boolean_col, smallint_col, integer_col, bigint_col, decimal_col,
    numeric_col, real_col, double_precision_col, smallserial_col, serial_col, bigserial_col, date_col, timestamp_col,
    bpchar_col, age, name, point, linestring, polygon_colums, multipoint, multilinestring, multipolygon,
    geometrycollection, geog, ('10.0.0.' || gid)::inet AS inet_col
  FROM pg_e2e_source_table;

CREATE TABLE sink (user_id bigint PRIMARY KEY, name varchar(255), age int);
