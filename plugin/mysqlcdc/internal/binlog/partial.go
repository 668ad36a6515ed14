package binlog

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/column"
	"github.com/culvertdata/culvert/plugin/internal/mysql/wire"
)

// MySQL with binlog_row_value_options = PARTIAL_JSON logs what an update has done to a JSON value: a list of changes,
// each with a path. They are applied to the value of the before image.

var errPartial = errors.New("the update changes parts of a JSON value, and the value before it is not in the log: " +
	"set binlog_row_image = FULL or unset binlog_row_value_options")

// isPart reports whether a column's value in an image is a list of changes.
func (d *Decoder) isPart(i int, s *side) bool {
	if s.parts == nil || d.fields[i].log.Type != wire.TypeJSON {
		return false
	}
	bit := 0
	for j := range i {
		if d.fields[j].log.Type == wire.TypeJSON {
			bit++
		}
	}
	return has(s.parts, bit)
}

// patched returns the text of a JSON column after the changes in the after image.
func (d *Decoder) patched(i int) (text []byte, null bool, err error) {
	before, after := &d.sides[Before], &d.sides[After]
	place := before.places[i]
	if place == placeNull {
		return nil, true, nil
	}
	if place == placeAbsent {
		return nil, false, errPartial
	}
	head := d.fields[i].log.head
	base, _, ok1 := lengthText(head, before.values[place:])
	changes, _, ok2 := lengthText(head, after.values[after.places[i]:])
	if !ok1 || !ok2 {
		return nil, false, errShort
	}
	text, err = patchJSON(nil, base, changes)
	return text, false, err
}

func (d *Decoder) appendJSONText(i int, made []byte) error {
	t := d.out.Columns[d.outs[i]].Type
	if c, ok := d.columns[i].(*column.Text); ok && t.Kind == plugin.String {
		c.Append(made)
		return nil
	}
	return column.AppendValue(d.columns[i], t, string(made))
}

// jsonNode is a value that may be changed. Containers are taken apart when a change goes through them.
type jsonNode struct {
	value    jsonValue // while it is whole
	opened   bool
	keys     [][]byte // of an object, sorted by length and then by bytes, as MySQL has them
	children []*jsonNode
}

// The kinds of changes.
const (
	patchReplace = 0
	patchInsert  = 1
	patchRemove  = 2
)

// patchJSON appends the text of a binary JSON value after a list of changes.
func patchJSON(dst, base, changes []byte) ([]byte, error) {
	root := &jsonNode{value: rootOf(base)}
	c := cursor{b: changes}
	size := len(base)
	for len(c.b) > 0 {
		kind := c.u8()
		path := c.text()
		var value []byte
		if kind != patchRemove {
			value = c.text()
		}
		if c.bad || kind > patchRemove {
			return dst, errJSON
		}
		size += len(path) + len(value)
		if err := root.patch(kind, path, value); err != nil {
			return dst, fmt.Errorf("the change of a JSON value at %q: %w", path, err)
		}
	}
	return root.append(dst, bounds{end: len(dst) + textGrowth*size + 64})
}

func rootOf(b []byte) jsonValue {
	if len(b) == 0 {
		return jsonValue{kind: jsonLiteral, data: []byte{0}}
	}
	return jsonValue{b[0], b[1:]}
}

func (n *jsonNode) open() error {
	if n.opened {
		return nil
	}
	count := -1
	if n.value.container() {
		count = n.value.count()
	}
	if count < 0 {
		return errJSON
	}
	n.opened = true
	for i := range count {
		e, ok := n.value.element(i, count)
		if !ok {
			return errJSON
		}
		n.children = append(n.children, &jsonNode{value: e})
		if n.value.object() {
			key, ok := n.value.key(i)
			if !ok {
				return errJSON
			}
			n.keys = append(n.keys, key)
		}
	}
	return nil
}

