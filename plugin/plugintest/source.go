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

// SourceCase is a source under test. The data that it reads must not change while the case runs.
type SourceCase struct {
	Plugin  plugin.Plugin
	Options config.Value
	// Mode is that of the job. An Unbounded source needs Rows.
	Mode plugin.Mode
	// Rows is after how many rows an Unbounded source waits for more.
	Rows int
	// Want are all rows, in any order. Without it the first reading is the measure for all others.
	Want []Row
	// Before runs ahead of each check and may set up the data.
	Before func(ctx context.Context) error
	// Secrets are texts within Options and Broken that must not show in errors and logs.
	Secrets []string
	// Broken are options with which the source must fail, for example a host that does not answer.
	Broken []config.Value
	// Restarts bounds how often a reading is started anew; 0 means 50.
	Restarts int
	// Timeout bounds each check; 0 means 30 seconds.
	Timeout time.Duration
}

// Source checks a source; each check is a subtest.
func Source(t *testing.T, c SourceCase) {
	t.Helper()
	for _, check := range c.checks() {
		t.Run(check.name, func(t *testing.T) {
			if err := check.do(t.Context(), c.Secrets, c.timeout()); err != nil {
				t.Error(err)
			}
		})
	}
}

func (c *SourceCase) timeout() time.Duration {
	if c.Timeout == 0 {
		return 30 * time.Second
	}
	return c.Timeout
}

// checks lists what holds for the source by its declared abilities.
func (c *SourceCase) checks() []check {
	restarts := c.Restarts
	if restarts == 0 {
		restarts = 50
	}
	list := []check{
		{name: "tables", run: c.checkTables},
		{name: "one lane", run: c.reading(drive{lanes: 1})},
		{name: "slow sink", run: c.reading(drive{lanes: 1, slow: true})},
		{name: "cancel", run: c.checkCancel},
		{name: "stop in the middle", run: c.checkStop},
	}
	if !c.Plugin.Volatile {
		list = append(list,
			check{name: "many lanes", run: c.reading(drive{lanes: 3, hurry: true})},
			check{name: "splits in another order", run: c.reading(drive{lanes: 2, last: true})},
			check{name: "same splits again", run: c.checkSplits},
			check{name: "checkpoint after every row", run: c.reading(drive{lanes: 1, small: true})},
			check{name: "restart in one lane", run: c.reading(drive{lanes: 1, small: true, restarts: restarts})},
			check{name: "restart in many lanes", run: c.reading(drive{lanes: 3, small: true, last: true, restarts: restarts})})
	}
	if len(c.Broken) > 0 {
		list = append(list, check{name: "broken options", run: c.checkBroken})
	}
	for i := range list {
		list[i].before = c.Before
	}
	return list
}

// reading is the check that a drive gives the rows that the case wants.
func (c *SourceCase) reading(how drive) func(ctx context.Context, w *world) error {
	return func(ctx context.Context, w *world) error {
		want, err := c.want(ctx, w, how)
		if err != nil {
			return err
		}
		d := how
		d.c, d.w = c, w
		if err := d.run(ctx); err != nil {
			return err
		}
		return sameRows(want, d.rows)
	}
}

// want returns the rows to expect: those of the case, else those of a plain reading.
func (c *SourceCase) want(ctx context.Context, w *world, how drive) ([]string, error) {
	if c.Want != nil {
		source, err := c.Plugin.Source(ctx, c.Options, w.env(c.Mode, 1, nil))
		if w.saw(err) != nil {
			return nil, err
		}
		tables, err := source.Tables(ctx)
		if w.saw(err) != nil {
			return nil, err
		}
		return renderWant(tables, c.Want)
	}
	if c.Plugin.Volatile {
		return nil, errors.New("a case of a volatile source needs Want")
	}
	plain := drive{c: c, w: w, lanes: 1}
	if err := plain.run(ctx); err != nil {
		return nil, err
	}
	if len(plain.rows) == 0 {
		return nil, errors.New("the source has no rows; a case with rows would show more")
	}
	return plain.rows, nil
}

func (c *SourceCase) checkTables(ctx context.Context, w *world) error {
	source, err := c.Plugin.Source(ctx, c.Options, w.env(c.Mode, 1, nil))
	if w.saw(err) != nil {
		return err
	}
	first, err := source.Tables(ctx)
	if w.saw(err) != nil {
		return err
	}
	if len(first) == 0 {
		return errors.New("the source has no tables")
	}
	again, err := source.Tables(ctx)
	if w.saw(err) != nil {
		return err
	}
	if len(again) != len(first) {
		return fmt.Errorf("there are %d tables, and %d when asked again", len(first), len(again))
	}
	seen := make(map[plugin.TableID]bool)
	for i, t := range first {
		switch {
		case t.Schema == nil:
			return fmt.Errorf("table %s was not made by plugin.NewTable", t.ID)
		case seen[t.ID]:
			return fmt.Errorf("table %s comes twice", t.ID)
		case again[i].ID != t.ID || !again[i].SameColumns(t):
			return fmt.Errorf("table %d is %s, then %s: order and columns must stay", i, t.ID, again[i].ID)
		}
		seen[t.ID] = true
	}
	return ping(ctx, w, source)
}

// ping checks that a plugin which can tell whether its system answers says so.
func ping(ctx context.Context, w *world, endpoint any) error {
	p, ok := endpoint.(plugin.Pinger)
	if !ok {
		return nil
	}
	if err := w.saw(p.Ping(ctx)); err != nil {
		return fmt.Errorf("ping: %w", err)
	}
	return nil
}

