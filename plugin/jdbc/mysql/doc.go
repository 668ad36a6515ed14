// Package mysql is the dialect of MySQL and MariaDB for the Jdbc source and sink.
//
// Urls are jdbc:mysql://host:port/database and jdbc:mariadb://..., several hosts separated by commas are tried in
// order. Driver properties have the names of MySQL Connector/J: sslMode (DISABLED, PREFERRED, REQUIRED, VERIFY_CA,
// VERIFY_IDENTITY), useSSL, serverSslCert (a file in PEM form), serverTimezone, tinyInt1isBit, zeroDateTimeBehavior
// (EXCEPTION, CONVERT_TO_NULL, ROUND), sessionVariables. Others have no effect.
//
// # Types
//
// The map is SeaTunnel's: bit(1) and tinyint(1) are BOOLEAN, unsigned integers are one type wider, bigint unsigned is
// DECIMAL(20,0), a decimal of more than 38 digits is DECIMAL(38,18), text kinds, json, enum and set are STRING, other
// bit, binary and blob kinds and geometry are BYTES, year is INT. What has no counterpart is an error that names the
// row and says what to do: a tinyint(1) other than 0 and 1, a time that is negative or longer than a day, a zero date.
//
// # Reading
//
// Rows come in the binary protocol of prepared statements, by a client of our own, package wire: a general driver would
// make an interface of every value, and does not tell a column's length and collation. Rows are read as they come, so
// memory is bounded; the server is told to be patient. Chunks are ranges of a key.
//
// # Writing
//
// Inserts go by LOAD DATA LOCAL, or by INSERT statements of many rows where the server takes no local files. LOAD DATA
// LOCAL turns what does not fit into something else, and leaves rows out that exist already: it only warns. So a load
// with a warning is undone, and its halves are tried until the rows to refuse are found. Upserts, updates and deletes
// are loaded into a temporary table that has the target's types, and applied by one statement for each run of equal
// operations; a batch of upserts and deletes takes two, since only the last change of each key counts. That takes
// window functions: MySQL 8.0 or MariaDB 10.2. The job's own statement is run for each row, sent ahead of the answers.
//
// With is_exactly_once, batches go to staging tables in the url's database (culvert_stage_N, listed in
// culvert_stages). The commit of a checkpoint moves them to their targets and notes its epoch in culvert_commits, all
// in one transaction; so a commit that is repeated finds nothing to do. XA would leave prepared transactions, with
// their locks, behind a process that dies, for somebody to find; staging tables hold no locks and are dropped when the
// job starts again.
package mysql
