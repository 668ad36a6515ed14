// Package console is the sink Console: it prints rows as SeaTunnel does, for trying jobs out. The lines go to the job's
// log at level INFO, or, with [To], to a writer of the host.
//
// A line for each table comes first, when a writer is made:
//
//	output rowType: id<BIGINT>, name<STRING>
//
// Then one for each row; rowIndex counts the rows of a table within one writer:
//
//	subtaskIndex=0  rowIndex=1:  SeaTunnelRow#tableId=fake SeaTunnelRow#kind=INSERT : 1, abc
//
// Values have the form of Java's toString; a null is empty. Rows that come again after a restart are printed again.
package console

import (
	"context"
	"io"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/column"
)

// Options are the options of Console.
type Options struct {
	Print bool          `opt:"log.print.data" default:"true" help:"Whether rows are printed."`
	Delay time.Duration `opt:"log.print.delay.ms" unit:"ms" default:"0" min:"0" help:"Pause after each row."`
}

// Plugins returns the sink Console, which prints into the job's log.
func Plugins() []plugin.Plugin {
	return plugins(func(env plugin.Env) printer { return logPrinter{env.Logger} })
}

// To returns the sink Console printing to w, one line at a time, also if several writers and jobs share w.
func To(w io.Writer) plugin.Set {
	p := &linePrinter{w: w}
	return func() []plugin.Plugin { return plugins(func(plugin.Env) printer { return p }) }
}

func plugins(to func(plugin.Env) printer) []plugin.Plugin {
	open := func(_ context.Context, o Options, env plugin.Env) (*sink, error) {
		return &sink{options: o, env: env, printer: to(env)}, nil
	}
	return []plugin.Plugin{plugin.NewSink(plugin.Info{
		Name: "Console", Summary: "Prints rows.", MultiTable: true, Delivery: plugin.Repeats, Changes: true,
	}, open)}
}

// printer takes lines. It may be used by several goroutines.
type printer interface {
	// wanted reports whether lines are printed at all.
	wanted() bool
	// print prints a line, which ends without a line break.
	print(line []byte) error
}

type logPrinter struct{ logger hclog.Logger }

func (p logPrinter) wanted() bool { return p.logger.IsInfo() }

func (p logPrinter) print(line []byte) error {
	p.logger.Info(string(line))
	return nil
}

type linePrinter struct {
	mu   sync.Mutex
	w    io.Writer
	line []byte
}

func (p *linePrinter) wanted() bool { return true }

func (p *linePrinter) print(line []byte) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.line = append(append(p.line[:0], line...), '\n')
	_, err := p.w.Write(p.line)
	return err
}

// sink is an opened Console.
type sink struct {
	options Options
	env     plugin.Env
	printer printer
}

// Prepare does nothing.
func (s *sink) Prepare(context.Context, []*plugin.Table) error { return nil }

// Writer makes the writer of one lane and prints the columns of the tables.
func (s *sink) Writer(_ context.Context, t plugin.Task) (plugin.Writer, error) {
	for _, table := range s.env.Inputs {
		if err := s.printer.print([]byte("output rowType: " + rowType(table))); err != nil {
			return nil, err
		}
	}
	return &writer{sink: s, subtask: t.Index, rows: map[plugin.TableID]int64{}}, nil
}

// ApplyChange prints the columns before and after a schema change.
func (s *sink) ApplyChange(_ context.Context, c plugin.SchemaChange) error {
	if err := s.printer.print([]byte("changed rowType before: " + rowType(c.Old))); err != nil {
		return err
	}
	return s.printer.print([]byte("changed rowType after: " + rowType(c.New)))
}

// Truncate prints that a table was truncated.
func (s *sink) Truncate(_ context.Context, t *plugin.Table) error {
	return s.printer.print([]byte("truncated table: " + t.ID.String()))
}

func rowType(t *plugin.Table) string {
	parts := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		parts[i] = c.Name + "<" + c.Type.String() + ">"
	}
	return strings.Join(parts, ", ")
}

// writer prints the rows of one lane.
type writer struct {
	sink    *sink
	subtask int
	rows    map[plugin.TableID]int64
	line    []byte
	timer   *time.Timer
}

// Write prints the rows of a batch.
func (w *writer) Write(ctx context.Context, b plugin.Batch) error {
	o := w.sink.options
	printing := o.Print && w.sink.printer.wanted()
	if !printing && o.Delay == 0 {
		return nil
	}
	index := w.rows[b.Table.ID]
	defer func() { w.rows[b.Table.ID] = index }()
	for row := range b.Len() {
		if printing {
			index++
			w.line = w.appendRow(w.line[:0], b, row, index)
			if err := w.sink.printer.print(w.line); err != nil {
				return err
			}
		}
		if err := w.pause(ctx, o.Delay); err != nil {
			return err
		}
	}
	return nil
}

func (w *writer) appendRow(line []byte, b plugin.Batch, row int, index int64) []byte {
	line = strconv.AppendInt(append(line, "subtaskIndex="...), int64(w.subtask), 10)
	line = strconv.AppendInt(append(line, "  rowIndex="...), index, 10)
	line = append(append(line, ":  SeaTunnelRow#tableId="...), b.Table.ID.String()...)
	line = append(append(line, " SeaTunnelRow#kind="...), b.Kind(row).Name()...)
	line = append(line, " : "...)
	for i, c := range b.Table.Columns {
		if i > 0 {
			line = append(line, ", "...)
		}
		line = column.FormatJava(line, b.Rows.Column(i), c.Type, row)
	}
	return line
}

// pause waits unless the job ends.
func (w *writer) pause(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	if w.timer == nil {
		w.timer = time.NewTimer(d)
	} else {
		w.timer.Reset(d)
	}
	select {
	case <-w.timer.C:
		return nil
	case <-ctx.Done():
		w.timer.Stop()
		return ctx.Err()
	}
}

// Flush has nothing to do: lines are printed at once.
func (w *writer) Flush(context.Context, uint64) ([]byte, error) { return nil, nil }

// Close does nothing.
func (w *writer) Close() error { return nil }
