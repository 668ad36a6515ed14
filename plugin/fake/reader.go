package fake

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/column"
)

// reader reads the splits of one lane.
type reader struct {
	source  *source
	task    plugin.Task
	columns map[*table]*columns

	// The open split.
	table *table
	seed  uint64
	list  *plugin.Batch // the rows of the job file; nil: random rows
	position

	due time.Time // when the next split may begin
}

// Open starts a split.
func (r *reader) Open(_ context.Context, s plugin.Split) error {
	if r.table = r.source.table(s.Table); r.table == nil {
		return fmt.Errorf("split %s: the job has no table %s", s.ID, s.Table)
	}
	if err := json.Unmarshal(s.State, &r.position); err != nil {
		return fmt.Errorf("split %s: position: %w", s.ID, err)
	}
	r.seed = seedOf(r.task.Job.ID, r.task.Vertex, s.ID)
	return r.openList()
}

func (r *reader) openList() error {
	r.drop()
	l := r.table.list
	if l == nil {
		return nil
	}
	if n := int64(len(l.rows)); n != r.Rows {
		return fmt.Errorf("the split has %d rows, the job now lists %d", r.Rows, n)
	}
	batch := l.batch
	if l.clocked {
		var err error
		if batch, err = l.build(r.task.Alloc, r.task.Now()); err != nil {
			return err
		}
	} else {
		batch.Retain()
	}
	r.list = &batch
	return nil
}

// drop releases the rows of the job file.
func (r *reader) drop() {
	if r.list != nil {
		r.list.Release()
		r.list = nil
	}
}

// Read puts out batches until out is full or the split ends.
func (r *reader) Read(ctx context.Context, out plugin.Out) error {
	if waiting, err := r.wait(ctx, out); waiting || err != nil {
		return err
	}
	for r.position.Done < r.Rows {
		if out.Full() {
			return nil
		}
		b, err := r.batch()
		if err != nil {
			return err
		}
		n := int64(b.Len())
		if err := out.Batch(b); err != nil {
			return err
		}
		r.position.Done += n
	}
	r.drop()
	if pause := r.table.options.ReadInterval; pause > 0 {
		r.due = time.Now().Add(pause)
	}
	return io.EOF
}

// wait holds the reader back between two splits. It reports that the time is not over yet.
func (r *reader) wait(ctx context.Context, out plugin.Out) (waiting bool, err error) {
	if r.due.IsZero() {
		return false, nil
	}
	pause := time.NewTimer(time.Until(r.due))
	defer pause.Stop()
	select {
	case <-pause.C:
		r.due = time.Time{}
		return false, nil
	case <-out.Wake():
		return true, nil
	case <-ctx.Done():
		return true, ctx.Err()
	}
}

// batch makes the next rows.
func (r *reader) batch() (plugin.Batch, error) {
	left := r.Rows - r.position.Done
	if r.list != nil {
		n := min(left, column.FullRows)
		return r.list.Slice(int(r.position.Done), int(r.position.Done+n)), nil
	}
	c, err := r.generators()
	if err != nil {
		return plugin.Batch{}, err
	}
	n := int(min(left, int64(c.rows)))
	state := randomAt(r.seed, r.position.Done)
	values := make([]arrow.Array, len(c.generators))
	for i, g := range c.generators {
		values[i] = g.generate(&state, n, r.task.Alloc)
	}
	b := column.Assemble(r.table.Table, values, nil)
	for _, v := range values {
		v.Release()
	}
	return b, nil
}

// generators returns those of the open split's table, made at the first split of it.
func (r *reader) generators() (*columns, error) {
	if c, ok := r.columns[r.table]; ok {
		return c, nil
	}
	c, err := newColumns(r.table.options, r.task.Now)
	if err != nil {
		return nil, &plugin.Error{Code: plugin.CodeConfig, Table: r.table.ID, Err: err}
	}
	r.columns[r.table] = c
	return c, nil
}

// Position returns how many rows were put out.
func (r *reader) Position() ([]byte, error) { return json.Marshal(r.position) }

// Close ends the reader.
func (r *reader) Close() error {
	r.drop()
	return nil
}
