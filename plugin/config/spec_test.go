package config_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/culvertdata/culvert/plugin/config"
)

type selfish struct {
	Name   string    `opt:"name" help:"Name."`
	Nested []selfish `opt:"nested" help:"More of the same."`
}

type badRule struct {
	A string `opt:"a" help:"A."`
}

func (badRule) Rules() []config.Rule { return []config.Rule{config.RequiredWhen("b", "x", "a")} }

func specErr[O any]() error {
	_, err := config.SpecOf[O]()
	return err
}

// Mistakes in tags show when a plugin is registered, not when a job uses it.
func TestBadTags(t *testing.T) {
	tests := []struct {
		name string
		err  error
		want string
	}{
		{"no struct", specErr[int](), "options must be a struct, not int"},
		{"no help", specErr[struct {
			A string `opt:"a"`
		}](), "option a has no help tag"},
		{"unexported", specErr[struct {
			a string `opt:"a" help:"A."`
		}](), "option a is an unexported field"},
		{"duration without unit", specErr[struct {
			A *time.Duration `opt:"a" help:"A."`
		}](), "option a needs a unit tag of ms, s, m or h"},
		{"list of durations", specErr[struct {
			A []time.Duration `opt:"a" unit:"s" help:"A."`
		}](), "option a is a list of durations"},
		{"enum of numbers", specErr[struct {
			A int `opt:"a" enum:"1,2" help:"A."`
		}](), "option a has an enum tag but is no text"},
		{"bad limit", specErr[struct {
			A int `opt:"a" max:"many" help:"A."`
		}](), `option a has the limit "many"`},
		{"bad default", specErr[struct {
			A int `opt:"a" default:"x" help:"A."`
		}](), "option a has a bad default: must be a whole number"},
		{"default out of range", specErr[struct {
			A int `opt:"a" default:"0" min:"1" help:"A."`
		}](), "option a has a bad default: 0 is too small"},
		{"default not allowed", specErr[struct {
			A string `opt:"a" default:"z" enum:"x,y" help:"A."`
		}](), `option a has a bad default: "z" is not allowed`},
		{"unknown type", specErr[struct {
			A chan int `opt:"a" help:"A."`
		}](), "option a has the type chan int"},
		{"map of structs", specErr[struct {
			A map[string]item `opt:"a" help:"A."`
		}](), "which no option can have"},
		{"same name", specErr[struct {
			A string `opt:"a" help:"A."`
			B string `opt:"b,a" help:"B."`
		}](), "two options are named a"},
		{"nested", specErr[struct {
			A struct {
				B string `opt:"b"`
			} `opt:"a" help:"A."`
		}](), "option b has no help tag"},
		{"contains itself", specErr[selfish](), "contain themselves"},
		{"rule", specErr[badRule](), `a rule names the option "b", which does not exist`},
	}
	for _, test := range tests {
		if test.err == nil || !strings.Contains(test.err.Error(), test.want) {
			t.Errorf("%s: got %v, want %s", test.name, test.err, test.want)
		}
	}
	var o struct {
		A string `opt:"a"`
	}
	if ps := config.Decode(config.Value{}, &o); ps.Err() == nil {
		t.Error("Decode took a struct with bad tags")
	}
}

func TestSpec(t *testing.T) {
	spec, err := config.SpecOf[everything]()
	if err != nil {
		t.Fatal(err)
	}
	types := map[string]string{}
	for _, o := range spec.Options {
		types[o.Name] = o.Type
	}
	want := map[string]string{"retries": "int", "text": "string", "flag": "boolean", "tiny": "int", "long": "long",
		"count": "int", "ratio": "double", "single": "double", "wait": "duration", "max_wait": "duration", "mode": "string",
		"modes": "list of string", "names": "list of string", "numbers": "list of int", "matrix": "list of list of int",
		"maybe": "int", "props": "map", "limits": "map", "raw": "any", "even": "object", "evens": "list of object",
		"item": "object", "item_ref": "object", "items": "list of object", "password": "string", "login.pin": "int"}
	if diff := cmp.Diff(want, types); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"password", "secret_key", "login.pin"}, spec.Secrets()); diff != "" {
		t.Error(diff)
	}
	if names := spec.Names(); names[0] != "retries" || len(names) != len(want)+2 {
		t.Errorf("names %v", names)
	}
}

