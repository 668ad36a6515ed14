package plan

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/config"
)

// SeaTunnel's texts.
const (
	twoStructures  = "Transform/Sink don't support processing data with two different structures."
	multiAndOthers = "Sink don't support simultaneous writing of data from multi-table source and other sources."
	multiTransform = "Adding transform to multi-table source is not supported."
)

func (b *builder) openSource(ctx context.Context, v *Vertex) error {
	v.Env = b.env(v, v.Name, nil)
	source, err := v.plugin.Source(ctx, v.block.Config, v.Env)
	if err != nil {
		return err
	}
	b.closeLater(source)
	v.Source, v.Replays = source, !v.plugin.Volatile
	v.Tables, err = source.Tables(ctx)
	if err != nil {
		return err
	}
	if len(v.Tables) == 0 {
		return fmt.Errorf("the source has no table")
	}
	seen := map[plugin.TableID]bool{}
	for _, t := range v.Tables {
		if seen[t.ID] {
			return refuse(v.block, "the source has two tables named %s; give each a name of its own", t.ID)
		}
		seen[t.ID] = true
	}
	return nil
}

func (b *builder) openTransform(ctx context.Context, v *Vertex) error {
	tables, err := unionTables(v, multiTransform)
	if err != nil {
		return err
	}
	v.Env = b.env(v, v.Name, tables)
	v.NewTransform = func(ctx context.Context) (plugin.Transform, error) {
		return v.plugin.Transform(ctx, v.block.Config, v.Env)
	}
	transform, err := v.NewTransform(ctx)
	if err != nil {
		return err
	}
	err = derive(v, transform, tables)
	if c, ok := transform.(io.Closer); ok {
		err = errors.Join(err, c.Close())
	}
	return err
}

// derive fills v.Derived and v.Tables. The tables of a union become what the first one becomes.
func derive(v *Vertex, transform plugin.Transform, tables []*plugin.Table) error {
	v.Derived = map[*plugin.Table]*plugin.Table{}
	made := map[plugin.TableID]*plugin.Table{}
	for _, in := range tables {
		out, err := transform.Derive(in)
		if err != nil {
			return fmt.Errorf("table %s: %w", in.ID, err)
		}
		if out == nil {
			v.Derived[in] = nil
			continue
		}
		if same := made[out.ID]; same != nil {
			if !same.SameColumns(out) {
				return refuse(v.block, twoStructures)
			}
			out = same
		} else {
			made[out.ID] = out
			v.Tables = append(v.Tables, out)
		}
		v.Derived[in] = out
	}
	if len(v.Tables) == 0 {
		return refuse(v.block, "the transform drops every table")
	}
	if len(v.Inputs) > 1 {
		for _, in := range v.Inputs {
			v.Derived[in.Tables[0]] = v.Derived[tables[0]]
		}
	}
	return nil
}

// unionTables returns the tables that the vertex is told of: all tables of one input, or the first input's single
// table if there are several inputs, which must have one table each, of the same columns.
func unionTables(v *Vertex, refusal string) ([]*plugin.Table, error) {
	first := v.Inputs[0].Tables
	if len(v.Inputs) == 1 {
		return first, nil
	}
	for _, in := range v.Inputs {
		if len(in.Tables) > 1 {
			return nil, refuse(v.block, "%s", refusal)
		}
	}
	for _, in := range v.Inputs[1:] {
		if !in.Tables[0].SameColumns(first[0]) {
			return nil, refuse(v.block, twoStructures)
		}
	}
	return first, nil
}

func (b *builder) openSink(ctx context.Context, v *Vertex) error {
	tables, err := unionTables(v, multiAndOthers)
	if err != nil {
		return err
	}
	v.Tables = tables
	if len(v.Inputs) > 1 {
		v.Union = map[*plugin.Table]*plugin.Table{}
		for _, in := range v.Inputs[1:] {
			if t := in.Tables[0]; t != tables[0] {
				v.Union[t] = tables[0]
			}
		}
	}
	base := v.Name
	v.Name = sinkName(v)
	v.Env = b.env(v, v.Name, tables)
	if v.plugin.MultiTable && !v.plugin.PerTable {
		return b.openInstance(ctx, v, SinkInstance{Name: v.Name}, v.block.Config)
	}
	for _, t := range tables {
		one := SinkInstance{Name: base + "-" + t.ID.String(), Table: t}
		if err := b.openInstance(ctx, v, one, expand(v.block.Config, t)); err != nil {
			return ofTable(err, one)
		}
	}
	return nil
}

// sinkName completes a sink's name as SeaTunnel does. SeaTunnel has no name for several tables in a sink that takes
// one; there it makes several vertices.
func sinkName(v *Vertex) string {
	switch {
	case v.plugin.MultiTable && len(v.Inputs) == 1:
		return v.Name + "-MultiTableSink"
	case len(v.Tables) == 1:
		return v.Name + "-" + v.Tables[0].ID.String()
	default:
		return v.Name
	}
}

func (b *builder) openInstance(ctx context.Context, v *Vertex, s SinkInstance, options config.Value) error {
	tables := v.Tables
	if s.Table != nil {
		tables = []*plugin.Table{s.Table}
	}
	var err error
	s.Env = b.env(v, s.Name, tables)
	s.Sink, err = v.plugin.Sink(ctx, options, s.Env)
	if err != nil {
		return err
	}
	b.closeLater(s.Sink)
	s.Delivery = v.plugin.Delivery
	if d, ok := s.Sink.(plugin.Deliverer); ok {
		s.Delivery = d.Delivery(tables)
	}
	v.Sinks = append(v.Sinks, s)
	return nil
}

// ofTable says for which table an instance cannot be opened: its options differ by what the placeholders hold.
func ofTable(err error, s SinkInstance) error {
	var ce *config.Error
	if !errors.As(err, &ce) {
		return locate(s.Name, err)
	}
	var ps config.Problems
	for _, p := range ce.Problems {
		ps.Errorf(p.Path, p.Pos, "for table %s: %s", s.Table.ID, p.Text)
	}
	return ps.Err()
}

// expand fills the placeholders of a sink that takes one table: in texts at the top level, and in lists of one text.
func expand(options config.Value, t *plugin.Table) config.Value {
	members := make([]config.Member, len(options.Members))
	for i, m := range options.Members {
		switch {
		case m.Value.Kind == config.String:
			m.Value.Text = plugin.Expand(m.Value.Text, t)
		case m.Value.Kind == config.List && len(m.Value.Items) == 1 && m.Value.Items[0].Kind == config.String:
			m.Value.Items = expandList(m.Value.Items[0], t)
		}
		members[i] = m
	}
	options.Members = members
	return options
}

func expandList(item config.Value, t *plugin.Table) []config.Value {
	var items []config.Value
	for _, text := range plugin.ExpandList([]string{item.Text}, t) {
		item.Text = text
		items = append(items, item)
	}
	return items
}
