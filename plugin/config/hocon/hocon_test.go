package hocon_test

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/culvertdata/culvert/plugin/config"
	"github.com/culvertdata/culvert/plugin/config/hocon"
)

type textCase struct{ name, text, want string }

// run parses each text and compares its JSON.
func run(t *testing.T, o hocon.Options, tests []textCase) {
	t.Helper()
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			v, err := hocon.Parse([]byte(test.text), o)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, v.JSON()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestSyntax(t *testing.T) {
	run(t, hocon.Options{}, []textCase{
		{"empty", "", `{}`},
		{"only a comment", "# nothing\n// here", `{}`},
		{"root braces", `{a = 1}`, `{"a":1}`},
		{"byte order mark", "\uFEFFa = 1", `{"a":1}`},
		{"separators", "a = 1, b : 2\nc { d = 3 }\n\n,e = 4,", `{"a":1,"b":2,"c":{"d":3},"e":4}`},
		{"carriage returns", "a = 1\r\nb = x y\r\n", `{"a":1,"b":"x y"}`},
		{"comments", "a = 1 # one\nb = x // two\n# three\nc = \"# // no\"", `{"a":1,"b":"x","c":"# // no"}`},
		{"points do not split", `row.num = 5`, `{"row.num":5}`},
		{"arrows split", `a->b = 1, a -> c->d = 2`, `{"a":{"b":1,"c":{"d":2}}}`},
		{"quoted keys do not split", `"a->b" = 1, "x y" { z = 2 }`, `{"a->b":1,"x y":{"z":2}}`},
		{"keys of several parts", `a b = 1, c"d"e = 2, ""=3`, `{"a b":1,"cde":2,"":3}`},
		{"brace on the next line", "a\n{\n b\n =\n 1 }", `{"a":{"b":1}}`},
		{"order kept", `z = 1, a = 2, m = 3`, `{"z":1,"a":2,"m":3}`},
		{"scalars", `a = true, b = null, c = -1.5e+3, d = truest, e = 5s, f = 2024-01-02`,
			`{"a":true,"b":null,"c":-1.5e+3,"d":"truest","e":"5s","f":"2024-01-02"}`},
		{"numbers keep their text", `a = 123456789012345678901234567890, b = 0.10, c = 007, d = 1e400`,
			`{"a":123456789012345678901234567890,"b":0.10,"c":"007","d":1e400}`},
		{"unquoted text", `a = it's (a) <b> 50% ~x; y|z , b = array<string>`,
			`{"a":"it's (a) <b> 50% ~x; y|z","b":"array<string>"}`},
		{"escapes", `a = "\"\\\/\b\f\n\r\tA\uD83D\uDE00"`, `{"a":"\"\\/\b\f\n\r\tA😀"}`},
		{"triple quotes", "a = \"\"\"x\n\"y\" \\n\"\"\"\"", `{"a":"x\n\"y\" \\n\""}`},
		{"tab in quotes", "a = \"x\ty\"", `{"a":"x\ty"}`},
		{"lists", "a = [1, 2,]\nb = [\n x\n y z\n\n]\nc = []\nd = [[1], {e = 2}]",
			`{"a":[1,2],"b":["x","y z"],"c":[],"d":[[1],{"e":2}]}`},
		{"texts join", `a = "x" y"z" , b = 1 2, c = "" "", d = x  y`, `{"a":"x yz","b":"1 2","c":" ","d":"x  y"}`},
		{"lists join", `a = [1] [2, 3] []`, `{"a":[1,2,3]}`},
		{"objects join", `a = {x = 1, y = 1} {y = 2}`, `{"a":{"x":1,"y":2}}`},
		{"objects merge", "a { x = 1, y { p = 1 } }\na { y { q = 2 }, x = 3 }", `{"a":{"x":3,"y":{"p":1,"q":2}}}`},
		{"last wins", `a = 1, b = 2, a = [3], b = {}`, `{"a":[3],"b":{}}`},
		{"append", "a = [1]\na += 2\na += {x = 3}\nb += 1\nc { d += 1, d += 2 }",
			`{"a":[1,2,{"x":3}],"b":[1],"c":{"d":[1,2]}}`},
		{"include is a key too", `include = 1, include.schema.changes = true`, `{"include":1,"include.schema.changes":true}`},
		{"many keys", "a1=1\na2=2\na3=3\na4=4\na5=5\na6=6\na7=7\na8=8\na9=9\na10=10\na1=11\na9=12",
			`{"a1":11,"a2":2,"a3":3,"a4":4,"a5":5,"a6":6,"a7":7,"a8":8,"a9":12,"a10":10}`},
	})
}

func TestBlocks(t *testing.T) {
	run(t, hocon.Options{}, []textCase{
		{"plugins", `source { Fake { a = 1 } }, sink { Console {} }`,
			`{"source":[{"plugin_name":"Fake","a":1}],"sink":[{"plugin_name":"Console"}]}`},
		{"empty", "source {}\ntransform {\n # none\n}", `{"source":[],"transform":[]}`},
		{"names repeat", "sink { A { x = 1 }\n B {}\n A { x = 2 } }",
			`{"sink":[{"plugin_name":"A","x":1},{"plugin_name":"B"},{"plugin_name":"A","x":2}]}`},
		{"own name", `sink { A { plugin_name = B } }`, `{"sink":[{"plugin_name":"B"}]}`},
		{"lists stay", `source = [{plugin_name = Fake}]`, `{"source":[{"plugin_name":"Fake"}]}`},
		{"equals sign", `source = { Fake {} }`, `{"source":[{"plugin_name":"Fake"}]}`},
		{"root braces", `{ source { Fake {} } }`, `{"source":[{"plugin_name":"Fake"}]}`},
		{"blocks of one key join", "sink { A {} }\nsink { A {} }",
			`{"sink":[{"plugin_name":"A"},{"plugin_name":"A"}]}`},
		{"a list replaces blocks", "sink { A {} }\nsink = []", `{"sink":[]}`},
		{"deeper", `a { source { B { c = 1 } }, l = [{ sink { D {} } }] }`,
			`{"a":{"source":[{"plugin_name":"B","c":1}],"l":[{"sink":[{"plugin_name":"D"}]}]}}`},
		{"deeper, with other members", `fields { source { a = int, b = { c = int } }, sink = string }`,
			`{"fields":{"source":{"a":"int","b":{"c":"int"}},"sink":"string"}}`},
		{"deeper, of both kinds", `a { sink { x = 1, x = 2 }, sink { y { z = 1 } } }`,
			`{"a":{"sink":{"x":2,"y":{"z":1}}}}`},
		{"substitution inside", "base { p = 1 }\nsink { A = ${base} { q = 2 }\n B = ${base} }",
			`{"base":{"p":1},"sink":[{"plugin_name":"A","p":1,"q":2},{"plugin_name":"B","p":1}]}`},
		{"append inside", `source { Fake { l = [1], l += 2 } }`, `{"source":[{"plugin_name":"Fake","l":[1,2]}]}`},
	})
}

func TestSubstitution(t *testing.T) {
	env := func(name string) (string, bool) { return "/home/" + name, name == "USER_HOME" || name == "both" }
	run(t, hocon.Options{Env: env}, []textCase{
		{"path", "a { b = 1 }\nc = ${a->b}, d = ${a}", `{"a":{"b":1},"c":1,"d":{"b":1}}`},
		{"before its value", "c = ${a}\na = x", `{"c":"x","a":"x"}`},
		{"literal key with points", "a.b = 1\nc = ${a.b}", `{"a.b":1,"c":1}`},
		{"in a text", `a = x, b = p ${a} "q"${a}`, `{"a":"x","b":"p x qx"}`},
		{"in a list", `a = [1], b = ${a} [2], c = [${a}, ${?no}, 3]`, `{"a":[1],"b":[1,2],"c":[[1],3]}`},
		{"object merged over it", "a { x = 1, y { z = 1 } }\nb = ${a}\nb { y { w = 2 } }",
			`{"a":{"x":1,"y":{"z":1}},"b":{"x":1,"y":{"z":1,"w":2}}}`},
		{"object merged under it", "a { x = 1 }\nb { x = 0, y = 2 }\nb = ${a}", `{"a":{"x":1},"b":{"x":1,"y":2}}`},
		{"itself", "a = 1\na = ${a}2\na = ${a}3", `{"a":"123"}`},
		{"itself as a list", "a = [1]\na = ${a} [2]\na += 3\na += 4", `{"a":[1,2,3,4]}`},
		{"a member of itself", `a { b = 1, c = ${a->b} }`, `{"a":{"b":1,"c":1}}`},
		{"a member of what was before", "a = {b = 1}\na = ${a} {c = ${a->b}}", `{"a":{"b":1,"c":1}}`},
		{"through a substitution", "a { b { c = 1 } }\nd = ${a}\ne = ${d->b->c}",
			`{"a":{"b":{"c":1}},"d":{"b":{"c":1}},"e":1}`},
		{"environment", `a = ${USER_HOME}/x`, `{"a":"/home/USER_HOME/x"}`},
		{"file before environment", "both = 1\na = ${both}", `{"both":1,"a":1}`},
		{"itself, from the environment", `both = ${both}":x"`, `{"both":"/home/both:x"}`},
		{"default", `a = ${b:fall back}, c = ${d:}`, `{"a":"fall back","c":""}`},
		{"optional", "a = ${?no}\nb = x${?no}y\nc = 1\nc = ${?no}", `{"b":"xy","c":1}`},
		{"unknown stays", `a = ${no}, b = x ${no} y`, `{"a":"${no}","b":"x ${no} y"}`},
		{"sink placeholders stay", `a = ${table_name}, b = ${schema_name:x}, c = "${table_name:y}"`,
			`{"a":"${table_name}","b":"${schema_name:x}","c":"${table_name:y}"}`},
		{"quoted texts are left alone", `b = 1, a = "${b} ${c:d}"`, `{"b":1,"a":"${b} ${c:d}"}`},
		{"blocks have no paths", "source { A { x = 1 } }\nb = ${source->A}",
			`{"source":[{"plugin_name":"A","x":1}],"b":"${source->A}"}`},
	})
}

func TestVariables(t *testing.T) {
	o := hocon.Options{Variables: map[string]string{
		"resName": "fake", "nameVal": "abc", "rowNum": "10", "list": `[a, "b c", 3]`, "odd": "[a", "inner": "${rowNum}",
	}}
	run(t, o, []textCase{
		{"unquoted", `a = ${resName}, b = ${rowNum}`, `{"a":"fake","b":"10"}`},
		{"quoted", `a = "${resName}_table", b = "${rowNum}"`, `{"a":"fake_table","b":"10"}`},
		{"quotes inside", `query = "select * from "${resName}" where name = '"${nameVal}"' "`,
			`{"query":"select * from fake where name = 'abc' "}`},
		{"triple quotes", `a = """${resName}"""`, `{"a":"fake"}`},
		{"default", `a = "${no:50}", b = "${no:}x", c = "${resName:y}", d = ${no:50}`,
			`{"a":"50","b":"x","c":"fake","d":"50"}`},
		{"unknown stays", `a = "${transactionId}_${now}", b = "${k0}=${v0}"`,
			`{"a":"${transactionId}_${now}","b":"${k0}=${v0}"}`},
		{"sink placeholders stay", `a = "${table_name} ${database_name:x}"`, `{"a":"${table_name} ${database_name:x}"}`},
		{"list", `a = ${list}, b = "${list}", c = "x${list}"`,
			`{"a":["a","b c",3],"b":["a","b c",3],"c":"x[a, \"b c\", 3]"}`},
		{"no list", `a = "${odd}"`, `{"a":"[a"}`},
		{"in lists and deep", `a = ["${resName}", { b = "${rowNum}" }]`, `{"a":["fake",{"b":"10"}]}`},
		{"before the file", "resName = x\na = ${resName}", `{"resName":"x","a":"fake"}`},
		{"values are not searched again", `a = "${inner}", b = ${inner}`, `{"a":"${rowNum}","b":"${rowNum}"}`},
		{"no placeholders", `a = "${", b = "${}", c = "${a{b}}", d = "$x ${ ${resName}"`,
			`{"a":"${","b":"${}","c":"${a{b}}","d":"$x ${ fake"}`},
	})
}

func TestReservedVariables(t *testing.T) {
	_, err := hocon.Parse([]byte("a = 1"), hocon.Options{Variables: map[string]string{"table_name": "x", "b": "y"}})
	want := "System placeholders cannot be used. Incorrect config parameter: table_name"
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestInclude(t *testing.T) {
	files := map[string]string{
		"base":   "a = 1\nb { c = 2 }\nd = ${b->c}",
		"source": "source { Fake { x = 1 } }",
		"outer":  `include "base"` + "\ne = 3",
		"loop":   `include "loop"`,
		"bad":    "ok = 1\nno = x:y",
		"rich":   "l = [1, {m = ${b}}]\nb = 1\nb = ${b}2",
		"list":   "[1]",
	}
	o := hocon.Options{Include: func(name string) ([]byte, error) {
		text, ok := files[name]
		if !ok {
			return nil, fs.ErrNotExist
		}
		return []byte(text), nil
	}}
	run(t, o, []textCase{
		{"top", "include \"base\"\nb { e = 3 }", `{"a":1,"b":{"c":2,"e":3},"d":2}`},
		{"file", `include file("base"), x = 1`, `{"a":1,"b":{"c":2},"d":2,"x":1}`},
		{"required", `include required(file("base"))`, `{"a":1,"b":{"c":2},"d":2}`},
		{"nested", "x {\n include \"base\"\n}", `{"x":{"a":1,"b":{"c":2},"d":2}}`},
		{"twice", `include "outer"`, `{"a":1,"b":{"c":2},"d":2,"e":3}`},
		{"substitutions below the place", "b = 9\nx { include \"rich\" }",
			`{"b":9,"x":{"l":[1,{"m":"12"}],"b":"12"}}`},
		{"blocks", `include "source"`, `{"source":[{"plugin_name":"Fake","x":1}]}`},
	})
	for text, want := range map[string]string{
		`include "none"`:          `1:1: include "none": file does not exist`,
		"\n include \"bad\"":      `2:2: in the included file bad, 2:7: ':' cannot stand in a value without quotes`,
		`include "list"`:          `1:1: in the included file list, 1:1: the file must be an object`,
		`include "loop"`:          `more than 20 files include each other`,
		`include url("http://x")`: `1:9: only include "name" and include file("name") are known`,
		`include file("base"`:     `1:20: a ')' is missing`,
	} {
		_, err := hocon.Parse([]byte(text), o)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", text, err, want)
		}
	}
	_, err := hocon.Parse([]byte(`include "base"`), hocon.Options{})
	if err == nil || !strings.Contains(err.Error(), `include "base" is not allowed here`) {
		t.Errorf("include without a function: %v", err)
	}
}

func TestErrors(t *testing.T) {
	tests := []struct {
		name, text string
		want       []string
	}{
		{"several lines", "a = b:c\nc = @\nd = 1\ne = x=y", []string{
			`1:6: ':' cannot stand in a value without quotes; put the value in double quotes, or a comma or a new line ` +
				`before the next key`,
			`2:5: '@' cannot stand in a value without quotes; put the value in double quotes`,
			`4:6: '=' cannot stand in a value without quotes; put the value in double quotes, or a comma or a new line ` +
				`before the next key`,
		}},
		{"columns count characters", "é = \"日本\", b = [日本語 @]", []string{
			`1:20: '@' cannot stand in a value without quotes; put the value in double quotes`}},
		{"open brace", "a {\n b = 1\n", []string{`1:3: the '{' has no matching '}'`}},
		{"open bracket", "a = [1,\n 2\n", []string{`1:5: the '[' has no matching ']'`}},
		{"brace too many", "a = 1\n}", []string{`2:1: this '}' closes nothing`}},
		{"brace in a list", `a = [1, }`, []string{`1:9: this '}' stands in the list from 1:5, which ends with ']'`}},
		{"after the root", `{a = 1} b`, []string{`1:9: nothing may follow here, but 'b' does`}},
		{"root is a list", `[1]`, []string{`1:1: the file must be an object: it starts with '{', not with '['`}},
		{"open quote", "a = \"x\nb = 1", []string{
			`1:5: the quote is not closed on its line; write a newline as \n, or use """ for texts of several lines`}},
		{"open triple quote", "\na = \"\"\"x\nb", []string{`2:5: the text after """ is not closed with """`}},
		{"escape", `a = "C:\temp\x"`, []string{`1:13: a backslash before 'x' means nothing; write \\ for a backslash`}},
		{"half a character", `a = "\ud83d!"`, []string{`1:6: \ud83d is half of a character; the other half must follow it`}},
		{"short escape", `a = "\u12"`, []string{`1:6: \u needs four hexadecimal digits`}},
		{"no value", "a\nb = 1\nc =\n", []string{
			`1:1: "a" has no value; write a = value or a { ... }`, `4:1: c has no value before the end of the file`}},
		{"no key", "= 1", []string{`1:1: a key must stand here, not '='`}},
		{"key with a bracket", "a[0] = 1", []string{`1:2: '[' cannot be part of a key; put the key in double quotes`}},
		{"key missing beside arrow", "a-> = 1\n->b = 1", []string{
			`1:5: a key must stand here, not '='`, `2:1: a key is missing beside ->`}},
		{"two commas", "a = 1,,b = 2", []string{`1:7: two commas follow each other`}},
		{"text after an object", "a {} b", []string{
			`1:6: a text cannot follow an object in one value; put a comma or a new line between them`}},
		{"list after a text", "a = x [1]", []string{
			`1:7: a list cannot follow a text in one value; put a comma or a new line between them`}},
		{"append to a text", "a = 1\na += 2", []string{`2:6: += adds to a list, not to a number`}},
		{"option without a plugin", "source { parallelism = 2\n Fake {} }", []string{
			`1:10: "parallelism" is an option without a plugin; a block such as parallelism { ... } must stand here`}},
		{"circle", "a = ${b}\nb = ${c}\nc = ${a}", []string{`3:5: ${a} refers to itself`}},
		{"object inside itself", "c = ${a->b->x}\na { b { x = ${a->b} } }", []string{`2:13: this value refers to itself`}},
		{"open substitution", "a = ${b\nc = 1", []string{`1:5: the '${' has no matching '}' on its line`}},
		{"open default", "a = ${b:c\nc = 1", []string{`1:5: the '${' has no matching '}' on its line`}},
		{"not UTF-8", "a = 1\nb = \"ä\xff\"", []string{`2:7: byte 0xff is not UTF-8; save the file in UTF-8`}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := hocon.Parse([]byte(test.text), hocon.Options{})
			if diff := cmp.Diff(test.want, messages(t, err)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func messages(t *testing.T, err error) []string {
	t.Helper()
	var e *config.Error
	if !errors.As(err, &e) {
		t.Fatalf("%v is no *config.Error", err)
	}
	var out []string
	for _, p := range e.Problems {
		out = append(out, p.String())
	}
	return out
}

func TestJSON(t *testing.T) {
	run(t, hocon.Options{JSON: true}, []textCase{
		{"values", ` {"a" : [1, -2.5e3, true, false, null, "x", {}, []] , "b.c":{"d":"\u0041"}} `,
			`{"a":[1,-2.5e3,true,false,null,"x",{},[]],"b.c":{"d":"A"}}`},
		{"objects stay", `{"source":{"Fake":{}}}`, `{"source":{"Fake":{}}}`},
		{"long lines", `{"a":"` + strings.Repeat("x", 1000) + `"}`, `{"a":"` + strings.Repeat("x", 1000) + `"}`},
	})
	run(t, hocon.Options{JSON: true, Variables: map[string]string{"x": "y"}}, []textCase{
		{"variables", `{"a":"${x} ${z}"}`, `{"a":"y ${z}"}`},
	})
	for text, want := range map[string]string{
		``:                       `1:1: the file must be an object: it starts with '{', not with the end of the file`,
		`[]`:                     `1:1: the file must be an object: it starts with '{', not with '['`,
		`{"a":1,}`:               `1:8: JSON allows no comma before '}'`,
		`{"a":[1,]}`:             `1:9: JSON allows no comma before ']'`,
		`{"a":[1 2]}`:            `1:7: a text must be in double quotes`,
		`{a:1}`:                  `1:2: a key in double quotes must stand here, not 'a'`,
		`{"a"=1}`:                `1:5: a colon must stand after the key "a", not '='`,
		`{"a":x}`:                `1:6: a text must be in double quotes`,
		`{"a":01}`:               `1:6: a text must be in double quotes`,
		"{\"a\":1\n\"b\":2}":     `2:1: a comma or } must stand before '"'`,
		`{"a":1 # c` + "\n}":     `1:8: a comma or } must stand before '#'`,
		"{\"a\":\"x\ty\"}":       `1:8: the control character 0x09 must be written as \u0009`,
		`{"a":"""x"""}`:          `1:8: a comma or } must stand before '"'`,
		`{"a":1,"b":2,"a":3}`:    `1:14: the key "a" is there already, at 1:2`,
		`{"a":{"b":1,"b":[{}]}}`: `1:13: the key "b" is there already, at 1:7`,
		`{"a":1} x`:              `1:9: nothing may follow here, but 'x' does`,
		`{"a":"\x"}`:             `1:7: a backslash before 'x' means nothing; write \\ for a backslash`,
	} {
		_, err := hocon.Parse([]byte(text), hocon.Options{JSON: true})
		if err == nil {
			t.Errorf("%s is no JSON", text)
		} else if diff := cmp.Diff([]string{want}, messages(t, err)); diff != "" {
			t.Errorf("%s: %s", text, diff)
		}
	}
}

func TestPositions(t *testing.T) {
	v, err := hocon.Parse([]byte("é = \"日本\", b {\n  c = [1,\n    x y]\n}\n\"\"\"k\n\"\"\" = 1, d = 2"), hocon.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	var walk func(path string, v config.Value)
	walk = func(path string, v config.Value) {
		got = append(got, fmt.Sprintf("%s %s", path, v.Pos))
		for i, item := range v.Items {
			walk(fmt.Sprintf("%s[%d]", path, i), item)
		}
		for _, m := range v.Members {
			got = append(got, fmt.Sprintf("key %q %s", m.Key, m.Pos))
			walk(m.Key, m.Value)
		}
	}
	walk("root", v)
	want := []string{"root 1:1", `key "é" 1:1`, "é 1:5", `key "b" 1:11`, "b 1:13", `key "c" 2:3`, "c 2:7", "c[0] 2:8",
		"c[1] 3:5", `key "k\n" 5:1`, "k\n 6:7", `key "d" 6:10`, "d 6:14"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// No message shows a value: it may be a password.
func TestMessagesShowNoValue(t *testing.T) {
	for _, text := range []string{`password = hunter2:x`, `password = hunter2@x`, `password = "hunter2`,
		`password = hunter2 [1]`,
		`password = "hunter2\q"`, "password = hunter2\npassword += 1", `source { password = hunter2 }`} {
		if _, err := hocon.Parse([]byte(text), hocon.Options{}); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", text, err)
		}
	}
	for _, text := range []string{`{"password":hunter2}`, `{"password":"hunter2" 1}`, `{"password":"hunter2}`} {
		_, err := hocon.Parse([]byte(text), hocon.Options{JSON: true})
		if err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestParseValue(t *testing.T) {
	for text, want := range map[string]string{
		`{a = int, b = {c = string}}`:     `{"a":"int","b":{"c":"string"}}`,
		`{source = {a {b = int}}}`:        `{"source":{"a":{"b":"int"}}}`,
		"\n [1, x] ":                      `[1,"x"]`,
		`some words`:                      `"some words"`,
		`42`:                              `42`,
		`{a = "decimal(1, 2)", b = ${c}}`: `{"a":"decimal(1, 2)","b":"${c}"}`,
	} {
		v, err := hocon.ParseValue([]byte(text))
		if err != nil || v.JSON() != want {
			t.Errorf("%s: got %s, %v, want %s", text, v.JSON(), err, want)
		}
	}
	for _, text := range []string{"", "{a = 1", "{a = 1} {", "1, 2", "a\nb", "\xff"} {
		if v, err := hocon.ParseValue([]byte(text)); err == nil {
			t.Errorf("%q is %s", text, v.JSON())
		}
	}
}

// What a hostile file may try: each must fail or succeed quickly, never exhaust the process.
func TestLimits(t *testing.T) {
	doubling := "a0 = xxxxxxxxxx\n"
	lists := "a0 = [1]\n"
	chain := "a0 = 1\n"
	for i := 1; i < 5000; i++ {
		if i < 60 {
			doubling += fmt.Sprintf("a%d = ${a%d}${a%d}\n", i, i-1, i-1)
			lists += fmt.Sprintf("a%d = [${a%d}, ${a%d}]\n", i, i-1, i-1)
		}
		chain = fmt.Sprintf("a%d = ${a%d}\n", i, i-1) + chain
	}
	tests := []struct{ name, text, want string }{
		{"deep objects", strings.Repeat("{a:", 100_000), "more than 500 objects and lists are nested"},
		{"deep lists", "a = " + strings.Repeat("[", 100_000), "more than 500 objects and lists are nested"},
		{"deep path", strings.Repeat("a->", 100_000) + "a = 1", "more than 500 objects and lists are nested"},
		{"deep open objects", strings.Repeat("a{", 100_000), "more than 500 objects and lists are nested"},
		{"doubling texts", doubling, "substitutions grow"},
		{"doubling lists", lists, "substitutions grow"},
		{"long chain", chain, "leads through more than 1000 other substitutions"},
		{"long way back", "x {}\n" + strings.Repeat("a = ${x}\n", 100_000), "more than 1000 values are put over each other"},
		{"many problems", strings.Repeat("a = @\n", 1000), "'@' cannot stand"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := hocon.Parse([]byte(test.text), hocon.Options{})
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("got %.200v, want %s", err, test.want)
			}
			if n := len(messages(t, err)); n > 20 {
				t.Errorf("%d problems", n)
			}
		})
	}
	deep := strings.Repeat("{a:", 400) + "1" + strings.Repeat("}", 400)
	if _, err := hocon.Parse([]byte(deep), hocon.Options{}); err != nil {
		t.Error(err)
	}
}
