package exec

import (
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/culvertdata/culvert/engine/internal/checkpoint"
	"github.com/culvertdata/culvert/engine/internal/plan"
	"github.com/culvertdata/culvert/plugin"
)

// catalog knows the tables on the edges: what each transform makes of its inputs, and the versions in force of tables
// that changed, of sources that resume also of those that did not. It gives all lanes the same pointers.
type catalog struct {
	mu      sync.Mutex
	derived map[*plan.Vertex]map[*plugin.Table]*plugin.Table
	inForce map[plugin.TableID]*plugin.Table
}

func newCatalog(p *plan.Pipeline, cp *checkpoint.Checkpoint) *catalog {
	c := &catalog{
		derived: make(map[*plan.Vertex]map[*plugin.Table]*plugin.Table),
		inForce: make(map[plugin.TableID]*plugin.Table),
	}
	for _, v := range p.Vertices {
		if v.Role == plugin.TransformRole {
			c.derived[v] = maps.Clone(v.Derived)
		}
	}
	if cp != nil {
		for _, t := range cp.Tables {
			if carries(p, cp, t.Table.ID) {
				c.inForce[t.Table.ID] = t.Table
			}
		}
	}
	for _, v := range p.Sources() {
		if !resumes(v) {
			continue
		}
		for _, t := range v.Tables {
			if c.inForce[t.ID] == nil {
				c.inForce[t.ID] = t
			}
		}
	}
	return c
}

// canonical returns the pointer that all lanes use for what a vertex makes of a table. derived is what the caller's
// instance of the transform has answered; it becomes the canonical one if neither the plan nor a lane knew the table
// before.
func (c *catalog) canonical(v *plan.Vertex, in, derived *plugin.Table) *plugin.Table {
	c.mu.Lock()
	defer c.mu.Unlock()
	known := c.derived[v]
	if known == nil {
		known = make(map[*plugin.Table]*plugin.Table)
		c.derived[v] = known
	}
	if out, ok := known[in]; ok {
		return out
	}
	for k, out := range known {
		if sameVersion(k, in) {
			derived = out
			break
		}
	}
	known[in] = derived
	return derived
}

// follow returns what a change of a vertex's input is at its output. If the columns that leave the vertex are the
// same as before, so is the table.
func (c *catalog) follow(v *plan.Vertex, change plugin.SchemaChange, t plugin.Transform) (plugin.SchemaChange, error) {
	before, err := t.Derive(change.Old)
	if err != nil {
		return change, at(v, err)
	}
	before = c.canonical(v, change.Old, before)
	in := change.New
	after, err := t.Derive(in)
	if err != nil {
		return change, at(v, err)
	}
	change.Old, change.New, change.Renamed = before, after, renamed(change.Renamed, before, after)
	if before != nil && after != nil && before.SameColumns(after) && len(change.Steps()) == 0 && !change.Truncated {
		change.New = before
	}
	change.New = c.canonical(v, in, change.New)
	return change, nil
}

// renamed returns the renames that are still such behind a transform: it may have dropped the column, or given it a
// name of its own.
func renamed(list []plugin.Rename, before, after *plugin.Table) []plugin.Rename {
	if before == nil || after == nil {
		return nil
	}
	var left []plugin.Rename
	for _, r := range list {
		if before.Index(r.From) >= 0 && after.Index(r.To) >= 0 {
			left = append(left, r)
		}
	}
	return left
}

// applied reports whether the new version of a change is in force already, or a later one.
func (c *catalog) applied(change plugin.SchemaChange) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := c.inForce[change.New.ID]
	return t != nil && (t == change.New || t.Version > change.New.Version || sameVersion(t, change.New))
}

// enforce makes a version the one in force.
func (c *catalog) enforce(t *plugin.Table) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.inForce[t.ID] = t
}

// changed returns the changed tables for a checkpoint, by name.
func (c *catalog) changed() []checkpoint.Table {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []checkpoint.Table
	for _, t := range c.inForce {
		out = append(out, checkpoint.Table{Table: t})
	}
	slices.SortFunc(out, func(a, b checkpoint.Table) int {
		return strings.Compare(a.Table.ID.String(), b.Table.ID.String())
	})
	return out
}

func sameVersion(a, b *plugin.Table) bool {
	return a.ID == b.ID && a.Version == b.Version && a.SameColumns(b)
}
