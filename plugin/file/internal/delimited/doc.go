// Package delimited is the formats text and csv: lines of fields with a delimiter between them.
//
// Both read by SeaTunnel's rules: values are converted by those of package plugin/column, fields that are missing at
// a line's end and blank ones are null, and fields beyond the schema are dropped. A line without a single character is
// skipped, where SeaTunnel fails; in a table of one column it is a null, which is how a null is written there.
//
// In text, field_delimiter is a regular expression and nothing is quoted: a value that holds the delimiter or a
// newline cannot be told from two values, and null and empty text are the same.
//
// In csv, field_delimiter is one character, and a field may stand in double quotes, with quotes inside written twice.
// SeaTunnel writes values as they are, which loses those with a comma, a quote or a newline; here they are quoted, and
// so is text that is empty or blank, to tell it from null: a quoted blank is text when it is read into a string
// column. A quoted field may span lines if quoted.newlines is set; such a file is read by one lane.
package delimited
