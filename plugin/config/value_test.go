package config_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/culvertdata/culvert/plugin/config"
)

func TestLookup(t *testing.T) {
	v := value(t, `{a.b = 1, a { b = 2, c.d = 3, e { f = 4 } }, a.g { h = 5 }, x = 6}`)
	for key, want := range map[string]string{
		"a.b": "1", "a.c.d": "3", "a.e.f": "4", "a.g.h": "5", "x": "6", "a.e": `{"f":4}`,
	} {
		if got, ok := v.Lookup(key); !ok || got.String() != want {
			t.Errorf("Lookup(%q) = %s, %v, want %s", key, got, ok, want)
		}
	}
	for _, key := range []string{"a.z", "x.y", "", ".", "a.", "a.e.f.g", "c"} {
		if got, ok := v.Lookup(key); ok {
			t.Errorf("Lookup(%q) = %s", key, got)
		}
	}
	if _, ok := v.Get("a.e.f"); ok {
		t.Error("Get walks into objects")
	}
}

func TestSet(t *testing.T) {
	v := value(t, `{a = 1, b = 2}`)
	w := v.Set("a", config.TextValue("x")).Set("c", config.TextValue("y"))
	if w.JSON() != `{"a":"x","b":2,"c":"y"}` || v.JSON() != `{"a":1,"b":2}` {
		t.Errorf("got %s from %s", w.JSON(), v.JSON())
	}
	if got := (config.Value{}).Set("a", v).JSON(); got != `{"a":{"a":1,"b":2}}` {
		t.Errorf("got %s", got)
	}
}

func TestMap(t *testing.T) {
	v := value(t, `{a = x, l = [y, {b = z}], n = 1}`)
	up := v.Map(func(v config.Value) config.Value {
		v.Text = strings.ToUpper(v.Text)
		return v
	})
	if up.JSON() != `{"a":"X","l":["Y",{"b":"Z"}],"n":1}` || v.JSON() != `{"a":"x","l":["y",{"b":"z"}],"n":1}` {
		t.Errorf("got %s from %s", up.JSON(), v.JSON())
	}
}

func TestJSONText(t *testing.T) {
	tests := []struct {
		v    config.Value
		want string
	}{
		{config.Value{}, `null`},
		{config.Value{Kind: config.Null}, `null`},
		{config.Value{Kind: config.Bool, Text: "TRUE"}, `true`},
		{config.Value{Kind: config.Number, Text: "12345678901234567890.10"}, `12345678901234567890.10`},
		{config.Value{Kind: config.Number, Text: "007"}, `"007"`},
		{config.TextValue("<a> & \"b\"\n\u2028é"), `"<a> & \"b\"\n\u2028é"`},
		{config.TextValue("a\x00\x1f"), `"a\u0000\u001f"`},
		{config.Value{Kind: config.List}, `[]`},
		{config.Value{Kind: config.Object}, `{}`},
	}
	for _, test := range tests {
		if got := test.v.JSON(); got != test.want || !json.Valid([]byte(got)) {
			t.Errorf("%#v: got %s, want %s", test.v, got, test.want)
		}
	}
	if got := config.TextValue(`"x"`).String(); got != `"x"` {
		t.Errorf("a scalar's String is %s", got)
	}
}

func TestNamesOfKinds(t *testing.T) {
	want := []string{"nothing", "null", "a boolean", "a number", "a text", "a list", "an object"}
	var got []string
	for k := config.None; k <= config.Object; k++ {
		got = append(got, k.String())
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if s := (config.Pos{Line: 3, Col: 7}).String() + (config.Pos{}).String(); s != "3:7" {
		t.Errorf("positions print as %q", s)
	}
}
