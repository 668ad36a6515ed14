package postgrescdc

import (
	"context"
	"errors"
	"strings"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/internal/cdc"
	"github.com/culvertdata/culvert/plugin/jdbc/postgres"
	"github.com/culvertdata/culvert/plugin/postgrescdc/internal/pgoutput"
)

// preparation makes slot and publication. Both wait for the ends of transactions that are under way, which may take
// longer than a splitter's Next may: so a goroutine does it.
type preparation struct {
	cancel context.CancelFunc
	done   chan struct{} // closed at the end; what follows is set then

	added []*captured // tables that are new to the job

	from   pgoutput.LSN      // where the stream starts, if there is no state yet
	export string            // the snapshot of the slot, if it was made now
	holder *postgres.Session // holds it

	err error
}

// prepare starts the preparation, or waits for it, and takes over what it has made.
func (sp *splitter) prepare(ctx context.Context) error {
	if sp.preparing == nil {
		sp.preparing = sp.startPreparing(ctx)
	}
	p := sp.preparing
	select {
	case <-p.done:
	case <-ctx.Done():
		return ctx.Err()
	}
	sp.preparing = nil
	p.cancel()
	if p.err != nil {
		sp.holder = p.holder
		sp.release()
		return p.err
	}
	snapshot := sp.state.Ready || strings.EqualFold(sp.source.options.Startup, "initial")
	if !sp.state.Ready {
		sp.state.Stream.From, sp.holder, sp.export = p.from, p.holder, p.export
	}
	sp.tables = sp.source.replace(p.added)
	for _, t := range p.added {
		first, err := sp.source.first(t.table())
		if err != nil {
			return err
		}
		sp.state.Stream.Tables = append(sp.state.Stream.Tables, tableState{
			Out: formOf(first), Number: t.number, Numbers: t.numbersOf(first)})
		if snapshot {
			sp.state.Cuts = append(sp.state.Cuts, cdc.Cut{Table: t.table().ID})
		}
	}
	sp.state.Ready, sp.checked = true, true
	return nil
}

// startPreparing starts the goroutine. It lives until it is done or the splitter is closed.
func (sp *splitter) startPreparing(ctx context.Context) *preparation {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	p := &preparation{added: sp.reconcile(), cancel: cancel, done: make(chan struct{})}
	ready, from := sp.state.Ready, sp.state.Stream.From
	go func() {
		defer close(p.done)
		p.err = p.run(ctx, sp.source, sp.tables, ready, from)
	}()
	return p
}

// stop ends the goroutine and returns what it may have left.
func (p *preparation) stop() *postgres.Session {
	p.cancel()
	<-p.done
	return p.holder
}

// run does the work; ready says that the slot was made before and must still have everything after from.
func (p *preparation) run(ctx context.Context, s *Source, tables []*captured, ready bool, from pgoutput.LSN) error {
	c, err := s.server.Session(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	if ready {
		if err := s.checkSlot(ctx, c, from); err != nil {
			return err
		}
	}
	ids := make([]plugin.TableID, len(tables))
	for i, t := range tables {
		ids[i] = t.table().ID
	}
	if err := s.publish(ctx, c, ids); err != nil {
		return err
	}
	return p.settle(ctx, s, c, ready)
}

// settle makes the slot, and finds the tables as they are then. What was altered before the slot was made is not in
// the log. So if a table is not as it was planned, the slot moves on and the table is looked at once more.
func (p *preparation) settle(ctx context.Context, s *Source, c *postgres.Session, ready bool) error {
	for range settleTries {
		if len(p.added) > 0 {
			if err := s.quiesce(ctx, c); err != nil {
				return err
			}
		}
		if !ready {
			if err := p.begin(ctx, s, c); err != nil {
				return err
			}
		}
		if len(p.added) == 0 || !s.options.schemaChanges() {
			return nil
		}
		now, err := s.discover(ctx, c)
		if err != nil {
			return err
		}
		if !p.altered(now) {
			return nil
		}
		if p.holder != nil {
			_ = p.holder.Close()
			p.holder, p.export = nil, ""
		}
	}
	return &plugin.Error{Code: plugin.CodeUnavailable, Retry: true,
		Err: errors.New("the tables are altered again and again while the job starts")}
}

// settleTries is how often a table may be altered while a job starts.
const settleTries = 20

// altered takes tables as they are now in place of those that are new to the job, and reports whether one has other
// columns.
func (p *preparation) altered(now []*captured) bool {
	altered := false
	for i, t := range p.added {
		at := find(now, t.table().ID)
		if at == nil || at.table().SameColumns(t.table()) {
			continue // who reads a table that is gone is going to tell
		}
		p.added[i], altered = at, true
	}
	return altered
}

// begin makes the slot, or moves one that is there to where the job starts: the job has put out nothing yet.
func (p *preparation) begin(ctx context.Context, s *Source, c *postgres.Session) error {
	have, err := s.readSlot(ctx, c)
	switch {
	case err != nil:
		return err
	case have == nil:
		p.holder, p.from, p.export, err = s.makeSlot(ctx)
	case have.lost:
		return s.lost()
	case strings.EqualFold(s.options.Startup, "earliest"):
		p.from = have.confirmed
	default:
		p.from, err = s.advanceSlot(ctx, c)
	}
	return err
}
