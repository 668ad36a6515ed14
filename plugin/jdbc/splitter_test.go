package jdbc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// keys is a catalog of one relation: its keys in order, all integers.
type keys struct {
	list  []int64
	nulls int64
	fail  error
}

func (k *keys) Describe(context.Context, Request) (*Relation, error) {
	return nil, errors.ErrUnsupported
}

func (k *keys) Extent(context.Context, *Relation) (Extent, error) {
	e := Extent{Rows: int64(len(k.list)) + k.nulls, Nulls: k.nulls}
	if len(k.list) > 0 {
		e.Min, e.Max = &Key{k.list[0]}, &Key{k.list[len(k.list)-1]}
	}
	return e, k.fail
}

func (k *keys) Advance(_ context.Context, _ *Relation, from Key, n int64) (*Key, error) {
	if k.fail != nil {
		return nil, k.fail
	}
	i, _ := slices.BinarySearch(k.list, from.Value.(int64))
	for i += int(n); i < len(k.list); i++ {
		if k.list[i] > from.Value.(int64) {
			return &Key{k.list[i]}, nil
		}
	}
	return nil, nil
}

func (k *keys) Close() error { return nil }

func cutAll(t *testing.T, o SourceOptions, k *keys) ([]Range, error) {
	t.Helper()
	r := &Relation{Table: abc(t), Key: "a"}
	s := &splitter{options: o, relations: []*Relation{r}, catalog: k}
	var all []Range
	for {
		splits, err := s.Next(t.Context())
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return all, err
		}
		for _, split := range splits {
			var at Range
			if err := json.Unmarshal(split.State, &at); err != nil {
				t.Fatal(err)
			}
			all = append(all, at)
		}
	}
}

func show(ranges []Range) []string {
	text := func(k *Key) string {
		if k == nil {
			return ""
		}
		return fmt.Sprint(k.Value)
	}
	var list []string
	for _, r := range ranges {
		if r.Nulls {
			list = append(list, "null")
			continue
		}
		list = append(list, text(r.From)+".."+text(r.To))
	}
	return list
}

func numbers(n, step int64) []int64 {
	list := make([]int64, n)
	for i := range list {
		list[i] = int64(i) * step
	}
	return list
}

