package plugintest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
	"go.uber.org/goleak"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/column"
	"github.com/culvertdata/culvert/plugin/config"
)

// Options makes a plugin's block from names and values: text, numbers, booleans, config.Value, and lists of
// texts and of config.Value.
func Options(pairs ...any) config.Value {
	block := config.Value{Kind: config.Object}
	for i := 0; i+1 < len(pairs); i += 2 {
		var v config.Value
		switch x := pairs[i+1].(type) {
		case config.Value:
			v = x
		case []config.Value:
			v = config.Value{Kind: config.List, Items: x}
		case []string:
			v.Kind = config.List
			for _, text := range x {
				v.Items = append(v.Items, config.TextValue(text))
			}
		case string:
			v = config.TextValue(x)
		case bool:
			v = config.Value{Kind: config.Bool, Text: fmt.Sprint(x)}
		default:
			v = config.Value{Kind: config.Number, Text: fmt.Sprint(x)}
		}
		block = block.Set(fmt.Sprint(pairs[i]), v)
	}
	return block
}

// world is what one check lends a plugin, to look at it afterwards.
type world struct {
	alloc   *scribbler
	log     *lockedBuffer
	errs    []error
	secrets []string
	before  goleak.Option
}

func newWorld(secrets []string) *world {
	return &world{alloc: &scribbler{pool: column.NewPool()}, log: &lockedBuffer{}, secrets: secrets,
		before: goleak.IgnoreCurrent()}
}

func (w *world) env(mode plugin.Mode, parallelism int, inputs []*plugin.Table) plugin.Env {
	return plugin.Env{
		Job:    plugin.Job{ID: 1, Name: "plugintest", Mode: mode},
		Vertex: "plugintest", Parallelism: parallelism, Inputs: inputs,
		Logger: hclog.New(&hclog.LoggerOptions{Output: w.log, Level: hclog.Trace}),
		Alloc:  w.alloc, Now: time.Now, Dial: (&net.Dialer{}).DialContext,
	}
}

// saw notes an error, which must hold no secret, and returns it.
func (w *world) saw(err error) error {
	if err != nil {
		w.errs = append(w.errs, err)
	}
	return err
}

// end reports what the plugin left behind: memory, goroutines, secrets.
func (w *world) end() error {
	var errs []error
	if held := w.alloc.pool.Held(); held != 0 {
		errs = append(errs, fmt.Errorf("%d bytes of the allocator were not given back", held))
	}
	if err := goleak.Find(w.before); err != nil {
		errs = append(errs, fmt.Errorf("goroutines were left behind: %w", err))
	}
	texts := []string{w.log.String()}
	for _, err := range w.errs {
		texts = append(texts, err.Error())
	}
	for _, secret := range w.secrets {
		for i, text := range texts {
			if !strings.Contains(text, secret) {
				continue
			}
			place := "the log"
			if i > 0 {
				place = "an error"
			}
			errs = append(errs, fmt.Errorf("%s shows a secret option: %s", place, strings.ReplaceAll(text, secret, "<SECRET>")))
		}
	}
	return errors.Join(errs...)
}

// scribbler is an allocator that spoils what is freed, so that use after a release shows.
type scribbler struct{ pool *column.Pool }

// Allocate hands out spoilt memory too.
func (s *scribbler) Allocate(size int) []byte { return spoil(s.pool.Allocate(size)) }

// Reallocate always moves.
func (s *scribbler) Reallocate(size int, b []byte) []byte {
	next := s.Allocate(size)
	copy(next, b)
	s.Free(b)
	return next
}

// Free spoils b.
func (s *scribbler) Free(b []byte) { s.pool.Free(spoil(b)) }

func spoil(b []byte) []byte {
	for i := range b {
		b[i] = 0xa5
	}
	return b
}

// lockedBuffer is a buffer for several goroutines.
type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

// Write appends.
func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

// String returns what was written.
func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// soon is how long a call may take once its context has ended.
const soon = time.Second

// errLate is what [within] returns for a call that goes on.
var errLate = errors.New("goes on after its context ended")

// within runs f, whose context has ended or is about to, and returns its error, or errLate if it does not return soon.
// Nothing that f uses may be touched after that.
func within(what string, f func() error) error {
	done := make(chan error, 1)
	go func() { done <- f() }()
	timer := time.NewTimer(soon)
	defer timer.Stop()
	select {
	case err := <-done:
		return err
	case <-timer.C:
		return fmt.Errorf("%s %w for %v and longer", what, errLate, soon)
	}
}

// check is one part of a suite.
type check struct {
	name   string
	before func(ctx context.Context) error // may be nil
	run    func(ctx context.Context, w *world) error
}

// do runs a check in a world of its own.
func (c check) do(ctx context.Context, secrets []string, timeout time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	if c.before != nil {
		if err := c.before(ctx); err != nil {
			return fmt.Errorf("before: %w", err)
		}
	}
	w := newWorld(secrets)
	err := c.runRecovered(ctx, w)
	cancel()
	return errors.Join(err, w.end())
}

// runRecovered turns a panic into an error: one of a plugin that reads a batch it has no reference to, for example.
func (c check) runRecovered(ctx context.Context, w *world) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v\n%s", r, debug.Stack())
		}
	}()
	return c.run(ctx, w)
}
