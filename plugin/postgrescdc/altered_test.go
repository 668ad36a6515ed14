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
	c := s.connect()
	if err := c.Exec(context.Background(), "BEGIN; "+alter).Close(); err != nil {
		s.t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() {
		defer c.Close(context.Background())
		done <- errors.Join(waitedFor(c, table), c.Exec(context.Background(), "COMMIT").Close())
	}()
	return func() {
		s.t.Helper()
		if err := <-done; err != nil {
			s.t.Fatal(err)
		}
	}
}

// waitedFor returns when somebody waits for a table.
func waitedFor(c *pgconn.PgConn, table string) error {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(patience); time.Now().Before(end); <-tick.C {
		rows, err := rowsOf(c, fmt.Sprintf(
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
