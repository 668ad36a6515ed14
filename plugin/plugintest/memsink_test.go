package plugintest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/column"
)

// memStore is the system behind a memSink: it outlives the sink.
type memStore struct {
	fault   fault
	visible [][]any
	staged  map[string]stagedRows
	keyed   map[int64][]any // with upserts
}

type stagedRows struct {
	epoch uint64
	rows  [][]any
}

type memSink struct {
	store   *memStore
	options memOptions
}

type memWriter struct {
	sink    *memSink
	index   int
	rows    [][]any
	held    []plugin.Batch
	flushed int
}

// memCommitter is a memSink with two-phase commit.
type memCommitter struct{ memSink }

func openMem(store *memStore, o memOptions) (memSink, error) {
	if o.Broken {
		if store.fault == "secret in an error" {
			return memSink{}, fmt.Errorf("cannot log in with %s", o.Password)
		}
		return memSink{}, errors.New("cannot log in")
	}
	return memSink{store: store, options: o}, nil
}

func memSinkPlugin(store *memStore, d plugin.Delivery) plugin.Plugin {
	if d == plugin.TwoPhase {
		return plugin.NewSink(plugin.Info{Name: "Mem", Delivery: d, Commits: true},
			func(_ context.Context, o memOptions, _ plugin.Env) (*memCommitter, error) {
				s, err := openMem(store, o)
				return &memCommitter{s}, err
			})
	}
	return plugin.NewSink(plugin.Info{Name: "Mem", Delivery: d},
		func(_ context.Context, o memOptions, _ plugin.Env) (*memSink, error) {
			s, err := openMem(store, o)
			return &s, err
		})
}

func (s *memSink) Prepare(context.Context, []*plugin.Table) error { return nil }

func (s *memSink) Writer(_ context.Context, t plugin.Task) (plugin.Writer, error) {
	return &memWriter{sink: s, index: t.Index}, nil
}

func (w *memWriter) Write(ctx context.Context, b plugin.Batch) error {
	f := w.sink.store.fault
	if ctx.Err() != nil && f == "ignores cancel" {
		<-time.After(3 * soon)
	}
	if f == "keeps batches" {
		w.held = append(w.held, b)
		return nil
	}
	if f == "memory kept" && b.Len() > 0 && w.flushed == 0 {
		b.Retain()
	}
	w.add(b)
	return nil
}

func (w *memWriter) add(b plugin.Batch) {
	store := w.sink.store
	for i := range b.Len() {
		row := []any{}
		for j, c := range b.Table.Columns {
			row = append(row, column.Value(b.Rows.Column(j), c.Type, i))
		}
		switch {
		case store.fault == "nulls become zero" && row[2] == nil:
			row[2] = false
		case store.fault == "loses rows" && row[0] == int64(13):
			continue
		}
		if store.keyed == nil {
			w.rows = append(w.rows, row)
			continue
		}
		key := row[0].(int64)
		switch b.Kind(i) {
		case plugin.Delete:
			if store.fault != "ignores deletes" {
				delete(store.keyed, key)
			}
		case plugin.UpdateBefore:
		default:
			store.keyed[key] = row
		}
	}
}

func (w *memWriter) Flush(_ context.Context, epoch uint64) ([]byte, error) {
	store := w.sink.store
	for _, b := range w.held {
		w.add(b)
	}
	w.held = nil
	w.flushed++
	rows := w.rows
	w.rows = nil
	if store.fault == "flush keeps rows" && len(rows) > 0 {
		w.rows, rows = rows[len(rows)-1:], rows[:len(rows)-1]
	}
	if store.staged == nil {
		store.visible = append(store.visible, rows...)
		return nil, nil
	}
	if store.fault == "visible too early" {
		store.visible = append(store.visible, rows...)
		return nil, nil
	}
	name := fmt.Sprintf("%d-%d", epoch, w.index)
	if store.fault == "writers share a name" {
		name = fmt.Sprint(epoch)
	}
	store.staged[name] = stagedRows{epoch, rows}
	return json.Marshal(name)
}

