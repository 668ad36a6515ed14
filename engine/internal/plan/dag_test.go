package plan

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// draw renders a DAG: the logical vertices and edges as SeaTunnel 2.3.4 names them, then each physical pipeline.
func draw(d DAG) []string {
	var lines []string
	for _, v := range d.Logical.Vertices {
		lines = append(lines, fmt.Sprintf("%s(id=%d) x%d", v.Name, v.ID, v.Parallelism))
	}
	for _, e := range d.Logical.Edges {
		lines = append(lines, e.Input+" -> "+e.Target)
	}
	for _, p := range d.Physical {
		for _, v := range p.Vertices {
			lines = append(lines, strings.TrimSpace(fmt.Sprintf("%d: %d %s %s x%d %s", p.ID, v.ID, v.Role, v.Name,
				v.Parallelism, strings.Join(v.Tables, " "))))
		}
		var edges []string
		for _, e := range p.Edges {
			edges = append(edges, fmt.Sprintf("%d->%d", e.Input, e.Target))
		}
		lines = append(lines, fmt.Sprintf("%d: %s", p.ID, strings.Join(edges, " ")))
	}
	return lines
}

func TestDAG(t *testing.T) {
	for _, test := range []struct {
		name, text string
		want       []string
	}{
		{
			"a sink for several tables uses up an id for its one table",
			`source { Tables { tables = ["fake:id bigint"] } }
			sink { Multi { path = x } }`,
			[]string{
				"Source[0]-Tables(id=1) x1",
				"Sink[0]-Multi-MultiTableSink(id=3) x1",
				"Source[0]-Tables -> Sink[0]-Multi-MultiTableSink",
				"1: 1 source pipeline-1 [Source[0]-Tables] x1 fake",
				"1: 2 sink pipeline-1 [Sink[0]-Multi-MultiTableSink] x1 fake",
				"1: 1->2",
			},
		},
		{
			"two sources into one sink: ids without gaps, a pipeline for each source",
			`env { parallelism = 3 }
			source {
				Tables { tables = [":id bigint"], plugin_output = fake }
				Tables { tables = [":id bigint"], plugin_output = fake2, parallelism = 2 }
			}
			sink { Multi { path = x, plugin_input = [fake, fake2] } }`,
			[]string{
				"Source[0]-Tables(id=1) x3",
				"Source[1]-Tables(id=2) x2",
				"Sink[0]-Multi-fake(id=3) x3",
				"Source[0]-Tables -> Sink[0]-Multi-fake",
				"Source[1]-Tables -> Sink[0]-Multi-fake",
				"1: 1 source pipeline-1 [Source[0]-Tables] x3 fake",
				"1: 2 sink pipeline-1 [Sink[0]-Multi-fake] x3 fake",
				"1: 1->2",
				"2: 3 source pipeline-2 [Source[1]-Tables] x2 fake2",
				"2: 4 sink pipeline-2 [Sink[0]-Multi-fake] x2 fake",
				"2: 3->4",
			},
		},
		{
			"one transform is a chain of one, with an id after all others",
			`source { Tables { tables = ["t:id bigint"] } }
			transform { Shape { parallelism = 5 } }
			sink { Single { path = x } }`,
			[]string{
				"Source[0]-Tables(id=1) x1",
				"Transform[0]-Shape(id=2) x5",
				"Sink[0]-Single-t(id=3) x5",
				"Source[0]-Tables -> Transform[0]-Shape",
				"Transform[0]-Shape -> Sink[0]-Single-t",
				"1: 1 source pipeline-1 [Source[0]-Tables] x1 t",
				"1: 3 sink pipeline-1 [Sink[0]-Single-t] x5 t",
				"1: 4 transform pipeline-1 [TransformChain[Transform[0]-Shape]] x5",
				"1: 1->4 4->3",
			},
		},
		{
			"chains end where the graph forks",
			`source { Tables { tables = ["t:id bigint"], plugin_output = a } }
			transform {
				Shape { plugin_input = a, plugin_output = b }
				Shape { plugin_input = b, plugin_output = c }
				Shape { plugin_input = c, plugin_output = d }
			}
			sink {
				Single { path = x, plugin_input = c }
				Single { path = x, plugin_input = d }
			}`,
			[]string{
				"Source[0]-Tables(id=1) x1",
				"Transform[0]-Shape(id=2) x1",
				"Transform[1]-Shape(id=3) x1",
				"Sink[0]-Single-t(id=5) x1",
				"Transform[2]-Shape(id=4) x1",
				"Sink[1]-Single-t(id=6) x1",
				"Source[0]-Tables -> Transform[0]-Shape",
				"Transform[0]-Shape -> Transform[1]-Shape",
				"Transform[1]-Shape -> Sink[0]-Single-t",
				"Transform[1]-Shape -> Transform[2]-Shape",
				"Transform[2]-Shape -> Sink[1]-Single-t",
				"1: 1 source pipeline-1 [Source[0]-Tables] x1 t",
				"1: 5 sink pipeline-1 [Sink[0]-Single-t] x1 t",
				"1: 6 sink pipeline-1 [Sink[1]-Single-t] x1 t",
				"1: 7 transform pipeline-1 [TransformChain[Transform[0]-Shape->Transform[1]-Shape]] x1",
				"1: 8 transform pipeline-1 [TransformChain[Transform[2]-Shape]] x1",
				"1: 1->7 7->8 7->5 8->6",
			},
		},
		{
			"several tables, a sink for each",
			`source { Tables { tables = ["db.a:id bigint", "db.b:id bigint"], plugin_output = s } }
			sink {
				Single { path = x, plugin_input = s }
				Multi { path = x, plugin_input = s }
			}`,
			[]string{
				"Source[0]-Tables(id=1) x1",
				"Sink[0]-Single-db.a(id=2) x1",
				"Sink[0]-Single-db.b(id=3) x1",
				"Sink[1]-Multi-MultiTableSink(id=6) x1",
				"Source[0]-Tables -> Sink[0]-Single-db.a",
				"Source[0]-Tables -> Sink[0]-Single-db.b",
				"Source[0]-Tables -> Sink[1]-Multi-MultiTableSink",
				"1: 1 source pipeline-1 [Source[0]-Tables] x1 db.a db.b",
				"1: 2 sink pipeline-1 [Sink[0]-Single-db.a] x1 db.a",
				"1: 3 sink pipeline-1 [Sink[0]-Single-db.b] x1 db.b",
				"1: 4 sink pipeline-1 [Sink[1]-Multi-MultiTableSink] x1 db.a db.b",
				"1: 1->2 1->3 1->4",
			},
		},
		{
			"unrelated parts",
			`source {
				Tables { tables = ["a:id bigint"], plugin_output = a }
				Tables { tables = ["b:id bigint"], plugin_output = b }
			}
			sink {
				Single { path = x, plugin_input = b }
				Single { path = x, plugin_input = a }
			}`,
			[]string{
				"Source[1]-Tables(id=2) x1",
				"Sink[0]-Single-b(id=3) x1",
				"Source[0]-Tables(id=1) x1",
				"Sink[1]-Single-a(id=4) x1",
				"Source[1]-Tables -> Sink[0]-Single-b",
				"Source[0]-Tables -> Sink[1]-Single-a",
				"1: 1 source pipeline-1 [Source[0]-Tables] x1 a",
				"1: 2 sink pipeline-1 [Sink[1]-Single-a] x1 a",
				"1: 1->2",
				"2: 3 source pipeline-2 [Source[1]-Tables] x1 b",
				"2: 4 sink pipeline-2 [Sink[0]-Single-b] x1 b",
				"2: 3->4",
			},
		},
		{
			"a diamond: a pipeline for each path",
			`source { Tables { tables = ["t:id bigint"], plugin_output = a } }
			transform {
				Shape { plugin_input = a, plugin_output = b }
				Shape { plugin_input = a, plugin_output = c }
			}
			sink { Single { path = x, plugin_input = [b, c] } }`,
			[]string{
				"Source[0]-Tables(id=1) x1",
				"Transform[0]-Shape(id=2) x1",
				"Transform[1]-Shape(id=3) x1",
				"Sink[0]-Single-t(id=4) x1",
				"Source[0]-Tables -> Transform[0]-Shape",
				"Source[0]-Tables -> Transform[1]-Shape",
				"Transform[0]-Shape -> Sink[0]-Single-t",
				"Transform[1]-Shape -> Sink[0]-Single-t",
				"1: 1 source pipeline-1 [Source[0]-Tables] x1 t",
				"1: 2 transform pipeline-1 [TransformChain[Transform[0]-Shape]] x1",
				"1: 3 sink pipeline-1 [Sink[0]-Single-t] x1 t",
				"1: 1->2 2->3",
				"2: 4 source pipeline-2 [Source[0]-Tables] x1 t",
				"2: 5 transform pipeline-2 [TransformChain[Transform[1]-Shape]] x1",
				"2: 6 sink pipeline-2 [Sink[0]-Single-t] x1 t",
				"2: 4->5 5->6",
			},
		},
		{
			"a union beside a part without one: ids stay unique",
			`source {
				Tables { tables = ["a:id bigint"], plugin_output = a }
				Tables { tables = ["b:id bigint"], plugin_output = b }
				Tables { tables = ["c:id bigint"], plugin_output = c }
			}
			sink {
				Single { path = x, plugin_input = a }
				Single { path = x, plugin_input = [b, c] }
			}`,
			[]string{
				"Source[0]-Tables(id=1) x1",
				"Sink[0]-Single-a(id=4) x1",
				"Source[1]-Tables(id=2) x1",
				"Source[2]-Tables(id=3) x1",
				"Sink[1]-Single-b(id=5) x1",
				"Source[0]-Tables -> Sink[0]-Single-a",
				"Source[1]-Tables -> Sink[1]-Single-b",
				"Source[2]-Tables -> Sink[1]-Single-b",
				"1: 1 source pipeline-1 [Source[0]-Tables] x1 a",
				"1: 2 sink pipeline-1 [Sink[0]-Single-a] x1 a",
				"1: 1->2",
				"2: 3 source pipeline-2 [Source[1]-Tables] x1 b",
				"2: 4 sink pipeline-2 [Sink[1]-Single-b] x1 b",
				"2: 3->4",
				"3: 5 source pipeline-3 [Source[2]-Tables] x1 c",
				"3: 6 sink pipeline-3 [Sink[1]-Single-b] x1 b",
				"3: 5->6",
			},
		},
		{
			"an unused transform uses up an id",
			`source { Tables { tables = ["t:id bigint"], plugin_output = a } }
			transform { Shape { plugin_output = b } }
			sink { Single { path = x, plugin_input = a } }`,
			[]string{
				"Source[0]-Tables(id=1) x1",
				"Sink[0]-Single-t(id=3) x1",
				"Source[0]-Tables -> Sink[0]-Single-t",
				"1: 1 source pipeline-1 [Source[0]-Tables] x1 t",
				"1: 2 sink pipeline-1 [Sink[0]-Single-t] x1 t",
				"1: 1->2",
			},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, draw(build(t, test.text).DAG())); diff != "" {
				t.Errorf("DAG (-want +got):\n%s", diff)
			}
		})
	}
}

