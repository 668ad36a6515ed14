package postgrescdc_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/column"
)

// follower reads the stream of a source without an engine, and keeps the rows.
type follower struct {
	t      *testing.T
	s      *server
	splits plugin.Splitter
	reader plugin.Reader
	rows   []string
	oldest int64 // event time of the first batch
	full   bool  // Read returns after each message
}

// follow starts a source at the end of the log.
func follow(t *testing.T, s *server, more string, tables ...string) *follower {
	t.Helper()
	f, made := begin(t, s, "startup.mode = latest, "+more, tables...)
	if err := f.reader.Open(t.Context(), made[0]); err != nil {
		t.Fatal(err)
	}
	return f
}

// begin starts a source and returns the splits that come after the slot's.
func begin(t *testing.T, s *server, more string, tables ...string) (*follower, []plugin.Split) {
	t.Helper()
	f, slot := beginSlot(t, s, more, tables...)
	err := f.splits.Done(slot, nil)
	var made []plugin.Split
	if err == nil {
		made, err = f.splits.Next(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	return f, made
}

// beginSlot starts a source and returns the slot's split, which is not done.
func beginSlot(t *testing.T, s *server, more string, tables ...string) (*follower, plugin.Split) {
	t.Helper()
	return beginSource(t, s, openSource(t, s, more, tables...))
}

func beginSource(t *testing.T, s *server, source plugin.Source) (*follower, plugin.Split) {
	t.Helper()
	splits, err := source.Splits(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { splits.Close() })
	made, err := splits.Next(t.Context())
	f := &follower{t: t, s: s, splits: splits}
	if err == nil {
		f.reader, err = source.Reader(t.Context(), plugin.Task{Env: env()})
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.reader.Close() })
	return f, made[0]
}

// want reads until as many rows have come, and compares them.
func (f *follower) want(rows ...string) {
	f.t.Helper()
	for end := time.Now().Add(patience); len(f.rows) < len(rows); {
		if err := f.reader.Read(f.t.Context(), f); err != nil {
			f.t.Fatal(err)
		}
		if time.Now().After(end) {
			break
		}
	}
	if d := cmp.Diff(rows, f.rows); d != "" {
		f.t.Error(d)
	}
	f.rows = nil
}

// fails reads until an error comes.
func (f *follower) fails(want string) {
	f.t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); {
		if err := f.reader.Read(f.t.Context(), f); err != nil {
			if !strings.Contains(err.Error(), want) {
				f.t.Errorf("got %v, want a text with %q", err, want)
			}
			return
		}
	}
	f.t.Errorf("no error comes; want a text with %q", want)
}

func (f *follower) Batch(b plugin.Batch) error {
	defer b.Release()
	if f.oldest == 0 {
		f.oldest = b.EventTime
	}
	for i := range b.Len() {
		texts := make([]string, len(b.Table.Columns))
		for j, col := range b.Table.Columns {
			texts[j] = fmt.Sprint(column.Value(b.Rows.Column(j), col.Type, i))
			if len(texts[j]) > 40 {
				texts[j] = fmt.Sprintf("%s*%d", texts[j][:2], len(texts[j]))
			}
		}
		f.rows = append(f.rows, b.Kind(i).String()+" "+strings.Join(texts, "|"))
	}
	return nil
}

func (f *follower) Row(*plugin.Table, plugin.RowKind, ...any) error { return errors.ErrUnsupported }
func (f *follower) Full() bool                                      { return f.full }
func (f *follower) Wake() <-chan struct{}                           { return nil }

func (f *follower) Change(c plugin.SchemaChange) error {
	f.rows = append(f.rows, "= "+strings.Join(c.New.Names(), "|"))
	return nil
}

