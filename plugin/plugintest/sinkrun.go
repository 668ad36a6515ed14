package plugintest

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/column"
)

// sinkRun plays the engine for a sink.
type sinkRun struct {
	c       *SinkCase
	w       *world
	table   *plugin.Table
	sink    plugin.Sink
	writers []plugin.Writer
	last    uint64   // the epoch that was flushed last
	tokens  [][]byte // its tokens
	states  [][]byte // what Stateful writers keep
	turn    int      // the writer that gets the next batch
	state   map[int64][]any
}

// start makes the sink and n writers. A fresh one prepares its target and drops leftovers.
func (r *sinkRun) start(ctx context.Context, n int, fresh bool) error {
	if r.table == nil {
		if err := r.makeTable(); err != nil {
			return err
		}
	}
	tables := []*plugin.Table{r.table}
	env := r.w.env(plugin.Bounded, n, tables)
	sink, err := r.c.Plugin.Sink(ctx, r.c.Options, env)
	if r.w.saw(err) != nil {
		return fmt.Errorf("make the sink: %w", err)
	}
	r.sink = sink
	if fresh {
		if err := r.w.saw(sink.Prepare(ctx, tables)); err != nil {
			return fmt.Errorf("prepare: %w", err)
		}
	}
	if err := r.recover(ctx, fresh); err != nil {
		return err
	}
	r.writers, r.turn = nil, 0
	for i := range n {
		w, err := sink.Writer(ctx, plugin.Task{Env: env, Index: i, Epoch: r.last})
		if r.w.saw(err) != nil {
			return errors.Join(fmt.Errorf("writer %d: %w", i, err), r.close())
		}
		r.writers = append(r.writers, w)
		if s, ok := w.(plugin.Stateful); ok && !fresh {
			if err := r.w.saw(s.Restore(r.share(i, n))); err != nil {
				return errors.Join(fmt.Errorf("restore writer %d: %w", i, err), r.close())
			}
		}
	}
	return nil
}

func (r *sinkRun) makeTable() error {
	id, types := r.c.Table, r.c.Types
	if id.Name == "" {
		id = plugin.TableID{Database: "plugintest", Name: "rows"}
	}
	if types == nil {
		types = AllTypes()
	}
	table, err := TableOf(id, types)
	r.table, r.state = table, make(map[int64][]any)
	return err
}

// recover does what the coordinator does at a start: commit the last epoch again, abort what came later.
func (r *sinkRun) recover(ctx context.Context, fresh bool) error {
	if !fresh {
		if err := r.commit(ctx); err != nil {
			return fmt.Errorf("commit again: %w", err)
		}
	}
	c, ok := r.sink.(plugin.Committer)
	if !ok {
		return nil
	}
	if err := r.w.saw(c.Abort(ctx, r.last)); err != nil {
		return fmt.Errorf("abort after epoch %d: %w", r.last, err)
	}
	return nil
}

// share returns the states that writer i of n gets.
func (r *sinkRun) share(i, n int) [][]byte {
	var mine [][]byte
	for j, s := range r.states {
		if j%n == i {
			mine = append(mine, s)
		}
	}
	return mine
}

// restart closes everything and goes on with a new sink and n writers.
func (r *sinkRun) restart(ctx context.Context, n int) error {
	if err := r.close(); err != nil {
		return err
	}
	return r.start(ctx, n, false)
}

// abandon closes everything, drops the epoch that was flushed last, twice, and goes on.
func (r *sinkRun) abandon(ctx context.Context) error {
	if err := r.close(); err != nil {
		return err
	}
	r.last, r.tokens = r.last-1, nil
	for range 2 {
		if err := r.recover(ctx, true); err != nil {
			return err
		}
	}
	return r.start(ctx, 1, false)
}

func (r *sinkRun) close() error {
	var errs []error
	for _, w := range r.writers {
		errs = append(errs, r.w.saw(w.Close()))
	}
	r.writers = nil
	return errors.Join(errs...)
}

// batch builds the rows with the keys from up to from+n.
func (r *sinkRun) batch(from, n int, k plugin.RowKind) (plugin.Batch, error) {
	b := column.NewBuilder(r.table, r.w.alloc)
	defer b.Release()
	for _, row := range RowsOf(r.table, from, n, r.c.Accept) {
		if err := b.AppendRow(k, row...); err != nil {
			return plugin.Batch{}, err
		}
	}
	return b.Batch(), nil
}

// write writes rows in a few batches, to the writers in turn, and returns them as texts.
func (r *sinkRun) write(ctx context.Context, from, n int) ([]string, error) {
	var want []string
	for at := from; at == from || at < from+n; at += 9 {
		b, err := r.batch(at, min(9, from+n-at), plugin.Insert)
		if err != nil {
			return nil, err
		}
		want = append(want, render(b)...)
		if err := r.send(ctx, b); err != nil {
			return nil, err
		}
	}
	return want, nil
}

