package mysqlcdc

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/internal/cdc"
)

// handLog deals the tables among the readers of the log.
func (sp *splitter) handLog() ([]plugin.Split, error) {
	st := &sp.state
	readers := min(sp.source.options.Parallelism, max(1, sp.source.env.Parallelism), max(1, len(st.Tables)))
	dealt := make([][]table, readers)
	var known []plugin.TableID
	for i, t := range st.Tables {
		t.settle()
		dealt[i%readers] = append(dealt[i%readers], t)
		known = append(known, t.ID)
	}
	var splits []plugin.Split
	for i, tables := range dealt {
		f, err := sp.following(i, tables, known)
		if err != nil {
			return nil, err
		}
		state, err := json.Marshal(f)
		if err != nil {
			return nil, err
		}
		splits = append(splits, plugin.Split{ID: fmt.Sprintf("%s%d/%d", logPrefix, st.Round, i), State: state, Rows: -1})
	}
	if len(splits) == 1 && len(st.Tables) == 1 {
		splits[0].Table = st.Tables[0].ID
	}
	st.Out += len(splits)
	st.Handed = true
	st.Tables = nil // the readers have them now, and give them back
	return splits, nil
}

// settle brings a table whose snapshot was read into the form that readers of the log start from.
func (t *table) settle() {
	t.Pieces = merged(t.Pieces)
	if len(t.Pieces) == 0 || t.Stale { // deletions count from the start
		return
	}
	lowest := t.Pieces[0].At
	for _, p := range t.Pieces[1:] {
		if p.At.Compare(lowest) < 0 {
			lowest = p.At
		}
	}
	if t.Since.Compare(lowest) < 0 {
		t.Since = lowest
	}
}

// following makes the state that a reader of the log starts from: at the first place that one of its tables needs.
func (sp *splitter) following(number int, tables []table, known []plugin.TableID) (*following, error) {
	st := &sp.state
	f := &following{At: st.Low, Server: st.Server, Number: number, Stop: st.Stop, Known: known}
	for i, t := range tables {
		if i == 0 || t.Since.Compare(f.At) < 0 {
			f.At = t.Since
		}
		if f.Stop != nil && f.Stop.Compare(t.high()) < 0 { // no earlier than the snapshot is whole
			high := t.high()
			f.Stop = &high
		}
	}
	for _, t := range st.Tables {
		if t.Until != nil && (f.Until == nil || f.Until.Compare(*t.Until) < 0) {
			f.Until = t.Until
		}
	}
	var err error
	f.Tables, err = json.Marshal(tables)
	return f, err
}

// logEnded takes the tables back from a reader of the log.
func (sp *splitter) logEnded(s plugin.Split, result []byte) error {
	f, err := cdc.Decode[following]("split "+s.ID, result)
	if err != nil {
		return err
	}
	tables, err := cdc.Decode[[]table]("split "+s.ID, f.Tables)
	if err != nil {
		return err
	}
	sp.state.Snapshot = sp.state.Snapshot || f.Ended == wantsSnapshot
	for _, t := range tables {
		if sp.source.relation(t.ID) == nil {
			continue
		}
		if t.Since.Compare(f.At) < 0 {
			t.Since = f.At
		}
		sp.state.Tables = append(sp.state.Tables, t)
	}
	order := sp.source.ids()
	slices.SortStableFunc(sp.state.Tables, func(a, b table) int {
		return slices.Index(order, a.ID) - slices.Index(order, b.ID)
	})
	return nil
}
