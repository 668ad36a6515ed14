package cdc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/jdbc"
)

// server has tables with some rows, whose keys are 0, 10, 20 and so on.
type server struct {
	rows map[string]int64
	open int // sessions
}

func (s *server) catalog(context.Context) (jdbc.Catalog, error) {
	s.open++
	return &session{server: s}, nil
}

type session struct {
	jdbc.Catalog
	*server
}

func (s *session) Extent(_ context.Context, r *jdbc.Relation) (jdbc.Extent, error) {
	n, ok := s.rows[r.Table.ID.Name]
	if !ok {
		return jdbc.Extent{}, errors.New("gone")
	}
	e := jdbc.Extent{Rows: n}
	if n > 0 {
		e.Min, e.Max = key(int64(0)), key(10*(n-1))
	}
	return e, nil
}

func (s *session) Close() error {
	s.open--
	return nil
}

// cutter returns a cutter of the server's tables.
func (s *server) cutter(t *testing.T) *Cutter {
	return &Cutter{
		Options: ChunkOptions{EvenUpper: 100, EvenLower: 0.05}.Cutting(4), Catalog: s.catalog,
		Relation: func(id plugin.TableID) *jdbc.Relation {
			table, err := plugin.NewTable(plugin.Table{ID: id, Key: []int{0},
				Columns: []plugin.Column{{Name: "id", Type: plugin.TypeOf(plugin.BigInt), NotNull: true}}})
			if err != nil {
				t.Fatal(err)
			}
			return &jdbc.Relation{Table: table, Key: "id", Unique: true}
		},
	}
}

func cutsOf(names ...string) []Cut {
	var cuts []Cut
	for _, name := range names {
		cuts = append(cuts, Cut{Table: plugin.TableID{Name: name}})
	}
	return cuts
}

func shown(id plugin.TableID, chunks []Chunk) []string {
	var list []string
	for _, c := range chunks {
		end := func(k *jdbc.Key) string {
			if k == nil {
				return ""
			}
			return fmt.Sprint(k.Value)
		}
		list = append(list, fmt.Sprintf("%s %s..%s", id, end(c.Range.From), end(c.Range.To)))
	}
	return list
}

// TestCutter cuts tables one after the other, with a new cutter for each step, as after restarts, and with one.
func TestCutter(t *testing.T) {
	want := []string{"a ..36", "a 36..72", "a 72..", "c .."}
	for _, restarts := range []bool{false, true} {
		s := &server{rows: map[string]int64{"a": 10, "b": 0, "c": 2}}
		c, cuts, ids := s.cutter(t), cutsOf("a", "b", "c"), map[string]bool{}
		var got []string
		for {
			id, chunks, err := c.Next(t.Context(), &cuts)
			if err != nil {
				t.Fatal(err)
			}
			if len(chunks) == 0 {
				break
			}
			if s.open != 1 {
				t.Errorf("%d sessions", s.open)
			}
			got = append(got, shown(id, chunks)...)
			for _, chunk := range chunks {
				ids[chunk.ID] = true
			}
			if !restarts {
				continue
			}
			if err := c.Close(); err != nil {
				t.Fatal(err)
			}
			data, err := json.Marshal(cuts)
			if err != nil {
				t.Fatal(err)
			}
			if cuts, err = Decode[[]Cut]("the cuts", data); err != nil {
				t.Fatal(err)
			}
			c = s.cutter(t)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Error(d)
		}
		if len(cuts) != 0 || s.open != 0 || len(ids) != len(want) {
			t.Errorf("%d tables and %d sessions are left; %d names of %d chunks", len(cuts), s.open, len(ids), len(want))
		}
	}
}

// TestCutterFails goes on where it was when the server answers again.
func TestCutterFails(t *testing.T) {
	s := &server{}
	c, cuts := s.cutter(t), cutsOf("a")
	if id, _, err := c.Next(t.Context(), &cuts); err == nil || id.Name != "a" || len(cuts) != 1 {
		t.Errorf("table %s, error %v, %d tables left", id, err, len(cuts))
	}
	s.rows = map[string]int64{"a": 1}
	id, chunks, err := c.Next(t.Context(), &cuts)
	if d := cmp.Diff([]string{"a .."}, shown(id, chunks)); d != "" || err != nil {
		t.Error(d, err)
	}
	for range 2 {
		if err := c.Close(); err != nil || s.open != 0 {
			t.Errorf("%d sessions are left: %v", s.open, err)
		}
	}
	refused := errors.New("refused")
	c.Catalog = func(context.Context) (jdbc.Catalog, error) { return nil, refused }
	if _, _, err := c.Next(t.Context(), &cuts); !errors.Is(err, refused) {
		t.Errorf("got %v", err)
	}
	c = s.cutter(t)
	cuts[0].State = json.RawMessage(`{"Table": "x"}`)
	if _, _, err := c.Next(t.Context(), &cuts); err == nil || s.open != 0 {
		t.Errorf("a broken state: %v, %d sessions", err, s.open)
	}
}

// TestCutterRenamed hands out what is left of a table whose key has got another name, and goes on with the next.
func TestCutterRenamed(t *testing.T) {
	s := &server{rows: map[string]int64{"b": 2}}
	c, cuts := s.cutter(t), cutsOf("a", "b")
	c.Renamed = func(err error) bool { return err.Error() == "gone" }
	cuts[0].State = json.RawMessage(`{"table": 0, "plan": {"from": {"i": "40"}, "keys": true, "rows": 4}}`)
	var got []string
	for {
		id, chunks, err := c.Next(t.Context(), &cuts)
		if err != nil {
			t.Fatal(err)
		}
		if len(chunks) == 0 {
			break
		}
		got = append(got, shown(id, chunks)...)
	}
	if d := cmp.Diff([]string{"a 40..", "b .."}, got); d != "" || len(cuts) != 0 || s.open != 0 {
		t.Errorf("%s\n%d tables and %d sessions are left", d, len(cuts), s.open)
	}
}
