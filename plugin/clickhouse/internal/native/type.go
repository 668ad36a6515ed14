package native

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Type is a ClickHouse type, taken apart.
type Type struct {
	// Name is the family: Int64, Decimal, DateTime64, Array, Enum8, ... Decimal32(s) and its like are Decimal.
	Name string
	// Args are the types within: of Nullable, LowCardinality, Array, Map, Tuple.
	Args []Type
	// Fields are the names of a Tuple's elements; nil if they have none.
	Fields []string
	// Precision and Scale are those of a Decimal. Scale is also the number of fraction digits of a DateTime64 and the
	// length of a FixedString.
	Precision, Scale int
	// Zone is the time zone of a DateTime or DateTime64; empty if the type names none.
	Zone string
	// Names are the names of an Enum's values.
	Names map[int16]string
}

// synonyms are types that are stored as another one.
var synonyms = map[string]string{
	"Boolean": "Bool", "DateTime32": "DateTime",
	"Point": "Tuple(Float64, Float64)", "Ring": "Array(Tuple(Float64, Float64))",
	"LineString": "Array(Tuple(Float64, Float64))", "Polygon": "Array(Array(Tuple(Float64, Float64)))",
	"MultiLineString": "Array(Array(Tuple(Float64, Float64)))",
	"MultiPolygon":    "Array(Array(Array(Tuple(Float64, Float64))))",
}

// ParseType reads the text of a type.
func ParseType(text string) (Type, error) {
	text = strings.TrimSpace(text)
	if full, ok := synonyms[text]; ok {
		return ParseType(full)
	}
	name, inner, args, err := cut(text)
	if err != nil {
		return Type{}, err
	}
	t := Type{Name: name}
	switch {
	case name == "Nullable" || name == "LowCardinality" || name == "Array":
		err = t.parseArgs(args, 1)
	case name == "Map":
		err = t.parseArgs(args, 2)
	case name == "Tuple":
		err = t.parseTuple(args)
	case name == "SimpleAggregateFunction" && len(args) == 2:
		return ParseType(args[1])
	case strings.HasPrefix(name, "Decimal"):
		err = t.parseDecimal(args)
	case name == "DateTime" || name == "DateTime64":
		err = t.parseTime(args)
	case name == "FixedString":
		t.Scale, err = strconv.Atoi(inner)
	case name == "Enum8" || name == "Enum16":
		err = t.parseEnum(args)
	}
	if err != nil {
		return Type{}, fmt.Errorf("type %s: %w", text, err)
	}
	return t, nil
}

// cut takes name(arg, arg) apart.
func cut(text string) (name, inner string, args []string, err error) {
	open := strings.IndexByte(text, '(')
	if open < 0 {
		return text, "", nil, nil
	}
	if !strings.HasSuffix(text, ")") {
		return "", "", nil, fmt.Errorf("type %s: a closing bracket is missing", text)
	}
	inner = text[open+1 : len(text)-1]
	return text[:open], inner, SplitArgs(inner), nil
}

// SplitArgs cuts at commas outside of brackets and quotes.
func SplitArgs(s string) []string {
	var args []string
	depth, from := 0, 0
	var quote byte
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case quote != 0 && c == '\\':
			i++
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '\'' || c == '`' || c == '"':
			quote = c
		case c == '(':
			depth++
		case c == ')':
			depth--
		case c == ',' && depth == 0:
			args = append(args, strings.TrimSpace(s[from:i]))
			from = i + 1
		}
	}
	if rest := strings.TrimSpace(s[from:]); rest != "" || args != nil {
		args = append(args, rest)
	}
	return args
}

func (t *Type) parseArgs(args []string, n int) error {
	if len(args) != n {
		return fmt.Errorf("%d types are within, want %d", len(args), n)
	}
	for _, a := range args {
		inner, err := ParseType(a)
		if err != nil {
			return err
		}
		t.Args = append(t.Args, inner)
	}
	return nil
}

// parseTuple reads types, each with or without a name in front.
func (t *Type) parseTuple(args []string) error {
	for _, a := range args {
		name, text := "", a
		if i := fieldEnd(a); i > 0 {
			name, text = unquote(a[:i]), a[i:]
		}
		inner, err := ParseType(text)
		if err != nil {
			return err
		}
		t.Args = append(t.Args, inner)
		if name != "" {
			t.Fields = append(t.Fields, name)
		}
	}
	if len(t.Args) == 0 || len(t.Fields) != len(t.Args) {
		t.Fields = nil
	}
	return nil
}

// fieldEnd returns where the name of a tuple's element ends, -1 if it has none.
func fieldEnd(s string) int {
	if s != "" && s[0] == '`' {
		for i := 1; i < len(s); i++ {
			if s[i] == '\\' {
				i++
			} else if s[i] == '`' {
				return i + 1
			}
		}
	}
	i := strings.IndexAny(s, " (")
	if i < 0 || s[i] == '(' {
		return -1
	}
	return i
}

