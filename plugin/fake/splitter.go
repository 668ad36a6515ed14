package fake

import (
	"context"
	"encoding/json"
	"fmt"
	"io"

	"github.com/culvertdata/culvert/plugin"
)

// handful is how many splits one call of Next returns at most: what waits in the queue is memory, and part of each
// checkpoint.
const handful = 64

// splitter makes the splits of all tables, one after the other.
type splitter struct {
	source  *source
	forever bool
	splitterState
}

// splitterState is what a checkpoint keeps of a splitter, as JSON.
type splitterState struct {
	// Parallelism is the number of readers that the job started with; it decides how many rows there are.
	Parallelism int `json:"parallelism"`
	// Made counts the splits made, in order.
	Made int `json:"made"`
}

// position is where a split stands, as JSON: what [plugin.Split.State] holds.
type position struct {
	// Done and Rows count the rows that were put out and all rows of the split.
	Done int64 `json:"done"`
	Rows int64 `json:"rows"`
}

func newSplitter(s *source, state []byte) (*splitter, error) {
	sp := &splitter{source: s, forever: s.env.Job.Mode == plugin.Unbounded}
	sp.Parallelism = max(1, s.env.Parallelism)
	if state == nil {
		return sp, nil
	}
	if err := json.Unmarshal(state, &sp.splitterState); err != nil {
		return nil, fmt.Errorf("state of the splits: %w", err)
	}
	return sp, nil
}

// Next returns splits until all are made. In a streaming job it blocks then, as more will neither come nor the job end.
func (s *splitter) Next(ctx context.Context) ([]plugin.Split, error) {
	var splits []plugin.Split
	first := 0
	for _, t := range s.source.tables {
		count := t.splits(s.Parallelism)
		for s.Made < first+count && len(splits) < handful {
			split, err := t.split(s.Made-first, s.Parallelism)
			if err != nil {
				return nil, err
			}
			splits = append(splits, split)
			s.Made++
		}
		first += count
	}
	switch {
	case len(splits) > 0:
		return splits, nil
	case s.forever:
		<-ctx.Done()
		return nil, ctx.Err()
	default:
		return nil, io.EOF
	}
}

// share returns the rows of all splits of one reader but the last, and the number of splits.
func (t *table) share() (rows, splits int) {
	if t.options.RowNum == 0 {
		return 0, 0
	}
	rows = ceil(t.options.RowNum, t.options.SplitNum)
	return rows, ceil(t.options.RowNum, rows)
}

func ceil(a, b int) int { return (a + b - 1) / b }

// splits returns the number of splits of the table.
func (t *table) splits(parallelism int) int {
	_, splits := t.share()
	return splits * parallelism
}

// split makes split i: first the first split of each reader, then the second of each, and so on.
func (t *table) split(i, parallelism int) (plugin.Split, error) {
	share, _ := t.share()
	reader, part := i%parallelism, i/parallelism
	n := int64(min(share, t.options.RowNum-part*share))
	if t.list != nil {
		n = int64(len(t.list.rows))
	}
	state, err := json.Marshal(position{Rows: n})
	return plugin.Split{ID: fmt.Sprintf("%s/%d/%d", t.ID, reader, part), Table: t.ID, State: state, Rows: n}, err
}

// Done does nothing.
func (s *splitter) Done(plugin.Split, []byte) error { return nil }

// State returns how many splits were made.
func (s *splitter) State() ([]byte, error) { return json.Marshal(s.splitterState) }

// Close does nothing.
func (s *splitter) Close() error { return nil }
