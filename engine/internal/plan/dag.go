package plan

import (
	"github.com/culvertdata/culvert/engine/internal/jobspec"
	"github.com/culvertdata/culvert/plugin"
)

// DAG is a job's graph as SeaTunnel would have made it, for REST answers. It differs from what runs: SeaTunnel merges
// chains of transforms, copies the branches of a union into pipelines of their own, and has a sink vertex for each
// table where a sink takes one only. Shuffles, which SeaTunnel puts before such sinks, are not shown. A DAG is encoded
// into the history of jobs, so its JSON names stay.
type DAG struct {
	Logical  Logical            `json:"logical"`
	Physical []PhysicalPipeline `json:"physical"`
}

// Logical is the graph that SeaTunnel 2.3.4 shows of a running job.
type Logical struct {
	Vertices []LogicalVertex `json:"vertices"`
	Edges    []LogicalEdge   `json:"edges"`
}

// LogicalVertex is a vertex of a Logical graph. SeaTunnel prints its name as Name(id=ID).
type LogicalVertex struct {
	// ID comes from one counter from 1 for all that SeaTunnel's parser creates, so there may be gaps: a sink for
	// several tables uses up one for each table before its own.
	ID          int    `json:"id"`
	Name        string `json:"name"`
	Parallelism int    `json:"parallelism"`
}

// LogicalEdge is an edge of a Logical graph, by the vertices' names.
type LogicalEdge struct {
	Input  string `json:"input"`
	Target string `json:"target"`
}

// node is a vertex while a DAG is made.
type node struct {
	id          int
	name        string
	role        plugin.Role
	parallelism int
	tables      []string
	inputs      []*node
	outputs     []*node
	// vertices are the vertices of the plan that the node stands for.
	vertices []*Vertex
}

func newDAG(spec *jobspec.Spec, vertices map[jobspec.Ref]*Vertex) DAG {
	sinks := logicalNodes(spec, vertices)
	all := walk(sinks)
	return DAG{Logical: logical(all), Physical: physical(all)}
}

// logicalNodes numbers the vertices in the order in which SeaTunnel creates them and returns the sinks.
func logicalNodes(spec *jobspec.Spec, vertices map[jobspec.Ref]*Vertex) []*node {
	id := 0
	made := map[*Vertex]*node{}
	add := func(block *jobspec.Block) {
		id++
		if v := vertices[block.Ref()]; v != nil {
			made[v] = newNode(v, id, v.Name, made)
		}
	}
	for i := range spec.Sources {
		add(&spec.Sources[i])
	}
	for _, i := range spec.TransformOrder() {
		add(&spec.Transforms[i])
	}
	var sinks []*node
	for i := range spec.Sinks {
		v := vertices[spec.Sinks[i].Ref()]
		if v.plugin.MultiTable && len(v.Inputs) == 1 {
			id += len(v.Tables) + 1
			sinks = append(sinks, newNode(v, id, v.Name, made))
			continue
		}
		for _, s := range v.Sinks {
			id++
			n := newNode(v, id, s.Name, made)
			if s.Table != nil {
				n.tables = []string{s.Table.ID.String()}
			}
			sinks = append(sinks, n)
		}
	}
	return sinks
}

func newNode(v *Vertex, id int, name string, made map[*Vertex]*node) *node {
	n := &node{id: id, name: name, role: v.Role, parallelism: v.Parallelism, vertices: []*Vertex{v}}
	for _, in := range v.Inputs {
		n.inputs = append(n.inputs, made[in])
	}
	if len(n.inputs) > 0 {
		n.parallelism = n.inputs[0].parallelism
	}
	if v.Role == plugin.TransformRole {
		if v.block.Parallelism > 0 {
			n.parallelism = v.block.Parallelism
		}
		return n
	}
	for _, t := range v.Tables {
		n.tables = append(n.tables, t.ID.String())
	}
	return n
}

// walk returns the nodes in the order in which SeaTunnel finds them, from each sink back to its sources, inputs before
// what they feed, and links each node to its outputs.
func walk(sinks []*node) []*node {
	var all []*node
	seen := map[*node]bool{}
	var visit func(n *node)
	visit = func(n *node) {
		if seen[n] {
			return
		}
		seen[n] = true
		for _, in := range n.inputs {
			visit(in)
			in.outputs = append(in.outputs, n)
		}
		all = append(all, n)
	}
	for _, n := range sinks {
		visit(n)
	}
	return all
}

func logical(nodes []*node) Logical {
	var l Logical
	for _, n := range nodes {
		l.Vertices = append(l.Vertices, LogicalVertex{n.id, n.name, n.parallelism})
		for _, in := range n.inputs {
			l.Edges = append(l.Edges, LogicalEdge{in.name, n.name})
		}
	}
	return l
}
