package cdc

import (
	"strings"
	"testing"

	"github.com/culvertdata/culvert/plugin"
)

// TestKnown remembers the last of each table.
func TestKnown(t *testing.T) {
	table := func(name string, version uint32) *plugin.Table {
		return &plugin.Table{ID: plugin.TableID{Name: name}, Version: version}
	}
	planned, first, second := table("a", 0), table("a", 1), table("a", 2)
	var k Known
	if k.Of(planned) != planned {
		t.Error("nothing is known, but a table is")
	}
	k.Note(first, table("b", 7))
	if k.Of(planned) != first {
		t.Error("the table is not known")
	}
	k.Note(second)
	if k.Of(planned) != second || k.Of(table("b", 0)).Version != 7 {
		t.Error("the last table is not known")
	}
}

func TestDecode(t *testing.T) {
	if s, err := Decode[Span]("the span", []byte(`{"from":{"i":"7"},"after":true}`)); err != nil || !s.After {
		t.Errorf("%+v, %v", s, err)
	}
	if _, err := Decode[Span]("the span", []byte("{")); err == nil || !strings.Contains(err.Error(), "the span") {
		t.Errorf("got %v", err)
	}
}
