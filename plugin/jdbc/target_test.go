package jdbc

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/config"
)

// sinkOptions decodes options as a job file would give them.
func sinkOptions(t *testing.T, pairs ...string) SinkOptions {
	t.Helper()
	v := config.Value{Kind: config.Object}.Set("url", config.TextValue("jdbc:x:y"))
	for i := 0; i < len(pairs); i += 2 {
		v = v.Set(pairs[i], config.TextValue(pairs[i+1]))
	}
	var o SinkOptions
	if ps := config.Decode(v, &o); ps.Err() != nil {
		t.Fatal(ps.Err())
	}
	return o
}

func TestTargetNames(t *testing.T) {
	tests := []struct {
		pairs   []string
		want    plugin.TableID
		columns []string
	}{
		{nil, plugin.TableID{Name: "Tab"}, []string{"a", "b", "größe"}},
		{[]string{"table", "other"}, plugin.TableID{Name: "other"}, []string{"a", "b", "größe"}},
		{[]string{"database", "${database_name}_x", "table", "${schema_name}.${table_name}"},
			plugin.TableID{Database: "db_x", Schema: "s", Name: "Tab"}, []string{"a", "b", "größe"}},
		{[]string{"tablePrefix", "p_", "tableSuffix", "_s", "schema", "public", "field_ide", "uppercase"},
			plugin.TableID{Schema: "public", Name: "P_TAB_S"}, []string{"A", "B", "GRÖSSE"}},
		{[]string{"table", "X.Y.Z", "field_ide", "LOWERCASE"}, plugin.TableID{Database: "X", Schema: "Y", Name: "z"},
			[]string{"a", "b", "größe"}},
	}
	for _, test := range tests {
		target, err := newTarget(sinkOptions(t, test.pairs...), abc(t))
		if err != nil {
			t.Errorf("%v: %v", test.pairs, err)
			continue
		}
		if target.ID != test.want {
			t.Errorf("%v: target %v, want %v", test.pairs, target.ID, test.want)
		}
		if test.pairs != nil && strings.EqualFold(test.pairs[len(test.pairs)-1], "uppercase") {
			test.columns[2] = strings.ToUpper("größe")
		}
		if d := cmp.Diff(test.columns, target.Columns); d != "" {
			t.Error(d)
		}
	}
}

func TestTargetErrors(t *testing.T) {
	twins := newTable(t, plugin.Table{Columns: []plugin.Column{{Name: "a"}, {Name: "A"}}})
	tests := []struct {
		table *plugin.Table
		pairs []string
		want  string
	}{
		{twins, []string{"field_ide", "UPPERCASE"}, "two columns are called A"},
		{abc(t), []string{"table", "a.b.c.d"}, "table: table path"},
		{abc(t), []string{"primary_keys", "a,c"}, `no column "c"`},
	}
	for _, test := range tests {
		if _, err := newTarget(sinkOptions(t, test.pairs...), test.table); err == nil ||
			!strings.Contains(err.Error(), test.want) {
			t.Errorf("%v: error %v, want %q", test.pairs, err, test.want)
		}
	}
}

func TestTargetKey(t *testing.T) {
	unique := *abc(t)
	unique.Constraints = []plugin.Constraint{
		{Name: "i", Kind: plugin.IndexKey, Columns: []plugin.ConstraintColumn{{Name: "a"}}},
		{Name: "u", Kind: plugin.UniqueKey, Columns: []plugin.ConstraintColumn{{Name: "größe"}, {Name: "b"}}},
	}
	tests := []struct {
		name  string
		table *plugin.Table
		keys  string
		want  []int
	}{
		{"none", abc(t), "", nil},
		{"the table's", abc(t, 1, 0), "", []int{1, 0}},
		{"the job's wins", abc(t, 1), "a,b", []int{0, 1}},
		{"a unique key", &unique, "", []int{2, 1}},
		{"a placeholder", abc(t, 1), "${primary_key}", []int{1}},
		{"a placeholder without a value", abc(t), "${primary_key}", nil},
		{"another placeholder", &unique, "${unique_key}", []int{2, 1}},
	}
	for _, test := range tests {
		target, err := newTarget(sinkOptions(t, "primary_keys", test.keys), test.table)
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		if d := cmp.Diff(test.want, target.Key); d != "" {
			t.Errorf("%s: %s", test.name, d)
		}
	}
}

func TestPlan(t *testing.T) {
	const i, u, v, d = plugin.Insert, plugin.UpdateBefore, plugin.UpdateAfter, plugin.Delete
	kinds := []plugin.RowKind{i, i, u, v, v, d, d, u, u, i}
	tests := []struct {
		name  string
		key   []int
		pairs []string
		want  []Run
	}{
		{"upserts", []int{0}, nil, []Run{{Upsert, 0, 2}, {Upsert, 3, 5}, {Delete, 5, 7}, {Upsert, 9, 10}}},
		{"no upserts", []int{0}, []string{"enable_upsert", "false"},
			[]Run{{Insert, 0, 2}, {Update, 3, 5}, {Delete, 5, 7}, {Insert, 9, 10}}},
		{"inserts", []int{0}, []string{"support_upsert_by_insert_only", "true"},
			[]Run{{Insert, 0, 2}, {Insert, 3, 5}, {Delete, 5, 7}, {Insert, 9, 10}}},
		{"no key", nil, nil, []Run{{Insert, 0, 10}}},
		{"a statement", []int{0}, []string{"query", "INSERT INTO x VALUES (?)"}, []Run{{Exec, 0, 10}}},
	}
	for _, test := range tests {
		target, err := newTarget(sinkOptions(t, test.pairs...), abc(t, test.key...))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(test.want, target.plan(10, kinds, nil)); diff != "" {
			t.Errorf("%s: %s", test.name, diff)
		}
		op, _ := target.op(plugin.Insert)
		if diff := cmp.Diff([]Run{{op, 0, 10}}, target.plan(10, nil, nil)); diff != "" {
			t.Errorf("%s, only inserts: %s", test.name, diff)
		}
	}
}

func TestCheckColumns(t *testing.T) {
	target, err := newTarget(sinkOptions(t), abc(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := target.checkColumns([]string{"B", "größe", "A", "more"}); err != nil {
		t.Error(err)
	}
	err = target.checkColumns([]string{"b"})
	if err == nil || !strings.Contains(err.Error(), "no column a, größe") {
		t.Errorf("error %v", err)
	}
}

func TestSourceOptionsAreChecked(t *testing.T) {
	item := config.Value{Kind: config.Object}.Set("table_path", config.TextValue("t"))
	tests := []struct {
		name  string
		block config.Value
		want  string
	}{
		{"nothing to read", config.Value{Kind: config.Object}, "one of query, table_path and table_list"},
		{"two ways", config.Value{Kind: config.Object}.Set("query", config.TextValue("SELECT 1")).
			Set("table_list", config.Value{Kind: config.List, Items: []config.Value{item}}),
			"together with query or table_path"},
		{"an empty element", config.Value{Kind: config.Object}.
			Set("table_list", config.Value{Kind: config.List, Items: []config.Value{{Kind: config.Object}}}),
			"needs a table_path"},
		{"no where", config.Value{Kind: config.Object}.Set("query", config.TextValue("SELECT 1")).
			Set("where_condition", config.TextValue("a > 1")), "must begin with WHERE"},
	}
	for _, test := range tests {
		var o SourceOptions
		err := config.Decode(test.block.Set("url", config.TextValue("jdbc:x:y")), &o).Err()
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: error %v, want %q", test.name, err, test.want)
		}
	}
}
