package clickhouse

import (
	"context"

	"github.com/culvertdata/culvert/plugin"
)

// Plugins returns the Clickhouse source and sink.
func Plugins() []plugin.Plugin {
	source := plugin.NewSource(plugin.Info{
		Name: "Clickhouse", Summary: "Reads a query of a ClickHouse server.", Batch: true, Streaming: true, Pings: true,
	}, func(_ context.Context, o SourceOptions, env plugin.Env) (*Source, error) { return newSource(o, env) })
	sink := plugin.NewSink(plugin.Info{
		Name: "Clickhouse", Summary: "Writes tables of a ClickHouse server.", MultiTable: true,
		Delivery: plugin.Idempotent, Pings: true, Changes: true,
	}, func(_ context.Context, o SinkOptions, env plugin.Env) (*Sink, error) { return newSink(o, env) })
	return []plugin.Plugin{source, sink}
}
