package postgrescdc

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/column"
	"github.com/culvertdata/culvert/plugin/internal/cdc"
	"github.com/culvertdata/culvert/plugin/jdbc"
	"github.com/culvertdata/culvert/plugin/jdbc/postgres"
	"github.com/culvertdata/culvert/plugin/postgrescdc/internal/pgoutput"
)

// chunkReader reads chunks of the snapshot, each in one view. A chunk whose key is unique can be left in the middle and
// gone on with in another view, as another piece. Any other chunk is put out within one Read.
type chunkReader struct {
	source  *Source
	alloc   memory.Allocator
	staged  bool // the sinks commit with the checkpoints
	scanner jdbc.Scanner
	builder *column.Builder // of out

	messages *messages         // that rows become; nil in the usual format
	aux      *postgres.Session // for questions about altered tables

	split    string
	captured *captured
	relation *jdbc.Relation // that is read: captured's, or one that makes its columns of those that the table has now
	shape    string         // of the table, that relation is for
	out      *plugin.Table  // as the sinks know it
	state    chunkState     // what is behind the reader
	span     cdc.Span       // that is being read
	view     viewState
	viewing  bool // a view is open
}

// open starts a chunk.
func (r *chunkReader) open(s plugin.Split, t *captured) error {
	var err error
	if r.state, err = cdc.Decode[chunkState]("the chunk "+s.ID, s.State); err != nil {
		return err
	}
	if r.out, err = r.state.Out.make(t.table()); err != nil {
		return err
	}
	r.split, r.viewing = s.ID, false
	if r.captured != t || r.builder.Table() != r.out {
		r.release()
		r.captured, r.relation, r.builder = t, nil, column.NewBuilder(r.out, r.alloc)
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
	view, err := r.source.server.BeginView(ctx, r.scanner, r.out.ID, r.captured.layout, r.state.Export)
	if err != nil {
		return err
	}
	if err := r.fit(ctx, view.Shape); err != nil {
		return err
	}
	end, err := pgoutput.ParseLSN(view.End)
	if err != nil {
		return err
	}
	r.view = viewState{Snapshot: view.Snapshot, End: end}
	r.span, r.viewing = cdc.Rest(r.state.Range), true
	if r.messages != nil {
		r.messages.chunk(end)
	}
	return r.scanner.Open(ctx, r.relation, r.state.Range)
}

// fit finds the relation that reads the sinks' columns of a table that may have been altered meanwhile. Columns keep
// their numbers when they are renamed; those that are gone are null.
func (r *chunkReader) fit(ctx context.Context, shape string) error {
	planned := r.captured.relation
	key := r.key()
	if r.out == planned.Table && key == planned.Key && shape == r.captured.layout.Shape {
		r.relation = planned
		return nil
	}
	if r.relation != nil && r.relation != planned && key == r.relation.Key && r.shape == shape {
		return nil
	}
	if r.aux == nil || r.aux.Conn().IsClosed() {
		var err error
		if r.aux, err = r.source.server.Session(ctx); err != nil {
			return err
		}
	}
	names, err := columnNames(ctx, r.aux, r.captured.oid)
	if err != nil {
		return err
	}
	list := make([]string, len(r.out.Columns))
	for i, c := range r.out.Columns {
		value := r.source.absent(c)
		switch {
		case i < len(r.state.Numbers) && names[r.state.Numbers[i]] != "":
			value = postgres.Quote(names[r.state.Numbers[i]]) + "::" + c.SourceType
		case c.Name == key:
			return keyGone(r.out.ID, key)
		}
		list[i] = value + " AS " + postgres.Quote(c.Name)
	}
	sql := "SELECT " + strings.Join(list, ", ") + " FROM " + postgres.Qualified(r.out.ID)
	made, err := r.source.server.Reshape(ctx, r.scanner, planned, r.out, key, sql)
	if err != nil {
		return err
	}
	made.Unique = planned.Unique && r.isPlanned(key)
	r.relation, r.shape = made, shape
	return nil
}

// key returns the column that the chunk was cut by, as the sinks know it. It may have another name in the relation.
func (r *chunkReader) key() string {
	by := r.state.Range.By
	if by == "" || r.out.Index(by) >= 0 {
		return by
	}
	for _, c := range r.out.Columns {
		if r.isPlanned(c.Name) {
			return c.Name
		}
	}
	return by
}

// isPlanned reports whether one of the sinks' columns is the one that the relation is cut by.
func (r *chunkReader) isPlanned(name string) bool {
	i := r.out.Index(name)
	return i >= 0 && i < len(r.state.Numbers) && r.state.Numbers[i] == r.captured.cutNumber()
}

func keyGone(id plugin.TableID, key string) error {
	return &plugin.Error{Code: plugin.CodeConfig, Table: id,
		Err: fmt.Errorf("the column %s, which the table is copied by, is gone", key), Fix: "start the job afresh"}
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
	r.note(&r.state, r.span)
	r.state.Range, r.viewing = jdbc.Range{Done: true}, false
	return r.source.server.EndView(ctx, r.scanner)
}

// note adds a span to what was read of a chunk. Sinks that show rows before the checkpoint may show some that an
// earlier run has put out and a later view does not have any more: they must get all changes since the slot was made,
// so nothing is noted for them. Nor is anything for rows that lack a column which the table has got meanwhile.
func (r *chunkReader) note(st *chunkState, span cdc.Span) {
	if !r.staged || r.relation != r.captured.relation {
		return
	}
	p := piece{Span: span}
	st.Views, p.View = addView(st.Views, r.view)
	st.Pieces = append(st.Pieces, p)
}

// position returns the rest of the chunk, with what was read of it.
func (r *chunkReader) position() ([]byte, error) {
	st := r.state
	if part, ok := r.span.UpTo(st.Range.After); ok && r.viewing {
		st.Pieces, st.Views = append([]piece(nil), st.Pieces...), append([]viewState(nil), st.Views...)
		r.note(&st, part)
	}
	return json.Marshal(st)
}

func (r *chunkReader) put(out plugin.Out) error {
	if r.builder.Len() == 0 {
		return nil
	}
	return out.Batch(r.builder.Batch())
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
	return &plugin.Error{Table: r.out.ID, Split: r.split, Err: err}
}

func (r *chunkReader) release() {
	if r.builder != nil {
		r.builder.Release()
	}
}

func (r *chunkReader) close() error {
	r.release()
	var errs []error
	if r.aux != nil {
		errs = append(errs, r.aux.Close())
	}
	if r.scanner != nil {
		errs = append(errs, r.scanner.Close())
	}
	return errors.Join(errs...)
}
