package postgrescdc

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"strings"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/internal/cdc"
	"github.com/culvertdata/culvert/plugin/internal/debezium"
	"github.com/culvertdata/culvert/plugin/postgrescdc/internal/pgoutput"
)

// reader is the reader of one lane: of chunks, and in one lane of the stream.
type reader struct {
	tables []*captured
	chunks chunkReader
	stream *stream
	around *debezium.Out // nil in the usual format
	writes *messages     // of around

	streaming bool                  // the open split is the stream
	empty     bool                  // the open split has no rows: it is the slot's, or the job does not read its table any more
	state     []byte                // of an empty split
	changes   []plugin.SchemaChange // that the slot's split announces
}

var (
	_ plugin.Acker  = (*reader)(nil)
	_ plugin.Lagger = (*reader)(nil)
)

func newReader(s *Source, tables []*captured, t plugin.Task) *reader {
	r := &reader{
		tables: tables, chunks: chunkReader{source: s, alloc: t.Alloc, staged: t.Staged}, stream: newStream(s, tables, t),
	}
	if s.messages != nil {
		r.around, r.writes = newMessages(s, t.Alloc)
		r.stream.messages, r.chunks.messages = r.writes, r.writes
	}
	return r
}

// Open implements [plugin.Reader].
func (r *reader) Open(ctx context.Context, s plugin.Split) error {
	tables, err := r.chunks.source.describe(ctx)
	if err != nil {
		return err
	}
	r.tables, r.stream.tables = tables, tables // they may be other ones than when the reader was made
	r.empty, r.state, r.changes = false, s.State, nil
	if r.streaming = strings.HasPrefix(s.ID, streamPrefix); r.streaming {
		return r.stream.open(s)
	}
	if s.ID == slotSplit {
		r.empty = true
		return r.openSlot(s)
	}
	t := find(r.tables, s.Table)
	if r.empty = t == nil; r.empty {
		return nil
	}
	return r.chunks.open(s, t)
}

// openSlot finds the tables that were altered after the sinks were told of them and before anything is read.
func (r *reader) openSlot(s plugin.Split) error {
	if len(s.State) == 0 {
		return nil
	}
	state, err := cdc.Decode[slotState]("the split "+s.ID, s.State)
	if err != nil {
		return err
	}
	for _, form := range state.Tables {
		t := find(r.tables, form.Out.ID)
		if t == nil {
			continue
		}
		first, err := form.Out.make(t.table())
		if err != nil {
			return err
		}
		if known := r.chunks.source.known.Of(t.table()); !known.SameColumns(first) {
			r.changes = append(r.changes, plugin.SchemaChange{Old: known, New: first})
		}
	}
	return nil
}

// announce puts out the changes of columns of a split without rows.
func (r *reader) announce(out plugin.Out) error {
	for _, c := range r.changes {
		if err := out.Change(c); err != nil {
			return err
		}
	}
	return io.EOF
}

// Read implements [plugin.Reader].
func (r *reader) Read(ctx context.Context, out plugin.Out) error {
	if r.around == nil {
		return r.read(ctx, out)
	}
	return r.around.Read(out, !r.streaming, func(out plugin.Out) error { return r.read(ctx, out) })
}

func (r *reader) read(ctx context.Context, out plugin.Out) error {
	switch {
	case r.empty:
		return r.announce(out)
	case r.streaming:
		return r.stream.read(ctx, out)
	}
	return r.chunks.read(ctx, out)
}

// Position implements [plugin.Reader].
func (r *reader) Position() ([]byte, error) {
	switch {
	case r.empty:
		return r.state, nil
	case r.streaming:
		return r.stream.position()
	}
	return r.chunks.position()
}

// Ack implements [plugin.Acker]: the slot moves to the position of the stream.
func (r *reader) Ack(_ context.Context, position []byte) error {
	var at struct {
		From *pgoutput.LSN `json:"from"`
	}
	if len(position) == 0 {
		return nil // of the slot
	}
	if err := json.Unmarshal(position, &at); err != nil || at.From == nil {
		return err // of a chunk
	}
	r.stream.ack(*at.From)
	return nil
}

// Lag implements [plugin.Lagger].
func (r *reader) Lag() plugin.Lag {
	if !r.streaming {
		return plugin.Lag{Bytes: -1}
	}
	return r.stream.lag()
}

// Close implements [plugin.Reader].
func (r *reader) Close() error {
	if r.around != nil {
		r.around.Release()
	}
	return errors.Join(r.chunks.close(), r.stream.close())
}
