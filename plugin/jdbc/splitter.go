package jdbc

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"

	"github.com/culvertdata/culvert/plugin"
)

// splitter cuts the relations into chunks, in order. Next hands out a few at a time, so that a large table is being
// read while its end is still uncut.
type splitter struct {
	options   SourceOptions
	lanes     int // that read
	relations []*Relation
	catalog   Catalog
	state     splitState
}

// splitState is where the cutting stands; it is the splitter's state in a checkpoint.
type splitState struct {
	// Table is the relation that is being cut, Split the number of its next chunk.
	Table int `json:"table"`
	Split int `json:"split"`
	// Plan is how the relation is cut; nil if that is not known yet.
	Plan *cutting `json:"plan,omitempty"`
	// Names are those of the relations up to the one that is being cut, so that a job may start again with another
	// list.
	Names []plugin.TableID `json:"names,omitempty"`
}

// cutting is how one relation is cut, from where on.
type cutting struct {
	// From is the lower end of the next chunk; nil: it has none.
	From *Key `json:"from,omitempty"`
	// Last is the upper end of the last chunk; nil: it has none.
	Last *Key `json:"last,omitempty"`
	// Max is the largest key.
	Max *Key `json:"max,omitempty"`
	// Next is the least key of the next chunk, which looking up the boundary after it starts at.
	Next *Key `json:"next,omitempty"`
	// Step is the number of key values of a chunk; 0: each boundary is looked up, Rows rows further.
	Step int64 `json:"step,omitempty"`
	Rows int64 `json:"rows"`
	// Nulls is the number of rows whose key is null, for which there will be a chunk.
	Nulls int64 `json:"nulls,omitempty"`
	// Keys says that there are rows with a key, and chunks to come for them.
	Keys bool `json:"keys,omitempty"`
}

// NewSplitter returns what cuts the relations for the Jdbc source, for other sources of the same databases. Of the
// options those count that say how large a split is and where its ends are looked up. The state of its splits is a
// [Range] in JSON. state is nil, or what State returned; the splitter closes the catalog.
func NewSplitter(o SourceOptions, c Catalog, relations []*Relation, state []byte) (plugin.Splitter, error) {
	return newSplitter(o, 1, c, relations, state)
}

