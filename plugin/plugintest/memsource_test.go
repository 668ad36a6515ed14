package plugintest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"testing"
	"time"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/column"
)

// fault is what a deliberately broken connector does wrong.
type fault string

type memOptions struct {
	Password string `opt:"password" secret:"true" help:"never to be shown"`
	Broken   bool   `opt:"broken" default:"false" help:"fail"`
}

const secret = "hunter2-secret"

// memSource has rows in a few splits.
type memSource struct {
	fault   fault
	options memOptions
	env     plugin.Env
	table   *plugin.Table
	made    *int // how many sources were made
}

const memSplits, memRows = 4, 25

func memSourcePlugin(f fault) plugin.Plugin {
	made := 0
	return plugin.NewSource(plugin.Info{Name: "Mem", Summary: "rows in memory"},
		func(_ context.Context, o memOptions, env plugin.Env) (*memSource, error) {
			if o.Broken && f != "accepts broken options" {
				if f == "secret in an error" {
					return nil, fmt.Errorf("cannot log in with %s", o.Password)
				}
				return nil, errors.New("cannot log in")
			}
			if f == "secret in the log" {
				env.Logger.Info("logging in", "password", o.Password)
			}
			table, err := TableOf(plugin.TableID{Name: "mem"}, AllTypes())
			made++
			return &memSource{fault: f, options: o, env: env, table: table, made: &made}, err
		})
}

func (s *memSource) Tables(context.Context) ([]*plugin.Table, error) {
	if s.fault == "no tables" {
		return nil, nil
	}
	if s.fault == "table twice" {
		return []*plugin.Table{s.table, s.table}, nil
	}
	return []*plugin.Table{s.table}, nil
}

func (s *memSource) Splits(_ context.Context, state []byte) (plugin.Splitter, error) {
	m := &memSplitter{s: s}
	if len(state) > 0 && s.fault != "splitter forgets" {
		var err error
		if m.next, err = strconv.Atoi(string(state)); err != nil {
			return nil, err
		}
	}
	return m, nil
}

func (s *memSource) Reader(_ context.Context, t plugin.Task) (plugin.Reader, error) {
	return &memReader{s: s, b: column.NewBuilder(s.table, t.Alloc)}, nil
}

type memSplitter struct {
	s    *memSource
	next int
	busy int // questions that find the system busy
}

func (m *memSplitter) Next(ctx context.Context) ([]plugin.Split, error) {
	if m.s.fault == "late now and then" && *m.s.made%2 == 1 {
		if m.busy = (m.busy + 1) % 3; m.busy != 0 {
			<-ctx.Done()
			return nil, ctx.Err()
		}
	}
	if m.next == memSplits {
		return nil, io.EOF
	}
	m.next++
	id := strconv.Itoa(m.next)
	if m.s.fault == "unstable split IDs" {
		id += "-" + strconv.Itoa(*m.s.made)
	}
	if m.s.fault == "same split ID" {
		id = "x"
	}
	return []plugin.Split{{ID: id, State: []byte(strconv.Itoa((m.next - 1) * memRows)), Rows: memRows}}, nil
}

func (m *memSplitter) Done(plugin.Split, []byte) error { return nil }
func (m *memSplitter) State() ([]byte, error)          { return []byte(strconv.Itoa(m.next)), nil }
func (m *memSplitter) Close() error                    { return nil }

type memReader struct {
	s    *memSource
	b    *column.Builder
	next int
	end  int
}

func (r *memReader) Open(_ context.Context, s plugin.Split) error {
	var err error
	r.next, err = strconv.Atoi(string(s.State))
	r.end = (r.next/memRows + 1) * memRows
	if r.s.fault == "repeats the last row" && r.next%memRows > 0 {
		r.next--
	}
	if r.s.fault == "goroutine left behind" && r.next == 0 {
		go func() { <-make(chan struct{}) }()
	}
	return err
}

