package postgrescdc_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/hashicorp/go-hclog"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/config"
	"github.com/culvertdata/culvert/plugin/config/hocon"
	"github.com/culvertdata/culvert/plugin/internal/dbtest"
	"github.com/culvertdata/culvert/plugin/jdbc"
	"github.com/culvertdata/culvert/plugin/jdbc/postgres"
	"github.com/culvertdata/culvert/plugin/postgrescdc"
	"github.com/culvertdata/culvert/plugin/postgrescdc/internal/pgoutput"
)

// benchRows is how many changes a backlog has.
const benchRows = 400000

// BenchmarkDecode reads a backlog of eight mixed columns, once with the reader, and once with a bare receiver that
// drops the messages, which is the limit:
//
//	go test -run - -bench Decode -benchtime 3x ./plugin/postgrescdc/
func BenchmarkDecode(b *testing.B) {
	for _, size := range []int{benchRows, 100, 1} {
		b.Run(fmt.Sprintf("rows=%d", size), func(b *testing.B) {
			rows := benchRows
			if size == 1 {
				rows /= 4
			}
			s := backlog(b, rows, size)
			b.Run("bare", func(b *testing.B) { perRow(b, s, rows, func() { receiveBare(b, s, rows) }) })
			b.Run("culvert", func(b *testing.B) { perRow(b, s, rows, func() { readStream(b, s, rows) }) })
		})
	}
}

// perRow measures rows per second, and this process's time for each.
func perRow(b *testing.B, s *server, rows int, do func()) {
	dbtest.Operation{Rows: rows, Before: s.released, Do: do}.Measure(b)
}

// backlog makes a slot, and changes behind it in transactions of some rows.
func backlog(b *testing.B, rows, size int) *server {
	s := newServer(b,
		`CREATE TABLE a (id bigint PRIMARY KEY, n int, name text, note text, score float8, amount numeric(12,2),
		at timestamp, ok boolean)`)
	s.exec("CREATE PUBLICATION "+s.slot()+" FOR TABLE a",
		"SELECT pg_create_logical_replication_slot('"+s.slot()+"', 'pgoutput')",
		"SET synchronous_commit = off")
	s.exec(fmt.Sprintf(`SET synchronous_commit = off; CREATE PROCEDURE fill() LANGUAGE plpgsql AS $$ BEGIN
		FOR i IN 0..%d LOOP
			INSERT INTO a SELECT n, n, 'name ' || n, 'a note of some length, number ' || n, n / 3.0, n / 100.0,
				timestamp '2024-01-01' + n * interval '1 second', n %% 2 = 0 FROM generate_series(i * %d + 1, (i + 1) * %d) n;
			COMMIT;
		END LOOP; END $$`, rows/size-1, size, size), "SET synchronous_commit = off; ", "CALL fill()", "CHECKPOINT")
	return s
}

func (s *server) bare(tb testing.TB) *postgres.Server {
	server, err := postgres.NewServer(jdbc.Connection{URL: s.URL, User: s.User, Password: s.Password,
		Timeout: patience})
	if err != nil {
		tb.Fatal(err)
	}
	return server
}

// receiveBare receives the messages of all rows and drops them.
func receiveBare(b *testing.B, s *server, rows int) {
	ctx := b.Context()
	c, err := s.bare(b).Replication(ctx)
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	err = c.Send(fmt.Sprintf("START_REPLICATION SLOT %s LOGICAL 0/0 (proto_version '1', publication_names '%s', "+
		"binary 'true')",
		s.slot(), s.slot()))
	if err != nil {
		b.Fatal(err)
	}
	if _, err := c.Conn().ReceiveMessage(ctx); err != nil {
		b.Fatal(err)
	}
	for rows > 0 {
		body, ok, err := c.CopyData()
		if err != nil || !ok {
			b.Fatal(ok, err)
		}
		if len(body) > 25 && body[0] == pgoutput.Data && body[25] == pgoutput.KindInsert {
			rows--
		}
	}
}

// readStream decodes all rows with the source's reader.
func readStream(b *testing.B, s *server, rows int) {
	source := openSource(b, s, "startup.mode = earliest")
	splits, err := source.Splits(b.Context(), nil)
	if err != nil {
		b.Fatal(err)
	}
	defer splits.Close()
	made, err := splits.Next(b.Context()) // the slot
	if err == nil {
		err = splits.Done(made[0], nil)
	}
	if err == nil {
		made, err = splits.Next(b.Context())
	}
	if err != nil {
		b.Fatal(err)
	}
	r, err := source.Reader(b.Context(), plugin.Task{Env: env()})
	if err != nil {
		b.Fatal(err)
	}
	defer r.Close()
	if err := r.Open(b.Context(), made[0]); err != nil {
		b.Fatal(err)
	}
	out := &counter{}
	for out.rows < rows {
		if err := r.Read(b.Context(), out); err != nil {
			b.Fatal(err)
		}
	}
}

