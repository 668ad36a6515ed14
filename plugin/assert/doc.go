// Package assert is the sink Assert: it checks rows, counts and tables against rules and fails the job at the first
// that is broken. It writes nothing.
//
// # When a rule is checked
//
// The rule about a table's declaration is checked when the job is planned. Rules about fields are checked for each
// row, a column at a time; of several broken rules the one of the first row is reported, as SeaTunnel does. Rules about
// the number of rows and about the set of tables are checked when the job comes to its end by itself: a job that is
// canceled or stopped with a savepoint never fails by them.
//
// # Counting
//
// Each writer counts its rows by table, and the counts are part of every checkpoint. So rows that come again after a
// restart count once, and at the end the counts of all writers add up, whatever the parallelism was on the way.
//
// # Which rules a table has
//
// Rules beside table-names hold for every table on its own. With tables_configs they are ignored and each table has the
// rules of its path; if only one entry has field rules, they hold for all rows.
package assert
