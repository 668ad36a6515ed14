package postgrescdc_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/culvertdata/culvert/plugin"
)

// altering alters a table in a transaction that ends when somebody else waits for the table: whoever has looked at its
// columns before that looks at others after it. The function that is returned waits for the end.
func (s *server) altering(table, alter string) (altered func()) {
	s.t.Helper()
	c, err := pgconn.Connect(context.Background(), s.DSN)
	if err != nil {
		s.t.Fatal(err)
	}
	if err := c.Exec(context.Background(), "BEGIN; "+alter).Close(); err != nil {
		s.t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() {
		defer c.Close(context.Background())
		done <- errors.Join(s.waitedFor(table), c.Exec(context.Background(), "COMMIT").Close())
	}()
	return func() {
		s.t.Helper()
		if err := <-done; err != nil {
			s.t.Fatal(err)
		}
	}
}

// waitedFor returns when somebody waits for a table.
func (s *server) waitedFor(table string) error {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(patience); time.Now().Before(end); <-tick.C {
		rows, err := s.TryQuery(fmt.Sprintf(
			"SELECT 1 FROM pg_locks WHERE NOT granted AND relation = to_regclass('public.%s')", table))
		if err != nil || len(rows) > 0 {
			return err
		}
	}
	return fmt.Errorf("nobody waits for the table %s", table)
}

// all reads splits to their ends.
func (f *follower) all(splits []plugin.Split) {
	f.t.Helper()
	for _, split := range splits {
		err := f.reader.Open(f.t.Context(), split)
		for err == nil {
			err = f.reader.Read(f.t.Context(), f)
		}
		if !errors.Is(err, io.EOF) {
			f.t.Fatal(err)
		}
	}
}

// TestAlteredWhilePlanned alters a table while the source looks at it.
func TestAlteredWhilePlanned(t *testing.T) {
	tests := []struct{ alter, want string }{
		{"ALTER TABLE a DROP x", "+I 1|y"},
		{"ALTER TABLE a RENAME x TO z", "+I 1|x|y"},
		{"ALTER TABLE a DROP x, ADD z text DEFAULT 'z'", "+I 1|y|z"},
		{"ALTER TABLE a RENAME id TO key", "+I 1|x|y"},
		{"ALTER TABLE a RENAME x TO z; ALTER TABLE a RENAME y TO x; ALTER TABLE a RENAME z TO y", "+I 1|x|y"},
		{"ALTER TABLE a DROP CONSTRAINT a_pkey; ALTER TABLE a DROP id; ALTER TABLE a ADD PRIMARY KEY (x)", "+I x|y"},
	}
	for _, test := range tests {
		t.Run(test.alter, func(t *testing.T) {
			s := newServer(t, "CREATE TABLE a (id int PRIMARY KEY, x text, y text)", "INSERT INTO a VALUES (1, 'x', 'y')")
			altered := s.altering("a", test.alter)
			f, chunks := begin(t, s, "", "a")
			altered()
			f.all(chunks)
			f.want(test.want)
		})
	}
}

// TestAlteredBeforeStart alters a table after it was planned, before the slot is there. The sinks hear of it first.
func TestAlteredBeforeStart(t *testing.T) {
	s := newServer(t, "CREATE TABLE a (id int PRIMARY KEY, x text)", "INSERT INTO a VALUES (1, 'x')", "CREATE TABLE b (id int PRIMARY KEY)")
	source := openSource(t, s, "debezium { include.schema.changes = true }", "a", "b")
	if _, err := source.Tables(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.exec("ALTER TABLE a DROP x, ADD y text DEFAULT 'y'")
	f, slot := beginSource(t, s, source)
	s.exec("INSERT INTO a VALUES (2, 'z')", "ALTER TABLE a ADD z int DEFAULT 5")
	chunks := f.finish(slot)
	f.want("= id|y")
	stream := f.finish(chunks...)
	f.want("+I 1|y", "+I 2|z")
	if err := f.reader.Open(t.Context(), stream[0]); err != nil {
		t.Fatal(err)
	}
	s.exec("INSERT INTO a VALUES (3, 'w', 6)")
	f.want("+I 2|z", "= id|y|z", "+I 3|w|6")
}

// finish reads splits to their ends, and returns those that come when they are done.
func (f *follower) finish(splits ...plugin.Split) (next []plugin.Split) {
	f.t.Helper()
	for _, split := range splits {
		f.all([]plugin.Split{split})
		position, err := f.reader.Position()
		if err == nil {
			err = f.splits.Done(split, position)
		}
		if err != nil {
			f.t.Fatal(err)
		}
	}
	next, err := f.splits.Next(f.t.Context())
	if err != nil {
		f.t.Fatal(err)
	}
	return next
}

// TestRenamedKey gives the column that a table is cut by another name: before it is cut, when some of it is, and
// between two runs of the job.
func TestRenamedKey(t *testing.T) {
	const rename = "ALTER TABLE a RENAME id TO key"
	rows := make([]string, 100)
	for i := range rows {
		rows[i] = fmt.Sprintf("+I k%02d|%d", i, i)
	}
	fill := []string{"CREATE TABLE a (id text PRIMARY KEY, n int)",
		"INSERT INTO a SELECT 'k' || lpad(i::text, 2, '0'), i FROM generate_series(0, 99) i"}
	rest := func(f *follower) {
		for {
			splits, err := f.splits.Next(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if len(splits) == 0 { // the stream follows when the chunks are done
				return
			}
			f.all(splits)
		}
	}
	t.Run("before the first cut", func(t *testing.T) {
		s := newServer(t, fill...)
		f, slot := beginSlot(t, s, "snapshot.split.size = 5", "a")
		if err := f.splits.Done(slot, nil); err != nil {
			t.Fatal(err)
		}
		s.exec(rename)
		rest(f)
		f.want(rows...)
	})
	t.Run("between cuts", func(t *testing.T) {
		s := newServer(t, fill...)
		f, chunks := begin(t, s, "snapshot.split.size = 1", "a")
		f.all(chunks[:2])
		s.exec(rename)
		f.all(chunks[2:])
		rest(f)
		f.want(rows...)
	})
	t.Run("between runs", func(t *testing.T) {
		s := newServer(t, fill...)
		f, chunks := begin(t, s, "snapshot.split.size = 10", "a")
		f.all(chunks[:2])
		s.exec(rename)
		reader, err := openSource(t, s, "", "a").Reader(t.Context(), plugin.Task{Env: env()})
		if err != nil {
			t.Fatal(err)
		}
		f.reader.Close()
		f.reader = reader
		f.all(chunks[2:])
		f.want(rows...)
	})
	t.Run("gone", func(t *testing.T) {
		s := newServer(t, fill...)
		f, chunks := begin(t, s, "snapshot.split.size = 10", "a")
		s.exec("ALTER TABLE a DROP id")
		err := f.reader.Open(t.Context(), chunks[0])
		if err == nil {
			err = f.reader.Read(t.Context(), f)
		}
		var e *plugin.Error
		if !errors.As(err, &e) || e.Fix == "" || len(f.rows) > 0 {
			t.Errorf("got %v and the rows %v, want an error that says what to do", err, f.rows)
		}
	})
}

// TestDroppedWhileCopied drops columns that may not be null: sinks that are going to hear of it get something for them.
func TestDroppedWhileCopied(t *testing.T) {
	for more, want := range map[string]string{
		"": "+I 1|<nil>|<nil>|<nil>|<nil>|<nil>|<nil>|<nil>|<nil>|<nil>|<nil>|<nil>|v",
		"debezium { include.schema.changes = true }": "+I 1|0.00||00000000-0000-0000-0000-000000000000|null|" +
			"1970-01-01 00:00:00 +0000 UTC|[]|[]|00:00:00|0s|false|<nil>|v",
	} {
		t.Run(more, func(t *testing.T) {
			s := newServer(t, "CREATE TYPE mood AS ENUM ('good', 'bad')", `CREATE TABLE a (id int PRIMARY KEY,
					n numeric(10,2) NOT NULL, s varchar(5) NOT NULL, u uuid NOT NULL, j jsonb NOT NULL, d timestamp(3) NOT NULL,
					b bytea NOT NULL, l int[] NOT NULL, i interval NOT NULL, t time NOT NULL, y boolean NOT NULL,
					m mood NOT NULL, v text)`,
				`INSERT INTO a VALUES (1, 1, 's', gen_random_uuid(), '{}', now(), 'b', '{1}', '1 day', '10:00', true, 'bad', 'v')`)
			f, chunks := begin(t, s, more, "a")
			s.exec("ALTER TABLE a DROP n, DROP s, DROP u, DROP j, DROP d, DROP b, DROP l, DROP i, DROP t, DROP y, DROP m")
			f.all(chunks)
			f.want(want)
		})
	}
}

// TestAlteredAfterUpdate alters a table before the stream comes to an update that left a large value alone, and while
// the value is looked up.
func TestAlteredAfterUpdate(t *testing.T) {
	const follows = "debezium { include.schema.changes = true }"
	tests := []struct{ name, more, alter, want string }{
		{"renamed", "", "RENAME big TO b", "+U 1|1|aa*9001|bb*9001"},
		{"exchanged", follows, "RENAME big TO x; ALTER TABLE a RENAME large TO big; ALTER TABLE a RENAME x TO large",
			"+U 1|1|aa*9001|bb*9001"},
		{"dropped", "", "DROP big", "+U 1|1|<nil>|bb*9001"},
		{"dropped, and the sinks are going to know", follows, "DROP big", "+U 1|1||bb*9001"},
		{"dropped, and another one has its name", "", "DROP big; ALTER TABLE a RENAME large TO big", "+U 1|1|<nil>|bb*9001"},
		{"made anew", "", "DROP big; ALTER TABLE a ADD big text DEFAULT 'new'", "+U 1|1|new|bb*9001"},
		{"made anew of another type", "", "DROP big; ALTER TABLE a ADD big bytea DEFAULT 'new'", "+U 1|1|<nil>|bb*9001"},
		{"key renamed", "", "RENAME id TO key", "+U 1|1|aa*9001|bb*9001"},
		{"added", "", "ADD c int DEFAULT 7", "+U 1|1|aa*9001|bb*9001"},
	}
	for _, test := range tests {
		for _, during := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, during the look-up %v", test.name, during), func(t *testing.T) {
				s := newServer(t, "CREATE TABLE a (id int PRIMARY KEY, n int, big text NOT NULL, large text)",
					"ALTER TABLE a ALTER big SET STORAGE EXTERNAL, ALTER large SET STORAGE EXTERNAL",
					"INSERT INTO a VALUES (1, 0, repeat('a', 9001), repeat('b', 9001))")
				f := follow(t, s, test.more, "a")
				s.exec("UPDATE a SET n = 1")
				if alter := "ALTER TABLE a " + test.alter; during {
					defer s.altering("a", alter)()
				} else {
					s.exec(alter)
				}
				f.want(test.want)
			})
		}
	}
}