// counter is an Out that counts rows.
type counter struct{ rows int }

func (c *counter) Batch(b plugin.Batch) error {
	c.rows += b.Len()
	b.Release()
	return nil
}

func (c *counter) Row(*plugin.Table, plugin.RowKind, ...any) error { return errors.ErrUnsupported }
func (c *counter) Change(plugin.SchemaChange) error                { return errors.ErrUnsupported }
func (c *counter) Full() bool                                      { return false }
func (c *counter) Wake() <-chan struct{}                           { return nil }

func env() plugin.Env {
	return plugin.Env{
		Job: plugin.Job{ID: 7, Name: "test", Mode: plugin.Unbounded}, Vertex: "Source[0]-Postgres-CDC", Parallelism: 1,
		Logger: hclog.NewNullLogger(), Alloc: memory.DefaultAllocator, Now: time.Now,
	}
}

// options are the options of the source for table a.
func (s *server) options(tb testing.TB, more string, tables ...string) config.Value {
	if len(tables) == 0 {
		tables = []string{"a"}
	}
	o, _ := parse(tb, s.source(more, tables...)).Get("Postgres-CDC")
	return o
}

func parse(tb testing.TB, text string) config.Value {
	v, err := hocon.Parse([]byte(text), hocon.Options{})
	if err != nil {
		tb.Fatal(err)
	}
	return v
}

func value(text string) config.Value { return config.TextValue(text) }

func lookup(tb testing.TB) plugin.Plugin {
	p, ok := plugin.NewRegistry(postgrescdc.Plugins).Lookup(plugin.SourceRole, "postgres-cdc")
	if !ok {
		tb.Fatal("no source is named Postgres-CDC")
	}
	return p
}

func openSource(tb testing.TB, s *server, more string, tables ...string) plugin.Source {
	source, err := lookup(tb).Source(tb.Context(), s.options(tb, more, tables...), env())
	if err != nil {
		tb.Fatal(err)
	}
	return source
}

// BenchmarkSnapshot reads a table of eight mixed columns chunk by chunk in one lane, with this source and with the Jdbc
// source:
//
//	go test -run - -bench Snapshot -benchtime 3x ./plugin/postgrescdc/
func BenchmarkSnapshot(b *testing.B) {
	const rows = 2_000_000
	s := newServer(b,
		`CREATE TABLE a (id bigint PRIMARY KEY, n int, name text, note text, score float8, amount numeric(12,2),
		at timestamp, ok boolean)`,
		fmt.Sprintf(`INSERT INTO a SELECT n, n, 'name ' || n, 'a note of some length, number ' || n, n / 3.0,
			n / 100.0, timestamp '2024-01-01' + n * interval '1 second', n %% 2 = 0 FROM generate_series(1, %d) n`, rows),
		"VACUUM ANALYZE a")
	jdbcSource := func() plugin.Source {
		p, _ := plugin.NewRegistry(postgres.Plugins).Lookup(plugin.SourceRole, "jdbc")
		o := parse(b, fmt.Sprintf("url = %q, user = %q, password = %q, table_path = public.a", s.URL, s.User, s.Password))
		source, err := p.Source(b.Context(), o, env())
		if err != nil {
			b.Fatal(err)
		}
		return source
	}
	for name, open := range map[string]func() plugin.Source{
		"jdbc": jdbcSource, "culvert": func() plugin.Source { return openSource(b, s, "") },
	} {
		b.Run(name, func(b *testing.B) { perRow(b, s, rows, func() { readChunks(b, s, open(), rows) }) })
	}
}

// readChunks reads all chunks of a source with one reader.
func readChunks(b *testing.B, s *server, source plugin.Source, rows int) {
	splitter, err := source.Splits(b.Context(), nil)
	if err != nil {
		b.Fatal(err)
	}
	defer s.dropSlots()
	defer splitter.Close()
	r, err := source.Reader(b.Context(), plugin.Task{Env: env()})
	if err != nil {
		b.Fatal(err)
	}
	defer r.Close()
	out := &counter{}
	for out.rows < rows {
		splits, err := splitter.Next(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		for _, split := range splits {
			if err := r.Open(b.Context(), split); err != nil {
				b.Fatal(err)
			}
			for err = nil; err == nil; {
				err = r.Read(b.Context(), out)
			}
			result, _ := r.Position()
			if err := splitter.Done(split, result); err != nil {
				b.Fatal(err)
			}
		}
	}
}
