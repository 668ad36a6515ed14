package file

import (
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"sync"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/config"
	"github.com/culvertdata/culvert/plugin/file/format"
)

// source reads the files of one or several tables.
type source struct {
	env    plugin.Env
	tables []*table

	mu    sync.Mutex // lanes may make their readers at the same time
	ready bool
}

// table is one table of the source: its options, and what they come to.
type table struct {
	options TableOptions
	format  format.Format
	filter  *regexp.Regexp

	// What load finds out:

	file *plugin.Table // all columns of a file; nil if files describe themselves, or are read as lines
	read *plugin.Table // the columns that readers give
	out  *plugin.Table // with the partition columns behind them
	keys []string      // the partition columns
}

func newSource(o SourceOptions, env plugin.Env, fs formats) (*source, error) {
	s := &source{env: env}
	list := o.Tables
	if list == nil {
		list = []TableOptions{o.TableOptions}
	}
	for i, options := range list {
		t, err := newTable(options, fs)
		if err != nil {
			var bad *config.Error
			if o.Tables != nil && errors.As(err, &bad) {
				err = bad.Problems.Under(fmt.Sprintf("tables_configs[%d]", i)).Err()
			}
			return nil, err
		}
		s.tables = append(s.tables, t)
	}
	return s, nil
}

func newTable(o TableOptions, fs formats) (*table, error) {
	f, err := fs.find(o.Format)
	if err != nil {
		return nil, err
	}
	filter, err := o.filter()
	if err != nil {
		return nil, problem("file_filter_pattern", "%v", err)
	}
	info := f.Info()
	if err := o.checkPacking(info); err != nil {
		return nil, err
	}
	return &table{options: o, format: f, filter: filter}, nil
}

// Tables returns the tables. It lists the files: partition columns and self-describing formats need the first one.
func (s *source) Tables(ctx context.Context) ([]*plugin.Table, error) {
	if err := s.load(ctx); err != nil {
		return nil, err
	}
	tables := make([]*plugin.Table, len(s.tables))
	for i, t := range s.tables {
		tables[i] = t.out
	}
	return tables, nil
}

func (s *source) load(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ready {
		return nil
	}
	for _, t := range s.tables {
		if err := t.load(ctx, s.env); err != nil {
			return err
		}
	}
	s.ready = true
	return nil
}

func (t *table) load(ctx context.Context, env plugin.Env) error {
	t.out = &plugin.Table{ID: t.id(env)} // for errors until it is known
	files, err := t.discover(ctx)
	if err != nil {
		return err
	}
	if err := t.columns(ctx, files, env); err != nil {
		return err
	}
	if t.options.ParsePartitions && len(files) > 0 {
		t.partitionColumns(files, env)
	}
	if t.out, err = t.withPartitions(); err != nil {
		return err
	}
	if len(t.options.Columns) > 0 && t.format.Info().Name == "json" {
		env.Logger.Warn("read_columns has no effect on json files: all columns of the schema are read")
	}
	r, err := t.format.NewReader(t.readOptions(env)) // to find out now what does not fit
	if err != nil {
		return problem("file_format_type", "%s: %v", t.options.Format, err)
	}
	return r.Close()
}

func (t *table) id(env plugin.Env) plugin.TableID {
	if id := t.options.tableID(); id.Name != "" {
		return id
	}
	return env.TableID()
}

// columns finds out what is in a file and what is read of it.
func (t *table) columns(ctx context.Context, files []found, env plugin.Env) (err error) {
	info := t.format.Info()
	switch {
	case t.options.Schema != nil && len(t.options.Schema.Columns) > 0 && !info.Describes:
		if t.file, err = t.options.Schema.Table(t.id(env), Name); err != nil {
			return problem("schema", "%v", err)
		}
		t.read = t.file
	case info.Describes && len(files) == 0:
		t.read, err = t.emptyTable(env)
	default:
		t.read, err = t.describe(ctx, files, env)
	}
	if err != nil || len(t.options.Columns) == 0 || info.Name == "json" {
		return err
	}
	return t.project()
}

