package plugintest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/config"
)

// SinkCase is a sink under test.
type SinkCase struct {
	Plugin  plugin.Plugin
	Options config.Value
	// Table is the ID of the table that is written; the zero value is plugintest.rows.
	Table plugin.TableID
	// Types are the column types to write beside the key; nil means [AllTypes].
	Types []plugin.Type
	// Accept leaves out values that the system behind the sink cannot hold, for example years before 1000. They are
	// written as null. nil writes all.
	Accept func(t plugin.Type, v any) bool
	// Read returns what is visible in the target of a table: rows in any order, values in the order of the columns.
	// Without it nothing that needs reading back is checked.
	Read func(ctx context.Context, t *plugin.Table) ([][]any, error)
	// Before runs ahead of each check. It must leave the target empty.
	Before func(ctx context.Context) error
	// Upserts says that the sink applies updates and deletes by key.
	Upserts bool
	// Secrets are texts within Options and Broken that must not show in errors and logs.
	Secrets []string
	// Broken are options with which the sink must fail by the first flush.
	Broken []config.Value
	// Timeout bounds each check; 0 means 30 seconds.
	Timeout time.Duration
}

// Sink checks a sink; each check is a subtest.
func Sink(t *testing.T, c SinkCase) {
	t.Helper()
	for _, check := range c.checks() {
		t.Run(check.name, func(t *testing.T) {
			if err := check.do(t.Context(), c.Secrets, c.timeout()); err != nil {
				t.Error(err)
			}
		})
	}
}

func (c *SinkCase) timeout() time.Duration {
	if c.Timeout == 0 {
		return 30 * time.Second
	}
	return c.Timeout
}

// checks lists what holds for the sink by its declared abilities.
func (c *SinkCase) checks() []check {
	var list []check
	add := func(name string, run func(ctx context.Context, r *sinkRun) error) {
		list = append(list, check{name, c.Before, func(ctx context.Context, w *world) error {
			r := &sinkRun{c: c, w: w}
			if err := r.start(ctx, 1, true); err != nil {
				return err
			}
			return errors.Join(run(ctx, r), r.close())
		}})
	}
	add("all types", checkTypes)
	add("epochs", checkEpochs)
	add("three writers", checkWriters)
	add("empty", checkEmpty)
	add("slices", checkSlices)
	add("restart after flush", checkRestart)
	add("crash before flush", checkCrash)
	add("push", checkPush)
	add("cancel", checkSinkCancel)
	if c.Plugin.Commits {
		add("commit twice", checkCommitTwice)
		add("abort then commit", checkAbort)
		add("invisible before commit", checkInvisible)
	}
	if c.Plugin.Changes {
		add("schema change", checkChange)
	}
	if c.Upserts {
		add("updates and deletes", checkUpserts)
	}
	if len(c.Broken) > 0 {
		list = append(list, check{"broken options", c.Before, c.checkBroken})
	}
	return list
}

func (c *SinkCase) checkBroken(ctx context.Context, w *world) error {
	for i, options := range c.Broken {
		broken := *c
		broken.Options = options
		r := &sinkRun{c: &broken, w: w}
		err := r.start(ctx, 1, true)
		if err == nil {
			_, err = r.write(ctx, 0, 5)
			if err == nil {
				err = r.flush(ctx)
			}
			err = errors.Join(err, r.close())
		}
		if err == nil {
			return fmt.Errorf("broken options %d cause no error", i)
		}
		if ctx.Err() != nil {
			return fmt.Errorf("broken options %d cause no error before the check's time is over", i)
		}
	}
	return nil
}

// checkTypes writes every type's extremes and nulls and reads them back.
func checkTypes(ctx context.Context, r *sinkRun) error {
	want, err := r.write(ctx, 0, 200)
	if err != nil {
		return err
	}
	return errors.Join(r.epoch(ctx), r.visible(ctx, want), ping(ctx, r.w, r.sink))
}

// checkEpochs writes, flushes and commits several times with the same writers.
func checkEpochs(ctx context.Context, r *sinkRun) error {
	var want []string
	for i := range 3 {
		rows, err := r.write(ctx, 20*i, 20)
		if err != nil {
			return err
		}
		want = append(want, rows...)
		if err := errors.Join(r.epoch(ctx), r.visible(ctx, want)); err != nil {
			return fmt.Errorf("epoch %d: %w", i+1, err)
		}
	}
	return nil
}

// checkWriters spreads rows over three writers and goes on with one and with two after a restart.
func checkWriters(ctx context.Context, r *sinkRun) error {
	var want []string
	for i, n := range []int{3, 1, 2} {
		if err := r.restart(ctx, n); err != nil {
			return fmt.Errorf("restart with %d writers: %w", n, err)
		}
		rows, err := r.write(ctx, 30*i, 30)
		if err != nil {
			return err
		}
		want = append(want, rows...)
		if err := errors.Join(r.epoch(ctx), r.visible(ctx, want)); err != nil {
			return fmt.Errorf("%d writers: %w", n, err)
		}
	}
	return nil
}

