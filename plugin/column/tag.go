package column

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/culvertdata/culvert/plugin"
)

// tagOptions is what a culvert tag says.
type tagOptions struct {
	name string
	key  bool
	typ  plugin.Type // Null: the one that follows from the Go type
}

// parseTag reads the column name and the options of a field.
func parseTag(field, tag string) (tagOptions, error) {
	parts := splitTag(tag)
	o := tagOptions{name: parts[0]}
	if o.name == "" {
		o.name = snake(field)
	}
	for _, part := range parts[1:] {
		if part == "key" {
			o.key = true
			continue
		}
		typ, err := tagType(part)
		if err != nil {
			return o, err
		}
		o.typ = typ
	}
	return o, nil
}

// splitTag splits at the commas that are not within brackets.
func splitTag(tag string) []string {
	var parts []string
	depth, from := 0, 0
	for i, r := range tag {
		switch {
		case r == '(':
			depth++
		case r == ')':
			depth--
		case r == ',' && depth == 0:
			parts = append(parts, strings.TrimSpace(tag[from:i]))
			from = i + 1
		}
	}
	return append(parts, strings.TrimSpace(tag[from:]))
}

func tagType(text string) (plugin.Type, error) {
	word, args, _ := strings.Cut(strings.TrimSuffix(text, ")"), "(")
	var numbers []int
	for _, a := range strings.FieldsFunc(args, func(r rune) bool { return r == ',' || r == ' ' }) {
		n, err := strconv.Atoi(a)
		if err != nil {
			return plugin.Type{}, fmt.Errorf("tag option %q: %q is no number", text, a)
		}
		numbers = append(numbers, n)
	}
	switch {
	case word == "date" && len(numbers) == 0:
		return plugin.TypeOf(plugin.Date), nil
	case word == "time" && len(numbers) == 0:
		return plugin.TypeOf(plugin.Time), nil
	case word == "time" && len(numbers) == 1:
		return plugin.Type{Kind: plugin.Time, Scale: numbers[0]}, nil
	case word == "timestamp" && len(numbers) == 0:
		return plugin.TypeOf(plugin.Timestamp), nil
	case word == "timestamp" && len(numbers) == 1:
		return plugin.Type{Kind: plugin.Timestamp, Scale: numbers[0]}, nil
	case word == "decimal" && len(numbers) == 2:
		return plugin.DecimalOf(numbers[0], numbers[1]), nil
	}
	return plugin.Type{}, fmt.Errorf("tag option %q is none of key, date, time, time(n), timestamp, timestamp(n), "+
		"decimal(p,s)", text)
}
