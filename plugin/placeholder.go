package plugin

import (
	"regexp"
	"strings"

	"github.com/culvertdata/culvert/plugin/config/hocon"
)

// placeholder matches ${name} and ${name:default}.
var placeholder = regexp.MustCompile(`\$\{([a-z_]+)(?::([^}]*))?\}`)

// Placeholders returns the names that [Expand] fills in; a job's variables must not use them.
func Placeholders() []string { return hocon.Reserved() }

// Expand fills SeaTunnel's sink placeholders in an option's text with the parts of a table. A missing part takes the
// default of ${name:default}, else a missing database, schema or table is empty and a missing key leaves the
// placeholder as it is. Other names, such as ${now}, are left alone.
func Expand(text string, t *Table) string {
	if !strings.Contains(text, "${") {
		return text
	}
	return placeholder.ReplaceAllStringFunc(text, func(match string) string {
		parts := placeholder.FindStringSubmatch(match)
		value, known, keep := placeholderValue(parts[1], t)
		switch {
		case !known:
			return match
		case value != "":
			return value
		case strings.Contains(match, ":"):
			return parts[2]
		case keep:
			return match
		default:
			return ""
		}
	})
}

// ExpandList fills a list option: a list of exactly one element that is ${primary_key}, ${unique_key} or
// ${field_names} becomes the names; any other list is returned as it is.
func ExpandList(list []string, t *Table) []string {
	if len(list) != 1 {
		return list
	}
	switch list[0] {
	case "${primary_key}":
		return orKeep(t.KeyNames(), list)
	case "${unique_key}":
		return orKeep(uniqueKey(t), list)
	case "${field_names}":
		return t.Names()
	}
	return list
}

func orKeep(names, list []string) []string {
	if len(names) == 0 {
		return list
	}
	return names
}

// placeholderValue returns the value of a placeholder, whether the name is one, and whether an empty value leaves the
// placeholder in place.
func placeholderValue(name string, t *Table) (value string, known, keep bool) {
	switch name {
	case "database_name":
		return t.ID.Database, true, false
	case "schema_name":
		return t.ID.Schema, true, false
	case "schema_full_name":
		return TableID{Database: t.ID.Database, Name: t.ID.Schema}.trimmed(), true, false
	case "table_name":
		return t.ID.Name, true, false
	case "table_full_name":
		return t.ID.String(), true, false
	case "primary_key":
		return strings.Join(t.KeyNames(), ","), true, true
	case "unique_key":
		return strings.Join(uniqueKey(t), ","), true, true
	case "field_names":
		return strings.Join(t.Names(), ","), true, true
	}
	return "", false, false
}

func (id TableID) trimmed() string { return strings.Trim(id.String(), ".") }

func uniqueKey(t *Table) []string {
	for _, c := range t.Constraints {
		if c.Kind != UniqueKey {
			continue
		}
		names := make([]string, len(c.Columns))
		for i, col := range c.Columns {
			names[i] = col.Name
		}
		return names
	}
	return nil
}
