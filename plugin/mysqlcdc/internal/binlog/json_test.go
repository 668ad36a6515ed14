package binlog

import (
	"encoding/binary"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
)

// encodeJSON makes MySQL's binary form of a value, with the small containers.
func encodeJSON(v any) []byte {
	kind, data := jsonParts(v)
	return append([]byte{kind}, data...)
}

func jsonParts(v any) (byte, []byte) {
	switch v := v.(type) {
	case nil:
		return jsonLiteral, []byte{0}
	case bool:
		if v {
			return jsonLiteral, []byte{1}
		}
		return jsonLiteral, []byte{2}
	case int:
		switch {
		case v == int(int16(v)):
			return jsonInt16, u16(uint16(v))
		case v == int(int32(v)):
			return jsonInt32, binary.LittleEndian.AppendUint32(nil, uint32(v))
		}
		return jsonInt64, u64(uint64(v))
	case uint64:
		return jsonUint64, u64(v)
	case float64:
		return jsonDouble, u64(math.Float64bits(v))
	case string:
		return jsonString, append(jsonLength(len(v)), v...)
	case []byte: // an opaque value: its type and its data
		return jsonOpaque, cat(v[0], jsonLength(len(v)-1), v[1:])
	case []any:
		return jsonSmallArray, jsonContainer(nil, v)
	}
	m := v.(map[string]any)
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b string) int {
		if len(a) != len(b) {
			return len(a) - len(b)
		}
		return strings.Compare(a, b)
	})
	values := make([]any, len(keys))
	for i, k := range keys {
		values[i] = m[k]
	}
	return jsonSmallObject, jsonContainer(keys, values)
}

func jsonLength(n int) []byte {
	var b []byte
	for ; n >= 0x80; n >>= 7 {
		b = append(b, byte(n)|0x80)
	}
	return append(b, byte(n))
}

func jsonContainer(keys []string, values []any) []byte {
	at := 4 + 4*len(keys) + 3*len(values)
	var keyEntries, valueEntries, tail []byte
	for _, k := range keys {
		keyEntries = append(append(keyEntries, u16(uint16(at+len(tail)))...), u16(uint16(len(k)))...)
		tail = append(tail, k...)
	}
	for _, v := range values {
		kind, data := jsonParts(v)
		if kind == jsonLiteral {
			data = append(data, 0)
		}
		if kind != jsonLiteral && kind != jsonInt16 && kind != jsonUint16 {
			valueEntries = cat(valueEntries, kind, u16(uint16(at+len(tail))))
			tail = append(tail, data...)
			continue
		}
		valueEntries = cat(valueEntries, kind, data)
	}
	return cat(u16(uint16(len(values))), u16(uint16(at+len(tail))), keyEntries, valueEntries, tail)
}

func TestJSON(t *testing.T) {
	long := strings.Repeat("x", 300)
	for want, b := range map[string][]byte{
		`null`:                      encodeJSON(nil),
		`{"a": 1}`:                  {0, 1, 0, 12, 0, 11, 0, 1, 0, 5, 1, 0, 'a'}, // byte by byte
		`[true, false, null]`:       encodeJSON([]any{true, false, nil}),
		`-32769`:                    encodeJSON(-32769),
		`9223372036854775807`:       encodeJSON(math.MaxInt64),
		`18446744073709551615`:      encodeJSON(uint64(math.MaxUint64)),
		`65535`:                     {jsonUint16, 0xff, 0xff},
		`4294967295`:                {jsonUint32, 0xff, 0xff, 0xff, 0xff},
		`1.0`:                       encodeJSON(1.0),
		`0.0`:                       encodeJSON(0.0),
		`-2.5`:                      encodeJSON(-2.5),
		`100000000000000.0`:         encodeJSON(1e14),
		`1e15`:                      encodeJSON(1e15),
		`1.5e300`:                   encodeJSON(1.5e300),
		`0.000000000000001`:         encodeJSON(1e-15),
		`1e-16`:                     encodeJSON(1e-16),
		`"` + long + `"`:            encodeJSON(long),
		`"\"\\\b\f\n\r\t\u0001é𝄞"`:  encodeJSON("\"\\\b\f\n\r\t\x01é𝄞"),
		`{"b": [{}, []], "aa": ""}`: encodeJSON(map[string]any{"aa": "", "b": []any{map[string]any{}, []any{}}}),
		`[70000, -70000]`:           encodeJSON([]any{70000, -70000}),
		// A large array, whose 32 bit numbers are in their entries.
		`[70000]`: cat(jsonLargeArray, 1, 0, 0, 0, 13, 0, 0, 0, jsonInt32, 0x70, 0x11, 1, 0),
		`12.50`:   encodeJSON(cat(246, 4, 2, 0x8c, 50)),
		// 2015-01-15 23:24:25.120000: the months are 2015 * 13 + 1.
		`"2015-01-15 23:24:25.120000"`: encodeJSON(cat(12, u64(packed64(2015, 1, 15, 23, 24, 25, 120000)))),
		`"2015-01-15"`:                 encodeJSON(cat(10, u64(packed64(2015, 1, 15, 0, 0, 0, 0)))),
		`"-01:02:03.000004"`:           encodeJSON(cat(11, u64(^uint64((1<<12|2<<6|3)<<24|4)+1))),
		`"base64:type252:AAE="`:        encodeJSON([]byte{252, 0, 1}),
	} {
		got, err := appendJSON(nil, b)
		if err != nil || string(got) != want {
			t.Errorf("%x is %s, %v, want %s", b, got, err, want)
		}
	}
	if got, err := appendJSON(nil, nil); string(got) != "null" || err != nil {
		t.Errorf("an empty value is %s, %v", got, err)
	}
}

