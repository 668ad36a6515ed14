package plugin

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/culvertdata/culvert/plugin/config"
	"github.com/culvertdata/culvert/plugin/config/hocon"
)

// maxTypeDepth is the number of arrays, maps and rows that a type may nest.
const maxTypeDepth = 100

// typeNames are the names of types without parameters, old aliases included.
var typeNames = map[string]Kind{
	"string": String, "boolean": Boolean, "tinyint": TinyInt, "smallint": SmallInt, "int": Int, "bigint": BigInt,
	"float": Float, "double": Double, "null": Null, "bytes": Bytes, "date": Date, "time": Time,
	"timestamp": Timestamp, "byte": TinyInt, "short": SmallInt, "long": BigInt,
}

// shownTypes are the names that messages list, in this order.
var shownTypes = []string{"string", "boolean", "tinyint", "smallint", "int", "bigint", "float", "double",
	"decimal(10,2)", "null", "bytes", "date", "time", "timestamp", "array<int>", "map<string,int>", "{a = int}"}

// foreignTypes are names from elsewhere, and what they are called here.
var foreignTypes = map[string]string{
	"integer": "int", "bool": "boolean", "int8": "tinyint", "int16": "smallint", "int32": "int", "int64": "bigint",
	"real": "float", "numeric": "decimal(10,2)", "decimal": "decimal(10,2)", "number": "decimal(10,2)",
	"varchar": "string", "char": "string", "text": "string", "datetime": "timestamp", "binary": "bytes",
	"blob": "bytes", "varbinary": "bytes", "array": "array<int>", "list": "array<int>", "map": "map<string,int>",
	"row": "{a = int}", "struct": "{a = int}", "float32": "float", "float64": "double",
}

// ParseType reads a type as the job language writes it, in any case: string, boolean, tinyint, smallint, int, bigint,
// float, double, decimal(p,s), null, bytes, date, time, timestamp, array<T>, map<K,V>, and {a = int, b = string} for
// a row; byte, short and long are old names of tinyint, smallint and bigint.
//
// Beyond SeaTunnel, time(n) and timestamp(n) declare 0 to 9 fractional second digits, and the elements of arrays may
// have any type. The key of a map may be neither a map nor a row, as in SeaTunnel.
func ParseType(text string) (Type, error) { return parseType(text, 0) }

// TypeFromConfig reads a type from a job file: a text as [ParseType] takes it, or an object for a row. The error is a
// *config.Error with a problem for each field that has no type.
func TypeFromConfig(v config.Value) (Type, error) {
	var ps config.Problems
	t := typeFromConfig(v, "", 0, &ps)
	return t, ps.Err()
}

func typeFromConfig(v config.Value, path string, depth int, ps *config.Problems) Type {
	switch {
	case v.Kind == config.Null:
		return TypeOf(Null)
	case v.Kind == config.Object:
		return rowFromConfig(v, path, depth, ps)
	case !v.Scalar():
		ps.Errorf(path, v.Pos, "a type must be a text or an object, not %s", v.Kind)
		return Type{}
	}
	t, err := parseType(v.Text, depth)
	if err != nil {
		ps.Errorf(path, v.Pos, "%v", err)
	}
	return t
}

func rowFromConfig(v config.Value, path string, depth int, ps *config.Problems) Type {
	if depth >= maxTypeDepth {
		ps.Errorf(path, v.Pos, "the type nests more than %d levels", maxTypeDepth)
		return Type{}
	}
	if len(v.Members) == 0 {
		ps.Errorf(path, v.Pos, "a row must have at least one field")
	}
	row := Type{Kind: Row, Fields: make([]Field, len(v.Members))}
	for i, m := range v.Members {
		name := m.Key
		if path != "" {
			name = path + "." + m.Key
		}
		row.Fields[i] = Field{Name: m.Key, Type: typeFromConfig(m.Value, name, depth+1, ps)}
	}
	return row
}

func parseType(text string, depth int) (Type, error) {
	text = strings.TrimSpace(text)
	if depth > maxTypeDepth {
		return Type{}, fmt.Errorf("the type nests more than %d levels", maxTypeDepth)
	}
	if strings.HasPrefix(text, "{") {
		return parseRow(text, depth)
	}
	name, inner, closing := cutParameters(text)
	name = strings.ToLower(strings.TrimSpace(name))
	switch {
	case closing == 0:
		if kind, ok := typeNames[name]; ok {
			return TypeOf(kind), nil
		}
	case closing == ')' && name == "decimal":
		return parseDecimal(text, inner)
	case closing == ')' && (name == "time" || name == "timestamp"):
		return parseFraction(text, typeNames[name], inner)
	case closing == '>' && name == "array":
		elem, err := parseType(inner, depth+1)
		if err != nil {
			return Type{}, fmt.Errorf("%s: %w", shorten(text), err)
		}
		return ArrayOf(elem), nil
	case closing == '>' && name == "map":
		return parseMap(text, inner, depth)
	}
	return Type{}, unknownType(text, name)
}

