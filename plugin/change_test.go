package plugin

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// columnsOf makes a table of "name type" columns; a ! behind the type forbids nulls.
func columnsOf(t *testing.T, text string) *Table {
	t.Helper()
	table := Table{ID: TableID{Name: "t"}}
	for _, part := range strings.Split(text, ",") {
		name, kind, _ := strings.Cut(strings.TrimSpace(part), " ")
		kind, notNull := strings.CutSuffix(kind, "!")
		types := map[string]Type{"int": {Kind: Int}, "long": {Kind: BigInt}, "text": {Kind: String}}
		table.Columns = append(table.Columns, Column{Name: name, Type: types[kind], NotNull: notNull})
	}
	made, err := NewTable(table)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func TestSteps(t *testing.T) {
	tests := []struct {
		name     string
		old, new string
		renamed  []Rename
		want     []string
	}{
		{"nothing", "a int, b int", "a int, b int", nil, nil},
		{"another order only", "a int, b int", "b int, a int", nil, nil},
		{"add last", "a int", "a int, b text", nil, []string{"add b after a, last"}},
		{"add two last", "a int", "a int, b text, c int", nil, []string{"add b after a, last", "add c after b, last"}},
		{"add first", "a int", "b text, a int", nil, []string{"add b first"}},
		{"add between", "a int, c int", "a int, b text, c int", nil, []string{"add b after a"}},
		{"drop", "a int, b int, c int", "b int", nil, []string{"drop a", "drop c"}},
		{"modify", "a int, b int", "a long, b int!", nil, []string{"modify a", "modify b"}},
		{"rename", "a int, b int", "a int, c int", []Rename{{"b", "c"}}, []string{"rename b to c"}},
		{"rename and modify", "a int", "b long!", []Rename{{"a", "b"}}, []string{"rename a to b", "modify b"}},
		{"drop and add tell no rename", "a int, b int", "a int, c int", nil, []string{"drop b", "add c after a, last"}},
		{"add in front of a renamed one", "a int, b int", "a int, x int, c int", []Rename{{"b", "c"}},
			[]string{"rename b to c", "add x after a"}},
		{"a new column takes the name of a renamed one", "a int", "b int, a text", []Rename{{"a", "b"}},
			[]string{"rename a to b", "add a after b, last"}},
		{"a renamed one takes the name of a dropped one", "a int, b int", "b int", []Rename{{"a", "b"}},
			[]string{"drop b", "rename a to b"}},
		{"renames that wait for one another", "a int, b int, c int", "b int, c int, d int",
			[]Rename{{"a", "b"}, {"b", "c"}, {"c", "d"}}, []string{"rename c to d", "rename b to c", "rename a to b"}},
		{"a circle", "a int, b int", "b int, a int", []Rename{{"a", "b"}, {"b", "a"}},
			[]string{"rename a to b", "rename b to a"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := SchemaChange{Old: columnsOf(t, tt.old), New: columnsOf(t, tt.new), Renamed: tt.renamed}
			var got []string
			for _, s := range c.Steps() {
				got = append(got, tell(s))
			}
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

func tell(s ColumnChange) string {
	text := s.Action.String() + " "
	switch s.Action {
	case AddColumn:
		if text += s.New.Name; s.After == "" {
			text += " first"
		} else {
			text += " after " + s.After
		}
		if s.Last {
			text += ", last"
		}
	case RenameColumn:
		text += s.Old.Name + " to " + s.New.Name
	case ModifyColumn:
		text += s.New.Name
	default:
		text += s.Old.Name
	}
	return text
}
