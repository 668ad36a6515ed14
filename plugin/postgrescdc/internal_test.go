package postgrescdc

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/internal/cdc"
	"github.com/culvertdata/culvert/plugin/jdbc"
	"github.com/culvertdata/culvert/plugin/postgrescdc/internal/pgoutput"
)

func key(n int64) *jdbc.Key { return &jdbc.Key{Value: n} }

// TestPieces joins neighbours of one view, and finds the piece of a key.
func TestPieces(t *testing.T) {
	var pieces []piece
	for _, p := range []piece{
		{cdc.Span{From: key(10), To: key(20)}, 0}, {cdc.Span{To: key(10)}, 0},
		{cdc.Span{From: key(20), To: key(25), Through: true}, 0}, {cdc.Span{From: key(25), After: true, To: key(30)}, 1},
		{cdc.Span{From: key(30)}, 1}, {cdc.Span{Nulls: true}, 0},
	} {
		pieces = addPiece(pieces, p)
	}
	want := []piece{{cdc.Span{To: key(25), Through: true}, 0}, {cdc.Span{From: key(25), After: true}, 1},
		{cdc.Span{Nulls: true}, 0}}
	if d := cmp.Diff(want, pieces); d != "" {
		t.Fatal(d)
	}
	for n, at := range map[int64]int{-5: 0, 24: 0, 25: 0, 26: 1, 1 << 40: 1} {
		for i, p := range pieces {
			if p.holds(n) != (i == at) {
				t.Errorf("piece %d holds %d: %v", i, n, p.holds(n))
			}
		}
	}
}

// TestIdlePosition keeps what was put out of a transaction that is still to come again.
func TestIdlePosition(t *testing.T) {
	tests := []struct {
		name      string
		have      streamState
		inside    bool
		at        pgoutput.LSN
		from, end pgoutput.LSN
		rows      int64
	}{
		{"nothing under way", streamState{From: 10}, false, 30, 30, 0, 0},
		{"behind", streamState{From: 10}, false, 5, 10, 0, 0},
		{"inside a transaction", streamState{From: 10, Final: 50, Rows: 3}, true, 60, 10, 50, 3},
		{"before a transaction in part", streamState{From: 10, Final: 50, Rows: 3}, false, 30, 30, 50, 3},
		{"right before it", streamState{From: 10, Final: 50, Rows: 3}, false, 50, 50, 50, 3},
	}
	for _, test := range tests {
		s := &stream{state: test.have, inside: test.inside}
		s.idle(test.at)
		if got := s.state; got.From != test.from || got.Final != test.end || got.Rows != test.rows {
			t.Errorf("%s: %+v", test.name, got)
		}
	}
}

// TestRenamedFrom tells renames from columns that came and went.
func TestRenamedFrom(t *testing.T) {
	columns := func(text string) (all []pgoutput.Column) {
		for name := range strings.SplitSeq(text, " ") {
			name, number, _ := strings.Cut(name, ":")
			all = append(all, pgoutput.Column{Name: name, Type: uint32(len(number))})
		}
		return all
	}
	tests := []struct{ before, now, want string }{
		{"a b c", "a x c", " b "},
		{"a b c", "a b x", "  c"},
		{"a b c", "x b c", "a  "},
		{"a b c", "a x y", " b c"},
		{"a b c", "a b c d", "   "},
		{"a b c", "a c", " "},
		{"a b c", "a c d", "  "},
		{"a b:i c", "a x:ii c", "  "}, // of another type
		{"a b c d", "a x d", " b "},
	}
	for _, test := range tests {
		before, now := columns(test.before), columns(test.now)
		got := make([]string, len(now))
		for i := range now {
			got[i] = renamedFrom(before, now, i)
		}
		if strings.Join(got, " ") != test.want {
			t.Errorf("%s -> %s: renamed from %q, want %q", test.before, test.now, got, test.want)
		}
	}
}

