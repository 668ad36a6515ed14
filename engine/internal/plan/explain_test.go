package plan

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/culvertdata/culvert/plugin"
)

func TestGuarantees(t *testing.T) {
	p := build(t, `env { job.mode = STREAMING }
	source {
		Tables { tables = ["a:id bigint", "log:id bigint"], plugin_output = a }
		Stream { tables = ["b:id bigint"], plugin_output = b }
		Tables { tables = ["c:id bigint"], plugin_output = c }
	}
	sink {
		Commits { path = x, plugin_input = a }
		Keyed { path = x, plugin_input = a }
		Keyed { path = x, plugin_input = [b, c] }
		Single { path = x, plugin_input = c }
		Commits { path = x, plugin_input = b }
	}`)
	want := []Guarantee{
		{"Source[0]-Tables", "Sink[0]-Commits-MultiTableSink", plugin.ExactlyOnce},
		{"Source[0]-Tables", "Sink[1]-Keyed", plugin.AtLeastOnce}, // the table log is written without keys
		{"Source[1]-Stream", "Sink[2]-Keyed-b", plugin.BestEffort},
		{"Source[1]-Stream", "Sink[4]-Commits-MultiTableSink", plugin.BestEffort},
		{"Source[2]-Tables", "Sink[2]-Keyed-b", plugin.EffectivelyOnce},
		{"Source[2]-Tables", "Sink[3]-Single-c", plugin.AtLeastOnce},
	}
	if diff := cmp.Diff(want, p.Guarantees()); diff != "" {
		t.Errorf("guarantees (-want +got):\n%s", diff)
	}
}

func TestExplain(t *testing.T) {
	p := build(t, `source { Tables { tables = ["db.t:id bigint, n string"], bogus = 1 } }
	transform { Shape { add = x } }, sink { Single { path = x } }`)
	in := []ExplainTable{{Path: "db.t", Key: []string{"id"},
		Columns: []ExplainColumn{{Name: "id", Type: "BIGINT"}, {Name: "n", Type: "STRING"}}}}
	out := []ExplainTable{{Path: "db.t", Key: []string{"id"},
		Columns: append(slices.Clone(in[0].Columns), ExplainColumn{Name: "x", Type: "STRING"})}}
	want := Explanation{
		Mode: "BATCH",
		Pipelines: []ExplainPipeline{{
			ID: 1,
			Vertices: []ExplainVertex{
				{ID: 1, Role: "source", Name: "Source[0]-Tables", Plugin: "Tables", Parallelism: 1, Tables: in},
				{ID: 2, Role: "transform", Name: "Transform[0]-Shape", Plugin: "Shape", Parallelism: 1, Tables: out},
				{ID: 3, Role: "sink", Name: "Sink[0]-Single-db.t", Plugin: "Single", Parallelism: 1, Tables: out},
			},
			Edges: []ExplainEdge{{From: 1, To: 2, Tables: in}, {From: 2, To: 3, Tables: out}},
		}},
		Guarantees: []ExplainGuarantee{{Source: "Source[0]-Tables", Sink: "Sink[0]-Single-db.t", Guarantee: "at-least-once"}},
		Warnings:   []string{"2:58: source[0].bogus: is not an option here and has no effect"},
	}
	if diff := cmp.Diff(want, p.Explain()); diff != "" {
		t.Errorf("explanation (-want +got):\n%s", diff)
	}
}