func (r *memReader) Read(ctx context.Context, out plugin.Out) error {
	if ctx.Err() != nil && r.s.fault == "ignores cancel" {
		<-time.After(3 * soon)
	}
	for !out.Full() && r.b.Len() == 0 && r.next < r.end {
		row := RowsOf(r.s.table, r.next, 1, nil)[0]
		r.next++
		if r.s.fault == "loses a row" && r.next == 33 {
			continue
		}
		if r.s.fault == "null key" {
			row[0] = nil
		}
		if err := r.b.AppendRow(plugin.Insert, row...); err != nil {
			return err
		}
		b := r.b.Batch()
		if r.s.fault == "bad kinds" {
			b.Kinds = []plugin.RowKind{plugin.Insert, plugin.Insert}
		}
		if r.s.fault == "memory kept" && r.next == 1 {
			b.Retain()
		}
		if err := out.Batch(b); err != nil {
			return err
		}
	}
	if r.next < r.end {
		return nil
	}
	return io.EOF
}

func (r *memReader) Position() ([]byte, error) {
	at := r.next
	if r.s.fault == "position too far" && at < r.end {
		at++
	}
	return []byte(strconv.Itoa(at)), nil
}

func (r *memReader) Close() error {
	r.b.Release()
	return nil
}

func memSourceCase(f fault) SourceCase {
	return SourceCase{Plugin: memSourcePlugin(f), Options: Options("password", secret), Secrets: []string{secret},
		Timeout: 10 * time.Second}
}

func TestGoodSource(t *testing.T) {
	c := memSourceCase("")
	c.Broken = append(c.Broken, Options("password", secret, "broken", true))
	Source(t, c)
}

func TestSourceWithWant(t *testing.T) {
	c := memSourceCase("")
	table, err := TableOf(plugin.TableID{Name: "mem"}, AllTypes())
	if err != nil {
		t.Fatal(err)
	}
	for _, values := range RowsOf(table, 0, memSplits*memRows, nil) {
		c.Want = append(c.Want, Row{Table: "mem", Values: values})
	}
	Source(t, c)
	c.Want = c.Want[1:]
	if failed := failures(t, c.checks(), c.Secrets, c.timeout()); len(failed) < 4 {
		t.Errorf("a row too many was seen by %v only", failed)
	}
}

// failures runs checks and returns the names of those that fail.
func failures(t *testing.T, checks []check, secrets []string, timeout time.Duration) map[string]error {
	t.Helper()
	failed := make(map[string]error)
	for _, ch := range checks {
		if err := ch.do(t.Context(), secrets, timeout); err != nil {
			failed[ch.name] = err
		}
	}
	return failed
}

// TestLateSplits discovers the splits of a source that takes its time at every other discovery: those are the same
// ones.
func TestLateSplits(t *testing.T) {
	c := memSourceCase("late now and then")
	c.Mode, c.Rows = plugin.Unbounded, memSplits*memRows
	for _, ch := range c.checks() {
		if ch.name == "same splits again" {
			if err := ch.do(t.Context(), c.Secrets, c.timeout()); err != nil {
				t.Error(err)
			}
		}
	}
}

func TestBrokenSources(t *testing.T) {
	for f, check := range map[fault]string{
		"no tables":              "tables",
		"table twice":            "tables",
		"splitter forgets":       "restart in one lane",
		"unstable split IDs":     "same splits again",
		"same split ID":          "same splits again",
		"repeats the last row":   "restart in one lane",
		"position too far":       "restart in one lane",
		"null key":               "one lane",
		"bad kinds":              "one lane",
		"memory kept":            "one lane",
		"goroutine left behind":  "one lane",
		"ignores cancel":         "cancel",
		"secret in the log":      "tables",
		"secret in an error":     "broken options",
		"accepts broken options": "broken options",
	} {
		t.Run(string(f), func(t *testing.T) {
			c := memSourceCase(f)
			c.Broken = append(c.Broken, Options("password", secret, "broken", true))
			for _, ch := range c.checks() {
				if ch.name != check {
					continue
				}
				err := ch.do(t.Context(), c.Secrets, c.timeout())
				if err == nil {
					t.Errorf("check %q does not see it", check)
				}
				t.Log(err)
			}
		})
	}
}
