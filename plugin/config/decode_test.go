package config_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/culvertdata/culvert/plugin/config"
	"github.com/culvertdata/culvert/plugin/config/hocon"
)

func value(t testing.TB, text string) config.Value {
	t.Helper()
	v, err := hocon.ParseValue([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func messages(ps config.Problems) []string {
	var out []string
	for _, p := range ps {
		out = append(out, p.String())
	}
	return out
}

// even reads whole even numbers itself.
type even int

func (e *even) DecodeConfig(v config.Value) error {
	if _, err := fmt.Sscan(v.Text, (*int)(e)); err != nil {
		return errors.New("must be a number")
	}
	if *e%2 != 0 {
		return &config.Error{Problems: config.Problems{
			{Path: "half", Pos: v.Pos, Text: "is no whole number"}, {Pos: v.Pos, Text: "is odd", Warning: true}}}
	}
	return nil
}

type shared struct {
	Retries int `opt:"retries" default:"3" min:"0" max:"9" help:"Attempts."`
}

type item struct {
	Name string `opt:"name" required:"true" help:"Name."`
	Size int    `opt:"size" default:"7" help:"Size."`
}

type everything struct {
	shared
	Text     string            `opt:"text" help:"A text."`
	Flag     bool              `opt:"flag" default:"true" help:"A flag."`
	Tiny     int8              `opt:"tiny" help:"A small number."`
	Long     int64             `opt:"long" help:"A number."`
	Count    uint16            `opt:"count" help:"A count."`
	Ratio    float64           `opt:"ratio" min:"0" max:"1" help:"A ratio."`
	Single   float32           `opt:"single" help:"A float."`
	Wait     time.Duration     `opt:"wait" unit:"ms" default:"500" min:"10" help:"A pause."`
	MaxWait  *time.Duration    `opt:"max_wait" unit:"s" help:"The longest pause."`
	Mode     string            `opt:"mode" default:"FAST" enum:"FAST,SLOW" help:"A mode."`
	Modes    []string          `opt:"modes" enum:"a,b" help:"Modes."`
	Names    []string          `opt:"names,old.names" help:"Names."`
	Numbers  []int             `opt:"numbers" default:"1,2" min:"1" help:"Numbers."`
	Matrix   [][]int           `opt:"matrix" help:"Lists of numbers."`
	Maybe    *int              `opt:"maybe" help:"Perhaps a number."`
	Props    map[string]string `opt:"props" help:"Texts by name."`
	Limits   map[string]int    `opt:"limits" help:"Numbers by name."`
	Raw      config.Value      `opt:"raw" help:"Anything."`
	Even     even              `opt:"even" help:"An even number."`
	Evens    []even            `opt:"evens" help:"Even numbers."`
	Item     item              `opt:"item" help:"An object."`
	ItemRef  *item             `opt:"item_ref" help:"Perhaps an object."`
	Items    []item            `opt:"items" help:"Objects."`
	Password string            `opt:"password,secret_key" secret:"true" help:"Password."`
	Pin      int               `opt:"login.pin" secret:"true" help:"Secret number."`
}

func TestDecode(t *testing.T) {
	seven, second := 7, 1500*time.Millisecond
	tests := []struct {
		name, text string
		want       func(o *everything)
	}{
		{"defaults", `{item {name = x}}`, func(o *everything) {}},
		{"scalars",
			`{text = 5, flag = FALSE, tiny = "-128", long = 9223372036854775807, count = 65535, ratio = 0.5, single = 1e3}`,
			func(o *everything) {
				o.Text, o.Flag, o.Tiny, o.Long, o.Count, o.Ratio, o.Single = "5", false, -128, 1<<63-1, 65535, 0.5, 1000
			}},
		{"whole numbers written otherwise", `{tiny = 5.0, long = 1e3}`, func(o *everything) { o.Tiny, o.Long = 5, 1000 }},
		{"a text from an object", `{text = {a = [1, x]}}`, func(o *everything) { o.Text = `{"a":[1,"x"]}` }},
		{"embedded", `{retries = 9}`, func(o *everything) { o.Retries = 9 }},
		{"duration in the unit", `{wait = 1500, max_wait = 1.5}`, func(o *everything) {
			o.Wait, o.MaxWait = second,
				&second
		}},
		{"duration with units", `{wait = 1s500ms, max_wait = "1500ms"}`, func(o *everything) {
			o.Wait,
				o.MaxWait = second, &second
		}},
		{"enum in any case", `{mode = slow, modes = [A, b]}`, func(o *everything) {
			o.Mode, o.Modes = "SLOW",
				[]string{"a", "b"}
		}},
		{"list", `{names = [a, 1], numbers = ["3", 4]}`, func(o *everything) {
			o.Names, o.Numbers = []string{"a", "1"},
				[]int{3, 4}
		}},
		{"list in a text", `{names = "a, b ,c", numbers = 5}`, func(o *everything) {
			o.Names, o.Numbers = []string{"a",
				"b", "c"}, []int{5}
		}},
		{"empty lists", `{names = "", numbers = []}`, func(o *everything) { o.Names, o.Numbers = []string{}, []int{} }},
		{"list of lists", `{matrix = [[1, 2], [], "3,4"]}`, func(o *everything) { o.Matrix = [][]int{{1, 2}, {}, {3, 4}} }},
		{"alias", `{old.names = [a]}`, func(o *everything) { o.Names = []string{"a"} }},
		{"alias as nested objects", `{old { names = [a] }}`, func(o *everything) { o.Names = []string{"a"} }},
		{"pointer", `{maybe = 7}`, func(o *everything) { o.Maybe = &seven }},
		{"maps", `{props {a.b = 1, c = x}, limits {d = 2}}`,
			func(o *everything) {
				o.Props, o.Limits = map[string]string{"a.b": "1", "c": "x"}, map[string]int{"d": 2}
			}},
		{"own decoder", `{even = 4, evens = [2, 6]}`, func(o *everything) { o.Even, o.Evens = 4, []even{2, 6} }},
		{"objects", `{item {name = a, size = 1}, item_ref {name = b}, items = [{name = c}, {name = d, size = 2}]}`,
			func(o *everything) {
				o.Item, o.ItemRef = item{"a", 1}, &item{"b", 7}
				o.Items = []item{{"c", 7}, {"d", 2}}
			}},
		{"one object for a list", `{items {name = c}}`, func(o *everything) { o.Items = []item{{"c", 7}} }},
		{"null is nothing", `{flag = null, numbers = null, maybe = null}`, func(o *everything) {}},
		{"secrets", `{password = p, login { pin = 12 }}`, func(o *everything) { o.Password, o.Pin = "p", 12 }},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			want := everything{shared: shared{3}, Flag: true, Wait: 500 * time.Millisecond, Mode: "FAST", Numbers: []int{1, 2}}
			test.want(&want)
			var got everything
			v := value(t, test.text)
			ps := config.Decode(v, &got)
			for _, p := range ps {
				t.Error(p)
			}
			if _, ok := v.Get("item"); !ok {
				want.Item = got.Item // absent: without default
			} else if want.Item == (item{}) {
				want.Item = item{"x", 7}
			}
			if diff := cmp.Diff(want, got, cmp.AllowUnexported(everything{})); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestDecodeKeepsWhatIsThere(t *testing.T) {
	o := everything{Text: "old", Long: 3}
	if ps := config.Decode(value(t, `{long = 4}`), &o); len(ps) > 0 || o.Text != "old" || o.Long != 4 {
		t.Errorf("%v %q %d", ps, o.Text, o.Long)
	}
}

func TestDecodeProblems(t *testing.T) {
	tests := []struct {
		name, text string
		want       []string
	}{
		{"no object", `[1]`, []string{`1:1: must be an object, not a list`}},
		{"several at once", "{flag = maybe\ntiny = 300\ncount = -1\nratio = x\nwait = soon\nmode = FASST}", []string{
			`1:9: flag: must be true or false, not "maybe"`,
			`2:8: tiny: must be a whole number of at most 8 bits, not "300"`,
			`3:9: count: must be a whole number of at most 16 bits, not negative, not "-1"`,
			`4:9: ratio: must be a number of at most 64 bits, not "x"`,
			`5:8: wait: must be a number of ms, not "soon"`,
			`6:8: mode: "FASST" is not allowed; did you mean "FAST"? Allowed: FAST, SLOW`,
		}},
		{"overflow", `{long = 9223372036854775808, single = 1e39}`, []string{
			`1:9: long: must be a whole number of at most 64 bits, not "9223372036854775808"`,
			`1:39: single: must be a number of at most 32 bits, not "1e39"`}},
		{"not a number", `{ratio = NaN, wait = NaN}`, []string{
			`1:10: ratio: must be a number of at most 64 bits, not "NaN"`,
			`1:22: wait: must be a number of ms below 9223372036854, not NaN`}},
		{"fractions", `{long = 1.5}`, []string{`1:9: long: must be a whole number of at most 64 bits, not "1.5"`}},
		{"ranges", `{retries = 10, ratio = -0.1, wait = 9ms, numbers = [1, 0]}`, []string{
			`1:12: retries: 10 is too large, the most is 9`,
			`1:24: ratio: -0.1 is too small, the least is 0`,
			`1:37: wait: 9ms is too small, the least is 10`,
			`1:52: numbers: 0 is too small, the least is 1`}},
		{"range in a text list", `{numbers = "1, 0"}`, []string{`1:12: numbers: 0 is too small, the least is 1`}},
		{"long duration", `{wait = 1e30}`, []string{`1:9: wait: must be a number of ms below 9223372036854, not 1e30`}},
		{"wrong kinds", `{flag = [], long = {}, wait = [1], props = x, items = 5, item = [1]}`, []string{
			`1:9: flag: must be a boolean, not a list`,
			`1:20: long: must be a long, not an object`,
			`1:31: wait: must be a number of ms, not a list`,
			`1:44: props: must be an object, not a text`,
			`1:65: item: must be an object, not a list`,
			`1:55: items: must be a list of objects, not a number`,
		}},
		{"elements", `{numbers = [1, x, 2, y], matrix = [[1], [z]], limits {a = b, c = d}}`, []string{
			`1:16: numbers[1]: must be a whole number of at most 64 bits, not "x"`,
			`1:22: numbers[3]: must be a whole number of at most 64 bits, not "y"`,
			`1:42: matrix[1][0]: must be a whole number of at most 64 bits, not "z"`,
			`1:59: limits.a: must be a whole number of at most 64 bits, not "b"`,
			`1:66: limits.c: must be a whole number of at most 64 bits, not "d"`,
		}},
		{"enum in a list", `{modes = [a, c]}`, []string{`1:10: modes: "c" is not allowed; did you mean "a"? Allowed: a, b`}},
		{"required, nested", `{item {size = x}, items = [{name = a}, {size = 1}, 3]}`, []string{
			`1:7: item.name: is required: Name.`,
			`1:15: item.size: must be a whole number of at most 64 bits, not "x"`,
			`1:40: items[1].name: is required: Name.`,
			`1:52: items[2]: must be an object, not a number`,
		}},
		{"own decoder", `{even = x, evens = [2, 3]}`, []string{
			`1:9: even: must be a number`,
			`1:24: evens[1].half: is no whole number`,
			`1:24: evens[1]: is odd`,
		}},
		{"unknown", `{pasword = x, foo = 1, item {name = a, nam = b}, old {name = 1}, plugin_name = P}`, []string{
			`1:40: item.nam: is not an option here and has no effect; did you mean "name"?`,
			`1:2: pasword: is not an option here and has no effect; did you mean "password"?`,
			`1:15: foo: is not an option here and has no effect`,
		}},
		{"two names", `{password = a, secret_key = b}`, []string{
			`1:29: secret_key: has no effect, because password, another name of it, is set too`}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var o everything
			got := messages(config.Decode(value(t, test.text), &o))
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
			spec, err := config.SpecOf[everything]()
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, messages(spec.Check(value(t, test.text)))); diff != "" {
				t.Errorf("Check differs: %s", diff)
			}
		})
	}
}

func TestSecretsStayOutOfMessages(t *testing.T) {
	for _, text := range []string{`{login.pin = hunter2}`, `{login { pin = hunter2 }}`, `{login.pin = [hunter2]}`,
		`{login.pin {hunter2 = 1}}`} {
		var o everything
		ps := config.Decode(value(t, text), &o)
		if ps.Err() == nil || strings.Contains(ps.Err().Error(), "hunter2") {
			t.Errorf("%s: %v", text, ps.Err())
		}
	}
}

func TestMask(t *testing.T) {
	type inner struct {
		Key string `opt:"key" secret:"true" help:"Key."`
		ID  string `opt:"id" help:"Identity."`
	}
	type options struct {
		Password string  `opt:"password,fs.s3a.secret" secret:"true" help:"Password."`
		User     string  `opt:"user" help:"User."`
		One      inner   `opt:"one" help:"Object."`
		Many     []inner `opt:"many" help:"Objects."`
	}
	spec, err := config.SpecOf[options]()
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		`{user = u, password = p}`:                        `{"user":"u","password":"******"}`,
		`{password = [a, b]}`:                             `{"password":"******"}`,
		`{fs.s3a.secret = p, password = q}`:               `{"fs.s3a.secret":"******","password":"******"}`,
		`{fs { s3a { secret = p, x = 1 } } }`:             `{"fs":{"s3a":{"secret":"******","x":1}}}`,
		`{fs.s3a { secret = p }, fs { s3a.secret = p } }`: `{"fs.s3a":{"secret":"******"},"fs":{"s3a.secret":"******"}}`,
		`{one {key = a, id = b}, many = [{key = c}, 5]}`:  `{"one":{"key":"******","id":"b"},"many":[{"key":"******"},5]}`,
		`{many {key = c}, one = x}`:                       `{"many":{"key":"******"},"one":"x"}`,
		`{}`:                                              `{}`,
	} {
		v := value(t, text)
		before := v.JSON()
		if got := spec.Mask(v).JSON(); got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
		if v.JSON() != before {
			t.Errorf("%s: Mask changed its argument to %s", text, v.JSON())
		}
	}
	if diff := cmp.Diff([]string{"password", "fs.s3a.secret"}, spec.Secrets()); diff != "" {
		t.Error(diff)
	}
}

type checked struct {
	Low  int `opt:"low" default:"1" help:"Low."`
	High int `opt:"high" default:"2" help:"High."`
}

func (c *checked) CheckOptions() config.Problems {
	var ps config.Problems
	if c.Low > c.High {
		ps.Errorf("low", config.Pos{}, "is above high")
	}
	return ps
}

func TestCheckOptions(t *testing.T) {
	for text, want := range map[string][]string{
		`{low = 1}`:           nil,
		`{low = 3}`:           {"low: is above high"},
		`{low = 3, high = x}`: {`1:18: high: must be a whole number of at most 64 bits, not "x"`},
	} {
		var c checked
		if diff := cmp.Diff(want, messages(config.Decode(value(t, text), &c))); diff != "" {
			t.Errorf("%s: %s", text, diff)
		}
	}
}

func TestRawTakesUnknownOptions(t *testing.T) {
	type options struct {
		Name string       `opt:"name" help:"Name."`
		All  config.Value `opt:"*"`
	}
	var o options
	if ps := config.Decode(value(t, `{name = a, other = b}`),
		&o); len(ps) > 0 || o.All.JSON() != `{"name":"a","other":"b"}` {
		t.Errorf("%v %s", ps, o.All.JSON())
	}
}

func TestDecodeIntoAnotherStruct(t *testing.T) {
	spec, err := config.SpecOf[item]()
	if err != nil {
		t.Fatal(err)
	}
	if ps := spec.Decode(value(t, `{name = a}`), &checked{}); ps.Err() == nil {
		t.Error("options were read into the wrong struct")
	}
}

func BenchmarkDecode(b *testing.B) {
	spec, err := config.SpecOf[everything]()
	if err != nil {
		b.Fatal(err)
	}
	v := value(b, `{text = x, long = 5, names = [a, b], items = [{name = a}], wait = 100, unknwn = 1}`)
	b.ReportAllocs()
	for b.Loop() {
		var o everything
		if ps := spec.Decode(v, &o); ps.Err() != nil {
			b.Fatal(ps)
		}
	}
}

// Whatever a job file says, decoding ends with values or with problems that have a text.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{`{}`, `{text = 5, wait = 1s, items = [{name = a}], raw = [1], numbers = "1,,2"}`,
		`{old { names = x }, flag = [], limits {a = 1e9}}`, `{even = 3, evens = [{}], item = null, matrix = [[[1]]]}`,
		`{login.pin = 999999999999999999999, password {a = 1}}`, `{wait = -1e300, max_wait = "2562047h47m16.854775807s"}`} {
		f.Add(seed)
	}
	spec, err := config.SpecOf[everything]()
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string) {
		v, err := hocon.ParseValue([]byte(text))
		if err != nil {
			return
		}
		var o everything
		for _, p := range spec.Decode(v, &o) {
			if p.Text == "" {
				t.Fatalf("a problem without a text: %+v", p)
			}
		}
		if masked, ok := spec.Mask(v).Get("password"); ok && masked.Text != "******" {
			t.Fatalf("not masked: %s", masked.JSON())
		}
	})
}
