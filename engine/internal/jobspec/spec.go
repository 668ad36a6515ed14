// Package jobspec reads the tree of a job file into a Spec: the env block, the lists of sources, transforms and sinks,
// and who reads whose dataset.
//
// The rules are SeaTunnel's, error texts included. A job of one source, at most one transform and one sink is simple:
// names of datasets may be missing or wrong, and a step reads the dataset made last. In any other job each dataset has
// a name of its own, each name that is read exists, and each dataset is read.
//
// Reading never stops at the first problem: all are reported together. Options of plugins are not looked at; package
// plan checks them against the registry and adds what it finds to the problems of the Spec.
package jobspec

import (
	"fmt"
	"slices"
	"strings"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/config"
)

// Spec is a job file.
type Spec struct {
	Env        Env
	Sources    []Block
	Transforms []Block
	Sinks      []Block
	// Errors keep the job from running, Warnings do not. Both are in the order of the file.
	Errors   config.Problems
	Warnings config.Problems
}

// Block is one source, transform or sink.
type Block struct {
	Role plugin.Role
	// Index is the position among the blocks of the same role, from 0.
	Index int
	// Plugin is the plugin's name as the user wrote it.
	Plugin string
	// Config is the block as written, the common options included.
	Config config.Value
	// Inputs are the names of the datasets to read (source_table_name, plugin_input), without repetitions; empty if
	// none were written.
	Inputs []string
	// Output is the name of the dataset (result_table_name, plugin_output); empty if none was written.
	Output string
	// Parallelism is the block's own; 0 if none was written.
	Parallelism int
	// From are the blocks that make what this one reads, in the order of Inputs; nil for a source.
	From []Ref
}

// Ref points at a block.
type Ref struct {
	Role  plugin.Role
	Index int
}

// Ref returns the reference to b.
func (b *Block) Ref() Ref { return Ref{b.Role, b.Index} }

// Path names the block in messages, for example source[0].
func (b *Block) Path() string { return fmt.Sprintf("%s[%d]", b.Role, b.Index) }

// Block returns the block that r points at.
func (s *Spec) Block(r Ref) *Block {
	switch r.Role {
	case plugin.SourceRole:
		return &s.Sources[r.Index]
	case plugin.TransformRole:
		return &s.Transforms[r.Index]
	default:
		return &s.Sinks[r.Index]
	}
}

// Blocks returns all blocks: sources, transforms, sinks, each in the order of the file.
func (s *Spec) Blocks() []*Block {
	var all []*Block
	for _, list := range [][]Block{s.Sources, s.Transforms, s.Sinks} {
		for i := range list {
			all = append(all, &list[i])
		}
	}
	return all
}

// Parse reads a job file's tree. The error is a *config.Error with all problems at once. The Spec is returned even
// then, with what could be read, so that the problems of the plugins' options can be reported together with these.
func Parse(root config.Value) (*Spec, error) {
	p := &parser{spec: &Spec{}}
	p.parse(root)
	problems := p.problems.Sorted()
	p.spec.Errors, p.spec.Warnings = problems.Errors(), problems.Warnings()
	return p.spec, problems.Err()
}

type parser struct {
	spec     *Spec
	problems config.Problems
}

var sections = []string{"env", "source", "transform", "sink"}

func (p *parser) parse(root config.Value) {
	if root.Kind != config.Object {
		p.problems.Errorf("", root.Pos, "a job must be an object with env, source and sink, not %s", root.Kind)
		return
	}
	p.nearMisses(root)
	p.env(root)
	p.spec.Sources = p.blocks(root, plugin.SourceRole)
	p.spec.Transforms = p.blocks(root, plugin.TransformRole)
	p.spec.Sinks = p.blocks(root, plugin.SinkRole)
	p.wire(root)
}

// nearMisses warns of misspelt sections. Other unknown ones are ignored, as SeaTunnel does.
func (p *parser) nearMisses(root config.Value) {
	for _, m := range root.Members {
		near, ok := config.Nearest(m.Key, sections)
		if _, taken := root.Get(near); ok && near != m.Key && !taken {
			p.problems.Warnf(m.Key, m.Pos, "is not a part of a job and has no effect; did you mean %q?", near)
		}
	}
}

// common are the options that every block may have.
type common struct {
	Plugin      string       `opt:"plugin_name" help:"Name of the plugin."`
	Output      string       `opt:"plugin_output,result_table_name" help:"Name of the dataset that the block makes."`
	Inputs      []string     `opt:"plugin_input,source_table_name" help:"Names of the datasets that the block reads."`
	Parallelism int          `opt:"parallelism" help:"Number of lanes of a source."`
	Raw         config.Value `opt:"*"`
}

