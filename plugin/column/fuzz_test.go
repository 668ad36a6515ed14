package column

import (
	"encoding/json"
	"testing"

	"github.com/culvertdata/culvert/plugin"
)

// fuzzTypes are the types that fuzzed text is read as, by number.
func fuzzTypes(t testing.TB) []plugin.Type {
	t.Helper()
	return []plugin.Type{
		plugin.TypeOf(plugin.String), plugin.TypeOf(plugin.Boolean), plugin.TypeOf(plugin.TinyInt), plugin.TypeOf(plugin.BigInt),
		plugin.TypeOf(plugin.Double), plugin.DecimalOf(38, 18), plugin.DecimalOf(5, 2), plugin.TypeOf(plugin.Bytes),
		plugin.TypeOf(plugin.Date), plugin.TypeOf(plugin.Time), plugin.TypeOf(plugin.Timestamp),
		{Kind: plugin.Timestamp, Scale: 9}, plugin.ArrayOf(plugin.TypeOf(plugin.Int)),
		plugin.MapOf(plugin.TypeOf(plugin.String), plugin.ArrayOf(plugin.TypeOf(plugin.String))),
		plugin.RowOf(plugin.Field{Name: "a", Type: plugin.TypeOf(plugin.Int)}, plugin.Field{Name: "b", Type: plugin.TypeOf(plugin.String)}),
	}
}

// fuzzAppend reads text with read, and what was accepted again from what format writes: it must be the same value.
func fuzzAppend(t *testing.T, typ plugin.Type, text []byte, read func(c Column, text []byte) error,
	format func(b plugin.Batch) []byte) {
	b := NewBuilder(table(t, typ), checked(t))
	defer b.Release()
	c := b.Column(0)
	if err := read(c, text); err != nil {
		b.Rollback()
		if c.Len() != 0 {
			t.Fatalf("%d values after a refused one", c.Len())
		}
		return
	}
	b.EndRow(plugin.Insert)
	first := b.Batch()
	defer first.Release()
	again := format(first)
	if err := read(c, again); err != nil {
		t.Fatalf("%s from %q is written as %q, which is refused: %v", typ, text, again, err)
	}
	b.EndRow(plugin.Insert)
	second := b.Batch()
	defer second.Release()
	if !Equal(first.Rows.Column(0), 0, second.Rows.Column(0), 0, typ) {
		t.Fatalf("%s from %q is written as %q and comes back as %v", typ, text, again, Value(second.Rows.Column(0), typ, 0))
	}
}

func FuzzAppendText(f *testing.F) {
	for kind := range fuzzTypes(f) {
		for _, text := range []string{"", " ", "true", "-128", "9223372036854775808", "1.5e-3", "-0.000000000000000001",
			"2024-02-29", "20240229", "2024年02月29日", "23:59:59.999999999", "2024-02-29T10:11:12.5", "20240229101112",
			"2024年02月29日 10时11分12秒", "1\x022", "a\x03b\x03c\x02d", "1\x02x", "\xff", "😀"} {
			f.Add(byte(kind), []byte(text))
		}
	}
	f.Fuzz(func(t *testing.T, kind byte, text []byte) {
		types := fuzzTypes(t)
		typ := types[int(kind)%len(types)]
		fuzzAppend(t, typ, text, func(c Column, text []byte) error { return AppendText(c, typ, text, nil) },
			func(b plugin.Batch) []byte { return FormatText(nil, b.Rows.Column(0), typ, 0, nil) })
	})
}

func FuzzAppendJSON(f *testing.F) {
	for kind := range fuzzTypes(f) {
		for _, text := range []string{"", "null", "true", "-1.5e3", `"2024-02-29"`, `"2024-02-29T10:11:12.5"`, `"AQI="`, `[1,null]`,
			`{"a":1,"b":"\u00e9"}`, `{"x":["y"]}`, `"\ud83d\ude00"`, `[[`, `{"a"`, `"\`, `"NaN"`} {
			f.Add(byte(kind), []byte(text))
		}
	}
	f.Fuzz(func(t *testing.T, kind byte, text []byte) {
		types := fuzzTypes(t)
		typ := types[int(kind)%len(types)]
		fuzzAppend(t, typ, text, func(c Column, text []byte) error { return AppendJSON(c, typ, text) },
			func(b plugin.Batch) []byte {
				out := FormatJSON(nil, b.Rows.Column(0), typ, 0)
				if !json.Valid(out) {
					t.Fatalf("%s from %q is written as %q, which is no JSON", typ, text, out)
				}
				return out
			})
	})
}
