package mysqlcdc

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/column"
	"github.com/culvertdata/culvert/plugin/internal/cdc"
	"github.com/culvertdata/culvert/plugin/internal/mysql/wire"
	"github.com/culvertdata/culvert/plugin/jdbc"
	"github.com/culvertdata/culvert/plugin/jdbc/mysql"
	"github.com/culvertdata/culvert/plugin/mysqlcdc/internal/ddl"
)

// chunkReader reads chunks of the snapshot, each in a view whose place in the log is known.
//
// A chunk of a unique key may be half read when a checkpoint is taken; what is left is then read in another view, so a
// chunk's result is a list of pieces with a place each. A chunk without a unique key is put out whole before Read
// returns.
//
// An attempt that dies may have put rows out that the checkpoint does not know of, and that are deleted by the time
// when the chunk is read again: a sink that took them would keep them. So a chunk that may have been read before takes
// the place from before all attempts: every change since then is put out, once more for those that the new view shows.
// Sinks with a key end up right, and those whose writes are undone with the attempt see some changes of the rows twice.
type chunkReader struct {
	source *Source
	task   plugin.Task

	session *mysql.Session // nil until it is needed and after a failure
	scanner jdbc.Scanner
	builder *column.Builder
	view    *view // that is open; a few chunks of a table share one
	idle    idleGuard

	split    string
	state    chunk
	relation *jdbc.Relation // how it is read
	begun    bool           // the chunk is being read in the view
	place    place          // that its rows are of
	from     jdbc.Range     // where reading in the view began
	at       jdbc.Range
	again    bool // an attempt of this reader has put rows of the chunk out
	lost     int  // views that were lost in a row
}

// open starts a chunk.
func (r *chunkReader) open(s plugin.Split) error {
	if r.idle.disarm() {
		r.session, r.scanner, r.view = nil, nil, nil
	}
	r.split, r.begun, r.again = s.ID, false, false
	var err error
	if r.state, err = cdc.Decode[chunk]("split "+s.ID, s.State); err != nil {
		return err
	}
	relation := r.source.relation(s.Table)
	if relation == nil { // it is not captured any more
		r.state.Done = true
		return nil
	}
	out, err := r.source.outOf(s.Table, r.state.Out)
	if err != nil {
		return err
	}
	if r.builder == nil || r.builder.Table() != out {
		r.release()
		r.builder = column.NewBuilder(out, r.task.Alloc)
	}
	r.relation = relation
	r.at = r.state.Range
	return nil
}

// read puts one batch out.
func (r *chunkReader) read(ctx context.Context, out plugin.Out) error {
	if r.state.Done {
		return io.EOF
	}
	err := r.readSome(ctx, out)
	if err == nil || err == io.EOF {
		r.lost = 0
		return err
	}
	if r.lost++; !lost(err) || ctx.Err() != nil || r.lost > r.source.options.MaxRetries {
		r.drop()
		return r.located(err)
	}
	r.source.env.Logger.Warn("a chunk goes on in another view", "split", r.split, "error", err)
	return r.interrupted(out)
}

// interrupted goes on with the rest of the chunk after its view was lost. A chunk that cannot be continued starts anew,
// as one that was read before.
func (r *chunkReader) interrupted(out plugin.Out) error {
	err := r.put(out)
	switch {
	case !r.begun:
	case r.relation.Unique:
		if piece, ok := r.readPart(); ok {
			r.state.Pieces = append(r.state.Pieces, piece)
		}
		r.state.Range = r.at
	default:
		r.again = true
	}
	r.drop()
	return err
}

func (r *chunkReader) readSome(ctx context.Context, out plugin.Out) error {
	if !r.begun {
		if given, err := r.look(ctx); given || err != nil {
			return cmp.Or(err, io.EOF)
		}
	}
	for {
		n, err := r.scanner.Read(ctx, r.builder, column.FullRows-r.builder.Len())
		if err != nil && err != io.EOF {
			return err
		}
		if err == nil && n > 0 && r.relation.Unique {
			last := r.scanner.Last()
			r.at.After = &last
		}
		if err != nil || r.builder.Full() || out.Full() {
			if err := r.put(out); err != nil {
				return err
			}
		}
		if err != nil {
			return cmp.Or(r.finish(ctx), io.EOF)
		}
		if r.relation.Unique && out.Full() {
			return nil
		}
	}
}

