package plan

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/culvertdata/culvert/plugin"
)

// PhysicalPipeline is one pipeline of SeaTunnel's execution plan, as finished jobs and later versions show it.
type PhysicalPipeline struct {
	// ID counts from 1. It is not the number of a Pipeline of the plan.
	ID int `json:"id"`
	// Vertices are sorted by ID.
	Vertices []PhysicalVertex `json:"vertices"`
	Edges    []PhysicalEdge   `json:"edges"`
}

// PhysicalVertex is a vertex of a PhysicalPipeline.
type PhysicalVertex struct {
	// ID is unique in the job.
	ID int `json:"id"`
	// Role is source, transform or sink.
	Role string `json:"role"`
	// Name is for example pipeline-1 [Source[0]-FakeSource].
	Name        string `json:"name"`
	Parallelism int    `json:"parallelism"`
	// Tables are the paths of a source's or sink's tables; none for a transform.
	Tables []string `json:"tables,omitempty"`
	// Vertices are the names of the plan's vertices that it stands for: several for a chain of transforms.
	Vertices []string `json:"planVertices"`
}

// PhysicalEdge is an edge of a PhysicalPipeline, by the vertices' IDs.
type PhysicalEdge struct {
	Input  int `json:"input"`
	Target int `json:"target"`
}

type edge struct{ from, to *node }

// physical numbers the vertices anew along the edges, merges the chains of transforms and splits the graph.
func physical(nodes []*node) []PhysicalPipeline {
	edges := mergeChains(renumber(nodes))
	parts := connected(edges)
	if !slices.ContainsFunc(parts, hasUnion) {
		return number(parts)
	}
	ids := &counter{}
	var paths [][]edge
	for _, part := range parts {
		if hasUnion(part) {
			paths = append(paths, splitUnion(part, ids)...)
		} else {
			paths = append(paths, copyPart(part, ids))
		}
	}
	return number(paths)
}

type counter struct{ last int }

func (c *counter) next() int {
	c.last++
	return c.last
}

// renumber copies the graph with ids from 1 in the order of the edges sorted by (input, target).
func renumber(nodes []*node) (edges []edge, ids *counter) {
	for _, n := range nodes {
		for _, to := range n.outputs {
			edges = append(edges, edge{n, to})
		}
	}
	slices.SortFunc(edges, func(a, b edge) int {
		return cmp.Or(cmp.Compare(a.from.id, b.from.id), cmp.Compare(a.to.id, b.to.id))
	})
	ids = &counter{}
	return copyPart(edges, ids), ids
}

// copyPart copies the nodes of the edges and numbers the copies in the order of the edges.
func copyPart(edges []edge, ids *counter) []edge {
	copies := map[*node]*node{}
	get := func(n *node) *node {
		c := copies[n]
		if c == nil {
			fresh := *n
			fresh.id, fresh.inputs, fresh.outputs = ids.next(), nil, nil
			c = &fresh
			copies[n] = c
		}
		return c
	}
	made := make([]edge, len(edges))
	for i, e := range edges {
		made[i] = link(get(e.from), get(e.to))
	}
	return made
}

func link(from, to *node) edge {
	from.outputs, to.inputs = append(from.outputs, to), append(to.inputs, from)
	return edge{from, to}
}

// mergeChains puts a chain in the place of each run of transforms with one input and one output between them; one
// transform alone is a chain too. Their ids come after all others.
func mergeChains(edges []edge, ids *counter) []edge {
	chains := map[*node]*node{}
	for _, n := range breadthFirst(edges) {
		if n.role != plugin.TransformRole || chains[n] != nil {
			continue
		}
		members := chainFrom(n)
		chain := &node{id: ids.next(), role: plugin.TransformRole, parallelism: n.parallelism}
		var names []string
		for _, m := range members {
			chains[m] = chain
			names = append(names, m.name)
			chain.vertices = append(chain.vertices, m.vertices...)
		}
		chain.name = "TransformChain[" + strings.Join(names, "->") + "]"
	}
	var merged []edge
	for _, e := range edges {
		from, to := cmp.Or(chains[e.from], e.from), cmp.Or(chains[e.to], e.to)
		if from != to {
			merged = append(merged, edge{from, to})
		}
	}
	for _, e := range merged {
		e.from.outputs, e.to.outputs, e.from.inputs, e.to.inputs = nil, nil, nil, nil
	}
	for _, e := range merged {
		link(e.from, e.to)
	}
	return merged
}

