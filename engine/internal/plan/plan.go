// Package plan turns a job's specification into what runs: pipelines of vertices with their plugins opened, the
// tables on every edge, names and ids as SeaTunnel gives them, and the guarantee of each source-sink pair. Building a
// plan opens plugins and asks sources for their tables; it reads no row and prepares no sink.
package plan

import (
	"context"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/config"
)

// Plan is a job that can run.
type Plan struct {
	Job       plugin.Job
	Pipelines []*Pipeline
	// Warnings go to the job's log.
	Warnings config.Problems
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
	// Name is the key of checkpoint state, for example Source[0]-FakeSource.
	Name string
	// Plugin is the plugin's name as the user wrote it.
	Plugin string
	// Parallelism is the number of lanes of a source and of what follows it. A sink or transform with several
	// inputs runs in the lanes of all of them; then it is their sum.
	Parallelism int
	Inputs      []*Vertex
	Outputs     []*Vertex
	// Tables are what a source or a transform puts out, and what a sink takes in.
	Tables []*plugin.Table

	// Source is set for a source.
	Source plugin.Source
	// NewTransform makes a transform's instance for one lane.
	NewTransform func(ctx context.Context) (plugin.Transform, error)
	// Derived maps a transform's input tables to its output tables at plan time; a nil value drops the table.
	Derived map[*plugin.Table]*plugin.Table
	// Sinks are the sink's instances: one for all tables if the plugin takes several (Table is nil then), else one
	// for each table.
	Sinks []SinkInstance
	// Replays says that a source can go back to a position.
	Replays bool
	// Env is what the vertex's plugin was made with; tasks are made from it.
	Env plugin.Env
}

// SinkInstance is one opened sink of a sink vertex.
type SinkInstance struct {
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
