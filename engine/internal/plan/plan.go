// Package plan turns a job's specification into what runs: pipelines of vertices with their plugins opened, the
// tables on every edge, names and ids as SeaTunnel gives them, and the guarantee of each source-sink pair. Building a
// plan opens plugins and asks sources for their tables; it reads no row and prepares no sink.
//
// Where SeaTunnel would copy parts of a graph, split it or put shuffles in, the plan keeps one vertex for each block
// of the job file: a union is a vertex with several inputs, several tables are several instances of a sink inside one
// vertex. What SeaTunnel would have made of the same job is in [DAG], for those who ask over REST.
package plan

import (
	"context"
	"errors"
	"io"
	"slices"

	"github.com/hashicorp/go-hclog"

	"github.com/culvertdata/culvert/engine/internal/jobspec"
	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/config"
)

// Plan is a job that can run.
type Plan struct {
	Job       plugin.Job
	Pipelines []*Pipeline
	// Warnings go to the job's log.
	Warnings config.Problems

	dag     DAG
	logger  hclog.Logger
	closers []io.Closer // in the order of opening
}

// DAG returns the job's graph as SeaTunnel's REST API shows it.
func (p *Plan) DAG() DAG { return p.dag }

// Close closes the sources and sinks that implement io.Closer, the last opened first.
func (p *Plan) Close() error {
	var errs []error
	for _, c := range slices.Backward(p.closers) {
		errs = append(errs, Catch(p.logger, c.Close))
	}
	p.closers = nil
	return errors.Join(errs...)
}

// Pipeline is a connected part of the job's graph. Pipelines run, checkpoint and restart independently.
type Pipeline struct {
	// ID counts from 1.
	ID int
	// Vertices are in an order in which each comes after its inputs.
	Vertices []*Vertex
}

// Sources returns the pipeline's source vertices in order.
func (p *Pipeline) Sources() []*Vertex { return p.of(plugin.SourceRole) }

// Sinks returns the pipeline's sink vertices in order.
func (p *Pipeline) Sinks() []*Vertex { return p.of(plugin.SinkRole) }

func (p *Pipeline) of(role plugin.Role) []*Vertex {
	var found []*Vertex
	for _, v := range p.Vertices {
		if v.Role == role {
			found = append(found, v)
		}
	}
	return found
}

// Vertex is one source, transform or sink.
type Vertex struct {
	// ID is the number of the vertex in the job's execution plan, from 1.
	ID   int
	Role plugin.Role
	// Name is the key of checkpoint state, for example Source[0]-FakeSource. A sink with an instance for each of
	// several tables is Sink[0]-Kafka, its instances have names of their own.
	Name string
	// Plugin is the plugin's name as the user wrote it.
	Plugin string
	// Parallelism is the number of lanes of a source and of what follows it. A sink or transform with several
	// inputs runs in the lanes of all of them; then it is their sum.
	Parallelism int
	Inputs      []*Vertex
	Outputs     []*Vertex
	// Tables are what a source or a transform puts out, and what a sink is told of: in a union the first input's.
	Tables []*plugin.Table

	// Source is set for a source.
	Source plugin.Source
	// NewTransform makes a transform's instance for one lane.
	NewTransform func(ctx context.Context) (plugin.Transform, error)
	// Derived maps a transform's input tables to its output tables at plan time; a nil value drops the table. Tables
	// that become one, those of a union among them, have the same output table.
	Derived map[*plugin.Table]*plugin.Table
	// Sinks are the sink's instances: one for all tables if the plugin takes several (Table is nil then), else one
	// for each table.
	Sinks []SinkInstance
	// Union maps the tables of a sink's second and further inputs to the table of the first, which has the same columns
	// and is the only one that the sink is told of. Hand the sink their batches with that table; see Route.
	Union map[*plugin.Table]*plugin.Table
	// Replays says that a source can go back to a position.
	Replays bool
	// Env is what the vertex's plugin was made with; tasks are made from it, those of a sink from its instance's.
	Env plugin.Env

	block  *jobspec.Block
	plugin plugin.Plugin
	failed bool
}

// Route says which of a sink vertex's instances takes the batches of t, and as which table: t itself, or in a union the
// first input's. It is meant to be asked once for each table, when its first batch arrives. A table that has changed
// while the job ran is known by its path and keeps its new columns; behind a union, whose tables have to stay alike,
// it is not known any more. False says that the sink does not take the table.
func (v *Vertex) Route(t *plugin.Table) (instance int, as *plugin.Table, ok bool) {
	if len(v.Inputs) > 1 {
		as = v.unionTable(t)
		return 0, as, as != nil
	}
	for i, s := range v.Sinks {
		if s.Table == nil || s.Table == t || s.Table.ID == t.ID {
			return i, t, true
		}
	}
	return 0, nil, false
}

// unionTable returns the first input's table for one of the inputs' tables, nil for any other.
func (v *Vertex) unionTable(t *plugin.Table) *plugin.Table {
	if as := v.Union[t]; as != nil {
		return as
	}
	same := func(known *plugin.Table) bool { return known == t || known.ID == t.ID && known.SameColumns(t) }
	if same(v.Tables[0]) {
		return v.Tables[0]
	}
	for known, as := range v.Union {
		if same(known) {
			return as
		}
	}
	return nil
}

// SinkInstance is one opened sink of a sink vertex.
type SinkInstance struct {
	// Name is the vertex's name, or with several instances that of a vertex that SeaTunnel has for this table alone.
	Name string
	// Env is what the sink was made with; tasks are made from it.
	Env plugin.Env
	// Table is the one table that the instance takes; nil means all of the vertex.
	Table *plugin.Table
	Sink  plugin.Sink
	// Delivery is the sink's delivery for its tables.
	Delivery plugin.Delivery
}

// Guarantee is the promise of one source-sink pair.
type Guarantee struct {
	Source, Sink string
	Guarantee    plugin.Guarantee
}
