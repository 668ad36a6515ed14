package mysqlcdc

import (
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/internal/cdc"
	"github.com/culvertdata/culvert/plugin/jdbc"
	"github.com/culvertdata/culvert/plugin/jdbc/mysql"
	"github.com/culvertdata/culvert/plugin/mysqlcdc/internal/ddl"
)

// planned is a source whose tables are described, without a server.
func planned(t *testing.T, o Options, names ...string) *Source {
	t.Helper()
	server, err := mysql.Open(jdbc.Connection{URL: "jdbc:mysql://127.0.0.1:1/shop"}) // which connects to nothing
	if err != nil {
		t.Fatal(err)
	}
	s := &Source{options: o, env: plugin.Env{Parallelism: 2}, server: server}
	for _, name := range names {
		made, err := plugin.NewTable(plugin.Table{
			ID:      plugin.TableID{Database: "shop", Name: name},
			Columns: []plugin.Column{{Name: "id", Type: plugin.TypeOf(plugin.Int)}},
			Key:     []int{0},
		})
		if err != nil {
			t.Fatal(err)
		}
		s.relations = append(s.relations, &jdbc.Relation{Table: made, Key: "id", Unique: true})
		s.tables = append(s.tables, made)
	}
	return s
}

// next returns the IDs of the splits that are handed out, and the splits.
func next(t *testing.T, sp plugin.Splitter) (ids []string, splits []plugin.Split) {
	t.Helper()
	splits, err := sp.Next(t.Context())
	if err != nil && !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	for _, s := range splits {
		ids = append(ids, s.ID)
	}
	if err != nil {
		ids = append(ids, "EOF")
	}
	return ids, splits
}