// TestKinds checks what becomes of each kind of change, for each replica identity.
func TestKinds(t *testing.T) {
	s := newServer(t, "CREATE TABLE a (id int PRIMARY KEY, u int NOT NULL UNIQUE, v text)")
	f := follow(t, s, "", "a")
	before := time.Now().Add(-time.Second)
	s.exec("INSERT INTO a VALUES (1, 10, 'x')", "UPDATE a SET v = 'y'", "UPDATE a SET id = 2", "DELETE FROM a")
	f.want("+I 1|10|x", "+U 1|10|y", "-D 1|<nil>|<nil>", "+I 2|10|y", "-D 2|<nil>|<nil>")
	if at := time.UnixMilli(f.oldest); at.Before(before) || at.After(time.Now().Add(time.Second)) {
		t.Errorf("event time %v", at)
	}
	s.exec("ALTER TABLE a REPLICA IDENTITY FULL")
	s.exec("INSERT INTO a VALUES (1, 10, 'x')", "UPDATE a SET v = 'y'", "UPDATE a SET id = 2", "DELETE FROM a")
	f.want("+I 1|10|x", "-U 1|10|x", "+U 1|10|y", "-D 1|10|y", "+I 2|10|y", "-D 2|10|y")
	s.exec("ALTER TABLE a REPLICA IDENTITY DEFAULT",
		"BEGIN; INSERT INTO a VALUES (3, 30, NULL); SAVEPOINT s; DELETE FROM a; "+
			"ROLLBACK TO s; INSERT INTO a VALUES (4, 40, ''); COMMIT")
	f.want("+I 3|30|<nil>", "+I 4|40|")
	s.exec("TRUNCATE a", "INSERT INTO a VALUES (5, 50, '')")
	f.want("+I 5|50|")
}

// TestIndexIdentity follows a table without a primary key by an index.
func TestIndexIdentity(t *testing.T) {
	s := newServer(t, "CREATE TABLE a (v text, u int NOT NULL UNIQUE)",
		"ALTER TABLE a REPLICA IDENTITY USING INDEX a_u_key")
	f := follow(t, s, "", "a")
	s.exec("INSERT INTO a VALUES ('x', 1)", "UPDATE a SET v = 'y'", "UPDATE a SET u = 2", "DELETE FROM a")
	f.want("+I x|1", "+U y|1", "-D <nil>|1", "+I y|2", "-D <nil>|2")
}

// TestUnchangedValues reads values that the log does not hold back from the table.
func TestUnchangedValues(t *testing.T) {
	s := newServer(t, "CREATE TABLE a (id int PRIMARY KEY, n int, big text, doc jsonb)",
		"ALTER TABLE a ALTER big SET STORAGE EXTERNAL, ALTER doc SET STORAGE EXTERNAL",
		"INSERT INTO a SELECT i, 0, repeat('a', 9000 + i), to_jsonb(repeat('j', 5000 + i)) FROM generate_series(1, 5) i")
	f := follow(t, s, "", "a")
	f.full = true
	s.exec("UPDATE a SET n = 1 WHERE id = 1")
	f.want(`+U 1|1|aa*9001|"j*5003`)
	s.exec("UPDATE a SET n = 2, big = repeat('b', 8000) WHERE id = 1", "UPDATE a SET id = 10 WHERE id = 2")
	f.want(`+U 1|2|bb*8000|"j*5003`, "-D 2|<nil>|<nil>|<nil>", `+I 10|0|aa*9002|"j*5004`)
	// A later change of the value comes early, the update of a row that is gone is left out.
	s.exec("UPDATE a SET n = 3 WHERE id = 3", "UPDATE a SET n = 4 WHERE id = 4", "DELETE FROM a WHERE id = 4",
		"UPDATE a SET big = repeat('c', 7000) WHERE id = 3", "UPDATE a SET id = 11, n = 5 WHERE id = 5",
		"UPDATE a SET big = NULL WHERE id = 11")
	f.want(`+U 3|3|cc*7000|"j*5005`, "-D 4|<nil>|<nil>|<nil>", `+U 3|3|cc*7000|"j*5005`,
		"-D 5|<nil>|<nil>|<nil>", `+I 11|5|<nil>|"j*5007`, `+U 11|5|<nil>|"j*5007`)
	s.exec("ALTER TABLE a REPLICA IDENTITY FULL", "UPDATE a SET n = 9 WHERE id = 1", "DELETE FROM a WHERE id = 1")
	f.want(`-U 1|2|bb*8000|"j*5003`, `+U 1|9|bb*8000|"j*5003`, `-D 1|9|bb*8000|"j*5003`)
}

