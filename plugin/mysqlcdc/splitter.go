package mysqlcdc

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/internal/cdc"
	"github.com/culvertdata/culvert/plugin/jdbc"
)

// splitter hands out the work in rounds of three steps: a split that finds out where the log stands, the chunks of the
// tables that are to be read, and the splits that follow the log. A round ends when a reader of the log finds that
// there is something to read first: a table that is new in the job's configuration, or the rest of one that was altered
// while it was read. Each step starts when all splits of the one before are done.
type splitter struct {
	source *Source
	state  splitterState
	cutter cdc.Cutter // of state.Cuts
}

// step is what a round is at.
type step string

const (
	findOrigin   step = "origin"
	readSnapshot step = "snapshot"
	followLog    step = "log"
	atEnd        step = "end"
)

// splitterState is the splitter's part of a checkpoint.
type splitterState struct {
	Round int  `json:"round"`
	Step  step `json:"step"`
	// Handed says that all splits of the step were handed out, Out how many are not done.
	Handed bool `json:"handed,omitempty"`
	Out    int  `json:"out,omitempty"`
	// Low is a place before all views of the round, Server the server that places belong to, Run the checkpoint that
	// the run started from that found them.
	Low    place  `json:"low"`
	Run    uint64 `json:"run,omitempty"`
	Server string `json:"server,omitempty"`
	Stop   *place `json:"stop,omitempty"`
	// Tables are those that are captured; all places of it are behind the ones that the log was followed to.
	Tables []table `json:"tables,omitempty"`
	// Cuts are the tables to cut, Again parts to read once more.
	Cuts   []cdc.Cut `json:"cuts,omitempty"`
	Again  []again   `json:"again,omitempty"`
	Chunks int       `json:"chunks,omitempty"`
	// Snapshot says that a reader of the log wants another round.
	Snapshot bool `json:"snapshot,omitempty"`
}

// again is a part of a table to be read once more.
type again struct {
	Table plugin.TableID `json:"table"`
	Range jdbc.Range     `json:"range"`
}

// Splits starts the first round, or goes on.
func (s *Source) Splits(ctx context.Context, state []byte) (plugin.Splitter, error) {
	if err := s.plan(ctx); err != nil {
		return nil, err
	}
	sp := &splitter{source: s, state: splitterState{Step: findOrigin}}
	sp.cutter = cdc.Cutter{
		Options: s.options.Cutting(s.options.SplitSize), Catalog: s.server.Catalog, Relation: s.relation,
		Renamed: func(err error) bool { return isNumber(err, errNoColumn) },
	}
	if state == nil {
		return sp, nil
	}
	var err error
	if sp.state, err = cdc.Decode[splitterState]("MySQL-CDC", state); err != nil {
		return nil, err
	}
	sp.forget()
	return sp, nil
}

// forget drops the tables that the job does not capture any more.
func (sp *splitter) forget() {
	gone := func(id plugin.TableID) bool { return sp.source.relation(id) == nil }
	sp.state.Tables = slices.DeleteFunc(sp.state.Tables, func(t table) bool { return gone(t.ID) })
	sp.state.Cuts = slices.DeleteFunc(sp.state.Cuts, func(c cdc.Cut) bool { return gone(c.Table) })
	sp.state.Again = slices.DeleteFunc(sp.state.Again, func(a again) bool { return gone(a.Table) })
}

// Next hands out splits of the step that the round is at.
func (sp *splitter) Next(ctx context.Context) ([]plugin.Split, error) {
	for {
		if sp.state.Handed && sp.state.Out == 0 {
			sp.advance()
		}
		if sp.state.Handed && sp.state.Out > 0 {
			return nil, nil
		}
		switch sp.state.Step {
		case findOrigin:
			return sp.handOrigin()
		case readSnapshot:
			splits, err := sp.cut(ctx)
			if len(splits) > 0 || err != nil {
				return splits, err
			}
			sp.state.Handed = true
		case followLog:
			return sp.handLog()
		default:
			return nil, io.EOF
		}
	}
}

// advance goes on to the next step.
func (sp *splitter) advance() {
	st := &sp.state
	st.Handed = false
	switch {
	case st.Step == findOrigin:
		st.Step = readSnapshot
	case st.Step == readSnapshot:
		st.Step = followLog
	case st.Step == followLog && st.Snapshot:
		st.Step, st.Snapshot = findOrigin, false
		st.Round++
	default:
		st.Step = atEnd
	}
}

// unknown returns the captured tables that no round has begun to read.
func (sp *splitter) unknown() []plugin.TableID {
	return slices.DeleteFunc(sp.source.ids(), func(id plugin.TableID) bool { return sp.table(id) != nil })
}

func (sp *splitter) table(id plugin.TableID) *table {
	for i := range sp.state.Tables {
		if sp.state.Tables[i].ID == id {
			return &sp.state.Tables[i]
		}
	}
	return nil
}

func (sp *splitter) handOrigin() ([]plugin.Split, error) {
	state, err := json.Marshal(origin{Tables: sp.unknown()})
	if err != nil {
		return nil, err
	}
	sp.state.Handed = true
	sp.state.Out++
	return []plugin.Split{{ID: fmt.Sprintf("%s%d", originPrefix, sp.state.Round), State: state, Rows: -1}}, nil
}

