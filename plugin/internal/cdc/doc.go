// Package cdc is what the sources that follow the logs of databases share.
//
// Such a source reads the rows of its tables first, in chunks as the Jdbc source cuts them, and then follows the log.
// Each chunk is read in a view of which it is known what part of the log it contains: changes of its rows in that part
// are left out. A chunk may be left in the middle and gone on with in another view, and many chunks may share a view,
// so what was read is kept as a list of pieces: a [Span] of keys, and what the database calls the view.
//
// What a view is, how keys are compared, and what is known of a table beside its rows differs from database to
// database, and so do the forms of the states: the sources have those for themselves. Here is the rest: [Cutter] cuts
// the tables of a snapshot, [Span] keeps account of the parts that were read, [Known] remembers what the sinks know of
// the tables of a job that goes on.
package cdc
