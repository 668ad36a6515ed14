package file

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/file/format"
	"github.com/culvertdata/culvert/plugin/file/internal/codec"
	"github.com/culvertdata/culvert/plugin/file/internal/fsys"
)

// sink writes one table to a directory.
type sink struct {
	options SinkOptions
	env     plugin.Env
	format  format.Format
	fs      fsys.FS
	layout  layout

	table plugin.TableID
	first *shape // of the table as it was when the job was planned
}

func newSink(o SinkOptions, env plugin.Env, formats formats) (*sink, error) {
	f, err := formats.find(o.Format)
	if err != nil {
		return nil, err
	}
	info := f.Info()
	if err := o.checkCodec(info); err != nil {
		return nil, err
	}
	suffix := info.Suffix
	if info.Streams {
		suffix = codec.Suffix(o.Codec) + suffix
	} else if o.Codec != codec.None {
		suffix = "." + o.Codec + suffix
	}
	s := &sink{options: o, env: env, format: f, fs: fsys.OS{}, table: env.Inputs[0].ID}
	if s.layout, err = newLayout(o, env, suffix); err != nil {
		return nil, err
	}
	if s.first, err = s.shapeOf(env.Inputs[0]); err != nil {
		return nil, err
	}
	if info.Name == "csv" && o.FieldDelimiter != "" && o.FieldDelimiter != "," {
		env.Logger.Warn("field_delimiter has no effect: csv files are written with commas")
	}
	return s, nil
}

// shape is what files hold of one version of the table.
type shape struct {
	in         *plugin.Table
	file       *plugin.Table // of the columns that files hold
	columns    []int         // their places in the input
	partitions *partitioner  // nil without partition_by
}

// shapeOf finds the columns that files hold.
func (s *sink) shapeOf(in *plugin.Table) (*shape, error) {
	names := s.options.Columns
	if len(names) == 0 {
		names = in.Names()
	}
	sh := &shape{in: in}
	var err error
	if sh.partitions, err = newPartitioner(s.options, in); err != nil {
		return nil, err
	}
	if len(s.options.PartitionBy) == 0 {
		sh.partitions = nil
	}
	out := plugin.Table{ID: in.ID, Version: in.Version, Comment: in.Comment, Catalog: in.Catalog}
	for _, name := range names {
		i, err := columnOf(in, name)
		if err != nil {
			return nil, problem("sink_columns", "%v", err)
		}
		if !s.options.WritePartitionFields && slices.Contains(s.options.PartitionBy, name) {
			continue
		}
		sh.columns = append(sh.columns, i)
		out.Columns = append(out.Columns, in.Columns[i])
	}
	if len(out.Columns) == 0 {
		return nil, problem("partition_by", "no column is left for the files; set is_partition_field_write_in_file = true")
	}
	if sh.file, err = plugin.NewTable(out); err != nil {
		return nil, problem("sink_columns", "%v", err)
	}
	if _, err := s.format.NewWriter(io.Discard, s.options.writeOptions(sh.file, s.env)); err != nil {
		return nil, problem("file_format_type", "%s: %v", s.format.Info().Name, err)
	}
	return sh, nil
}

// ApplyChange checks that files can have the new columns. Writers begin new files with the first row that has them.
func (s *sink) ApplyChange(_ context.Context, c plugin.SchemaChange) error {
	_, err := s.shapeOf(c.New)
	if err != nil {
		return &plugin.Error{Code: plugin.CodeConfig, Table: c.New.ID,
			Err: fmt.Errorf("the columns of the table changed: %w", err),
			Fix: "start the job anew with options that fit the new columns"}
	}
	return nil
}

// Delivery is two-phase with transactions; without, rows come again after a restart.
func (s *sink) Delivery([]*plugin.Table) plugin.Delivery {
	if s.options.Transactional {
		return plugin.TwoPhase
	}
	return plugin.Repeats
}

// Prepare applies the save modes: the directory is the table, its files are the data.
func (s *sink) Prepare(_ context.Context, tables []*plugin.Table) error {
	if err := s.prepareDirectory(); err != nil {
		return s.failure("prepare "+s.layout.target, err)
	}
	switch s.options.DataSaveMode {
	case "DROP_DATA":
		return s.failure("empty "+s.layout.target, s.empty())
	case "ERROR_WHEN_DATA_EXISTS":
		return s.checkEmpty()
	}
	return nil
}

func (s *sink) prepareDirectory() error {
	dir := s.layout.target
	switch s.options.SchemaSaveMode {
	case "RECREATE_SCHEMA":
		if err := s.empty(); err != nil {
			return err
		}
		return fsys.MkdirAll(s.fs, dir)
	case "CREATE_SCHEMA_WHEN_NOT_EXIST":
		return fsys.MkdirAll(s.fs, dir)
	case "ERROR_WHEN_SCHEMA_NOT_EXIST":
		info, err := s.fs.Stat(dir)
		if err == nil && !info.IsDir() && info.Mode()&fs.ModeSymlink == 0 {
			err = errors.New("not a directory")
		}
		if err != nil {
			return &plugin.Error{Code: plugin.CodeNotFound, Table: s.table, Err: fmt.Errorf("path %s: %w", dir, err),
				Fix: "make the directory, or choose another schema_save_mode"}
		}
	}
	return nil
}

// empty removes all files of the target directory. It refuses to where that would reach further than anybody means.
func (s *sink) empty() error {
	dir := s.layout.target
	rel, err := filepath.Rel(dir, s.layout.stage)
	inside := err == nil && filepath.IsLocal(rel)
	if dir == filepath.Dir(dir) || inside {
		return &plugin.Error{Code: plugin.CodeConfig, Table: s.table,
			Err: fmt.Errorf("%s cannot be emptied: it holds the job's work directory %s", dir, s.layout.stage),
			Fix: "use a path of its own for each table, outside of tmp_path/seatunnel"}
	}
	return fsys.RemoveContent(s.fs, dir)
}

// checkEmpty fails if the target directory holds a file, hidden ones apart.
func (s *sink) checkEmpty() error {
	err := filepath.WalkDir(s.layout.target, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasPrefix(d.Name(), ".") {
			return err
		}
		return &plugin.Error{Code: plugin.CodeExists, Table: s.table, Err: fmt.Errorf("%s holds data: %s",
			s.layout.target, path), Fix: "empty the directory, or choose another data_save_mode"}
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// Writer makes the writer of one lane.
func (s *sink) Writer(_ context.Context, t plugin.Task) (plugin.Writer, error) {
	w := &writer{sink: s, env: t.Env, lane: t.Index, parts: map[string]*part{}}
	w.begin(t.Epoch)
	var err error
	w.shape, err = s.shapeOf(s.first.in) // partitioners belong to one writer
	return w, err
}

// failure says what was done when it failed, and whether trying again helps: it may if the file system refused.
func (s *sink) failure(what string, err error) error {
	var known *plugin.Error
	if err == nil || errors.As(err, &known) {
		return err
	}
	e := &plugin.Error{Code: plugin.CodeData, Table: s.table, Err: fmt.Errorf("%s: %w", what, err)}
	var path *fs.PathError
	var link *os.LinkError
	switch {
	case fsys.DiskFull(err):
		e.Code, e.Retry, e.Fix = plugin.CodeUnavailable, true, "the disk is full; make room"
	case errors.Is(err, fs.ErrPermission):
		e.Code, e.Fix = plugin.CodeDenied, "give the program the right to write there"
	case errors.As(err, &path), errors.As(err, &link):
		e.Code, e.Retry = plugin.CodeUnavailable, true
	}
	return e
}
