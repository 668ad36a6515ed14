package column

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	mathbig "math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/config"
)

// refused runs an append that must fail, checks that the builder goes on, and returns the error's text.
func refused(t *testing.T, typ plugin.Type, append func(c Column) error) string {
	t.Helper()
	b := NewBuilder(table(t, typ), checked(t))
	defer b.Release()
	err := append(b.Column(0))
	b.Rollback()
	if got := b.Column(0).Len(); got != 0 {
		t.Errorf("%d values after Rollback", got)
	}
	b.Column(0).AppendNull()
	b.EndRow(plugin.Insert)
	batch := b.Batch()
	defer batch.Release()
	if got := Value(batch.Rows.Column(0), typ, 0); got != nil {
		t.Errorf("the value after the refused one is %v, want null", got)
	}
	if err == nil {
		return "no error"
	}
	return err.Error()
}

func TestTextRefuses(t *testing.T) {
	long := strings.Repeat("y", 100)
	for _, tc := range []struct {
		typ  plugin.Type
		text string
		want string // part of the message
	}{
		{plugin.TypeOf(plugin.TinyInt), "128", `"128" cannot be a TINYINT: out of range`},
		{plugin.TypeOf(plugin.TinyInt), "-129", "out of range"},
		{plugin.TypeOf(plugin.SmallInt), "32768", "out of range"},
		{plugin.TypeOf(plugin.Int), "2147483648", "out of range"},
		{plugin.TypeOf(plugin.BigInt), "9223372036854775808", "out of range"},
		{plugin.TypeOf(plugin.BigInt), "-9223372036854775809", "out of range"},
		{plugin.TypeOf(plugin.BigInt), "99999999999999999999999", "out of range"},
		{plugin.TypeOf(plugin.BigInt), " 1", "not a whole number"},
		{plugin.TypeOf(plugin.BigInt), "1.0", "not a whole number"},
		{plugin.TypeOf(plugin.BigInt), "-", "not a whole number"},
		{plugin.TypeOf(plugin.Double), "1,5", "not a number"},
		{plugin.TypeOf(plugin.Double), "1e999", "out of range"},
		{plugin.TypeOf(plugin.Float), "1e39", "out of range"},
		{plugin.TypeOf(plugin.Boolean), "yes", "only true is true"},
		{plugin.TypeOf(plugin.Boolean), "1", "only true is true"},
		{plugin.DecimalOf(5, 2), "1.234", `"1.234" cannot be a Decimal(5, 2): more than 2 digits behind the point`},
		{plugin.DecimalOf(5, 2), "1234", "more than 5 digits"},
		{plugin.DecimalOf(5, 2), "1e4", "more than 5 digits"},
		{plugin.DecimalOf(5, 2), "1e99999", "more than 5 digits"},
		{plugin.DecimalOf(5, 2), "1e-99999", "digits behind the point"},
		{plugin.DecimalOf(5, 2), "1e9999999999999999999", "not a number"},
		{plugin.DecimalOf(38, 0), strings.Repeat("9", 39), "more than 38 digits"},
		{plugin.DecimalOf(5, 2), "1.2.3", "not a number"},
		{plugin.DecimalOf(5, 2), ".", "not a number"},
		{plugin.DecimalOf(5, 2), "NaN", "not a number"},
		{plugin.TypeOf(plugin.String), "a\xff", "not valid UTF-8; declare the column as bytes"},
		{plugin.TypeOf(plugin.Date), "2023-02-29", "no such day"},
		{plugin.TypeOf(plugin.Date), "0000-01-01", "no such day"},
		{plugin.TypeOf(plugin.Date), "2024-13-01", "no such day"},
		{plugin.TypeOf(plugin.Date), "2024-1-1", "not a date such as"},
		{plugin.TypeOf(plugin.Date), "2024-01/01", "not a date such as"},
		{plugin.TypeOf(plugin.Time), "24:00:00", "no such time of day"},
		{plugin.TypeOf(plugin.Time), "1:00:00", "not a time such as"},
		{plugin.TypeOf(plugin.Time), "10:00:00.", "not a time such as"},
		{plugin.TypeOf(plugin.Time), "10:00:00.0000001", "declare the column as time(9)"},
		{plugin.TypeOf(plugin.Timestamp), "2024-01-01 10:00", "not a date and time such as"},
		{plugin.TypeOf(plugin.Timestamp), "2024/01/01T10:00:00", "not a date and time such as"},
		{plugin.TypeOf(plugin.Timestamp), "2024-02-30 10:00:00", "no such day"},
		{plugin.TypeOf(plugin.Timestamp), "2024-02-28 25:00:00", "no such time of day"},
		{plugin.TypeOf(plugin.Timestamp), "2024-01-01 10:00:00.1234567", "declare the column as timestamp(9)"},
		{plugin.TypeOf(plugin.Timestamp), "2024-01-01 10:00:00.1234567891", "not a date and time such as"},
		{plugin.Type{Kind: plugin.Timestamp, Scale: 9}, "2263-01-01 00:00:00", "1678 to 2261"},
		{plugin.Type{Kind: plugin.Timestamp, Scale: 9}, "1677-01-01 00:00:00", "1678 to 2261"},
		{plugin.TypeOf(plugin.Int), long, strings.Repeat("y", 64) + `"... cannot be`},
		{plugin.ArrayOf(plugin.TypeOf(plugin.Int)), "1\x02x", `element 1: "x" cannot be a INT`},
		{plugin.MapOf(plugin.TypeOf(plugin.Int), plugin.TypeOf(plugin.Int)), "1\x03x", `map value of 1: "x"`},
		{plugin.MapOf(plugin.TypeOf(plugin.Int), plugin.TypeOf(plugin.Int)), "\x031", "a map key is null"},
		{plugin.RowOf(plugin.Field{Name: "f", Type: plugin.TypeOf(plugin.Int)}), "x", `field f: "x"`},
		{deep(7), "x", "separators for 6 levels"},
	} {
		got := refused(t, tc.typ, func(c Column) error { return AppendText(c, tc.typ, []byte(tc.text), nil) })
		if !strings.Contains(got, tc.want) {
			t.Errorf("%s from %q: %s; want %s", tc.typ, tc.text, got, tc.want)
		}
	}
}

