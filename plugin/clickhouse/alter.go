package clickhouse

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/clickhouse/internal/client"
	"github.com/culvertdata/culvert/plugin/clickhouse/internal/native"
)

// ApplyChange adds, drops, renames and widens columns of the target. What is done already is left alone, so it may be
// called again. A column is never made narrower: what the source allows then fits anyway, and older versions of rows
// may hold more.
func (s *Sink) ApplyChange(ctx context.Context, c plugin.SchemaChange) error {
	id, err := targetID(s.options, c.New)
	if err != nil {
		return err
	}
	srv, err := connect(ctx, s.client, s.options.Zone)
	if err != nil {
		return err
	}
	defer srv.Close()
	if err := s.alter(ctx, srv, id, c); err != nil {
		return fmt.Errorf("schema change: %w", inTable(err, id))
	}
	target, err := newTarget(ctx, srv, s.options, c.New)
	if err == nil {
		_, err = target.encoder(srv)
	}
	return err
}

// Truncate empties the target, if it has rows of no other table.
func (s *Sink) Truncate(ctx context.Context, t *plugin.Table) error {
	id, err := targetID(s.options, t)
	if err != nil {
		return err
	}
	for _, other := range s.inputs {
		if o, err := targetID(s.options, other); err == nil && other.ID != t.ID && o == id {
			return &plugin.Error{
				Code: plugin.CodeConfig, Table: t.ID,
				Err: fmt.Errorf("the table was truncated; its target %s has the rows of %s, too", id, other.ID),
				Fix: "delete its rows there by hand, and do not follow truncations",
			}
		}
	}
	srv, err := connect(ctx, s.client, s.options.Zone)
	if err != nil {
		return err
	}
	defer srv.Close()
	return inTable(srv.Exec(ctx, client.Request{SQL: "TRUNCATE TABLE " + tableName(id)}), id)
}

// alteration brings one table to new columns, step by step.
type alteration struct {
	sink    *Sink
	srv     *server
	id      plugin.TableID
	change  plugin.SchemaChange
	engine  engine
	columns []described // as they are
}

func (s *Sink) alter(ctx context.Context, srv *server, id plugin.TableID, c plugin.SchemaChange) error {
	a := &alteration{sink: s, srv: srv, id: id, change: c}
	var err error
	if a.engine, err = engineOf(ctx, srv, id); err != nil {
		return err
	}
	if strings.HasPrefix(a.engine.name, "Distributed") {
		return &plugin.Error{
			Code: plugin.CodeConfig, Err: errors.New("a Distributed table and those on its shards cannot be altered from here"),
			Fix: "alter them by hand, then start the job again",
		}
	}
	if err := unswapped(c.Renamed); err != nil {
		return err
	}
	for _, step := range c.Steps() {
		if a.columns, err = srv.describe(ctx, tableName(id)); err != nil {
			return err
		}
		if err := a.step(ctx, step); err != nil {
			return err
		}
	}
	return nil
}

// unswapped refuses renames that hand names round: there is no telling whether they are done already.
func unswapped(renames []plugin.Rename) error {
	next := make(map[string]string, len(renames))
	for _, r := range renames {
		next[r.From] = r.To
	}
	for _, r := range renames {
		for name, n := r.To, 0; name != "" && n < len(renames); name, n = next[name], n+1 {
			if name == r.From {
				return &plugin.Error{
					Code: plugin.CodeConfig, Err: fmt.Errorf("the columns %s and %s swap their names", r.From, r.To),
					Fix: "rename them by hand, then start the job anew",
				}
			}
		}
	}
	return nil
}

// find returns a column as it is; nil if there is none.
func (a *alteration) find(name string) *described {
	i := slices.IndexFunc(a.columns, func(d described) bool { return d.Name == name })
	if i < 0 {
		return nil
	}
	return &a.columns[i]
}

func (a *alteration) step(ctx context.Context, s plugin.ColumnChange) error {
	switch s.Action {
	case plugin.DropColumn:
		return a.drop(ctx, s.Old.Name)
	case plugin.RenameColumn:
		return a.rename(ctx, s)
	case plugin.ModifyColumn:
		return a.modify(ctx, s.New)
	default:
		return a.add(ctx, s)
	}
}

// run runs one ALTER TABLE.
func (a *alteration) run(ctx context.Context, text string) error {
	return a.srv.Exec(ctx, client.Request{SQL: "ALTER TABLE " + tableName(a.id) + " " + text})
}