// TestPresentColumns finds columns of the log in the table as it is now, most of them by their numbers.
func TestPresentColumns(t *testing.T) {
	const text, number = 25, 23
	table, err := plugin.NewTable(plugin.Table{ID: plugin.TableID{Name: "t"}, Columns: []plugin.Column{
		{Name: "a", Type: plugin.TypeOf(plugin.String)}, {Name: "b", Type: plugin.TypeOf(plugin.String)}}})
	if err != nil {
		t.Fatal(err)
	}
	r := &relation{fields: []field{{at: 0}, {at: 1}}, Relation: &pgoutput.Relation{
		Columns: []pgoutput.Column{{Name: "a", Type: text}, {Name: "b", Type: text}}}}
	type columns = map[string]presentColumn
	tests := []struct {
		name    string
		numbers []int
		now     columns
		want    string // error: neither a name nor gone
	}{
		{"as it was", []int{1, 2}, columns{"a": {1, text}, "b": {2, text}}, "b"},
		{"renamed", []int{1, 2}, columns{"a": {1, text}, "c": {2, text}}, "c"},
		{"exchanged", []int{1, 2}, columns{"b": {1, text}, "a": {2, text}}, "a"},
		{"dropped", []int{1, 2}, columns{"a": {1, text}, "c": {3, text}}, ""},
		{"its name is another's now", []int{1, 2}, columns{"b": {1, text}}, ""},
		{"made anew", []int{1, 2}, columns{"a": {1, text}, "b": {3, text}}, "b"},
		{"made anew of another type", []int{1, 2}, columns{"a": {1, text}, "b": {3, number}}, ""},
		{"not known", []int{1, 0}, columns{"a": {1, text}, "b": {2, text}}, "b"},
		{"not known and of another type", []int{0, 0}, columns{"a": {1, text}, "b": {2, number}}, "b"},
		{"not known and gone", []int{1, 0}, columns{"a": {1, text}, "c": {3, number}}, ""},
		{"not known and gone, all others are known", []int{1, 0}, columns{"b": {1, text}}, ""},
		{"not known, perhaps renamed", []int{1, 0}, columns{"a": {1, text}, "c": {2, text}}, "error"},
	}
	for _, test := range tests {
		now := present{names: map[int]string{}, columns: test.now}
		for name, c := range test.now {
			now.names[c.number] = name
		}
		got, err := now.find(&target{out: table, numbers: test.numbers}, r, 1)
		if err != nil {
			got = "error"
		}
		if got != test.want {
			t.Errorf("%s: %q (%v), want %q", test.name, got, err, test.want)
		}
	}
}

// TestLastNumber finds how far the numbers of columns had gone, from a catalog that is further.
func TestLastNumber(t *testing.T) {
	column := func(text string) pgoutput.Column {
		name, kind, _ := strings.Cut(text, ":")
		return pgoutput.Column{Name: name, Type: uint32(len(kind))}
	}
	tests := []struct {
		name, now, old, catalog string // the catalog's columns in the order of their numbers, - for one that is gone
		last, want              int
	}{
		{"nothing new", "a b", "a b", "a b", 2, 2},
		{"new", "a b c", "a b", "a b c", 2, 3},
		{"new, and one more since then", "a b c", "a b", "a b c d", 2, 3},
		{"new, renamed since then", "a b c", "a b", "a b x", 2, 3},
		{"new, renamed since then, and one more", "a b c", "a b", "a b x d", 2, 3},
		{"new, dropped since then", "a b c", "a b", "a b -", 2, 3},
		{"new, replaced since then", "a b c", "a b", "a b - x", 2, 3},
		{"new, replaced by one of its name since then", "a b c", "a b", "a b - c:i", 2, 3},
		{"old, replaced by one of its name since then", "a b c", "a b c", "a b - c:i", 3, 3},
		{"two new, the first one renamed since then", "a b c d", "a b", "a b x d", 2, 4},
		{"two new, both renamed since then", "a b c d", "a b", "a b x y z", 2, 4},
		{"a table with gaps", "a b c", "a b", "a - b - x", 4, 5},
		{"renamed before and since then", "a x", "a x", "a y z", 2, 2},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var now []pgoutput.Column
			for name := range strings.FieldsSeq(test.now) {
				now = append(now, column(name))
			}
			details, numbers := map[string]detail{}, []int{}
			for i, text := range strings.Fields(test.catalog) {
				numbers = append(numbers, i+1)
				if c := column(text); text != "-" {
					details[c.Name] = detail{number: i + 1, same: slices.ContainsFunc(now, func(o pgoutput.Column) bool { return sameColumn(o, c) })}
				}
			}
			isOld := func(c pgoutput.Column) bool { return slices.Contains(strings.Fields(test.old), c.Name) }
			if got := lastNumber(test.last, now, isOld, details, numbers); got != test.want {
				t.Errorf("got %d, want %d", got, test.want)
			}
		})
	}
}