// checkEmpty flushes without rows, writes an empty batch, and flushes again.
func checkEmpty(ctx context.Context, r *sinkRun) error {
	if err := r.epoch(ctx); err != nil {
		return fmt.Errorf("an epoch without a batch: %w", err)
	}
	if _, err := r.write(ctx, 0, 0); err != nil {
		return fmt.Errorf("an empty batch: %w", err)
	}
	if err := errors.Join(r.epoch(ctx), r.visible(ctx, nil)); err != nil {
		return err
	}
	want, err := r.write(ctx, 0, 5)
	if err != nil {
		return err
	}
	return errors.Join(r.epoch(ctx), r.visible(ctx, want))
}

// checkSlices writes batches that are parts of others.
func checkSlices(ctx context.Context, r *sinkRun) error {
	whole, err := r.batch(0, 50, plugin.Insert)
	if err != nil {
		return err
	}
	want := render(whole)[7:43]
	for _, cut := range [][2]int{{7, 20}, {20, 21}, {21, 43}} {
		part := whole.Slice(cut[0], cut[1])
		err = errors.Join(err, r.w.saw(r.writers[0].Write(ctx, part)))
		part.Release()
	}
	whole.Release()
	if err != nil {
		return err
	}
	return errors.Join(r.epoch(ctx), r.visible(ctx, want))
}

// checkRestart crashes between the flush and the commit: a new sink commits what the old one flushed.
func checkRestart(ctx context.Context, r *sinkRun) error {
	want, err := r.write(ctx, 0, 20)
	if err != nil {
		return err
	}
	if err := r.flush(ctx); err != nil {
		return err
	}
	if err := r.restart(ctx, 2); err != nil {
		return err
	}
	if err := r.visible(ctx, want); err != nil {
		return fmt.Errorf("after the restart: %w", err)
	}
	rows, err := r.write(ctx, 20, 20)
	if err != nil {
		return err
	}
	want = append(want, rows...)
	return errors.Join(r.epoch(ctx), r.visible(ctx, want))
}

// checkCrash closes the writers after rows that were never flushed, and writes these rows again, as a source that goes
// back does.
func checkCrash(ctx context.Context, r *sinkRun) error {
	want, err := r.write(ctx, 0, 20)
	if err != nil {
		return err
	}
	if err := r.epoch(ctx); err != nil {
		return err
	}
	if _, err := r.write(ctx, 20, 20); err != nil {
		return err
	}
	if err := r.restart(ctx, 1); err != nil {
		return err
	}
	rows, err := r.write(ctx, 20, 20)
	if err != nil {
		return err
	}
	want = append(want, rows...)
	if err := r.epoch(ctx); err != nil {
		return err
	}
	return r.visibleByDelivery(ctx, want, rows)
}

// checkPush pushes a buffering writer between two flushes.
func checkPush(ctx context.Context, r *sinkRun) error {
	p, ok := r.writers[0].(plugin.Pusher)
	if !ok || r.delivery() == plugin.TwoPhase {
		return nil
	}
	want, err := r.write(ctx, 0, 20)
	if err != nil {
		return err
	}
	if err := r.w.saw(p.Push(ctx)); err != nil {
		return fmt.Errorf("push: %w", err)
	}
	if err := r.visible(ctx, want); err != nil {
		return fmt.Errorf("after the push: %w", err)
	}
	return errors.Join(r.epoch(ctx), r.visible(ctx, want))
}

// checkChange adds a column, twice, as after a crash, and writes rows with and without it.
func checkChange(ctx context.Context, r *sinkRun) error {
	applier, ok := r.sink.(plugin.SchemaApplier)
	if !ok {
		return errors.New("the sink declares Changes, but has no ApplyChange")
	}
	if _, err := r.write(ctx, 0, 20); err != nil {
		return err
	}
	if err := r.epoch(ctx); err != nil {
		return err
	}
	old := RowsOf(r.table, 0, 20, r.c.Accept)
	for i := range old {
		old[i] = append(old[i], nil)
	}
	change, err := withColumn(r.table)
	if err != nil {
		return err
	}
	for i := range 2 {
		if err := r.w.saw(applier.ApplyChange(ctx, change)); err != nil {
			return fmt.Errorf("apply the change, time %d: %w", i+1, err)
		}
	}
	r.table = change.New
	want, err := renderValues(r.table, old)
	if err != nil {
		return err
	}
	rows, err := r.write(ctx, 20, 20)
	if err != nil {
		return err
	}
	return errors.Join(r.epoch(ctx), r.visible(ctx, append(want, rows...)))
}

