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
// that changed. It gives all lanes the same pointers.
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
			c.inForce[t.Table.ID] = t.Table
		}
	}
	return c
}

// derive returns what transform t of a vertex makes of a table, nil if it drops it. t is asked only if no other lane
// and not the plan has asked before.
func (c *catalog) derive(v *plan.Vertex, in *plugin.Table, t plugin.Transform) (*plugin.Table, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	known := c.derived[v]
	if out, ok := known[in]; ok {
		return out, nil
	}
	for k, out := range known {
		if sameVersion(k, in) {
			known[in] = out
			return out, nil
		}
	}
	out, err := t.Derive(in)
	if err != nil {
		return nil, at(v, err)
	}
	c.remember(v, in, out)
	return out, nil
}

// remember notes what a vertex makes of a table; the caller holds the lock.
func (c *catalog) remember(v *plan.Vertex, in, out *plugin.Table) {
	if c.derived[v] == nil {
		c.derived[v] = make(map[*plugin.Table]*plugin.Table)
	}
	c.derived[v][in] = out
}

// follow notes what a vertex makes of the new version of a table. If the columns that leave the vertex are the same
// as before, so is the table.
func (c *catalog) follow(v *plan.Vertex, change plugin.SchemaChange, t plugin.Transform) (plugin.SchemaChange, error) {
	before, err := c.derive(v, change.Old, t)
	if err != nil {
		return change, err
	}
	after, err := t.Derive(change.New)
	if err != nil {
		return change, at(v, err)
	}
	if before != nil && after != nil && before.SameColumns(after) {
		after = before
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.remember(v, change.New, after)
	return plugin.SchemaChange{Old: before, New: after, Statement: change.Statement}, nil
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