// TestFollowedNumbers looks up values of columns that have come and got other names while the stream was read.
func TestFollowedNumbers(t *testing.T) {
	s := newServer(t, "CREATE TABLE a (id int PRIMARY KEY, n int, big text)", "ALTER TABLE a ALTER big SET STORAGE EXTERNAL",
		"INSERT INTO a VALUES (1, 0, repeat('a', 9001))")
	f := follow(t, s, "debezium { include.schema.changes = true }", "a")
	f.full = true
	s.exec("ALTER TABLE a RENAME big TO b; ALTER TABLE a ADD c text; ALTER TABLE a ALTER c SET STORAGE EXTERNAL",
		"UPDATE a SET c = repeat('c', 9001)")
	f.want("= id|n|b|c", "+U 1|0|aa*9001|cc*9001")
	s.exec("UPDATE a SET n = 1", "ALTER TABLE a RENAME b TO x; ALTER TABLE a RENAME c TO y", "UPDATE a SET n = 2",
		"ALTER TABLE a RENAME x TO b; ALTER TABLE a DROP y")
	f.want("+U 1|1|aa*9001|<nil>", "= id|n|x|y", "+U 1|2|aa*9001|<nil>")
	s.exec("UPDATE a SET n = 3")
	f.want("= id|n|b", "+U 1|3|aa*9001")
}

// TestExchangedNames looks up values after two columns have exchanged their names.
func TestExchangedNames(t *testing.T) {
	s := newServer(t, "CREATE TABLE a (id int PRIMARY KEY, n int, b text, c text)",
		"ALTER TABLE a ALTER b SET STORAGE EXTERNAL, ALTER c SET STORAGE EXTERNAL",
		"INSERT INTO a VALUES (1, 0, repeat('b', 9001), repeat('c', 9001))")
	f := follow(t, s, "", "a")
	f.full = true
	s.exec("UPDATE a SET n = 1")
	f.want("+U 1|1|bb*9001|cc*9001")
	s.exec("ALTER TABLE a RENAME b TO x; ALTER TABLE a RENAME c TO b; ALTER TABLE a RENAME x TO c", "UPDATE a SET n = 2")
	f.want("+U 1|2|cc*9001|bb*9001")
}
