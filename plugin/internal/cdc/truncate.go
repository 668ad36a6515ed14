package cdc

import (
	"errors"
	"fmt"
	"strings"

	"github.com/hashicorp/go-hclog"

	"github.com/culvertdata/culvert/plugin"
)

// TruncationProperty is the property of Debezium that says what becomes of TRUNCATE TABLE.
const TruncationProperty = "truncate.handling.mode"

// Truncation is what becomes of TRUNCATE TABLE.
type Truncation uint8

// What may become of it. Debezium knows the first two.
const (
	SkipTruncate    Truncation = iota // the target keeps its rows, and the job's log tells
	IncludeTruncate                   // the target is emptied
	FailTruncate                      // the job fails
)

// ParseTruncation reads the property; empty is the default.
func ParseTruncation(text string) (Truncation, error) {
	switch strings.ToLower(text) {
	case "", "skip":
		return SkipTruncate, nil
	case "include":
		return IncludeTruncate, nil
	case "fail":
		return FailTruncate, nil
	}
	return 0, fmt.Errorf("must be skip, include or fail, not %q", text)
}

// Truncated is a table that was truncated at a place of the log.
type Truncated struct {
	Table *plugin.Table // in force
	At    string
	Text  string // the statement, where it is known
	// Before and After say that the snapshot has rows from before and from after the statement, which were put out.
	Before, After bool
}

// Change returns the change that empties the target; nil if there is none to be put out: the job does not follow, or
// all that the target has came after the statement.
func (t Truncated) Change(mode Truncation, log hclog.Logger) (*plugin.SchemaChange, error) {
	id := t.Table.ID
	if t.After && !t.Before {
		return nil, nil
	}
	switch {
	case mode == SkipTruncate:
		log.Warn("the table was truncated; the target keeps its rows: empty it by hand, or start the job anew",
			"table", id.String(), "at", t.At, "to follow", "debezium { "+TruncationProperty+" = include }")
		return nil, nil
	case mode == FailTruncate:
		return nil, &plugin.Error{
			Code: plugin.CodeData, Table: id, Row: t.At,
			Err: errors.New("the table was truncated, and " + TruncationProperty + " is fail"),
			Fix: "let the job go on with " + TruncationProperty + " = skip, after the target was emptied by hand, or = include",
		}
	case t.Before && t.After:
		return nil, &plugin.Error{
			Code: plugin.CodeData, Table: id, Row: t.At,
			Err: errors.New("the table was truncated while it was copied: a part of its rows was read before that, and " +
				"another part after it"),
			Fix: "start the job afresh",
		}
	}
	next := *t.Table
	next.Version++
	made, err := plugin.NewTable(next)
	return &plugin.SchemaChange{Old: t.Table, New: made, Truncated: true, Statement: t.Text}, err
}
