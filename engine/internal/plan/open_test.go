package plan

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/culvertdata/culvert/plugin"
)

func TestTransformInstances(t *testing.T) {
	w := &world{}
	p, err := tryBuild(t, w, `source { Tables { tables = ["a:id bigint", "b:id bigint"] } }
	transform { Shape { drop = b, add = x } }, sink { Multi { path = x } }`)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(w.closed, "Transform[0]-Shape") {
		t.Error("the transform of the plan is still open")
	}
	v := vertices(p)["Transform[0]-Shape"]
	source := vertices(p)["Source[0]-Tables"]
	if out, ok := v.Derived[source.Tables[1]]; !ok || out != nil {
		t.Errorf("a dropped table: %v, %v", out, ok)
	}
	if out := v.Derived[source.Tables[0]]; out != v.Tables[0] {
		t.Errorf("a kept table is derived to %v", out)
	}
	one, err := v.NewTransform(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	two, err := v.NewTransform(t.Context())
	if err != nil || one == two {
		t.Errorf("two lanes share a transform (%v)", err)
	}
}

func TestUnion(t *testing.T) {
	p := build(t, `source {
		Tables { tables = [":id bigint"], plugin_output = a }
		Tables { tables = [":id bigint"], plugin_output = b }
	}
	transform { Shape { add = x, plugin_input = [a, b], plugin_output = c } }
	sink {
		Multi { path = x, plugin_input = [b, a] }
		Single { path = x, plugin_input = [a, b] }
		Single { path = x, plugin_input = c }
	}`)
	all := vertices(p)
	a, b := all["Source[0]-Tables"].Tables[0], all["Source[1]-Tables"].Tables[0]
	for _, test := range []struct {
		vertex   string
		from, as *plugin.Table
	}{
		{"Sink[0]-Multi-b", b, b}, {"Sink[0]-Multi-b", a, b},
		{"Sink[1]-Single-a", a, a}, {"Sink[1]-Single-a", b, a},
	} {
		v := all[test.vertex]
		if i, as, ok := v.Route(test.from); i != 0 || as != test.as || !ok {
			t.Errorf("%s: Route(%s) = %d, %v, %v, want table %s", test.vertex, test.from.ID, i, as, ok, test.as.ID)
		}
		if got := v.Sinks[0].Env.Inputs; len(got) != 1 || got[0] != test.as {
			t.Errorf("%s is told of %s", test.vertex, paths(got))
		}
	}
	changed, err := table("a:id bigint, new string", plugin.TableID{})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, ok := all["Sink[0]-Multi-b"].Route(changed); ok {
		t.Error("a table that changed behind a union is taken")
	}
	union := all["Transform[0]-Shape"]
	if len(union.Tables) != 1 || union.Derived[a] != union.Tables[0] || union.Derived[b] != union.Tables[0] {
		t.Errorf("the union's tables: %s, from a %p, from b %p", paths(union.Tables), union.Derived[a], union.Derived[b])
	}
	if got := all["Sink[2]-Single-a"].Tables; len(got) != 1 || got[0] != union.Tables[0] {
		t.Errorf("behind the union: %s", paths(got))
	}
}

func TestTablesThatBecomeOne(t *testing.T) {
	p := build(t, `source { Tables { tables = ["db.a:id bigint", "db.b:id bigint"] } }
	transform { Shape { rename = one } }, sink { Single { path = x } }`)
	v := vertices(p)["Transform[0]-Shape"]
	in := v.Inputs[0].Tables
	if len(v.Tables) != 1 || v.Derived[in[0]] != v.Derived[in[1]] {
		t.Errorf("tables: %s", paths(v.Tables))
	}
}

func TestRoute(t *testing.T) {
	p := build(t, `source { Tables { tables = ["db.a:id bigint", "db.b:id bigint"], plugin_output = s } }
	sink { Multi { path = x, plugin_input = s }, Single { path = x, plugin_input = s } }`)
	multi, single := vertices(p)["Sink[0]-Multi-MultiTableSink"], vertices(p)["Sink[1]-Single"]
	for i, table := range single.Tables {
		if got, as, ok := multi.Route(table); got != 0 || as != table || !ok {
			t.Errorf("multi: Route(%s) = %d, %v, %v", table.ID, got, as, ok)
		}
		if got, as, ok := single.Route(table); got != i || as != table || !ok {
			t.Errorf("single: Route(%s) = %d, %v, %v", table.ID, got, as, ok)
		}
	}
	changed, err := table("db.b:id bigint, new string", plugin.TableID{})
	if err != nil {
		t.Fatal(err)
	}
	if got, as, ok := single.Route(changed); got != 1 || as != changed || !ok {
		t.Errorf("a changed table: Route = %d, %v, %v", got, as, ok)
	}
	stranger, err := table("db.c:id bigint", plugin.TableID{})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, ok := single.Route(stranger); ok {
		t.Error("a stranger is routed")
	}
}

func TestPlaceholders(t *testing.T) {
	p := build(t, `source { Tables { tables = ["db.a:id bigint, n string", "db.b:key bigint"], plugin_output = s } }
	sink {
		Single {
			plugin_input = s
			path = "/out/${database_name}/${table_name}/${schema_name:none}/${now}"
			primary_keys = ["${primary_key}"]
			nested { path = "${table_name}" }
		}
		Single { plugin_input = s, path = x, primary_keys = ["${primary_key}", other] }
		Multi { plugin_input = s, path = "/${table_name}", primary_keys = ["${primary_key}"] }
	}`)
	all := vertices(p)
	type instance struct {
		Name, Path string
		Keys       []string
		Nested     string
		Inputs     string
	}
	var got []instance
	for _, name := range []string{"Sink[0]-Single", "Sink[1]-Single", "Sink[2]-Multi-MultiTableSink"} {
		for _, s := range all[name].Sinks {
			o := s.Sink.(*sink).options
			got = append(got, instance{s.Name, o.Path, o.Keys, o.Nested.Path, paths(s.Env.Inputs)})
			if s.Env.Vertex != s.Name {
				t.Errorf("%s is told that it is %s", s.Name, s.Env.Vertex)
			}
		}
	}
	want := []instance{
		{"Sink[0]-Single-db.a", "/out/db/a/none/${now}", []string{"id"}, "${table_name}", "db.a(id,n)"},
		{"Sink[0]-Single-db.b", "/out/db/b/none/${now}", []string{"key"}, "${table_name}", "db.b(key)"},
		{"Sink[1]-Single-db.a", "x", []string{"${primary_key}", "other"}, "", "db.a(id,n)"},
		{"Sink[1]-Single-db.b", "x", []string{"${primary_key}", "other"}, "", "db.b(key)"},
		{"Sink[2]-Multi-MultiTableSink", "/${table_name}", []string{"${primary_key}"}, "", "db.a(id,n) db.b(key)"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("instances (-want +got):\n%s", diff)
	}
}

func TestPlaceholderProblemsNameTheTable(t *testing.T) {
	_, err := tryBuild(t, &world{}, `source { Tables { tables = ["db.7:id bigint", "db.b:id bigint"] } },
	sink { Single { path = "${table_name}" } }`)
	want := []string{`sink[0].path: for table db.7: "7" begins with a digit`}
	if diff := cmp.Diff(want, problemTexts(err)); diff != "" {
		t.Errorf("problems of %v (-want +got):\n%s", err, diff)
	}
}
