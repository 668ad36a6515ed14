package config_test

import (
	"fmt"
	"time"

	"github.com/culvertdata/culvert/plugin/config"
	"github.com/culvertdata/culvert/plugin/config/hocon"
)

type sinkOptions struct {
	Path string        `opt:"path" required:"true" help:"File to write."`
	Size int           `opt:"batch_size" default:"1000" min:"1" help:"Rows of one write."`
	Wait time.Duration `opt:"interval" unit:"ms" default:"500" help:"Pause between two writes."`
	Key  string        `opt:"password" secret:"true" help:"Password."`
}

func ExampleDecode() {
	v, err := hocon.ParseValue([]byte(`{ path = /tmp/out, batch_size = "50", interval = 2s }`))
	if err != nil {
		fmt.Println(err)
		return
	}
	var o sinkOptions
	if ps := config.Decode(v, &o); ps.Err() != nil {
		fmt.Println(ps.Err())
		return
	}
	fmt.Println(o.Path, o.Size, o.Wait)
	// Output: /tmp/out 50 2s
}

// All problems come at once, with their places.
func ExampleSpec_Check() {
	v, err := hocon.ParseValue([]byte("{\n  batch_size = 0\n  intervall = 5\n}"))
	if err != nil {
		fmt.Println(err)
		return
	}
	spec, err := config.SpecOf[sinkOptions]()
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, p := range spec.Check(v) {
		fmt.Println(p)
	}
	// Output:
	// 1:1: path: is required: File to write.
	// 2:16: batch_size: 0 is too small, the least is 1
	// 3:3: intervall: is not an option here and has no effect; did you mean "interval"?
}

func ExampleSpec_Mask() {
	v, err := hocon.ParseValue([]byte(`{ path = /tmp/out, password = hunter2 }`))
	if err != nil {
		fmt.Println(err)
		return
	}
	spec, err := config.SpecOf[sinkOptions]()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(spec.Mask(v).JSON())
	// Output: {"path":"/tmp/out","password":"******"}
}
