package exec

import (
	"context"
	"strings"
	"testing"

	"github.com/culvertdata/culvert/plugin"
)

// emptied is a follower that can be emptied.
type emptied struct{ *follower }

func (e emptied) Truncate(ctx context.Context, t *plugin.Table) error {
	return e.ApplyChange(ctx, plugin.SchemaChange{New: t, Truncated: true})
}

// again is the next version of a table, with the same columns.
func again(t *testing.T, table *plugin.Table) *plugin.Table {
	next := *table
	next.Version++
	made, err := plugin.NewTable(next)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// TestTruncate empties sinks, behind transforms too, between the rows before and those after.
func TestTruncate(t *testing.T) {
	table := numbers("t")
	src := &changing{counter: &counter{table: table, splits: 2, rows: 100, batch: 10}, next: again(t, table),
		emptied: true, at: map[string]int64{"000": 50, "001": 150}}
	from := sourceVertex("Source[0]-Model", 2, src.together())
	renamed := transformVertex("Transform[0]-Rename", func() plugin.Transform { return &rename{name: "x"} })
	direct, behind := emptied{newFollower()}, emptied{newFollower()}
	a, b := sinkVertex("Sink[0]-Model", direct), sinkVertex("Sink[1]-Model", behind)
	chain(from, renamed, a)
	chain(from, b)
	run(t, Options{Pipeline: pipeline(from, renamed, a, b), Checkpoints: &store{}}, Finished)
	for _, f := range []emptied{direct, behind} {
		if len(f.applied) != 1 || !f.applied[0].Truncated {
			t.Errorf("applied %+v", f.applied)
		}
		if len(f.bad) > 0 || len(f.sorted()) != 200 {
			t.Errorf("%d rows, %v", len(f.sorted()), f.bad)
		}
	}
}

// TestTruncateUnable has a sink that follows changes of columns, but cannot be emptied.
func TestTruncateUnable(t *testing.T) {
	table := numbers("t")
	src := &changing{counter: &counter{table: table, splits: 1, rows: 100, batch: 10}, next: again(t, table),
		emptied: true, at: map[string]int64{"000": 50}}
	f := newFollower()
	r := run(t, Options{Pipeline: simple(1, src, f), Checkpoints: &store{}}, Failed)
	if !strings.Contains(r.err.Error(), "the table was truncated and the sink") || len(f.applied) > 0 {
		t.Errorf("got %v, applied %v", r.err, f.applied)
	}
}
