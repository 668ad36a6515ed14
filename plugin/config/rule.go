package config

import (
	"fmt"
	"strings"
)

// Rule is a demand on several options together. [ExactlyOne], [AtMostOne], [Together] and [RequiredWhen] make one.
type Rule struct {
	kind  ruleKind
	names []string
	when  string
	value string
}

type ruleKind uint8

const (
	exactlyOne ruleKind = iota
	atMostOne
	together
	requiredWhen
)

// ExactlyOne demands that one of the options is set and no other.
func ExactlyOne(names ...string) Rule { return Rule{kind: exactlyOne, names: names} }

// AtMostOne demands that no two of the options are set.
func AtMostOne(names ...string) Rule { return Rule{kind: atMostOne, names: names} }

// Together demands all of the options or none.
func Together(names ...string) Rule { return Rule{kind: together, names: names} }

// RequiredWhen demands the options if another option has a value; the value is compared without regard to case.
func RequiredWhen(option, value string, names ...string) Rule {
	return Rule{kind: requiredWhen, names: names, when: option, value: value}
}

// String returns the rule in words, for reference pages.
func (r Rule) String() string {
	list := strings.Join(r.names, ", ")
	switch r.kind {
	case exactlyOne:
		return "exactly one of " + list
	case atMostOne:
		return "at most one of " + list
	case together:
		return "all of " + list + ", or none"
	default:
		return fmt.Sprintf("%s required when %s = %s", list, r.when, r.value)
	}
}

func (r Rule) check(s *Spec, v Value) Problems {
	var have, missing []string
	for _, name := range r.names {
		if _, _, ok := s.option(name).find(v); ok {
			have = append(have, name)
		} else {
			missing = append(missing, name)
		}
	}
	broken := false
	switch r.kind {
	case exactlyOne:
		broken = len(have) != 1
	case atMostOne:
		broken = len(have) > 1
	case together:
		broken = len(have) > 0 && len(missing) > 0
	case requiredWhen:
		broken = len(missing) > 0 && r.applies(s, v)
	}
	if !broken {
		return nil
	}
	text := r.String()
	if r.kind == together || r.kind == requiredWhen {
		text += "; missing: " + strings.Join(missing, ", ")
	} else if len(have) > 0 {
		text += "; set: " + strings.Join(have, ", ")
	}
	return Problems{{Pos: v.Pos, Text: text}}
}

// checkNames reports names that no option has.
func (r Rule) checkNames(s *Spec) error {
	names := r.names
	if r.when != "" {
		names = append([]string{r.when}, names...)
	}
	for _, name := range names {
		if s.option(name) == nil {
			return fmt.Errorf("%s: a rule names the option %q, which does not exist", s.typ, name)
		}
	}
	return nil
}

func (r Rule) applies(s *Spec, v Value) bool {
	o := s.option(r.when)
	found, _, ok := o.find(v)
	if !ok {
		return o.Default != nil && strings.EqualFold(*o.Default, r.value)
	}
	return strings.EqualFold(found.Text, r.value)
}

// option returns the option of a documented name, nil if there is none.
func (s *Spec) option(name string) *Option {
	for i := range s.Options {
		if s.Options[i].Name == name {
			return &s.Options[i]
		}
	}
	return nil
}