func (p *parser) blocks(root config.Value, role plugin.Role) []Block {
	list, ok := root.Get(role.String())
	if !ok || list.Kind == config.Null {
		return nil
	}
	if list.Kind == config.Object && len(list.Members) == 0 {
		return nil
	}
	if list.Kind != config.List {
		p.problems.Errorf(role.String(), list.Pos,
			`must be a list of objects, each with a plugin_name, not %s: [{"plugin_name": "..."}]`, list.Kind)
		return nil
	}
	blocks := make([]Block, len(list.Items))
	for i, item := range list.Items {
		blocks[i] = p.block(item, role, i)
	}
	return blocks
}

func (p *parser) block(v config.Value, role plugin.Role, index int) Block {
	b := Block{Role: role, Index: index, Config: v}
	var c common
	problems := config.Decode(v, &c).Under(b.Path())
	p.problems = append(p.problems, problems...)
	if problems.Err() != nil {
		c.Plugin, _ = pluginName(v)
	}
	b.Plugin, b.Output = strings.TrimSpace(c.Plugin), strings.TrimSpace(c.Output)
	if b.Plugin == "" && v.Kind == config.Object {
		p.problems.Errorf(b.Path(), v.Pos, "The 'plugin_name' option is not configured, please configure it.")
	}
	b.Inputs = p.inputs(&b, c.Inputs)
	b.Parallelism = p.parallelism(b.Path(), v, c.Parallelism, "parallelism")
	if b.Parallelism > 0 && role != plugin.SourceRole {
		p.problems.Warnf(b.Path()+".parallelism", at(v, "parallelism"),
			"has no effect: a %s runs in the lanes of its sources", role)
	}
	return b
}

func pluginName(v config.Value) (string, bool) {
	name, ok := v.Get("plugin_name")
	return name.Text, ok
}

// inputs drops repetitions: a dataset is read once, however often it is named.
func (p *parser) inputs(b *Block, names []string) []string {
	if b.Role == plugin.SourceRole {
		return nil
	}
	path, pos := b.inputPlace()
	if names != nil && len(names) == 0 {
		p.problems.Errorf(path, pos, "names no dataset; name one or leave the option out")
	}
	var unique []string
	for _, name := range names {
		name = strings.TrimSpace(name)
		if slices.Contains(unique, name) {
			p.problems.Warnf(path, pos, "names %q twice; it is read once", name)
			continue
		}
		unique = append(unique, name)
	}
	return unique
}

// inputPlace names the option that says what the block reads, in the spelling that the block uses.
func (b *Block) inputPlace() (path string, pos config.Pos) {
	option := inputOption(b.Config)
	return b.Path() + "." + option, at(b.Config, option)
}

// inputOption returns the spelling that the block uses.
func inputOption(v config.Value) string {
	if _, ok := v.Get("plugin_input"); ok {
		return "plugin_input"
	}
	return "source_table_name"
}

// maxParallelism keeps a slip of the pen from starting millions of lanes.
const maxParallelism = 10_000

// parallelism returns the number of lanes, 0 if none was written. SeaTunnel takes what is below 1 as 1.
func (p *parser) parallelism(path string, v config.Value, n int, names ...string) int {
	name, written := p.written(path, v, names...)
	if !written {
		return 0
	}
	path, pos := path+"."+name, at(v, name)
	switch {
	case n < 1:
		p.problems.Warnf(path, pos, "%d is below 1 and taken as 1", n)
		return 1
	case n > maxParallelism:
		p.problems.Errorf(path, pos, "%d is too large, the most is %d", n, maxParallelism)
		return 1
	default:
		return n
	}
}

// written returns the name under which an option was written with a value that could be read.
func (p *parser) written(path string, v config.Value, names ...string) (string, bool) {
	for _, name := range names {
		found, ok := v.Lookup(name)
		if !ok || found.Kind == config.Null {
			continue
		}
		failed := slices.ContainsFunc(p.problems, func(x config.Problem) bool {
			return !x.Warning && x.Path == path+"."+name
		})
		return name, !failed
	}
	return "", false
}

// at returns the position of a key's value, or of the object if the key is not in it.
func at(v config.Value, key string) config.Pos {
	if found, ok := v.Lookup(key); ok && found.Pos.Line > 0 {
		return found.Pos
	}
	return v.Pos
}
