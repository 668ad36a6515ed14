package lite_test

import (
	"bytes"
	"context"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/culvertdata/culvert/plugin/jdbc/sqlite/internal/lite"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func open(t *testing.T) *lite.Conn {
	t.Helper()
	c, err := lite.Open(filepath.Join(t.TempDir(), "x.db"), lite.Create)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

func TestValues(t *testing.T) {
	c := open(t)
	in := []any{nil, int64(-1 << 63), 0.1, "", "a\x00b", []byte{}, []byte{0, 255}}
	out, err := c.Row("SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7", in...)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(in, out); d != "" {
		t.Error(d)
	}
	if row, err := c.Row("SELECT 1 WHERE 0"); row != nil || err != nil {
		t.Errorf("row %v, error %v", row, err)
	}
	if _, err := c.Row("SELECT ?1", true); err == nil {
		t.Error("a boolean was bound")
	}
}

func TestExecSeveralStatements(t *testing.T) {
	c := open(t)
	err := c.Exec(" -- first\nCREATE TABLE t (a); ; INSERT INTO t VALUES (?1); INSERT INTO t VALUES (?2) /* end */ ;\n",
		int64(1), "two")
	if err != nil {
		t.Fatal(err)
	}
	row, err := c.Row("SELECT count(*), group_concat(a) FROM t")
	if d := cmp.Diff([]any{int64(2), "1,two"}, row); d != "" || err != nil {
		t.Errorf("error %v, %s", err, d)
	}
	if err := c.Exec("INSERT INTO t VALUES (3); INSERT INTO nowhere VALUES (4)"); lite.CodeOf(err) != 1 {
		t.Errorf("error %v", err)
	}
}

func TestPrepareTakesOneStatement(t *testing.T) {
	c := open(t)
	for _, sql := range []string{"", "-- nothing", "SELECT 1; SELECT 2", "SELEC"} {
		if s, err := c.Prepare(sql); err == nil {
			s.Close()
			t.Errorf("%q was prepared", sql)
		}
	}
	s, err := c.Prepare("SELECT 1 AS one; ")
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if s.Name(0) != "one" || s.Columns() != 1 || s.Params() != 0 {
		t.Errorf("%q, %d columns, %d parameters", s.Name(0), s.Columns(), s.Params())
	}
}

// TestArena binds from C memory in several rounds; values must be those of the round.
func TestArena(t *testing.T) {
	c := open(t)
	s, err := c.Prepare("SELECT ?1, ?2")
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	a := lite.NewArena(c)
	defer a.Close()
	for _, text := range []string{"one", "", strings.Repeat("long ", 1<<20), "short"} {
		if err := a.Reset(2 * len(text)); err != nil {
			t.Fatal(err)
		}
		first, second := a.Put([]byte(text)), a.Put([]byte(text))
		if err := s.BindText(1, first, len(text)); err != nil {
			t.Fatal(err)
		}
		if err := s.BindBlob(2, second, len(text)); err != nil {
			t.Fatal(err)
		}
		if ok, err := s.Step(); !ok || err != nil {
			t.Fatalf("step %v, error %v", ok, err)
		}
		if s.Kind(0) != lite.Text || s.Kind(1) != lite.Blob {
			t.Errorf("%s and %s", s.Kind(0), s.Kind(1))
		}
		if !bytes.Equal(s.Bytes(0), []byte(text)) || !bytes.Equal(s.Bytes(1), []byte(text)) || s.Size(0) != len(text) {
			t.Errorf("a text of %d bytes has changed", len(text))
		}
		s.Reset()
	}
}

// TestWatch interrupts a statement that would not end, and leaves those alone that come after stop.
func TestWatch(t *testing.T) {
	c := open(t)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
	defer cancel()
	stop := c.Watch(ctx)
	_, err := c.Row("WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n")
	stop()
	if lite.CodeOf(err) != lite.Interrupt {
		t.Errorf("error %v", err)
	}
	if _, err := c.Row("SELECT 1"); err != nil {
		t.Error(err)
	}
	c.Watch(t.Context())()
}

func TestErrors(t *testing.T) {
	_, err := lite.Open(filepath.Join(t.TempDir(), "missing", "x.db"), lite.Create)
	if lite.CodeOf(err) != lite.CantOpen || !strings.Contains(err.Error(), "unable to open") {
		t.Errorf("error %v", err)
	}
	c := open(t)
	if err := c.Exec("CREATE TABLE t (a UNIQUE); INSERT INTO t VALUES (1); BEGIN"); err != nil {
		t.Fatal(err)
	}
	if err := c.Exec("INSERT INTO t VALUES (1)"); lite.CodeOf(err) != lite.Constraint {
		t.Errorf("error %v", err)
	}
	if !c.InTransaction() {
		t.Error("the transaction is over")
	}
	if lite.CodeOf(context.Canceled) != 0 {
		t.Error("another error has a code")
	}
}