// withColumn is the change that adds a column at the end of a table.
func withColumn(t *plugin.Table) (plugin.SchemaChange, error) {
	next := *t
	next.Version++
	next.Columns = append(slices.Clone(t.Columns), plugin.Column{Name: "c_added", Type: plugin.TypeOf(plugin.Int)})
	added, err := plugin.NewTable(next)
	return plugin.SchemaChange{Old: t, New: added}, err
}

// checkSinkCancel ends the context of Write and Flush, which must return soon, whatever they return.
func checkSinkCancel(ctx context.Context, r *sinkRun) error {
	if _, err := r.write(ctx, 0, 20); err != nil {
		return err
	}
	b, err := r.batch(20, 20, plugin.Insert)
	if err != nil {
		return err
	}
	ended, cancel := context.WithCancel(ctx)
	cancel()
	w := r.writers[0]
	r.writers = nil // a call that goes on may not be joined by Close
	err = within("Write", func() error { return w.Write(ended, b) })
	if errors.Is(err, errLate) {
		return err
	}
	r.w.saw(err)
	b.Release()
	err = within("Flush", func() error {
		_, err := w.Flush(ended, r.last+1)
		return err
	})
	if errors.Is(err, errLate) {
		return err
	}
	r.w.saw(err)
	return r.w.saw(w.Close())
}

// checkCommitTwice commits an epoch again, with the same sink and with a new one.
func checkCommitTwice(ctx context.Context, r *sinkRun) error {
	want, err := r.write(ctx, 0, 20)
	if err != nil {
		return err
	}
	if err := r.flush(ctx); err != nil {
		return err
	}
	for i := range 3 {
		if i == 2 {
			if err := r.restart(ctx, 1); err != nil { // commits again
				return err
			}
		} else if err := r.commit(ctx); err != nil {
			return fmt.Errorf("commit number %d: %w", i+1, err)
		}
		if err := r.visible(ctx, want); err != nil {
			return fmt.Errorf("after commit number %d: %w", i+1, err)
		}
	}
	return nil
}

// checkAbort drops a flushed epoch, twice, and writes it anew.
func checkAbort(ctx context.Context, r *sinkRun) error {
	if r.delivery() != plugin.TwoPhase {
		return nil
	}
	want, err := r.write(ctx, 0, 20)
	if err != nil {
		return err
	}
	if err := r.epoch(ctx); err != nil {
		return err
	}
	if _, err := r.write(ctx, 20, 20); err != nil {
		return err
	}
	if err := r.flush(ctx); err != nil {
		return err
	}
	if err := r.abandon(ctx); err != nil {
		return err
	}
	if err := r.visible(ctx, want); err != nil {
		return fmt.Errorf("after the abort: %w", err)
	}
	rows, err := r.write(ctx, 40, 20)
	if err != nil {
		return err
	}
	want = append(want, rows...)
	return errors.Join(r.epoch(ctx), r.visible(ctx, want))
}

// checkInvisible looks at the target before the commit.
func checkInvisible(ctx context.Context, r *sinkRun) error {
	if r.delivery() != plugin.TwoPhase {
		return nil
	}
	want, err := r.write(ctx, 0, 20)
	if err != nil {
		return err
	}
	if err := r.visible(ctx, nil); err != nil {
		return fmt.Errorf("before the flush: %w", err)
	}
	if err := r.flush(ctx); err != nil {
		return err
	}
	if err := r.visible(ctx, nil); err != nil {
		return fmt.Errorf("before the commit: %w", err)
	}
	return errors.Join(r.commit(ctx), r.visible(ctx, want))
}

// checkUpserts writes rows, changes some and deletes some, in one epoch and over several.
func checkUpserts(ctx context.Context, r *sinkRun) error {
	for _, flush := range []bool{true, false} {
		base := 0
		if flush {
			base = 100
		}
		steps := []func() error{
			func() error { return r.writeKinds(ctx, base, 30, plugin.Insert) },
			func() error { return r.writeUpdate(ctx, base, 10) },
			func() error { return r.writeKinds(ctx, base+10, 10, plugin.Delete) },
			func() error { return r.writeKinds(ctx, base+10, 5, plugin.Insert) },
			func() error { return r.writeKinds(ctx, base+10, 5, plugin.Delete) },
		}
		for _, step := range steps {
			if err := step(); err != nil {
				return err
			}
			if flush {
				if err := r.epoch(ctx); err != nil {
					return err
				}
			}
		}
		if err := r.epoch(ctx); err != nil {
			return err
		}
	}
	return r.visibleState(ctx)
}
