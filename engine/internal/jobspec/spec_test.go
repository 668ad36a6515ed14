package jobspec

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/config"
	"github.com/culvertdata/culvert/plugin/config/hocon"
)

func tree(t *testing.T, text string) config.Value {
	t.Helper()
	root, err := hocon.Parse([]byte(text), hocon.Options{})
	if err != nil {
		t.Fatalf("the test's job file: %v", err)
	}
	return root
}

// lines renders problems for comparison.
func lines(ps config.Problems) []string {
	var all []string
	for _, p := range ps {
		all = append(all, p.String())
	}
	return all
}

// texts renders problems without their positions.
func texts(ps config.Problems) []string {
	var all []string
	for _, p := range ps {
		p.Pos = config.Pos{}
		all = append(all, p.String())
	}
	return all
}

func TestParseBlocks(t *testing.T) {
	const text = `
env { parallelism = 2 }
source {
  FakeSource { result_table_name = "a", row.num = 5, parallelism = 3 }
  fakesource { plugin_output = "b" }
}
transform {
  Copy { source_table_name = "a", plugin_output = "c" }
}
sink {
  Console { source_table_name = ["c", "b"] }
  Kafka { plugin_input = "b,c" }
}`
	spec, err := Parse(tree(t, text))
	if err != nil {
		t.Fatal(err)
	}
	var got []Block
	for _, b := range spec.Blocks() {
		b.Config = config.Value{}
		got = append(got, *b)
	}
	source := func(i int) Ref { return Ref{plugin.SourceRole, i} }
	transform := func(i int) Ref { return Ref{plugin.TransformRole, i} }
	want := []Block{
		{Role: plugin.SourceRole, Index: 0, Plugin: "FakeSource", Output: "a", Parallelism: 3},
		{Role: plugin.SourceRole, Index: 1, Plugin: "fakesource", Output: "b"},
		{Role: plugin.TransformRole, Index: 0, Plugin: "Copy", Inputs: []string{"a"}, Output: "c", From: []Ref{source(0)}},
		{Role: plugin.SinkRole, Index: 0, Plugin: "Console", Inputs: []string{"c", "b"},
			From: []Ref{transform(0), source(1)}},
		{Role: plugin.SinkRole, Index: 1, Plugin: "Kafka", Inputs: []string{"b", "c"},
			From: []Ref{source(1), transform(0)}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("blocks (-want +got):\n%s", diff)
	}
	if len(spec.Errors) > 0 || len(spec.Warnings) > 0 {
		t.Errorf("problems: %v %v", spec.Errors, spec.Warnings)
	}
}

func TestBlockKeepsItsConfig(t *testing.T) {
	spec, err := Parse(tree(t, `env {}, source { FakeSource { row.num = 5, z = 1, a = [x] } }, sink { Console {} }`))
	if err != nil {
		t.Fatal(err)
	}
	want := `{"plugin_name":"FakeSource","row.num":5,"z":1,"a":["x"]}`
	got := spec.Sources[0].Config.JSON()
	if !strings.Contains(got, `"row.num":5,"z":1,"a":["x"]`) {
		t.Errorf("config = %s, want the order of %s", got, want)
	}
}

func TestParseShape(t *testing.T) {
	for _, test := range []struct {
		name, text string
		want       []string
	}{
		{
			"env is a text", `env = x, source { A {} }, sink { B {} }`,
			[]string{"env: must be an object, not a text"},
		},
		{
			"no source", `env {}, sink { B {} }`,
			[]string{"source: Source And Sink can not be null"},
		},
		{
			"empty lists", `env {}, source {}, sink = []`,
			[]string{"source: Source And Sink can not be null", "sink: Source And Sink can not be null"},
		},
		{
			"a list is a text", `env {}, source = FakeSource, sink { B {} }`,
			[]string{`source: must be a list of objects, each with a plugin_name, not a text: [{"plugin_name": "..."}]`},
		},
		{
			"no plugin name", `env {}, source = [{row.num = 5}], sink { B {} }`,
			[]string{"source[0]: The 'plugin_name' option is not configured, please configure it."},
		},
		{
			"empty plugin name", `env {}, source { A {} }, sink = [{plugin_name = " "}]`,
			[]string{"sink[0]: The 'plugin_name' option is not configured, please configure it."},
		},
		{
			"an element is no object", `env {}, source = [A], sink { B {} }`,
			[]string{"source[0]: must be an object, not a text"},
		},
		{
			"parallelism is no number", `env {}, source { A { parallelism = many } }, sink { B {} }`,
			[]string{`source[0].parallelism: must be a whole number of at most 64 bits, not "many"`},
		},
		{
			"parallelism is a slip of the pen", `env {}, source { A { parallelism = 2000000000 } }, sink { B {} }`,
			[]string{`source[0].parallelism: 2000000000 is too large, the most is 10000`},
		},
		{
			"an empty list of inputs", `env {}, source { A {} }, sink { B { source_table_name = [] } }`,
			[]string{"sink[0].source_table_name: names no dataset; name one or leave the option out"},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			spec, err := Parse(tree(t, test.text))
			if diff := cmp.Diff(test.want, texts(spec.Errors)); diff != "" {
				t.Errorf("errors (-want +got):\n%s", diff)
			}
			var ce *config.Error
			if !errors.As(err, &ce) {
				t.Fatalf("Parse = %v, want a *config.Error", err)
			}
			if diff := cmp.Diff(spec.Errors, ce.Problems); diff != "" {
				t.Errorf("the error's problems are not the spec's (-spec +error):\n%s", diff)
			}
		})
	}
}

