package fake

import (
	"context"
	"fmt"

	"github.com/culvertdata/culvert/plugin"
)

// catalog is the name that the tables carry.
const catalog = "FakeSource"

// Plugins returns the source FakeSource, with [Options].
func Plugins() []plugin.Plugin {
	return []plugin.Plugin{plugin.NewSource(plugin.Info{
		Name: catalog, Summary: "Makes up random rows, or puts out the rows of the job file.",
		Batch: true, Streaming: true,
	}, open)}
}

// source is an opened FakeSource.
type source struct {
	env    plugin.Env
	tables []*table
}

// table is what one table is made of.
type table struct {
	*plugin.Table
	options *TableOptions
	list    *list // nil: random rows
}

func open(_ context.Context, o Options, env plugin.Env) (*source, error) {
	s := &source{env: env}
	for _, to := range o.tables() {
		t, err := newTable(to, env)
		if err != nil {
			return nil, err
		}
		if s.table(t.ID) != nil {
			return nil, &plugin.Error{Code: plugin.CodeConfig, Table: t.ID, Err: fmt.Errorf("is declared twice"),
				Fix: "give each entry of tables_configs its own schema.table"}
		}
		s.tables = append(s.tables, t)
	}
	return s, nil
}

func newTable(o TableOptions, env plugin.Env) (*table, error) {
	pt, err := o.Schema.Table(env.TableID(), catalog)
	if err != nil {
		return nil, &plugin.Error{Code: plugin.CodeConfig, Err: err}
	}
	t := &table{Table: pt, options: &o}
	if len(o.Rows) > 0 {
		if t.list, err = newList(pt, o.Rows, env.Now()); err != nil {
			return nil, err
		}
		for _, text := range t.list.misfits() {
			env.Logger.Warn(fmt.Sprintf("table %s: %s", pt.ID, text))
		}
		return t, nil
	}
	// Readers make their own generators; these only show that it can be done.
	if _, err := newColumns(t.options, env.Now); err != nil {
		return nil, &plugin.Error{Code: plugin.CodeConfig, Table: pt.ID, Err: err}
	}
	return t, nil
}

func (s *source) table(id plugin.TableID) *table {
	for _, t := range s.tables {
		if t.ID == id {
			return t
		}
	}
	return nil
}

// Tables returns the tables in the order of the job file.
func (s *source) Tables(context.Context) ([]*plugin.Table, error) {
	tables := make([]*plugin.Table, len(s.tables))
	for i, t := range s.tables {
		tables[i] = t.Table
	}
	return tables, nil
}

// Splits starts cutting the tables into splits.
func (s *source) Splits(_ context.Context, state []byte) (plugin.Splitter, error) {
	return newSplitter(s, state)
}

// Reader makes the reader of one lane.
func (s *source) Reader(_ context.Context, t plugin.Task) (plugin.Reader, error) {
	return &reader{source: s, task: t, columns: map[*table]*columns{}}, nil
}
