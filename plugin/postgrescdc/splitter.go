package postgrescdc

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/internal/cdc"
	"github.com/culvertdata/culvert/plugin/jdbc"
	"github.com/culvertdata/culvert/plugin/jdbc/postgres"
)

// slotSplit is a split without rows: when it is done, a checkpoint holds where the slot was made. Only then rows may
// be put out, so a job that starts without a checkpoint has put out none.
const slotSplit = "slot"

// streamPrefix begins the IDs of stream splits; those of chunks begin with a table's path, which has two points.
const streamPrefix = "stream/"

// splitter makes the slot, cuts the tables, waits for the chunks, and hands out the stream. When the stream ends,
// because the job has got more tables, it cuts those and hands out the stream anew.
type splitter struct {
	source *Source
	tables []*captured
	state  splitterState

	preparing *preparation      // under way
	checked   bool              // slot and publication are as the state says
	export    string            // snapshot of the slot, while holder is open
	holder    *postgres.Session // holds it
	cutter    cdc.Cutter        // of state.Cuts
}

func newSplitter(s *Source, tables []*captured, state []byte) (*splitter, error) {
	sp := &splitter{source: s, tables: tables}
	sp.cutter = cdc.Cutter{
		Options: s.options.Cutting(s.options.SplitSize), Catalog: s.server.JDBC().Catalog,
		Relation: func(id plugin.TableID) *jdbc.Relation { return find(sp.tables, id).relation },
		Renamed:  func(err error) bool { return postgres.ServerCode(err) == columnMissing },
	}
	if state == nil {
		return sp, nil
	}
	var err error
	sp.state, err = cdc.Decode[splitterState]("the Postgres-CDC source", state)
	return sp, err
}

// Next implements [plugin.Splitter].
func (sp *splitter) Next(ctx context.Context) ([]plugin.Split, error) {
	if sp.state.Streaming {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	if !sp.checked {
		if err := sp.prepare(ctx); err != nil {
			return nil, err
		}
	}
	if !sp.state.Noted {
		if sp.state.Open > 0 {
			return nil, nil
		}
		state, err := json.Marshal(slotState{sp.state.Stream.Tables})
		if err != nil {
			return nil, err
		}
		sp.state.Open++
		return []plugin.Split{{ID: slotSplit, State: state, Rows: 0}}, nil
	}
	splits, err := sp.cut(ctx)
	if err != nil || len(splits) > 0 {
		return splits, err
	}
	if sp.state.Open > 0 {
		return nil, nil
	}
	return sp.stream()
}

// reconcile drops the tables that the job does not name any more, and returns those that are new.
func (sp *splitter) reconcile() []*captured {
	st := &sp.state
	gone := func(id plugin.TableID) bool { return find(sp.tables, id) == nil }
	st.Stream.Tables = slices.DeleteFunc(st.Stream.Tables, func(t tableState) bool { return gone(t.Out.ID) })
	st.Cuts = slices.DeleteFunc(st.Cuts, func(c cdc.Cut) bool { return gone(c.Table) })
	var added []*captured
	for _, t := range sp.tables {
		if st.Stream.table(t.table().ID) == nil {
			added = append(added, t)
		}
	}
	return added
}

func (st *streamState) table(id plugin.TableID) *tableState {
	i := slices.IndexFunc(st.Tables, func(t tableState) bool { return t.Out.ID == id })
	if i < 0 {
		return nil
	}
	return &st.Tables[i]
}

func find(tables []*captured, id plugin.TableID) *captured {
	i := slices.IndexFunc(tables, func(t *captured) bool { return t.table().ID == id })
	if i < 0 {
		return nil
	}
	return tables[i]
}

// cut makes some chunks of the first table that is not cut to its end; none: all are.
func (sp *splitter) cut(ctx context.Context) ([]plugin.Split, error) {
	id, chunks, err := sp.cutter.Next(ctx, &sp.state.Cuts)
	if err != nil {
		return nil, err
	}
	table := sp.state.Stream.table(id)
	splits := make([]plugin.Split, len(chunks))
	for i, c := range chunks {
		state, err := json.Marshal(chunkState{Out: table.Out, Numbers: table.Numbers, Export: sp.export, Range: c.Range})
		if err != nil {
			return nil, err
		}
		splits[i] = plugin.Split{ID: c.ID, Table: id, State: state, Rows: c.Rows}
	}
	sp.state.Open += len(splits)
	return splits, nil
}

// stream hands out the stream.
func (sp *splitter) stream() ([]plugin.Split, error) {
	sp.release()
	state, err := json.Marshal(sp.state.Stream)
	if err != nil {
		return nil, err
	}
	sp.state.Streams++
	sp.state.Streaming = true
	sp.state.Stream = streamState{} // comes back with Done
	return []plugin.Split{{ID: fmt.Sprintf("%s%d", streamPrefix, sp.state.Streams), State: state, Rows: -1}}, nil
}

// release gives up the slot's snapshot.
func (sp *splitter) release() {
	if sp.holder != nil {
		_ = sp.holder.Close()
		sp.holder, sp.export = nil, ""
	}
}

// Done implements [plugin.Splitter].
func (sp *splitter) Done(s plugin.Split, result []byte) error {
	if strings.HasPrefix(s.ID, streamPrefix) {
		var err error
		sp.state.Stream, err = cdc.Decode[streamState]("the stream", result)
		sp.state.Streaming, sp.checked = false, false
		return err
	}
	sp.state.Open--
	if s.ID == slotSplit {
		sp.state.Noted = true
		return nil
	}
	chunk, err := cdc.Decode[chunkState]("the chunk "+s.ID, result)
	t := sp.state.Stream.table(s.Table)
	if err != nil || t == nil { // the job does not read the table any more
		return err
	}
	for _, p := range chunk.Pieces {
		sp.state.Stream.Views, p.View = addView(sp.state.Stream.Views, chunk.Views[p.View])
		t.Pieces = addPiece(t.Pieces, p)
	}
	return nil
}

// State implements [plugin.Splitter].
func (sp *splitter) State() ([]byte, error) {
	return json.Marshal(sp.state)
}

// Close implements [plugin.Splitter].
func (sp *splitter) Close() error {
	if sp.preparing != nil {
		sp.holder = sp.preparing.stop()
	}
	sp.release()
	return sp.cutter.Close()
}