func chainFrom(n *node) []*node {
	chain := []*node{n}
	for len(n.outputs) == 1 {
		n = n.outputs[0]
		if n.role != plugin.TransformRole || len(n.inputs) != 1 {
			break
		}
		chain = append(chain, n)
	}
	return chain
}

// breadthFirst returns the nodes of the edges from each source on, sources in the order of the edges.
func breadthFirst(edges []edge) []*node {
	var all []*node
	seen := map[*node]bool{}
	add := func(n *node) {
		if !seen[n] {
			seen[n] = true
			all = append(all, n)
		}
	}
	for _, e := range edges {
		if e.from.role != plugin.SourceRole || seen[e.from] {
			continue
		}
		add(e.from)
		for i := len(all) - 1; i < len(all); i++ {
			for _, to := range all[i].outputs {
				add(to)
			}
		}
	}
	return all
}

// connected splits the edges into connected parts, in the order of their first edges.
func connected(edges []edge) [][]edge {
	var parts [][]edge
	index := map[*node]int{}
	var mark func(n *node, part int)
	mark = func(n *node, part int) {
		if _, ok := index[n]; ok {
			return
		}
		index[n] = part
		for _, next := range slices.Concat(n.inputs, n.outputs) {
			mark(next, part)
		}
	}
	for _, e := range edges {
		if _, ok := index[e.from]; !ok {
			mark(e.from, len(parts))
			parts = append(parts, nil)
		}
		i := index[e.from]
		parts[i] = append(parts[i], e)
	}
	return parts
}

func hasUnion(part []edge) bool {
	return slices.ContainsFunc(part, func(e edge) bool { return len(e.to.inputs) > 1 })
}

// splitUnion makes a copy of each path from a source to a sink; everything on it takes the source's parallelism.
func splitUnion(part []edge, ids *counter) [][]edge {
	var paths [][]edge
	var follow func(path []edge, at *node)
	follow = func(path []edge, at *node) {
		if len(at.outputs) == 0 {
			paths = append(paths, copyPart(path, ids))
			return
		}
		for _, to := range at.outputs {
			follow(append(slices.Clone(path), edge{at, to}), to)
		}
	}
	seen := map[*node]bool{}
	for _, e := range part {
		if len(e.from.inputs) == 0 && !seen[e.from] {
			seen[e.from] = true
			follow(nil, e.from)
		}
	}
	for _, path := range paths {
		for _, e := range path {
			e.to.parallelism = path[0].from.parallelism
		}
	}
	return paths
}

// number turns the parts into pipelines from 1.
func number(parts [][]edge) []PhysicalPipeline {
	var all []PhysicalPipeline
	for i, part := range parts {
		p := PhysicalPipeline{ID: i + 1}
		seen := map[*node]bool{}
		for _, e := range part {
			p.Edges = append(p.Edges, PhysicalEdge{e.from.id, e.to.id})
			for _, n := range []*node{e.from, e.to} {
				if !seen[n] {
					seen[n] = true
					p.Vertices = append(p.Vertices, n.physical(p.ID))
				}
			}
		}
		slices.SortFunc(p.Vertices, func(a, b PhysicalVertex) int { return cmp.Compare(a.ID, b.ID) })
		all = append(all, p)
	}
	return all
}

func (n *node) physical(pipeline int) PhysicalVertex {
	v := PhysicalVertex{
		ID: n.id, Role: n.role.String(), Name: fmt.Sprintf("pipeline-%d [%s]", pipeline, n.name), Parallelism: n.parallelism,
		Tables: n.tables,
	}
	for _, m := range n.vertices {
		v.Vertices = append(v.Vertices, m.Name)
	}
	return v
}
