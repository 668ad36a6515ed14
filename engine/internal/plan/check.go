package plan

import (
	"fmt"
	"slices"
	"strings"

	"github.com/culvertdata/culvert/engine/internal/jobspec"
	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/config"
)

// Check returns everything that is wrong with a job and can be told without opening a plugin, warnings included, in
// the order of the file: what the spec found out by itself, unknown plugins, and the problems of all options. Build
// begins with it.
func Check(spec *jobspec.Spec, registry *plugin.Registry, mode plugin.Mode) config.Problems {
	problems := slices.Concat(spec.Errors, spec.Warnings)
	for _, block := range spec.Blocks() {
		if block.Plugin != "" {
			problems = append(problems, checkBlock(block, registry, mode).Under(block.Path())...)
		}
	}
	return problems.Sorted()
}

func checkBlock(block *jobspec.Block, registry *plugin.Registry, mode plugin.Mode) config.Problems {
	var problems config.Problems
	p, ok := registry.Lookup(block.Role, block.Plugin)
	if !ok {
		problems.Errorf("plugin_name", block.Config.Pos, "%s", notFound(block, registry))
		return problems
	}
	if mode == plugin.Bounded && p.Role == plugin.SourceRole && !p.Supports(plugin.Bounded) {
		problems.Errorf("", block.Config.Pos, "'%s' source don't support off-line job.", p.Name)
	}
	options := block.Config
	if p.Role == plugin.SinkRole && (!p.MultiTable || p.PerTable) {
		options = expand(options, sample)
	}
	return append(problems, p.Check(options)...)
}

// sample stands for the tables that will fill a sink's placeholders, which are not known before the sources are open.
var sample = &plugin.Table{ID: plugin.DefaultTableID(), Columns: []plugin.Column{{Name: "id"}}, Key: []int{0}}

// notFound names the plugins that could have been meant, after SeaTunnel's own text.
func notFound(block *jobspec.Block, registry *plugin.Registry) string {
	var text strings.Builder
	fmt.Fprintf(&text, "Plugin PluginIdentifier{engineType='seatunnel', pluginType='%s', pluginName='%s'} not found.",
		block.Role, block.Plugin)
	known := registry.Names(block.Role)
	if near, ok := config.Nearest(block.Plugin, known); ok {
		fmt.Fprintf(&text, " Did you mean %q?", near)
	}
	if len(known) == 0 {
		fmt.Fprintf(&text, " No %s is registered.", block.Role)
	} else {
		fmt.Fprintf(&text, " Known here: %s.", strings.Join(known, ", "))
	}
	return text.String()
}
