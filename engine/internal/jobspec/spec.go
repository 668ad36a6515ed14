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
