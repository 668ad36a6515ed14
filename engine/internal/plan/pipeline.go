package plan

import (
	"slices"

	"github.com/culvertdata/culvert/plugin"
)

// pipelines splits the graph into its connected parts, numbered by their first sources, and numbers the vertices
// through all of them. vertices come after their inputs, and stay so.
func pipelines(vertices []*Vertex) []*Pipeline {
	var all []*Pipeline
	part := map[*Vertex]*Pipeline{}
	var visit func(v *Vertex, p *Pipeline)
	visit = func(v *Vertex, p *Pipeline) {
		if part[v] != nil {
			return
		}
		part[v] = p
		for _, next := range slices.Concat(v.Inputs, v.Outputs) {
			visit(next, p)
		}
	}
	for _, v := range vertices {
		if part[v] == nil {
			p := &Pipeline{ID: len(all) + 1}
			all = append(all, p)
			visit(v, p)
		}
		part[v].Vertices = append(part[v].Vertices, v)
	}
	id := 0
	for _, p := range all {
		for _, v := range p.Vertices {
			id++
			v.ID = id
		}
	}
	return all
}

// Guarantees returns the promise of each source to each sink that its rows reach, sources first. A sink with an
// instance for each of several tables promises what the weakest does.
func (p *Plan) Guarantees() []Guarantee {
	var all []Guarantee
	for _, pipeline := range p.Pipelines {
		for _, source := range pipeline.Sources() {
			reached := map[*Vertex]bool{}
			reach(source, reached)
			for _, sink := range pipeline.Sinks() {
				if reached[sink] {
					all = append(all, guarantee(source, sink))
				}
			}
		}
	}
	return all
}

func reach(v *Vertex, reached map[*Vertex]bool) {
	if reached[v] {
		return
	}
	reached[v] = true
	for _, next := range v.Outputs {
		reach(next, reached)
	}
}

func guarantee(source, sink *Vertex) Guarantee {
	weakest := plugin.ExactlyOnce
	for _, s := range sink.Sinks {
		weakest = min(weakest, plugin.GuaranteeOf(source.Replays, s.Delivery))
	}
	return Guarantee{Source: source.Name, Sink: sink.Name, Guarantee: weakest}
}
