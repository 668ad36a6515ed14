package plan

import (
	"context"
	"errors"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/culvertdata/culvert/engine/internal/jobspec"
	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/config"
)

func TestBuildGraphs(t *testing.T) {
	for _, test := range []struct {
		name, text string
		want       []string
	}{
		{
			"simple",
			`source { Tables { tables = [":id bigint"], parallelism = 3 } }
			sink { multi { path = x } }`,
			[]string{
				"1/1 Source[0]-Tables x3 <-[] default.default.default(id)",
				"1/2 Sink[0]-multi-MultiTableSink x3 <-[1] default.default.default(id)",
			},
		},
		{
			"the user's spelling and the dataset's name",
			`env { parallelism = 2 }
			source { TABLES { tables = [":id bigint"], result_table_name = fake } }
			transform { shape { add = a } }
			sink { single { path = x } }`,
			[]string{
				"1/1 Source[0]-TABLES x2 <-[] fake(id)",
				"1/2 Transform[0]-shape x2 <-[1] fake(id,a)",
				"1/3 Sink[0]-single-fake x2 <-[2] fake(id,a)",
			},
		},
		{
			"fan-out",
			`source { Tables { tables = ["db.t:id bigint"], plugin_output = a, parallelism = 2 } }
			transform { Shape { add = x, plugin_input = a, plugin_output = b } }
			sink {
				Multi { path = x, plugin_input = a }
				Single { path = x, plugin_input = b }
				Multi { path = x, plugin_input = b }
			}`,
			[]string{
				"1/1 Source[0]-Tables x2 <-[] db.t(id)",
				"1/2 Transform[0]-Shape x2 <-[1] db.t(id,x)",
				"1/3 Sink[0]-Multi-MultiTableSink x2 <-[1] db.t(id)",
				"1/4 Sink[1]-Single-db.t x2 <-[2] db.t(id,x)",
				"1/5 Sink[2]-Multi-MultiTableSink x2 <-[2] db.t(id,x)",
			},
		},
		{
			"union of sources, and a sink of its own",
			`source {
				Tables { tables = [":id bigint"], plugin_output = fake, parallelism = 3 }
				Tables { tables = [":id bigint"], plugin_output = fake2, parallelism = 2 }
			}
			sink {
				Multi { path = x, plugin_input = [fake, fake2] }
				Multi { path = x, plugin_input = fake }
			}`,
			[]string{
				"1/1 Source[0]-Tables x3 <-[] fake(id)",
				"1/2 Source[1]-Tables x2 <-[] fake2(id)",
				"1/3 Sink[0]-Multi-fake x5 <-[1 2] fake(id)",
				"1/4 Sink[1]-Multi-MultiTableSink x3 <-[1] fake(id)",
			},
		},
		{
			"unrelated parts, numbered by their first sources",
			`source {
				Tables { tables = ["a:id bigint"], plugin_output = a }
				Tables { tables = ["b:id bigint"], plugin_output = b }
				Tables { tables = ["c:id bigint"], plugin_output = c }
			}
			sink {
				Single { path = x, plugin_input = b }
				Single { path = x, plugin_input = [a, c] }
			}`,
			[]string{
				"1/1 Source[0]-Tables x1 <-[] a(id)",
				"1/2 Source[2]-Tables x1 <-[] c(id)",
				"1/3 Sink[1]-Single-a x2 <-[1 2] a(id)",
				"2/4 Source[1]-Tables x1 <-[] b(id)",
				"2/5 Sink[0]-Single-b x1 <-[4] b(id)",
			},
		},
		{
			"transforms in any order",
			`source { Tables { tables = ["t:id bigint"], plugin_output = a } }
			transform {
				Shape { add = y, plugin_input = b, plugin_output = c }
				Shape { add = x, plugin_input = a, plugin_output = b }
			}
			sink { Single { path = x, plugin_input = c } }`,
			[]string{
				"1/1 Source[0]-Tables x1 <-[] t(id)",
				"1/2 Transform[1]-Shape x1 <-[1] t(id,x)",
				"1/3 Transform[0]-Shape x1 <-[2] t(id,x,y)",
				"1/4 Sink[0]-Single-t x1 <-[3] t(id,x,y)",
			},
		},
		{
			"several tables through a transform into both kinds of sinks",
			`source { Tables { tables = ["db.a:id bigint", "db.b:id bigint, n string"], plugin_output = s } }
			transform { Shape { add = x, plugin_input = s, plugin_output = t } }
			sink {
				Multi { path = x, plugin_input = t }
				Single { path = x, plugin_input = t }
			}`,
			[]string{
				"1/1 Source[0]-Tables x1 <-[] db.a(id) db.b(id,n)",
				"1/2 Transform[0]-Shape x1 <-[1] db.a(id,x) db.b(id,n,x)",
				"1/3 Sink[0]-Multi-MultiTableSink x1 <-[2] db.a(id,x) db.b(id,n,x)",
				"1/4 Sink[1]-Single x1 <-[2] db.a(id,x) db.b(id,n,x)",
			},
		},
		{
			"a transform that the sink reads past is left out",
			`source { Tables { tables = ["t:id bigint"], plugin_output = a } }
			transform { Shape { add = x, plugin_output = b } }
			sink { Single { path = x, plugin_input = a } }`,
			[]string{
				"1/1 Source[0]-Tables x1 <-[] t(id)",
				"1/2 Sink[0]-Single-t x1 <-[1] t(id)",
			},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, render(build(t, test.text))); diff != "" {
				t.Errorf("plan (-want +got):\n%s", diff)
			}
		})
	}
}

