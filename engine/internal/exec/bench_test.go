package exec

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"testing"
	"time"

	"github.com/culvertdata/culvert/engine/internal/plan"
	"github.com/culvertdata/culvert/plugin"
)

// prepared puts out one batch n times.
type prepared struct {
	batch plugin.Batch
	n     int
}

func (p *prepared) Tables(context.Context) ([]*plugin.Table, error) {
	return []*plugin.Table{p.batch.Table}, nil
}
func (p *prepared) Splits(context.Context, []byte) (plugin.Splitter, error) {
	return &preparedSplitter{}, nil
}
func (p *prepared) Reader(context.Context, plugin.Task) (plugin.Reader, error) {
	return &preparedReader{p: p}, nil
}

type preparedSplitter struct{ given bool }

func (s *preparedSplitter) Next(context.Context) ([]plugin.Split, error) {
	if s.given {
		return nil, io.EOF
	}
	s.given = true
	return []plugin.Split{{ID: "all"}}, nil
}
func (s *preparedSplitter) Done(plugin.Split, []byte) error { return nil }
func (s *preparedSplitter) State() ([]byte, error)          { return nil, nil }
func (s *preparedSplitter) Close() error                    { return nil }

type preparedReader struct {
	p  *prepared
	at int
}

func (r *preparedReader) Open(context.Context, plugin.Split) error { return nil }
func (r *preparedReader) Read(_ context.Context, out plugin.Out) error {
	for !out.Full() {
		if r.at == r.p.n {
			return io.EOF
		}
		r.at++
		r.p.batch.Retain()
		if err := out.Batch(r.p.batch); err != nil {
			return err
		}
	}
	return nil
}
func (r *preparedReader) Position() ([]byte, error) { return bytesOf(int64(r.at)), nil }
func (r *preparedReader) Close() error              { return nil }

// pass hands batches on as they are.
type pass struct{}

func (pass) Derive(in *plugin.Table) (*plugin.Table, error) { return in, nil }
func (pass) Apply(_ context.Context, in plugin.Batch, out *plugin.Table, emit func(plugin.Batch) error) error {
	in.Retain()
	in.Table = out
	return emit(in)
}

// hole takes everything.
type hole struct{}

func (hole) Prepare(context.Context, []*plugin.Table) error             { return nil }
func (hole) Writer(context.Context, plugin.Task) (plugin.Writer, error) { return hole{}, nil }
func (hole) Write(context.Context, plugin.Batch) error                  { return nil }
func (hole) Flush(context.Context, uint64) ([]byte, error)              { return nil, nil }
func (hole) Close() error                                               { return nil }
func (hole) ApplyChange(context.Context, plugin.SchemaChange) error     { return nil }

// BenchmarkLane runs prepared batches through a lane with a number of transforms, with a checkpoint every second. It
// reports the time of a batch and of a batch at a vertex.
func BenchmarkLane(b *testing.B) {
	for _, rows := range []int64{1, 8192} {
		for _, transforms := range []int{0, 1, 8} {
			b.Run(fmt.Sprintf("rows=%d/transforms=%d", rows, transforms), func(b *testing.B) {
				src := &prepared{batch: batchOf(numbers("t"), 0, rows), n: b.N}
				vs := []*plan.Vertex{sourceVertex("Source[0]-Model", 1, src)}
				for i := range transforms {
					vs = append(vs, transformVertex(fmt.Sprintf("Transform[%d]-Copy", i), func() plugin.Transform { return pass{} }))
				}
				vs = append(vs, sinkVertex("Sink[0]-Model", hole{}, src.batch.Table))
				chain(vs...)
				r := New(Options{Pipeline: pipeline(vs...), Checkpoints: &store{}, Interval: time.Second})
				b.ReportAllocs()
				b.ResetTimer()
				if outcome, err := r.Run(b.Context()); outcome != Finished {
					b.Fatal(outcome, err)
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(vs)), "ns/vertex")
			})
		}
	}
}

// BenchmarkTinyPipeline is the whole life of a pipeline that moves one row.
func BenchmarkTinyPipeline(b *testing.B) {
	src := &prepared{batch: batchOf(numbers("t"), 0, 1), n: 1}
	p := simple(1, src, hole{})
	b.ReportAllocs()
	for b.Loop() {
		if outcome, err := New(Options{Pipeline: p, Checkpoints: &store{}}).Run(b.Context()); outcome != Finished {
			b.Fatal(outcome, err)
		}
	}
}

// BenchmarkIdlePipelines reports what a streaming pipeline of one lane holds while nothing comes.
func BenchmarkIdlePipelines(b *testing.B) {
	const n = 1000
	for b.Loop() {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		goroutines := runtime.NumGoroutine()
		ctx, cancel := context.WithCancel(b.Context())
		done := make(chan struct{}, n)
		src := endless(1, 10)
		for range n {
			r := New(Options{Pipeline: simple(1, src, &plainSink{}), Checkpoints: &store{}, Interval: time.Minute})
			go func() {
				defer func() { done <- struct{}{} }()
				_, _ = r.Run(ctx)
			}()
		}
		for src.read.Load() < 10*n {
			runtime.Gosched()
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		held := after.HeapAlloc + after.StackInuse - before.HeapAlloc - before.StackInuse
		b.ReportMetric(float64(held)/n, "B/pipeline")
		b.ReportMetric(float64(runtime.NumGoroutine()-goroutines)/n, "goroutines/pipeline")
		cancel()
		for range n {
			<-done
		}
	}
}