func encoded(t *testing.T, v any) []byte {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func done(t *testing.T, sp plugin.Splitter, s plugin.Split, result any) {
	t.Helper()
	if err := sp.Done(s, encoded(t, result)); err != nil {
		t.Fatal(err)
	}
}

// found is the result of an origin split.
func found(t *testing.T, s plugin.Split, pos uint64) origin {
	t.Helper()
	var o origin
	if err := json.Unmarshal(s.State, &o); err != nil {
		t.Fatal(err)
	}
	here := at(pos)
	o.At = &here
	for range o.Tables {
		o.Log = append(o.Log, ddl.Table{Columns: []ddl.Column{{Name: "id", Type: "int(11)"}}, Key: []string{"id"}})
	}
	return o
}

// again makes a splitter from the state of another one.
func resumed(t *testing.T, s *Source, sp plugin.Splitter) plugin.Splitter {
	t.Helper()
	state, err := sp.State()
	if err != nil {
		t.Fatal(err)
	}
	again, err := s.Splits(t.Context(), state)
	if err != nil {
		t.Fatal(err)
	}
	return again
}

// TestRoundsWithoutSnapshot follows the log of three tables in two readers, to the end, over a restart at each step.
func TestRoundsWithoutSnapshot(t *testing.T) {
	s := planned(t, Options{StartMode: "latest", Parallelism: 2}, "a", "b", "c")
	sp, err := s.Splits(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	ids, splits := next(t, sp)
	if d := cmp.Diff([]string{"origin/0"}, ids); d != "" {
		t.Fatal(d)
	}
	sp = resumed(t, s, sp)
	if ids, _ := next(t, sp); ids != nil {
		t.Fatalf("%v before the origin is found", ids)
	}
	done(t, sp, splits[0], found(t, splits[0], 100))
	sp = resumed(t, s, sp)
	ids, splits = next(t, sp)
	if d := cmp.Diff([]string{"log/0/0", "log/0/1"}, ids); d != "" {
		t.Fatal(d)
	}
	var tables [2][]string
	for i, split := range splits {
		var f following
		var of []table
		if json.Unmarshal(split.State, &f) != nil || json.Unmarshal(f.Tables, &of) != nil || f.At.Pos != 100 ||
			len(f.Known) != 3 {
			t.Fatalf("state %s", split.State)
		}
		for _, one := range of {
			tables[i] = append(tables[i], one.ID.Name)
		}
	}
	if d := cmp.Diff([2][]string{{"a", "c"}, {"b"}}, tables); d != "" {
		t.Error(d)
	}
	for _, split := range splits {
		sp = resumed(t, s, sp)
		var f following
		_ = json.Unmarshal(split.State, &f)
		f.Ended, f.At = reachedStop, at(200)
		done(t, sp, split, f)
	}
	if ids, _ := next(t, sp); cmp.Diff([]string{"EOF"}, ids) != "" {
		t.Errorf("%v at the end", ids)
	}
}

// TestAnotherRound reads the rest of an altered table, and a new table, once the log has come to the change.
func TestAnotherRound(t *testing.T) {
	s := planned(t, Options{StartMode: "initial", Parallelism: 1}, "a")
	sp := &splitter{source: s, state: splitterState{Step: findOrigin}}
	_, splits := next(t, sp)
	done(t, sp, splits[0], found(t, splits[0], 100))
	sp.state.Cuts = nil // as if it were cut into two chunks
	sp.state.Step, sp.state.Handed, sp.state.Out = readSnapshot, true, 2
	id := s.relations[0].Table.ID
	seen, until := ddl.Table{Columns: []ddl.Column{{Name: "id", Type: "bigint(20)"}}}, at(150)
	done(t, sp, plugin.Split{ID: "chunk/1", Table: id}, chunk{Pieces: []piece{{cdc.Span{To: key(int64(5))}, at(120)}}})
	done(t, sp, plugin.Split{ID: "chunk/2", Table: id},
		chunk{Left: &jdbc.Range{From: key(int64(5))}, Seen: &seen, Until: &until})
	ids, splits := next(t, sp)
	if len(ids) != 1 || !strings.HasPrefix(ids[0], logPrefix) {
		t.Fatalf("%v", ids)
	}
	var f following
	var of []table
	if json.Unmarshal(splits[0].State, &f) != nil || json.Unmarshal(f.Tables, &of) != nil {
		t.Fatalf("state %s", splits[0].State)
	}
	if f.At.Pos != 120 || f.Until.Pos != 150 || len(of[0].Open) != 1 {
		t.Errorf("state %s", splits[0].State)
	}
	f.Ended, f.At = wantsSnapshot, until
	of[0].Log, of[0].Seen, of[0].Until = seen, nil, nil
	f.Tables = encoded(t, of)
	s.relations = append(s.relations, planned(t, Options{}, "b").relations...)
	done(t, sp, splits[0], f)
	ids, splits = next(t, sp)
	if d := cmp.Diff([]string{"origin/1"}, ids); d != "" {
		t.Fatal(d)
	}
	o := found(t, splits[0], 300)
	if len(o.Tables) != 1 || o.Tables[0].Name != "b" {
		t.Fatalf("%v are new", o.Tables)
	}
	done(t, sp, splits[0], o)
	sp.state.Cuts = nil
	ids, splits = next(t, sp)
	if d := cmp.Diff([]string{"chunk/shop.a/1"}, ids); d != "" {
		t.Fatal(d)
	}
	var c chunk
	if err := json.Unmarshal(splits[0].State, &c); err != nil || c.Range.From == nil || c.Low.Pos != 300 ||
		c.Log.Columns[0].Type != "bigint(20)" {
		t.Errorf("%s %v", splits[0].State, err)
	}
	done(t, sp, splits[0], chunk{Pieces: []piece{{cdc.Span{From: key(int64(5))}, at(350)}}})
	ids, splits = next(t, sp)
	if d := cmp.Diff([]string{"log/1/0"}, ids); d != "" {
		t.Fatal(d)
	}
	if json.Unmarshal(splits[0].State, &f) != nil || f.At.Pos != 150 {
		t.Errorf("the log goes on at %v, want 150", f.At)
	}
}

// TestTableForm keeps every part of a table in its state.
func TestTableForm(t *testing.T) {
	value := "5"
	want, err := plugin.NewTable(plugin.Table{
		ID: plugin.TableID{Database: "shop", Name: "a"}, Version: 3, Key: []int{1}, KeyName: "PRIMARY", Comment: "about",
		Catalog: catalogName,
		Columns: []plugin.Column{
			{Name: "n", Type: plugin.DecimalOf(10, 2), NotNull: true, Default: &value, Comment: "c",
				SourceType: "decimal(10,2)"},
			{Name: "s", Type: plugin.TypeOf(plugin.String), Length: 20},
			{Name: "at", Type: plugin.Type{Kind: plugin.Timestamp, Scale: 3}},
		},
		Constraints: []plugin.Constraint{{Name: "u", Kind: plugin.UniqueKey,
			Columns: []plugin.ConstraintColumn{{Name: "n", Desc: true}}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	var form outTable
	if err := json.Unmarshal(encoded(t, formOf(want)), &form); err != nil {
		t.Fatal(err)
	}
	got, err := form.table(want.ID)
	if err != nil {
		t.Fatal(err)
	}
	if !got.Schema.Equal(want.Schema) {
		t.Error("the schemas differ")
	}
	got.Schema, want.Schema = nil, nil
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}
