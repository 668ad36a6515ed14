// Package hocon reads job files: JSON, and SeaTunnel's dialect of HOCON.
//
// The dialect is HOCON with these differences:
//
//   - Keys are split at "->", not at the point: row.num is one key, a->b = 1 puts b into the object a.
//   - An object under the key source, transform or sink, written as a block, becomes the list of its inner blocks, in
//     order and with repeated names kept. Each element gets the block's name as plugin_name unless it has one. At the
//     top level every member must be a block; deeper, an object with other members stays an object. Several such
//     blocks of one key are joined, where SeaTunnel keeps only the last.
//   - What a ${name} cannot be resolved to stays in the text as it is, because the placeholders of sinks look the same.
//   - The order of members is kept.
//
// # Substitution
//
// An unquoted ${path} is replaced by, in this order: a variable, the value at that path in the file, the environment,
// the default of ${name:default}. ${?path} is nothing if none of them exists. A quoted text is searched for ${name} and
// ${name:default} only if the caller gives variables, even none: an empty map fills in the defaults. A text that is one
// placeholder and nothing else takes a list if its variable is written as one, for example [a, b].
//
// # How it works
//
// One pass over the text builds a tree of nodes, in which later members are merged into earlier ones at once where
// both are known. Where a substitution stands in the way, the node keeps its predecessor. A second pass evaluates each
// node once. Nesting, the length of chains of substitutions and what they may grow to are bounded.
package hocon

import (
	"bytes"
	"slices"
	"unicode/utf8"

	"github.com/culvertdata/culvert/plugin/config"
)

// Options say what a job file may refer to and how strictly it is read. The zero value reads HOCON without variables,
// environment and includes.
type Options struct {
	// Variables are the values of ${name}, from -i name=value on a command line. nil leaves quoted texts alone.
	Variables map[string]string
	// Env looks up ${NAME} in the environment; nil means there is none.
	Env func(name string) (value string, ok bool)
	// Include returns the text of an included file; nil refuses includes.
	Include func(name string) ([]byte, error)
	// JSON accepts strict JSON only. Objects under source, transform and sink stay objects then.
	JSON bool
}

// Limits that keep a hostile file from exhausting the process.
const (
	maxDepth    = 500     // objects and lists within each other
	maxIncludes = 20      // files that include each other
	maxChain    = 1000    // substitutions that lead to each other, values put over each other
	maxGrowth   = 1 << 22 // bytes and values that substitutions may add
	maxProblems = 20      // problems reported of one file
)

// Reserved returns the names of the placeholders that SeaTunnel fills in for each table of a sink. A job's variables
// must not use them.
func Reserved() []string {
	return []string{"database_name", "schema_name", "schema_full_name", "table_name", "table_full_name",
		"primary_key", "unique_key", "field_names"}
}

func reserved(name string) bool { return slices.Contains(Reserved(), name) }

// Parse reads a job file. The value is always an object. An error is a *config.Error with all problems that can be
// told apart, each with its line and column.
func Parse(src []byte, o Options) (config.Value, error) {
	var ps config.Problems
	checkVariables(o, &ps)
	text, ok := validText(src, &ps)
	if !ok {
		return config.Value{}, ps.Err()
	}
	p := newParser(text, &o, &ps)
	root := p.document()
	if err := ps.Err(); err != nil {
		return config.Value{}, err
	}
	v := resolve(root, &o, &ps)
	return v, ps.Err()
}

// ParseValue reads one HOCON value, for example {a = int, b = {c = string}}, as it stands inside a text option. No
// object is turned into a list, and substitutions stay texts. An error is a *config.Error.
func ParseValue(src []byte) (config.Value, error) {
	var ps config.Problems
	text, ok := validText(src, &ps)
	if !ok {
		return config.Value{}, ps.Err()
	}
	o := Options{}
	p := newParser(text, &o, &ps)
	p.plain = true
	root := p.bareValue()
	if err := ps.Err(); err != nil {
		return config.Value{}, err
	}
	v := resolve(root, &o, &ps)
	return v, ps.Err()
}

func checkVariables(o Options, ps *config.Problems) {
	for _, name := range Reserved() {
		if _, ok := o.Variables[name]; ok {
			ps.Errorf("", config.Pos{}, "System placeholders cannot be used. Incorrect config parameter: %s", name)
		}
	}
}

// validText drops a byte order mark and refuses what is not UTF-8.
func validText(src []byte, ps *config.Problems) (string, bool) {
	src = bytes.TrimPrefix(src, []byte("\uFEFF"))
	if utf8.Valid(src) {
		return string(src), true
	}
	line, col := 1, 1
	for len(src) > 0 {
		r, size := utf8.DecodeRune(src)
		if r == utf8.RuneError && size == 1 {
			break
		}
		col++
		if r == '\n' {
			line, col = line+1, 1
		}
		src = src[size:]
	}
	ps.Errorf("", config.Pos{Line: line, Col: col}, "byte 0x%02x is not UTF-8; save the file in UTF-8", src[0])
	return "", false
}
