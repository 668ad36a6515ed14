package column

import (
	"math"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/google/go-cmp/cmp"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/config"
)

var sameNaN = cmp.Comparer(func(a, b float64) bool {
	return math.Float64bits(a) == math.Float64bits(b) || math.IsNaN(a) && math.IsNaN(b)
})

// eachForm runs a check on the plain and on a sliced array of a case's values, every second one null.
func eachForm(t *testing.T, check func(t *testing.T, tc typeCase, a arrow.Array)) {
	t.Helper()
	for _, tc := range cases(t) {
		appendAt := func(c Column, i int) error {
			if i%2 == 1 || len(tc.vals) == 0 {
				c.AppendNull()
				return nil
			}
			return AppendValue(c, tc.typ, tc.vals[i/2].in)
		}
		n := max(2*len(tc.vals), 2)
		t.Run(tc.name, func(t *testing.T) { check(t, tc, oneColumn(t, tc.typ, n, appendAt)) })
		t.Run(tc.name+", sliced", func(t *testing.T) { check(t, tc, sliced(t, tc.typ, n, appendAt)) })
	}
}

func (v valueCase) want() any {
	if v.out != nil {
		return v.out
	}
	return v.in
}

func TestValue(t *testing.T) {
	eachForm(t, func(t *testing.T, tc typeCase, a arrow.Array) {
		for i, v := range tc.vals {
			if diff := cmp.Diff(v.want(), Value(a, tc.typ, 2*i), sameNaN); diff != "" {
				t.Errorf("value %d (-want +got):\n%s", i, diff)
			}
		}
		if got := Value(a, tc.typ, 1); got != nil {
			t.Errorf("null reads as %v", got)
		}
	})
}

func TestFormat(t *testing.T) {
	eachForm(t, func(t *testing.T, tc typeCase, a arrow.Array) {
		for i, v := range tc.vals {
			if got := string(FormatText([]byte("<"), a, tc.typ, 2*i, nil)); got != "<"+v.text {
				t.Errorf("text %q, want %q", got, v.text)
			}
			if got := string(FormatJSON([]byte("<"), a, tc.typ, 2*i)); got != "<"+v.json {
				t.Errorf("JSON %s, want %s", got, v.json)
			}
			if got := string(FormatJava([]byte("<"), a, tc.typ, 2*i)); got != "<"+v.java {
				t.Errorf("Java text %s, want %s", got, v.java)
			}
		}
		null := FormatText(nil, a, tc.typ, 1, nil)
		null = FormatJava(append(null, '|'), a, tc.typ, 1)
		null = FormatJSON(append(null, '|'), a, tc.typ, 1)
		if string(null) != "||null" {
			t.Errorf("null looks like %s", null)
		}
	})
}

// readers are the ways to append the value that a case's text forms describe.
var readers = map[string]func(c Column, t plugin.Type, v valueCase) error{
	"text":   func(c Column, t plugin.Type, v valueCase) error { return AppendText(c, t, []byte(v.text), nil) },
	"json":   func(c Column, t plugin.Type, v valueCase) error { return AppendJSON(c, t, []byte(v.json)) },
	"config": func(c Column, t plugin.Type, v valueCase) error { return AppendConfig(c, t, configOf(v.json)) },
	"value":  func(c Column, t plugin.Type, v valueCase) error { return AppendValue(c, t, v.want()) },
}

// configOf reads JSON into a config value.
func configOf(text string) config.Value {
	return configScan(&scanner{text: []byte(text)})
}

func configScan(s *scanner) config.Value {
	switch s.peek() {
	case '"':
		inner, _, _ := s.quoted()
		plain, _ := unescape(nil, inner)
		return config.Value{Kind: config.String, Text: string(plain)}
	case '[':
		v := config.Value{Kind: config.List}
		s.at++
		for !s.take(']') {
			v.Items = append(v.Items, configScan(s))
			s.take(',')
		}
		return v
	case '{':
		v := config.Value{Kind: config.Object}
		s.at++
		for !s.take('}') {
			key, _, _ := s.key()
			v.Members = append(v.Members, config.Member{Key: string(key), Value: configScan(s)})
			s.take(',')
		}
		return v
	case 'n':
		s.at += 4
		return config.Value{Kind: config.Null}
	default:
		text, _ := s.value(0)
		if text[0] == 't' || text[0] == 'f' {
			return config.Value{Kind: config.Bool, Text: string(text)}
		}
		return config.Value{Kind: config.Number, Text: string(text)}
	}
}

