package engine

import (
	"fmt"
	"slices"

	"github.com/culvertdata/culvert/encrypt"
	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/config"
	"github.com/culvertdata/culvert/plugin/config/hocon"
)

// decrypt returns a job file's tree with the secrets of its sources and sinks in clear. The text that is stored stays
// as it was submitted.
func (e *Engine) decrypt(root config.Value) (config.Value, error) {
	var identifier config.Value
	if env, ok := root.Get("env"); ok {
		identifier, _ = env.Lookup("shade.identifier")
	}
	shade, err := e.options.Shades.Find(identifier.Text)
	if err != nil {
		return root, config.Problems{{Path: "env.shade.identifier", Pos: identifier.Pos, Text: err.Error()}}.Err()
	}
	var problems config.Problems
	for _, role := range []plugin.Role{plugin.SourceRole, plugin.SinkRole} {
		blocks, ok := root.Get(role.String())
		if !ok || blocks.Kind != config.List {
			continue
		}
		items := slices.Clone(blocks.Items)
		for i, block := range items {
			items[i] = e.decryptBlock(block, role, i, shade, &problems)
		}
		blocks.Items = items
		root = root.Set(role.String(), blocks)
	}
	return root, problems.Err()
}

// EncryptConfig encrypts the secrets of a job file in JSON with the shade that its env names: those of every source and
// sink, and those that their plugins declare. Nothing else changes, not a byte.
func (e *Engine) EncryptConfig(job []byte) ([]byte, error) {
	if _, err := hocon.Parse(job, hocon.Options{JSON: true}); err != nil {
		return nil, err
	}
	return e.options.Shades.EncryptJSON(job, func(role, name string) []string {
		for _, r := range []plugin.Role{plugin.SourceRole, plugin.SinkRole} {
			if p, ok := e.options.Plugins.Lookup(r, name); ok && r.String() == role {
				return p.Spec().Secrets()
			}
		}
		return nil
	})
}

func (e *Engine) decryptBlock(block config.Value, role plugin.Role, index int, shade encrypt.Shade,
	problems *config.Problems) config.Value {
	name, _ := block.Get("plugin_name")
	for _, key := range e.secretsOf(role, name.Text, shade) {
		v, ok := block.Get(key)
		if !ok || !v.Scalar() {
			continue
		}
		text, err := shade.Decrypt(v.Text)
		if err != nil {
			problems.Errorf(fmt.Sprintf("%s[%d].%s", role, index, key), v.Pos, "%v", err)
			continue
		}
		block = block.Set(key, config.Value{Kind: config.String, Text: text, Pos: v.Pos})
	}
	return block
}

// secretsOf returns the options of a plugin that are encrypted in job files.
func (e *Engine) secretsOf(role plugin.Role, name string, shade encrypt.Shade) []string {
	keys := encrypt.Options()
	if s, ok := shade.(encrypt.Sensitive); ok {
		keys = append(keys, s.SensitiveOptions()...)
	}
	if p, ok := e.options.Plugins.Lookup(role, name); ok {
		keys = append(keys, p.Spec().Secrets()...)
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}