// keeps refuses to alter a column that the rows are ordered by.
func (a *alteration) keeps(name, what string) error {
	if !slices.Contains(a.engine.sortingKey(), name) {
		return nil
	}
	return &plugin.Error{
		Code: plugin.CodeConfig, Err: fmt.Errorf("the column %s is to be %s, but rows are ordered by it", name, what),
		Fix: "make the target anew: start the job afresh with schema_save_mode = RECREATE_SCHEMA",
	}
}

func (a *alteration) drop(ctx context.Context, name string) error {
	if a.find(name) == nil || a.arrived(name) {
		return nil
	}
	if err := a.keeps(name, "dropped"); err != nil {
		return err
	}
	return a.run(ctx, "DROP COLUMN "+native.Identifier(name))
}

// arrived reports whether a column is one that got its name from this change already.
func (a *alteration) arrived(name string) bool {
	return slices.ContainsFunc(a.change.Renamed, func(r plugin.Rename) bool {
		return r.To == name && a.find(r.From) == nil
	})
}

func (a *alteration) rename(ctx context.Context, s plugin.ColumnChange) error {
	from := a.find(s.Old.Name)
	renames := a.srv.version.atLeast(20, 4)
	if from == nil || a.arrived(from.Name) || renames && a.find(s.New.Name) != nil {
		return nil
	}
	if err := a.keeps(from.Name, "renamed"); err != nil {
		return err
	}
	before, after := native.Identifier(s.Old.Name), native.Identifier(s.New.Name)
	if renames {
		return a.run(ctx, "RENAME COLUMN "+before+" TO "+after)
	}
	if a.find(s.New.Name) == nil { // an old server: by way of a copy
		if err := a.run(ctx, "ADD COLUMN "+after+" "+from.text+" AFTER "+before); err != nil {
			return err
		}
	}
	if err := a.run(ctx, "UPDATE "+after+" = "+before+" WHERE 1"); err != nil {
		return err
	}
	if err := a.srv.mutated(ctx, a.id); err != nil {
		return err
	}
	return a.run(ctx, "DROP COLUMN "+before)
}

func (a *alteration) add(ctx context.Context, s plugin.ColumnChange) error {
	c := s.New
	if a.find(c.Name) != nil {
		return nil
	}
	text, err := columnType(a.srv.version, c.Type)
	if err != nil {
		return &plugin.Error{Code: plugin.CodeType, Err: fmt.Errorf("column %s: %w", c.Name, err), Fix: "add it by hand"}
	}
	if !c.NotNull && mayBeNullable(text) {
		text = "Nullable(" + text + ")"
	}
	if value, ok := defaultText(c); ok {
		text += " DEFAULT " + native.Quote(value)
	} else if c.Default != nil {
		a.sink.log.Warn("the default of an added column is no constant: older rows get null or the type's default",
			"table", a.id.String(), "column", c.Name, "default", *c.Default)
	}
	if a.find(s.After) != nil {
		text += " AFTER " + native.Identifier(s.After)
	}
	return a.run(ctx, "ADD COLUMN "+native.Identifier(c.Name)+" "+text)
}

// modify widens a column where its type does not hold all new values, and allows nulls where they may come.
func (a *alteration) modify(ctx context.Context, c plugin.Column) error {
	now := a.find(c.Name)
	if now == nil || now.err != nil || now.kind == "MATERIALIZED" || now.kind == "ALIAS" {
		return nil // the check behind all steps tells what is missing
	}
	text, err := columnType(a.srv.version, c.Type)
	if err != nil {
		return &plugin.Error{
			Code: plugin.CodeType, Err: fmt.Errorf("column %s: %w", c.Name, err), Fix: "convert it with a transform",
		}
	}
	want, err := native.ParseType(text)
	if err != nil {
		return err
	}
	have, nullable := now.Type.Bare()
	allow := nullable || !c.NotNull
	if slices.Contains(a.engine.sortingKey(), c.Name) {
		return nil // it cannot be altered; a value that does not fit is refused when it comes
	}
	switch {
	case have.Holds(want):
		if allow == nullable || now.Type.Name == "LowCardinality" || !mayBeNullable(have.String()) {
			return nil
		}
		text = have.String()
	case !want.Holds(have):
		return &plugin.Error{
			Code: plugin.CodeType, Err: fmt.Errorf("column %s: a %s cannot become a %s", c.Name, have, want),
			Fix: "alter the target by hand, then start the job again",
		}
	}
	if allow && mayBeNullable(text) {
		text = "Nullable(" + text + ")"
	}
	if now.kind == "DEFAULT" { // else it would be lost
		text += " DEFAULT " + now.value
	}
	return a.run(ctx, "MODIFY COLUMN "+native.Identifier(c.Name)+" "+text)
}
