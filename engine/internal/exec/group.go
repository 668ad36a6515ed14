package exec

import (
	"fmt"
	"maps"
	"runtime/debug"
	"slices"
	"sync"
	"time"
)

// group is the goroutines of one attempt, by name. It waits for them with a bound, because a goroutine may be stuck
// in a connector for ever.
type group struct {
	mu    sync.Mutex
	names map[string]int
	idle  chan struct{} // closed when the last goroutine ends; nil until somebody waits
}

// spawn runs f on a goroutine of its own. A panic in f becomes an error, and an error goes to failed.
func (g *group) spawn(name string, failed func(error), f func() error) {
	g.mu.Lock()
	if g.names == nil {
		g.names = make(map[string]int, 8)
	}
	g.names[name]++
	g.mu.Unlock()
	go func() {
		defer g.left(name)
		if err := catch(name, f); err != nil {
			failed(err)
		}
	}()
}

func (g *group) left(name string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.names[name]--; g.names[name] == 0 {
		delete(g.names, name)
	}
	if len(g.names) == 0 && g.idle != nil {
		close(g.idle)
		g.idle = nil
	}
}

// ended returns a channel that is closed when no goroutine is left.
func (g *group) ended() <-chan struct{} {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.names) == 0 {
		none := make(chan struct{})
		close(none)
		return none
	}
	if g.idle == nil {
		g.idle = make(chan struct{})
	}
	return g.idle
}

// wait waits for all goroutines, but no longer than d, and reports whether they ended.
func (g *group) wait(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-g.ended():
		return true
	case <-timer.C:
		return false
	}
}

// left over are the names of the goroutines that run.
func (g *group) running() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Sorted(maps.Keys(g.names))
}

// panicError is a panic of a connector.
type panicError struct {
	where string
	value any
	stack []byte
}

func (e *panicError) Error() string { return fmt.Sprintf("%s: panic: %v", e.where, e.value) }

// Unwrap returns the value that was panicked with, if it is an error.
func (e *panicError) Unwrap() error {
	err, _ := e.value.(error)
	return err
}

// catch calls f and turns a panic into an error.
func catch(where string, f func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &panicError{where: where, value: v, stack: debug.Stack()}
		}
	}()
	return f()
}
