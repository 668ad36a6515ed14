package mysqlcdc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/column"
	"github.com/culvertdata/culvert/plugin/internal/cdc"
	"github.com/culvertdata/culvert/plugin/internal/mysql/wire"
	"github.com/culvertdata/culvert/plugin/mysqlcdc/internal/binlog"
)

// logReader follows the log for some tables.
//
// Rows of a transaction wait until it has ended, as far as the builders hold them: a server that crashed while it wrote
// its log may leave the head of a transaction that never was. Larger transactions are put out as they come.
type logReader struct {
	source *Source
	task   plugin.Task
	split  string

	state  following // as it was opened; At, Skip and Tables are those of the reader's fields
	tables []*followed
	byName map[plugin.TableID]*followed
	fixed  json.RawMessage // the tables in JSON; nil: they have changed

	stream *binlog.Stream
	maps   map[*binlog.TableMap]*binding
	start  place  // of the transaction that the last event belongs to
	inside bool   // a transaction is under way
	writer uint32 // the server that made it
	taken  int64  // rows of it that are done with
	skip   int64  // rows of it that were done with before the reader was opened
	held   int64  // rows that wait in builders
	since  time.Time
	ended  ending
	left   bool   // tables that are not captured any more are forgotten
	fresh  bool   // the job captures a table that it did not when the split was made
	during *place // in front of a change of the columns that is being put out
	failed int    // connections that were lost in a row
	behind lagMeter

	messages *messages // that rows become; nil in the usual format
}

// binding is what becomes of rows of one table map; of a table that is not captured nothing.
type binding struct {
	table   *followed
	decoder *binlog.Decoder
}

func openLog(ctx context.Context, r *reader, s plugin.Split) (*logReader, error) {
	l := &logReader{source: r.source, task: r.task, split: s.ID, byName: map[plugin.TableID]*followed{},
		messages: r.writes}
	var err error
	if l.state, err = cdc.Decode[following]("split "+s.ID, s.State); err != nil {
		return nil, err
	}
	l.ended, l.skip = l.state.Ended, l.state.Skip
	tables, err := cdc.Decode[[]table]("split "+s.ID, l.state.Tables)
	if err != nil {
		return nil, err
	}
	for _, t := range tables {
		f, err := newFollowed(ctx, r, t)
		if err != nil {
			return nil, errors.Join(err, l.close())
		}
		l.tables = append(l.tables, f)
		l.byName[t.ID] = f
	}
	l.fixed = l.state.Tables
	l.fresh = slices.ContainsFunc(l.source.ids(), func(id plugin.TableID) bool {
		return !slices.Contains(l.state.Known, id)
	})
	l.state.Known = slices.DeleteFunc(l.state.Known, func(id plugin.TableID) bool { return l.source.relation(id) == nil })
	return l, nil
}

