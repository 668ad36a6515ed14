package clickhouse_test

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/internal/dbtest"
	"github.com/culvertdata/culvert/plugin/plugintest"
)

// proxy passes connections on to a server and breaks those with an INSERT as told.
type proxy struct {
	listener net.Listener
	target   string
	// request and answer are how many bytes of the next insert's request and answer pass; -1: all.
	request, answer int
	faults          atomic.Int32 // how many inserts are still to be broken
	passed          atomic.Int64 // bytes in both directions
	done            sync.WaitGroup
}

func newProxy(t testing.TB, target string, faults int32, request, answer int) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return newProxyOn(t, l, target, faults, request, answer)
}

// newProxyOn makes a proxy of a listener.
func newProxyOn(t testing.TB, l net.Listener, target string, faults int32, request, answer int) *proxy {
	p := &proxy{listener: l, target: target, request: request, answer: answer}
	p.faults.Store(faults)
	p.done.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			p.done.Go(func() { p.serve(c) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		p.done.Wait()
	})
	return p
}

func (p *proxy) serve(c net.Conn) {
	defer func() { _ = c.Close() }()
	s, err := net.Dial("tcp", p.target)
	if err != nil {
		return
	}
	defer func() { _ = s.Close() }()
	var broken atomic.Bool
	var back sync.WaitGroup
	back.Go(func() {
		defer func() { _ = c.Close() }()
		buf := make([]byte, 64<<10)
		for {
			n, err := s.Read(buf)
			p.passed.Add(int64(n))
			if broken.Load() && p.answer >= 0 {
				_, _ = c.Write(buf[:min(n, p.answer)])
				return
			}
			if _, werr := c.Write(buf[:n]); err != nil || werr != nil {
				return
			}
		}
	})
	buf := make([]byte, 64<<10)
	for left := p.request; ; {
		n, err := c.Read(buf)
		p.passed.Add(int64(n))
		part := buf[:n]
		if bytes.Contains(part, []byte("INSERT")) || bytes.Contains(part, []byte("numbers(")) {
			broken.Store(p.faults.Add(-1) >= 0)
		}
		if broken.Load() && p.request >= 0 {
			part = part[:min(n, left)]
			left -= len(part)
		}
		if _, werr := s.Write(part); err != nil || werr != nil || len(part) < n {
			break
		}
	}
	_ = s.(*net.TCPConn).CloseWrite()
	back.Wait()
}

// TestCutInserts breaks inserts at several places: what is sent again is not there twice, what fails says so.
func TestCutInserts(t *testing.T) {
	cases := []struct {
		name            string
		engine          string
		request, answer int
		fails           bool
		rows            []string // any of these
	}{
		{"replacing, request cut", "ReplacingMergeTree ORDER BY id", 600, -1, false, []string{"100"}},
		{"replacing, answer cut", "ReplacingMergeTree ORDER BY id", -1, 0, false, []string{"100"}},
		{"plain, request cut", "MergeTree ORDER BY id", 600, -1, true, []string{"0"}},
		{"plain, answer cut", "MergeTree ORDER BY id", -1, 0, true, []string{"100", "0"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			d := newDB(t)
			d.exec("CREATE TABLE @.people (id Int64, name String) ENGINE = " + c.engine)
			p := newProxy(t, d.host, 1, c.request, c.answer)
			table := idName(t)
			w := newWriter(t, d.options("host", p.listener.Addr().String(), "primary_key", "id"), table)
			var rows [][]any
			for i := range 100 {
				rows = append(rows, []any{i, strings.Repeat("x", 100)})
			}
			err := write(t, w, batchOf(t, table, rows...))
			var e *plugin.Error
			if c.fails && (!errors.As(err, &e) || !e.Retry || e.Code != plugin.CodeUnavailable || e.Table.Name != "people") {
				t.Errorf("got error %v, want one that a retry may help", err)
			}
			if !c.fails && err != nil {
				t.Fatal(err)
			}
			final := ""
			if !c.fails {
				final = " FINAL"
			}
			got := d.query("SELECT count() FROM @.people" + final)
			if got != c.rows[0] && got != c.rows[len(c.rows)-1] {
				t.Errorf("%s rows, want %s", got, strings.Join(c.rows, " or "))
			}
		})
	}
}

// TestHosts goes on to the next host if one does not answer.
func TestHosts(t *testing.T) {
	d := newDB(t)
	table := idName(t)
	w := newWriter(t, d.options("host", "127.0.0.1:1, "+d.host), table)
	if err := write(t, w, batchOf(t, table, []any{1, "a"})); err != nil {
		t.Fatal(err)
	}
	if got := d.query("SELECT count() FROM @.people"); got != "1" {
		t.Errorf("%s rows, want 1", got)
	}
}

// TestCutResult reads a result that breaks off: it must not be taken for a short one.
func TestCutResult(t *testing.T) {
	d := newDB(t)
	for _, after := range []int{0, 10, 1000, 50_000} {
		p := newProxy(t, d.host, 100, -1, after)
		o := d.options("host", p.listener.Addr().String(), "sql", "SELECT number FROM numbers(1000000)")
		_, err := readAll(t.Context(), lookup(t, plugin.SourceRole), o)
		var e *plugin.Error
		if !errors.As(err, &e) || !e.Retry {
			t.Errorf("cut after %d bytes: got error %v, want one that a retry may help", after, err)
		}
	}
}

// TestException reads a result that the server gives up half-way.
func TestException(t *testing.T) {
	d := newDB(t)
	o := d.options("sql", "SELECT throwIf(number = 150000) FROM numbers(1000000)")
	out, err := readAll(t.Context(), lookup(t, plugin.SourceRole), o)
	var e *plugin.Error
	if !errors.As(err, &e) || !strings.Contains(err.Error(), "code 395") {
		t.Errorf("got %v and rows %v, want the server's exception", err, out != nil)
	}
}

