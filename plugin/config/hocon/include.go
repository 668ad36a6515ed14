package hocon

import (
	"slices"
	"strings"

	"github.com/culvertdata/culvert/plugin/config"
)

// atInclude reports whether an include statement stands here rather than a key that starts with this word.
func (p *parser) atInclude() bool {
	if p.json || !p.has("include") {
		return false
	}
	rest := p.src[p.off+len("include"):]
	trimmed := strings.TrimLeft(rest, " \t")
	if len(trimmed) == len(rest) && !strings.HasPrefix(rest, `"`) {
		return false
	}
	for _, start := range []string{`"`, "file(", "required(", "url(", "classpath("} {
		if strings.HasPrefix(trimmed, start) {
			return true
		}
	}
	return false
}

// include reads an include statement and puts the members of the included file into n.
func (p *parser) include(n *node) error {
	pos := p.pos()
	name, err := p.includeName()
	if err != nil {
		return err
	}
	switch {
	case p.opts.Include == nil:
		return failAt(pos, "include %q is not allowed here; put the text of the file in its place", name)
	case len(p.includes) >= maxIncludes:
		return fatalAt(pos, "include %q: more than %d files include each other: %s", name, maxIncludes,
			strings.Join(p.includes, ", "))
	}
	src, err := p.opts.Include(name)
	if err != nil {
		return failAt(pos, "include %q: %v", name, err)
	}
	var ps config.Problems
	text, ok := validText(src, &ps)
	inner := newParser(text, p.opts, &ps)
	inner.depth = p.depth
	inner.includes = append(slices.Clone(p.includes), name)
	inner.inList = p.inList
	inner.base = slices.Concat(p.base, p.stack)
	if ok {
		root := inner.document()
		root.move(pos)
		for _, f := range root.fields {
			n.put(f)
		}
	}
	for _, problem := range ps {
		p.problems.Errorf("", pos, "in the included file %s, %s", name, problem)
	}
	if len(ps) > 0 {
		return &syntaxError{fatal: true}
	}
	return nil
}

// includeName reads the name: in quotes, or in file("...") and required(...).
func (p *parser) includeName() (string, error) {
	p.off += len("include")
	p.blanks()
	closing := 0
	for p.peek() != '"' {
		switch {
		case p.has("required("):
			p.off += len("required(")
		case p.has("file("):
			p.off += len("file(")
		default:
			return "", failAt(p.pos(), `only include "name" and include file("name") are known, not %s`, p.here())
		}
		closing++
		p.blanks()
	}
	name, err := p.quoted()
	for ; err == nil && closing > 0; closing-- {
		if p.blanks(); p.peek() != ')' {
			return "", failAt(p.pos(), "a ')' is missing after the name of the included file")
		}
		p.off++
	}
	return name, err
}