func TestParseNoObject(t *testing.T) {
	for _, root := range []config.Value{{}, config.TextValue("x"), {Kind: config.List}} {
		spec, err := Parse(root)
		if err == nil || spec == nil || len(spec.Blocks()) != 0 {
			t.Errorf("Parse(%s) = %v, %v, want an empty spec and an error", root.Kind, spec, err)
		}
	}
}

func TestParseJSONObjectSource(t *testing.T) {
	text := `{"env": {}, "source": {"FakeSource": {}}, "sink": [{"plugin_name": "Console"}]}`
	root, err := hocon.Parse([]byte(text), hocon.Options{JSON: true})
	if err != nil {
		t.Fatal(err)
	}
	_, err = Parse(root)
	want := `source: must be a list of objects, each with a plugin_name, not an object: [{"plugin_name": "..."}]`
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("Parse = %v, want %s", err, want)
	}
	if strings.Contains(err.Error(), "can not be null") {
		t.Errorf("Parse = %v: a list that could not be read is not empty", err)
	}
}

func TestWarnings(t *testing.T) {
	for _, test := range []struct {
		name, text string
		want       []string
	}{
		{"none", `env {}, source { A {} }, sink { B {} }, tests {}`, nil},
		{
			"misspelt section", `env {}, source { A {} }, transforms { T {} }, sink { B {} }`,
			[]string{`transforms: is not a part of a job and has no effect; did you mean "transform"?`},
		},
		{
			"parallelism below 1", `env { parallelism = 0 }, source { A { parallelism = -1 } }, sink { B {} }`,
			[]string{
				"env.parallelism: 0 is below 1 and taken as 1",
				"source[0].parallelism: -1 is below 1 and taken as 1",
			},
		},
		{
			"parallelism of a sink", `env {}, source { A {} }, sink { B { parallelism = 2 } }`,
			[]string{"sink[0].parallelism: has no effect: a sink runs in the lanes of its sources"},
		},
		{
			"a dataset twice", `env {}, source { A { plugin_output = a } }, sink { B { plugin_input = [a, a] } }`,
			[]string{`sink[0].plugin_input: names "a" twice; it is read once`},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			spec, err := Parse(tree(t, test.text))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, texts(spec.Warnings)); diff != "" {
				t.Errorf("warnings (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAllProblemsAtOnce(t *testing.T) {
	const text = `env {
  job.mode = "xx"
  checkpoint.interval = 5
  checkpoint.intervall = 5000
}
source {
  A { result_table_name = t }
  B { result_table_name = t, parallelism = x }
}
sink {
  C { source_table_name = u }
  D { }
}`
	spec, err := Parse(tree(t, text))
	if err == nil {
		t.Fatal("no error")
	}
	want := []string{
		`2:14: env.job.mode: "xx" is not allowed; allowed: BATCH, STREAMING`,
		`3:25: env.checkpoint.interval: The minimum checkpoint interval is 10 mills.`,
		`7:5: source[0]: The 'source_table_name' option configured is incorrect, this table(t) belonging to ` +
			`source/transform(A) is not used.`,
		`8:5: source[1]: The value of the 'result_table_name' option of the (B and A) plugins is both 't', and they ` +
			`must be different.`,
		`8:44: source[1].parallelism: must be a whole number of at most 64 bits, not "x"`,
		`11:27: sink[0].source_table_name: The 'source_table_name' option configured in [C] is incorrect, and the ` +
			`source/transform[u] is not found.`,
		`12:5: sink[1]: The transform/sink(D) is not configured with 'source_table_name' option`,
	}
	if diff := cmp.Diff(want, lines(spec.Errors)); diff != "" {
		t.Errorf("errors (-want +got):\n%s", diff)
	}
	want = []string{
		`4:3: env.checkpoint.intervall: is not an option and has no effect; did you mean "checkpoint.interval"?`,
	}
	if diff := cmp.Diff(want, lines(spec.Warnings)); diff != "" {
		t.Errorf("warnings (-want +got):\n%s", diff)
	}
}
