package changetest

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/column"
)

const (
	evolveEvery    = 200 // rows of each version
	evolveVersions = 60
	evolveRate     = 3000 // rows a second
)

// evolveTable is a version of the table of the source Evolve. Its versions go round: a column is added, renamed,
// modified and dropped again.
func evolveTable(version int) (*plugin.Table, []plugin.Rename) {
	t := plugin.Table{ID: plugin.TableID{Name: "evolving"}, Version: uint32(version), Key: []int{0},
		Columns: []plugin.Column{{Name: "id", Type: plugin.TypeOf(plugin.BigInt), NotNull: true},
			{Name: "n", Type: plugin.TypeOf(plugin.BigInt)}}}
	var renamed []plugin.Rename
	value := "5"
	extra := plugin.Column{Name: fmt.Sprintf("a%d", version/4), Type: plugin.TypeOf(plugin.Int), Default: &value}
	switch version % 4 {
	case 0:
		extra.Name = ""
	case 2:
		renamed = []plugin.Rename{{From: extra.Name, To: "b" + extra.Name}}
		extra.Name = "b" + extra.Name
	case 3:
		extra.Name, extra.Type = "b"+extra.Name, plugin.TypeOf(plugin.BigInt)
	}
	if extra.Name != "" {
		t.Columns = append(t.Columns, extra)
	}
	made, err := plugin.NewTable(t)
	if err != nil {
		panic(err) // of a test's own table
	}
	return made, renamed
}

type evolveOptions struct {
	Keys int64 `opt:"keys" required:"true" help:"Number of different keys."`
}

// evolve is a source of a log with rows and changes of the table's columns.
type evolve struct{ keys int64 }

// Evolving returns the source Evolve, which plays the reader of a log: rows, and changes of the table's columns. The
// children of [Kill] need it.
func Evolving() []plugin.Plugin {
	return []plugin.Plugin{plugin.NewSource(plugin.Info{Name: "Evolve", Batch: true, Streaming: true},
		func(_ context.Context, o evolveOptions, _ plugin.Env) (*evolve, error) { return &evolve{o.Keys}, nil })}
}

func (e *evolve) Tables(context.Context) ([]*plugin.Table, error) {
	t, _ := evolveTable(0)
	return []*plugin.Table{t}, nil
}

func (e *evolve) Splits(_ context.Context, state []byte) (plugin.Splitter, error) {
	return &evolveSplitter{given: state != nil}, nil
}

func (e *evolve) Reader(context.Context, plugin.Task) (plugin.Reader, error) {
	return &evolveReader{keys: e.keys}, nil
}

type evolveSplitter struct{ given bool }

func (s *evolveSplitter) Next(context.Context) ([]plugin.Split, error) {
	if s.given {
		return nil, io.EOF
	}
	s.given = true
	return []plugin.Split{{ID: "log", Table: plugin.TableID{Name: "evolving"}, Rows: -1}}, nil
}

func (s *evolveSplitter) Done(plugin.Split, []byte) error { return nil }
func (s *evolveSplitter) State() ([]byte, error)          { return []byte{1}, nil }
func (s *evolveSplitter) Close() error                    { return nil }

// evolveReader stands before row at, with the columns of a version.
type evolveReader struct {
	keys    int64
	at      int64
	version int
	table   *plugin.Table
	begun   time.Time
	from    int64
}

func (r *evolveReader) Open(_ context.Context, s plugin.Split) error {
	if len(s.State) > 0 {
		r.at = int64(binary.BigEndian.Uint64(s.State))
		r.version = int(binary.BigEndian.Uint64(s.State[8:]))
	}
	r.table, _ = evolveTable(r.version)
	r.begun, r.from = time.Now(), r.at
	return nil
}

func (r *evolveReader) Position() ([]byte, error) {
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, uint64(r.at)), uint64(r.version)), nil
}

func (r *evolveReader) Close() error { return nil }

func (r *evolveReader) Read(ctx context.Context, out plugin.Out) error {
	if r.at == evolveEvery*evolveVersions {
		return io.EOF
	}
	if r.at/evolveEvery > int64(r.version) {
		next, renamed := evolveTable(r.version + 1)
		if err := out.Change(plugin.SchemaChange{Old: r.table, New: next, Renamed: renamed}); err != nil {
			return err
		}
		r.version, r.table = r.version+1, next
	}
	due := r.begun.Add(time.Duration(r.at-r.from) * time.Second / evolveRate)
	if wait := time.Until(due); wait > 0 {
		timer := time.NewTimer(wait)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-out.Wake():
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	b := column.NewBuilder(r.table, memory.DefaultAllocator)
	defer b.Release()
	for range min(13, evolveEvery*int64(r.version+1)-r.at) {
		if err := b.AppendRow(plugin.UpdateAfter, evolveRow(r.at, r.keys, len(r.table.Columns))...); err != nil {
			return err
		}
		r.at++
	}
	return out.Batch(b.Batch())
}

// evolveRow is row n of the log: key, number, and the extra column where there is one.
func evolveRow(n, keys int64, columns int) []any { return []any{n % keys, n, n % 1000}[:columns] }

// evolved is what the table holds at the end.
func evolved(keys int64) []string {
	rows := map[int64][]any{}
	columns := 2
	for n := range int64(evolveEvery * evolveVersions) {
		if n%evolveEvery == 0 && n > 0 {
			t, _ := evolveTable(int(n / evolveEvery))
			for key, row := range rows {
				if len(t.Columns) > columns {
					row = append(row, 5)
				}
				rows[key] = row[:len(t.Columns)]
			}
			columns = len(t.Columns)
		}
		rows[n%keys] = evolveRow(n, keys, columns)
	}
	var list []string
	for _, row := range rows {
		list = append(list, strings.Trim(strings.ReplaceAll(fmt.Sprint(row...), " ", "|"), "[]"))
	}
	slices.Sort(list)
	return list
}
