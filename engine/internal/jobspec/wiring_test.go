package jobspec

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/culvertdata/culvert/plugin"
)

func TestWiringErrors(t *testing.T) {
	for _, test := range []struct {
		name, text string
		want       []string
	}{
		{
			"producers without a name",
			`source { A {}, B { plugin_output = b } },
			transform { T { plugin_input = b } },
			sink { C { plugin_input = b } }`,
			[]string{
				"source[0]: The source/transform(A) is not configured with 'result_table_name' option",
				"transform[0]: The source/transform(T) is not configured with 'result_table_name' option",
			},
		},
		{
			"consumers without a name",
			`source { A { plugin_output = a } },
			transform { T { plugin_output = t } },
			sink { C {}, D { plugin_input = [a, t] } }`,
			[]string{
				"transform[0]: The transform/sink(T) is not configured with 'source_table_name' option",
				"sink[0]: The transform/sink(C) is not configured with 'source_table_name' option",
			},
		},
		{
			"one name space for sources and transforms",
			`source { A { plugin_output = a } }, transform { T { plugin_input = a, plugin_output = a } },
			sink { C { plugin_input = a }, D { plugin_input = a } }`,
			[]string{"transform[0]: The value of the 'result_table_name' option of the (T and A) plugins is both 'a', " +
				"and they must be different."},
		},
		{
			"unknown names",
			`source { A { plugin_output = a } }, transform { T { plugin_input = x, plugin_output = t } },
			sink { C { source_table_name = [a, y] }, D { plugin_input = t } }`,
			[]string{
				"transform[0].plugin_input: The 'source_table_name' option configured in [T] is incorrect, and the " +
					"source/transform[x] is not found.",
				"sink[0].source_table_name: The 'source_table_name' option configured in [C] is incorrect, and the " +
					"source/transform[y] is not found.",
			},
		},
		{
			"tables that nobody reads",
			`source { A { plugin_output = a }, B { plugin_output = b } },
			transform { T { plugin_input = a, plugin_output = t } },
			sink { C { plugin_input = a } }`,
			[]string{
				"source[1]: The 'source_table_name' option configured is incorrect, this table(b) belonging to " +
					"source/transform(B) is not used.",
				"transform[0]: The 'source_table_name' option configured is incorrect, this table(t) belonging to " +
					"source/transform(T) is not used.",
			},
		},
		{
			"two transforms in a circle, and one behind them",
			`source { A { plugin_output = a } }, transform {
				T { plugin_input = [a, u], plugin_output = t }, U { plugin_input = t, plugin_output = u }
				V { plugin_input = u, plugin_output = v } },
			sink { C { plugin_input = v } }`,
			[]string{
				"transform[0].plugin_input: the transform(T) reads, directly or through others, what it makes itself: a, u",
				"transform[1].plugin_input: the transform(U) reads, directly or through others, what it makes itself: t",
				"transform[2].plugin_input: the transform(V) reads, directly or through others, what it makes itself: u",
			},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			spec, err := Parse(tree(t, "env {}\n"+test.text))
			if err == nil {
				t.Error("no error")
			}
			if diff := cmp.Diff(test.want, texts(spec.Errors)); diff != "" {
				t.Errorf("errors (-want +got):\n%s", diff)
			}
		})
	}
}

func TestSimpleGraphIsTolerant(t *testing.T) {
	source, transform := Ref{plugin.SourceRole, 0}, Ref{plugin.TransformRole, 0}
	const wrong = "The 'source_table_name' option configured in [%s] is incorrect"
	for _, test := range []struct {
		name, text      string
		transform, sink Ref
		warnings        int
	}{
		{"no names", `source { A {} }, transform { T {} }, sink { C {} }`, source, transform, 0},
		{"right names",
			`source { A { plugin_output = a } },
			transform { T { plugin_input = a, plugin_output = t } },
			sink { C { plugin_input = t } }`,
			source, transform, 0},
		{"wrong names",
			`source { A { plugin_output = a } },
			transform { T { plugin_input = x, plugin_output = t } },
			sink { C { plugin_input = y } }`,
			source, transform, 2},
		{"only the transform has a name", `source { A {} }, transform { T { plugin_output = t } }, sink { C {} }`,
			source, transform, 0},
		{"the sink reads past the transform",
			`source { A { plugin_output = a } },
			transform { T { plugin_output = t } },
			sink { C { plugin_input = a } }`,
			source, source, 1},
		{"the same name twice: the later one",
			`source { A { plugin_output = a } },
			transform { T { plugin_input = a, plugin_output = a } },
			sink { C { plugin_input = a } }`,
			source, transform, 0},
		{"a wrong name beside a right one",
			`source { A { plugin_output = a } }, transform { T { plugin_input = [x, a] } }, sink { C {} }`,
			source, transform, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			spec, err := Parse(tree(t, "env {}\n"+test.text))
			if err != nil {
				t.Fatal(err)
			}
			if got := spec.Transforms[0].From; !cmp.Equal(got, []Ref{test.transform}) {
				t.Errorf("the transform reads %v", got)
			}
			if got := spec.Sinks[0].From; !cmp.Equal(got, []Ref{test.sink}) {
				t.Errorf("the sink reads %v", got)
			}
			if len(spec.Warnings) != test.warnings {
				t.Errorf("warnings: %v", texts(spec.Warnings))
			}
		})
	}
	spec, err := Parse(tree(t, `env {}, source { A {} }, sink { C { source_table_name = nowhere } }`))
	want := []string{"sink[0].source_table_name: The 'source_table_name' option configured in [C] is incorrect, and the " +
		"source/transform[nowhere] is not found."}
	if diff := cmp.Diff(want, texts(spec.Warnings)); diff != "" || err != nil {
		t.Errorf("warnings (-want +got):\n%s\n%v %s", diff, err, wrong)
	}
}

func TestTransformsInAnyOrder(t *testing.T) {
	spec, err := Parse(tree(t, `env {}, source { A { plugin_output = a } }, transform {
		T3 { plugin_input = t2, plugin_output = t3 }
		T2 { plugin_input = [a, t1], plugin_output = t2 }
		T1 { plugin_input = a, plugin_output = t1 }
	}, sink { C { plugin_input = t3 } }`))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := spec.TransformOrder(), []int{2, 1, 0}; !cmp.Equal(got, want) {
		t.Errorf("order %v, want %v", got, want)
	}
	if got := spec.Block(Ref{plugin.TransformRole, 1}).From; !cmp.Equal(got,
		[]Ref{{plugin.SourceRole, 0}, {plugin.TransformRole, 2}}) {
		t.Errorf("T2 reads %v", got)
	}
}
