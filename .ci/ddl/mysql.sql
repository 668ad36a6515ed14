-- Tables of the Jdbc jobs for MySQL, derived from the statements in the jobs. Rows hold the ends of the types' ranges.
CREATE OR REPLACE DATABASE seatunnel DEFAULT CHARACTER SET utf8mb4;
CREATE OR REPLACE DATABASE source DEFAULT CHARACTER SET utf8mb4;
CREATE OR REPLACE DATABASE sink DEFAULT CHARACTER SET utf8mb4;

USE seatunnel;
CREATE TABLE seatunnel.source (
  c_bit_1 BIT(1), c_bit_8 BIT(8), c_bit_16 BIT(16), c_bit_32 BIT(32), c_bit_64 BIT(64), c_boolean TINYINT(1),
  c_tinyint TINYINT, c_tinyint_unsigned TINYINT UNSIGNED, c_smallint SMALLINT, c_smallint_unsigned SMALLINT UNSIGNED,
  c_mediumint MEDIUMINT, c_mediumint_unsigned MEDIUMINT UNSIGNED, c_int INT, c_integer INTEGER, c_bigint BIGINT,
  c_bigint_unsigned BIGINT UNSIGNED, c_decimal DECIMAL(20,0), c_decimal_unsigned DECIMAL(38,18) UNSIGNED, c_float FLOAT,
  c_float_unsigned FLOAT UNSIGNED, c_double DOUBLE, c_double_unsigned DOUBLE UNSIGNED, c_char CHAR(1),
  c_tinytext TINYTEXT, c_mediumtext MEDIUMTEXT, c_text TEXT, c_varchar VARCHAR(255), c_json JSON, c_longtext LONGTEXT,
  c_date DATE, c_datetime DATETIME, c_time TIME, c_timestamp TIMESTAMP NULL, c_tinyblob TINYBLOB,
  c_mediumblob MEDIUMBLOB, c_blob BLOB, c_longblob LONGBLOB, c_varbinary VARBINARY(255), c_binary BINARY(1), c_year YEAR,
  c_int_unsigned INT UNSIGNED, c_integer_unsigned INTEGER UNSIGNED, c_bigint_30 BIGINT(40) UNSIGNED,
  c_decimal_unsigned_30 DECIMAL(30) UNSIGNED, c_decimal_30 DECIMAL(30)
);
INSERT INTO seatunnel.source SELECT
  seq % 2, seq % 256, seq * 3, seq * 5, 18446744073709551615 - seq, seq % 2,
  CAST(seq AS SIGNED) - 50, 255 - seq, CAST(seq AS SIGNED) * 300 - 16000, 65535 - seq,
  CAST(seq AS SIGNED) * 80000 - 8000000, 16777215 - seq, CAST(seq AS SIGNED) - 2147483648, 2147483647 - seq,
  CAST(seq AS SIGNED) - 9223372036854775807,
  18446744073709551615 - seq, 99999999999999999999 - seq, 99999999999999999999.999999999999999999 - seq, seq / 8,
  seq / 4, seq / 7e0, seq * 1e300, CHAR(65 + seq % 26 USING utf8mb4),
  CONCAT('tiny ', seq), CONCAT('medium ', seq), CONCAT('text \\ ''', seq), CONCAT('größe ', seq, ' 😀'),
  JSON_OBJECT('id', seq), REPEAT('long ', seq),
  '1000-01-01' + INTERVAL seq DAY, '2024-02-29 23:59:59' + INTERVAL seq HOUR, SEC_TO_TIME(seq * 800),
  '2024-01-01' + INTERVAL seq MINUTE, CHAR(seq), CHAR(0, seq), CHAR(seq, 0), REPEAT(CHAR(255), seq), CHAR(9, 10, seq),
  CHAR(seq), 1950 + seq,
  4294967295 - seq, 4294967295 - seq, 18446744073709551615 - seq,
  seq * 7, 999999999999999999999999999999 - seq
  FROM seq_1_to_100;
INSERT INTO seatunnel.source (c_int, c_decimal_unsigned_30) VALUES (7, 1000);
CREATE TABLE seatunnel.sink LIKE seatunnel.source;

CREATE TABLE source.table1 (c_int INT PRIMARY KEY, c_varchar VARCHAR(50), c_decimal DECIMAL(10,2), c_at DATETIME(3));
CREATE TABLE source.table2 (c_id BIGINT PRIMARY KEY, c_int INT, c_text TEXT, UNIQUE KEY (c_int));
INSERT INTO source.table1
  SELECT CAST(seq AS SIGNED) - 100, CONCAT('row ', seq), seq / 100, '2024-01-01' + INTERVAL seq SECOND FROM seq_1_to_20000;
INSERT INTO source.table2 SELECT seq, CAST(seq AS SIGNED) - 10, CONCAT('text ', seq) FROM seq_1_to_5000;

-- The password is that of the jobs.
CREATE OR REPLACE USER root@'127.0.0.1' IDENTIFIED BY 'Abc!@#135_seatunnel';
GRANT ALL ON *.* TO root@'127.0.0.1';
