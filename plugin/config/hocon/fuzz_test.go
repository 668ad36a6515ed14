package hocon_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/culvertdata/culvert/plugin/config"
	"github.com/culvertdata/culvert/plugin/config/hocon"
)

// job is a job file with most of what the dialect has.
const job = `
# a comment
env { job.mode = "BATCH", parallelism = 2 }
source {
  FakeSource {
    result_table_name = ${resName}
    row.num = "${rowNum:50}"   // default
    schema = { fields { name = string, price = "decimal(10, 2)", map = "map<string, int>" } }
    rows = [
      { kind = INSERT, fields = [1, "A", null, true, 1.5e3] }
      { kind = DELETE, fields = [2, "B"] },
    ]
  }
}
transform { }
sink {
  Console { a->b->c = 1, l = [1] [2], l += 3 }
  LocalFile { path = "/tmp/${table_name}", query = """select "x"
    from t""" }
}
`

// Reading what a value prints as JSON gives the value again, whatever was read.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{job, "", "{", `{"a":[1,"x",null,{"b":true}]}`, "a = ${a}2\na += [1]",
		"a { b = ${a->b} }",
		"source { a = 1 }", "a = ${b} {c=1}\nb {d=2}\na {e=3}", "x = \"\\ud83d\\ude00\"", "é=\"\"\"\"\"\"\"", "a=1e+5+",
		"a = [${?b}, 01, -, 1.]\nb = ${?c}x", "a->->b=1", "\uFEFFa=\u00a0b\u00a0c", "include \"x\"", "a = ${b:[1,2]}"} {
		f.Add(seed)
	}
	o := hocon.Options{
		Variables: map[string]string{"resName": "x", "list": "[a, {b = [}]"},
		Env:       func(name string) (string, bool) { return "v", name == "HOME" },
		Include:   func(name string) ([]byte, error) { return []byte(name), nil },
	}
	f.Fuzz(func(t *testing.T, text string) {
		start := time.Now()
		v, err := hocon.Parse([]byte(text), o)
		if time.Since(start) > 5*time.Second {
			t.Fatal("too slow")
		}
		if err != nil {
			if err.Error() == "" {
				t.Fatal("an error without a message")
			}
			return
		}
		again, err := hocon.Parse([]byte(v.JSON()), hocon.Options{JSON: true})
		if err != nil {
			t.Fatalf("%s: %v", v.JSON(), err)
		}
		if diff := cmp.Diff(v, again, cmpopts.IgnoreTypes(config.Pos{}), cmpopts.EquateEmpty()); diff != "" {
			t.Fatal(diff)
		}
	})
}

// Strict JSON is a subset: what it accepts means the same with the dialect, apart from the lists of blocks.
func FuzzJSON(f *testing.F) {
	for _, seed := range []string{`{"a":[1,"x",null,{"b":true}],"c.d":-1.5E+3}`, `{}`, `{"a":"\u00e9\n"}`,
		`{"a":1,"a":2}`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		strict, err := hocon.Parse([]byte(text), hocon.Options{JSON: true})
		if err != nil {
			return
		}
		for _, key := range []string{"source", "transform", "sink"} {
			if strings.Contains(strict.JSON(), `"`+key+`"`) {
				return
			}
		}
		loose, err := hocon.Parse([]byte(text), hocon.Options{})
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if diff := cmp.Diff(strict, loose); diff != "" {
			t.Fatal(diff)
		}
	})
}

func BenchmarkParse(b *testing.B) {
	for _, size := range []int{1, 100} {
		var text strings.Builder
		for i := 0; text.Len() < size<<10; i++ {
			fmt.Fprintf(&text, "block%d {%s}\n", i, job)
		}
		src := []byte(text.String())
		b.Run(fmt.Sprintf("%dKB", size), func(b *testing.B) {
			b.SetBytes(int64(len(src)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := hocon.Parse(src, hocon.Options{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