func (r *chunkReader) put(out plugin.Out) error {
	if r.builder.Len() == 0 {
		return nil
	}
	return out.Batch(r.builder.Batch())
}

// look opens the view and starts reading. given says that the chunk was given up because the table was altered.
func (r *chunkReader) look(ctx context.Context) (given bool, err error) {
	if r.session == nil {
		if r.session, err = r.source.connect(ctx); err != nil {
			return false, err
		}
		r.scanner = r.session.Scanner()
	}
	id := r.relation.Table.ID
	if err := r.ensureView(ctx, id); err != nil {
		return false, err
	}
	r.place = r.view.at
	if !r.view.exact || r.stale() {
		r.place = r.state.Low
	}
	same := sameColumns(&r.view.columns, &r.state.Log)
	if !same && r.source.options.schemaChanges() {
		return true, r.giveUp(ctx)
	}
	relation := *r.relation
	relation.Table, relation.Key = r.builder.Table(), cmp.Or(r.state.Key, r.relation.Key)
	if relation.Key != "" && logColumn(r.view.columns, relation.Key) < 0 {
		return false, keyGone(id, relation.Key)
	}
	relation.From = withMissing(&relation, r.view.columns)
	if !same {
		if err := r.keepColumns(ctx, id); err != nil {
			return false, err
		}
	}
	r.begun, r.from = true, r.at
	return false, r.scanner.Open(ctx, &relation, r.at)
}

func keyGone(id plugin.TableID, key string) error {
	return &plugin.Error{Code: plugin.CodeConfig, Table: id,
		Err: fmt.Errorf("the column %s, which the table is copied by, is gone or has another name", key),
		Fix: "set include.schema.changes = true in debezium, so that such changes travel to the sinks, or start the job afresh"}
}

// viewAge is how long a view is used for further chunks of its table: opening one takes longer than reading some rows,
// and nobody can alter the table meanwhile.
const viewAge = 200 * time.Millisecond

// ensureView opens a view of a table, unless there is one.
func (r *chunkReader) ensureView(ctx context.Context, id plugin.TableID) error {
	if r.view != nil && r.view.table == id && time.Since(r.view.opened) < viewAge {
		return nil
	}
	if err := r.leaveView(ctx); err != nil {
		return err
	}
	v, err := openView(ctx, r.session, r.source.viewer(), id, r.state.Log)
	r.view = v
	return err
}

// leaveView ends the view's transaction.
func (r *chunkReader) leaveView(ctx context.Context) error {
	if r.view == nil {
		return nil
	}
	r.view = nil
	return r.session.Run(ctx, func(c *wire.Conn) error { _, err := c.Exec("COMMIT"); return err })
}

// stale reports whether an attempt that died may have read the chunk before.
func (r *chunkReader) stale() bool { return r.again || r.state.Again || r.state.Run != r.task.Epoch }

// keepColumns notes the table's columns in the chunk's first view.
func (r *chunkReader) keepColumns(ctx context.Context, id plugin.TableID) error {
	if len(r.state.Pieces) > 0 || r.stale() {
		return nil
	}
	return r.session.Run(ctx, func(c *wire.Conn) error {
		t, err := readTable(c, id)
		r.state.Columns = &t
		return err
	})
}

// withMissing returns what stands behind FROM for a table that lacks columns: they are null.
func withMissing(r *jdbc.Relation, have ddl.Table) string {
	var nulls []string
	for _, c := range r.Table.Columns {
		if !slices.ContainsFunc(have.Columns, func(h ddl.Column) bool { return strings.EqualFold(h.Name, c.Name) }) {
			nulls = append(nulls, "NULL AS "+quote(c.Name))
		}
	}
	if nulls == nil {
		return r.From
	}
	return "(SELECT q.*, " + strings.Join(nulls, ", ") + " FROM " + r.From + " AS q) AS q"
}

