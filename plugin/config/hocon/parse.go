package hocon

import (
	"errors"
	"fmt"
	"strings"

	"github.com/culvertdata/culvert/plugin/config"
)

// parser turns one text into nodes.
type parser struct {
	scanner
	opts     *Options
	problems *config.Problems
	// plain turns no object into a list.
	plain bool
	depth int
	// stack holds the keys above the current member; inList counts the lists among what is above it.
	stack  []string
	inList int
	// includes are the names of the files that led here, base the path at which the first was included.
	includes []string
	base     []string
}

func newParser(text string, o *Options, ps *config.Problems) *parser {
	return &parser{scanner: newScanner(text, o.JSON), opts: o, problems: ps, plain: o.JSON}
}

// report records a problem and says whether reading can go on.
func (p *parser) report(err error) bool {
	var s *syntaxError
	if !errors.As(err, &s) {
		p.problems.Errorf("", p.pos(), "%v", err)
		return false
	}
	if s.problem.Text == "" { // reported further down
		return false
	}
	*p.problems = append(*p.problems, s.problem)
	return !s.fatal && len(*p.problems) < maxProblems
}

// document reads a whole job file: an object, with or without its braces.
func (p *parser) document() *node {
	p.gap()
	root := &node{kind: objectNode, pos: p.pos()}
	var err error
	switch {
	case p.peek() == '{':
		err = p.object(root)
		if err == nil {
			err = p.nothingMore()
		}
	case p.json || p.peek() == '[':
		err = fatalAt(p.pos(), "the file must be an object: it starts with '{', not with %s", p.here())
	default:
		err = p.members(root, p.pos(), false)
	}
	if err != nil {
		p.report(err)
	}
	return root
}

// bareValue reads a text that is one value.
func (p *parser) bareValue() *node {
	p.gap()
	n, err := p.value("the text", false)
	if err == nil {
		err = p.nothingMore()
	}
	if err != nil {
		p.report(err)
		return textNode("", p.pos())
	}
	return n
}

func (p *parser) nothingMore() error {
	if p.gap(); !p.end() {
		return fatalAt(p.pos(), "nothing may follow here, but %s does", p.here())
	}
	return nil
}

func (p *parser) enter() error {
	if p.depth++; p.depth > maxDepth {
		return fatalAt(p.pos(), "more than %d objects and lists are nested in each other", maxDepth)
	}
	return nil
}

// object reads an object in braces into n.
func (p *parser) object(n *node) error {
	if err := p.enter(); err != nil {
		return err
	}
	open := p.pos()
	p.off++
	err := p.members(n, open, true)
	p.depth--
	return err
}

// members reads members up to the closing brace, or to the end of the text. It goes on after a member that cannot be
// read if the damage ends with its line.
func (p *parser) members(n *node, open config.Pos, braces bool) error {
	comma := false
	for {
		p.gap()
		switch {
		case p.end() && !braces:
			return p.noTrailing(comma)
		case p.end():
			return fatalAt(open, "the '{' has no matching '}'")
		case p.peek() == '}' && braces:
			if err := p.noTrailing(comma); err != nil {
				return err
			}
			p.off++
			return nil
		case p.peek() == '}':
			return fatalAt(p.pos(), "this '}' closes nothing")
		}
		err := p.member(n)
		if s := (*syntaxError)(nil); errors.As(err, &s) && s.stay && p.report(err) {
			if p.json {
				err = nil
			} else {
				continue
			}
		}
		if err == nil {
			comma, err = p.separator("}")
		}
		if err != nil && (!p.report(err) || !p.recover()) {
			return &syntaxError{fatal: true}
		}
	}
}

func (p *parser) noTrailing(comma bool) error {
	if comma && p.json {
		return failAt(p.pos(), "JSON allows no comma before %s", p.here())
	}
	return nil
}

// recover skips the rest of a bad line, unless the line opens or closes something.
func (p *parser) recover() bool {
	rest := p.restOfLine()
	return !p.json && !strings.ContainsAny(rest, "{}[]\"")
}

// separator reads what stands between two members or elements: a comma, or newlines. closing ends the list of them.
func (p *parser) separator(closing string) (comma bool, err error) {
	newline := p.gap()
	switch {
	case p.peek() == ',':
		p.off++
		p.gap()
		if p.peek() == ',' {
			return false, failAt(p.pos(), "two commas follow each other")
		}
		return true, nil
	case p.end(), strings.IndexByte(closing, p.peek()) >= 0:
		return false, nil
	case newline && !p.json:
		return false, nil
	case p.json:
		return false, failAt(p.pos(), "a comma or %s must stand before %s", closing, p.here())
	}
	return false, failAt(p.pos(), "a comma, a new line or %s must stand before %s", closing, p.here())
}

// member reads one member, or an include, into the object n.
func (p *parser) member(n *node) error {
	if p.atInclude() {
		return p.include(n)
	}
	pos := p.pos()
	if p.peek() == ',' {
		return failAt(pos, "a member must stand before this comma")
	}
	path, err := p.key()
	if err != nil {
		return err
	}
	name := strings.Join(path, "->")
	add, err := p.assignment(pos, name)
	if err != nil {
		return err
	}
	p.stack = append(p.stack, path...)
	value, err := p.value(name, p.blocks(path))
	p.stack = p.stack[:len(p.stack)-len(path)]
	if err != nil {
		return err
	}
	if add {
		value = appended(value)
	}
	return p.assign(n, path, pos, value)
}