// TestResumeElsewhere resumes a query whose rows have changed meanwhile.
func TestResumeElsewhere(t *testing.T) {
	d := newDB(t)
	d.exec("CREATE TABLE @.a (id Int64) ENGINE = MergeTree ORDER BY id", "INSERT INTO @.a SELECT number FROM numbers(100)")
	s, err := lookup(t, plugin.SourceRole).Source(t.Context(), d.options("sql", "SELECT id FROM a ORDER BY id",
		"clickhouse.config", plugintest.Options("max_block_size", "10")), env())
	if err != nil {
		t.Fatal(err)
	}
	r, err := s.Reader(t.Context(), plugin.Task{Env: env()})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	if err := r.Open(t.Context(), plugin.Split{ID: "query"}); err != nil {
		t.Fatal(err)
	}
	out := &values{wake: make(chan struct{})}
	if err := r.Read(t.Context(), out); err != nil {
		t.Fatal(err)
	}
	position, err := r.Position()
	if err != nil {
		t.Fatal(err)
	}
	d.exec("INSERT INTO @.a VALUES (-1)")
	if err := r.Open(t.Context(), plugin.Split{ID: "query", State: position}); err != nil {
		t.Fatal(err)
	}
	err = r.Read(t.Context(), out)
	if err == nil || !strings.Contains(err.Error(), "cannot be resumed after row 10") {
		t.Errorf("got %v, want an error that the query cannot be resumed", err)
	}
}

// TestServerKilled kills the server while rows are written: the writer fails, and a new one goes on. Only with a server
// of its own, since other tests may use the common one.
func TestServerKilled(t *testing.T) {
	service := dbtest.StartService(t, dbtest.ClickHouseVariable)
	d := &db{t: t, host: service.URL, name: "killed"}
	d.exec("CREATE DATABASE @", "CREATE TABLE @.people (id Int64, name String) ENGINE = ReplacingMergeTree ORDER BY id")
	table := idName(t)
	w := newWriter(t, d.options("primary_key", "id"), table)
	for round := range 3 {
		var rows [][]any
		for i := range 1000 {
			rows = append(rows, []any{1000*round + i, fmt.Sprint(i)})
		}
		service.Kill()
		err := write(t, w, batchOf(t, table, rows...))
		var e *plugin.Error
		if !errors.As(err, &e) || !e.Retry {
			t.Fatalf("got error %v, want one that a retry may help", err)
		}
		service.Restart()
		w = newWriter(t, d.options("primary_key", "id"), table)
		if err := write(t, w, batchOf(t, table, rows...)); err != nil {
			t.Fatal(err)
		}
		if got, want := d.query("SELECT count(), uniqExact(id) FROM @.people FINAL"),
			fmt.Sprint(1000*(round+1)); got != want+"\t"+want {
			t.Errorf("round %d: %s rows, want %s", round, got, want)
		}
	}
}

// TestTokens breaks the answers of inserts into a table without a key: the table has them once, because it remembers
// their tokens.
func TestTokens(t *testing.T) {
	d := newDB(t)
	if os.Getenv(newServer) == "" {
		t.Skip("needs a server of today")
	}
	p := newProxy(t, d.host, 3, -1, 0)
	table := tableOf(t, "people", nil, col("id", plugin.TypeOf(plugin.BigInt)))
	w := newWriter(t, d.options("host", p.listener.Addr().String(), "bulk_size", 10), table)
	for i := range 20 { // equal inserts are not taken for one
		if err := write(t, w, batchOf(t, table, []any{i / 2})); err != nil {
			t.Fatal(err)
		}
	}
	if got := d.query("SELECT count(), sum(id) FROM @.people"); got != "20\t90" {
		t.Errorf("%s rows and their sum, want 20 and 90", got)
	}
	if left := p.faults.Load(); left > 0 {
		t.Errorf("%d faults did not happen", left)
	}
}

// TestServerKilledWithin kills the server while it takes an insert, and starts it again: the writer goes on by itself,
// and no row is lost or doubled. Today's servers know the tokens of inserts, the old one replaces rows by key.
func TestServerKilledWithin(t *testing.T) {
	service := dbtest.StartService(t, dbtest.ClickHouseVariable)
	d := &db{t: t, host: service.URL, name: "killed"}
	d.exec("CREATE DATABASE @")
	table, key, count := idName(t), "id", "SELECT count(), uniqExact(id) FROM @.people FINAL"
	if os.Getenv(newServer) != "" {
		table = tableOf(t, "people", nil, table.Columns...)
		key, count = "", "SELECT count(), uniqExact(id) FROM @.people"
	}
	w := newWriter(t, d.options("primary_key", key, "bulk_size", 100_000), table)
	if err := write(t, w, batchOf(t, table, []any{-1, ""})); err != nil { // it knows the table from then on
		t.Fatal(err)
	}
	const rows, rounds = 100_000, 4
	for round := range rounds {
		var batches []plugin.Batch
		for from := 0; from < rows; from += 10_000 {
			var values [][]any
			for i := range 10_000 {
				values = append(values, []any{round*rows + from + i, strings.Repeat("x", 50)})
			}
			batches = append(batches, batchOf(t, table, values...))
		}
		written := make(chan error, 1)
		go func() { written <- write(t, w, batches...) }()
		timer := time.NewTimer(time.Duration(5+10*round) * time.Millisecond)
		<-timer.C
		service.Kill()
		service.Restart()
		if err := <-written; err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
	}
	if got, want := d.query(count), fmt.Sprintf("%d\t%[1]d", rounds*rows+1); got != want {
		t.Errorf("%s rows, want %s", got, want)
	}
}
