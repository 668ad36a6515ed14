package hocon

import (
	"slices"
	"strings"

	"github.com/culvertdata/culvert/plugin/config"
)

type evalState uint8

const (
	untouched evalState = iota
	running
	done
)

// resolver evaluates nodes.
type resolver struct {
	root     *node
	opts     *Options
	problems *config.Problems
	targets  []*node // what substitutions being followed lead to
	chain    int     // their number, and that of the values being put over each other
	growth   int     // what substitutions have added
}

func resolve(root *node, o *Options, ps *config.Problems) config.Value {
	r := &resolver{root: root, opts: o, problems: ps}
	return r.eval(root)
}

func (r *resolver) errorf(pos config.Pos, format string, args ...any) {
	if len(*r.problems) < maxProblems {
		r.problems.Errorf("", pos, format, args...)
	}
}

// eval returns the value of a node. Kind None means that there is none: an optional substitution of nothing.
func (r *resolver) eval(n *node) config.Value {
	if n.kind == scalarNode && n.prev == nil {
		n.size = 1 + len(n.text)
		return config.Value{Kind: n.scalar, Text: n.text, Pos: n.pos}
	}
	switch n.state {
	case done:
		return n.value
	case running:
		r.errorf(n.pos, "this value refers to itself")
		return config.Value{}
	}
	n.state = running
	v := r.own(n)
	if n.prev != nil && (v.Kind == config.Object || v.Kind == config.None) {
		v = r.over(n, v)
	}
	n.state, n.value = done, v
	n.size = n.weight()
	return v
}

// over puts v, which is nothing or an object, over the value before it.
func (r *resolver) over(n *node, v config.Value) config.Value {
	if r.chain++; r.chain > maxChain {
		r.errorf(n.pos, "more than %d values are put over each other here", maxChain)
		return v
	}
	before := r.eval(n.prev)
	r.chain--
	switch {
	case v.Kind == config.None:
		return before
	case before.Kind == config.Object:
		return merge(before, v)
	}
	return v
}

// own evaluates a node without its predecessor.
func (r *resolver) own(n *node) config.Value {
	switch n.kind {
	case scalarNode:
		return config.Value{Kind: n.scalar, Text: n.text, Pos: n.pos}
	case listNode:
		return r.list(n)
	case objectNode:
		return r.object(n)
	case blocksNode:
		return r.blocks(n)
	case concatNode:
		return r.concat(n)
	default:
		return r.reference(n)
	}
}

func (r *resolver) list(n *node) config.Value {
	v := config.Value{Kind: config.List, Pos: n.pos, Items: make([]config.Value, 0, len(n.items))}
	for _, item := range n.items {
		if iv := r.eval(item); iv.Kind != config.None {
			v.Items = append(v.Items, iv)
		}
	}
	return v
}

func (r *resolver) object(n *node) config.Value {
	v := config.Value{Kind: config.Object, Pos: n.pos, Members: make([]config.Member, 0, len(n.fields))}
	for i := range n.fields {
		f := &n.fields[i]
		if fv := r.eval(f.node); fv.Kind != config.None {
			v.Members = append(v.Members, config.Member{Key: f.key, Pos: f.pos, Value: fv})
		}
	}
	return v
}

// blocks makes the list of an object's inner blocks.
func (r *resolver) blocks(n *node) config.Value {
	v := config.Value{Kind: config.List, Pos: n.pos, Items: make([]config.Value, 0, len(n.fields))}
	for _, f := range n.fields {
		block := r.eval(f.node)
		switch {
		case block.Kind == config.Object:
			v.Items = append(v.Items, named(block, f))
		case block.Kind == config.None:
		default:
			r.errorf(f.pos, "%q is an option without a plugin; a block such as %s { ... } must stand here", f.key, f.key)
		}
	}
	return v
}

// named returns a block with its name as plugin_name, in front.
func named(block config.Value, f field) config.Value {
	const key = "plugin_name"
	if _, ok := block.Get(key); ok {
		return block
	}
	name := config.Value{Kind: config.String, Text: f.key, Pos: f.pos}
	members := make([]config.Member, 0, len(block.Members)+1)
	members = append(members, config.Member{Key: key, Pos: f.pos, Value: name})
	block.Members = append(members, block.Members...)
	return block
}

// concat joins pieces: texts to a text, lists to a list, objects to an object.
func (r *resolver) concat(n *node) config.Value {
	values := make([]config.Value, 0, len(n.items))
	compound := false
	for _, item := range n.items {
		v := r.piece(n, item)
		compound = compound || v.Kind == config.List || v.Kind == config.Object
		if v.Kind != config.None || item.blank {
			values = append(values, v)
		}
	}
	if compound {
		return r.compound(n, values)
	}
	var b strings.Builder
	some := false
	for _, v := range values {
		b.WriteString(v.Text)
		some = true
	}
	if !some {
		return config.Value{}
	}
	return config.Value{Kind: config.String, Text: b.String(), Pos: n.pos}
}

func (r *resolver) piece(n, item *node) config.Value {
	switch {
	case item.kind == scalarNode:
		return config.Value{Kind: config.String, Text: item.text, Pos: item.pos}
	case item.kind != prevNode:
		return r.eval(item)
	case n.prev == nil:
		return config.Value{}
	}
	v := r.eval(n.prev)
	if v.Kind != config.List && v.Kind != config.None {
		r.errorf(item.pos, "+= adds to a list, not to %s", v.Kind)
		return config.Value{}
	}
	return v
}

func (r *resolver) compound(n *node, values []config.Value) config.Value {
	var all config.Value
	for _, v := range values {
		switch {
		case v.Scalar() && strings.TrimSpace(v.Text) == "":
		case all.Kind == config.None:
			all = v
			all.Items = slices.Clip(all.Items) // they may belong to another value too
		case all.Kind == config.List && v.Kind == config.List:
			all.Items = append(all.Items, v.Items...)
		case all.Kind == config.Object && v.Kind == config.Object:
			all = merge(all, v)
		default:
			r.errorf(v.Pos, "%s cannot follow %s in one value; put a comma or a new line between them", v.Kind, all.Kind)
			return all
		}
	}
	all.Pos = n.pos
	return all
}
