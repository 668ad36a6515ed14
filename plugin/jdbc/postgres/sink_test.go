package postgres_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/internal/dbtest"
	"github.com/culvertdata/culvert/plugin/jdbc/internal/jdbctest"
)

func people(t testing.TB, key ...int) *plugin.Table {
	return jdbctest.Table(t, plugin.Table{
		ID: plugin.TableID{Name: "people"}, Key: key,
		Columns: []plugin.Column{
			{Name: "id", Type: plugin.TypeOf(plugin.BigInt)}, {Name: "Name", Type: plugin.TypeOf(plugin.String)},
			{Name: "age", Type: plugin.TypeOf(plugin.Int)},
		},
	})
}

// TestRefusedRows checks that rows which the server or the encoder refuses are named, and that all others are written.
func TestRefusedRows(t *testing.T) {
	const ddl = `CREATE TABLE people (id bigint PRIMARY KEY, "Name" varchar(5) NOT NULL, age smallint CHECK (age < 200))`
	for _, exactly := range []bool{false, true} { // there, constraints show at the commit
		for _, key := range [][]int{{0}, nil} {
			t.Run(fmt.Sprintf("exactly once %v, key %v", exactly, key), func(t *testing.T) {
				s := dbtest.Postgres(t, ddl)
				tab := people(t, key...)
				sink := kit.OpenSink(t, s.Options("is_exactly_once", exactly), tab)
				rows := []jdbctest.Row{
					jdbctest.Insert(1, "a", 1), jdbctest.Insert(2, "too long", 2), jdbctest.Insert(3, "c", 3),
					jdbctest.Insert(4, "d", 40000), jdbctest.Insert(5, "nul\x00", 5), jdbctest.Insert(6, "f", 6),
				}
				want := []string{"2", "4", "5"}
				if !exactly {
					rows = append(rows, jdbctest.Insert(7, nil, 7), jdbctest.Insert(8, "h", 250), jdbctest.Insert(9, "i", 9))
					want = append(want, "7", "8")
				}
				err := jdbctest.TryLoad(t, sink, jdbctest.Batch(t, tab, rows...))
				var refused *plugin.RowErrors
				if !errors.As(err, &refused) {
					t.Fatalf("error %v, want refused rows", err)
				}
				var got []string
				for _, r := range refused.Rows {
					got = append(got, fmt.Sprint(r.Index+1))
					if key != nil && !strings.Contains(r.Err.Error(), fmt.Sprintf("id = %d: column ", r.Index+1)) && r.Index != 7 {
						t.Errorf("row %d: %v", r.Index, r.Err)
					}
				}
				if d := cmp.Diff(want, got); d != "" {
					t.Error(d)
				}
				if !exactly {
					if d := cmp.Diff([]string{"1", "3", "6", "9"}, s.Query("SELECT id FROM people ORDER BY id")); d != "" {
						t.Error(d)
					}
				}
			})
		}
	}
}

// TestNames writes into tables in another schema, which is made, and of another spelling.
func TestNames(t *testing.T) {
	tests := []struct{ option, value, name string }{
		{"table", "deep.${table_name}", "deep.people"},
		{"field_ide", "UPPERCASE", `"PEOPLE"`},
	}
	for _, test := range tests {
		s := dbtest.Postgres(t)
		tab := people(t, 0)
		sink := kit.SinkFor(t, tab, s.Pairs(test.option, test.value)...)
		jdbctest.Load(t, sink, jdbctest.Batch(t, tab, jdbctest.Insert(1, "new", 1)))
		if d := cmp.Diff([]string{"1|new|1"}, s.Query("SELECT * FROM "+test.name)); d != "" {
			t.Errorf("%s = %s: %s", test.option, test.value, d)
		}
	}
}

// TestMadeTable checks the keys, indexes and comments of a table that the sink makes.
func TestMadeTable(t *testing.T) {
	s := dbtest.Postgres(t)
	tab := jdbctest.Table(t, plugin.Table{
		ID: plugin.TableID{Name: "t"}, Key: []int{1, 0}, Comment: "it's",
		Columns: []plugin.Column{
			{Name: "a", Type: plugin.TypeOf(plugin.Int)}, {Name: "b", Type: plugin.TypeOf(plugin.String), Length: 20},
			{Name: "c", Type: plugin.DecimalOf(10, 2), NotNull: true, Comment: "money"},
			{Name: "d", Type: plugin.ArrayOf(plugin.TypeOf(plugin.String))},
		},
		Constraints: []plugin.Constraint{
			{Name: "u", Kind: plugin.UniqueKey, Columns: []plugin.ConstraintColumn{{Name: "c"}}},
			{Name: "i", Kind: plugin.IndexKey, Columns: []plugin.ConstraintColumn{{Name: "a", Desc: true}}},
		},
	})
	kit.SinkFor(t, tab, s.Pairs()...)
	want := []string{
		"CREATE INDEX t_a_idx ON public.t USING btree (a DESC)", "CREATE UNIQUE INDEX t_c_idx ON public.t USING btree (c)",
		"CREATE UNIQUE INDEX t_pkey ON public.t USING btree (b, a)",
	}
	if d := cmp.Diff(want, s.Query("SELECT indexdef FROM pg_indexes WHERE tablename = 't' ORDER BY 1")); d != "" {
		t.Error(d)
	}
	want = []string{"a|integer|t", "b|character varying(20)|t", "c|numeric(10,2)|t", "d|text[]|f"}
	got := s.Query("SELECT attname, format_type(atttypid, atttypmod), attnotnull FROM pg_attribute WHERE attrelid = " +
		"'t'::regclass AND attnum > 0")
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{"it's|money"},
		s.Query("SELECT obj_description('t'::regclass), col_description('t'::regclass, 3)")); d != "" {
		t.Error(d)
	}
}