func TestReadBack(t *testing.T) {
	for name, read := range readers {
		t.Run(name, func(t *testing.T) {
			for _, tc := range cases(t) {
				want := oneColumn(t, tc.typ, len(tc.vals), func(c Column, i int) error {
					if name == "text" && tc.vals[i].text == "" {
						c.AppendNull()
						return nil
					}
					return AppendValue(c, tc.typ, tc.vals[i].in)
				})
				got := oneColumn(t, tc.typ, len(tc.vals), func(c Column, i int) error {
					return read(c, tc.typ, tc.vals[i])
				})
				for i := range tc.vals {
					if !Equal(want, i, got, i, tc.typ) {
						t.Errorf("%s: %v, want %v", tc.name, Value(got, tc.typ, i), Value(want, tc.typ, i))
					}
				}
			}
		})
	}
}

func TestSize(t *testing.T) {
	eachForm(t, func(t *testing.T, tc typeCase, a arrow.Array) {
		var want int64
		for i, v := range tc.vals {
			want += v.size
			b := Assemble(table(t, tc.typ), []arrow.Array{a}, nil)
			part := b.Slice(2*i, 2*i+1)
			if got := Size(part); got != v.size {
				t.Errorf("value %d has size %d, want %d", i, got, v.size)
			}
			part.Release()
			b.Release()
		}
		b := Assemble(table(t, tc.typ), []arrow.Array{a}, nil)
		defer b.Release()
		if got := Size(b); got != want {
			t.Errorf("size %d, want %d", got, want)
		}
	})
}

func TestTake(t *testing.T) {
	eachForm(t, func(t *testing.T, tc typeCase, a arrow.Array) {
		kinds := make([]plugin.RowKind, a.Len())
		for i := range kinds {
			kinds[i] = plugin.RowKind(i % 4)
		}
		b := Assemble(table(t, tc.typ), []arrow.Array{a}, kinds)
		b.EventTime = 7
		defer b.Release()
		last := int32(a.Len() - 1)
		for _, rows := range [][]int32{{}, {0}, {last}, {last, 0, last, last, 1, 0}, {1, 1, 1}, {0, 1}} {
			got := Take(b, rows, checked(t))
			t.Cleanup(got.Release)
			if got.Len() != len(rows) || got.EventTime != b.EventTime {
				t.Fatalf("%d rows of time %d, want %d of %d", got.Len(), got.EventTime, len(rows), b.EventTime)
			}
			for i, row := range rows {
				if !Equal(a, int(row), got.Rows.Column(0), i, tc.typ) || got.Kind(i) != b.Kind(int(row)) {
					t.Errorf("rows %v: place %d has %v, want %v", rows, i, Value(got.Rows.Column(0), tc.typ, i),
						Value(a, tc.typ, int(row)))
				}
			}
		}
	})
}

func TestConcat(t *testing.T) {
	eachForm(t, func(t *testing.T, tc typeCase, a arrow.Array) {
		tab := table(t, tc.typ)
		kinds := make([]plugin.RowKind, a.Len())
		for i := range kinds {
			kinds[i] = plugin.Delete
		}
		plain, changes := Assemble(tab, []arrow.Array{a}, nil), Assemble(tab, []arrow.Array{a}, kinds)
		defer plain.Release()
		defer changes.Release()
		part := changes.Slice(1, a.Len())
		defer part.Release()
		part.EventTime, changes.EventTime = 5, 4
		got, err := Concat([]plugin.Batch{plain, part, changes}, checked(t))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(got.Release)
		if got.Len() != 3*a.Len()-1 || got.EventTime != 4 || got.Table != tab {
			t.Fatalf("%d rows of time %d", got.Len(), got.EventTime)
		}
		row := 0
		for _, b := range []plugin.Batch{plain, part, changes} {
			for i := range b.Len() {
				if !Equal(b.Rows.Column(0), i, got.Rows.Column(0), row, tc.typ) || got.Kind(row) != b.Kind(i) {
					t.Errorf("row %d has %v", row, Value(got.Rows.Column(0), tc.typ, row))
				}
				row++
			}
		}
	})
}

func TestEqualTellsApart(t *testing.T) {
	eachForm(t, func(t *testing.T, tc typeCase, a arrow.Array) {
		for i := range a.Len() {
			for j := range a.Len() {
				want := i == j || i%2 == 1 && j%2 == 1 || len(tc.vals) == 0
				zeros := tc.name == "double" && Value(a, tc.typ, i) == 0.0 && Value(a, tc.typ, j) == 0.0
				if got := Equal(a, i, a, j, tc.typ); got != want && !zeros {
					t.Errorf("%v equals %v: %v", Value(a, tc.typ, i), Value(a, tc.typ, j), got)
				}
			}
		}
	})
}
