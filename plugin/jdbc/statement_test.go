package jdbc

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/culvertdata/culvert/plugin"
)

func newTable(t *testing.T, tab plugin.Table) *plugin.Table {
	t.Helper()
	made, err := plugin.NewTable(tab)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// abc is a table with the columns a, b and größe.
func abc(t *testing.T, key ...int) *plugin.Table {
	return newTable(t, plugin.Table{ID: plugin.TableID{Database: "db", Schema: "s", Name: "Tab"}, Columns: []plugin.Column{
		{Name: "a", Type: plugin.TypeOf(plugin.Int)}, {Name: "b", Type: plugin.TypeOf(plugin.String)},
		{Name: "größe", Type: plugin.TypeOf(plugin.Double)}}, Key: key})
}

func TestParseStatement(t *testing.T) {
	tests := []struct {
		sql, want string
		columns   []int
	}{
		{"INSERT INTO t VALUES (?, ?, ?)", "INSERT INTO t VALUES ($1, $2, $3)", []int{0, 1, 2}},
		{"?", "$1", []int{0}},
		{"UPDATE t SET x = :b WHERE y = :a AND z = :a", "UPDATE t SET x = $1 WHERE y = $2 AND z = $3", []int{1, 0, 0}},
		{":größe", "$1", []int{2}},
		{"VALUES (?, '?', \"?\", `?`, ':b') -- ?\n, ? /* ? */", "VALUES ($1, '?', \"?\", `?`, ':b') -- ?\n, $2 /* ? */",
			[]int{0, 1}},
		{"VALUES (:a::int, 'it''s :b', '10:30:00')", "VALUES ($1::int, 'it''s :b', '10:30:00')", []int{0}},
		{"VALUES (?) -- no end", "VALUES ($1) -- no end", []int{0}},
		{"VALUES (?, 'no end ?", "VALUES ($1, 'no end ?", []int{0}},
		{"a ? : b", "a $1 : b", []int{0}},
	}
	for _, test := range tests {
		s, err := parseStatement(test.sql, abc(t))
		if err != nil {
			t.Errorf("%s: %v", test.sql, err)
			continue
		}
		if got := s.Render(func(n int) string { return fmt.Sprintf("$%d", n) }); got != test.want {
			t.Errorf("%s became %s, want %s", test.sql, got, test.want)
		}
		if d := cmp.Diff(test.columns, s.Columns); d != "" {
			t.Errorf("%s: %s", test.sql, d)
		}
	}
}

func TestParseStatementErrors(t *testing.T) {
	tests := []struct{ sql, want string }{
		{"INSERT INTO t VALUES (1)", "no parameters"},
		{"INSERT INTO t VALUES (?, ?, ?, ?)", "4 parameters for 3 columns"},
		{"INSERT INTO t VALUES (?, :a)", "both ? and :name"},
		{"INSERT INTO t VALUES (:c)", `no column "c"`},
	}
	for _, test := range tests {
		if _, err := parseStatement(test.sql, abc(t)); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: error %v, want %q", test.sql, err, test.want)
		}
	}
}