// cutParameters splits name(inner) and name<inner>. closing is 0 for a name alone and for what is not closed.
func cutParameters(text string) (name, inner string, closing byte) {
	i := strings.IndexAny(text, "(<")
	if i < 0 {
		return text, "", 0
	}
	closing = ')'
	if text[i] == '<' {
		closing = '>'
	}
	if text[len(text)-1] != closing {
		return text, "", 0
	}
	return text[:i], text[i+1 : len(text)-1], closing
}

func parseRow(text string, depth int) (Type, error) {
	v, err := hocon.ParseValue([]byte(text))
	if err != nil {
		return Type{}, fmt.Errorf("%s is no row type: %w", shorten(text), err)
	}
	var ps config.Problems
	t := typeFromConfig(unplaced(v), "", depth, &ps)
	if err := ps.Err(); err != nil {
		return Type{}, fmt.Errorf("row type %s: %w", shorten(text), err)
	}
	return t, nil
}

// unplaced removes positions that count from the start of a type's text: they would mislead.
func unplaced(v config.Value) config.Value {
	v.Pos = config.Pos{}
	members := make([]config.Member, len(v.Members))
	for i, m := range v.Members {
		members[i] = config.Member{Key: m.Key, Value: unplaced(m.Value)}
	}
	v.Members = members
	return v
}

func parseDecimal(text, inner string) (Type, error) {
	precision, scale, ok := strings.Cut(inner, ",")
	p, errP := strconv.Atoi(strings.TrimSpace(precision))
	s, errS := strconv.Atoi(strings.TrimSpace(scale))
	if !ok || errP != nil || errS != nil {
		return Type{}, fmt.Errorf("%s must have two numbers, as in decimal(10,2)", shorten(text))
	}
	t := DecimalOf(p, s)
	return t, t.check()
}

func parseFraction(text string, kind Kind, inner string) (Type, error) {
	n, err := strconv.Atoi(strings.TrimSpace(inner))
	if err != nil || n < 0 || n > 9 {
		return Type{}, fmt.Errorf("%s must have 0 to 9 fractional second digits, as in timestamp(3)", shorten(text))
	}
	return Type{Kind: kind, Scale: n}, nil
}

// parseMap splits at the first comma outside of brackets, which is where SeaTunnel splits for every key type that it
// can read: its first comma, or the second one after a decimal.
func parseMap(text, inner string, depth int) (Type, error) {
	comma := topComma(inner)
	if comma < 0 {
		return Type{}, fmt.Errorf("%s must have a key and a value type, as in map<string,int>", shorten(text))
	}
	key, err := parseType(inner[:comma], depth+1)
	if err != nil {
		return Type{}, fmt.Errorf("key of %s: %w", shorten(text), err)
	}
	if key.Kind == Map || key.Kind == Row {
		return Type{}, fmt.Errorf("%s: the key of a map can be neither a map nor a row", shorten(text))
	}
	value, err := parseType(inner[comma+1:], depth+1)
	if err != nil {
		return Type{}, fmt.Errorf("value of %s: %w", shorten(text), err)
	}
	return MapOf(key, value), nil
}

func topComma(text string) int {
	open := 0
	for i := range len(text) {
		switch text[i] {
		case '(', '<', '{':
			open++
		case ')', '>', '}':
			open--
		case ',':
			if open == 0 {
				return i
			}
		}
	}
	return -1
}

func unknownType(text, name string) error {
	if strings.HasSuffix(name, "_vector") {
		return fmt.Errorf("type %s is not supported: there are no vector types", shorten(text))
	}
	near, ok := foreignTypes[name]
	if !ok {
		near, ok = config.Nearest(name, shownTypes)
	}
	if ok {
		return fmt.Errorf("type %s is not known; did you mean %q?", shorten(text), near)
	}
	return fmt.Errorf("type %s is not known; the types are %s", shorten(text), strings.Join(shownTypes, ", "))
}

// shorten quotes a type's text for a message.
func shorten(text string) string {
	const most = 60
	if r := []rune(text); len(r) > most {
		text = string(r[:most]) + "..."
	}
	return strconv.Quote(text)
}