func (w *memWriter) Close() error {
	if w.sink.store.fault == "close flushes" {
		w.sink.store.visible = append(w.sink.store.visible, w.rows...)
	}
	return nil
}

// Commit moves staged rows to the visible ones.
func (s *memCommitter) Commit(_ context.Context, _ uint64, tokens [][]byte) error {
	for _, token := range tokens {
		var name string
		if err := json.Unmarshal(token, &name); err != nil {
			return err
		}
		staged, ok := s.store.staged[name]
		if !ok && s.store.fault == "commit is not idempotent" {
			return fmt.Errorf("no staged rows %s", name)
		}
		s.store.visible = append(s.store.visible, staged.rows...)
		if s.store.fault != "commits again" {
			delete(s.store.staged, name)
		}
	}
	return nil
}

// Abort drops what was staged after an epoch.
func (s *memCommitter) Abort(_ context.Context, after uint64) error {
	for name, staged := range s.store.staged {
		if staged.epoch <= after {
			continue
		}
		if s.store.fault == "abort commits" {
			s.store.visible = append(s.store.visible, staged.rows...)
		}
		delete(s.store.staged, name)
	}
	return nil
}

func memSinkCase(f fault, d plugin.Delivery) SinkCase {
	store := &memStore{fault: f}
	return SinkCase{
		Plugin: memSinkPlugin(store, d), Options: Options("password", secret), Secrets: []string{secret},
		Upserts: d == plugin.Idempotent, Timeout: 10 * time.Second,
		Before: func(context.Context) error {
			store.visible, store.staged, store.keyed = nil, nil, nil
			if d == plugin.TwoPhase {
				store.staged = make(map[string]stagedRows)
			}
			if d == plugin.Idempotent {
				store.keyed = make(map[int64][]any)
			}
			return nil
		},
		Read: func(context.Context, *plugin.Table) ([][]any, error) {
			rows := append([][]any{}, store.visible...)
			for _, row := range store.keyed {
				rows = append(rows, row)
			}
			return rows, nil
		},
	}
}

func TestGoodSinks(t *testing.T) {
	for name, d := range map[string]plugin.Delivery{"repeats": plugin.Repeats, "idempotent": plugin.Idempotent, "two-phase": plugin.TwoPhase} {
		t.Run(name, func(t *testing.T) {
			c := memSinkCase("", d)
			c.Broken = append(c.Broken, Options("password", secret, "broken", true))
			Sink(t, c)
		})
	}
}

func TestBrokenSinks(t *testing.T) {
	for _, tc := range []struct {
		fault    fault
		delivery plugin.Delivery
		check    string
	}{
		{"keeps batches", plugin.Repeats, "all types"},
		{"memory kept", plugin.Repeats, "all types"},
		{"nulls become zero", plugin.Repeats, "all types"},
		{"loses rows", plugin.Repeats, "all types"},
		{"flush keeps rows", plugin.Repeats, "epochs"},
		{"ignores cancel", plugin.Repeats, "cancel"},
		{"secret in an error", plugin.Repeats, "broken options"},
		{"ignores deletes", plugin.Idempotent, "updates and deletes"},
		{"visible too early", plugin.TwoPhase, "invisible before commit"},
		{"writers share a name", plugin.TwoPhase, "three writers"},
		{"close flushes", plugin.TwoPhase, "crash before flush"},
		{"commit is not idempotent", plugin.TwoPhase, "commit twice"},
		{"commits again", plugin.TwoPhase, "commit twice"},
		{"abort commits", plugin.TwoPhase, "abort then commit"},
	} {
		t.Run(string(tc.fault), func(t *testing.T) {
			c := memSinkCase(tc.fault, tc.delivery)
			c.Broken = append(c.Broken, Options("password", secret, "broken", true))
			for _, ch := range c.checks() {
				if ch.name != tc.check {
					continue
				}
				err := ch.do(t.Context(), c.Secrets, c.timeout())
				if err == nil {
					t.Errorf("check %q does not see it", tc.check)
				}
				t.Log(err)
			}
		})
	}
}
