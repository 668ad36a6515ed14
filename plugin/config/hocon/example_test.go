package hocon_test

import (
	"fmt"

	"github.com/culvertdata/culvert/plugin/config/hocon"
)

func ExampleParse() {
	v, err := hocon.Parse([]byte(`
		env { job.mode = BATCH }
		source { FakeSource { row.num = 5, result_table_name = fake } }
		sink { Console { source_table_name = fake } }
	`), hocon.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, m := range v.Members {
		fmt.Println(m.Pos, m.Key, m.Value.JSON())
	}
	// Output:
	// 2:3 env {"job.mode":"BATCH"}
	// 3:3 source [{"plugin_name":"FakeSource","row.num":5,"result_table_name":"fake"}]
	// 4:3 sink [{"plugin_name":"Console","source_table_name":"fake"}]
}

// Variables fill in quoted and unquoted placeholders; those of sinks stay.
func ExampleParse_variables() {
	v, err := hocon.Parse([]byte(`sink { LocalFile { path = "/data/${day}/${table_name}", rows = ${n:10} } }`),
		hocon.Options{Variables: map[string]string{"day": "monday"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(v.JSON())
	// Output: {"sink":[{"plugin_name":"LocalFile","path":"/data/monday/${table_name}","rows":"10"}]}
}

// All problems that can be told apart come at once.
func ExampleParse_errors() {
	_, err := hocon.Parse([]byte("env { job.name = a:b }\nsource {\n  parallelism = *\n  url = x=y\n}"), hocon.Options{})
	fmt.Println(err)
	_, err = hocon.Parse([]byte("source {\n  parallelism = *\n  url = x=y\n}"), hocon.Options{})
	fmt.Println(err)
	// Output:
	// 1:19: ':' cannot stand in a value without quotes; put the value in double quotes, or a comma or a new line before the next key
	// 2:17: '*' cannot stand in a value without quotes; put the value in double quotes
	// 3:10: '=' cannot stand in a value without quotes; put the value in double quotes, or a comma or a new line before the next key
}

func ExampleParseValue() {
	v, err := hocon.ParseValue([]byte(`{ name = string, address { street = string, number = int } }`))
	fmt.Println(v.JSON(), err)
	// Output: {"name":"string","address":{"street":"string","number":"int"}} <nil>
}