type ruled struct {
	Path   string `opt:"path,file" help:"Path."`
	Query  string `opt:"query" help:"Query."`
	User   string `opt:"user" help:"User."`
	Pass   string `opt:"pass" help:"Password."`
	Format string `opt:"format" default:"text" help:"Format."`
	Delim  string `opt:"delim" help:"Delimiter."`
	Min    int    `opt:"min.id" help:"Least."`
	Max    int    `opt:"max.id" help:"Most."`
}

func (ruled) Rules() []config.Rule {
	return []config.Rule{
		config.ExactlyOne("path", "query"), config.Together("user", "pass"),
		config.RequiredWhen("format", "TEXT", "delim"), config.AtMostOne("min.id", "max.id"),
	}
}

func TestRules(t *testing.T) {
	tests := []struct {
		text string
		want []string
	}{
		{`{path = a, delim = b}`, nil},
		{`{file = a, delim = b, min { id = 1 }}`, nil},
		{`{query = a, format = csv, user = u, pass = p}`, nil},
		{`{format = csv}`, []string{`1:1: exactly one of path, query`}},
		{`{path = null, query = a, format = csv}`, nil},
		{`{file = a, query = b, format = csv}`, []string{`1:1: exactly one of path, query; set: path, query`}},
		{`{path = a, delim = b, user = u}`, []string{`1:1: all of user, pass, or none; missing: pass`}},
		{`{path = a}`, []string{`1:1: delim required when format = TEXT; missing: delim`}},
		{`{path = a, format = Text}`, []string{`1:1: delim required when format = TEXT; missing: delim`}},
		{`{path = a, delim = b, min.id = 1, max { id = 2 }}`, []string{
			`1:1: at most one of min.id, max.id; set: min.id, max.id`}},
	}
	for _, test := range tests {
		var o ruled
		if diff := cmp.Diff(test.want, messages(config.Decode(value(t, test.text), &o))); diff != "" {
			t.Errorf("%s: %s", test.text, diff)
		}
	}
}

func TestNearest(t *testing.T) {
	names := []string{"row.num", "split.num", "result_table_name", "url"}
	for name, want := range map[string]string{
		"row_num": "row.num", "ROW.NUM": "row.num", "rownum": "row.num", "split-num": "split.num",
		"result_tabel_name": "result_table_name", "ur": "url", "something_else": "", "": "",
	} {
		if got, ok := config.Nearest(name, names); got != want || ok != (want != "") {
			t.Errorf("Nearest(%q) = %q, %v, want %q", name, got, ok, want)
		}
	}
}

func TestProblems(t *testing.T) {
	var ps config.Problems
	ps.Errorf("a", config.Pos{Line: 1, Col: 2}, "is %s", "bad")
	ps.Warnf("", config.Pos{}, "careful")
	ps.Errorf("[0].b", config.Pos{Line: 3, Col: 4}, "is worse")
	want := []string{"1:2: x.a: is bad", "x: careful", "3:4: x[0].b: is worse"}
	if diff := cmp.Diff(want, messages(ps.Under("x"))); diff != "" {
		t.Error(diff)
	}
	if len(ps.Errors()) != 2 || len(ps.Warnings()) != 1 {
		t.Errorf("%d errors, %d warnings", len(ps.Errors()), len(ps.Warnings()))
	}
	if got := ps.Err().Error(); got != "1:2: a: is bad\n3:4: [0].b: is worse" {
		t.Errorf("got %q", got)
	}
	if ps.Warnings().Err() != nil || (config.Problems)(nil).Err() != nil {
		t.Error("warnings count as errors")
	}
}
