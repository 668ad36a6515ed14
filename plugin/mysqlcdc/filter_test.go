package mysqlcdc

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/internal/cdc"
	"github.com/culvertdata/culvert/plugin/jdbc"
	"github.com/culvertdata/culvert/plugin/mysqlcdc/internal/binlog"
	"github.com/culvertdata/culvert/plugin/mysqlcdc/internal/ddl"
)

func key(v any) *jdbc.Key { return &jdbc.Key{Value: v} }

func at(pos uint64) place { return place{File: "binlog.000001", Pos: pos} }

var samePlace = cmp.Comparer(func(a, b place) bool { return a.Compare(b) == 0 })

func valueOf(v any) *binlog.Value {
	switch v := v.(type) {
	case int:
		return &binlog.Value{Kind: binlog.IntValue, Int: int64(v)}
	case uint64:
		return &binlog.Value{Kind: binlog.UintValue, Uint: v}
	case float64:
		return &binlog.Value{Kind: binlog.FloatValue, Float: v}
	case string:
		return &binlog.Value{Kind: binlog.TextValue, Text: []byte(v)}
	default:
		return &binlog.Value{Kind: binlog.BytesValue, Text: v.([]byte)}
	}
}

// TestFilterFindsPieces looks values of every kind of key up among pieces that come in any order.
func TestFilterFindsPieces(t *testing.T) {
	tests := []struct {
		name, typ string
		pieces    []piece
		want      map[any]uint64 // the place of the piece that a value lies in; 0: none
	}{
		{"integers", "int(11)", []piece{
			{cdc.Span{From: key(int64(10)), To: key(int64(20))}, at(2)},
			{cdc.Span{To: key(int64(10))}, at(1)},
			{cdc.Span{From: key(int64(20)), To: key(int64(25)), Through: true}, at(3)},
			{cdc.Span{From: key(int64(25)), After: true}, at(4)},
		}, map[any]uint64{-5: 1, 9: 1, 10: 2, 19: 2, 20: 3, 25: 3, 26: 4, 1000: 4}},
		{"gaps", "int(11)", []piece{
			{cdc.Span{From: key(int64(10)), To: key(int64(20))}, at(2)},
			{cdc.Span{From: key(int64(30)), To: key(int64(40))}, at(3)},
		}, map[any]uint64{9: 0, 10: 2, 20: 0, 29: 0, 30: 3, 40: 0}},
		{"unsigned", "bigint(20) unsigned", []piece{
			{cdc.Span{To: key("9223372036854775808")}, at(1)}, {cdc.Span{From: key("9223372036854775808")}, at(2)},
		}, map[any]uint64{5: 1, uint64(9223372036854775808): 2, uint64(18446744073709551615): 2}},
		{"decimals", "decimal(20,4)", []piece{
			{cdc.Span{To: key("-1.5000")}, at(1)}, {cdc.Span{From: key("-1.5000"), To: key("10.0000")}, at(2)},
			{cdc.Span{From: key("10.0000")}, at(3)},
		}, map[any]uint64{"-100.0000": 1, "-1.5001": 1, "-1.5000": 2, "9.9999": 2, "10.0000": 3, "9000.0000": 3}},
		{"floats", "double", []piece{{cdc.Span{To: key(1.5)}, at(1)}, {cdc.Span{From: key(1.5)}, at(2)}},
			map[any]uint64{-1e300: 1, 1.4999: 1, 1.5: 2}},
		{"days", "date", []piece{{cdc.Span{To: key("2024-01-01")}, at(1)}, {cdc.Span{From: key("2024-01-01")}, at(2)}},
			map[any]uint64{"0001-01-01": 1, "2023-12-31": 1, "2024-01-01": 2}},
		{"bytes", "varbinary(10)", []piece{{cdc.Span{To: key([]byte{1, 0})}, at(1)},
			{cdc.Span{From: key([]byte{1, 0})}, at(2)}},
			map[any]uint64{"\x01": 1, "\x01\x00": 2, "\xff": 2}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f, err := newFilter(t.Context(), &table{
				ID: plugin.TableID{Name: "t"}, Key: "k", Log: ddl.Table{Columns: []ddl.Column{{Name: "x", Type: "int"},
					{Name: "k", Type: tt.typ}}},
				Pieces: tt.pieces,
			}, nil)
			if err != nil {
				t.Fatal(err)
			}
			for v, want := range tt.want {
				var k sortKey
				value := valueOf(v)
				if value.Kind == binlog.IntValue { // what is left of the value before must not count
					value.Uint = 1 << 63
				}
				if err := f.sortKey(t.Context(), value, &k); err != nil {
					t.Fatal(err)
				}
				var got uint64
				if found := f.find(&k); found != nil {
					got = found.Pos
				}
				if got != want {
					t.Errorf("%v is in the piece at %d, want %d", v, got, want)
				}
			}
		})
	}
}