func deep(n int) plugin.Type {
	t := plugin.TypeOf(plugin.Int)
	for range n {
		t = plugin.ArrayOf(t)
	}
	return t
}

func TestTextAccepts(t *testing.T) {
	at := time.Date(2024, 2, 29, 10, 11, 12, 0, time.UTC)
	for _, tc := range []struct {
		typ  plugin.Type
		text string
		want any
	}{
		{plugin.TypeOf(plugin.String), " \t\u3000", nil},
		{plugin.TypeOf(plugin.String), "\u00a0", "\u00a0"},
		{plugin.TypeOf(plugin.String), " a ", " a "},
		{plugin.TypeOf(plugin.Int), "  ", nil},
		{plugin.TypeOf(plugin.Int), "+7", int32(7)},
		{plugin.TypeOf(plugin.Double), " 1.5 ", 1.5},
		{plugin.TypeOf(plugin.Boolean), "TRUE", true},
		{plugin.TypeOf(plugin.Boolean), "False", false},
		{plugin.TypeOf(plugin.Boolean), "no", false},
		{plugin.DecimalOf(5, 2), "1.50000", dec(t, "1.5", 2)},
		{plugin.DecimalOf(5, 2), "0.0000", dec(t, "0", 2)},
		{plugin.DecimalOf(5, 2), "00000000000000001.", dec(t, "1", 2)},
		{plugin.DecimalOf(5, 2), "-1.5E+2", dec(t, "-150", 2)},
		{plugin.DecimalOf(5, 2), "12000e-4", dec(t, "1.2", 2)},
		{plugin.DecimalOf(5, 2), "0e999", dec(t, "0", 2)},
		{plugin.TypeOf(plugin.Date), "2024.02.29", day(2024, 2, 29)},
		{plugin.TypeOf(plugin.Date), "20240229", day(2024, 2, 29)},
		{plugin.TypeOf(plugin.Date), "2024年02月29日", day(2024, 2, 29)},
		{plugin.TypeOf(plugin.Time), "10:11", 10*time.Hour + 11*time.Minute},
		{plugin.TypeOf(plugin.Time), "10:11:12.000001000", 36672*time.Second + time.Microsecond},
		{plugin.TypeOf(plugin.Timestamp), "2024-02-29T10:11:12", at},
		{plugin.TypeOf(plugin.Timestamp), "2024/02/29 10:11:12.5", at.Add(500 * time.Millisecond)},
		{plugin.TypeOf(plugin.Timestamp), "2024.02.29 10:11:12", at},
		{plugin.TypeOf(plugin.Timestamp), "20240229101112", at},
		{plugin.TypeOf(plugin.Timestamp), "2024年02月29日 10时11分12秒", at},
		{plugin.TypeOf(plugin.Timestamp), "2024-02-29 10:11:12.123456000", at.Add(123456 * time.Microsecond)},
		{plugin.Type{Kind: plugin.Timestamp, Scale: 3}, "2024-02-29 10:11:12.123456", at.Add(123456 * time.Microsecond)},
		{plugin.TypeOf(plugin.Null), "anything", nil},
	} {
		a := oneColumn(t, tc.typ, 1, func(c Column, _ int) error { return AppendText(c, tc.typ, []byte(tc.text), nil) })
		if diff := cmp.Diff(tc.want, Value(a, tc.typ, 0)); diff != "" {
			t.Errorf("%s from %q: %s", tc.typ, tc.text, diff)
		}
	}
}

