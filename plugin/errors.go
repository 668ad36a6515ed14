package plugin

import (
	"fmt"
	"strings"
)

// Code classes an [Error].
type Code string

// The codes that the engine and its connectors use; a connector may have more.
const (
	CodeConfig      Code = "CONFIG"      // an option or a combination of options is wrong
	CodeNotFound    Code = "NOT_FOUND"   // a table, file, column or object is missing
	CodeExists      Code = "EXISTS"      // something is there that must not be
	CodeData        Code = "DATA"        // a value or a row cannot be read, converted or written
	CodeType        Code = "TYPE"        // a column type is not supported here
	CodeDenied      Code = "DENIED"      // credentials or rights are missing
	CodeUnavailable Code = "UNAVAILABLE" // a system does not answer; a retry may help
	CodeInternal    Code = "INTERNAL"    // a bug
)

// Error is a failure that says where it happened, whether a retry can help, and what to do. Empty parts are unknown.
type Error struct {
	Code   Code
	Vertex string
	Table  TableID
	Split  string
	// Row points at the row: a line number, a key, an offset.
	Row string
	// Retry says that the same attempt may succeed later: the engine restarts the pipeline. Without it the job fails
	// at once.
	Retry bool
	// Fix says what the user can do.
	Fix string
	Err error
}

// Error joins the known parts into one line.
func (e *Error) Error() string {
	var b strings.Builder
	if e.Vertex != "" {
		b.WriteString(e.Vertex + ": ")
	}
	if e.Table.Name != "" {
		b.WriteString("table " + e.Table.String() + ": ")
	}
	if e.Split != "" {
		b.WriteString("split " + e.Split + ": ")
	}
	if e.Row != "" {
		b.WriteString(e.Row + ": ")
	}
	if e.Err != nil {
		b.WriteString(e.Err.Error())
	} else {
		b.WriteString(string(e.Code))
	}
	if e.Fix != "" {
		b.WriteString("; " + e.Fix)
	}
	return b.String()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// RowError is one row that a writer refused.
type RowError struct {
	// Index is the row's position in the batch.
	Index int
	Err   error
}

// RowErrors is returned by [Writer.Write] when single rows were refused and all others were taken. The job's error
// policy decides what becomes of them.
type RowErrors struct {
	Rows []RowError
}

// Error names the number of rows and the first reason.
func (e *RowErrors) Error() string {
	if len(e.Rows) == 0 {
		return "no rows refused"
	}
	return fmt.Sprintf("%d rows refused, the first, row %d of its batch: %v", len(e.Rows), e.Rows[0].Index, e.Rows[0].Err)
}

// Unwrap returns the reasons.
func (e *RowErrors) Unwrap() []error {
	errs := make([]error, len(e.Rows))
	for i, r := range e.Rows {
		errs[i] = r.Err
	}
	return errs
}
