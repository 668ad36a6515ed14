// Package parquet is the parquet format of the LocalFile connector. It is a package of its own, so that a host that
// wants text formats only does not link it:
//
//	reg := plugin.NewRegistry(file.With(parquet.Format()))
//
// # Reading
//
// The file says which columns it has; only those that are wanted are read. A range is one or several row groups, so
// lanes share a file, and positions count rows. Timestamps that are adjusted to UTC are shown in UTC.
//
// SeaTunnel reads a few types only; this package reads more of them, and all of them by what they mean:
//
//	BOOLEAN, FLOAT, DOUBLE            BOOLEAN, FLOAT, DOUBLE; FLOAT16 is FLOAT
//	INT32, INT64                      INT, BIGINT; INT_8 is TINYINT, INT_16 SMALLINT
//	UINT_8, UINT_16, UINT_32, UINT_64 SMALLINT, INT, BIGINT, DECIMAL(20,0)
//	DECIMAL on any physical type      DECIMAL(p,s); more than 38 digits are refused
//	DATE, TIME_*                      DATE, TIME
//	TIMESTAMP_MILLIS, MICROS, NANOS   TIMESTAMP with 3, 6, 9 digits (SeaTunnel: micros and nanos are BIGINT)
//	INT96                             TIMESTAMP with 9 digits, 1677 to 2262
//	BINARY                            BYTES; STRING if it is annotated as text, ENUM or JSON; BSON stays BYTES
//	FIXED_LEN_BYTE_ARRAY              BYTES; STRING for UUID
//	LIST, MAP, groups                 ARRAY, MAP, ROW, of any of these
//
// # Writing
//
// Column names are written in lower case; two that become the same are refused. This is SeaTunnel's rule. Timestamps
// are written as TIMESTAMP_MICROS, or NANOS if they have more than 6 digits, not adjusted to UTC: SeaTunnel's millis
// would cut them. TIME, which SeaTunnel cannot write, is TIME_MICROS or TIME_NANOS. A row group ends at 6 MiB of
// encoded data, which is what a writer holds in memory, or at about a million rows.
package parquet
