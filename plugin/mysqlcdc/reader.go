package mysqlcdc

import (
	"context"
	"errors"
	"io"
	"strings"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/internal/debezium"
)

// reader reads the splits of one lane, which are of three kinds.
type reader struct {
	source *Source
	task   plugin.Task
	chunks *chunkReader  // keeps its session from chunk to chunk
	now    splitReader   // of the open split
	around *debezium.Out // nil in the usual format
	writes *messages     // of around
}

// splitReader reads one split.
type splitReader interface {
	read(ctx context.Context, out plugin.Out) error
	position() ([]byte, error)
	close() error
}

var (
	_ plugin.Reader = (*reader)(nil)
	_ plugin.Lagger = (*reader)(nil)
)

// Reader starts the reader of one lane.
func (s *Source) Reader(ctx context.Context, t plugin.Task) (plugin.Reader, error) {
	if err := s.plan(ctx); err != nil {
		return nil, err
	}
	r := &reader{source: s, task: t}
	r.chunks = &chunkReader{source: s, task: t}
	if s.messages != nil {
		r.around, r.writes = newMessages(s, t.Alloc)
	}
	return r, nil
}

// Open starts a split.
func (r *reader) Open(ctx context.Context, s plugin.Split) error {
	if err := r.leave(); err != nil {
		return err
	}
	var err error
	switch {
	case strings.HasPrefix(s.ID, originPrefix):
		r.now, err = openOrigin(r, s)
	case strings.HasPrefix(s.ID, logPrefix):
		if err := r.chunks.end(); err != nil {
			return err
		}
		r.now, err = openLog(ctx, r, s)
	default:
		r.now, err = r.chunks, r.chunks.open(s)
	}
	return err
}

// leave ends the split before.
func (r *reader) leave() error {
	if r.now == nil {
		return nil
	}
	now := r.now
	r.now = nil
	return now.close()
}

// Read puts some rows out.
func (r *reader) Read(ctx context.Context, out plugin.Out) error {
	if r.now == nil {
		return io.EOF
	}
	if r.around == nil {
		return r.now.read(ctx, out)
	}
	return r.around.Read(out, r.now == splitReader(r.chunks), func(out plugin.Out) error { return r.now.read(ctx, out) })
}

// Position returns where the open split stands.
func (r *reader) Position() ([]byte, error) { return r.now.position() }

// Close ends the reader.
func (r *reader) Close() error {
	err := errors.Join(r.leave(), r.chunks.end())
	if r.around != nil {
		r.around.Release()
	}
	return err
}

// Lag returns how far behind the end of the log the reader is; unknown while it reads the snapshot.
func (r *reader) Lag() plugin.Lag {
	if l, ok := r.now.(*logReader); ok {
		return l.lag()
	}
	return plugin.Lag{Bytes: -1}
}
