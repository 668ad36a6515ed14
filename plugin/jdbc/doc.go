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
// # Schema changes
//
// The target is altered as the source was: columns are added, with their default for the rows that are there, dropped,
// renamed and modified. The rows of the old version are committed by then, with is_exactly_once too. A change of the
// primary key is an error.
package jdbc
