package plan

import (
	"testing"

	"github.com/culvertdata/culvert/engine/internal/jobspec"
	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/config/hocon"
)

// BenchmarkBuild is what planning adds to the submission of a small job, from its tree to the open plugins.
func BenchmarkBuild(b *testing.B) {
	root, err := hocon.Parse([]byte(`env { job.mode = BATCH }
	source { Tables { tables = ["t:id bigint"] } },
	transform { Shape { add = x } }, sink { Single { path = x } }`), hocon.Options{})
	if err != nil {
		b.Fatal(err)
	}
	registry := plugin.NewRegistry((&world{}).plugins)
	for b.Loop() {
		spec, err := jobspec.Parse(root)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := Build(b.Context(), Options{Spec: spec, Registry: registry}); err != nil {
			b.Fatal(err)
		}
	}
}
