package jdbctest

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/internal/dbtest"
)

// changeWays are the ways in which changes are applied. valid: +I only comes for keys that are not there, +U only for
// those that are.
var changeWays = []struct {
	name  string
	pairs []any
	valid bool
}{
	{"upserts", nil, false},
	{"upserts exactly once", []any{"is_exactly_once", true}, false},
	{"upserts that leave the key", []any{"is_primary_key_updated", false}, false},
	{"updates", []any{"enable_upsert", false}, true},
	{"updates exactly once", []any{"enable_upsert", false, "is_exactly_once", true}, true},
}

// testChanges applies random changes in batches of many sizes over several epochs, and compares the table with a model
// after each.
func (s Suite) testChanges(t *testing.T) {
	for _, way := range changeWays {
		t.Run(way.name, func(t *testing.T) {
			d := s.Open(t)
			tab := people(t, 0)
			sink := s.SinkFor(t, tab, d.Pairs(way.pairs...)...)
			w, err := sink.Writer(t.Context(), plugin.Task{Env: Env()})
			if err != nil {
				t.Fatal(err)
			}
			closeWriter := sync.OnceValue(w.Close)
			defer func() { _ = closeWriter() }()
			m := &model{random: rand.New(rand.NewPCG(1, 2)), rows: map[int]string{}, valid: way.valid}
			n, took := 0, time.Duration(0)
			for i, epoch := range m.epochs() {
				start := time.Now()
				for _, rows := range epoch {
					n += len(rows)
					if err := w.Write(t.Context(), Batch(t, tab, rows...)); err != nil {
						t.Fatal(err)
					}
				}
				if err := flush(t.Context(), sink, w, uint64(i+1)); err != nil {
					t.Fatal(err)
				}
				took += time.Since(start)
				if d := cmp.Diff(m.after[i], d.Query("SELECT * FROM people ORDER BY id")); d != "" {
					t.Fatalf("epoch %d: %s", i+1, d)
				}
			}
			t.Logf("%.0f changes/s", float64(n)/took.Seconds())
			if err := closeWriter(); err != nil {
				t.Error(err)
			}
			dbtest.Until(t, "nothing is left over", func() bool { return len(s.LeftOver(d)) == 0 })
		})
	}
}

// model makes random changes and knows what they leave.
type model struct {
	random *rand.Rand
	rows   map[int]string // by key, printed
	valid  bool
	keys   int        // the range of the keys
	after  [][]string // the rows after each epoch
}

// epochs returns the batches of each epoch: small ones of all sizes, large ones, at last one that deletes every row.
func (m *model) epochs() [][][]Row {
	m.keys = 60
	var all [][][]Row
	add := func(batches [][]Row) {
		all = append(all, batches)
		var rows []string
		for _, id := range slices.Sorted(maps.Keys(m.rows)) {
			rows = append(rows, m.rows[id])
		}
		m.after = append(m.after, rows)
	}
	for first := 0; first < 120; first += 20 {
		var batches [][]Row
		for size := first; size < first+20; size++ {
			batches = append(batches, m.batch(size))
		}
		add(batches)
	}
	large, size := 10, 2000
	if testing.Short() {
		large, size = 2, 500
	}
	m.keys = 2 * size
	for range 4 {
		var batches [][]Row
		for range large {
			batches = append(batches, m.batch(size))
		}
		add(batches)
	}
	var last []Row
	for id := range m.rows {
		last = append(last, Remove(id, nil, nil))
	}
	clear(m.rows)
	add([][]Row{last})
	return all
}

func (m *model) batch(size int) []Row {
	rows := make([]Row, size)
	for i := range rows {
		rows[i] = m.change()
	}
	return rows
}

// change returns a random change and makes it in the model.
func (m *model) change() Row {
	id, n := m.random.IntN(m.keys), m.random.IntN(1_000_000)
	_, has := m.rows[id]
	kind := plugin.RowKind(m.random.IntN(4))
	switch {
	case m.valid && has && kind == plugin.Insert:
		kind = plugin.UpdateAfter
	case m.valid && !has && kind == plugin.UpdateAfter:
		kind = plugin.Insert
	}
	name := fmt.Sprint("ä'\\", n)
	switch kind {
	case plugin.Delete:
		delete(m.rows, id)
		return Remove(id, nil, nil)
	case plugin.UpdateBefore:
		return Before(id, "before", 0)
	default:
		m.rows[id] = fmt.Sprintf("%d|%s|%d", id, name, n)
		return Row{kind, []any{id, name, n}}
	}
}