func TestJSON(t *testing.T) {
	row := plugin.RowOf(plugin.Field{Name: "a", Type: plugin.TypeOf(plugin.Int)},
		plugin.Field{Name: "b", Type: plugin.TypeOf(plugin.String)})
	for _, tc := range []struct {
		typ  plugin.Type
		json string
		want any // an error: part of the message
	}{
		{plugin.TypeOf(plugin.String), ` {"a" : [ 1, "x y\" {" ] } `, `{"a":[1,"x y\" {"]}`},
		{plugin.TypeOf(plugin.String), `1.10`, "1.10"},
		{plugin.TypeOf(plugin.String), `true`, "true"},
		{plugin.TypeOf(plugin.String), `"\u00e9\ud83d\ude00\/"`, "é😀/"},
		{plugin.TypeOf(plugin.String), `"\ud83d"`, errors.New("surrogate")},
		{plugin.TypeOf(plugin.String), "\"a\nb\"", errors.New("control character")},
		{plugin.TypeOf(plugin.String), `"a`, errors.New("a quote is missing")},
		{plugin.TypeOf(plugin.String), `"\x"`, errors.New("unknown escape")},
		{plugin.TypeOf(plugin.String), `"\u12"`, errors.New("escape is not complete")},
		{plugin.TypeOf(plugin.String), "\"\xff\"", errors.New("not valid UTF-8")},
		{plugin.TypeOf(plugin.String), "{\"a\":\"\xff\"}", errors.New("not valid UTF-8")},
		{plugin.TypeOf(plugin.String), "[1,]", errors.New("no value starts here")},
		{plugin.TypeOf(plugin.String), "[1 2]", errors.New("comma")},
		{plugin.TypeOf(plugin.String), `{"a" 1}`, errors.New("colon")},
		{plugin.TypeOf(plugin.String), `{a:1}`, errors.New("name is missing")},
		{plugin.TypeOf(plugin.String), strings.Repeat("[", 100_000), errors.New("nests too deep")},
		{plugin.TypeOf(plugin.Int), "01", errors.New("something follows")},
		{plugin.TypeOf(plugin.Int), "1 2", errors.New("something follows")},
		{plugin.TypeOf(plugin.Int), "", errors.New("ends too early")},
		{plugin.TypeOf(plugin.Int), "-", errors.New("digit")},
		{plugin.TypeOf(plugin.Int), "1.", errors.New("digit")},
		{plugin.TypeOf(plugin.Int), "1e", errors.New("digit")},
		{plugin.TypeOf(plugin.Int), "1.0", int32(1)},
		{plugin.TypeOf(plugin.Int), "1e3", int32(1000)},
		{plugin.TypeOf(plugin.Int), "1.5", errors.New("not a whole number")},
		{plugin.TypeOf(plugin.Int), `" 12 "`, int32(12)},
		{plugin.TypeOf(plugin.Int), "3000000000", errors.New("out of range")},
		{plugin.TypeOf(plugin.Int), "[1]", errors.New("an array")},
		{plugin.TypeOf(plugin.Boolean), `"TRUE"`, true},
		{plugin.TypeOf(plugin.Boolean), `" true "`, true},
		{plugin.TypeOf(plugin.Boolean), `1`, errors.New("only true is true")},
		{plugin.TypeOf(plugin.Double), `"1.5"`, 1.5},
		{plugin.TypeOf(plugin.Bytes), `"AQI="`, []byte{1, 2}},
		{plugin.TypeOf(plugin.Bytes), `"AQI"`, errors.New("not base64")},
		{plugin.TypeOf(plugin.Bytes), `12`, errors.New("base64")},
		{plugin.TypeOf(plugin.Date), `"2024\/01\/02"`, day(2024, 1, 2)},
		{plugin.TypeOf(plugin.Date), `""`, errors.New("not a date")},
		{plugin.TypeOf(plugin.Null), `{"a":1}`, nil},
		{row, `{"x":[{}],"b":"s","a":1}`, []any{int32(1), "s"}},
		{row, `{"a":1,"a":2}`, []any{int32(2), nil}},
		{row, `{}`, []any{nil, nil}},
		{row, `{"\u0061":5}`, []any{int32(5), nil}},
		{row, `[1, "s", {"x":[0]}, 2]`, []any{int32(1), "s"}},
		{row, `[1]`, []any{int32(1), nil}},
		{row, `[]`, []any{nil, nil}},
		{row, `[null, "s"]`, []any{nil, "s"}},
		{row, `["x"]`, errors.New("field a")},
		{row, `[1 "s"]`, errors.New("comma")},
		{row, `[1, "s", [}]`, errors.New("no value starts here")},
		{row, `{"a":"x"}`, errors.New("field a")},
		{plugin.MapOf(plugin.TypeOf(plugin.Null), plugin.TypeOf(plugin.Int)), `{"a":1}`, errors.New("a map key is null")},
		{plugin.MapOf(plugin.TypeOf(plugin.Int), plugin.TypeOf(plugin.Int)), `{"a":1}`, errors.New("map key")},
		{plugin.ArrayOf(plugin.TypeOf(plugin.Int)), `{"a":1}`, errors.New("an object")},
	} {
		if want, ok := tc.want.(error); ok {
			got := refused(t, tc.typ, func(c Column) error { return AppendJSON(c, tc.typ, []byte(tc.json)) })
			if !strings.Contains(got, want.Error()) {
				t.Errorf("%s from %.40q: %s; want %v", tc.typ, tc.json, got, want)
			}
			continue
		}
		a := oneColumn(t, tc.typ, 1, func(c Column, _ int) error { return AppendJSON(c, tc.typ, []byte(tc.json)) })
		if diff := cmp.Diff(tc.want, Value(a, tc.typ, 0)); diff != "" {
			t.Errorf("%s from %q: %s", tc.typ, tc.json, diff)
		}
	}
}