// TestAlteredWhileCopied alters a table between its chunks: columns are found by their numbers, and a table that was
// written anew is not read in the slot's snapshot, in which it is empty.
func TestAlteredWhileCopied(t *testing.T) {
	s := newServer(t, "CREATE TABLE a (id int PRIMARY KEY, v text, n int, d text)",
		"INSERT INTO a SELECT i, 'v' || i, i, 'd' FROM generate_series(1, 6) i")
	f, chunks := begin(t, s, "snapshot.split.size = 2", "a")
	for i, chunk := range chunks {
		switch i {
		case 1:
			s.exec("ALTER TABLE a RENAME v TO w; ALTER TABLE a RENAME id TO key; ALTER TABLE a ADD v text DEFAULT 'other'")
		case 2:
			s.exec("ALTER TABLE a ALTER n TYPE bigint; ALTER TABLE a DROP d")
		}
		if err := f.reader.Open(t.Context(), chunk); err != nil {
			t.Fatal(err)
		}
		for {
			err := f.reader.Read(t.Context(), f)
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	f.want("+I 1|v1|1|d", "+I 2|v2|2|d", "+I 3|v3|3|d", "+I 4|v4|4|d", "+I 5|v5|5|<nil>", "+I 6|v6|6|<nil>")
}

// TestSpecialValues refuses values without a counterpart, or reads them as null.
func TestSpecialValues(t *testing.T) {
	s := newServer(t, "CREATE TABLE a (id int PRIMARY KEY, d date, n numeric(5,2))")
	f := follow(t, s, "special_values = NULL", "a")
	s.exec("INSERT INTO a VALUES (1, 'infinity', 'NaN'), (2, '2024-01-01', 1)",
		"UPDATE a SET d = '-infinity' WHERE id = 2")
	f.want("+I 1|<nil>|<nil>", "+I 2|2024-01-01 00:00:00 +0000 UTC|1.00", "+U 2|<nil>|1.00")
	f.reader.Close()
	s.released()
	f = follow(t, s, "", "a")
	s.exec("UPDATE a SET n = 'NaN' WHERE id = 2")
	f.fails("row with id = 2")
}

// TestRenamedTable does not lose the changes of a table that has got another name.
func TestRenamedTable(t *testing.T) {
	s := newServer(t, "CREATE TABLE a (id int PRIMARY KEY)")
	f := follow(t, s, "", "a")
	s.exec("INSERT INTO a VALUES (1)", "ALTER TABLE a RENAME TO b", "INSERT INTO b VALUES (2)")
	f.fails("has been renamed to public.b")
}

// TestPositions goes on after every single change, in the middle of transactions, from the position there.
func TestPositions(t *testing.T) {
	s := newServer(t, "CREATE TABLE a (id int PRIMARY KEY)", "CREATE TABLE b (id int PRIMARY KEY)")
	f := follow(t, s, "", "a", "b")
	f.full = true
	source := openSource(t, s, "", "a", "b")
	var want []string
	for i := range 8 {
		s.exec(fmt.Sprintf("BEGIN; INSERT INTO a VALUES (%d); INSERT INTO b VALUES (%d); UPDATE a SET id = %d WHERE id = "+
			"%d; COMMIT",
			i, i+100, i+200, i))
		want = append(want, fmt.Sprintf("+I %d", i), fmt.Sprintf("+I %d", i+100), fmt.Sprintf("-D %d", i),
			fmt.Sprintf("+I %d", i+200))
	}
	var got []string
	for end := time.Now().Add(patience); len(got) < len(want) && time.Now().Before(end); {
		if err := f.reader.Read(t.Context(), f); err != nil {
			t.Fatal(err)
		}
		if len(f.rows) == 0 {
			continue
		}
		got, f.rows = append(got, f.rows...), nil
		position, err := f.reader.Position()
		if err != nil {
			t.Fatal(err)
		}
		if err := f.reader.Close(); err != nil {
			t.Fatal(err)
		}
		if f.reader, err = source.Reader(t.Context(), plugin.Task{Env: env()}); err != nil {
			t.Fatal(err)
		}
		if err := f.reader.Open(t.Context(), plugin.Split{ID: "stream/1", State: position}); err != nil {
			t.Fatal(err)
		}
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}
