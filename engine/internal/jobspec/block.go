package jobspec

import (
	"slices"
	"strings"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/config"
)

// common are the options that every block may have.
type common struct {
	Plugin      string       `opt:"plugin_name" help:"Name of the plugin."`
	Output      string       `opt:"plugin_output,result_table_name" help:"Name of the dataset that the block makes."`
	Inputs      []string     `opt:"plugin_input,source_table_name" help:"Names of the datasets that the block reads."`
	Parallelism int          `opt:"parallelism" help:"Number of lanes of a source."`
	Raw         config.Value `opt:"*"`
}

func (p *parser) blocks(root config.Value, role plugin.Role) []Block {
	list, ok := root.Get(role.String())
	if !ok || list.Kind == config.Null {
		return nil
	}
	if list.Kind == config.Object && len(list.Members) == 0 {
		return nil
	}
	if list.Kind != config.List {
		p.problems.Errorf(role.String(), list.Pos,
			`must be a list of objects, each with a plugin_name, not %s: [{"plugin_name": "..."}]`, list.Kind)
		return nil
	}
	blocks := make([]Block, len(list.Items))
	for i, item := range list.Items {
		blocks[i] = p.block(item, role, i)
	}
	return blocks
}

func (p *parser) block(v config.Value, role plugin.Role, index int) Block {
	b := Block{Role: role, Index: index, Config: v}
	var c common
	problems := config.Decode(v, &c).Under(b.Path())
	p.problems = append(p.problems, problems...)
	if problems.Err() != nil {
		c.Plugin, _ = pluginName(v)
	}
	b.Plugin, b.Output = strings.TrimSpace(c.Plugin), strings.TrimSpace(c.Output)
	if b.Plugin == "" && v.Kind == config.Object {
		p.problems.Errorf(b.Path(), v.Pos, "The 'plugin_name' option is not configured, please configure it.")
	}
	b.Inputs = p.inputs(&b, c.Inputs)
	b.Parallelism = p.parallelism(b.Path(), v, c.Parallelism, "parallelism")
	if b.Parallelism > 0 && role != plugin.SourceRole {
		p.problems.Warnf(b.Path()+".parallelism", at(v, "parallelism"),
			"has no effect: a %s runs in the lanes of its sources", role)
	}
	return b
}

func pluginName(v config.Value) (string, bool) {
	name, ok := v.Get("plugin_name")
	return name.Text, ok
}

// inputs drops repetitions: a dataset is read once, however often it is named.
func (p *parser) inputs(b *Block, names []string) []string {
	if b.Role == plugin.SourceRole {
		return nil
	}
	path, pos := b.inputPlace()
	if names != nil && len(names) == 0 {
		p.problems.Errorf(path, pos, "names no dataset; name one or leave the option out")
	}
	var unique []string
	for _, name := range names {
		name = strings.TrimSpace(name)
		if slices.Contains(unique, name) {
			p.problems.Warnf(path, pos, "names %q twice; it is read once", name)
			continue
		}
		unique = append(unique, name)
	}
	return unique
}

// inputPlace names the option that says what the block reads, in the spelling that the block uses.
func (b *Block) inputPlace() (path string, pos config.Pos) {
	option := inputOption(b.Config)
	return b.Path() + "." + option, at(b.Config, option)
}

// inputOption returns the spelling that the block uses.
func inputOption(v config.Value) string {
	if _, ok := v.Get("plugin_input"); ok {
		return "plugin_input"
	}
	return "source_table_name"
}

// maxParallelism keeps a slip of the pen from starting millions of lanes.
const maxParallelism = 10_000

// parallelism returns the number of lanes, 0 if none was written. SeaTunnel takes what is below 1 as 1.
func (p *parser) parallelism(path string, v config.Value, n int, names ...string) int {
	name, written := p.written(path, v, names...)
	if !written {
		return 0
	}
	path, pos := path+"."+name, at(v, name)
	switch {
	case n < 1:
		p.problems.Warnf(path, pos, "%d is below 1 and taken as 1", n)
		return 1
	case n > maxParallelism:
		p.problems.Errorf(path, pos, "%d is too large, the most is %d", n, maxParallelism)
		return 1
	default:
		return n
	}
}

// written returns the name under which an option was written with a value that could be read.
func (p *parser) written(path string, v config.Value, names ...string) (string, bool) {
	for _, name := range names {
		found, ok := v.Lookup(name)
		if !ok || found.Kind == config.Null {
			continue
		}
		failed := slices.ContainsFunc(p.problems, func(x config.Problem) bool {
			return !x.Warning && x.Path == path+"."+name
		})
		return name, !failed
	}
	return "", false
}

// at returns the position of a key's value, or of the object if the key is not in it.
func at(v config.Value, key string) config.Pos {
	if found, ok := v.Lookup(key); ok && found.Pos.Line > 0 {
		return found.Pos
	}
	return v.Pos
}
