package config

import (
	"fmt"
	"strings"
)

// Markdown returns the options as a reference table, nested ones below their object, and the rules as a list after it.
func (s *Spec) Markdown() string {
	var b strings.Builder
	b.WriteString("| Option | Type | Unit | Default | Required | Allowed | Description |\n")
	b.WriteString("|---|---|---|---|---|---|---|\n")
	var rules []string
	s.markdown(&b, "", &rules)
	if len(rules) > 0 {
		b.WriteString("\nRules:\n\n")
	}
	for _, rule := range rules {
		b.WriteString("- " + rule + "\n")
	}
	return b.String()
}

func (s *Spec) markdown(b *strings.Builder, prefix string, rules *[]string) {
	for i := range s.Options {
		o := &s.Options[i]
		fmt.Fprintf(b, "| %s | %s | %s | %s | %s | %s | %s |\n", code(prefix+o.Name), cell(o.Type), o.Unit, o.shownDefault(),
			yes(o.Required), cell(o.allowed()), cell(o.description()))
		if o.Nested != nil {
			inner := prefix + o.Name + "."
			if strings.HasPrefix(o.Type, "list") {
				inner = prefix + o.Name + "[]."
			}
			o.Nested.markdown(b, inner, rules)
		}
	}
	for _, r := range s.Rules {
		text := r.String()
		if prefix != "" {
			text = "in " + code(strings.TrimSuffix(prefix, ".")) + ": " + text
		}
		*rules = append(*rules, text)
	}
}

func (o *Option) shownDefault() string {
	switch {
	case o.Default == nil:
		return ""
	case *o.Default == "":
		return "empty"
	}
	return code(*o.Default)
}

// allowed returns the values that an option may have, as far as its type does not say it.
func (o *Option) allowed() string {
	switch {
	case len(o.Enum) > 0:
		return strings.Join(o.Enum, ", ")
	case o.Min != "" && o.Max != "":
		return o.Min + " to " + o.Max
	case o.Min != "":
		return "at least " + o.Min
	case o.Max != "":
		return "at most " + o.Max
	}
	return ""
}

func (o *Option) description() string {
	text := o.Help
	if o.Secret {
		text += " Secret."
	}
	if len(o.Aliases) > 0 {
		text += " Also: " + strings.Join(o.Aliases, ", ") + "."
	}
	return text
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return ""
}

func code(s string) string { return "`" + cell(s) + "`" }

// cell keeps a text from ending its table cell.
func cell(s string) string {
	return strings.NewReplacer("|", `\|`, "\n", " ").Replace(s)
}
