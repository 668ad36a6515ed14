package jobspec

import (
	"slices"
	"strings"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/config"
)

// wire finds out who reads whose dataset.
func (p *parser) wire(root config.Value) {
	s := p.spec
	if len(s.Sources) == 0 || len(s.Sinks) == 0 {
		p.missing(root)
		return
	}
	if len(s.Sources) == 1 && len(s.Transforms) <= 1 && len(s.Sinks) == 1 {
		p.wireSimple()
		return
	}
	p.wireStrict()
}

// missing reports an empty list of sources or sinks, unless the list could not be read at all.
func (p *parser) missing(root config.Value) {
	for _, role := range []plugin.Role{plugin.SourceRole, plugin.SinkRole} {
		v, _ := root.Get(role.String())
		empty := len(v.Items) == 0 && len(v.Members) == 0 && !v.Scalar()
		if empty {
			p.problems.Errorf(role.String(), v.Pos, "Source And Sink can not be null")
		}
	}
}

// wireSimple wires one source, at most one transform and one sink. A name that exists is followed; without one, or
// with a wrong one, a step reads the dataset made last.
func (p *parser) wireSimple() {
	s := p.spec
	made := []*Block{&s.Sources[0]}
	for i := range s.Transforms {
		t := &s.Transforms[i]
		t.From = []Ref{p.tolerate(t, made).Ref()}
		made = append(made, t)
	}
	sink := &s.Sinks[0]
	from := p.tolerate(sink, made)
	sink.From = []Ref{from.Ref()}
	if last := made[len(made)-1]; from != last {
		p.problems.Warnf(last.Path(), last.Config.Pos, unused, inputName, last.Output, last.Plugin)
	}
}

// tolerate finds what b reads among the blocks made so far.
func (p *parser) tolerate(b *Block, made []*Block) *Block {
	var found *Block
	path, pos := b.inputPlace()
	for _, name := range b.Inputs {
		i := lastMade(made, name)
		if i < 0 {
			p.problems.Warnf(path, pos, notFound, inputName, b.Plugin, name)
		} else if found == nil {
			found = made[i]
		}
	}
	if found == nil {
		return made[len(made)-1]
	}
	return found
}

func lastMade(made []*Block, name string) int {
	for i, b := range slices.Backward(made) {
		if b.Output == name {
			return i
		}
	}
	return -1
}

// SeaTunnel's texts. They name the options by their first names, whichever spelling the job file uses.
const (
	inputName  = "source_table_name"
	outputName = "result_table_name"

	noOutput = "The source/transform(%s) is not configured with '%s' option"
	noInput  = "The transform/sink(%s) is not configured with '%s' option"
	sameName = "The value of the '%s' option of the (%s and %s) plugins is both '%s', and they must be different."
	notFound = "The '%s' option configured in [%s] is incorrect, and the source/transform[%s] is not found."
	unused   = "The '%s' option configured is incorrect, this table(%s) belonging to source/transform(%s) is not used."
)

// wireStrict wires any other job, where every name counts.
func (p *parser) wireStrict() {
	producers := p.producers()
	read := map[string]bool{}
	for _, b := range p.spec.Blocks() {
		if b.Role == plugin.SourceRole {
			continue
		}
		path, pos := b.inputPlace()
		if _, written := b.Config.Lookup(inputOption(b.Config)); !written {
			p.problems.Errorf(b.Path(), b.Config.Pos, noInput, b.Plugin, inputName)
		}
		for _, name := range b.Inputs {
			from, ok := producers[name]
			if !ok {
				p.problems.Errorf(path, pos, notFound, inputName, b.Plugin, name)
				continue
			}
			read[name] = true
			b.From = append(b.From, from.Ref())
		}
	}
	for _, b := range p.spec.Blocks() {
		if b.Role != plugin.SinkRole && producers[b.Output] == b && !read[b.Output] {
			p.problems.Errorf(b.Path(), b.Config.Pos, unused, inputName, b.Output, b.Plugin)
		}
	}
	p.cycles()
}

// producers returns the sources and transforms by the names of their datasets.
func (p *parser) producers() map[string]*Block {
	made := map[string]*Block{}
	for _, b := range p.spec.Blocks() {
		if b.Role == plugin.SinkRole {
			continue
		}
		if b.Output == "" {
			p.problems.Errorf(b.Path(), b.Config.Pos, noOutput, b.Plugin, outputName)
			continue
		}
		if old := made[b.Output]; old != nil {
			p.problems.Errorf(b.Path(), b.Config.Pos, sameName, outputName, b.Plugin, old.Plugin, b.Output)
			continue
		}
		made[b.Output] = b
	}
	return made
}

// cycles reports transforms that wait for each other. SeaTunnel has no rule for them.
func (p *parser) cycles() {
	ordered := map[int]bool{}
	for _, i := range p.spec.TransformOrder() {
		ordered[i] = true
	}
	for i := range p.spec.Transforms {
		if b := &p.spec.Transforms[i]; !ordered[i] {
			path, pos := b.inputPlace()
			p.problems.Errorf(path, pos,
				"the transform(%s) reads, directly or through others, what it makes itself: %s", b.Plugin,
				strings.Join(b.Inputs, ", "))
		}
	}
}

// TransformOrder returns the indexes of the transforms in the order in which they can be made: each after those that
// it reads. As in SeaTunnel, one that has to wait goes to the end of the queue. Transforms in a cycle, or behind one,
// are left out.
func (s *Spec) TransformOrder() []int {
	queue := make([]int, len(s.Transforms))
	for i := range queue {
		queue[i] = i
	}
	var order []int
	made := map[int]bool{}
	for waited := 0; len(queue) > 0 && waited < len(queue); {
		i := queue[0]
		queue = queue[1:]
		if slices.ContainsFunc(s.Transforms[i].From, func(r Ref) bool {
			return r.Role == plugin.TransformRole && !made[r.Index]
		}) {
			queue = append(queue, i)
			waited++
			continue
		}
		made[i], waited = true, 0
		order = append(order, i)
	}
	return order
}