func TestJSONRow(t *testing.T) {
	b := NewBuilder(threeColumns(t), checked(t))
	defer b.Release()
	for _, text := range []string{`{"name":"a","id":1,"price":2}`, `{"more":{"id":[7]},"price":"1.5"}`, ` { } `,
		`{"id":1,"name":"x","price":1,"id":2}`} {
		if err := b.AppendJSON(plugin.Insert, []byte(text)); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
	for text, want := range map[string]string{
		`{"id":1,"name":"lost","price":"x"}`: `column price: "x" cannot be a DOUBLE`,
		`[1]`:                                "an object is missing",
		`{"id":1} {`:                         "something follows",
		`{"id":1`:                            "comma",
	} {
		if err := b.AppendJSON(plugin.Insert, []byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
	batch := b.Batch()
	defer batch.Release()
	want := [][]any{{"+I", int64(1), "a", 2.0}, {"+I", nil, nil, 1.5}, {"+I", nil, nil, nil}, {"+I", int64(2), "x", 1.0}}
	if diff := cmp.Diff(want, rowsOf(batch)); diff != "" {
		t.Error(diff)
	}
}

type named string

type stringer struct{}

func (stringer) String() string { return "12.5" }

func TestGoValues(t *testing.T) {
	number := 5
	var none *int
	zone := time.FixedZone("", 3600)
	for _, tc := range []struct {
		typ  plugin.Type
		in   any
		want any // an error: part of the message
	}{
		{plugin.TypeOf(plugin.Int), &number, int32(5)},
		{plugin.TypeOf(plugin.Int), none, nil},
		{plugin.TypeOf(plugin.Int), sql.NullInt64{}, nil},
		{plugin.TypeOf(plugin.Int), sql.NullInt64{Int64: 3, Valid: true}, int32(3)},
		{plugin.TypeOf(plugin.Int), uint64(math.MaxUint64), errors.New("out of range")},
		{plugin.TypeOf(plugin.Int), int64(math.MaxInt32) + 1, errors.New("out of range")},
		{plugin.TypeOf(plugin.Int), 2.0, int32(2)},
		{plugin.TypeOf(plugin.Int), 2.5, errors.New("not a whole number")},
		{plugin.TypeOf(plugin.BigInt), math.NaN(), errors.New("not a whole number")},
		{plugin.TypeOf(plugin.BigInt), math.Inf(1), errors.New("out of range")},
		{plugin.TypeOf(plugin.BigInt), float64(1 << 63), errors.New("out of range")},
		{plugin.TypeOf(plugin.BigInt), json.Number("12"), int64(12)},
		{plugin.TypeOf(plugin.BigInt), true, errors.New("a Go bool does not convert")},
		{plugin.TypeOf(plugin.Float), 1e300, errors.New("out of range")},
		{plugin.TypeOf(plugin.Float), 1<<24 + 1, errors.New("more digits")},
		{plugin.TypeOf(plugin.Double), int64(math.MaxInt64), errors.New("more digits")},
		{plugin.TypeOf(plugin.Double), uint64(1 << 63), float64(1 << 63)},
		{plugin.TypeOf(plugin.Double), []byte("1.5"), 1.5},
		{plugin.DecimalOf(5, 2), 1.25, dec(t, "1.25", 2)},
		{plugin.DecimalOf(5, 2), 0.30000000000000004, errors.New("digits behind the point")},
		{plugin.DecimalOf(5, 2), dec(t, "1.2000", 4), dec(t, "1.20", 2)},
		{plugin.DecimalOf(5, 2), dec(t, "1.2345", 4), errors.New("digits behind the point")},
		{plugin.DecimalOf(5, 2), dec(t, "12345.67", 2), errors.New("more than 5 digits")},
		{plugin.DecimalOf(5, 2), mathbig.NewInt(7), dec(t, "7", 2)},
		{plugin.DecimalOf(5, 2), (*mathbig.Int)(nil), nil},
		{plugin.DecimalOf(5, 2), stringer{}, dec(t, "12.5", 2)},
		{plugin.TypeOf(plugin.Boolean), 1, true},
		{plugin.TypeOf(plugin.Boolean), "FALSE", false},
		{plugin.TypeOf(plugin.Boolean), 2, errors.New("only true, false")},
		{plugin.TypeOf(plugin.String), named("x"), "x"},
		{plugin.TypeOf(plugin.String), 1.5, "1.5"},
		{plugin.TypeOf(plugin.String), stringer{}, "12.5"},
		{plugin.TypeOf(plugin.String), []byte{0xff}, errors.New("not valid UTF-8")},
		{plugin.TypeOf(plugin.String), []int{1}, errors.New("a Go []int does not convert")},
		{plugin.TypeOf(plugin.Bytes), [2]byte{1, 2}, []byte{1, 2}},
		{plugin.TypeOf(plugin.Bytes), []byte(nil), nil},
		{plugin.TypeOf(plugin.Bytes), json.RawMessage("x"), []byte("x")},
		{plugin.TypeOf(plugin.Date), day(2024, 1, 2).Add(1), errors.New("a date has no time of day")},
		{plugin.TypeOf(plugin.Date), day(10000, 1, 2), errors.New("out of range")},
		{plugin.TypeOf(plugin.Time), 24 * time.Hour, errors.New("less than 24 hours")},
		{plugin.TypeOf(plugin.Time), day(1970, 1, 1).Add(time.Hour), time.Hour},
		{plugin.TypeOf(plugin.Time), day(2024, 1, 1).Add(time.Hour), errors.New("a time of day has no day")},
		{plugin.TypeOf(plugin.Timestamp), time.Date(2024, 1, 2, 3, 4, 5, 6000, zone),
			time.Date(2024, 1, 2, 3, 4, 5, 6000, time.UTC)},
		{plugin.TypeOf(plugin.Timestamp), time.Date(2024, 1, 2, 3, 4, 5, 6, zone), errors.New("timestamp(9)")},
		{plugin.TypeOf(plugin.Timestamp), 5, errors.New("a Go int does not convert")},
		{plugin.TypeOf(plugin.Null), 5, errors.New("nulls only")},
		{plugin.ArrayOf(plugin.TypeOf(plugin.Int)), []string{"1", "x"}, errors.New("element 1")},
		{plugin.ArrayOf(plugin.TypeOf(plugin.Int)), []int(nil), nil},
		{plugin.ArrayOf(plugin.TypeOf(plugin.Int)), 5, errors.New("which takes a slice")},
		{plugin.MapOf(plugin.TypeOf(plugin.String), plugin.TypeOf(plugin.Int)), map[*string]int{nil: 1},
			errors.New("a map key is null")},
		{plugin.MapOf(plugin.TypeOf(plugin.String), plugin.TypeOf(plugin.Int)), map[string]int(nil), nil},
		{plugin.MapOf(plugin.TypeOf(plugin.String), plugin.TypeOf(plugin.Int)), []int{1}, errors.New("a map or [][2]any")},
		{plugin.RowOf(plugin.Field{Name: "a", Type: plugin.TypeOf(plugin.Int)}), []any{1, 2}, errors.New("takes 1 values")},
		{plugin.RowOf(plugin.Field{Name: "a", Type: plugin.TypeOf(plugin.Int)}), map[string]any{"z": 1},
			errors.New("no field z")},
		{plugin.RowOf(plugin.Field{Name: "a", Type: plugin.TypeOf(plugin.Int)}), []any(nil), nil},
	} {
		if want, ok := tc.want.(error); ok {
			got := refused(t, tc.typ, func(c Column) error { return AppendValue(c, tc.typ, tc.in) })
			if !strings.Contains(got, want.Error()) {
				t.Errorf("%s from %#v: %s; want %v", tc.typ, tc.in, got, want)
			}
			continue
		}
		a := oneColumn(t, tc.typ, 1, func(c Column, _ int) error { return AppendValue(c, tc.typ, tc.in) })
		if diff := cmp.Diff(tc.want, Value(a, tc.typ, 0)); diff != "" {
			t.Errorf("%s from %#v: %s", tc.typ, tc.in, diff)
		}
	}
}

func TestConfigRefuses(t *testing.T) {
	row := plugin.RowOf(plugin.Field{Name: "a", Type: plugin.TypeOf(plugin.Int)})
	list := config.Value{Kind: config.List, Items: []config.Value{config.TextValue("1"), config.TextValue("x")}}
	for _, tc := range []struct {
		typ  plugin.Type
		v    config.Value
		want string
	}{
		{plugin.TypeOf(plugin.Int), list, `"[\"1\",\"x\"]" cannot be a INT: the value is a list`},
		{plugin.ArrayOf(plugin.TypeOf(plugin.Int)), list, "element 1"},
		{row, list, "takes 1 values, not 2"},
		{row, config.Value{}.Set("a", config.TextValue("x")), "field a"},
		{plugin.MapOf(plugin.TypeOf(plugin.Int), row), config.Value{}.Set("a", list), "map key"},
		{plugin.TypeOf(plugin.Date), config.TextValue("today"), "not a date"},
	} {
		got := refused(t, tc.typ, func(c Column) error { return AppendConfig(c, tc.typ, tc.v) })
		if !strings.Contains(got, tc.want) {
			t.Errorf("%s from %s: %s; want %s", tc.typ, tc.v, got, tc.want)
		}
	}
}

func TestConfigRow(t *testing.T) {
	row := plugin.RowOf(plugin.Field{Name: "a", Type: plugin.TypeOf(plugin.Int)},
		plugin.Field{Name: "b", Type: plugin.TypeOf(plugin.String)})
	one, x := config.TextValue("1"), config.TextValue("x")
	for _, tc := range []struct {
		v    config.Value
		want []any
	}{
		{config.Value{Kind: config.List, Items: []config.Value{one, x}}, []any{int32(1), "x"}},
		{config.Value{Kind: config.List, Items: []config.Value{one}}, []any{int32(1), nil}},
		{config.Value{}.Set("b", x), []any{nil, "x"}},
	} {
		a := oneColumn(t, row, 1, func(c Column, _ int) error { return AppendConfig(c, row, tc.v) })
		if diff := cmp.Diff(any(tc.want), Value(a, row, 0)); diff != "" {
			t.Errorf("%s: %s", tc.v, diff)
		}
	}
}

func TestTextFormats(t *testing.T) {
	at := plugin.TypeOf(plugin.Timestamp)
	clock := plugin.TypeOf(plugin.Time)
	date := plugin.TypeOf(plugin.Date)
	for _, tc := range []struct {
		typ  plugin.Type
		o    TextOptions
		in   string
		want string
	}{
		{date, TextOptions{Date: "yyyy.MM.dd"}, "2024-02-29", "2024.02.29"},
		{date, TextOptions{Date: "yyyy/MM/dd"}, "2024-02-29", "2024/02/29"},
		{clock, TextOptions{}, "10:11:12.5", "10:11:12.5"},
		{clock, TextOptions{Time: "HH:mm:ss"}, "10:11:12.5", "10:11:12"},
		{clock, TextOptions{Time: "HH:mm:ss.SSS"}, "10:11:12.5", "10:11:12.500"},
		{at, TextOptions{}, "2024-02-29 10:11:12.5", "2024-02-29 10:11:12.5"},
		{at, TextOptions{DateTime: "yyyy-MM-dd HH:mm:ss"}, "2024-02-29 10:11:12.5", "2024-02-29 10:11:12"},
		{at, TextOptions{DateTime: "yyyy-MM-dd HH:mm:ss.SSSSSS"}, "2024-02-29 10:11:12.5", "2024-02-29 10:11:12.500000"},
		{at, TextOptions{DateTime: "yyyy.MM.dd HH:mm:ss"}, "2024-02-29 10:11:12", "2024.02.29 10:11:12"},
		{at, TextOptions{DateTime: "yyyy/MM/dd HH:mm:ss"}, "2024-02-29 10:11:12", "2024/02/29 10:11:12"},
		{at, TextOptions{DateTime: "yyyyMMddHHmmss"}, "2024-02-29 10:11:12", "20240229101112"},
		{at, TextOptions{DateTime: "yyyy-MM-dd'T'HH:mm:ss"}, "2024-02-29 10:11:12", "2024-02-29T10:11:12"},
		{at, TextOptions{DateTime: "yyyy-MM-dd'T'HH:mm:ss.SSS"}, "2024-02-29 10:11:12", "2024-02-29T10:11:12.000"},
		{at, TextOptions{DateTime: "yyyy-MM-dd'T'HH:mm:ss.SSSSSS"}, "2024-02-29 10:11:12", "2024-02-29T10:11:12.000000"},
		{at, TextOptions{DateTime: "yyyy-MM-dd'T'HH:mm:ss.SSSSSSSSS"}, "2024-02-29 10:11:12.1",
			"2024-02-29T10:11:12.100000000"},
		{plugin.ArrayOf(date), TextOptions{Separators: [6]string{";"}}, "2024-02-29;20240301", "2024-02-29;2024-03-01"},
	} {
		f, err := NewTextFormat(tc.o)
		if err != nil {
			t.Fatal(err)
		}
		a := oneColumn(t, tc.typ, 1, func(c Column, _ int) error { return AppendText(c, tc.typ, []byte(tc.in), f) })
		if got := string(FormatText(nil, a, tc.typ, 0, f)); got != tc.want {
			t.Errorf("%+v: %s, want %s", tc.o, got, tc.want)
		}
	}
	for _, o := range []TextOptions{{Date: "dd.MM.yyyy"}, {Time: "HH:mm"}, {DateTime: "yyyy-MM-dd"}} {
		if _, err := NewTextFormat(o); err == nil || !strings.Contains(err.Error(), "is none of") {
			t.Errorf("%+v: %v", o, err)
		}
	}
}

func TestNoAllocations(t *testing.T) {
	more := append(slices.Clone(textBenchmarks), struct {
		name string
		typ  plugin.Type
		text string
		json string
	}{"power of ten", plugin.TypeOf(plugin.Double), "1.0E10", "1e10"})
	for _, bench := range more {
		b := NewBuilder(table(t, bench.typ), NewPool())
		c := b.Column(0)
		c.Reserve(4096)
		if text, ok := c.(*Text); ok {
			text.ReserveBytes(1 << 18)
		}
		text, object := []byte(bench.text), []byte(bench.json)
		buf := make([]byte, 0, 1024)
		a := oneColumn(t, bench.typ, 1, func(c Column, _ int) error { return AppendText(c, bench.typ, text, nil) })
		for name, f := range map[string]func() error{
			"AppendText": func() error { return AppendText(c, bench.typ, text, nil) },
			"AppendJSON": func() error { return AppendJSON(c, bench.typ, object) },
			"FormatText": func() error { buf = FormatText(buf[:0], a, bench.typ, 0, nil); return nil },
			"FormatJSON": func() error { buf = FormatJSON(buf[:0], a, bench.typ, 0); return nil },
			"FormatJava": func() error { buf = FormatJava(buf[:0], a, bench.typ, 0); return nil },
		} {
			var err error
			if n := testing.AllocsPerRun(100, func() { err = errors.Join(err, f()) }); n > 0 || err != nil {
				t.Errorf("%s of %s: %v allocations, error %v", name, bench.name, n, err)
			}
		}
	}
}

func TestCivilAgainstTime(t *testing.T) {
	for days := int64(-719162); days <= 2932896; days += 97 {
		want := time.Unix(days*secondsOfDay, 0).UTC()
		y, m, d := civil(days)
		if got := fmt.Sprintf("%04d-%02d-%02d", y, m, d); got != want.Format(time.DateOnly) {
			t.Fatalf("day %d is %s, want %s", days, got, want.Format(time.DateOnly))
		}
		if back, err := daysOf(y, m, d); err != nil || int64(back) != days {
			t.Fatalf("day %d comes back as %d, %v", days, back, err)
		}
	}
}