func (t *Type) parseDecimal(args []string) error {
	sizes := map[string]int{"Decimal32": 9, "Decimal64": 18, "Decimal128": 38, "Decimal256": 76}
	t.Precision = sizes[t.Name]
	if t.Precision > 0 {
		args = append([]string{strconv.Itoa(t.Precision)}, args...)
	}
	t.Name = "Decimal"
	if len(args) != 2 {
		return fmt.Errorf("want a precision and a scale")
	}
	var err error
	if t.Precision, err = strconv.Atoi(args[0]); err != nil {
		return err
	}
	t.Scale, err = strconv.Atoi(args[1])
	return err
}

func (t *Type) parseTime(args []string) error {
	if t.Name == "DateTime64" {
		t.Scale = 3
		if len(args) > 0 {
			scale, err := strconv.Atoi(args[0])
			if err != nil || scale < 0 || scale > 9 {
				return fmt.Errorf("%q fraction digits, want 0 to 9", args[0])
			}
			t.Scale, args = scale, args[1:]
		}
	}
	if len(args) > 0 {
		t.Zone = unquote(args[0])
	}
	return nil
}

func (t *Type) parseEnum(args []string) error {
	t.Names = make(map[int16]string, len(args))
	for _, a := range args {
		i := strings.LastIndexByte(a, '=')
		if i < 0 {
			return fmt.Errorf("%s is no name with its number", a)
		}
		v, err := strconv.ParseInt(strings.TrimSpace(a[i+1:]), 10, 16)
		if err != nil {
			return err
		}
		t.Names[int16(v)] = unquote(strings.TrimSpace(a[:i]))
	}
	return nil
}

// unquote takes quotes and escapes away.
func unquote(s string) string {
	if len(s) < 2 || s[0] != s[len(s)-1] || !strings.ContainsRune("'`\"", rune(s[0])) {
		return s
	}
	var b strings.Builder
	for i := 1; i < len(s)-1; i++ {
		c := s[i]
		if c == '\\' && i+1 < len(s)-1 {
			i++
			if c = s[i]; strings.IndexByte("ntr0", c) >= 0 {
				c = "\n\t\r\x00"[strings.IndexByte("ntr0", c)]
			}
		}
		b.WriteByte(c)
	}
	return b.String()
}

// Bare returns the type without Nullable and LowCardinality around it, and whether it may be null.
func (t Type) Bare() (bare Type, nullable bool) {
	for t.Name == "Nullable" || t.Name == "LowCardinality" {
		nullable = nullable || t.Name == "Nullable"
		t = t.Args[0]
	}
	return t, nullable
}

// String returns the text of the type as a server takes it.
func (t Type) String() string {
	switch t.Name {
	case "Decimal":
		return fmt.Sprintf("Decimal(%d, %d)", t.Precision, t.Scale)
	case "DateTime":
		if t.Zone != "" {
			return "DateTime(" + Quote(t.Zone) + ")"
		}
	case "DateTime64":
		if t.Zone != "" {
			return fmt.Sprintf("DateTime64(%d, %s)", t.Scale, Quote(t.Zone))
		}
		return fmt.Sprintf("DateTime64(%d)", t.Scale)
	case "FixedString":
		return fmt.Sprintf("FixedString(%d)", t.Scale)
	case "Enum8", "Enum16":
		return t.Name + "(" + t.enumText() + ")"
	}
	if t.Args == nil {
		return t.Name
	}
	parts := make([]string, len(t.Args))
	for i, a := range t.Args {
		parts[i] = a.String()
		if t.Fields != nil {
			parts[i] = Identifier(t.Fields[i]) + " " + parts[i]
		}
	}
	return t.Name + "(" + strings.Join(parts, ", ") + ")"
}

func (t Type) enumText() string {
	values := make([]int16, 0, len(t.Names))
	for v := range t.Names {
		values = append(values, v)
	}
	slices.Sort(values)
	parts := make([]string, len(values))
	for i, v := range values {
		parts[i] = fmt.Sprintf("%s = %d", Quote(t.Names[v]), v)
	}
	return strings.Join(parts, ", ")
}

// dictionaries returns how many dictionaries a column of the type has.
func (t Type) dictionaries() int {
	n := 0
	for _, a := range t.Args {
		n += a.dictionaries()
	}
	if t.Name == "LowCardinality" {
		n++
	}
	return n
}

// sameForm reports whether values of both types have the same bytes: old servers drop a time zone's name.
func (t Type) sameForm(o Type) bool {
	if t.Name != o.Name || t.Precision != o.Precision || t.Scale != o.Scale || len(t.Args) != len(o.Args) {
		return false
	}
	for i := range t.Args {
		if !t.Args[i].sameForm(o.Args[i]) {
			return false
		}
	}
	return true
}

var escapes = strings.NewReplacer(`\`, `\\`, `'`, `\'`, "`", "\\`", "\n", `\n`, "\t", `\t`, "\r", `\r`, "\x00", `\0`)

// Quote returns a text literal of ClickHouse's SQL.
func Quote(s string) string { return "'" + escapes.Replace(s) + "'" }

// Identifier returns a quoted name of ClickHouse's SQL.
func Identifier(s string) string { return "`" + escapes.Replace(s) + "`" }
