package assert

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/culvertdata/culvert/plugin"
)

// writer checks and counts the rows of one lane.
type writer struct {
	sink   *sink
	tables map[*plugin.Table]*tableTests
	counts counts
}

// tableTests is what a writer does with the rows of one version of a table.
type tableTests struct {
	path   string
	fields []fieldTest
}

func (w *writer) of(t *plugin.Table) (*tableTests, error) {
	if tests, ok := w.tables[t]; ok {
		return tests, nil
	}
	fields, err := fieldTests(t, w.sink.fieldRules(t))
	if err != nil {
		return nil, err
	}
	tests := &tableTests{path: t.ID.String(), fields: fields}
	w.tables[t] = tests
	return tests, nil
}

// Write checks the field rules. Of the rules that do not hold it reports the first of the first such row.
func (w *writer) Write(_ context.Context, b plugin.Batch) error {
	tests, err := w.of(b.Table)
	if err != nil {
		return err
	}
	failed, row := -1, b.Len()
	for i, f := range tests.fields {
		if at := f.test(b.Rows.Column(f.column), row); at < row {
			failed, row = i, at
		}
	}
	if failed >= 0 {
		return &plugin.Error{Code: CodeRule, Table: b.Table.ID,
			Err: fmt.Errorf("row :%s fail rule: %s", rowText(b, row), tests.fields[failed].rule)}
	}
	if b.Len() > 0 {
		w.counts[tests.path] += int64(b.Len())
	}
	return nil
}

// Flush has nothing to make durable: the counts are part of the writer's state.
func (w *writer) Flush(context.Context, uint64) ([]byte, error) { return nil, nil }

// State returns the counts.
func (w *writer) State() ([]byte, error) { return json.Marshal(w.counts) }

// Restore goes on with the counts of earlier writers.
func (w *writer) Restore(states [][]byte) error { return w.counts.add(states) }

// Close does nothing.
func (w *writer) Close() error { return nil }