// TestFilterAgainstSearch compares the look-up with a plain search, over random cuts.
func TestFilterAgainstSearch(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		var pieces []piece
		var last *jdbc.Key
		through := false
		for n := int64(0); n < 100; {
			n += rng.Int64N(20) + 1
			next := rng.IntN(2) == 0
			p := piece{cdc.Span{From: last, After: through, To: key(n), Through: next}, at(uint64(n))}
			last, through = key(n), next
			if rng.IntN(5) > 0 {
				pieces = append(pieces, p)
			}
		}
		rng.Shuffle(len(pieces), func(i, j int) { pieces[i], pieces[j] = pieces[j], pieces[i] })
		f, err := newFilter(t.Context(), &table{
			Key: "k", Log: ddl.Table{Columns: []ddl.Column{{Name: "k", Type: "int"}}}, Pieces: pieces, Open: []jdbc.Range{{}},
		}, nil)
		if err != nil {
			t.Fatal(err)
		}
		for v := int64(-3); v < 125; v++ {
			var want, got *place
			for i, p := range pieces {
				above := p.From == nil || v > p.From.Value.(int64) || v == p.From.Value.(int64) && !p.After
				below := v < p.To.Value.(int64) || v == p.To.Value.(int64) && p.Through
				if above && below {
					want = &pieces[i].At
				}
			}
			if got = f.find(&sortKey{int: v}); cmp.Diff(want, got, samePlace) != "" {
				t.Fatalf("%d is in %v, want %v; pieces %+v", v, got, want, pieces)
			}
		}
	}
}

// TestFilterWithoutItsColumn refuses a key that is gone.
func TestFilterWithoutItsColumn(t *testing.T) {
	_, err := newFilter(t.Context(), &table{Key: "k", Log: ddl.Table{Columns: []ddl.Column{{Name: "x"}}},
		Pieces: []piece{{}}}, nil)
	if err == nil {
		t.Error("no error")
	}
}

func TestMergedPieces(t *testing.T) {
	pieces := []piece{
		{cdc.Span{To: key(int64(1))}, at(5)},
		{cdc.Span{From: key(int64(1)), To: key(int64(2))}, at(5)},
		{cdc.Span{From: key(int64(2)), To: key(int64(3)), Through: true}, at(6)},
		{cdc.Span{From: key(int64(3)), After: true, To: key(int64(4))}, at(6)},
		{cdc.Span{From: key(int64(4))}, at(6)},
		{cdc.Span{Nulls: true}, at(6)},
	}
	want := []piece{
		{cdc.Span{To: key(int64(2))}, at(5)}, {cdc.Span{From: key(int64(2))}, at(6)}, {cdc.Span{Nulls: true}, at(6)},
	}
	if d := cmp.Diff(want, merged(pieces), samePlace); d != "" {
		t.Error(d)
	}
}

func ExampleOptions_CheckOptions() {
	o := Options{TableNames: []string{"a.b.c"}, DatabasePattern: ".*", TablesConfig: []TableConfig{{Table: "shop.order"}}}
	for _, p := range o.CheckOptions() {
		fmt.Println(p.Path)
	}
	// Output:
	// table-names
	// table-names-config[0].table
}