func TestOptionsParallelism(t *testing.T) {
	w := &world{}
	spec := &jobspec.Spec{
		Env: jobspec.Env{Parallelism: 4},
		Sources: []jobspec.Block{{Role: plugin.SourceRole, Plugin: "Tables", Config: object(
			"tables", config.Value{Kind: config.List, Items: []config.Value{config.TextValue("t:id bigint")}})}},
		Sinks: []jobspec.Block{{Role: plugin.SinkRole, Plugin: "Single", From: []jobspec.Ref{{}},
			Config: object("path", config.TextValue("x"))}},
	}
	for _, test := range []struct{ option, own, want int }{{0, 0, 4}, {2, 0, 2}, {2, 3, 3}} {
		spec.Sources[0].Parallelism = test.own
		p, err := Build(t.Context(), Options{Spec: spec, Registry: plugin.NewRegistry(w.plugins),
			Parallelism: test.option})
		if err != nil {
			t.Fatal(err)
		}
		if got := p.Pipelines[0].Sources()[0].Parallelism; got != test.want {
			t.Errorf("Parallelism %d, own %d: %d lanes, want %d", test.option, test.own, got, test.want)
		}
	}
}

func object(key string, v config.Value) config.Value {
	return config.Value{Kind: config.Object, Members: []config.Member{{Key: key, Value: v}}}
}

