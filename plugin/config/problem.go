package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Problem is one thing that is wrong, or looks wrong, in a job file.
type Problem struct {
	// Path names the place, for example source[0].row.num.
	Path string
	Pos  Pos
	// Text says what is wrong and what would be right.
	Text string
	// Warning marks what does not keep a job from running, such as an unknown option.
	Warning bool
}

// String returns "line:col: path: text", without the parts that are unknown.
func (p Problem) String() string {
	var b strings.Builder
	if p.Pos.Line > 0 {
		b.WriteString(p.Pos.String() + ": ")
	}
	if p.Path != "" {
		b.WriteString(p.Path + ": ")
	}
	b.WriteString(p.Text)
	return b.String()
}

// Problems are all problems of a job file or a part of it.
type Problems []Problem

// Errorf adds an error.
func (ps *Problems) Errorf(path string, pos Pos, format string, args ...any) {
	*ps = append(*ps, Problem{Path: path, Pos: pos, Text: fmt.Sprintf(format, args...)})
}

// Warnf adds a warning.
func (ps *Problems) Warnf(path string, pos Pos, format string, args ...any) {
	*ps = append(*ps, Problem{Path: path, Pos: pos, Text: fmt.Sprintf(format, args...), Warning: true})
}

// Under returns the problems with prefix put in front of each path. A path that starts with an index, such as [0],
// follows without a point.
func (ps Problems) Under(prefix string) Problems {
	if len(ps) == 0 {
		return nil
	}
	out := make(Problems, len(ps))
	for i, p := range ps {
		switch {
		case p.Path == "", p.Path[0] == '[':
			p.Path = prefix + p.Path
		default:
			p.Path = prefix + "." + p.Path
		}
		out[i] = p
	}
	return out
}

// asError returns the problems, warnings included, as an error; nil if there are none.
func (ps Problems) asError() error {
	if len(ps) == 0 {
		return nil
	}
	return &Error{Problems: ps}
}

// Errors returns the problems that are no warnings.
func (ps Problems) Errors() Problems { return ps.filter(false) }

// Warnings returns the warnings.
func (ps Problems) Warnings() Problems { return ps.filter(true) }

func (ps Problems) filter(warning bool) Problems {
	var out Problems
	for _, p := range ps {
		if p.Warning == warning {
			out = append(out, p)
		}
	}
	return out
}

// Sorted returns the problems in the order of the file; those without a place come first.
func (ps Problems) Sorted() Problems {
	return slices.SortedStableFunc(slices.Values(ps), func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Pos.Line, b.Pos.Line), cmp.Compare(a.Pos.Col, b.Pos.Col))
	})
}

// Err returns an *Error with the problems that are no warnings, nil if there are none.
func (ps Problems) Err() error {
	if errs := ps.Errors(); len(errs) > 0 {
		return &Error{Problems: errs}
	}
	return nil
}

// Error is a job file, or a part of one, that cannot be used.
type Error struct{ Problems Problems }

// Error lists the problems, one a line.
func (e *Error) Error() string {
	lines := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

// Nearest returns the candidate closest to name, if one is close enough to be a slip of the pen.
func Nearest(name string, candidates []string) (string, bool) {
	if len(name) > 100 { // no option's name is that long, and comparing would take its time
		return "", false
	}
	best, distance := "", len(name)/3+2
	for _, c := range candidates {
		if d := editDistance(fold(name), fold(c)); d < distance {
			best, distance = c, d
		}
	}
	return best, best != ""
}

// fold removes what people mix up: case, and the kinds of word separators.
func fold(s string) string {
	return strings.NewReplacer("-", "_", ".", "_").Replace(strings.ToLower(s))
}

func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		diagonal := row[0]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			diagonal, row[j] = row[j], min(row[j]+1, row[j-1]+1, diagonal+cost)
		}
	}
	return row[len(b)]
}