// send writes a batch and releases it, which spoils its memory.
func (r *sinkRun) send(ctx context.Context, b plugin.Batch) error {
	defer b.Release()
	w := r.writers[r.turn%len(r.writers)]
	r.turn++
	if err := r.w.saw(w.Write(ctx, b)); err != nil {
		return fmt.Errorf("write: %w", err)
	}
	return nil
}

// writeKinds writes rows of one kind and follows what becomes of the table.
func (r *sinkRun) writeKinds(ctx context.Context, from, n int, k plugin.RowKind) error {
	b, err := r.batch(from, n, k)
	if err != nil {
		return err
	}
	for _, row := range RowsOf(r.table, from, n, r.c.Accept) {
		if k == plugin.Delete {
			delete(r.state, row[0].(int64))
		} else {
			r.state[row[0].(int64)] = row
		}
	}
	return r.send(ctx, b)
}

// writeUpdate changes rows to the values that others have: before and after, in one batch.
func (r *sinkRun) writeUpdate(ctx context.Context, from, n int) error {
	b := column.NewBuilder(r.table, r.w.alloc)
	defer b.Release()
	old, other := RowsOf(r.table, from, n, r.c.Accept), RowsOf(r.table, from+1, n, r.c.Accept)
	for i, row := range other {
		next := append([]any{old[i][0]}, row[1:]...)
		if err := errors.Join(b.AppendRow(plugin.UpdateBefore, old[i]...), b.AppendRow(plugin.UpdateAfter, next...)); err != nil {
			return err
		}
		r.state[next[0].(int64)] = next
	}
	return r.send(ctx, b.Batch())
}

// flush ends an epoch in all writers.
func (r *sinkRun) flush(ctx context.Context) error {
	r.last++
	r.tokens, r.states = nil, nil
	for i, w := range r.writers {
		token, err := w.Flush(ctx, r.last)
		if r.w.saw(err) != nil {
			return fmt.Errorf("flush writer %d: %w", i, err)
		}
		if token != nil {
			r.tokens = append(r.tokens, token)
		}
		if s, ok := w.(plugin.Stateful); ok {
			state, err := s.State()
			if r.w.saw(err) != nil {
				return fmt.Errorf("state of writer %d: %w", i, err)
			}
			r.states = append(r.states, state)
		}
	}
	if len(r.tokens) > 0 && !r.c.Plugin.Commits {
		return errors.New("Flush returns a token, but the sink does not declare Commits")
	}
	return nil
}

// commit makes the last epoch visible.
func (r *sinkRun) commit(ctx context.Context) error {
	c, ok := r.sink.(plugin.Committer)
	if !ok || r.last == 0 {
		return nil
	}
	tokens := make([][]byte, len(r.tokens))
	for i, t := range r.tokens {
		tokens[i] = slices.Clone(t) // the sink may do with them what it likes
	}
	if err := r.w.saw(c.Commit(ctx, r.last, tokens)); err != nil {
		return fmt.Errorf("commit epoch %d: %w", r.last, err)
	}
	return nil
}

// epoch flushes and commits.
func (r *sinkRun) epoch(ctx context.Context) error {
	if err := r.flush(ctx); err != nil {
		return err
	}
	return r.commit(ctx)
}

// delivery returns what the sink makes of rows that come again.
func (r *sinkRun) delivery() plugin.Delivery {
	if d, ok := r.sink.(plugin.Deliverer); ok {
		return d.Delivery([]*plugin.Table{r.table})
	}
	return r.c.Plugin.Delivery
}

// read returns the visible rows as texts.
func (r *sinkRun) read(ctx context.Context) ([]string, error) {
	rows, err := r.c.Read(ctx, r.table)
	if err != nil {
		return nil, fmt.Errorf("read back: %w", err)
	}
	got, err := renderValues(r.table, rows)
	if err != nil {
		return nil, fmt.Errorf("read back: %w", err)
	}
	return got, nil
}

// visible checks that exactly these rows can be read.
func (r *sinkRun) visible(ctx context.Context, want []string) error {
	if r.c.Read == nil {
		return nil
	}
	got, err := r.read(ctx)
	if err != nil {
		return err
	}
	return sameRows(want, got)
}

// visibleByDelivery is visible for rows of which some were written again after a crash. Only a sink that declares no
// more than [plugin.Repeats] may hold those twice.
func (r *sinkRun) visibleByDelivery(ctx context.Context, want, again []string) error {
	if r.c.Read == nil {
		return nil
	}
	if r.delivery() != plugin.Repeats {
		return r.visible(ctx, want)
	}
	got, err := r.read(ctx)
	if err != nil {
		return err
	}
	for _, row := range again {
		if first := slices.Index(got, row); first >= 0 {
			if second := slices.Index(got[first+1:], row); second >= 0 {
				got = slices.Delete(got, first, first+1)
			}
		}
	}
	return sameRows(want, got)
}

// visibleState checks that the target holds what inserts, updates and deletes made of it.
func (r *sinkRun) visibleState(ctx context.Context) error {
	rows := make([][]any, 0, len(r.state))
	for _, row := range r.state {
		rows = append(rows, row)
	}
	want, err := renderValues(r.table, rows)
	if err != nil {
		return err
	}
	return r.visible(ctx, want)
}