// TestCasts writes texts into columns that take them by a cast only.
func TestCasts(t *testing.T) {
	s := dbtest.Postgres(t, `CREATE TABLE people (id numeric PRIMARY KEY, "Name" inet, age text)`)
	tab := people(t, 0)
	for _, how := range []string{"few rows", "exactly once", "many rows"} {
		sink := kit.OpenSink(t, s.Options("is_exactly_once", how == "exactly once"), tab)
		rows := []jdbctest.Row{jdbctest.Insert(1, "10.0.0.1", 5), jdbctest.Insert(2, nil, nil)}
		for i := 0; how == "many rows" && i < 200; i++ {
			rows = append(rows, jdbctest.Insert(2, nil, nil))
		}
		if err := jdbctest.TryLoad(t, sink, jdbctest.Batch(t, tab, rows...)); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff([]string{"1|10.0.0.1|5", "2|NULL|NULL"}, s.Query("SELECT * FROM people ORDER BY id")); d != "" {
			t.Error(d)
		}
	}
	err := jdbctest.TryLoad(t, kit.OpenSink(t, s.Options(), tab), jdbctest.Batch(t, tab, jdbctest.Insert(3, "nowhere", 5)))
	if err == nil || !strings.Contains(err.Error(), "id = 3") || !strings.Contains(err.Error(), "nowhere") {
		t.Errorf("error %v", err)
	}
}

// TestAbandonedStages finds what a job has staged that nobody goes on with, and drops it.
func TestAbandonedStages(t *testing.T) {
	s := dbtest.Postgres(t, `CREATE TABLE people (id int PRIMARY KEY, "Name" text, age int)`)
	tab := people(t, 0)
	sink := kit.OpenSink(t, s.Options("is_exactly_once", true), tab)
	w, err := sink.Writer(t.Context(), plugin.Task{Env: jdbctest.Env()})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Write(t.Context(), jdbctest.Batch(t, tab, jdbctest.Insert(1, "a", 5))); err != nil {
		t.Fatal(err)
	}
	token, err := w.Flush(t.Context(), 1)
	if err := errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	// As the documentation of the Jdbc sink tells it.
	found := s.Query(`SELECT relname, obj_description(oid, 'pg_class') FROM pg_class
		WHERE relkind = 'r' AND relname LIKE 'culvert\_%' AND relname <> 'culvert_commits'`)
	if len(found) != 1 {
		t.Fatalf("found %q", found)
	}
	name, note, _ := strings.Cut(found[0], "|")
	env := jdbctest.Env()
	if want := fmt.Sprintf("Culvert: job %d, %s: rows for ", env.Job.ID, env.Vertex); !strings.HasPrefix(note, want) {
		t.Errorf("the note is %q", note)
	}
	s.Exec("DROP TABLE " + name)
	err = sink.(plugin.Committer).Commit(t.Context(), 1, [][]byte{token})
	var known *plugin.Error
	if !errors.As(err, &known) || known.Code != plugin.CodeNotFound || known.Retry || !strings.Contains(err.Error(), "are gone") {
		t.Errorf("commit without the rows: %v", err)
	}
}

func TestStatement(t *testing.T) {
	s := dbtest.Postgres(t, `CREATE TABLE people (id int, "Name" varchar(5), age uuid)`)
	tab := jdbctest.Table(t, plugin.Table{Columns: []plugin.Column{
		{Name: "id", Type: plugin.TypeOf(plugin.BigInt)}, {Name: "Name", Type: plugin.TypeOf(plugin.String)},
		{Name: "age", Type: plugin.TypeOf(plugin.String)},
	}})
	const uuid = "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"
	for _, exactly := range []bool{false, true} {
		s.Exec("DELETE FROM people")
		sink := kit.OpenSink(t, s.Options("is_exactly_once", exactly, "query",
			`INSERT INTO people VALUES (:id::int + 1, upper(:Name), :age)`), tab)
		if err := jdbctest.TryLoad(t, sink, jdbctest.Batch(t, tab, jdbctest.Insert(1, "a", uuid),
			jdbctest.Remove(2, nil, nil))); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff([]string{"2|A|" + uuid, "3|NULL|NULL"}, s.Query("SELECT * FROM people ORDER BY id")); d != "" {
			t.Error(d)
		}
	}
	err := jdbctest.TryLoad(t, kit.OpenSink(t, s.Options("query", "INSERT INTO people VALUES (?, ?, ?)"), tab),
		jdbctest.Batch(t, tab, jdbctest.Insert(5, "five", nil), jdbctest.Insert(6, "too long", nil)))
	var refused *plugin.RowErrors
	if !errors.As(err, &refused) || len(refused.Rows) != 1 || refused.Rows[0].Index != 1 {
		t.Errorf("error %v", err)
	}
}
