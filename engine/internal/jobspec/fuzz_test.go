package jobspec

import (
	"testing"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/config/hocon"
)

// FuzzParse checks that whatever a job file says, Parse returns, and that a spec without errors is wired to its ends.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		`{}`, `[]`, `x = 1`, `env = [], source = {}, sink = 1`,
		`env {}, source { A {} }, sink { B {} }`,
		`env { job.mode = STREAMING, checkpoint { interval = 10 } }, source { A { plugin_output = a } },
		transform { T { plugin_input = a, plugin_output = b }, U { plugin_input = [b], plugin_output = c } },
		sink { C { source_table_name = "c,a" } }`,
		`env {}, source { A { plugin_output = a } },
		transform { T { plugin_input = [t, a], plugin_output = t } }, sink { C { plugin_input = t } }`,
		`env { parallelism = 1e3 }, source = [{plugin_name = A, parallelism = -9}], sink = [null, {}, []]`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		root, err := hocon.Parse([]byte(text), hocon.Options{})
		if err != nil {
			return
		}
		spec, err := Parse(root)
		if (err != nil) != (len(spec.Errors) > 0) {
			t.Fatalf("Parse = %v with errors %v", err, spec.Errors)
		}
		if err != nil {
			return
		}
		if len(spec.Sources) == 0 || len(spec.Sinks) == 0 || len(spec.TransformOrder()) != len(spec.Transforms) {
			t.Fatalf("incomplete: %d sources, %d sinks", len(spec.Sources), len(spec.Sinks))
		}
		for _, b := range spec.Blocks() {
			if b.Plugin == "" || (b.Role == plugin.SourceRole) != (len(b.From) == 0) {
				t.Errorf("%s: plugin %q reads %v", b.Path(), b.Plugin, b.From)
			}
		}
	})
}
