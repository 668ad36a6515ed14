package binlog

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// rowsOf decodes all rows of a table that a stream has, with their kinds.
func (f *fixture) rowsOf(t testing.TB, s *Stream, table string, o DecoderOptions) []string {
	t.Helper()
	tab, _ := f.snapshot(t, table, nil)
	b := builder(tab)
	var list []string
	decoders := map[*TableMap]*Decoder{}
	f.eachRows(t, s, table, func(r Rows) {
		d := decoders[r.Map]
		if d == nil {
			var err error
			if d, err = NewDecoder(r.Map, f.columns(t, table), tab, o); err != nil {
				t.Fatal(err)
			}
			d.Bind(b)
			decoders[r.Map] = d
		}
		if err := d.Open(r); err != nil {
			t.Fatal(err)
		}
		n := 0
		for d.More() {
			some, err := d.AppendAll()
			if err != nil {
				t.Fatal(err)
			}
			n += some
			if b.Full() {
				list = append(list, printed(b)...)
			}
		}
		if counted, err := r.Count(); err != nil || counted != n {
			t.Errorf("%d rows counted, %d decoded, %v", counted, n, err)
		}
	})
	if len(decoders) > 1 {
		t.Errorf("%d table maps", len(decoders))
	}
	return append(list, printed(b)...)
}

func TestKinds(t *testing.T) {
	f := newFixture(t, "CREATE TABLE a (id INT PRIMARY KEY, v VARCHAR(20))")
	from := f.now(t)
	f.run(t, "INSERT INTO a VALUES (1, 'one'), (2, NULL)", "UPDATE a SET v = CONCAT(id, 'x')",
		"DELETE FROM a WHERE id = 1",
		"UPDATE a SET id = 3")
	diff(t, []string{"+I|1|one", "+I|2|NULL", "-U|1|one", "+U|1|1x", "-U|2|NULL", "+U|2|2x", "-D|1|1x",
		"-U|2|2x", "+U|3|2x"},
		f.rowsOf(t, f.open(t, Options{From: from}), "a", DecoderOptions{}))
	diff(t, []string{"+I|1|one", "+I|2|NULL", "+U|1|1x", "+U|2|2x", "-D|1|1x", "+U|3|2x"},
		f.rowsOf(t, f.open(t, Options{From: from}), "a", DecoderOptions{AfterOnly: true}))
}