// read puts out what has come.
func (l *logReader) read(ctx context.Context, out plugin.Out) error {
	if l.ended != "" {
		return io.EOF
	}
	err := l.follow(ctx, out)
	switch {
	case err == nil:
		l.failed = 0
		return nil
	case err == io.EOF && l.ended != "":
		return err
	case err == io.EOF: // the server has ended the connection in good order, as it does when it shuts down
		err = fmt.Errorf("%w: the server has ended the log", wire.ErrLost)
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if errors.Is(err, binlog.ErrTorn) {
		return l.located(l.leaveTorn(ctx, err))
	}
	if l.failed++; !lost(err) || l.failed > l.source.options.MaxRetries+1 {
		return l.located(err)
	}
	l.source.env.Logger.Warn("the connection to the log is lost", "vertex", l.task.Vertex, "split", l.split, "error", err)
	l.retract()
	if err := l.putOut(out); err != nil { // what has come is good; the rest follows from there
		return err
	}
	return l.disconnect()
}

// retract takes the rows of the transaction under way back, if none of them was put out: after a crash of the server it
// may never have been.
func (l *logReader) retract() {
	if !l.inside || slices.ContainsFunc(l.tables, func(t *followed) bool { return t.put > 0 }) {
		return
	}
	for _, t := range l.tables {
		l.held -= int64(t.builder.Len() - t.mark)
		t.builder.Truncate(t.mark)
	}
	l.taken = 0
}

func (l *logReader) located(err error) error {
	if err == nil {
		return nil
	}
	err = l.source.explain(err)
	var e *plugin.Error
	if errors.As(err, &e) {
		if e.Split == "" {
			e.Split = l.split
		}
		return err
	}
	return fmt.Errorf("split %s: %w", l.split, err)
}

// patience is how long Read waits for an event while no row is held back, linger while some are, and holdMost how long
// one is held back in all.
const (
	patience = 50 * time.Millisecond
	linger   = 500 * time.Microsecond
	holdMost = 3 * time.Millisecond
	// overAfter is how long behind the time at which the job is to end the log must be quiet.
	overAfter = time.Second
)

func (l *logReader) follow(ctx context.Context, out plugin.Out) error {
	if l.stream == nil {
		if err := l.makeUp(out); err != nil {
			return err
		}
		if err := l.connect(ctx); err != nil {
			return err
		}
	}
	l.behind.tick(ctx, l)
	for {
		if !l.inside {
			if ended, err := l.arrived(out); err != nil {
				return err
			} else if ended {
				return l.finish(out)
			}
		}
		if !l.stream.Buffered() {
			more, err := l.wait(ctx, out)
			if err != nil {
				return err
			}
			if !more {
				if l.over(time.Now()) {
					return l.finish(out)
				}
				return l.putOut(out)
			}
		} else if (!l.inside || l.taken > column.FullRows) && out.Full() {
			return l.putOut(out)
		}
		file, end := l.stream.File()
		e, err := l.stream.Next(ctx)
		if err != nil {
			return err
		}
		if err := l.handle(ctx, out, e, place{File: file, Pos: end}); err != nil {
			return err
		}
	}
}

// wait waits for an event; false: it is time to put out what is held back, and to return.
func (l *logReader) wait(ctx context.Context, out plugin.Out) (bool, error) {
	if out.Full() {
		return false, nil
	}
	most := patience
	if l.held > 0 {
		if now := time.Now(); l.since.IsZero() {
			l.since = now
		} else if now.Sub(l.since) >= holdMost {
			return false, nil
		}
		most = linger
	}
	return l.stream.Wait(ctx, out.Wake(), most)
}

// handle does what an event asks for; before is the place in front of it.
func (l *logReader) handle(ctx context.Context, out plugin.Out, e binlog.Event, before place) error {
	switch {
	case e.Type.IsRows():
		return l.rows(ctx, out, e)
	case e.Type == binlog.TableMapEvent:
		_, err := l.stream.TableMap(e)
		return err
	case isStart(e.Type):
		l.begin(before)
		l.writer = e.ServerID
		if l.tooLate(e) {
			return l.finish(out)
		}
	case e.Type == binlog.Query:
		if err := l.query(ctx, out, e, before); err != nil {
			return err
		}
	case e.Type == binlog.Rotate && l.inside:
		if err := l.void(); err != nil {
			return err
		}
	}
	if l.inside && !l.stream.InTransaction() {
		l.commit()
		if l.source.messages != nil { // each message names its transaction
			return l.putOut(out)
		}
	}
	return nil
}

// begin notes the start of a transaction.
func (l *logReader) begin(at place) {
	l.start, l.inside, l.taken = at, true, 0
	for _, t := range l.tables {
		t.mark, t.put = t.builder.Len(), 0
	}
}

// commit notes its end.
func (l *logReader) commit() {
	l.inside, l.taken, l.skip = false, 0, 0
	l.leave()
	for _, t := range l.tables {
		if t.filter != nil && t.filter.passed(l.start) {
			t.passed()
			l.fixed = nil
		}
	}
}

// leave forgets the tables that are not captured any more. In the first transaction their rows had to be counted.
func (l *logReader) leave() {
	if !l.left {
		l.left = true
		for _, t := range l.tables {
			if t.gone {
				delete(l.byName, t.ID)
				l.fixed = nil
			}
		}
	}
}

// void takes the rows of a transaction back that never was.
func (l *logReader) void() error {
	put := l.skip
	if l.inside { // else the builders hold rows of others
		for _, t := range l.tables {
			l.held -= int64(t.builder.Len() - t.mark)
			put += t.put
			t.builder.Truncate(t.mark)
		}
	}
	if put > 0 {
		return &plugin.Error{
			Code: plugin.CodeData, Row: l.start.String(),
			Err: fmt.Errorf("the server crashed while it wrote a transaction to its log, of which %d rows were put out", put),
			Fix: "start the job afresh",
		}
	}
	l.inside, l.taken, l.skip = false, 0, 0
	return nil
}

// arrived reports whether the reader has come to its end, between two transactions.
func (l *logReader) arrived(out plugin.Out) (bool, error) {
	if l.state.Stop == nil && l.state.Until == nil && !l.fresh {
		return false, nil
	}
	file, end := l.stream.File()
	here := place{File: file, Pos: end}
	if l.state.Until != nil {
		if err := l.catchUp(out, here); err != nil {
			return false, err
		}
	}
	switch {
	case l.state.Stop != nil && l.state.Stop.Compare(here) <= 0:
		l.ended = reachedStop
	case l.state.Until != nil && l.state.Until.Compare(here) <= 0, l.fresh:
		l.ended = wantsSnapshot
	}
	return l.ended != "", nil
}

// tooLate reports whether a transaction was committed after the time at which the job is to end.
func (l *logReader) tooLate(e binlog.Event) bool {
	if l.source.options.StopTimestamp == 0 || int64(e.Seconds)*1000 < l.source.options.StopTimestamp {
		return false
	}
	l.ended, l.inside = reachedStop, false
	return true
}

// over reports whether nothing more will come before the time at which the job is to end.
func (l *logReader) over(now time.Time) bool {
	stop := l.source.options.StopTimestamp
	if stop == 0 || l.inside || l.stream.Buffered() || now.UnixMilli() <= stop+overAfter.Milliseconds() {
		return false
	}
	l.ended = reachedStop
	return true
}

// finish ends the split.
func (l *logReader) finish(out plugin.Out) error {
	if err := l.putOut(out); err != nil {
		return err
	}
	return io.EOF
}

// putOut empties all builders.
func (l *logReader) putOut(out plugin.Out) error {
	for _, t := range l.tables {
		if err := l.flush(out, t); err != nil {
			return err
		}
	}
	return nil
}

// flush empties the builder of one table.
func (l *logReader) flush(out plugin.Out, t *followed) error {
	n := t.builder.Len()
	if n == 0 {
		return nil
	}
	l.held -= int64(n)
	if l.held == 0 {
		l.since = time.Time{}
	}
	l.locate()
	return t.flush(out, l.inside)
}

// locate tells messages which transaction they come from.
func (l *logReader) locate() {
	m := l.messages
	if m == nil {
		return
	}
	m.at, m.server, m.gtid = l.start, l.writer, ""
	if g := l.stream.GTID(); g.Number > 0 {
		m.gtid = g.String()
	}
}

// position returns where the reader stands.
func (l *logReader) position() ([]byte, error) {
	f := l.state
	f.Ended, f.Skip = l.ended, l.skip
	switch {
	case l.during != nil:
		f.At, f.Skip = *l.during, 0
	case l.stream != nil:
		f.At, f.Skip = l.stream.Boundary(), max(l.taken, l.skip)
	}
	if l.fixed == nil {
		var err error
		if l.fixed, err = l.encodeTables(); err != nil {
			return nil, err
		}
	}
	f.Tables = l.fixed
	return json.Marshal(f)
}

func (l *logReader) encodeTables() (json.RawMessage, error) {
	tables := make([]table, 0, len(l.tables))
	for _, t := range l.tables {
		if !t.gone || l.inside || l.skip > 0 { // rows of the transaction under way are counted in all tables
			tables = append(tables, t.table)
		}
	}
	return json.Marshal(tables)
}