// patch applies one change.
func (n *jsonNode) patch(kind byte, path, value []byte) error {
	if len(path) > 0 && path[0] == '$' {
		path = path[1:]
	}
	if len(path) == 0 {
		if kind != patchReplace {
			return errJSON
		}
		*n = jsonNode{value: rootOf(value)}
		return nil
	}
	leg, rest, err := cutLeg(path)
	if err != nil {
		return err
	}
	if err := n.open(); err != nil {
		return err
	}
	at, found := n.find(leg)
	if len(rest) > 0 {
		if !found {
			return errJSON
		}
		return n.children[at].patch(kind, rest, value)
	}
	return n.change(kind, leg, at, found, value)
}

func (n *jsonNode) change(kind byte, leg pathLeg, at int, found bool, value []byte) error {
	switch {
	case kind == patchReplace && found:
		n.children[at] = &jsonNode{value: rootOf(value)}
	case kind == patchInsert && n.value.object() && !found:
		n.keys = slices.Insert(n.keys, at, leg.key)
		n.children = slices.Insert(n.children, at, &jsonNode{value: rootOf(value)})
	case kind == patchInsert && !n.value.object():
		n.children = slices.Insert(n.children, min(at, len(n.children)), &jsonNode{value: rootOf(value)})
	case kind == patchRemove && found:
		n.children = slices.Delete(n.children, at, at+1)
		if n.value.object() {
			n.keys = slices.Delete(n.keys, at, at+1)
		}
	default:
		return errJSON
	}
	return nil
}

// pathLeg is one step of a path: a member of an object, or an element of an array.
type pathLeg struct {
	key   []byte
	index int // -1 for a member
}

// cutLeg takes the first step off a path: .name, ."name" or [3].
func cutLeg(path []byte) (pathLeg, []byte, error) {
	switch {
	case path[0] == '[':
		end := bytes.IndexByte(path, ']')
		if end < 0 {
			return pathLeg{}, nil, errJSON
		}
		index, err := strconv.ParseUint(string(path[1:end]), 10, 31)
		if err != nil {
			return pathLeg{}, nil, errJSON
		}
		return pathLeg{index: int(index)}, path[end+1:], nil
	case path[0] != '.' || len(path) < 2:
		return pathLeg{}, nil, errJSON
	case path[1] != '"':
		end := bytes.IndexAny(path[1:], ".[")
		if end < 0 {
			end = len(path) - 1
		}
		return pathLeg{key: path[1 : 1+end], index: -1}, path[1+end:], nil
	}
	for i := 2; i < len(path); i++ {
		switch path[i] {
		case '\\':
			i++
		case '"':
			key, err := strconv.Unquote(string(path[1 : i+1]))
			if err != nil {
				return pathLeg{}, nil, errJSON
			}
			return pathLeg{key: []byte(key), index: -1}, path[i+1:], nil
		}
	}
	return pathLeg{}, nil, errJSON
}

// find returns where a step leads to, or where it would be inserted.
func (n *jsonNode) find(leg pathLeg) (int, bool) {
	if leg.index >= 0 {
		return leg.index, !n.value.object() && leg.index < len(n.children)
	}
	if !n.value.object() {
		return 0, false
	}
	return slices.BinarySearchFunc(n.keys, leg.key, func(a, b []byte) int {
		if len(a) != len(b) {
			return len(a) - len(b)
		}
		return bytes.Compare(a, b)
	})
}

func (n *jsonNode) append(dst []byte, most bounds) ([]byte, error) {
	if !n.opened {
		return n.value.append(dst, most)
	}
	most.depth++
	object := n.value.object()
	if object {
		dst = append(dst, '{')
	} else {
		dst = append(dst, '[')
	}
	for i, child := range n.children {
		if i > 0 {
			dst = append(dst, ", "...)
		}
		if object {
			dst = append(appendJSONString(dst, n.keys[i]), ": "...)
		}
		var err error
		if dst, err = child.append(dst, most); err != nil {
			return dst, err
		}
	}
	if object {
		return append(dst, '}'), nil
	}
	return append(dst, ']'), nil
}