// emptyTable is the table of a directory without files: SeaTunnel's, a schema or one column.
func (t *table) emptyTable(env plugin.Env) (*plugin.Table, error) {
	if t.options.Schema != nil && len(t.options.Schema.Columns) > 0 {
		return t.options.Schema.Table(t.id(env), Name)
	}
	t.options.Columns = nil
	return plugin.NewTable(plugin.Table{ID: t.id(env), Catalog: Name,
		Columns: []plugin.Column{{Name: "content", Type: plugin.TypeOf(plugin.String)}}})
}

// describe asks the format for the columns.
func (t *table) describe(ctx context.Context, files []found, env plugin.Env) (*plugin.Table, error) {
	in := format.Input{}
	if len(files) > 0 && t.format.Info().Describes {
		f, err := os.Open(files[0].path)
		if err != nil {
			return nil, t.pathError(err)
		}
		defer f.Close()
		in = format.Input{Name: files[0].path, Size: files[0].size, ReaderAt: f}
	}
	columns, err := t.format.Columns(ctx, in)
	if err != nil && !t.format.Info().Describes {
		return nil, problem("schema", "is required: %v", err)
	}
	if err != nil {
		return nil, err
	}
	return plugin.NewTable(plugin.Table{ID: t.id(env), Columns: columns, Catalog: Name})
}

// project keeps read_columns, in their order.
func (t *table) project() error {
	all := t.read
	p := plugin.Table{ID: all.ID, Comment: all.Comment, Catalog: all.Catalog, KeyName: all.KeyName}
	for _, name := range t.options.Columns {
		i := all.Index(name)
		if i < 0 {
			return problem("read_columns", "%v", noColumn(all, name))
		}
		p.Columns = append(p.Columns, all.Columns[i])
	}
	for _, k := range all.Key {
		i := slices.Index(t.options.Columns, all.Columns[k].Name)
		if i < 0 {
			p.Key = nil
			break
		}
		p.Key = append(p.Key, i)
	}
	var err error
	if t.read, err = plugin.NewTable(p); err != nil {
		return problem("read_columns", "%v", err)
	}
	return nil
}

// partitionColumns takes the partition columns from the path of the first file, as SeaTunnel does. Other files that lie
// in other partitions are worth a warning: their rows have nulls for keys that they lack, and none for those they add.
func (t *table) partitionColumns(files []found, env plugin.Env) {
	first, _ := partitions(files[0].path)
	for _, k := range first {
		if t.read.Index(k) < 0 {
			t.keys = append(t.keys, k)
		}
	}
	for _, f := range files[1:] {
		if keys, _ := partitions(f.path); !slices.Equal(first, keys) {
			env.Logger.Warn("files lie in different partitions: the columns are those of the first file",
				"first", files[0].path, "other", f.path)
			return
		}
	}
}

// withPartitions returns the table that rows are put out as.
func (t *table) withPartitions() (*plugin.Table, error) {
	if len(t.keys) == 0 {
		return t.read, nil
	}
	out := *t.read
	out.Columns = slices.Clone(t.read.Columns)
	for _, k := range t.keys {
		out.Columns = append(out.Columns, plugin.Column{Name: k, Type: plugin.TypeOf(plugin.String)})
	}
	return plugin.NewTable(out)
}

func (t *table) readOptions(env plugin.Env) format.ReadOptions {
	o := t.options
	return format.ReadOptions{
		File: t.file, Table: t.read, SplitSize: o.SplitSize, MaxRecord: o.MaxRecord, Alloc: env.Alloc,
		Delimiter: o.Delimiter, SkipHeader: o.SkipHeader, Encoding: o.Encoding, QuotedNewlines: o.Newlines,
	}
}

// Splits lists the files and cuts them.
func (s *source) Splits(ctx context.Context, state []byte) (plugin.Splitter, error) {
	if err := s.load(ctx); err != nil {
		return nil, err
	}
	return &splitter{source: s, all: string(state) == doneState}, nil
}

// Reader makes the reader of one lane.
func (s *source) Reader(ctx context.Context, task plugin.Task) (plugin.Reader, error) {
	if err := s.load(ctx); err != nil {
		return nil, err
	}
	return &reader{source: s, env: task.Env, formats: map[*table]format.Reader{}}, nil
}
