package exec

import (
	"context"
	"strings"
	"testing"

	"github.com/culvertdata/culvert/engine/internal/plan"
	"github.com/culvertdata/culvert/plugin"
)

// odd is a transform that fails where it is told to.
type odd struct {
	pass
	derive error
}

func (o odd) Derive(in *plugin.Table) (*plugin.Table, error) { return in, o.derive }

// difficult is a sink whose writers fail where they are told to.
type difficult struct {
	plainSink
	writer, push, state, restore, close error
}

func (d *difficult) Writer(ctx context.Context, t plugin.Task) (plugin.Writer, error) {
	if d.writer != nil {
		return nil, d.writer
	}
	return &difficultWriter{plainWriter{&d.plainSink}, d}, nil
}

type difficultWriter struct {
	plainWriter
	d *difficult
}

func (w *difficultWriter) Push(context.Context) error { return w.d.push }
func (w *difficultWriter) State() ([]byte, error)     { return []byte("s"), w.d.state }
func (w *difficultWriter) Restore([][]byte) error     { return w.d.restore }
func (w *difficultWriter) Close() error               { return w.d.close }

func TestFailuresNameTheirVertex(t *testing.T) {
	transform, sink := "Transform[0]-Odd: the line is broken", "Sink[0]-Model: the line is broken"
	tests := []struct {
		name string
		odd  odd
		make error // of the transform
		dst  *difficult
		want string // nothing: the job finishes
	}{
		{"no transform", odd{}, errBroken, &difficult{}, transform},
		{"Derive", odd{derive: errBroken}, nil, &difficult{}, transform},
		{"Writer", odd{}, nil, &difficult{writer: errBroken}, sink},
		{"Push", odd{}, nil, &difficult{push: errBroken}, sink},
		{"State", odd{}, nil, &difficult{state: errBroken}, sink},
		{"Close", odd{}, nil, &difficult{close: errBroken}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			src := &counter{table: numbers("t"), splits: 1, rows: 100, batch: 1}
			from, to := sourceVertex("Source[0]-Model", 1, src), sinkVertex("Sink[0]-Model", tt.dst)
			tr := transformVertex("Transform[0]-Odd", nil)
			tr.NewTransform = func(context.Context) (plugin.Transform, error) { return tt.odd, tt.make }
			chain(from, tr, to)
			r := start(t, Options{Pipeline: pipeline(from, tr, to), Checkpoints: &store{}, FlushInterval: 1})
			_, err := r.wait()
			if (err == nil) != (tt.want == "") || err != nil && err.Error() != tt.want {
				t.Errorf("error %v, want %q", err, tt.want)
			}
		})
	}
}

func TestRestoreOfAWriterFails(t *testing.T) {
	st := &store{}
	dst := &difficult{}
	r := start(t, Options{Pipeline: simple(1, endless(1, 1), dst), Checkpoints: st})
	r.Savepoint()
	r.ends(SavepointDone)
	dst.restore = errBroken
	r = run(t, Options{Pipeline: simple(1, endless(1, 1), dst), Checkpoints: st}, Failed)
	if !strings.Contains(r.err.Error(), "Sink[0]-Model: the line is broken") {
		t.Error(r.err)
	}
}

func TestASourceCannotFollow(t *testing.T) {
	src := &counter{table: numbers("t"), splits: 1, rows: 1, batch: 1}
	a, b := sourceVertex("Source[0]-Model", 1, src), sourceVertex("Source[1]-Model", 1, src)
	chain(a, b)
	r := run(t, Options{Pipeline: &plan.Pipeline{ID: 1, Vertices: []*plan.Vertex{a}}, Checkpoints: &store{}}, Failed)
	if !strings.Contains(r.err.Error(), "cannot follow") {
		t.Error(r.err)
	}
}

func TestOutcomeNames(t *testing.T) {
	want := "FINISHED CANCELED SUSPENDED SAVEPOINT_DONE FAILED"
	var got []string
	for o := Finished; o <= Failed; o++ {
		got = append(got, o.String())
	}
	if strings.Join(got, " ") != want {
		t.Error(got)
	}
}
