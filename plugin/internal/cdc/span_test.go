package cdc

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/culvertdata/culvert/plugin/jdbc"
)

func key(v any) *jdbc.Key { return &jdbc.Key{Value: v} }

// TestRest goes on behind the key that was read last.
func TestRest(t *testing.T) {
	tests := []struct {
		of   jdbc.Range
		want Span
	}{
		{jdbc.Range{}, Span{}},
		{jdbc.Range{Nulls: true}, Span{Nulls: true}},
		{jdbc.Range{From: key("a"), To: key("m")}, Span{From: key("a"), To: key("m")}},
		{jdbc.Range{From: key("a"), To: key("m"), After: key("c")}, Span{From: key("c"), To: key("m"), After: true}},
		{jdbc.Range{After: key("c")}, Span{From: key("c"), After: true}},
	}
	for _, test := range tests {
		if d := cmp.Diff(test.want, Rest(test.of)); d != "" {
			t.Errorf("%+v: %s", test.of, d)
		}
	}
}

func TestUpTo(t *testing.T) {
	tests := []struct {
		name string
		span Span
		last *jdbc.Key
		want Span
		ok   bool
	}{
		{"nothing", Span{From: key(int64(5))}, nil, Span{}, false},
		{"nothing more", Span{From: key(int64(5)), After: true}, key(int64(5)), Span{}, false},
		{"nothing more, of bytes", Span{From: key([]byte{5}), After: true}, key([]byte{5}), Span{}, false},
		{"the first row", Span{From: key(int64(5)), To: key(int64(9))}, key(int64(5)),
			Span{From: key(int64(5)), To: key(int64(5)), Through: true}, true},
		{"some rows", Span{From: key(int64(5)), To: key(int64(9)), After: true}, key(int64(7)),
			Span{From: key(int64(5)), To: key(int64(7)), After: true, Through: true}, true},
		{"of a whole table", Span{}, key([]byte{5}), Span{To: key([]byte{5}), Through: true}, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, ok := test.span.UpTo(test.last)
			if d := cmp.Diff(test.want, got); d != "" || ok != test.ok {
				t.Errorf("%v: %s", ok, d)
			}
		})
	}
}

func TestJoin(t *testing.T) {
	low := Span{From: key("a"), To: key("f")}
	tests := []struct {
		name       string
		span, next Span
		want       *Span // nil: no neighbours
	}{
		{"neighbours", low, Span{From: key("f"), To: key("k")}, &Span{From: key("a"), To: key("k")}},
		{"to the end", low, Span{From: key("f")}, &Span{From: key("a")}},
		{"half read", Span{To: key("f"), Through: true}, Span{From: key("f"), After: true, To: key("k"), Through: true},
			&Span{To: key("k"), Through: true}},
		{"of bytes", Span{To: key([]byte("f"))}, Span{From: key([]byte("f"))}, &Span{}},
		{"a gap", low, Span{From: key("g"), To: key("k")}, nil},
		{"a row between", low, Span{From: key("f"), After: true}, nil},
		{"a row in both", Span{To: key("f"), Through: true}, Span{From: key("f")}, nil},
		{"the wrong way round", Span{From: key("f")}, low, nil},
		{"no ends", Span{}, Span{}, nil},
		{"nulls", low, Span{Nulls: true}, nil},
		{"other types", Span{To: key([]byte("f"))}, Span{From: key("f")}, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, ok := test.span.Join(test.next)
			if ok != (test.want != nil) {
				t.Fatalf("joined: %v", ok)
			}
			if ok && !cmp.Equal(*test.want, got) {
				t.Error(cmp.Diff(*test.want, got))
			}
		})
	}
}

func TestWhole(t *testing.T) {
	for _, s := range []Span{{Nulls: true}, {From: key("a")}, {To: key("a")}} {
		if s.Whole() {
			t.Errorf("%+v is whole", s)
		}
	}
	if !(Span{}).Whole() {
		t.Error("a span without ends is not whole")
	}
}