// TestDAGStandsForVertices checks that counters, which are kept by the plan's vertices, find their places.
func TestDAGStandsForVertices(t *testing.T) {
	d := build(t, `source { Tables { tables = ["a:id bigint", "b:id bigint"], plugin_output = s } }
	transform {
		Shape { plugin_input = s, plugin_output = t }
		Shape { plugin_input = t, plugin_output = u }
	}
	sink { Single { path = x, plugin_input = u } }`).DAG()
	got := map[string]string{}
	for _, v := range d.Physical[0].Vertices {
		got[v.Name] = strings.Join(v.Vertices, " ")
	}
	want := map[string]string{
		"pipeline-1 [Source[0]-Tables]":                                       "Source[0]-Tables",
		"pipeline-1 [TransformChain[Transform[0]-Shape->Transform[1]-Shape]]": "Transform[0]-Shape Transform[1]-Shape",
		"pipeline-1 [Sink[0]-Single-a]":                                       "Sink[0]-Single",
		"pipeline-1 [Sink[0]-Single-b]":                                       "Sink[0]-Single",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("vertices (-want +got):\n%s", diff)
	}
}

// TestDAGEncoding pins the form that the history keeps.
func TestDAGEncoding(t *testing.T) {
	d := build(t, `source { Tables { tables = ["t:id bigint"] } }
	sink { Multi { path = x } }`).DAG()
	got, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"logical":{"vertices":[{"id":1,"name":"Source[0]-Tables","parallelism":1},` +
		`{"id":3,"name":"Sink[0]-Multi-MultiTableSink","parallelism":1}],` +
		`"edges":[{"input":"Source[0]-Tables","target":"Sink[0]-Multi-MultiTableSink"}]},` +
		`"physical":[{"id":1,"vertices":[` +
		`{"id":1,"role":"source","name":"pipeline-1 [Source[0]-Tables]","parallelism":1,"tables":["t"],` +
		`"planVertices":["Source[0]-Tables"]},` +
		`{"id":2,"role":"sink","name":"pipeline-1 [Sink[0]-Multi-MultiTableSink]","parallelism":1,"tables":["t"],` +
		`"planVertices":["Sink[0]-Multi-MultiTableSink"]}],` +
		`"edges":[{"input":1,"target":2}]}]}`
	if string(got) != want {
		t.Errorf("encoded:\n%s\nwant:\n%s", got, want)
	}
	var back DAG
	if err := json.Unmarshal(got, &back); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(d, back); diff != "" {
		t.Errorf("read back (-want +got):\n%s", diff)
	}
}
