// Package lines is what the line formats (text, csv, json) share: a scanner that finds the lines of a file's range, a
// reader that turns lines into batches, and a writer of lines.
//
// A range of bytes holds the lines that begin in it. Whoever reads a range from the middle of a file skips what is
// left of the line before, and the last line is read to its end, beyond the range. So any cut of a file gives the same
// lines.
//
// The reader works in groups of up to [GroupRows] lines: a [Parser] first finds the fields of all lines of a group,
// which is a matter of bytes only, and then fills one column after the other. A bad value costs a second pass over its
// group: the rows before it are put out first.
package lines
