package hocon

import (
	"slices"

	"github.com/culvertdata/culvert/plugin/config"
)

// reference evaluates ${path}: the value in the file, the environment, the default, nothing, or the text itself.
func (r *resolver) reference(n *node) config.Value {
	if r.chain++; r.chain > maxChain {
		r.errorf(n.pos, "%s leads through more than %d other substitutions", n.text, maxChain)
		return config.Value{}
	}
	defer func() { r.chain-- }()
	if v, ok := r.inFile(n); ok {
		return v
	}
	if r.opts.Env != nil && len(n.path) == 1 {
		if text, ok := r.opts.Env(n.path[0]); ok {
			return config.Value{Kind: config.String, Text: text, Pos: n.pos}
		}
	}
	switch {
	case len(n.items) > 0:
		return r.eval(n.items[0])
	case n.optional:
		return config.Value{}
	default:
		return config.Value{Kind: config.String, Text: n.text, Pos: n.pos}
	}
}

// inFile looks a path up in the file; in an included one first below the place where it was included.
func (r *resolver) inFile(n *node) (config.Value, bool) {
	if len(n.prefix) > 0 {
		if v, ok := r.at(n, slices.Concat(n.prefix, n.path)); ok {
			return v, true
		}
	}
	return r.at(n, n.path)
}

// at evaluates what stands at a path. A value that is being evaluated already refers to itself: then the one before it
// counts.
func (r *resolver) at(ref *node, path []string) (config.Value, bool) {
	n := r.root
	for i, key := range path {
		j := n.find(key)
		if j < 0 {
			return config.Value{}, false
		}
		last := i == len(path)-1
		n = n.fields[j].node
		for n.state == running && (last || !n.isObject()) {
			if n.prev == nil {
				return config.Value{}, r.cycle(ref, n)
			}
			n = n.prev
		}
		switch {
		case last:
			return r.follow(ref, n), true
		case n.kind == blocksNode:
			return config.Value{}, false // a list has no paths
		case n.kind != objectNode, n.prev != nil && n.state != running:
			return below(r.follow(ref, n), path[i+1:])
		}
	}
	return config.Value{}, false
}

// cycle reports a substitution that leads back to itself through others. A value that refers to itself directly, with
// nothing before it, asks for the environment or a default: that is no cycle.
func (r *resolver) cycle(ref, n *node) bool {
	if k := len(r.targets); k == 0 || r.targets[k-1] == n || ref.optional {
		return false
	}
	r.errorf(ref.pos, "%s refers to itself", ref.text)
	return true
}

// follow evaluates a node for a substitution and counts what the copy adds.
func (r *resolver) follow(ref, n *node) config.Value {
	r.targets = append(r.targets, n)
	v := r.eval(n)
	r.targets = r.targets[:len(r.targets)-1]
	ref.size = n.size
	if r.growth += n.size; r.growth > maxGrowth {
		r.errorf(ref.pos, "substitutions grow to more than %d bytes", maxGrowth)
		return config.Value{}
	}
	return v
}

// below returns what stands at a path inside a value.
func below(v config.Value, path []string) (config.Value, bool) {
	for _, key := range path {
		inner, ok := v.Get(key)
		if !ok {
			return config.Value{}, false
		}
		v = inner
	}
	return v, true
}

// weight counts the bytes and values of a node whose parts are done.
func (n *node) weight() int {
	total := 1 + len(n.value.Text) + n.size
	for _, item := range n.items {
		total += item.size
	}
	for i := range n.fields {
		total += n.fields[i].node.size + len(n.fields[i].key)
	}
	if n.prev != nil {
		total += n.prev.size
	}
	return total
}

// merge puts the members of b over those of a: objects are merged, the last of other values wins.
func merge(a, b config.Value) config.Value {
	members := slices.Clone(a.Members)
	at := make(map[string]int, len(members))
	for i, m := range members {
		at[m.Key] = i
	}
	for _, m := range b.Members {
		i, ok := at[m.Key]
		switch {
		case !ok:
			members = append(members, m)
		case members[i].Value.Kind == config.Object && m.Value.Kind == config.Object:
			members[i].Value = merge(members[i].Value, m.Value)
		default:
			members[i] = m
		}
	}
	a.Members = members
	return a
}
