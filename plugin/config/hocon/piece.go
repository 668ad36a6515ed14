package hocon

import (
	"errors"
	"strings"
	"unicode"

	"github.com/culvertdata/culvert/plugin/config"
)

// value reads a value: pieces that follow each other on one line. name says whose value, for messages; blocks makes
// an object a list of blocks.
func (p *parser) value(name string, blocks bool) (*node, error) {
	pos := p.pos()
	var pieces []*node
	for !p.valueEnds() {
		piece, err := p.piece(blocks)
		if err != nil {
			return nil, err
		}
		pieces = append(pieces, piece)
		if p.json {
			break
		}
		if piece.kind == listNode || piece.isObject() {
			p.blanks()
		}
	}
	if n := len(pieces); n > 0 && pieces[n-1].blank {
		pieces = pieces[:n-1]
	}
	switch len(pieces) {
	case 0:
		return nil, failAt(pos, "%s has no value before %s", name, p.here())
	case 1:
		return p.single(pieces[0])
	}
	return p.joined(pieces, pos)
}

func (p *parser) valueEnds() bool {
	switch p.peek() {
	case ',', '}', ']', '\n':
		return true
	}
	return p.end() || p.comment()
}

// single finishes a value of one piece.
func (p *parser) single(n *node) (*node, error) {
	if n.kind == scalarNode && n.scalar == config.None {
		n.scalar = classify(n.text)
		if p.json && n.scalar == config.String {
			return nil, failAt(n.pos, "a text must be in double quotes") // which may be a secret
		}
	}
	return n, nil
}

// joined finishes a value of several pieces: texts become one text; what holds lists, objects or substitutions is
// left for later.
func (p *parser) joined(pieces []*node, pos config.Pos) (*node, error) {
	var b strings.Builder
	for _, piece := range pieces {
		if piece.kind != scalarNode {
			return &node{kind: concatNode, pos: pos, items: pieces}, nil
		}
		b.WriteString(piece.text)
	}
	return textNode(b.String(), pos), nil
}

// piece reads an object, a list, a quoted text, a substitution, or unquoted text with the white space around it.
func (p *parser) piece(blocks bool) (*node, error) {
	pos := p.pos()
	switch c := p.peek(); {
	case c == '{':
		n := &node{kind: objectNode, pos: pos}
		if blocks {
			n.kind, n.top = blocksNode, len(p.stack) == 1 && len(p.base) == 0 && p.inList == 0
		}
		if err := p.object(n); err != nil || n.top || n.onlyBlocks() {
			return n, err
		}
		return n.ordinary(), nil
	case c == '[':
		return p.list()
	case c == '"':
		text, err := p.quoted()
		if err != nil {
			return nil, err
		}
		return p.expandNode(text, pos), nil
	case c == '$' && p.byteAt(1) == '{' && !p.json:
		return p.reference()
	}
	text := p.unquoted()
	if text == "" {
		return nil, p.misplaced()
	}
	if p.valueEnds() || p.json {
		text = strings.TrimRightFunc(text, unicode.IsSpace)
	}
	return &node{kind: scalarNode, text: text, pos: pos, blank: strings.TrimSpace(text) == ""}, nil
}

// misplaced describes a special character inside unquoted text.
func (p *parser) misplaced() error {
	switch p.peek() {
	case '=', ':':
		return failAt(p.pos(), "%s cannot stand in a value without quotes; put the value in double quotes, "+
			"or a comma or a new line before the next key", p.here())
	}
	return failAt(p.pos(), "%s cannot stand in a value without quotes; put the value in double quotes", p.here())
}

// list reads a list in brackets.
func (p *parser) list() (*node, error) {
	n := &node{kind: listNode, pos: p.pos()}
	if err := p.enter(); err != nil {
		return nil, err
	}
	p.off++
	p.inList++
	err := p.elements(n)
	p.inList--
	p.depth--
	return n, err
}

func (p *parser) elements(n *node) error {
	comma := false
	for {
		p.gap()
		switch {
		case p.end():
			return fatalAt(n.pos, "the '[' has no matching ']'")
		case p.peek() == ']':
			if err := p.noTrailing(comma); err != nil {
				return err
			}
			p.off++
			return nil
		case p.peek() == '}':
			return fatalAt(p.pos(), "this '}' stands in the list from %s, which ends with ']'", n.pos)
		case p.peek() == ',':
			return failAt(p.pos(), "an element must stand before this comma")
		}
		item, err := p.value("the element", false)
		if err == nil {
			n.items = append(n.items, item)
			comma, err = p.separator("]")
		}
		if s := (*syntaxError)(nil); errors.As(err, &s) {
			s.fatal = true // the rest of the list would look like members
			return s
		}
	}
}

// reference reads ${path}, ${?path} or ${name:default}.
func (p *parser) reference() (*node, error) {
	pos, from := p.pos(), p.off
	p.off += 2
	optional := p.peek() == '?'
	if optional {
		p.off++
	}
	path, err := p.path("}:")
	if err != nil {
		return nil, err
	}
	n := &node{kind: refNode, pos: pos, path: path, prefix: p.base, optional: optional}
	fallback, hasDefault := "", false
	if p.peek() == ':' {
		i := strings.IndexAny(p.src[p.off:], "}\n")
		if i < 0 || p.src[p.off+i] == '\n' {
			return nil, fatalAt(pos, "the '${' has no matching '}' on its line")
		}
		fallback, hasDefault = p.src[p.off+1:p.off+i], true
		p.off += i
	}
	if p.peek() != '}' {
		return nil, fatalAt(pos, "the '${' has no matching '}' on its line")
	}
	p.off++
	n.text = p.src[from:p.off]
	name := strings.Join(path, "->")
	if reserved(name) {
		return textNode(n.text, pos), nil
	}
	if value, ok := p.opts.Variables[name]; ok {
		return p.variableNode(value, pos), nil
	}
	if hasDefault {
		n.items = []*node{p.variableNode(fallback, pos)}
	}
	return n, nil
}