// TestTableForm keeps a table through a checkpoint; one that is as planned is the planned one itself.
func TestTableForm(t *testing.T) {
	text := "7"
	planned, err := plugin.NewTable(plugin.Table{
		ID: plugin.TableID{Database: "d", Schema: "s", Name: "t"}, Key: []int{0}, KeyName: "pk", Comment: "c",
		Catalog: "PostgreSQL",
		Columns: []plugin.Column{
			{Name: "id", Type: plugin.TypeOf(plugin.Int), NotNull: true, SourceType: "integer"},
			{Name: "a", Type: plugin.ArrayOf(plugin.DecimalOf(10, 2)), Default: &text, Length: 5, Comment: "x"},
		},
		Constraints: []plugin.Constraint{{Name: "u", Kind: plugin.UniqueKey,
			Columns: []plugin.ConstraintColumn{{Name: "a", Desc: true}}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(formOf(planned))
	if err != nil {
		t.Fatal(err)
	}
	form, err := cdc.Decode[tableForm]("a table", data)
	if err != nil {
		t.Fatal(err)
	}
	same, err := form.make(planned)
	if err != nil || same != planned {
		t.Errorf("not the planned table: %v", err)
	}
	other, err := form.make(nil)
	if d := cmp.Diff(formOf(planned), formOf(other)); d != "" || err != nil {
		t.Error(d, err)
	}
}

// TestStates reads the states that a released version wrote.
func TestStates(t *testing.T) {
	const written = `{"from":"16/B374D848","final":"16/B374D900","rows":12,"tables":[{"out":{"id":{"Database":"d","Schema":"s","Name":"t"},
		"version":3,"columns":[{"Name":"id","Type":{"Kind":5}}],"key":[0]},"log":[{"name":"id","key":true,"type":23,"mod":-1}],"number":4,
		"pieces":[{"to":{"i":"7"},"through":true,"view":0}]}],"views":[{"snapshot":"1:2:","end":"16/B374D848"}]}`
	st, err := cdc.Decode[streamState]("the stream", []byte(written))
	if err != nil {
		t.Fatal(err)
	}
	want := streamState{From: 0x16B374D848, Final: 0x16B374D900, Rows: 12,
		Views: []viewState{{Snapshot: "1:2:", End: 0x16B374D848}},
		Tables: []tableState{{
			Out: tableForm{ID: plugin.TableID{Database: "d", Schema: "s", Name: "t"}, Version: 3, Key: []int{0},
				Columns: []plugin.Column{{Name: "id", Type: plugin.TypeOf(plugin.Int)}}},
			Log: []pgoutput.Column{{Name: "id", Key: true, Type: 23, Mod: -1}}, Number: 4,
			Pieces: []piece{{cdc.Span{To: key(7), Through: true}, 0}},
		}}}
	if d := cmp.Diff(want, st); d != "" {
		t.Error(d)
	}
	if _, err := cdc.Decode[streamState]("the stream", []byte("{")); err == nil {
		t.Error("a broken state is no error")
	}
}