func newSplitter(o SourceOptions, lanes int, c Catalog, relations []*Relation, state []byte) (*splitter, error) {
	s := &splitter{options: o, lanes: lanes, relations: relations, catalog: c}
	if state != nil {
		if err := s.restore(state); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// restore goes on from a state. Relations that were cut come first then, and those that are new last.
func (s *splitter) restore(state []byte) error {
	if err := json.Unmarshal(state, &s.state); err != nil {
		return fmt.Errorf("state of the Jdbc source: %w", err)
	}
	names := s.state.Names
	if names == nil {
		return nil
	}
	place := func(r *Relation) int { // of one that is not among the names: behind them
		if i := slices.Index(names, r.Table.ID); i >= 0 {
			return i
		}
		return len(names)
	}
	s.relations = slices.SortedStableFunc(slices.Values(s.relations), func(a, b *Relation) int {
		return cmp.Compare(place(a), place(b))
	})
	cut, current := 0, false
	for _, r := range s.relations {
		switch at := place(r); {
		case at < s.state.Table:
			cut++
		case at == s.state.Table && at < len(names):
			current = true
		}
	}
	s.state.Table = cut
	if !current {
		s.state.Plan, s.state.Split = nil, 0
	}
	return nil
}

// Uncut returns the rows of a relation that a splitter of it alone, by its state, has not handed out: for a caller that
// cannot have them cut any more, since the key has got another name.
func Uncut(r *Relation, state []byte) ([]Range, error) {
	var st splitState
	if state != nil {
		if err := json.Unmarshal(state, &st); err != nil {
			return nil, fmt.Errorf("state of the Jdbc source: %w", err)
		}
	}
	c := st.Plan
	switch {
	case st.Table > 0:
		return nil, nil
	case c == nil:
		c = &cutting{Keys: true}
		if r.Key != "" && !r.Unique {
			c.Nulls = 1 // perhaps
		}
	}
	var rest []Range
	if c.Keys {
		rest = append(rest, Range{From: c.From, To: c.Last, By: r.Key})
	}
	if c.Nulls > 0 {
		rest = append(rest, Range{Nulls: true, By: r.Key})
	}
	return rest, nil
}

// splitsAtOnce is how many chunks Next hands out.
const splitsAtOnce = 16

// Next cuts some chunks.
func (s *splitter) Next(ctx context.Context) ([]plugin.Split, error) {
	var splits []plugin.Split
	for len(splits) < splitsAtOnce && s.state.Table < len(s.relations) {
		relation := s.relations[s.state.Table]
		if s.state.Plan == nil {
			plan, err := s.plan(ctx, relation)
			if err != nil {
				return s.partial(splits, err)
			}
			s.state.Plan = plan
		}
		split, done, err := s.cut(ctx, relation, s.state.Plan)
		if err != nil {
			return s.partial(splits, err)
		}
		if done {
			s.state = splitState{Table: s.state.Table + 1}
			continue
		}
		s.state.Split++
		splits = append(splits, split)
	}
	if len(splits) == 0 {
		return nil, io.EOF
	}
	return splits, nil
}

// partial returns the chunks that were cut before an error, which comes again with the next call if it lasts.
func (s *splitter) partial(splits []plugin.Split, err error) ([]plugin.Split, error) {
	if len(splits) > 0 {
		return splits, nil
	}
	return nil, err
}

// plan decides how to cut a relation.
func (s *splitter) plan(ctx context.Context, r *Relation) (*cutting, error) {
	if r.Key == "" {
		return &cutting{Keys: true, Rows: -1}, nil
	}
	extent, err := s.catalog.Extent(ctx, r)
	if err != nil {
		return nil, err
	}
	if s.fixed() {
		return s.planFixed(r, extent)
	}
	rows := extent.Rows - extent.Nulls
	c := &cutting{Rows: s.splitSize(rows), Nulls: extent.Nulls, Keys: extent.Min != nil}
	if rows <= c.Rows {
		c.Rows = rows
		return c, nil
	}
	c.Next, c.Max = extent.Min, extent.Max
	c.Step = s.evenStep(extent, c.Rows)
	return c, nil
}

// The sizes of a chunk that the job leaves open, and how many of them a lane should get at least: the last chunks that
// are read keep all lanes busy then.
const (
	leastSplit    = 8096
	mostSplit     = 128 << 10
	splitsForLane = 8
)

// splitSize returns the number of rows of a chunk of a relation.
func (s *splitter) splitSize(rows int64) int64 {
	if s.options.SplitSize > 0 {
		return s.options.SplitSize
	}
	return min(max(leastSplit, rows/int64(splitsForLane*max(1, s.lanes))), mostSplit)
}

func (s *splitter) fixed() bool { return s.options.Query != "" && s.options.PartitionColumn != "" }

// evenStep returns how many values of an integer key make a chunk of so many rows, 0 if the key is filled too
// unevenly or is no integer.
func (s *splitter) evenStep(e Extent, rows int64) int64 {
	low, ok := e.Min.Value.(int64)
	high, ok2 := e.Max.Value.(int64)
	if !ok || !ok2 {
		return 0
	}
	factor := span(low, high) / float64(e.Rows-e.Nulls)
	if factor < s.options.EvenLower || factor > s.options.EvenUpper {
		return 0
	}
	return step(factor * float64(rows))
}

// span returns the number of values from low to high. Their difference may be too large for an int64.
func span(low, high int64) float64 { return float64(uint64(high)-uint64(low)) + 1 }

// step makes a number of key values fit for adding to a key.
func step(values float64) int64 { return int64(min(max(values, 1), 1<<62)) }

// planFixed cuts the range of an integer key, or the one that the job names, into partition_num equal parts; keys of
// other types into parts of equally many rows. Within bounds no row with a null key is read.
func (s *splitter) planFixed(r *Relation, e Extent) (*cutting, error) {
	lower, err := bound("partition_lower_bound", s.options.Lower)
	if err != nil {
		return nil, err
	}
	upper, err := bound("partition_upper_bound", s.options.Upper)
	if err != nil {
		return nil, err
	}
	parts := int64(s.options.PartitionNum)
	c := &cutting{From: lower, Keys: e.Min != nil, Rows: max(1, (e.Rows+parts-1)/parts)}
	if lower == nil && upper == nil {
		c.Nulls = e.Nulls
	}
	if !c.Keys {
		return c, nil
	}
	c.Next, c.Max = e.Min, e.Max
	if lower != nil {
		c.Next = lower
	}
	if upper != nil {
		c.Max = upper
		if n := upper.Value.(int64); n < math.MaxInt64 {
			c.Last = &Key{n + 1}
		}
	}
	low, ok := c.Next.Value.(int64)
	high, ok2 := c.Max.Value.(int64)
	switch {
	case ok && ok2 && low > high:
		c.Keys = false
	case ok && ok2:
		c.Step = step(math.Ceil(span(low, high) / float64(s.options.PartitionNum)))
	case lower != nil || upper != nil:
		return nil, &plugin.Error{
			Code: plugin.CodeConfig, Table: r.Table.ID,
			Err: fmt.Errorf("partition_lower_bound and partition_upper_bound need an integer column, and %s is none", r.Key),
			Fix: "leave the bounds out, or put them into the query",
		}
	}
	return c, nil
}

func bound(option, text string) (*Key, error) {
	if text == "" {
		return nil, nil
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return nil, &plugin.Error{Code: plugin.CodeConfig, Err: fmt.Errorf("%s: %q is not a number", option, text)}
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		if option == "partition_lower_bound" {
			f = math.Ceil(f)
		}
		n = int64(math.Floor(f))
	}
	return &Key{n}, nil
}

// cut returns the next chunk of a relation and moves the plan on, or says that there are no more.
func (s *splitter) cut(ctx context.Context, r *Relation, c *cutting) (plugin.Split, bool, error) {
	switch {
	case c.Keys:
		to, err := s.boundary(ctx, r, c)
		if err != nil {
			return plugin.Split{}, false, err
		}
		at := Range{From: c.From, To: to}
		if to == nil {
			at.To, c.Keys = c.Last, false
		}
		c.From, c.Next = to, to
		split, err := s.split(r, at, c.Rows)
		return split, false, err
	case c.Nulls > 0:
		rows := c.Nulls
		c.Nulls = 0
		split, err := s.split(r, Range{Nulls: true}, rows)
		return split, false, err
	default:
		return plugin.Split{}, true, nil
	}
}

// boundary returns the upper end of the next chunk, nil if the chunk is the last.
func (s *splitter) boundary(ctx context.Context, r *Relation, c *cutting) (*Key, error) {
	if c.Next == nil {
		return nil, nil
	}
	if c.Step == 0 {
		return s.catalog.Advance(ctx, r, *c.Next, c.Rows)
	}
	next, highest := c.Next.Value.(int64), c.Max.Value.(int64)
	if uint64(highest)-uint64(next) < uint64(c.Step) { // next+Step may be out of range
		return nil, nil
	}
	return &Key{next + c.Step}, nil
}

func (s *splitter) split(r *Relation, at Range, rows int64) (plugin.Split, error) {
	at.By = r.Key
	state, err := json.Marshal(at)
	id := fmt.Sprintf("%s/%d", r.Table.ID, s.state.Split)
	return plugin.Split{ID: id, Table: r.Table.ID, State: state, Rows: rows}, err
}

// Done has nothing to do: chunks don't depend on each other.
func (s *splitter) Done(plugin.Split, []byte) error { return nil }

// State returns where the cutting stands.
func (s *splitter) State() ([]byte, error) {
	state := s.state
	state.Names = []plugin.TableID{}
	for _, r := range s.relations[:min(state.Table+1, len(s.relations))] {
		state.Names = append(state.Names, r.Table.ID)
	}
	return json.Marshal(state)
}

// Close ends the session.
func (s *splitter) Close() error { return s.catalog.Close() }
