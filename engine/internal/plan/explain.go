package plan

import "github.com/culvertdata/culvert/plugin"

// Explanation is a plan in plain values, ready to be printed or encoded.
type Explanation struct {
	Mode       string             `json:"mode"`
	Pipelines  []ExplainPipeline  `json:"pipelines"`
	Guarantees []ExplainGuarantee `json:"guarantees"`
	Warnings   []string           `json:"warnings,omitempty"`
}

// ExplainPipeline is one pipeline of an Explanation.
type ExplainPipeline struct {
	ID       int             `json:"id"`
	Vertices []ExplainVertex `json:"vertices"`
	Edges    []ExplainEdge   `json:"edges"`
}

// ExplainVertex is one source, transform or sink of an Explanation.
type ExplainVertex struct {
	ID          int    `json:"id"`
	Role        string `json:"role"`
	Name        string `json:"name"`
	Plugin      string `json:"plugin"`
	Parallelism int    `json:"parallelism"`
	// Tables are what a source or a transform puts out, and what a sink is told of.
	Tables []ExplainTable `json:"tables"`
}

// ExplainEdge is one edge of an Explanation, between two vertices' IDs.
type ExplainEdge struct {
	From   int            `json:"from"`
	To     int            `json:"to"`
	Tables []ExplainTable `json:"tables"`
}

// ExplainTable is one table of an Explanation.
type ExplainTable struct {
	Path    string          `json:"path"`
	Columns []ExplainColumn `json:"columns"`
	Key     []string        `json:"key,omitempty"`
}

// ExplainColumn is one column of an Explanation, its type in the words of the job language.
type ExplainColumn struct {
	Name    string `json:"name"`
	Type    string `json:"type"`
	NotNull bool   `json:"notNull,omitempty"`
}

// ExplainGuarantee is the promise of one source-sink pair in an Explanation.
type ExplainGuarantee struct {
	Source    string `json:"source"`
	Sink      string `json:"sink"`
	Guarantee string `json:"guarantee"`
}

// Explain renders the plan. It runs nothing and reads nothing.
func (p *Plan) Explain() Explanation {
	e := Explanation{Mode: p.Job.Mode.String()}
	for _, pipeline := range p.Pipelines {
		e.Pipelines = append(e.Pipelines, explainPipeline(pipeline))
	}
	for _, g := range p.Guarantees() {
		e.Guarantees = append(e.Guarantees, ExplainGuarantee{g.Source, g.Sink, g.Guarantee.String()})
	}
	for _, w := range p.Warnings {
		e.Warnings = append(e.Warnings, w.String())
	}
	return e
}

func explainPipeline(p *Pipeline) ExplainPipeline {
	e := ExplainPipeline{ID: p.ID}
	for _, v := range p.Vertices {
		e.Vertices = append(e.Vertices, ExplainVertex{
			ID: v.ID, Role: v.Role.String(), Name: v.Name, Plugin: v.Plugin, Parallelism: v.Parallelism,
			Tables: explainTables(v.Tables),
		})
		for _, in := range v.Inputs {
			e.Edges = append(e.Edges, ExplainEdge{From: in.ID, To: v.ID, Tables: explainTables(in.Tables)})
		}
	}
	return e
}

func explainTables(tables []*plugin.Table) []ExplainTable {
	all := make([]ExplainTable, len(tables))
	for i, t := range tables {
		all[i] = ExplainTable{Path: t.ID.String(), Key: t.KeyNames()}
		for _, c := range t.Columns {
			all[i].Columns = append(all[i].Columns, ExplainColumn{c.Name, c.Type.String(), c.NotNull})
		}
	}
	return all
}
