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
	// MariaDB says which server's rules hold, Version which version comments apply: 80032 is 8.0.32, 101106 is 10.11.6.
	// Version 0: the newest.
	MariaDB bool
	Version int
	// ANSIQuotes says that double quotes enclose names, NoBackslash that a backslash is a plain character in texts.
	ANSIQuotes, NoBackslash bool
}

// Name is a table's name.
type Name struct{ Database, Table string }

// String joins both parts with a point.
func (n Name) String() string { return n.Database + "." + n.Table }

// Kind is what a statement does to a table.
type Kind uint8

// What statements do.
const (
	Alter        Kind = iota // changes columns or the key, or something that does not matter; perhaps also the name
	Rename                   // changes the name only
	Create                   // makes the table; its columns are not told
	Drop                     // the table is gone
	DropDatabase             // all tables of Table.Database are gone
	Truncate                 // the table is empty
)

// Statement is what a statement does to one table. A statement that renames or drops several tables comes as several.
type Statement struct {
	Kind  Kind
	Table Name
	// To is the new name; the zero value if it stays.
	To Name
	// Changes are those of the columns and the key, in order; nil if none changes.
	Changes []Change
	// IfExists says that the table may be missing; for Create that it may be there already, and stays as it is then.
	IfExists bool
	// Like is the table whose columns a Create copies; the zero value if it does not.
	Like Name
	// Unlogged says that rows go or come of which no event tells: a partition is dropped, emptied or exchanged.
	Unlogged bool
}

// Change is one change of columns or of the key, for [Table.Apply].
type Change struct {
	kind   changeKind
	name   string // of the column that is there already
	column Column // the new definition
	place  place
	soft   bool // IF EXISTS, IF NOT EXISTS

	primary            bool     // the column's definition makes it the primary key
	key                []string // of addKey
	charset, collation string   // of setCharset; of a definition "" means the table's
}

type changeKind uint8

const (
	addColumn changeKind = iota
	dropColumn
	changeColumn // also MODIFY
	renameColumn
	setDefault
	setVisible
	addKey
	dropKey
	setCharset
)

// place says where a column goes: nowhere special, first, or behind another.
type place struct {
	first bool
	after string
}

// ErrNotUnderstood is part of the error of a statement that may change columns in a way that this package does not
// know.
var ErrNotUnderstood = errors.New("the statement is not understood")

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
	// Charset is CHARACTER_SET_NAME, "" for columns without text. Collation is COLLATION_NAME where it was named.
	Charset, Collation string
	// NotNull says that nulls are forbidden, by the definition or because the column is in the primary key. A TIMESTAMP
	// that says nothing may be null, as of MySQL 8 and MariaDB 10.10.
	NotNull bool
	// Default is the default's value as text, as it was written; nil if there is none, it is null, or an expression.
	Default *string
	Comment string
	// Generated says that the value is computed, AutoIncrement that the server numbers rows, Invisible that SELECT *
	// leaves the column out.
	Generated, AutoIncrement, Invisible bool

	typ dataType // of a definition, whose Type and Charset follow when the table is known
}