func TestBuildErrors(t *testing.T) {
	const two = `source {
		Tables { tables = ["a:id bigint"], plugin_output = a }
		Tables { tables = ["b:id string"], plugin_output = b }
	}`
	for _, test := range []struct {
		name, text string
		want       []string
	}{
		{
			"two structures in a sink",
			two + `
			sink { Multi { path = x, plugin_input = [a, b] } }`,
			[]string{"sink[0]: Transform/Sink don't support processing data with two different structures."},
		},
		{
			"two structures in a transform",
			two + `
			transform { Shape { plugin_input = [a, b], plugin_output = c } }
			sink { Multi { path = x, plugin_input = c } }`,
			[]string{"transform[0]: Transform/Sink don't support processing data with two different structures."},
		},
		{
			"several tables and another input in a sink",
			`source {
				Tables { tables = ["a:id bigint", "c:id bigint"], plugin_output = a }
				Tables { tables = ["b:id bigint"], plugin_output = b }
			}
			sink { Multi { path = x, plugin_input = [b, a] } }`,
			[]string{"sink[0]: Sink don't support simultaneous writing of data from multi-table source and other sources."},
		},
		{
			"several tables and another input in a transform",
			`source {
				Tables { tables = ["a:id bigint", "c:id bigint"], plugin_output = a }
				Tables { tables = ["b:id bigint"], plugin_output = b }
			}
			transform { Shape { plugin_input = [b, a], plugin_output = t } }
			sink { Multi { path = x, plugin_input = t } }`,
			[]string{"transform[0]: Adding transform to multi-table source is not supported."},
		},
		{
			"tables that become one with other columns",
			`source { Tables { tables = ["a:id bigint", "b:id string"] } }
			transform { Shape { rename = one } }
			sink { Multi { path = x } }`,
			[]string{"transform[0]: Transform/Sink don't support processing data with two different structures."},
		},
		{
			"two tables of one name",
			`source { Tables { tables = ["a:id bigint", "a:id bigint"] } }, sink { Multi { path = x } }`,
			[]string{"source[0]: the source has two tables named a; give each a name of its own"},
		},
		{
			"nothing left",
			`source { Tables { tables = ["a:id bigint"] } }, transform { Shape { drop = all } }, sink { Multi { path = x } }`,
			[]string{"transform[0]: the transform drops every table"},
		},
		{
			"unknown plugins",
			`source { Tabels {} }, transform { Sql {} }, sink { Hologram {} }`,
			[]string{
				"source[0].plugin_name: Plugin PluginIdentifier{engineType='seatunnel', pluginType='source', " +
					`pluginName='Tabels'} not found. Did you mean "Tables"? Known here: Stream, Tables.`,
				"transform[0].plugin_name: Plugin PluginIdentifier{engineType='seatunnel', pluginType='transform', " +
					`pluginName='Sql'} not found. Known here: Shape.`,
				"sink[0].plugin_name: Plugin PluginIdentifier{engineType='seatunnel', pluginType='sink', " +
					`pluginName='Hologram'} not found. Known here: Commits, Keyed, Multi, Single.`,
			},
		},
		{
			"a source that only streams in a batch job",
			`source { stream { tables = ["a:id bigint"] } }, sink { Multi { path = x } }`,
			[]string{"source[0]: 'Stream' source don't support off-line job."},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := &world{}
			_, err := tryBuild(t, w, test.text)
			if diff := cmp.Diff(test.want, problemTexts(err)); diff != "" {
				t.Errorf("problems of %v (-want +got):\n%s", err, diff)
			}
			slices.Sort(w.opened)
			slices.Sort(w.closed)
			if diff := cmp.Diff(w.opened, w.closed); diff != "" {
				t.Errorf("opened, not closed (-opened +closed):\n%s", diff)
			}
		})
	}
}

// problemTexts returns the problems of a *config.Error without their positions.
func problemTexts(err error) []string {
	var ce *config.Error
	if !errors.As(err, &ce) {
		return nil
	}
	var texts []string
	for _, p := range ce.Problems {
		p.Pos = config.Pos{}
		texts = append(texts, p.String())
	}
	return texts
}

func TestStreamingJobs(t *testing.T) {
	p := build(t, `env { job.mode = STREAMING }
		source { Stream { tables = ["a:id bigint"] } }, sink { Multi { path = x } }`)
	if v := p.Pipelines[0].Sources()[0]; v.Replays {
		t.Error("a volatile source replays")
	}
	p = build(t, `env { job.mode = STREAMING }
		source { Tables { tables = ["a:id bigint"] } }, sink { Multi { path = x } }`)
	if v := p.Pipelines[0].Sources()[0]; !v.Replays {
		t.Error("a source that is not volatile doesn't replay")
	}
}

func TestAllProblemsAtOnce(t *testing.T) {
	_, err := tryBuild(t, &world{}, `env {
  job.mode = xx
}
source {
  Tables { result_table_name = a, row.num = 0, tables = ["t:id bigint"] }
  Nope { result_table_name = b }
}
sink {
  Multi { source_table_name = c, limit = much }
  Single { source_table_name = [a, b] }
}`)
	if err == nil {
		t.Fatal("no error")
	}
	want := []string{
		`2:14: env.job.mode: "xx" is not allowed; allowed: BATCH, STREAMING`,
		`5:45: source[0].row.num: 0 is too small, the least is 1`,
		`6:8: source[1].plugin_name: Plugin PluginIdentifier{engineType='seatunnel', pluginType='source', ` +
			`pluginName='Nope'} not found. Known here: Stream, Tables.`,
		`9:9: sink[0].path: is required: Where to write.`,
		`9:31: sink[0].source_table_name: The 'source_table_name' option configured in [Multi] is incorrect, and the ` +
			`source/transform[c] is not found.`,
		`9:42: sink[0].limit: must be a whole number of at most 64 bits, not "much"`,
		`10:10: sink[1].path: is required: Where to write.`,
	}
	if diff := cmp.Diff(want, strings.Split(err.Error(), "\n")); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
}

