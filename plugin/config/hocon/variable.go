package hocon

import (
	"strings"

	"github.com/culvertdata/culvert/plugin/config"
)

// expandNode returns the node of a quoted text with its variables filled in.
func (p *parser) expandNode(text string, pos config.Pos) *node {
	if p.opts.Variables == nil || !strings.Contains(text, "${") {
		return textNode(text, pos)
	}
	if !strings.HasPrefix(text, "${") {
		return p.expandText(text, pos)
	}
	if value, whole := p.placeholder(text); whole == len(text) && value != nil {
		return p.variableNode(*value, pos)
	}
	return p.expandText(text, pos)
}

func (p *parser) expandText(text string, pos config.Pos) *node {
	var b strings.Builder
	for {
		i := strings.Index(text, "${")
		if i < 0 {
			b.WriteString(text)
			return textNode(b.String(), pos)
		}
		b.WriteString(text[:i])
		value, n := p.placeholder(text[i:])
		if value != nil {
			b.WriteString(*value)
		} else {
			b.WriteString(text[i : i+n])
		}
		text = text[i+n:]
	}
}

// placeholder reads a ${name} or ${name:default} at the start of text. It returns its value, nil if it has none and
// stays as it is, and its length.
func (p *parser) placeholder(text string) (value *string, length int) {
	i := strings.IndexAny(text[2:], ":{}")
	if i <= 0 || text[2+i] == '{' {
		return nil, 2 // an inner placeholder may follow
	}
	name, rest := text[2:2+i], text[2+i:]
	stop := strings.IndexByte(rest, '}')
	if stop < 0 {
		return nil, 2
	}
	length = 2 + i + stop + 1
	if reserved(name) {
		return nil, length
	}
	if v, ok := p.opts.Variables[name]; ok {
		return &v, length
	}
	if rest[0] == ':' {
		fallback := rest[1:stop]
		return &fallback, length
	}
	return nil, length
}

// variableNode returns the node of a variable's value: a list if it is written as one, else a text.
func (p *parser) variableNode(value string, pos config.Pos) *node {
	trimmed := strings.TrimSpace(value)
	if !strings.HasPrefix(trimmed, "[") || !strings.HasSuffix(trimmed, "]") {
		return textNode(value, pos)
	}
	var ps config.Problems
	inner := newParser(trimmed, &Options{}, &ps)
	inner.plain, inner.at, inner.depth = true, &pos, p.depth
	list := inner.bareValue()
	if ps.Err() != nil || list.kind != listNode {
		return textNode(value, pos)
	}
	return list
}
