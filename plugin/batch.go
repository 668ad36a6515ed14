package plugin

import "github.com/apache/arrow-go/v18/arrow"

// Batch is some rows of one table, as Arrow columns.
//
// Ownership: who receives a batch as an argument borrows it and may use it until it returns; it calls Retain to keep
// it longer and Release when done. Who hands a batch to [Out.Batch] or to a transform's emit gives its reference away.
type Batch struct {
	// Table describes the rows; never nil.
	Table *Table
	// Rows has one Arrow column for each column of Table.
	Rows arrow.RecordBatch
	// Kinds has one kind for each row; nil means that every row is an insert.
	Kinds []RowKind
	// EventTime is when the oldest change of the batch happened at its source, in Unix milliseconds; 0 means unknown.
	// From it the engine tells how long a change takes until it is visible at the sinks. A transform need not care: a
	// batch that it emits without one inherits that of the batch it was made from.
	EventTime int64
}

// Len returns the number of rows.
func (b Batch) Len() int { return int(b.Rows.NumRows()) }

// Kind returns the kind of row i.
func (b Batch) Kind(i int) RowKind {
	if b.Kinds == nil {
		return Insert
	}
	return b.Kinds[i]
}

// Retain adds a reference.
func (b Batch) Retain() { b.Rows.Retain() }

// Release drops a reference.
func (b Batch) Release() { b.Rows.Release() }

// Slice returns rows i up to j without copying; the caller releases the result.
func (b Batch) Slice(i, j int) Batch {
	s := Batch{Table: b.Table, Rows: b.Rows.NewSlice(int64(i), int64(j)), EventTime: b.EventTime}
	if b.Kinds != nil {
		s.Kinds = b.Kinds[i:j]
	}
	return s
}
