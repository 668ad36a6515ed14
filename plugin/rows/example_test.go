package rows_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/hashicorp/go-hclog"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/column"
	"github.com/culvertdata/culvert/plugin/config"
	"github.com/culvertdata/culvert/plugin/rows"
)

// Line is a row of the example's log source.
type Line struct {
	Number int64 `culvert:",key"`
	Text   string
}

// LogOptions are the options of the example's log source.
type LogOptions struct {
	Text string `opt:"text" required:"true" help:"the log itself"`
}

// A source that goes on behind the last line of the checkpoint after a restart.
func ExampleSource() {
	log := rows.Source(plugin.Info{Name: "Log", Summary: "lines of a log"},
		func(ctx context.Context, o LogOptions, skip int64) iter.Seq2[Line, error] {
			return func(yield func(Line, error) bool) {
				lines := bufio.NewScanner(strings.NewReader(o.Text))
				for n := int64(0); lines.Scan(); n++ {
					if n >= skip && !yield(Line{Number: n, Text: lines.Text()}, nil) {
						return
					}
				}
				if err := lines.Err(); err != nil {
					yield(Line{}, err)
				}
			}
		})
	options := config.Value{}.Set("text", config.TextValue("one\ntwo\nthree"))
	show(log, options, "")
	show(log, options, `{"rows":2}`)
	// Output:
	// Log: number BIGINT, text STRING
	// 0 one
	// 1 two
	// 2 three
	// Log: number BIGINT, text STRING
	// 2 three
}

// A source that goes on behind the last key that it has seen.
func ExampleCursor() {
	names := []Line{{10, "ten"}, {20, "twenty"}, {30, "thirty"}}
	source := rows.Cursor(plugin.Info{Name: "Names"},
		func(ctx context.Context, o struct{}, after *int64) iter.Seq2[Line, error] {
			return func(yield func(Line, error) bool) {
				for _, l := range names {
					if after != nil && l.Number <= *after {
						continue
					}
					if !yield(l, nil) {
						return
					}
				}
			}
		},
		func(l Line) int64 { return l.Number })
	show(source, config.Value{}, `{"rows":2,"cursor":20}`)
	// Output:
	// Names: number BIGINT, text STRING
	// 30 thirty
}

// A source of Arrow record batches.
func ExampleFrames() {
	schema := arrow.NewSchema([]arrow.Field{{Name: "id", Type: arrow.PrimitiveTypes.Int64}}, nil)
	source := rows.Frames(plugin.Info{Name: "Numbers"},
		func(ctx context.Context, o struct{}) (*plugin.Table, error) {
			return rows.TableOf(plugin.TableID{Name: "numbers"}, schema)
		},
		func(ctx context.Context, o struct{}, skip int64) iter.Seq2[arrow.RecordBatch, error] {
			return func(yield func(arrow.RecordBatch, error) bool) {
				b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
				defer b.Release()
				for n := skip; n < 3; n++ {
					b.Field(0).(*array.Int64Builder).Append(n)
				}
				r := b.NewRecordBatch()
				defer r.Release()
				yield(r, nil)
			}
		})
	show(source, config.Value{}, "")
	// Output:
	// numbers: id BIGINT
	// 0
	// 1
	// 2
}

// A sink that calls a function for every row.
func ExampleEach() {
	printer := rows.Each(plugin.Info{Name: "Printer"},
		func(ctx context.Context, o struct{}, l Line) error {
			fmt.Println(l.Number, l.Text)
			return nil
		})
	write(printer, Line{1, "one"}, Line{2, "two"})
	// Output:
	// 1 one
	// 2 two
}

// A sink that collects rows and writes them when an epoch ends.
func ExampleSink() {
	collector := rows.Sink(plugin.Info{Name: "Collector"},
		func(ctx context.Context, o struct{}, t plugin.Task) (rows.Writer[Line], error) {
			var lines []Line
			return rows.Writer[Line]{
				Write: func(ctx context.Context, more []Line) error {
					lines = append(lines, more...)
					return nil
				},
				Flush: func(ctx context.Context) error {
					fmt.Println(len(lines), "lines")
					lines = nil
					return nil
				},
			}, nil
		})
	write(collector, Line{1, "one"}, Line{2, "two"})
	// Output: 2 lines
}

// A sink that takes Arrow data.
func ExampleEachBatch() {
	counter := rows.EachBatch(plugin.Info{Name: "Counter"},
		func(ctx context.Context, o struct{}, b plugin.Batch) error {
			fmt.Println(b.Table.ID, b.Len())
			return nil
		})
	write(counter, Line{1, "one"}, Line{2, "two"})
	// Output: lines 2
}

