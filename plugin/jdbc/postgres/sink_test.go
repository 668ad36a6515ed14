package postgres_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/culvertdata/culvert/plugin"
)

func people(t testing.TB, key ...int) *plugin.Table {
	return table(t, plugin.Table{
		ID: plugin.TableID{Name: "people"}, Key: key,
		Columns: []plugin.Column{
			{Name: "id", Type: plugin.TypeOf(plugin.BigInt)}, {Name: "Name", Type: plugin.TypeOf(plugin.String)},
			{Name: "age", Type: plugin.TypeOf(plugin.Int)},
		},
	})
}

// TestChanges applies random changes and compares the table with a model, in all ways that a sink can work.
func TestChanges(t *testing.T) {
	n, batchSize := 100000, 2000
	if testing.Short() {
		n = 10000
	}
	for _, test := range []struct {
		name  string
		pairs []any
		valid bool // +I only for keys that are not there, +U only for those that are
		size  int  // of batches
	}{
		{"upserts", nil, false, batchSize},
		{"upserts in small batches", nil, false, 31},
		{"exactly once", []any{"is_exactly_once", true}, false, batchSize},
		{"updates", []any{"enable_upsert", false}, true, batchSize},
		{"updates in small batches", []any{"enable_upsert", false}, true, 31},
		{"updates exactly once", []any{"enable_upsert", false, "is_exactly_once", true}, true, batchSize},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newServer(t)
			tab := people(t, 0)
			sink := sinkFor(t, s.options(test.pairs...), tab)
			changes, model := randomChanges(n, test.valid)
			var batches []plugin.Batch
			for part := range slices.Chunk(changes, test.size) {
				batches = append(batches, batch(t, tab, part...))
			}
			start := time.Now()
			if err := load(t, sink, batches...); err != nil {
				t.Fatal(err)
			}
			t.Logf("%.0f changes/s", float64(n)/time.Since(start).Seconds())
			var want []string
			for id, v := range model {
				want = append(want, fmt.Sprintf("%d|%s", id, v))
			}
			slices.Sort(want)
			got := s.query(`SELECT id, "Name", age FROM people`)
			slices.Sort(got)
			if d := cmp.Diff(want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

// randomChanges returns changes and the rows that they leave.
func randomChanges(n int, valid bool) ([]row, map[int]string) {
	rng := rand.New(rand.NewPCG(1, 2))
	model := map[int]string{}
	changes := make([]row, 0, n)
	for i := range n {
		id, name, age := rng.IntN(n/20), fmt.Sprintf("name %d", i), rng.IntN(100)
		_, has := model[id]
		kind := plugin.RowKind(rng.IntN(4))
		if valid && has && kind == plugin.Insert {
			kind = plugin.UpdateAfter
		}
		if valid && !has && kind == plugin.UpdateAfter {
			kind = plugin.Insert
		}
		switch kind {
		case plugin.Delete:
			delete(model, id)
		case plugin.Insert, plugin.UpdateAfter:
			model[id] = fmt.Sprintf("%s|%d", name, age)
		}
		changes = append(changes, row{kind, []any{id, name, age}})
	}
	return changes, model
}

// TestRefusedRows checks that rows which the server or the encoder refuses are named, and that all others are written.
func TestRefusedRows(t *testing.T) {
	const ddl = `CREATE TABLE people (id bigint PRIMARY KEY, "Name" varchar(5) NOT NULL, age smallint CHECK (age < 200))`
	for _, exactly := range []bool{false, true} { // there, constraints show at the commit
		for _, key := range [][]int{{0}, nil} {
			t.Run(fmt.Sprintf("exactly once %v, key %v", exactly, key), func(t *testing.T) {
				s := newServer(t, ddl)
				tab := people(t, key...)
				sink := openSink(t, s.options("is_exactly_once", exactly), tab)
				rows := []row{
					insert(1, "a", 1), insert(2, "too long", 2), insert(3, "c", 3), insert(4, "d", 40000), insert(5, "nul\x00", 5), insert(6, "f", 6),
				}
				want := []string{"2", "4", "5"}
				if !exactly {
					rows = append(rows, insert(7, nil, 7), insert(8, "h", 250), insert(9, "i", 9))
					want = append(want, "7", "8")
				}
				err := load(t, sink, batch(t, tab, rows...))
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
					if d := cmp.Diff([]string{"1", "3", "6", "9"}, s.query("SELECT id FROM people ORDER BY id")); d != "" {
						t.Error(d)
					}
				}
			})
		}
	}
}

func TestSaveModes(t *testing.T) {
	full := []string{`CREATE TABLE people (id bigint PRIMARY KEY, "Name" text, age int)`, "INSERT INTO people VALUES (9, 'old', 9)"}
	tests := []struct {
		name  string
		ddl   []string
		pairs []any
		want  []string // rows
		err   string
	}{
		{"create", nil, nil, []string{"1|new|1"}, ""},
		{"append", full, nil, []string{"1|new|1", "9|old|9"}, ""},
		{"recreate", full, []any{"schema_save_mode", "RECREATE_SCHEMA"}, []string{"1|new|1"}, ""},
		{"drop data", full, []any{"data_save_mode", "DROP_DATA"}, []string{"1|new|1"}, ""},
		{"error without table", nil, []any{"schema_save_mode", "ERROR_WHEN_SCHEMA_NOT_EXIST"}, nil, "does not exist"},
		{"error with data", full, []any{"data_save_mode", "ERROR_WHEN_DATA_EXISTS"}, nil, "holds rows"},
		{"custom", full, []any{"data_save_mode", "CUSTOM_PROCESSING", "custom_sql", "DELETE FROM ${table_name} WHERE id > 8"},
			[]string{"1|new|1"}, ""},
		{"missing column", []string{"CREATE TABLE people (id bigint PRIMARY KEY)"}, nil, nil, "no column Name, age"},
		{"a schema", nil, []any{"table", "deep.${table_name}"}, []string{"1|new|1"}, ""},
		{"upper case", nil, []any{"field_ide", "UPPERCASE"}, []string{"1|new|1"}, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := newServer(t, test.ddl...)
			tab := people(t, 0)
			sink := openSink(t, s.options(test.pairs...), tab)
			err := sink.Prepare(t.Context(), []*plugin.Table{tab})
			if err == nil {
				err = load(t, sink, batch(t, tab, insert(1, "new", 1)))
			}
			if test.err != "" {
				if err == nil || !strings.Contains(err.Error(), test.err) {
					t.Errorf("error %v, want %q", err, test.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			name := map[string]string{"a schema": "deep.people", "upper case": `"PEOPLE"`}[test.name]
			if name == "" {
				name = "people"
			}
			if d := cmp.Diff(test.want, s.query("SELECT * FROM "+name+" ORDER BY 1")); d != "" {
				t.Error(d)
			}
		})
	}
}

// TestMadeTable checks the keys, indexes and comments of a table that the sink makes.
func TestMadeTable(t *testing.T) {
	s := newServer(t)
	tab := table(t, plugin.Table{
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
	sinkFor(t, s.options(), tab)
	want := []string{
		"CREATE INDEX t_a_idx ON public.t USING btree (a DESC)", "CREATE UNIQUE INDEX t_c_idx ON public.t USING btree (c)",
		"CREATE UNIQUE INDEX t_pkey ON public.t USING btree (b, a)",
	}
	if d := cmp.Diff(want, s.query("SELECT indexdef FROM pg_indexes WHERE tablename = 't' ORDER BY 1")); d != "" {
		t.Error(d)
	}
	want = []string{"a|integer|t", "b|character varying(20)|t", "c|numeric(10,2)|t", "d|text[]|f"}
	got := s.query("SELECT attname, format_type(atttypid, atttypmod), attnotnull FROM pg_attribute WHERE attrelid = 't'::regclass AND attnum > 0")
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{"it's|money"}, s.query("SELECT obj_description('t'::regclass), col_description('t'::regclass, 3)")); d != "" {
		t.Error(d)
	}
}

// TestCasts writes texts into columns that take them by a cast only.
func TestCasts(t *testing.T) {
	s := newServer(t, `CREATE TABLE people (id numeric PRIMARY KEY, "Name" inet, age text)`)
	tab := people(t, 0)
	for _, how := range []string{"few rows", "exactly once", "many rows"} {
		sink := openSink(t, s.options("is_exactly_once", how == "exactly once"), tab)
		rows := []row{insert(1, "10.0.0.1", 5), insert(2, nil, nil)}
		for i := 0; how == "many rows" && i < 200; i++ {
			rows = append(rows, insert(2, nil, nil))
		}
		if err := load(t, sink, batch(t, tab, rows...)); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff([]string{"1|10.0.0.1|5", "2|NULL|NULL"}, s.query("SELECT * FROM people ORDER BY id")); d != "" {
			t.Error(d)
		}
	}
	err := load(t, openSink(t, s.options(), tab), batch(t, tab, insert(3, "nowhere", 5)))
	if err == nil || !strings.Contains(err.Error(), "id = 3") || !strings.Contains(err.Error(), "nowhere") {
		t.Errorf("error %v", err)
	}
}

func TestStatement(t *testing.T) {
	s := newServer(t, `CREATE TABLE people (id int, "Name" varchar(5), age uuid)`)
	tab := table(t, plugin.Table{Columns: []plugin.Column{
		{Name: "id", Type: plugin.TypeOf(plugin.BigInt)}, {Name: "Name", Type: plugin.TypeOf(plugin.String)},
		{Name: "age", Type: plugin.TypeOf(plugin.String)},
	}})
	const uuid = "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"
	for _, exactly := range []bool{false, true} {
		s.exec("DELETE FROM people")
		sink := openSink(t, s.options("is_exactly_once", exactly, "query",
			`INSERT INTO people VALUES (:id::int + 1, upper(:Name), :age)`), tab)
		if err := load(t, sink, batch(t, tab, insert(1, "a", uuid), row{plugin.Delete, []any{2, nil, nil}})); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff([]string{"2|A|" + uuid, "3|NULL|NULL"}, s.query("SELECT * FROM people ORDER BY id")); d != "" {
			t.Error(d)
		}
	}
	err := load(t, openSink(t, s.options("query", "INSERT INTO people VALUES (?, ?, ?)"), tab),
		batch(t, tab, insert(5, "five", nil), insert(6, "too long", nil)))
	var refused *plugin.RowErrors
	if !errors.As(err, &refused) || len(refused.Rows) != 1 || refused.Rows[0].Index != 1 {
		t.Errorf("error %v", err)
	}
}