// giveUp leaves the rest of the chunk to a later round: the reader of the log must come to the change of the columns
// first.
func (r *chunkReader) giveUp(ctx context.Context) error {
	var until place
	err := r.session.Run(ctx, func(c *wire.Conn) error {
		seen, err := readTable(c, r.relation.Table.ID)
		if err != nil {
			return err
		}
		r.state.Seen = &seen
		until, err = currentPlace(c)
		return err
	})
	if err != nil {
		return err
	}
	left := r.at
	r.state.Left, r.state.Until, r.state.Stale = &left, &until, r.stale()
	return r.done(ctx)
}

// finish notes what was read.
func (r *chunkReader) finish(ctx context.Context) error {
	r.state.Pieces = append(r.state.Pieces, piece{cdc.Rest(r.from), r.place})
	return r.done(ctx)
}

// readPart is what was read in the view so far, of a chunk that can be continued.
func (r *chunkReader) readPart() (piece, bool) {
	span, ok := cdc.Rest(r.from).UpTo(r.at.After)
	return piece{span, r.place}, ok && r.begun
}

// done ends the chunk, and a view that is old.
func (r *chunkReader) done(ctx context.Context) error {
	r.state.Done, r.begun = true, false
	r.source.env.Logger.Debug("a chunk is read", "split", r.split, "place", r.place.String(), "stale", r.stale(),
		"given up", r.state.Left != nil, "pieces", len(r.state.Pieces))
	if time.Since(r.view.opened) >= viewAge {
		return r.leaveView(ctx)
	}
	r.idle.arm(r.scanner)
	return nil
}

// position returns the rest of the chunk and what was read of it.
func (r *chunkReader) position() ([]byte, error) {
	c := r.state
	if !c.Done {
		c.Range = r.at
		if piece, ok := r.readPart(); ok {
			c.Pieces = append(slices.Clone(c.Pieces), piece)
		}
	}
	return json.Marshal(c)
}

func (r *chunkReader) located(err error) error {
	var e *plugin.Error
	if errors.As(err, &e) {
		e.Split = cmp.Or(e.Split, r.split)
		return err
	}
	return fmt.Errorf("split %s: %w", r.split, err)
}

// close leaves the chunk. If it is half read, its view goes with the session.
func (r *chunkReader) close() error {
	if r.begun {
		r.drop()
	}
	return nil
}

// end ends the session.
func (r *chunkReader) end() error {
	r.drop()
	r.release()
	return nil
}

func (r *chunkReader) drop() {
	if closed := r.idle.disarm(); r.session != nil && !closed {
		_ = r.scanner.Close() // closes the session too; its rows are of no interest any more
	}
	r.session, r.scanner, r.view, r.begun = nil, nil, nil, false
}

// idleGuard closes a session with an open view if no chunk comes that could use it: a view that stays open keeps the
// table from being altered. It is the only one that touches the session while it is armed.
type idleGuard struct {
	timer  *time.Timer
	closed chan struct{} // closed when the guard has closed the session
}

func (g *idleGuard) arm(s jdbc.Scanner) {
	closed := make(chan struct{})
	g.closed = closed
	g.timer = time.AfterFunc(viewAge, func() {
		_ = s.Close() // nothing is lost with it
		close(closed)
	})
}

// disarm reports whether the guard has closed the session, and keeps it from doing so later.
func (g *idleGuard) disarm() bool {
	if g.timer == nil {
		return false
	}
	stopped := g.timer.Stop()
	g.timer = nil
	if !stopped {
		<-g.closed
	}
	return !stopped
}

func (r *chunkReader) release() {
	if r.builder != nil {
		r.builder.Release()
		r.builder = nil
	}
}
