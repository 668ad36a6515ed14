// Package jdbc holds the Jdbc source and sink: everything about databases that does not depend on which one it is.
//
// A database is a [Dialect]. It lives in a package of its own below this one, so that a host links the drivers it
// lists and no others:
//
//	plugin.NewRegistry(jdbc.Plugins(sqlite.Dialect()))
//
// The dialect is chosen by the url, as in SeaTunnel. This package decodes the options, names the targets, applies the
// save modes, cuts tables into chunks, keeps positions, and says which rows of a batch are inserted, upserted, updated
// and deleted. A dialect describes tables, fills Arrow columns from a chunk, and loads Arrow columns by its fastest
// way; no value passes between the two as an interface.
//
// # Reading
//
// Each table or query is cut into chunks of a key column, half open, in its order; each chunk is a split. Within a
// chunk rows come in the order of the key, so a position is the last key if it is unique, else a number of rows to
// skip. Rows whose key is null get a chunk of their own. See [SourceOptions] for how a chunk's size is found.
//
// # Writing
//
// A row without a known key is inserted, whatever its kind is: this is SeaTunnel's rule, and the log says so once.
// With a key, +I and +U are upserts, -D deletes, and -U is dropped, in the order of the rows. See [SinkOptions].
//
// # What is_exactly_once leaves behind
//
// The target then holds tables of the sink's own: culvert_commits, with the last checkpoint of each job and sink, and
// staging tables with rows that are not committed yet. A job that ends drops its staging tables, except
//
//   - those of a checkpoint that is stored and could not be committed, of a job that failed: its restart from the
//     savepoint commits them;
//   - all that there are, if the database could not be reached when the job failed or was canceled. The next start of
//     the job clears them, be it from its savepoint or, with the same id, from scratch.
//
// If the job is never started again they stay, since nothing in the database tells that: the job may be one of another
// engine, and rows of a checkpoint that somebody still goes on from must not go. Then look for them and drop them by
// hand. In PostgreSQL they are in the schema that the user's search_path begins with, and their comment names the job:
//
//	SELECT oid::regclass, obj_description(oid, 'pg_class') FROM pg_class
//	WHERE relkind = 'r' AND relname LIKE 'culvert\_%' AND relname <> 'culvert_commits';
//	DROP TABLE culvert_...;
//
// In MySQL, MariaDB and SQLite they are in the url's database and listed in culvert_stages:
//
//	SELECT id, job, vertex, epoch, target FROM culvert_stages;
//	DROP TABLE culvert_stage_7;
//	DELETE FROM culvert_stages WHERE id = 7;
//
// Everywhere, DELETE FROM culvert_commits WHERE job = ... removes the note of a job that will not run again. While it
// may run, leave all of it alone: a job whose staged rows are gone fails at its next start and says so.
//
// # Schema changes
//
// The target is altered as the source was: columns are added, with their default for the rows that are there, dropped,
// renamed and modified. The rows of the old version are committed by then, with is_exactly_once too. A change of the
// primary key is an error.
package jdbc
