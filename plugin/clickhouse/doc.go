// Package clickhouse holds the Clickhouse source and sink. They talk to a server's HTTP interface, and move data as
// blocks of ClickHouse's own Native format between its columns and ours; no driver is linked.
//
// # Reading
//
// A query is one split, in whatever number of lanes. Only where a job has several lanes and reads a whole table of the
// MergeTree family, by table_path or by a statement that is no more than SELECT columns FROM table, it is cut into
// ranges of the first column of ORDER BY, if that is an integer, a Date, a DateTime or a String. Each row is in one
// range whatever merges do meanwhile, but each range is read at a moment of its own.
//
// The position of a split is the number of rows that were put out and a hash of the bytes that they came
// from. To go on, the query is run again and that many rows are skipped; if they differ from those of the first time
// the job fails, because the server gave the rows in another order or they have changed: a query with ORDER BY, or the
// setting max_threads = 1 for a table that nobody writes to, gives the same order. Nothing is lost or doubled silently.
//
// DateTime values become what the clock of their zone shows: that of the column's type, else server_time_zone, else the
// server's. The sink does the reverse.
//
// # Writing
//
// Rows are collected as blocks and sent when there are bulk_size of them, at a checkpoint, and when flush_interval_ms
// have passed since rows were made visible the last time. The server takes inserts while the next ones are filled. An
// insert without primary_key into a table where it could not be made again, see below, goes on until its rows have to
// be visible, and is sent while they are made: the server then writes few large parts, and the sink holds some
// megabytes.
//
// Without primary_key every row is inserted, whatever its kind is: this is SeaTunnel's rule. With primary_key the rows
// of a bulk are reduced to the last state of each key. A table with the engine ReplacingMergeTree whose ORDER BY is
// that key takes +I and +U as inserts. In tables of other engines +U first deletes the row that it replaces; SeaTunnel
// runs an ALTER TABLE UPDATE for each row: the result is the same, except that a +U for a missing row adds it; +I does
// so only with support_upsert. -D deletes. The deletes of a bulk are one mutation, which goes ahead of the inserts.
//
// # Changes
//
// Mutations are slow, so the keyed tables that the sink makes for a streaming job need none: every change is an insert.
// They are
//
//	ENGINE = ReplacingMergeTree(_version, _deleted) ORDER BY (key)
//
// with two columns more than the rows have. _version rises from row to row, also through restarts, so that the newest
// row of a key wins in whatever order parts are merged or requests arrive; it is the clock's nanoseconds, or more where
// the table holds larger ones already. _deleted is 1 in the row that stands for a -D, or for the old key of a changed
// one; of such a row the key is enough. Read such a table with FINAL, or by argMax(column, _version).
//
// Servers before 23.2 don't know the second argument: there FINAL shows deleted rows, and queries need
//
//	SELECT ... FROM t FINAL WHERE _deleted = 0
//
// With allow_experimental_lightweight_delete, where the server knows it, the table has no _deleted, and -D is a DELETE
// FROM. A table that the user made is treated like this too: of ReplacingMergeTree(version, deleted) the sink fills the
// 64-bit version and the UInt8 mark if the rows have no columns of these names; with one argument a UInt8 column
// _deleted is the mark. For such a table primary_key may be left out.
//
// Schema changes become ALTER TABLE: columns are added, with their constant defaults, dropped, renamed, and widened.
// Columns are not made narrower, those of the key stay as they are, and Distributed tables are not altered.
//
// # Delivery
//
// An insert whose fate is unknown is sent again only if the server will not take it twice: because nothing of it was
// sent, because the engine replaces rows by key, or because the table remembers the tokens of its inserts (replicated
// tables, and tables with non_replicated_deduplication_window, which tables made by this sink have where the server
// knows it). Otherwise the job goes back to its last checkpoint: at least once.
//
// # Types
//
// What is read of a column, Nullable and LowCardinality taken off. Behind it is what the column takes back that was
// read of it, which is everything where nothing is said.
//
//	ClickHouse                      here
//	Int8                            TINYINT
//	Int16                           SMALLINT
//	Int32                           INT
//	Int64                           BIGINT
//	UInt8                           SMALLINT
//	UInt16                          INT
//	UInt32                          BIGINT
//	UInt64                          Decimal(20, 0)
//	Int128                          STRING
//	UInt256                         STRING
//	Float32                         FLOAT             NaN and the infinities too
//	Float64                         DOUBLE            NaN and the infinities too
//	Bool                            BOOLEAN
//	Decimal(38, 18)                 Decimal(38, 18)
//	Decimal(76, 38)                 STRING            more than 38 digits
//	String                          STRING            only UTF-8 is read; NUL bytes too
//	FixedString(16)                 STRING            without the NUL bytes at its end
//	Enum8('a' = 1)                  STRING
//	Enum16('a' = 1)                 STRING
//	UUID                            STRING
//	IPv4                            STRING
//	IPv6                            STRING
//	Date                            DATE              1970-01-01 to 2149-06-06
//	Date32                          DATE              1900-01-01 to 2299-12-31
//	DateTime                        TIMESTAMP         1970 to 2106-02-07 06:28:15 UTC, whole seconds; the clock of the zone
//	DateTime64(6)                   TIMESTAMP         1900 to 2299, to 2262 with nine digits; not a time that the zone's clock skips
//	Array(Int32)                    ARRAY<INT>
//	Map(String, Int64)              Map<STRING, BIGINT>
//	Tuple(a Int8, b String)         ROW<a TINYINT,b STRING>
//	Point                           ROW<f1 DOUBLE,f2 DOUBLE>
//	Polygon                         ARRAY<ARRAY<ROW<f1 DOUBLE,f2 DOUBLE>>>
//	SimpleAggregateFunction(max, Int8)  TINYINT
//	Nothing                         NULL
//
// What is made for a column, in a table of a server of today and of 18.16. Columns that may be null are Nullable,
// except those of the key and arrays, maps and rows. A TIMESTAMP without fractions of a second is a DateTime on 18.16.
//
//	here                            today                           18.16
//	STRING                          String                          String
//	BYTES                           String                          String
//	BOOLEAN                         Bool                            UInt8
//	TINYINT                         Int8                            Int8
//	SMALLINT                        Int16                           Int16
//	INT                             Int32                           Int32
//	BIGINT                          Int64                           Int64
//	FLOAT                           Float32                         Float32
//	DOUBLE                          Float64                         Float64
//	Decimal(38, 18)                 Decimal(38, 18)                 Decimal(38, 18)
//	DATE                            Date32                          Date
//	TIME                            String                          String
//	TIMESTAMP                       DateTime64(6)                   String
//	ARRAY<INT>                      Array(Nullable(Int32))          Array(Nullable(Int32))
//	Map<STRING, INT>                Map(String, Nullable(Int32))    String
//
// A value that a column cannot hold is refused, with the key of its row.
package clickhouse