// The IDs of splits tell what they are.
const (
	originPrefix = "origin/"
	logPrefix    = "log/"
	chunkPrefix  = "chunk/"
)

// errNoColumn is the server's number for a column that does not exist.
const errNoColumn = 1054

// cut returns some chunks: first those that are read once more, then of tables that are cut.
func (sp *splitter) cut(ctx context.Context) ([]plugin.Split, error) {
	st := &sp.state
	var splits []plugin.Split
	for _, a := range st.Again {
		s, err := sp.chunk(a.Table, a.Range, -1)
		if err != nil {
			return nil, err
		}
		splits = append(splits, s)
	}
	st.Again = nil
	if len(splits) > 0 {
		return splits, nil
	}
	id, chunks, err := sp.cutter.Next(ctx, &st.Cuts)
	for _, c := range chunks {
		s, err := sp.chunk(id, c.Range, c.Rows)
		if err != nil {
			return nil, err
		}
		splits = append(splits, s)
	}
	return splits, err
}

// chunk makes the split of a part of a table.
func (sp *splitter) chunk(id plugin.TableID, at jdbc.Range, rows int64) (plugin.Split, error) {
	t := sp.table(id)
	if t == nil {
		return plugin.Split{}, fmt.Errorf("table %s is not known", id)
	}
	c := chunk{Range: at, Low: sp.state.Low, Run: sp.state.Run, Log: t.Log, Out: t.Out, Key: t.Key}
	if t.Stale {
		c.Low, c.Again = t.Since, true
	}
	state, err := json.Marshal(c)
	if err != nil {
		return plugin.Split{}, err
	}
	sp.state.Chunks++
	sp.state.Out++
	return plugin.Split{
		ID: fmt.Sprintf("%s%s/%d", chunkPrefix, id, sp.state.Chunks), Table: id, State: state, Rows: rows,
	}, nil
}

// Done takes the result of a split.
func (sp *splitter) Done(s plugin.Split, result []byte) error {
	sp.state.Out--
	switch {
	case strings.HasPrefix(s.ID, originPrefix):
		return sp.originFound(s, result)
	case strings.HasPrefix(s.ID, logPrefix):
		return sp.logEnded(s, result)
	default:
		return sp.chunkRead(s, result)
	}
}

// originFound adds the new tables.
func (sp *splitter) originFound(s plugin.Split, result []byte) error {
	o, err := cdc.Decode[origin]("split "+s.ID, result)
	if err != nil {
		return err
	}
	if o.At == nil || len(o.Log) != len(o.Tables) {
		return fmt.Errorf("split %s ended without finding the log", s.ID)
	}
	st := &sp.state
	st.Low, st.Server, st.Run = *o.At, o.Server, o.Run
	if st.Round == 0 {
		st.Stop = o.Stop
	}
	// A table that is added later is always read first: the others have started long ago.
	snapshot := st.Round > 0 || strings.EqualFold(sp.source.options.StartMode, "initial")
	for i, id := range o.Tables {
		r := sp.source.relation(id)
		if r == nil {
			continue
		}
		t := table{ID: id, Log: o.Log[i], Since: *o.At, Key: r.Key}
		if len(o.Out) > 0 {
			t.Out = o.Out[i]
		}
		if snapshot {
			st.Cuts = append(st.Cuts, cdc.Cut{Table: id})
		} else if len(o.Seen) > 0 && o.Seen[i] != nil {
			t.Seen, t.Until = o.Seen[i], o.At
		}
		st.Tables = append(st.Tables, t)
	}
	for i := range st.Tables {
		t := &st.Tables[i]
		for _, part := range t.Open {
			st.Again = append(st.Again, again{t.ID, part})
		}
		t.Open = nil
	}
	return nil
}

// chunkRead adds what a chunk has read to its table.
func (sp *splitter) chunkRead(s plugin.Split, result []byte) error {
	c, err := cdc.Decode[chunk]("split "+s.ID, result)
	if err != nil {
		return err
	}
	t := sp.table(s.Table)
	if t == nil {
		return nil // it is not captured any more
	}
	if len(c.Pieces) > 0 && c.Columns != nil && sp.lowest(t, c.Pieces[0].At) {
		t.Log, t.Missed = *c.Columns, true
	}
	t.Pieces = append(t.Pieces, c.Pieces...)
	if c.Left == nil {
		return nil
	}
	t.Open = append(t.Open, *c.Left)
	t.Stale = t.Stale || c.Stale
	if c.Until != nil && (t.Until == nil || t.Until.Compare(*c.Until) < 0) {
		t.Until, t.Seen = c.Until, c.Seen
	}
	return nil
}

// lowest reports whether a place is before all pieces of a table.
func (sp *splitter) lowest(t *table, at place) bool {
	return !slices.ContainsFunc(t.Pieces, func(p piece) bool { return p.At.Compare(at) <= 0 })
}

// State returns the splitter's state.
func (sp *splitter) State() ([]byte, error) { return json.Marshal(sp.state) }

// Close ends the session that the splitter may have.
func (sp *splitter) Close() error { return sp.cutter.Close() }