// Values of the host's program as sources: the registry finds them by name.
func ExampleFromSeq() {
	lines := []Line{{1, "one"}, {2, "two"}}
	registry := plugin.NewRegistry(func() []plugin.Plugin {
		return []plugin.Plugin{
			rows.FromSeq("lines", func(yield func(Line, error) bool) {
				for _, l := range lines {
					if !yield(l, nil) {
						return
					}
				}
			}),
		}
	})
	source, _ := registry.Lookup(plugin.SourceRole, "lines")
	show(source, config.Value{}, "")
	// Output:
	// lines: number BIGINT, text STRING
	// 1 one
	// 2 two
}

func ExampleFromChan() {
	lines := make(chan Line, 2)
	lines <- Line{1, "one"}
	lines <- Line{2, "two"}
	close(lines)
	show(rows.FromChan("lines", lines), config.Value{}, "")
	// Output:
	// lines: number BIGINT, text STRING
	// 1 one
	// 2 two
}

func ExampleFromReader() {
	r, err := array.NewRecordReader(frame(memory.DefaultAllocator, 0, 0).Schema(),
		[]arrow.RecordBatch{frame(memory.DefaultAllocator, 0, 2)})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer r.Release()
	show(rows.FromReader("frames", r), config.Value{}, "")
	// Output:
	// frames: id BIGINT, name STRING
	// 0 x
	// 1 x
}

func ExampleToChan() {
	lines := make(chan Line, 2)
	write(rows.ToChan("lines", lines), Line{1, "one"}, Line{2, "two"})
	close(lines)
	for l := range lines {
		fmt.Println(l.Text)
	}
	// Output:
	// one
	// two
}

func ExampleToFunc() {
	var all []Line
	write(rows.ToFunc("all", func(l Line) error { all = append(all, l); return nil }), Line{1, "one"}, Line{2, "two"})
	slices.Reverse(all)
	fmt.Println(all)
	// Output: [{2 two} {1 one}]
}

// show prints the table and the rows of a source, read from a position.
func show(p plugin.Plugin, options config.Value, position string) {
	if err := print(context.Background(), p, options, position); err != nil {
		fmt.Println(err)
	}
}

func print(ctx context.Context, p plugin.Plugin, options config.Value, position string) error {
	env := plugin.Env{Alloc: column.NewPool(), Logger: hclog.NewNullLogger()}
	s, err := p.Source(ctx, options, env)
	if err != nil {
		return err
	}
	tables, err := s.Tables(ctx)
	if err != nil {
		return err
	}
	var columns []string
	for _, c := range tables[0].Columns {
		columns = append(columns, c.Name+" "+c.Type.String())
	}
	fmt.Printf("%s: %s\n", tables[0].ID, strings.Join(columns, ", "))
	r, err := s.Reader(ctx, plugin.Task{Env: env})
	if err != nil {
		return err
	}
	defer r.Close()
	if err := r.Open(ctx, plugin.Split{ID: "all", State: []byte(position)}); err != nil {
		return err
	}
	var o out
	for err == nil {
		err = r.Read(ctx, &o)
	}
	for _, row := range o.rows {
		fmt.Println(strings.Trim(row, "[]"))
	}
	if err == io.EOF {
		return nil
	}
	return err
}

// write writes lines to a sink.
func write(p plugin.Plugin, lines ...Line) {
	if err := writeLines(context.Background(), p, lines); err != nil {
		fmt.Println(err)
	}
}

func writeLines(ctx context.Context, p plugin.Plugin, lines []Line) error {
	m, err := column.NewMapper[Line]()
	if err != nil {
		return err
	}
	table, err := m.Table(plugin.TableID{Name: "lines"})
	if err != nil {
		return err
	}
	b := column.NewBuilder(table, memory.DefaultAllocator)
	if err := m.Append(b, lines...); err != nil {
		return err
	}
	batch := b.Batch()
	defer batch.Release()
	env := plugin.Env{Alloc: memory.DefaultAllocator, Logger: hclog.NewNullLogger(), Inputs: []*plugin.Table{table}}
	s, err := p.Sink(ctx, config.Value{}, env)
	if err != nil {
		return err
	}
	w, err := s.Writer(ctx, plugin.Task{Env: env})
	if err != nil {
		return err
	}
	defer w.Close()
	if err := w.Write(ctx, batch); err != nil {
		return err
	}
	_, err = w.Flush(ctx, 1)
	return err
}