func TestIndependentFailuresComeTogether(t *testing.T) {
	w := &world{}
	_, err := tryBuild(t, w, `source {
		Tables { fail = "no answer", plugin_output = a }
		Tables { plugin_output = b }
		Tables { tables = ["c:id bigint"], plugin_output = c }
	}
	transform {
		Shape { need = x, plugin_input = c, plugin_output = d }
		Shape { need = x, plugin_input = a, plugin_output = e }
	}
	sink {
		Single { path = x, plugin_input = d }
		Single { path = x, plugin_input = e }
		Single { path = x, plugin_input = b }
		Single { path = x, fail = true, plugin_input = c }
	}`)
	if err == nil {
		t.Fatal("no error")
	}
	want := []string{
		"Source[0]-Tables: no answer",
		"Source[1]-Tables: the source has no table",
		"Transform[0]-Shape: table c: cannot find input field x",
		"Sink[3]-Single-c: no luck",
	}
	if diff := cmp.Diff(want, strings.Split(err.Error(), "\n")); diff != "" {
		t.Errorf("errors (-want +got):\n%s", diff)
	}
	var pe *plugin.Error
	if !errors.As(err, &pe) || pe.Code != plugin.CodeUnavailable || !pe.Retry || pe.Vertex != "Source[0]-Tables" {
		t.Errorf("the source's own error is lost: %#v", pe)
	}
	slices.Sort(w.opened)
	slices.Sort(w.closed)
	if diff := cmp.Diff(w.opened, w.closed); diff != "" {
		t.Errorf("opened, not closed (-opened +closed):\n%s", diff)
	}
}

func TestUnknownOptionsAreWarnings(t *testing.T) {
	p := build(t, `env { job.mod = BATCH }
source { Tables { tables = ["t:id bigint"], row.nmu = 1 } }
sink { Multi { path = x, fancy = 1 } }`)
	var got []string
	for _, w := range p.Warnings {
		got = append(got, w.String())
	}
	want := []string{
		`1:7: env.job.mod: is not an option and has no effect; did you mean "job.mode"?`,
		`2:45: source[0].row.nmu: is not an option here and has no effect; did you mean "row.num"?`,
		`3:26: sink[0].fancy: is not an option here and has no effect`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("warnings (-want +got):\n%s", diff)
	}
}

func TestEnv(t *testing.T) {
	p := build(t, `env { job.name = orders }
	source { Tables { tables = [":id bigint"], plugin_output = fake, parallelism = 2 } }
	transform { Shape { add = x } }
	sink { Single { path = x } }`)
	for name, v := range vertices(p) {
		env := v.Env
		if env.Vertex != name || env.Parallelism != 2 || env.Job != (plugin.Job{ID: 7, Name: "orders"}) {
			t.Errorf("%s: env %+v", name, env)
		}
		if env.Logger == nil || env.Alloc == nil || env.Now == nil || env.Dial == nil {
			t.Errorf("%s: the env has gaps: %+v", name, env)
		}
	}
	all := vertices(p)
	if got := all["Source[0]-Tables"].Env; got.Output != "fake" || got.Inputs != nil {
		t.Errorf("source: output %q, inputs %s", got.Output, paths(got.Inputs))
	}
	if got := paths(all["Transform[0]-Shape"].Env.Inputs); got != "fake(id)" {
		t.Errorf("transform: inputs %s", got)
	}
	if got := paths(all["Sink[0]-Single-fake"].Env.Inputs); got != "fake(id,x)" {
		t.Errorf("sink: inputs %s", got)
	}
}

func TestHostsThings(t *testing.T) {
	now := func() time.Time { return time.Unix(42, 0) }
	dial := func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("mine") }
	o := Options{Now: now, Dial: dial, Spec: &jobspec.Spec{}}
	o.setDefaults()
	if _, err := o.Dial(t.Context(), "", ""); o.Now().Unix() != 42 || err == nil || err.Error() != "mine" {
		t.Error("setDefaults replaced what the host gave")
	}
}

func TestClose(t *testing.T) {
	w := &world{}
	p, err := tryBuild(t, w, `source { Tables { tables = ["a:id bigint", "b:id bigint"] } }, sink { Single { path = x } }`)
	if err != nil {
		t.Fatal(err)
	}
	if len(w.closed) > 0 {
		t.Errorf("closed before Close: %v", w.closed)
	}
	for range 2 {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	}
	want := []string{"Sink[0]-Single-b", "Sink[0]-Single-a", "Source[0]-Tables"}
	if diff := cmp.Diff(want, w.closed); diff != "" {
		t.Errorf("closed (-want +got):\n%s", diff)
	}
}
