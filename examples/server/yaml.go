package main

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"
)

// options are the scalars and lists of a YAML file by their path, such as network.port.port. Each is taken once; what
// is left over at the end has no meaning here.
type options struct {
	file   string
	values map[string]*yaml.Node
	order  []string
	err    error
}

func readYAML(path string) (*options, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var root yaml.Node
	if err := yaml.Unmarshal(text, &root); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	o := &options{file: path, values: map[string]*yaml.Node{}}
	for _, n := range root.Content {
		o.collect("", n)
	}
	return o, nil
}

func (o *options) collect(path string, n *yaml.Node) {
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if n.Kind != yaml.MappingNode {
		o.values[path] = n
		o.order = append(o.order, path)
		return
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		name := n.Content[i].Value
		if path != "" {
			name = path + "." + name
		}
		o.collect(name, n.Content[i+1])
	}
}

// root takes a name off the front of all paths; files with and without it are read alike.
func (o *options) root(name string) {
	for i, path := range o.order {
		if rest, ok := strings.CutPrefix(path, name+"."); ok {
			o.values[rest] = o.values[path]
			delete(o.values, path)
			o.order[i] = rest
		}
	}
}

// take returns the text of an option and counts it as understood.
func (o *options) take(path string) (string, bool) {
	n, ok := o.values[path]
	delete(o.values, path)
	if !ok || n.Tag == "!!null" {
		return "", false
	}
	if n.Kind != yaml.ScalarNode {
		o.fail(path, n, "must be one value")
		return "", false
	}
	return n.Value, true
}

func (o *options) fail(path string, n *yaml.Node, format string, args ...any) {
	o.err = errors.Join(o.err, fmt.Errorf("%s:%d: %s %s", o.file, n.Line, path, fmt.Sprintf(format, args...)))
}

func (o *options) boolean(path string, value bool) bool {
	n := o.values[path]
	text, ok := o.take(path)
	if !ok {
		return value
	}
	switch strings.ToLower(text) {
	case "true":
		return true
	case "false":
		return false
	}
	o.fail(path, n, "must be true or false, not %q", text)
	return value
}

// integer reads a whole number between least and most.
func (o *options) integer(path string, value, least, most int) int {
	n := o.values[path]
	text, ok := o.take(path)
	if !ok {
		return value
	}
	i, err := strconv.Atoi(text)
	if err != nil || i < least || i > most {
		o.fail(path, n, "must be a whole number from %d to %d, not %q", least, most, text)
		return value
	}
	return i
}

func (o *options) duration(path string, unit time.Duration, into *time.Duration) {
	const most = 1 << 31
	if n := o.integer(path, 0, 1, most); n > 0 {
		*into = time.Duration(n) * unit
	}
}

// ignore takes options, or all below a path that ends with a point, that are right but mean nothing here.
func (o *options) ignore(paths ...string) {
	for _, p := range paths {
		for have := range o.values {
			if have == p || strings.HasSuffix(p, ".") && strings.HasPrefix(have, p) {
				delete(o.values, have)
			}
		}
	}
}

// left returns the options that nobody has taken, in the order of the file.
func (o *options) left() []string {
	var left []string
	for _, path := range o.order {
		if _, ok := o.values[path]; ok {
			left = append(left, path)
		}
	}
	return left
}
