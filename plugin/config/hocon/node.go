package hocon

import "github.com/culvertdata/culvert/plugin/config"

type nodeKind uint8

const (
	scalarNode nodeKind = iota
	listNode
	objectNode
	blocksNode // object under source, transform or sink: its members may repeat
	concatNode // pieces that follow each other
	refNode    // ${path}
	prevNode   // the value that += adds to
)

// node is a value as written, before substitution.
type node struct {
	kind nodeKind
	pos  config.Pos

	scalar config.Kind // of a scalarNode
	text   string      // of a scalarNode; of a refNode as written, with ${ and }
	blank  bool        // a scalarNode of white space between two pieces

	items []*node // of a listNode or a concatNode

	fields []field // of an objectNode or a blocksNode
	index  map[string]int
	top    bool // of a blocksNode: at the top level of the job file

	path     []string // of a refNode
	prefix   []string // of a refNode in an included file: where the file was included
	optional bool     // of a refNode: ${?path}

	prev *node // the value that this one was put over, if that still matters

	state evalState
	value config.Value
	size  int // bytes and values below value
}

type field struct {
	key  string
	pos  config.Pos
	node *node
}

// indexFrom is the number of fields from which an object gets an index.
const indexFrom = 8

func (n *node) isObject() bool { return n.kind == objectNode || n.kind == blocksNode }

// open reports whether the node's value is known only after substitution.
func (n *node) open() bool { return n.kind == concatNode || n.kind == refNode || n.prev != nil }

func (n *node) find(key string) int {
	if n.index != nil {
		if i, ok := n.index[key]; ok {
			return i
		}
		return -1
	}
	for i := range n.fields {
		if n.fields[i].key == key {
			return i
		}
	}
	return -1
}

// add appends a field whose key is not there yet, or may repeat.
func (n *node) add(f field) {
	n.fields = append(n.fields, f)
	switch {
	case n.kind == blocksNode:
	case n.index != nil:
		n.index[f.key] = len(n.fields) - 1
	case len(n.fields) > indexFrom:
		n.index = make(map[string]int, 2*len(n.fields))
		for i := range n.fields {
			n.index[n.fields[i].key] = i
		}
	}
}

// put adds a field, or puts it over the one of that key: objects are merged, the last of other values wins. The field
// stays in its first place.
func (n *node) put(f field) {
	if n.kind == blocksNode {
		n.add(f)
		return
	}
	i := n.find(f.key)
	if i < 0 {
		n.add(f)
		return
	}
	old := &n.fields[i]
	if old.node.isObject() && f.node.isObject() && old.node.kind != f.node.kind {
		old.node, f.node = old.node.ordinary(), f.node.ordinary()
	}
	switch {
	case old.node.isObject() && f.node.isObject() && f.node.prev == nil:
		for _, inner := range f.node.fields {
			old.node.put(inner)
		}
	case f.node.appends() && old.node.appends():
		old.node.items[1].items = append(old.node.items[1].items, f.node.items[1].items...)
	case f.node.appends() && old.node.kind == listNode && !old.node.open():
		old.node.items = append(old.node.items, f.node.items[1].items...)
	case f.node.open() || f.node.isObject() && old.node.open():
		f.node.last().prev = old.node
		old.node = f.node
	default:
		old.node, old.pos = f.node, f.pos
	}
}

// appends reports whether the node is what key += value stands for: the list before it, and the list of what is added.
func (n *node) appends() bool { return n.kind == concatNode && n.items[0].kind == prevNode }

// ordinary returns the object with repeated members merged.
func (n *node) ordinary() *node {
	if n.kind == objectNode {
		return n
	}
	o := &node{kind: objectNode, pos: n.pos, prev: n.prev}
	for _, f := range n.fields {
		o.put(f)
	}
	return o
}

// onlyBlocks reports whether all members are objects.
func (n *node) onlyBlocks() bool {
	for i := range n.fields {
		if !n.fields[i].node.isObject() {
			return false
		}
	}
	return true
}

// move gives all positions below n, which come from another file, the place of the include.
func (n *node) move(pos config.Pos) {
	n.pos = pos
	for _, item := range n.items {
		item.move(pos)
	}
	for i := range n.fields {
		n.fields[i].pos = pos
		n.fields[i].node.move(pos)
	}
	if n.prev != nil {
		n.prev.move(pos)
	}
}

// last returns the end of the chain of predecessors.
func (n *node) last() *node {
	for n.prev != nil {
		n = n.prev
	}
	return n
}

// textNode returns the node of a text.
func textNode(text string, pos config.Pos) *node {
	return &node{kind: scalarNode, scalar: config.String, text: text, pos: pos}
}
