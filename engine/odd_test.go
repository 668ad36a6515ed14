package engine_test

import (
	"context"
	"io"
	"sync/atomic"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/blackhole"
)

// odd is a source with one split that does what its functions do; a nil function does nothing.
type odd struct {
	tables func(ctx context.Context) error
	next   func(ctx context.Context) error // before the splitter says that there are no more splits
	read   func(ctx context.Context) error
	close  func()
	splits atomic.Int64 // handed out
}

type oddOptions struct {
	Password string `opt:"password" secret:"true" help:"Secret."`
}

// plugins returns a registry with the source Odd and the sink Blackhole.
func (o *odd) plugins() *plugin.Registry {
	return plugin.NewRegistry(blackhole.Plugins, func() []plugin.Plugin {
		return []plugin.Plugin{plugin.NewSource(plugin.Info{Name: "Odd", Summary: "Misbehaves."},
			func(context.Context, oddOptions, plugin.Env) (*odd, error) { return o, nil })}
	})
}

const oddJob = `
env { job.retry.times = 0 }
source { Odd { password = sesame-open } }
sink { Blackhole { } }
`

func call(ctx context.Context, f func(context.Context) error) error {
	if f == nil {
		return nil
	}
	return f(ctx)
}

func (o *odd) Tables(ctx context.Context) ([]*plugin.Table, error) {
	if err := call(ctx, o.tables); err != nil {
		return nil, err
	}
	t, err := plugin.NewTable(plugin.Table{ID: plugin.TableID{Name: "odd"},
		Columns: []plugin.Column{{Name: "id", Type: plugin.TypeOf(plugin.BigInt)}}})
	return []*plugin.Table{t}, err
}

func (o *odd) Splits(_ context.Context, state []byte) (plugin.Splitter, error) {
	return &oddSplitter{odd: o, given: state != nil}, nil
}

func (o *odd) Reader(context.Context, plugin.Task) (plugin.Reader, error) { return oddReader{o}, nil }

func (o *odd) Close() error {
	if o.close != nil {
		o.close()
	}
	return nil
}

type oddSplitter struct {
	odd   *odd
	given bool
}

func (s *oddSplitter) Next(ctx context.Context) ([]plugin.Split, error) {
	if s.given {
		if err := call(ctx, s.odd.next); err != nil {
			return nil, err
		}
		return nil, io.EOF
	}
	s.given = true
	s.odd.splits.Add(1)
	return []plugin.Split{{ID: "only", Rows: -1}}, nil
}

func (s *oddSplitter) Done(plugin.Split, []byte) error { return nil }
func (s *oddSplitter) State() ([]byte, error)          { return []byte{1}, nil }
func (s *oddSplitter) Close() error                    { return nil }

type oddReader struct{ odd *odd }

func (r oddReader) Open(context.Context, plugin.Split) error { return nil }

func (r oddReader) Read(ctx context.Context, _ plugin.Out) error {
	if err := call(ctx, r.odd.read); err != nil {
		return err
	}
	return io.EOF
}

func (r oddReader) Position() ([]byte, error) { return nil, nil }
func (r oddReader) Close() error              { return nil }
