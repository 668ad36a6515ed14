// Package column builds, reads and converts the Arrow columns of package plugin.
//
// # Building
//
// A [Builder] holds one [Column] for each column of a table. Columns write flat buffers of their own, taken from an
// allocator, and wrap them as Arrow arrays when a batch is cut: no copy is made, and the buffers go back to the
// allocator when the last reference to the array is released. A column has no validity bitmap until its first null,
// and an append of a value never touches it: the bits between two nulls are filled in when the next null comes or when
// the batch is cut.
//
// A builder starts small and doubles. After a batch it starts with the size of that batch, so a busy source stops
// copying and an idle one keeps nothing.
//
// # Converting
//
// There is one place for each form of input: [AppendValue] takes Go values, [AppendText] delimited text, [AppendJSON]
// JSON and [AppendConfig] values of a job file. The rules are SeaTunnel's, with one difference: what does not fit the
// column's type (digits, range, fraction) is an error and never a changed value.
//
// # Reading
//
// [Value], [FormatText], [FormatJSON] and [FormatJava] read one value of an Arrow array, [Equal] compares two, [Take],
// [Select] and [Assemble] make batches from batches. They all accept sliced arrays.
package column
