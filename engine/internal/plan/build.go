package plan

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"time"

	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/hashicorp/go-hclog"

	"github.com/culvertdata/culvert/engine/internal/jobspec"
	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/config"
)

// Options are what Build needs. Spec and Registry must be set.
type Options struct {
	// Spec is the job. It may have errors: they come back together with those of the plugins' options.
	Spec     *jobspec.Spec
	Registry *plugin.Registry
	// Job is what the plugins are told about the job.
	Job plugin.Job
	// Parallelism replaces env.parallelism; 0 keeps it. A source's own parallelism goes before both.
	Parallelism int
	// Logger is the job's; nil is silent.
	Logger hclog.Logger
	// Alloc is the job's; nil is Arrow's default.
	Alloc memory.Allocator
	// Now is the clock; nil is time.Now.
	Now func() time.Time
	// Dial is the way to the network; nil is net.Dialer.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

func (o *Options) setDefaults() {
	if o.Parallelism <= 0 {
		o.Parallelism = o.Spec.Env.Parallelism
	}
	if o.Logger == nil {
		o.Logger = hclog.NewNullLogger()
	}
	if o.Alloc == nil {
		o.Alloc = memory.DefaultAllocator
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Dial == nil {
		o.Dial = new(net.Dialer).DialContext
	}
}

// Build checks the job's options, opens its plugins and derives the tables on every edge. The error is a
// *config.Error if all that is wrong is in the job file; what the parts of a job that don't depend on each other have
// to complain about comes together. The caller closes the plan.
func Build(ctx context.Context, o Options) (*Plan, error) {
	problems := Check(o.Spec, o.Registry, o.Job.Mode)
	if err := problems.Err(); err != nil {
		return nil, err
	}
	o.setDefaults()
	b := &builder{
		Options:  o,
		plan:     &Plan{Job: o.Job, Warnings: problems.Warnings(), logger: o.Logger},
		vertices: map[jobspec.Ref]*Vertex{},
	}
	b.addVertices()
	for _, v := range b.ordered {
		b.open(ctx, v)
	}
	if err := b.err(); err != nil {
		if closing := b.plan.Close(); closing != nil {
			err = errors.Join(err, closing)
		}
		return nil, err
	}
	b.plan.Pipelines = pipelines(b.ordered)
	b.plan.dag = newDAG(o.Spec, b.vertices)
	return b.plan, nil
}

type builder struct {
	Options
	plan     *Plan
	vertices map[jobspec.Ref]*Vertex
	ordered  []*Vertex

	problems config.Problems // of the job file
	errs     []error         // of the world
}

func (b *builder) err() error {
	if len(b.errs) == 0 {
		return b.problems.Err()
	}
	return errors.Join(append(b.errs, b.problems.Err())...)
}

// addVertices makes a vertex for each block whose rows reach a sink, each after its inputs.
func (b *builder) addVertices() {
	spec := b.Spec
	used := reachable(spec)
	var blocks []*jobspec.Block
	for i := range spec.Sources {
		blocks = append(blocks, &spec.Sources[i])
	}
	for _, i := range spec.TransformOrder() {
		blocks = append(blocks, &spec.Transforms[i])
	}
	for i := range spec.Sinks {
		blocks = append(blocks, &spec.Sinks[i])
	}
	for _, block := range blocks {
		if used[block.Ref()] {
			b.addVertex(block)
		}
	}
}

func reachable(spec *jobspec.Spec) map[jobspec.Ref]bool {
	used := map[jobspec.Ref]bool{}
	var visit func(r jobspec.Ref)
	visit = func(r jobspec.Ref) {
		if used[r] {
			return
		}
		used[r] = true
		for _, from := range spec.Block(r).From {
			visit(from)
		}
	}
	for i := range spec.Sinks {
		visit(spec.Sinks[i].Ref())
	}
	return used
}

func (b *builder) addVertex(block *jobspec.Block) {
	v := &Vertex{Role: block.Role, Name: vertexName(block), Plugin: block.Plugin, block: block}
	for _, from := range block.From {
		in := b.vertices[from]
		v.Inputs = append(v.Inputs, in)
		in.Outputs = append(in.Outputs, v)
		v.Parallelism += in.Parallelism
	}
	if block.Role == plugin.SourceRole {
		v.Parallelism = max(block.Parallelism, 0)
		if v.Parallelism == 0 {
			v.Parallelism = max(b.Parallelism, 1)
		}
	}
	v.plugin, _ = b.Registry.Lookup(block.Role, block.Plugin)
	b.vertices[block.Ref()] = v
	b.ordered = append(b.ordered, v)
}

// vertexName returns SeaTunnel's name, which for a sink has an end that depends on its tables.
func vertexName(block *jobspec.Block) string {
	role := [...]string{"Source", "Transform", "Sink"}[block.Role]
	return fmt.Sprintf("%s[%d]-%s", role, block.Index, block.Plugin)
}

// open opens the vertex's plugin, unless one of its inputs has failed.
func (b *builder) open(ctx context.Context, v *Vertex) {
	if slices.ContainsFunc(v.Inputs, func(in *Vertex) bool { return in.failed }) {
		v.failed = true
		return
	}
	open := b.openSink
	switch v.Role {
	case plugin.SourceRole:
		open = b.openSource
	case plugin.TransformRole:
		open = b.openTransform
	}
	if err := Catch(b.Logger, func() error { return open(ctx, v) }); err != nil {
		v.failed = true
		b.fail(v, err)
	}
}

// fail files an error under the job file's problems, if it is one, or under those of the world.
func (b *builder) fail(v *Vertex, err error) {
	var ce *config.Error
	if errors.As(err, &ce) {
		b.problems = append(b.problems, ce.Problems.Under(v.block.Path())...)
		return
	}
	b.errs = append(b.errs, locate(v.Name, err))
}

// locate says which vertex an error comes from, if it doesn't say so itself.
func locate(vertex string, err error) error {
	var pe *plugin.Error
	if !errors.As(err, &pe) {
		return &plugin.Error{Vertex: vertex, Err: err}
	}
	if pe.Vertex != "" {
		return err
	}
	if pe == err {
		located := *pe
		located.Vertex = vertex
		return &located
	}
	return &plugin.Error{Code: pe.Code, Vertex: vertex, Retry: pe.Retry, Err: err}
}

// refuse returns the error of a job file that asks for something impossible.
func refuse(block *jobspec.Block, format string, args ...any) error {
	var ps config.Problems
	ps.Errorf("", block.Config.Pos, format, args...)
	return ps.Err()
}

// env returns what a plugin of the vertex is made with.
func (b *builder) env(v *Vertex, name string, inputs []*plugin.Table) plugin.Env {
	return plugin.Env{
		Job: b.Job, Vertex: name, Parallelism: v.Parallelism, Output: v.block.Output, Inputs: inputs,
		Logger: b.Logger, Alloc: b.Alloc, Now: b.Now, Dial: b.Dial,
	}
}

// closeLater remembers what Plan.Close has to close.
func (b *builder) closeLater(opened any) {
	if c, ok := opened.(io.Closer); ok {
		b.plan.closers = append(b.plan.closers, c)
	}
}
