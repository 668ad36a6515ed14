package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"time"

	"github.com/culvertdata/culvert/engine"
	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/column"
)

const preparedJob = `
env { checkpoint.interval = 1000 }
source { Prepared { batches = %d, result_table_name = a } }
transform { Copy { source_table_name = a, result_table_name = b, fields { copy = id } } }
sink { Blackhole { source_table_name = b } }
`

// preparedBatches puts the same batch of a few rows out again and again: what remains is the engine's own cost.
func preparedBatches(ctx context.Context, dir string) (measurement, error) {
	const batches, vertices = 10_000_000, 3
	return withEngine(ctx, dir, registry(preparedPlugins), func(eng *engine.Engine, _ string) (measurement, error) {
		result, err := submitAndWait(ctx, eng, fmt.Sprintf(preparedJob, batches))
		if err != nil {
			return measurement{}, err
		}
		if result.RowsOut != batches*preparedRows {
			return measurement{}, fmt.Errorf("%d rows arrived, want %d", result.RowsOut, batches*preparedRows)
		}
		each := float64(result.Duration) / float64(time.Nanosecond) / batches / vertices
		note := fmt.Sprintf("%d rows a batch, a checkpoint each second, 1 lane", preparedRows)
		return measurement{Value: each, Note: note}, nil
	})
}

const preparedRows = 4

type preparedOptions struct {
	Batches int64 `opt:"batches" required:"true" help:"Number of batches to put out."`
}

func preparedPlugins() []plugin.Plugin {
	return []plugin.Plugin{plugin.NewSource(plugin.Info{Name: "Prepared", Summary: "the same batch again and again"},
		func(_ context.Context, o preparedOptions, env plugin.Env) (*prepared, error) {
			table, err := plugin.NewTable(plugin.Table{ID: plugin.TableID{Name: "prepared"}, Columns: []plugin.Column{
				{Name: "id", Type: plugin.TypeOf(plugin.BigInt)}}})
			return &prepared{table: table, batches: o.Batches}, err
		})}
}

type prepared struct {
	table   *plugin.Table
	batches int64
}

func (p *prepared) Tables(context.Context) ([]*plugin.Table, error) {
	return []*plugin.Table{p.table}, nil
}

func (p *prepared) Splits(_ context.Context, state []byte) (plugin.Splitter, error) {
	return &preparedSplitter{done: state != nil}, nil
}

func (p *prepared) Reader(_ context.Context, t plugin.Task) (plugin.Reader, error) {
	b := column.NewBuilder(p.table, t.Alloc)
	for i := range preparedRows {
		if err := b.AppendRow(plugin.Insert, int64(i)); err != nil {
			return nil, err
		}
	}
	return &preparedReader{source: p, batch: b.Batch()}, nil
}

// preparedSplitter hands out one split.
type preparedSplitter struct{ done bool }

func (s *preparedSplitter) Next(context.Context) ([]plugin.Split, error) {
	if s.done {
		return nil, io.EOF
	}
	s.done = true
	return []plugin.Split{{ID: "all", Rows: -1}}, nil
}

func (s *preparedSplitter) Done(plugin.Split, []byte) error { return nil }

func (s *preparedSplitter) State() ([]byte, error) {
	if s.done {
		return []byte{1}, nil
	}
	return nil, nil
}

func (s *preparedSplitter) Close() error { return nil }

type preparedReader struct {
	source *prepared
	batch  plugin.Batch
	sent   int64
}

func (r *preparedReader) Open(_ context.Context, s plugin.Split) error {
	if len(s.State) == 8 {
		r.sent = int64(binary.BigEndian.Uint64(s.State))
	}
	return nil
}

func (r *preparedReader) Read(_ context.Context, out plugin.Out) error {
	for !out.Full() {
		if r.sent == r.source.batches {
			return io.EOF
		}
		r.batch.Retain()
		if err := out.Batch(r.batch); err != nil {
			return err
		}
		r.sent++
	}
	return nil
}

func (r *preparedReader) Position() ([]byte, error) {
	return binary.BigEndian.AppendUint64(nil, uint64(r.sent)), nil
}

func (r *preparedReader) Close() error {
	r.batch.Release()
	return nil
}
