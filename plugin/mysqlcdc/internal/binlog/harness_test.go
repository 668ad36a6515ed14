package binlog

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/column"
	"github.com/culvertdata/culvert/plugin/internal/dbtest"
	"github.com/culvertdata/culvert/plugin/internal/mysql/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// connect returns a connection to the test server.
func connect(t testing.TB) *wire.Conn {
	t.Helper()
	return dbtest.Wire(t, "")
}

// fixture is a database of its own, and a connection that works in it.
type fixture struct {
	*wire.Conn
	db   *dbtest.Database
	name string
}

func newFixture(t testing.TB, statements ...string) *fixture {
	t.Helper()
	d := dbtest.MariaDB(t)
	f := &fixture{dbtest.Wire(t, d.Name), d, d.Name}
	f.run(t, statements...)
	return f
}

func (f *fixture) run(t testing.TB, statements ...string) {
	t.Helper()
	for _, s := range statements {
		if _, err := f.Exec(s); err != nil {
			t.Fatalf("%.200s: %v", s, err)
		}
	}
}

// now is where the log ends.
func (f *fixture) now(t testing.TB) Position {
	t.Helper()
	p, err := Current(f.Conn)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// columns describes a table's columns as the log has them, all of which go to the out table.
func (f *fixture) columns(t testing.TB, table string) []Column {
	t.Helper()
	rows, err := f.Rows(`SELECT column_name, column_type, character_set_name FROM information_schema.columns
		WHERE table_schema = ? AND table_name = ? ORDER BY ordinal_position`, f.name, table)
	if err != nil {
		t.Fatal(err)
	}
	list := make([]Column, len(rows))
	for i, row := range rows {
		list[i] = Column{Name: wire.String(row[0]), Type: wire.String(row[1]), Charset: wire.String(row[2]), Out: i}
	}
	return list
}

// open starts a stream that ends where the log ends now.
func (f *fixture) open(t testing.TB, o Options) *Stream {
	t.Helper()
	o.ServerID = rand.Uint32()
	o.NonBlocking = true
	s, err := Open(t.Context(), connect(t), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// each reads all events of a stream.
func each(t testing.TB, s *Stream, f func(Event)) {
	t.Helper()
	for {
		e, err := s.Next(t.Context())
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		f(e)
	}
}

// upTo reads the events up to a place. The server may have other clients, who write behind it.
func upTo(t testing.TB, s *Stream, end Position, f func(Event)) {
	t.Helper()
	for {
		e, err := s.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		f(e)
		file, at := s.File()
		if (Position{File: file, Pos: at}).Compare(end) >= 0 {
			return
		}
	}
}

// eachRows reads the rows events of a table.
func (f *fixture) eachRows(t testing.TB, s *Stream, table string, do func(Rows)) {
	t.Helper()
	each(t, s, func(e Event) {
		switch {
		case e.Type == TableMapEvent:
			if _, err := s.TableMap(e); err != nil {
				t.Fatal(err)
			}
		case e.Type.IsRows():
			r, err := s.Rows(e)
			if err != nil {
				t.Fatal(err)
			}
			if r.Map != nil && r.Map.Schema == f.name && r.Map.Name == table {
				do(r)
			}
		}
	})
}

func newTable(t testing.TB, tab plugin.Table) *plugin.Table {
	t.Helper()
	made, err := plugin.NewTable(tab)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// printed prints the rows of a builder with their kinds.
func printed(b *column.Builder) []string {
	batch := b.Batch()
	defer batch.Release()
	var list []string
	for i := range batch.Len() {
		texts := []string{batch.Kind(i).String()}
		for j, c := range batch.Table.Columns {
			v := column.Value(batch.Rows.Column(j), c.Type, i)
			if v == nil {
				v = "NULL"
			}
			texts = append(texts, fmt.Sprint(v))
		}
		list = append(list, strings.Join(texts, "|"))
	}
	return list
}

func builder(tab *plugin.Table) *column.Builder {
	return column.NewBuilder(tab, memory.DefaultAllocator)
}

func diff(t testing.TB, want, got any, opts ...cmp.Option) {
	t.Helper()
	if d := cmp.Diff(want, got, opts...); d != "" {
		t.Error(d)
	}
}
