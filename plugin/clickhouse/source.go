package clickhouse

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/clickhouse/internal/client"
	"github.com/culvertdata/culvert/plugin/clickhouse/internal/native"
)

// Source reads one query, in ranges of keys where lanes are to share it.
type Source struct {
	options SourceOptions
	client  client.Options
	env     plugin.Env
	sql     string

	mu      sync.Mutex // the lanes make their readers at the same time
	table   *plugin.Table
	columns []native.Column
}

var (
	_ plugin.Source = (*Source)(nil)
	_ plugin.Pinger = (*Source)(nil)
)

func newSource(o SourceOptions, env plugin.Env) (*Source, error) {
	c, err := o.clientOptions(env)
	if err != nil {
		return nil, &plugin.Error{Code: plugin.CodeConfig, Vertex: env.Vertex, Err: err}
	}
	c.Database = o.Database
	s := &Source{options: o, client: c, env: env, sql: strings.TrimRight(strings.TrimSpace(o.SQL), "; \n\t")}
	if o.TablePath != "" {
		id, err := plugin.ParseTableID(o.TablePath, false)
		if err != nil {
			return nil, &plugin.Error{Code: plugin.CodeConfig, Vertex: env.Vertex, Err: fmt.Errorf("table_path: %w", err)}
		}
		s.sql = "SELECT * FROM " + tableName(id)
	}
	return s, nil
}

// Ping asks the server for its version.
func (s *Source) Ping(ctx context.Context) error {
	srv, err := connect(ctx, s.client, s.options.Zone)
	if err == nil {
		srv.Close()
	}
	return err
}

// Tables describes the query's columns.
func (s *Source) Tables(ctx context.Context) ([]*plugin.Table, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.table != nil {
		return []*plugin.Table{s.table}, nil
	}
	srv, err := connect(ctx, s.client, s.options.Zone)
	if err != nil {
		return nil, err
	}
	defer srv.Close()
	found, err := srv.describe(ctx, "("+s.sql+")")
	if err != nil {
		return nil, inOption(err)
	}
	t := plugin.Table{ID: s.tableID(), Catalog: "Clickhouse"}
	var errs []error
	for _, c := range found {
		p, err := c.Type.Plugin()
		if err := errors.Join(c.err, err); err != nil {
			errs = append(errs, &plugin.Error{
				Code: plugin.CodeType, Table: t.ID, Err: fmt.Errorf("column %s: %w", c.Name, err),
				Fix: "leave it out, or select toString(" + c.Name + ")",
			})
			continue
		}
		_, nullable := c.Type.Bare()
		t.Columns = append(t.Columns, plugin.Column{Name: c.Name, Type: p, NotNull: !nullable && c.Type.Name != "Nothing",
			SourceType: c.text})
		s.columns = append(s.columns, c.Column)
	}
	if err := errors.Join(errs...); err != nil {
		s.columns = nil
		return nil, err
	}
	if s.table, err = plugin.NewTable(t); err != nil {
		s.columns = nil
		return nil, &plugin.Error{Code: plugin.CodeConfig, Err: err,
			Fix: "give each column of the statement a name of its own"}
	}
	return []*plugin.Table{s.table}, nil
}

func (s *Source) tableID() plugin.TableID {
	if id, err := plugin.ParseTableID(s.options.TablePath, false); err == nil && s.options.TablePath != "" {
		if id.Database == "" {
			id.Database = s.options.Database
		}
		return id
	}
	return s.env.TableID()
}

// inOption says which option a refused statement comes from.
func inOption(err error) error {
	var e *plugin.Error
	if errors.As(err, &e) && e.Code == plugin.CodeData {
		e.Code, e.Fix = plugin.CodeConfig, "check the sql option"
	}
	return err
}

// Splits hands out the query.
func (s *Source) Splits(ctx context.Context, state []byte) (plugin.Splitter, error) {
	tables, err := s.Tables(ctx)
	if err != nil {
		return nil, err
	}
	return &splitter{source: s, id: tables[0].ID, handed: len(state) > 0 && state[0] == '1'}, nil
}

// splitter hands all splits out at once.
type splitter struct {
	source *Source
	id     plugin.TableID
	handed bool
}

// Next hands the splits out.
func (s *splitter) Next(ctx context.Context) ([]plugin.Split, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if s.handed {
		return nil, io.EOF
	}
	splits, err := s.source.splits(ctx, s.id)
	s.handed = err == nil
	return splits, err
}

// Done has nothing to do.
func (s *splitter) Done(plugin.Split, []byte) error { return nil }

// State says whether the splits were handed out.
func (s *splitter) State() ([]byte, error) {
	if s.handed {
		return []byte("1"), nil
	}
	return []byte("0"), nil
}

// Close has nothing to do.
func (s *splitter) Close() error { return nil }

// Reader makes the reader of one lane.
func (s *Source) Reader(ctx context.Context, t plugin.Task) (plugin.Reader, error) {
	if _, err := s.Tables(ctx); err != nil {
		return nil, err
	}
	return &reader{source: s, alloc: t.Alloc}, nil
}