// blocks reports whether an object below path becomes a list.
func (p *parser) blocks(path []string) bool {
	switch path[len(path)-1] {
	case "source", "transform", "sink":
		return !p.plain
	}
	return false
}

// appended returns what key += value stands for: the list that key was, with value added.
func appended(value *node) *node {
	list := &node{kind: listNode, pos: value.pos, items: []*node{value}}
	return &node{kind: concatNode, pos: value.pos, items: []*node{{kind: prevNode, pos: value.pos}, list}}
}

// assign puts value at path below n.
func (p *parser) assign(n *node, path []string, pos config.Pos, value *node) error {
	if p.json {
		if i := n.find(path[0]); i >= 0 {
			return &syntaxError{stay: true, problem: config.Problem{Pos: pos, Text: fmt.Sprintf(
				"the key %q is there already, at %s", path[0], n.fields[i].pos)}}
		}
	}
	if p.depth+len(path) > maxDepth {
		return fatalAt(pos, "more than %d objects and lists are nested in each other", maxDepth)
	}
	for i := len(path) - 1; i > 0; i-- {
		outer := &node{kind: objectNode, pos: pos}
		outer.add(field{key: path[i], pos: pos, node: value})
		value = outer
	}
	n.put(field{key: path[0], pos: pos, node: value})
	return nil
}

// key reads the path of a member: keys joined by ->, each of quoted and unquoted parts.
func (p *parser) key() ([]string, error) {
	if !p.json {
		if key, ok := p.simpleKey(); ok {
			return []string{key}, nil
		}
		return p.path(":={")
	}
	if p.peek() != '"' {
		return nil, failAt(p.pos(), "a key in double quotes must stand here, not %s", p.here())
	}
	key, err := p.quoted()
	return []string{key}, err
}

// simpleKey reads the usual kind of key: one word.
func (p *parser) simpleKey() (string, bool) {
	end := p.off
	for end < len(p.src) && wordByte(p.src[end]) {
		end++
	}
	next := end
	for next < len(p.src) && (p.src[next] == ' ' || p.src[next] == '\t') {
		next++
	}
	if end == p.off || next == len(p.src) || strings.IndexByte(":={", p.src[next]) < 0 {
		return "", false
	}
	key := p.src[p.off:end]
	p.off = next
	return key, true
}

func wordByte(c byte) bool {
	return c == '_' || c == '.' || c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z'
}

// path reads keys up to one of the stop characters, which stays, or the end of the line.
func (p *parser) path(stop string) ([]string, error) {
	from := p.pos()
	k := keys{empty: true}
	for {
		if p.peek() == '"' {
			text, err := p.quoted()
			if err != nil {
				return nil, err
			}
			k.part.WriteString(text)
			k.empty = false
			continue
		}
		text := p.unquoted()
		quoteFollows := p.peek() == '"'
		if !k.unquoted(text, quoteFollows) {
			return nil, failAt(from, "a key is missing beside ->")
		}
		if !quoteFollows {
			break
		}
	}
	if !p.end() && p.peek() != '\n' && !p.comment() && strings.IndexByte(stop+"+", p.peek()) < 0 {
		return nil, failAt(p.pos(), "%s cannot be part of a key; put the key in double quotes", p.here())
	}
	if k.empty {
		return nil, failAt(p.pos(), "a key must stand here, not %s", p.here())
	}
	return append(k.done, k.part.String()), nil
}

// keys collects the keys of a path.
type keys struct {
	done  []string
	part  strings.Builder // of the key that is being read
	empty bool            // nothing of it was read yet
}

// unquoted adds unquoted text, in which arrows end keys. White space around keys is dropped. It fails if an arrow has
// no key before it.
func (k *keys) unquoted(text string, quoteFollows bool) bool {
	pieces := strings.Split(text, "->")
	for i, piece := range pieces {
		if i > 0 {
			if k.empty {
				return false
			}
			k.done = append(k.done, k.part.String())
			k.part.Reset()
			k.empty = true
		}
		if k.empty {
			piece = strings.TrimLeft(piece, " \t\r")
		}
		if i < len(pieces)-1 || !quoteFollows {
			piece = strings.TrimRight(piece, " \t\r")
		}
		k.part.WriteString(piece)
		k.empty = k.empty && piece == ""
	}
	return true
}

// assignment reads what stands between a key and its value and reports whether it is +=.
func (p *parser) assignment(pos config.Pos, name string) (add bool, err error) {
	newline := p.gap()
	switch c := p.peek(); {
	case c == ':' || c == '=' && !p.json:
		p.off++
	case c == '+' && p.byteAt(1) == '=' && !p.json:
		p.off += 2
		add = true
	case c == '{' && !p.json:
		return false, nil
	case p.json:
		return false, failAt(p.pos(), "a colon must stand after the key %q, not %s", name, p.here())
	case newline || p.end() || c == ',' || c == '}':
		return false, &syntaxError{stay: newline, problem: config.Problem{Pos: pos, Text: fmt.Sprintf(
			"%q has no value; write %s = value or %s { ... }", name, name, name)}}
	default:
		return false, failAt(p.pos(), "%s cannot stand after the key %q; write %s = value", p.here(), name, name)
	}
	p.gap()
	return add, nil
}
