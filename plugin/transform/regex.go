package transform

import (
	"bytes"
	"fmt"
	"regexp"
	"regexp/syntax"
	"strings"
)

// pattern is a regular expression of Java.
type pattern struct {
	re *regexp.Regexp
	// literal is what the expression matches, if that is one text only.
	literal []byte
	// next is re right behind one character, if re can match nothing; see matches.
	next *regexp.Regexp
}

func compile(java string) (*pattern, error) {
	translated, err := translate(java)
	if err != nil {
		return nil, fmt.Errorf("regular expression %q: %w", java, err)
	}
	re, err := regexp.Compile(translated)
	if err != nil {
		return nil, fmt.Errorf("regular expression %q: %w (lookaround, back references, possessive quantifiers and "+
			"atomic groups are not supported)", java, err)
	}
	p := &pattern{re: re}
	tree, err := syntax.Parse(translated, syntax.Perl)
	if err != nil {
		return nil, fmt.Errorf("regular expression %q: %w", java, err)
	}
	if tree = tree.Simplify(); tree.Op == syntax.OpLiteral && tree.Flags&syntax.FoldCase == 0 {
		p.literal = []byte(string(tree.Rune))
	}
	if canBeEmpty(tree) {
		p.next, err = regexp.Compile(`\A(?s:.)(?:` + translated + `)`)
	}
	return p, err
}

// canBeEmpty reports whether an expression may match nothing.
func canBeEmpty(re *syntax.Regexp) bool {
	switch re.Op {
	case syntax.OpLiteral, syntax.OpCharClass, syntax.OpAnyChar, syntax.OpAnyCharNotNL, syntax.OpNoMatch:
		return false
	case syntax.OpConcat:
		for _, sub := range re.Sub {
			if !canBeEmpty(sub) {
				return false
			}
		}
		return true
	case syntax.OpAlternate:
		for _, sub := range re.Sub {
			if canBeEmpty(sub) {
				return true
			}
		}
		return false
	case syntax.OpCapture, syntax.OpPlus:
		return canBeEmpty(re.Sub[0])
	case syntax.OpRepeat:
		return re.Min == 0 || canBeEmpty(re.Sub[0])
	default:
		return true
	}
}

// matches appends the positions of the matches in text, and of their groups, at most limit unless that is negative.
// They are those that Java finds: package regexp leaves out an empty match right behind another match, Java does not.
func (p *pattern) matches(text []byte, limit int) [][]int {
	found := p.re.FindAllSubmatchIndex(text, limit)
	if p.next == nil || limit == 1 {
		return found
	}
	var all [][]int
	for i, m := range found {
		all = append(all, m)
		end := m[1]
		if m[0] == end || i+1 < len(found) && found[i+1][0] == end {
			continue
		}
		// With the character before it in view, the expression sees word boundaries and line starts as they are.
		before := end - lastWidth(text[:end])
		if n := p.next.FindSubmatchIndex(text[before:]); n != nil {
			for g := range n {
				if n[g] >= 0 {
					n[g] += before
				}
			}
			n[0] = end
			all = append(all, n)
		}
	}
	if limit > 0 && len(all) > limit {
		all = all[:limit]
	}
	return all
}

// lastWidth returns the number of bytes of the last character.
func lastWidth(text []byte) int {
	n := len(text) - 1
	for n > 0 && text[n]&0xc0 == 0x80 {
		n--
	}
	return len(text) - n
}

// template is the replacement text of a regular expression: literal parts and groups by turns.
type template []templatePart

type templatePart struct {
	text  string
	group int // -1: text
}

// parseTemplate reads Java's replacement syntax: $n and ${name} for groups, a backslash makes the next character
// literal.
func parseTemplate(text string, re *regexp.Regexp) (template, error) {
	var t template
	var literal strings.Builder
	for i := 0; i < len(text); i++ {
		switch {
		case text[i] == '\\' && i+1 < len(text):
			i++
			literal.WriteByte(text[i])
		case text[i] == '\\':
			return nil, fmt.Errorf("replacement %q ends in a backslash; write \\\\ for one", text)
		case text[i] == '$':
			group, width, err := parseGroup(text[i+1:], re)
			if err != nil {
				return nil, fmt.Errorf("replacement %q: %w", text, err)
			}
			t = append(t, templatePart{literal.String(), -1}, templatePart{"", group})
			literal.Reset()
			i += width
		default:
			literal.WriteByte(text[i])
		}
	}
	return append(t, templatePart{literal.String(), -1}), nil
}

// parseGroup reads what follows a $ and returns the group and how many bytes name it. A number takes as many digits as
// there are groups for.
func parseGroup(text string, re *regexp.Regexp) (group, width int, err error) {
	if strings.HasPrefix(text, "{") {
		name, _, ok := strings.Cut(text[1:], "}")
		if group = re.SubexpIndex(name); !ok || group < 0 {
			return 0, 0, fmt.Errorf("the pattern has no group named %q", name)
		}
		return group, len(name) + 2, nil
	}
	for width < len(text) && text[width] >= '0' && text[width] <= '9' {
		next := group*10 + int(text[width]-'0')
		if width > 0 && next > re.NumSubexp() {
			break
		}
		group = next
		width++
	}
	switch {
	case width == 0:
		return 0, 0, fmt.Errorf(`$ must be followed by a group's number or {name}; write \$ for the sign itself`)
	case group > re.NumSubexp():
		return 0, 0, fmt.Errorf("$%d: the pattern has %d groups", group, re.NumSubexp())
	}
	return group, width, nil
}

// append appends the replacement of one match.
func (t template) append(dst, text []byte, match []int) []byte {
	for _, part := range t {
		switch {
		case part.group < 0:
			dst = append(dst, part.text...)
		case match[2*part.group] >= 0:
			dst = append(dst, text[match[2*part.group]:match[2*part.group+1]]...)
		}
	}
	return dst
}

// replacer replaces parts of texts.
type replacer struct {
	pattern   *pattern // nil: literal replacement
	template  template
	from, to  []byte
	firstOnly bool
}

// append appends text with the replacements made. It reports whether there were any.
func (r *replacer) append(dst, text []byte) ([]byte, bool) {
	if r.pattern == nil {
		return r.appendLiteral(dst, text)
	}
	limit := -1
	if r.firstOnly {
		limit = 1
	}
	end := 0
	found := r.pattern.matches(text, limit)
	for _, m := range found {
		dst = append(dst, text[end:m[0]]...)
		dst = r.template.append(dst, text, m)
		end = m[1]
	}
	return append(dst, text[end:]...), len(found) > 0
}

func (r *replacer) appendLiteral(dst, text []byte) ([]byte, bool) {
	if len(r.from) == 0 {
		return append(dst, bytes.ReplaceAll(text, nil, r.to)...), true
	}
	changed := false
	for {
		i := bytes.Index(text, r.from)
		if i < 0 {
			return append(dst, text...), changed
		}
		dst = append(append(dst, text[:i]...), r.to...)
		text, changed = text[i+len(r.from):], true
	}
}