func packed64(year, month, day, hour, minute, second, micro uint64) uint64 {
	return (((year*13+month)<<5|day)<<17|hour<<12|minute<<6|second)<<24 | micro
}

func TestDamagedJSON(t *testing.T) {
	loop := []byte{jsonSmallArray, 2, 0, 10, 0, jsonSmallArray, 0, 0, jsonSmallArray, 0, 0}
	for _, b := range [][]byte{{jsonInt64, 1}, {jsonLiteral, 9}, {99, 1, 2}, {jsonString, 9, 'a'}, {jsonSmallObject, 1, 0},
		{jsonSmallObject, 1, 0, 9, 0, 99, 0, 1, 0, 5, 1, 0}, {jsonOpaque, 246, 2, 1, 9}, {jsonOpaque, 12, 1, 1}, loop} {
		if got, err := appendJSON(nil, b); !errors.Is(err, errJSON) {
			t.Errorf("%x is %s, %v", b, got, err)
		}
	}
}

func TestPatchJSON(t *testing.T) {
	base := map[string]any{"a": 1, "b": map[string]any{"c": []any{1, 2, 3}, "x y": "z"}}
	change := func(kind int, path string, v ...any) []byte {
		b := cat(kind, len(path), path)
		for _, v := range v {
			b = cat(b, len(encodeJSON(v)), encodeJSON(v))
		}
		return b
	}
	for want, changes := range map[string][]byte{
		`{"a": 1, "b": {"c": [1, 2, 3], "x y": "z"}}`:     nil,
		`{"a": "new", "b": {"c": [1, 2, 3], "x y": "z"}}`: change(patchReplace, "$.a", "new"),
		`{"a": 1, "b": {"c": [1, 9, 2, 3], "x y": "z"}}`:  change(patchInsert, "$.b.c[1]", 9),
		`{"a": 1, "b": {"c": [1, 2, 3, 9], "x y": "z"}}`:  change(patchInsert, "$.b.c[7]", 9),
		`{"a": 1, "b": {"c": [1, 2, 3]}}`:                 change(patchRemove, `$.b."x y"`),
		`{"a": 1, "b": {"d": 2, "c\"": 0, "x y": "z"}}`: cat(change(patchRemove, "$.b.c"), change(patchInsert, "$.b.d", 2),
			change(patchInsert, `$.b."c\""`, 0)),
		`{"a": 1, "b": {"c": [[true], 2, 3], "x y": "z"}}`: cat(change(patchReplace, "$.b.c[0]", []any{false}),
			change(patchReplace, "$.b.c[0][0]", true)),
		`[]`: change(patchReplace, "$", []any{}),
	} {
		got, err := patchJSON(nil, encodeJSON(base), changes)
		if err != nil || string(got) != want {
			t.Errorf("%s, %v, want %s", got, err, want)
		}
	}
	for _, changes := range [][]byte{{9}, change(patchReplace, "$.nothing", 1), change(patchRemove, "$.b.c[3]"),
		change(patchInsert, "$.a", 1), change(patchReplace, "$.a.b", 1), change(patchReplace, "a", 1),
		change(patchReplace, "$[", 1), change(patchReplace, `$."a`, 1), change(patchRemove, "$")} {
		if got, err := patchJSON(nil, encodeJSON(base), changes); err == nil {
			t.Errorf("%q gives %s", changes, got)
		}
	}
}
