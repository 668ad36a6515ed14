package exec

import (
	"context"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/culvertdata/culvert/engine/internal/checkpoint"
	"github.com/culvertdata/culvert/engine/internal/plan"
	"github.com/culvertdata/culvert/plugin"
)

func names(tables []*plugin.Table) []string {
	var list []string
	for _, t := range tables {
		list = append(list, t.ID.Name)
	}
	return list
}

func ids(names ...string) []plugin.TableID {
	list := make([]plugin.TableID, len(names))
	for i, n := range names {
		list[i] = plugin.TableID{Name: n}
	}
	return list
}

// TestPrepareAfterARestore starts from checkpoints that know some of the tables.
func TestPrepareAfterARestore(t *testing.T) {
	a, b := numbers("a"), numbers("b")
	tests := []struct {
		name  string
		sinks []checkpoint.Sink // of the checkpoint
		want  []string
	}{
		{"all are known", []checkpoint.Sink{{Vertex: "Sink[0]-Model", Tables: [][]plugin.TableID{ids("a", "b")}}}, nil},
		{"one is new", []checkpoint.Sink{{Vertex: "Sink[0]-Model", Tables: [][]plugin.TableID{ids("a")}}}, []string{"b"}},
		{"others are gone", []checkpoint.Sink{{Vertex: "Sink[0]-Model", Tables: [][]plugin.TableID{ids("c", "b")}}},
			[]string{"a"}},
		{"the sink is new", []checkpoint.Sink{{Vertex: "Sink[1]-Other", Tables: [][]plugin.TableID{ids("a", "b")}}},
			[]string{"a", "b"}},
		{"the format does not tell", []checkpoint.Sink{{Vertex: "Sink[0]-Model"}}, nil},
		{"the format does not tell, and the sink is new", []checkpoint.Sink{{Vertex: "Sink[1]-Other"}}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			st := &store{latest: map[int]checkpoint.Checkpoint{1: {Pipeline: 1, Epoch: 3, State: checkpoint.Complete,
				Sinks: tt.sinks}}}
			var got []string
			calls, failures := 0, 0
			src := &counter{table: a, splits: 1, rows: 10, batch: 10}
			src.onRead = func(context.Context, plugin.Out, int64) error {
				if failures++; failures == 1 {
					return errBroken // nothing is prepared twice
				}
				return nil
			}
			p := simple(1, src, &plainSink{prepare: func(tables []*plugin.Table) error {
				calls++
				got = append(got, names(tables)...)
				return nil
			}})
			p.Vertices[1].Tables = []*plugin.Table{a, b}
			run(t, Options{Pipeline: p, Checkpoints: st, Restored: true, Retries: 1}, Finished)
			if d := cmp.Diff(tt.want, got); d != "" || calls > 1 {
				t.Errorf("%d calls: %s", calls, d)
			}
			if d := cmp.Diff([][]plugin.TableID{ids("a", "b")}, st.last().Sinks[0].Tables); d != "" {
				t.Errorf("the next checkpoint: %s", d)
			}
			if d := cmp.Diff(ids("a"), st.last().Sources[0].Tables); d != "" {
				t.Errorf("the next checkpoint: %s", d)
			}
		})
	}
}

func TestCarriedOver(t *testing.T) {
	split := func(id, table string) checkpoint.Split {
		return checkpoint.Split{Split: plugin.Split{ID: id, Table: plugin.TableID{Name: table}}}
	}
	v := &plan.Vertex{Tables: []*plugin.Table{numbers("a"), numbers("c")}}
	all := []checkpoint.Split{split("1", "a"), split("2", "b"), split("3", ""), split("4", "other")}
	kept := []checkpoint.Split{split("1", "a"), split("3", ""), split("4", "other")}
	for _, tt := range []struct {
		name   string
		tables []plugin.TableID
		want   checkpoint.Source
	}{
		{"another list", ids("a", "b"), checkpoint.Source{Tables: ids("a", "b"), Splits: kept}},
		{"tables are gone", ids("a", "b", "c"), checkpoint.Source{Tables: ids("a", "b", "c"), Splits: kept, Exhausted: true}},
		{"the format does not tell", nil, checkpoint.Source{Splits: all, Exhausted: true}},
	} {
		got := carriedOver(checkpoint.Source{Tables: tt.tables, Splits: slices.Clone(all), Exhausted: true}, v)
		if d := cmp.Diff(tt.want, got); d != "" {
			t.Errorf("%s: %s", tt.name, d)
		}
	}
}

// TestInstancesAreToldByTheirTables has the instances of a sink that takes one table each move.
func TestInstancesAreToldByTheirTables(t *testing.T) {
	v := &plan.Vertex{Name: "s"}
	for _, name := range []string{"c", "a", "d"} {
		v.Sinks = append(v.Sinks, plan.SinkInstance{Table: numbers(name)})
	}
	told := checkpoint.Sink{Vertex: "s", Tables: [][]plugin.TableID{ids("a"), ids("b"), ids("c")},
		Writers: make([][][]byte, 3)}
	untold := checkpoint.Sink{Vertex: "s", Writers: make([][][]byte, 3)}
	var now, then, plain []int
	for i := range 4 {
		now, then, plain = append(now, instanceNow(v, told, i)), append(then, instanceThen(v, told, i)),
			append(plain, instanceNow(v, untold, i))
	}
	if d := cmp.Diff([][]int{{1, -1, 0, -1}, {2, 0, -1, -1}, {0, 1, 2, -1}}, [][]int{now, then, plain}); d != "" {
		t.Error(d)
	}
	one := &plan.Vertex{Sinks: []plan.SinkInstance{{}}}
	if got := instanceNow(one, checkpoint.Sink{Tables: [][]plugin.TableID{ids("a")}}, 0); got != 0 {
		t.Errorf("the only instance is at %d", got)
	}
}