func TestCutting(t *testing.T) {
	dynamic := SourceOptions{SplitSize: 4, EvenLower: 0.05, EvenUpper: 100}
	fixed := SourceOptions{Query: "q", PartitionColumn: "a", PartitionNum: 3}
	bounded := fixed
	bounded.Lower, bounded.Upper = "-5", "6.5"
	whole := fixed
	whole.PartitionNum = 1
	tests := []struct {
		name string
		o    SourceOptions
		k    keys
		want []string
	}{
		{"no rows", dynamic, keys{}, nil},
		{"only nulls", dynamic, keys{nulls: 3}, []string{"null"}},
		{"few rows", dynamic, keys{list: numbers(4, 1)}, []string{".."}},
		{"even", dynamic, keys{list: numbers(10, 1)}, []string{"..4", "4..8", "8.."}},
		{"even with gaps", dynamic, keys{list: numbers(10, 10)}, []string{"..36", "36..72", "72.."}},
		{"uneven", dynamic, keys{list: []int64{1, 2, 3, 4, 5, 6, 7, 8, 1 << 40}},
			[]string{"..5", "5..1099511627776", "1099511627776.."}},
		{"equal", dynamic, keys{list: []int64{1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 1 << 40}}, []string{"..2", "2.."}},
		{"nulls too", dynamic, keys{list: numbers(5, 1), nulls: 2}, []string{"..4", "4..", "null"}},
		{"ends of the range", dynamic, keys{list: []int64{math.MinInt64, -2, -1, 0, 1, math.MaxInt64}},
			[]string{"..1", "1.."}},
		{"up to the largest", dynamic, keys{list: []int64{math.MaxInt64 - 5, math.MaxInt64 - 4, math.MaxInt64 - 3,
			math.MaxInt64 - 2, math.MaxInt64 - 1, math.MaxInt64}},
			[]string{"..9223372036854775806", "9223372036854775806.."}},
		{"one part of all", whole, keys{list: []int64{math.MinInt64, math.MaxInt64}},
			[]string{"..-4611686018427387904", "-4611686018427387904..0", "0..4611686018427387904", "4611686018427387904.."}},
		{"fixed", fixed, keys{list: numbers(10, 1)}, []string{"..4", "4..8", "8.."}},
		{"fixed with nulls", fixed, keys{list: numbers(1, 1), nulls: 1}, []string{"..", "null"}},
		{"bounded", bounded, keys{list: numbers(10, 1), nulls: 1}, []string{"-5..-1", "-1..3", "3..7"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := cutAll(t, test.o, &test.k)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(test.want, show(got)); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestSplitSize(t *testing.T) {
	tests := []struct {
		asked       int64
		lanes       int
		rows, split int64
	}{
		{asked: 10, lanes: 2, rows: 1_000_000, split: 10},
		{lanes: 1, rows: 0, split: 8096},
		{lanes: 4, rows: 100_000, split: 8096},
		{lanes: 2, rows: 1_600_000, split: 100_000},
		{lanes: 2, rows: 1 << 40, split: 131_072},
		{lanes: 0, rows: 800_000, split: 100_000},
	}
	for _, test := range tests {
		s := &splitter{options: SourceOptions{SplitSize: test.asked}, lanes: test.lanes}
		if got := s.splitSize(test.rows); got != test.split {
			t.Errorf("%+v: %d", test, got)
		}
	}
}

func TestCuttingErrors(t *testing.T) {
	bad := SourceOptions{Query: "q", PartitionColumn: "a", PartitionNum: 3, Lower: "x"}
	if _, err := cutAll(t, bad, &keys{list: numbers(10, 1)}); err == nil ||
		!strings.Contains(err.Error(), `"x" is not a number`) {
		t.Errorf("error %v", err)
	}
	fail := errors.New("gone")
	if _, err := cutAll(t, SourceOptions{SplitSize: 1}, &keys{list: numbers(10, 1), fail: fail}); !errors.Is(err, fail) {
		t.Errorf("error %v", err)
	}
}

// TestNextAfterAnError checks that an error loses no split: the one that was not found comes with the next call.
func TestNextAfterAnError(t *testing.T) {
	k := &keys{list: []int64{1, 2, 3, 1 << 50}}
	s := &splitter{options: SourceOptions{SplitSize: 1}, relations: []*Relation{{Table: abc(t), Key: "a"}}, catalog: k}
	var ids []string
	for i := 0; ; i++ {
		k.fail = nil
		if i%2 == 0 {
			k.fail = context.Canceled
		}
		splits, err := s.Next(t.Context())
		if errors.Is(err, io.EOF) {
			break
		}
		for _, split := range splits {
			ids = append(ids, split.ID)
		}
	}
	if d := cmp.Diff([]string{"db.s.Tab/0", "db.s.Tab/1", "db.s.Tab/2", "db.s.Tab/3"}, ids); d != "" {
		t.Error(d)
	}
}

func TestKeyForms(t *testing.T) {
	for _, v := range []any{int64(math.MinInt64), 0.1, "", "text", []byte{0, 255}} {
		data, err := json.Marshal(Key{v})
		if err != nil {
			t.Fatal(err)
		}
		var back Key
		if err := json.Unmarshal(data, &back); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(v, back.Value); d != "" {
			t.Errorf("%s: %s", data, d)
		}
	}
	var k Key
	for _, bad := range []string{`{}`, `{"i":"x"}`, `[]`} {
		if err := json.Unmarshal([]byte(bad), &k); err == nil {
			t.Errorf("%s is no error", bad)
		}
	}
	if _, err := json.Marshal(Key{true}); err == nil {
		t.Error("a boolean key has a form")
	}
}
