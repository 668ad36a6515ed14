// Package ddl reads the DDL statements of a MySQL or MariaDB log and says what they do to the columns of tables.
//
// It is no SQL parser: it knows the statements that can change columns, reads column definitions whole, and steps over
// clauses that change none, such as indexes and table options. What it does not know for sure is an error, never a
// guess: the caller then asks the server for the columns.
package ddl

import "errors"

// Options say where and how a statement was run.
type Options struct {
	// Database is the session's, for names without one.
	Database string
	// MariaDB says which server's rules hold, Version which version comments apply: 80032 is 8.0.32. Version 0: the
	// newest.
	MariaDB bool
	Version int
	// ANSIQuotes says that double quotes enclose names, NoBackslash that a backslash is a plain character in texts.
	ANSIQuotes, NoBackslash bool
}

// Name is a table's name.
type Name struct{ Database, Table string }

// Kind is what a statement does to a table.
type Kind uint8

// What statements do.
const (
	Alter    Kind = iota // changes columns, and perhaps the name
	Rename               // changes the name only
	Create               // makes the table; its columns are not told
	Drop                 // the table is gone
	Truncate             // the table is empty
)

// Statement is what a statement does to one table. A statement that renames or drops several tables comes as several.
type Statement struct {
	Kind  Kind
	Table Name
	// To is the new name; the zero value if it stays.
	To Name
	// Changes are those of the columns, in order; nil if no column changes.
	Changes []Change
	// IfExists says that the table may be missing; for Create that it may be there already.
	IfExists bool
	// Like is the table whose columns a Create copies; the zero value if it does not.
	Like Name
}

// Change is one change of columns, for [Table.Apply].
type Change struct {
	// contents are this package's
}

// ErrNotUnderstood is part of the error of a statement that may change columns in a way that this package does not know.
var ErrNotUnderstood = errors.New("the statement is not understood")

// Parse reads one statement. It returns nil if the statement is known to change no table's columns or names: CREATE
// INDEX, GRANT, statements about views, triggers, users and so on.
func Parse(sql string, o Options) ([]Statement, error) { return nil, errors.ErrUnsupported }

// Table is the columns of a table as information_schema.columns describes them.
type Table struct {
	Columns []Column
	// Key are the names of the primary key's columns, in the key's order.
	Key []string
	// Charset and Collation are the table's defaults for text columns; Collation may be empty.
	Charset, Collation string
}

// Column is one column.
type Column struct {
	Name string
	// Type is COLUMN_TYPE, for example "int(10) unsigned".
	Type string
	// Charset is CHARACTER_SET_NAME, Collation COLLATION_NAME if it was named; both "" for columns without text.
	Charset, Collation string
	NotNull            bool
	// Default is the default's value as text; nil if there is none or it is null. Expressions are not told.
	Default *string
	Comment string
	// Generated says that the value is computed, AutoIncrement that the server numbers rows.
	Generated, AutoIncrement bool
}

// Apply returns the table after the changes of a statement. The error has [ErrNotUnderstood] if the columns cannot be
// the ones that the statement was made for, for example if it drops one that is not there.
func (t Table) Apply(s Statement) (Table, error) { return t, errors.ErrUnsupported }