// checkSplits discovers again and again and compares the splits' IDs. How far a discovery comes before it is taken to
// wait for splits to be done is a matter of time. So a later one is given the time to find all splits of the one
// before; if it finds more, the next one must find those, too.
func (c *SourceCase) checkSplits(ctx context.Context, w *world) error {
	var known []string
	for again := range 3 {
		ids, err := c.splitIDs(ctx, w, known)
		if again > 0 && lacks(ids, known) {
			return errors.Join(fmt.Errorf("the splits have other IDs at the next discovery: %w", sameRows(known, ids)), err)
		}
		if err != nil {
			return err
		}
		if len(ids) == len(known) {
			return nil
		}
		known = ids
	}
	return nil
}

// splitIDs discovers once, until there are splits of the known IDs.
func (c *SourceCase) splitIDs(ctx context.Context, w *world, known []string) ([]string, error) {
	d := drive{c: c, w: w, lanes: 1, patient: true}
	if err := d.start(ctx, nil); err != nil {
		return nil, err
	}
	err := d.discoverAll(ctx, known)
	ids := d.ids()
	for i, id := range ids {
		if id == "" || slices.Contains(ids[:i], id) {
			err = errors.Join(err, fmt.Errorf("the split ID %q is empty or comes twice", id))
		}
	}
	return ids, errors.Join(err, d.close())
}

func (d *drive) ids() []string {
	var ids []string
	for _, s := range d.queue {
		ids = append(ids, s.ID)
	}
	return ids
}

// lacks reports whether an ID is not among others.
func lacks(ids, wanted []string) bool {
	return slices.ContainsFunc(wanted, func(id string) bool { return !slices.Contains(ids, id) })
}

// discoverAll asks until the splitter has no more, or has had none for a while, as one may that waits for splits to be
// done. That of an unbounded source is asked three times. None at all, or fewer than the known ones, is no end: the
// splitter may wait for its system.
func (d *drive) discoverAll(ctx context.Context, known []string) error {
	const most = 20
	for without := 0; !d.ended && (without < most || len(d.queue) == 0 || lacks(d.ids(), known)); {
		had := len(d.queue)
		if err := d.discover(ctx); err != nil {
			return err
		}
		switch {
		case len(d.queue) > had && had == 0:
		case d.c.Mode == plugin.Unbounded:
			without += most/3 + 1
		case len(d.queue) == had:
			without++
		}
	}
	return nil
}

// checkStop closes everything in the middle of a split, once before and once after a row.
func (c *SourceCase) checkStop(ctx context.Context, w *world) error {
	for steps := range 3 {
		d := drive{c: c, w: w, lanes: 2, small: true}
		if err := d.start(ctx, nil); err != nil {
			return err
		}
		for range steps {
			if err := d.discover(ctx); err != nil {
				return errors.Join(err, d.close())
			}
			d.assign()
			if _, err := d.step(ctx); err != nil {
				return errors.Join(err, d.close())
			}
		}
		if err := d.close(); err != nil {
			return err
		}
	}
	return nil
}

// checkCancel ends the context of a Read, which must return soon, whatever it returns. An unbounded source is read up
// to where it waits for more first; there the wake-up for a barrier must end a Read too.
func (c *SourceCase) checkCancel(ctx context.Context, w *world) error {
	d := drive{c: c, w: w, lanes: 1}
	if err := d.start(ctx, nil); err != nil {
		return err
	}
	if err := d.discover(ctx); err != nil {
		return errors.Join(err, d.close())
	}
	d.assign()
	for c.Mode == plugin.Unbounded && len(d.rows) < c.Rows {
		if _, err := d.step(ctx); err != nil {
			return errors.Join(err, d.close())
		}
		if err := d.discover(ctx); err != nil {
			return errors.Join(err, d.close())
		}
		d.assign()
	}
	err := c.cancelReads(ctx, w, &d)
	if errors.Is(err, errLate) {
		return err
	}
	return errors.Join(err, d.close())
}

func (c *SourceCase) cancelReads(ctx context.Context, w *world, d *drive) error {
	if d.open[0] == nil {
		return nil
	}
	if c.Mode == plugin.Unbounded {
		out := newCollector(w, false)
		close(out.wake)
		if err := lateRead(ctx, "a Read that was woken up", w, d.readers[0], out); err != nil {
			return err
		}
	}
	ended, cancel := context.WithCancel(ctx)
	cancel()
	return lateRead(ended, "Read", w, d.readers[0], newCollector(w, false))
}

// lateRead reports if a Read does not return soon, whatever it returns.
func lateRead(ctx context.Context, what string, w *world, r plugin.Reader, out *collector) error {
	err := within(what, func() error { return r.Read(ctx, out) })
	if errors.Is(err, errLate) {
		return err
	}
	w.saw(err)
	_, err = out.finish()
	return err
}

func (c *SourceCase) checkBroken(ctx context.Context, w *world) error {
	for i, options := range c.Broken {
		broken := *c
		broken.Options, broken.Mode, broken.Rows = options, plugin.Bounded, 0
		d := drive{c: &broken, w: w, lanes: 1}
		if err := w.saw(d.run(ctx)); err == nil {
			return fmt.Errorf("broken options %d cause no error", i)
		}
		if ctx.Err() != nil {
			return fmt.Errorf("broken options %d cause no error before the check's time is over", i)
		}
	}
	return nil
}
