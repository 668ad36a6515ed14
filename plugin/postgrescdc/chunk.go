package postgrescdc

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/column"
	"github.com/culvertdata/culvert/plugin/jdbc"
	"github.com/culvertdata/culvert/plugin/postgrescdc/internal/pgoutput"
)

// chunkReader reads chunks of the snapshot, each in one view. A chunk whose key is unique can be left in the middle and
// gone on with in another view, as another piece. Any other chunk is put out within one Read.
type chunkReader struct {
	source  *Source
	alloc   memory.Allocator
	staged  bool // the sinks commit with the checkpoints
	scanner jdbc.Scanner
	builder *column.Builder // of relation

	split    string
	relation *jdbc.Relation
	out      *plugin.Table // as the sinks know it
	state    chunkState    // what is behind the reader
	piece    piece         // that is being read
	view     viewState
	viewing  bool // a view is open
}

// open starts a chunk.
func (r *chunkReader) open(s plugin.Split, t *captured) error {
	var err error
	if r.state, err = decode[chunkState]("the chunk "+s.ID, s.State); err != nil {
		return err
	}
	if r.out, err = r.state.Out.make(t.table()); err != nil {
		return err
	}
	r.split, r.viewing = s.ID, false
	if r.relation != t.relation {
		r.release()
		r.relation, r.builder = t.relation, column.NewBuilder(t.table(), r.alloc)
	}
	return nil
}

// look opens a view and starts reading.
func (r *chunkReader) look(ctx context.Context) error {
	if r.scanner == nil {
		var err error
		if r.scanner, err = r.source.server.JDBC().Scanner(ctx, r.alloc); err != nil {
			return err
		}
	}
	view, err := r.source.server.BeginView(ctx, r.scanner, r.state.Export)
	if err != nil {
		return err
	}
	end, err := pgoutput.ParseLSN(view.End)
	if err != nil {
		return err
	}
	at := r.state.Range
	r.view = viewState{Snapshot: view.Snapshot, End: end}
	r.piece = piece{From: at.From, To: at.To, Nulls: at.Nulls}
	if at.After != nil {
		r.piece.From, r.piece.After = at.After, true
	}
	r.viewing = true
	return r.scanner.Open(ctx, r.relation, at)
}

// read puts out a batch, or the whole chunk if it cannot be left in the middle.
func (r *chunkReader) read(ctx context.Context, out plugin.Out) error {
	if r.state.Range.Done {
		return io.EOF
	}
	if !r.viewing {
		if err := r.look(ctx); err != nil {
			return r.located(err)
		}
	}
	for {
		n, err := r.scanner.Read(ctx, r.builder, column.FullRows-r.builder.Len())
		if err != nil && err != io.EOF {
			return r.located(err)
		}
		if err != nil {
			return cmp.Or(r.put(out), r.end(ctx), io.EOF)
		}
		if r.relation.Unique && n > 0 {
			last := r.scanner.Last()
			r.state.Range.After = &last
		}
		if r.builder.Full() || out.Full() {
			if err := r.put(out); err != nil || r.relation.Unique {
				return err
			}
		}
	}
}

// end notes the last piece of the chunk.
func (r *chunkReader) end(ctx context.Context) error {
	r.note(&r.state, r.piece)
	r.state.Range, r.viewing = jdbc.Range{Done: true}, false
	return r.source.server.EndView(ctx, r.scanner)
}

// note adds a piece to what was read of a chunk. Sinks that show rows before the checkpoint may show some that an
// earlier run has put out and a later view does not have any more: they must get all changes since the slot was made,
// so nothing is noted for them.
func (r *chunkReader) note(st *chunkState, p piece) {
	if !r.staged {
		return
	}
	st.Views, p.View = addView(st.Views, r.view)
	st.Pieces = append(st.Pieces, p)
}

// position returns the rest of the chunk, with what was read of it.
func (r *chunkReader) position() ([]byte, error) {
	st := r.state
	after := st.Range.After
	if r.viewing && after != nil && !(r.piece.After && sameKey(after, r.piece.From)) {
		p := r.piece
		p.To, p.Through = after, true
		st.Pieces, st.Views = append([]piece(nil), st.Pieces...), append([]viewState(nil), st.Views...)
		r.note(&st, p)
	}
	return json.Marshal(st)
}

func (r *chunkReader) put(out plugin.Out) error {
	if r.builder.Len() == 0 {
		return nil
	}
	b := r.builder.Batch()
	if r.out == r.relation.Table {
		return out.Batch(b)
	}
	defer b.Release()
	conformed, err := conform(b, r.out, r.alloc)
	if err != nil {
		return err
	}
	return out.Batch(conformed)
}

// conform makes rows of a table that was altered meanwhile those of the table that the sinks know: by name; columns
// that are gone are null.
func conform(b plugin.Batch, to *plugin.Table, alloc memory.Allocator) (plugin.Batch, error) {
	arrays := make([]arrow.Array, len(to.Columns))
	for i, c := range to.Columns {
		at := b.Table.Index(c.Name)
		if at < 0 {
			arrays[i] = array.MakeArrayOfNull(alloc, to.Schema.Field(i).Type, b.Len())
			defer arrays[i].Release()
			continue
		}
		if !b.Table.Columns[at].Type.Equal(c.Type) {
			return plugin.Batch{}, typeChanged(to.ID, c, b.Table.Columns[at].Type.String())
		}
		arrays[i] = b.Rows.Column(at)
	}
	return column.Assemble(to, arrays, b.Kinds), nil
}

func (r *chunkReader) located(err error) error {
	r.viewing = false // the next Read begins a new view where this one stands
	var e *plugin.Error
	if errors.As(err, &e) {
		if e.Split == "" {
			e.Split = r.split
		}
		return err
	}
	return &plugin.Error{Table: r.relation.Table.ID, Split: r.split, Err: err}
}

func (r *chunkReader) release() {
	if r.builder != nil {
		r.builder.Release()
	}
}

func (r *chunkReader) close() error {
	r.release()
	if r.scanner == nil {
		return nil
	}
	return r.scanner.Close()
}
