package file

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/file/format"
	"github.com/culvertdata/culvert/plugin/file/internal/codec"
)

// splitState is what a split says: a range of a file, and where to go on in it.
type splitState struct {
	// Table is the table's place in the job file.
	Table int    `json:"table"`
	Path  string `json:"path"`
	// Size in bytes and Modified in nanoseconds since 1970 tell whether the file is still the one that was listed.
	Size     int64            `json:"size"`
	Modified int64            `json:"modified"`
	Range    format.Range     `json:"range"`
	Entry    int              `json:"entry,omitempty"` // of an archive: the one that From is in
	From     *format.Position `json:"from,omitempty"`
}

func decodeSplit(s plugin.Split) (st splitState, err error) {
	if err := json.Unmarshal(s.State, &st); err != nil {
		return st, fmt.Errorf("split %s: its state cannot be read: %w", s.ID, err)
	}
	return st, nil
}

func (st splitState) encode() ([]byte, error) { return json.Marshal(st) }

// doneState is the splitter's state when all splits are handed out.
const doneState = `{"listed":true}`

// splitter hands out all splits at once: from then on the engine keeps them.
type splitter struct {
	source *source
	all    bool // handed out
}

// Next lists and cuts the files of all tables.
func (s *splitter) Next(ctx context.Context) ([]plugin.Split, error) {
	if s.all {
		return nil, io.EOF
	}
	var splits []plugin.Split
	for i, t := range s.source.tables {
		files, err := t.discover(ctx)
		if err != nil {
			return nil, err
		}
		for _, f := range files {
			cut, err := t.cut(ctx, i, f, s.source.env)
			if err != nil {
				return nil, err
			}
			splits = append(splits, cut...)
		}
	}
	s.all = true
	if len(splits) == 0 {
		return nil, io.EOF
	}
	return splits, nil
}

// cut makes the splits of one file.
func (t *table) cut(ctx context.Context, number int, f found, env plugin.Env) ([]plugin.Split, error) {
	ranges := []format.Range{{End: -1, Rows: -1}}
	if t.options.Archive == "none" && t.codec(f.path) == codec.None {
		in, closer, err := t.plainInput(f)
		if err != nil {
			return nil, err
		}
		ranges, err = t.format.Ranges(ctx, in, t.readOptions(env))
		closer.Close()
		if err != nil {
			return nil, err
		}
	}
	splits := make([]plugin.Split, len(ranges))
	for i, r := range ranges {
		st := splitState{Table: number, Path: f.path, Size: f.size, Modified: f.modified, Range: r}
		state, err := st.encode()
		if err != nil {
			return nil, err
		}
		splits[i] = plugin.Split{ID: st.id(), Table: t.out.ID, State: state, Rows: r.Rows}
	}
	return splits, nil
}

func (st splitState) id() string { return fmt.Sprintf("%d:%s@%d", st.Table, st.Path, st.Range.Start) }

// codec tells how a file is compressed.
func (t *table) codec(path string) string {
	if !t.format.Info().Streams || t.options.Archive != "none" {
		return codec.None
	}
	if t.options.Codec != "" {
		return t.options.Codec
	}
	return codec.ByName(path, t.format.Info().Suffix)
}

// lazyFile opens its file with the first read, so that cutting small files opens none of them.
type lazyFile struct {
	path string
	file *os.File
}

// ReadAt implements io.ReaderAt.
func (l *lazyFile) ReadAt(p []byte, off int64) (int, error) {
	if l.file == nil {
		f, err := os.Open(l.path)
		if err != nil {
			return 0, err
		}
		l.file = f
	}
	return l.file.ReadAt(p, off)
}

// Close implements io.Closer.
func (l *lazyFile) Close() error {
	if l.file == nil {
		return nil
	}
	return l.file.Close()
}

// plainInput is a file as it is.
func (t *table) plainInput(f found) (format.Input, io.Closer, error) {
	file := &lazyFile{path: f.path}
	in := format.Input{Name: f.path, Size: f.size, ReaderAt: file}
	in.Stream = func(offset int64) (io.ReadCloser, error) {
		return &wholeReader{r: io.NewSectionReader(file, offset, f.size-offset), name: f.path, left: f.size - offset}, nil
	}
	return in, file, nil
}

// Done has nothing to do: splits do not wait for others.
func (s *splitter) Done(plugin.Split, []byte) error { return nil }

// State says whether the splits are handed out.
func (s *splitter) State() ([]byte, error) {
	if s.all {
		return []byte(doneState), nil
	}
	return nil, nil
}

// Close has nothing to do.
func (s *splitter) Close() error { return nil }