// TestBoundaries opens a new stream at each boundary of a log, by position and by GTID: it must give the rest.
func TestBoundaries(t *testing.T) {
	f := newFixture(t, "CREATE TABLE a (id INT PRIMARY KEY, v INT)", "CREATE TABLE m (id INT PRIMARY KEY) ENGINE=MyISAM")
	from := f.now(t)
	f.run(t, "INSERT INTO a VALUES (1, 1)", "BEGIN", "INSERT INTO a VALUES (2, 1)", "UPDATE a SET v = 2", "COMMIT",
		"ALTER TABLE a ADD w INT", "FLUSH BINARY LOGS", "INSERT INTO m VALUES (1)", "BEGIN", "INSERT INTO a VALUES (3, 1, 1)",
		"SAVEPOINT s", "INSERT INTO a VALUES (4, 1, 1)", "ROLLBACK TO s", "COMMIT", "SET SESSION gtid_domain_id = 7",
		"INSERT INTO a VALUES (5, 1, 1)", "SET SESSION gtid_domain_id = 0", "CREATE TABLE b AS SELECT * FROM a",
		"XA START 'x'", "INSERT INTO a VALUES (6, 1, 1)", "XA END 'x'", "XA PREPARE 'x'", "XA COMMIT 'x'", "DROP TABLE b",
		"INSERT INTO a VALUES (8, 1, 1)")
	end := f.now(t)
	summary := func(o Options) ([]string, []Position) {
		s := f.open(t, o)
		var list []string
		var places []Position
		upTo(t, s, end, func(e Event) {
			if e.Type == Heartbeat || e.Type == FormatDescription || e.Type == Rotate || e.Type == MariaGTIDList ||
				e.Type == BinlogCheckpoint {
				return
			}
			text := e.Type.String()
			if e.Type == Query {
				q, err := ParseQuery(e)
				if err != nil {
					t.Fatal(err)
				}
				text = q.Text
			}
			list = append(list, fmt.Sprintf("%s %s %v", s.GTID(), text, s.InTransaction()))
			if !s.InTransaction() {
				places = append(places, s.Boundary())
			}
		})
		if s.InTransaction() {
			t.Error("the log ends in a transaction")
		}
		return list, places
	}
	all, places := summary(Options{From: from})
	if len(places) < 10 {
		t.Fatalf("%d boundaries in %s", len(places), strings.Join(all, "\n"))
	}
	last := places[len(places)-1]
	if last.Compare(end) != 0 || !last.GTIDs.Equal(end.GTIDs) {
		t.Errorf("the last boundary is %s, the log's end %s", last, end)
	}
	if found, err := WithGTIDs(f.Conn, end); err != nil || !found.GTIDs.Equal(end.GTIDs) {
		t.Errorf("the log's end is %s, the server finds %s there, %v", end, found, err)
	}
	for _, p := range places[:len(places)-1] {
		known, err := WithGTIDs(f.Conn, p)
		if err != nil || !known.GTIDs.Equal(p.GTIDs) {
			t.Errorf("at %s the server has the GTIDs %s, %v", p, known.GTIDs, err)
		}
		byFile, _ := summary(Options{From: p})
		byGTID, _ := summary(Options{From: p, ByGTID: true})
		if want := all[len(all)-len(byFile):]; strings.Join(want, "\n") != strings.Join(byFile, "\n") {
			t.Errorf("from %s:\n%s\nwant\n%s", p, strings.Join(byFile, "\n"), strings.Join(want, "\n"))
		}
		diff(t, byFile, byGTID)
	}
	if t.Failed() {
		t.Log(strings.Join(all, "\n"))
	}
}

// TestOldest reads the oldest log and learns the GTIDs from it.
func TestOldest(t *testing.T) {
	f := newFixture(t, "CREATE TABLE a (id INT PRIMARY KEY)")
	oldest, err := Oldest(f.Conn)
	if err != nil {
		t.Fatal(err)
	}
	f.run(t, "INSERT INTO a VALUES (1)")
	end := f.now(t)
	for _, from := range []Position{oldest, {}} {
		s := f.open(t, Options{From: from})
		upTo(t, s, end, func(Event) {})
		if got := s.Boundary(); got.Compare(end) != 0 || !got.GTIDs.Equal(end.GTIDs) {
			t.Errorf("from %s the end is %s, want %s", from, got, end)
		}
	}
}

func TestServerErrors(t *testing.T) {
	f := newFixture(t, "CREATE TABLE a (id INT PRIMARY KEY)", "INSERT INTO a VALUES (1)")
	open := func(o Options) error {
		o.ServerID, o.NonBlocking = rand.Uint32(), true
		s, err := Open(t.Context(), connect(t), o)
		if err != nil {
			return err
		}
		defer s.Close()
		for err == nil {
			_, err = s.Next(t.Context())
		}
		return err
	}
	current := f.now(t)
	mysql, err := ParseGTIDs("3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5")
	if err != nil {
		t.Fatal(err)
	}
	ahead := current
	ahead.Pos += 1 << 30
	future := current.GTIDs.Clone()
	future.maria[0].Number += 1000
	for name, c := range map[string]struct {
		o    Options
		want error
	}{
		"purged file":    {Options{From: Position{File: "binlog.000000", Pos: 4}}, ErrPurged},
		"beyond the end": {Options{From: ahead}, ErrPosition},
		"future gtid":    {Options{From: Position{GTIDs: future}}, ErrPosition},
		"other flavour":  {Options{From: Position{GTIDs: mysql}}, errFlavours},
		"no gtids":       {Options{ByGTID: true}, ErrPosition},
		"4 GiB":          {Options{From: Position{File: "binlog.000001", Pos: 1 << 32}}, ErrPosition},
		"no problem":     {Options{From: current}, io.EOF},
	} {
		t.Run(name, func(t *testing.T) {
			if err := open(c.o); !errors.Is(err, c.want) {
				t.Errorf("error %v, want %v", err, c.want)
			}
		})
	}
}

