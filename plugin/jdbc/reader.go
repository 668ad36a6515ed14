package jdbc

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/column"
)

// reader reads the chunks of one lane.
type reader struct {
	scanner   Scanner
	relations map[plugin.TableID]*Relation
	alloc     memory.Allocator

	relation *Relation
	builder  *column.Builder // of relation
	at       Range
	split    string
}

// Open starts a chunk.
func (r *reader) Open(ctx context.Context, s plugin.Split) error {
	relation := r.relations[s.Table]
	if relation == nil {
		return &plugin.Error{
			Code: plugin.CodeNotFound, Table: s.Table, Split: s.ID,
			Err: errors.New("the job does not read this table any more"), Fix: "start the job afresh",
		}
	}
	r.at, r.split = Range{}, s.ID
	if err := json.Unmarshal(s.State, &r.at); err != nil {
		return fmt.Errorf("state of split %s: %w", s.ID, err)
	}
	if r.at.By != "" && r.at.By != relation.Key {
		return &plugin.Error{
			Code: plugin.CodeConfig, Table: s.Table, Split: s.ID,
			Err: fmt.Errorf("the job was stopped while the table was cut by %s, and it would be cut by %s now", r.at.By,
				cmp.Or(relation.Key, "no column")),
			Fix: "set partition_column = " + r.at.By + ", or start the job afresh",
		}
	}
	if relation != r.relation {
		r.release()
		r.relation, r.builder = relation, column.NewBuilder(relation.Table, r.alloc)
	}
	if r.at.Done {
		return nil
	}
	return r.scanner.Open(ctx, relation, r.at)
}

// Read puts out one batch.
func (r *reader) Read(ctx context.Context, out plugin.Out) error {
	if r.at.Done {
		return io.EOF
	}
	for r.builder.Len() < FullRows && r.builder.Size() < FullBytes {
		n, err := r.scanner.Read(ctx, r.builder, FullRows-r.builder.Len())
		if err != nil && err != io.EOF { // a lost connection's error may wrap it
			return r.located(err)
		}
		if err != nil {
			r.at = Range{Done: true, By: r.at.By}
			return cmp.Or(r.put(out), io.EOF)
		}
		r.advance(n)
		if out.Full() {
			break
		}
	}
	return r.put(out)
}

func (r *reader) advance(n int) {
	switch {
	case n == 0:
	case r.relation.Unique:
		last := r.scanner.Last()
		r.at.After = &last
	default:
		r.at.Skip += int64(n)
	}
}

func (r *reader) put(out plugin.Out) error {
	if r.builder.Len() == 0 {
		return nil
	}
	return out.Batch(r.builder.Batch())
}

func (r *reader) located(err error) error {
	var e *plugin.Error
	if errors.As(err, &e) {
		if e.Split == "" {
			e.Split = r.split
		}
		return err
	}
	return &plugin.Error{Table: r.relation.Table.ID, Split: r.split, Err: err}
}

// Position returns the rest of the chunk.
func (r *reader) Position() ([]byte, error) { return json.Marshal(r.at) }

// Close ends the session.
func (r *reader) Close() error {
	r.release()
	return r.scanner.Close()
}

func (r *reader) release() {
	if r.builder != nil {
		r.builder.Release()
	}
}
