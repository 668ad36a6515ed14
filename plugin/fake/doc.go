// Package fake is the source FakeSource: rows made up at random, or the rows that the job file lists. It is there for
// tests, demonstrations and measurements, so it is made to be fast: values are generated a column at a time, straight
// into Arrow buffers.
//
// # Splits
//
// Each of a job's readers makes row.num rows of each table, cut into split.num splits, so there are row.num times
// parallelism rows of a table in all. The number of rows is fixed when the job starts; a restart with another
// parallelism goes on with the splits that are left. With rows, every split puts out the whole list.
//
// # Repeatable
//
// The values of a batch depend on the job's id, the split and the position in the split, and on nothing else. A job
// that is restored therefore makes the same rows again, and a position is no more than a count of rows. Only
// CURRENT_DATE, CURRENT_TIME and CURRENT_TIMESTAMP are taken from the clock, once for a batch.
//
// # Pace
//
// A reader goes as fast as it can. SeaTunnel's sleeps a second after each split; here only split.read-interval slows
// it, where the job sets it. In a streaming job the source stays idle after its last split, and costs next to nothing
// then.
package fake