// TestSameServerID opens two streams with one server id: the first one must learn why it ends.
func TestSameServerID(t *testing.T) {
	f := newFixture(t, "CREATE TABLE a (id INT PRIMARY KEY)")
	o := Options{ServerID: rand.Uint32(), From: f.now(t)}
	first, err := Open(t.Context(), connect(t), o)
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	drain(t, first)
	second, err := Open(t.Context(), connect(t), o)
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	f.run(t, "INSERT INTO a VALUES (1)")
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for err == nil {
		_, err = first.Next(ctx)
	}
	if !errors.Is(err, ErrServerID) {
		t.Errorf("error %v, want %v", err, ErrServerID)
	}
}

// drain reads what is there.
func drain(t *testing.T, s *Stream) {
	t.Helper()
	for {
		ready, err := s.Wait(t.Context(), nil, 200*time.Millisecond)
		if err != nil {
			t.Fatal(err)
		}
		if !ready {
			return
		}
		if _, err := s.Next(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

// TestWaiting covers the ways in which a wait ends.
func TestWaiting(t *testing.T) {
	f := newFixture(t, "CREATE TABLE a (id INT PRIMARY KEY)")
	s, err := Open(t.Context(), connect(t), Options{ServerID: rand.Uint32(), From: f.now(t), Heartbeat: 30 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	drain(t, s)
	wake := make(chan struct{})
	go func() { close(wake) }()
	for ready := true; ready; { // other clients may write too
		if ready, err = s.Wait(t.Context(), wake, 0); err == nil && ready {
			_, err = s.Next(t.Context())
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	go cancel()
	for err == nil {
		_, err = s.Next(ctx)
	}
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	f.run(t, "INSERT INTO a VALUES (1)")
	for found := false; !found; {
		if ready, err := s.Wait(t.Context(), nil, 10*time.Second); !ready || err != nil {
			t.Fatalf("an event gives %v, %v", ready, err)
		}
		e, err := s.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		found = e.Type == TableMapEvent && bytes.Contains(e.Body, []byte(f.name))
	}
}

// TestHeartbeats waits while nothing changes.
func TestHeartbeats(t *testing.T) {
	f := newFixture(t)
	s, err := Open(t.Context(), connect(t), Options{ServerID: rand.Uint32(), From: f.now(t),
		Heartbeat: 50 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for beats := 0; beats < 3; {
		e, err := s.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if e.Type == Heartbeat {
			beats++
		}
	}
}

// TestLong has rows and events above the sizes of packets and of the buffer.
func TestLong(t *testing.T) {
	f := newFixture(t, "CREATE TABLE a (id INT PRIMARY KEY, v LONGTEXT)")
	from := f.now(t)
	sizes := []int{100, 300 << 10, 1<<24 - 40, 40 << 20, 5}
	for i, n := range sizes {
		f.run(t, fmt.Sprintf("INSERT INTO a VALUES (%d, REPEAT('%c', %d))", i, 'a'+i, n))
	}
	got := f.rowsOf(t, f.open(t, Options{From: from}), "a", DecoderOptions{})
	for i, n := range sizes {
		want := fmt.Sprintf("+I|%d|%s", i, bytes.Repeat([]byte{'a' + byte(i)}, n))
		if got[i] != want {
			t.Errorf("row %d has %d bytes, want %d", i, len(got[i]), len(want))
		}
	}
}

// TestCompressed reads what MariaDB compresses: statements and rows of all three kinds.
func TestCompressed(t *testing.T) {
	f := newFixture(t, "CREATE TABLE a (id INT PRIMARY KEY, v TEXT)",
		"SET GLOBAL log_bin_compress = 1, GLOBAL log_bin_compress_min_len = 10")
	t.Cleanup(func() { f.run(t, "SET GLOBAL log_bin_compress = 0, GLOBAL log_bin_compress_min_len = 256") })
	from := f.now(t)
	long := strings.Repeat("long ", 200)
	f.run(t, "INSERT INTO a VALUES (1, '"+long+"')", "UPDATE a SET v = CONCAT(v, 'er')", "DELETE FROM a",
		"CREATE TABLE b (id INT) COMMENT '"+long+"'")
	diff(t, []string{"+I|1|" + long, "-U|1|" + long, "+U|1|" + long + "er", "-D|1|" + long + "er"},
		f.rowsOf(t, f.open(t, Options{From: from}), "a", DecoderOptions{}))
	found := false
	f.eachRows(t, f.open(t, Options{From: from}), "a", func(r Rows) {
		if len(r.data) < len(long) {
			t.Errorf("the rows have %d bytes", len(r.data))
		}
	})
	each(t, f.open(t, Options{From: from}), func(e Event) {
		if e.Type != Query {
			return
		}
		q, err := ParseQuery(e)
		if err != nil {
			t.Fatal(err)
		}
		if q.Schema == f.name && strings.HasSuffix(q.Text, long+"'") {
			found = true
			if int(e.size) > len(e.Body) {
				t.Errorf("the statement has %d bytes in the log: it is not compressed", e.size)
			}
		}
	})
	if !found {
		t.Error("the compressed statement is not there")
	}
}

// TestStatements asks for the texts of the statements that change rows.
func TestStatements(t *testing.T) {
	f := newFixture(t, "CREATE TABLE a (id INT PRIMARY KEY)", "SET SESSION binlog_annotate_row_events = 1")
	from := f.now(t)
	sql := "INSERT INTO a VALUES (1) /* é " + f.name + " */"
	f.run(t, sql)
	var texts []string
	each(t, f.open(t, Options{From: from, Statements: true}), func(e Event) {
		if e.Type == AnnotateRows {
			text, err := ParseRowsQuery(e)
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(text, f.name) {
				texts = append(texts, text)
			}
		}
	})
	diff(t, []string{sql}, texts)
}

// TestQueryText reads statements of sessions with other character sets and modes.
func TestQueryText(t *testing.T) {
	f := newFixture(t)
	from := f.now(t)
	f.run(t, "SET NAMES latin1", "CREATE TABLE a (id INT) COMMENT 'd\xe9j\xe0'", "SET NAMES utf8mb4",
		"SET SESSION sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES'", `CREATE TABLE "b" (id INT) COMMENT 'ü\'`)
	var got []QueryText
	each(t, f.open(t, Options{From: from}), func(e Event) {
		if e.Type != Query {
			return
		}
		q, err := ParseQuery(e)
		if err != nil {
			t.Fatal(err)
		}
		if q.Schema == f.name {
			got = append(got, q)
		}
	})
	if len(got) != 2 {
		t.Fatalf("%d statements", len(got))
	}
	diff(t, "CREATE TABLE a (id INT) COMMENT 'déjà'", got[0].Text)
	diff(t, `CREATE TABLE "b" (id INT) COMMENT 'ü\'`, got[1].Text)
	if got[0].ANSIQuotes() || got[0].NoBackslash() || !got[1].ANSIQuotes() || !got[1].NoBackslash() {
		t.Errorf("modes %x and %x", got[0].SQLMode, got[1].SQLMode)
	}
}

// TestImages reads rows that lack columns.
func TestImages(t *testing.T) {
	f := newFixture(t, "CREATE TABLE a (id INT PRIMARY KEY, v INT, w TEXT, x VARCHAR(5) NOT NULL DEFAULT 'd')",
		"INSERT INTO a VALUES (1, 10, 'ten', 'x'), (2, 20, 'twenty', 'y')")
	for _, c := range []struct {
		image string
		o     DecoderOptions
		want  []string
	}{
		{"MINIMAL", DecoderOptions{Missing: MissingIsNull}, []string{
			"-U|1|NULL|NULL|NULL", "+U|NULL|11|NULL|NULL", "-D|2|NULL|NULL|NULL", "+I|3|NULL|three|NULL"}},
		{"MINIMAL", DecoderOptions{Missing: MissingIsOther}, []string{
			"-U|1|11|NULL|NULL", "+U|1|11|NULL|NULL", "-D|2|NULL|NULL|NULL", "+I|3|NULL|three|NULL"}},
		{"NOBLOB", DecoderOptions{Missing: MissingIsOther, AfterOnly: true}, []string{
			"+U|1|11|NULL|x", "-D|2|20|NULL|y", "+I|3|NULL|three|d"}},
		{"FULL", DecoderOptions{}, []string{
			"-U|1|10|ten|x", "+U|1|11|ten|x", "-D|2|20|twenty|y", "+I|3|NULL|three|d"}},
	} {
		t.Run(c.image, func(t *testing.T) {
			f.run(t, "SET SESSION binlog_row_image = "+c.image)
			from := f.now(t)
			f.run(t, "UPDATE a SET v = 11 WHERE id = 1", "DELETE FROM a WHERE id = 2",
				"INSERT INTO a (id, w) VALUES (3, 'three')")
			diff(t, c.want, f.rowsOf(t, f.open(t, Options{From: from}), "a", c.o))
			f.run(t, "SET SESSION sql_log_bin = 0", "UPDATE a SET v = 10 WHERE id = 1", "DELETE FROM a WHERE id = 3",
				"INSERT INTO a VALUES (2, 20, 'twenty', 'y')", "SET SESSION sql_log_bin = 1")
		})
	}
}

// TestKeys reads values of rows before they are taken, and takes some.
func TestKeys(t *testing.T) {
	f := newFixture(t, everyType)
	from := f.now(t)
	f.run(t, everyValue...)
	stmt, err := f.Prepare("SELECT * FROM a ORDER BY id")
	if err != nil {
		t.Fatal(err)
	}
	if err := stmt.Close(); err != nil {
		t.Fatal(err)
	}
	want, err := f.Rows("SELECT * FROM a ORDER BY id")
	if err != nil {
		t.Fatal(err)
	}
	loc, err := Zone("UTC")
	if err != nil {
		t.Fatal(err)
	}
	tab, _ := f.snapshot(t, "a", nil)
	n := 0
	var v Value
	f.eachRows(t, f.open(t, Options{From: from}), "a", func(r Rows) {
		d, err := NewDecoder(r.Map, f.columns(t, "a"), tab, DecoderOptions{Zone: loc})
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Open(r); err != nil {
			t.Fatal(err)
		}
		for d.More() {
			for i, c := range stmt.Columns {
				if err := d.Key(i, Before, &v); err != nil {
					t.Fatal(err)
				}
				if got := v.Any(); fmt.Sprintf("%T %v", got, got) != fmt.Sprintf("%T %v", want[n][i], want[n][i]) {
					t.Errorf("row %d, column %s is %T %.40v, want %T %.40v", n, c.Name, got, got, want[n][i], want[n][i])
				}
			}
			if err := d.Skip(); err != nil {
				t.Fatal(err)
			}
			n++
		}
	})
	if n != len(want) {
		t.Errorf("%d rows, want %d", n, len(want))
	}
}
