package postgrescdc

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/column"
	"github.com/culvertdata/culvert/plugin/internal/cdc"
	"github.com/culvertdata/culvert/plugin/jdbc/postgres"
	"github.com/culvertdata/culvert/plugin/postgrescdc/internal/pgoutput"
)

// follow notices that a table has other columns than the log had before, and takes that to the sinks if the job wants
// it. The log holds no statements: what has happened is seen from the columns that are gone and those that came.
func (s *stream) follow(ctx context.Context, out plugin.Out, t *target, r *relation, types []typeInfo) error {
	before := t.log
	if before == nil && !strings.EqualFold(s.source.options.Startup, "earliest") {
		before = plannedColumns(t.out, r.Columns)
	}
	same := before == nil || slices.EqualFunc(before, r.Columns, sameColumn)
	follows := s.source.options.schemaChanges()
	switch {
	case follows && t.missed:
		cdc.WarnMadeUp(s.source.env.Logger, t.out.ID)
	case follows && !same:
	default:
		if !same && !agree(t.out, r.Columns, types) {
			cdc.WarnIgnored(s.source.env.Logger, t.out.ID)
			t.missed = true
		}
		if t.log == nil || !same {
			s.noted(t, r)
		}
		return nil
	}
	return s.announce(ctx, out, t, r, types, before)
}

// announce takes the difference between the columns before and those now to the sinks.
func (s *stream) announce(ctx context.Context, out plugin.Out, t *target, r *relation, types []typeInfo,
	before []pgoutput.Column) error {
	details, numbers, err := s.details(ctx, r)
	if err != nil {
		return err
	}
	replaced := func(c pgoutput.Column) bool {
		return details[c.Name].number > t.number && slices.ContainsFunc(before, func(o pgoutput.Column) bool {
			return o.Name == c.Name && !sameColumn(o, c)
		})
	}
	if err := s.dropReplaced(ctx, out, t, r.Columns, replaced, details); err != nil {
		return err
	}
	change, err := compare(t, r.Columns, before, types, details)
	if err != nil {
		return err
	}
	if !change.New.SameColumns(t.out) || len(change.Renamed) > 0 {
		if err := s.send(ctx, out, t, change, details); err != nil {
			return err
		}
	}
	isOld := func(c pgoutput.Column) bool {
		return hasColumn(before, c.Name) && !replaced(c) ||
			slices.ContainsFunc(change.Renamed, func(n plugin.Rename) bool { return n.To == c.Name })
	}
	t.number, t.missed = lastNumber(t.number, r.Columns, isOld, details, numbers), false
	s.noted(t, r)
	return nil
}

// dropReplaced takes to the sinks that columns are gone in whose place others of their names have come.
func (s *stream) dropReplaced(
	ctx context.Context, out plugin.Out, t *target, columns []pgoutput.Column, replaced func(pgoutput.Column) bool,
	details map[string]detail,
) error {
	if !slices.ContainsFunc(columns, replaced) {
		return nil
	}
	change, err := without(t.out, columns, replaced)
	if err != nil || change.New.SameColumns(t.out) {
		return err
	}
	return s.send(ctx, out, t, change, details)
}

// send puts out what there is of a target, and then a change of its columns.
func (s *stream) send(
	ctx context.Context, out plugin.Out, t *target, change plugin.SchemaChange, details map[string]detail,
) error {
	if err := s.flush(ctx, out); err != nil {
		return err
	}
	if err := out.Change(change); err != nil {
		return err
	}
	t.builder.Release()
	t.numbers = t.renumber(change, details)
	t.out, t.builder, s.encoded = change.New, column.NewBuilder(change.New, s.task.Alloc), nil
	return nil
}

// without returns the change that drops columns.
func without(t *plugin.Table, columns []pgoutput.Column, replaced func(pgoutput.Column) bool) (
	plugin.SchemaChange, error) {
	next := *t
	next.Version++
	next.Columns, next.Key = nil, nil
	for i, c := range t.Columns {
		at := slices.IndexFunc(columns, func(o pgoutput.Column) bool { return o.Name == c.Name })
		if at >= 0 && replaced(columns[at]) {
			continue
		}
		if slices.Contains(t.Key, i) {
			next.Key = append(next.Key, len(next.Columns))
		}
		next.Columns = append(next.Columns, c)
	}
	next.Constraints = keptConstraints(next.Constraints, nil, next.Columns)
	made, err := plugin.NewTable(next)
	return plugin.SchemaChange{Old: t, New: made}, err
}

// noted keeps the columns of the log for the next comparison. Columns never change places, so if their names do, these
// have gone from one to another, or to new ones, and nobody knows the columns' numbers any more.
func (s *stream) noted(t *target, r *relation) {
	if !slices.Equal(common(t.log, r.Columns), common(r.Columns, t.log)) {
		clear(t.numbers)
	}
	t.log, s.encoded = r.Columns, nil
}

// common returns the names of columns that others have, too.
func common(columns, others []pgoutput.Column) []string {
	var names []string
	for _, c := range columns {
		if slices.ContainsFunc(others, func(o pgoutput.Column) bool { return o.Name == c.Name }) {
			names = append(names, c.Name)
		}
	}
	return names
}

// plannedColumns returns what the log's columns would be if the table were as it was planned.
func plannedColumns(t *plugin.Table, now []pgoutput.Column) []pgoutput.Column {
	columns := make([]pgoutput.Column, len(t.Columns))
	for i, c := range t.Columns {
		columns[i] = pgoutput.Column{Name: c.Name}
		at := slices.IndexFunc(now, func(o pgoutput.Column) bool { return o.Name == c.Name })
		if at >= 0 && fits(c.Type, postgres.FormOf(now[at].Type, now[at].Mod).Type) {
			columns[i] = now[at]
		}
	}
	return columns
}

// agree reports whether a table has the columns of the log, whatever their order.
func agree(t *plugin.Table, columns []pgoutput.Column, types []typeInfo) bool {
	for i, c := range columns {
		at := t.Index(c.Name)
		if at < 0 || !types[i].form.Type.Equal(t.Columns[at].Type) || types[i].form.Length != t.Columns[at].Length {
			return false
		}
	}
	return len(columns) == len(t.Columns)
}

func sameColumn(a, b pgoutput.Column) bool {
	return a.Name == b.Name && a.Type == b.Type && a.Mod == b.Mod
}

func hasColumn(list []pgoutput.Column, name string) bool {
	return slices.ContainsFunc(list, func(c pgoutput.Column) bool { return c.Name == name })
}

// compare returns the change from the columns before to those now.
func compare(t *target, now, before []pgoutput.Column, types []typeInfo, details map[string]detail) (
	plugin.SchemaChange, error) {
	change := plugin.SchemaChange{Old: t.out}
	change.Renamed = renames(before, now, func(name string) bool { return details[name].number > t.number })
	renamed := map[string]string{} // old name to new name
	for _, n := range change.Renamed {
		renamed[n.From] = n.To
	}
	next := *t.out
	next.Version++
	next.Columns = nil
	moved := make([]int, len(t.out.Columns)) // old position to new
	taken := map[string]bool{}
	for i, c := range t.out.Columns {
		moved[i] = -1
		name := c.Name
		if to, ok := renamed[name]; ok {
			name = to
		}
		at := slices.IndexFunc(now, func(o pgoutput.Column) bool { return o.Name == name })
		if at < 0 || taken[name] {
			continue
		}
		taken[name], moved[i] = true, len(next.Columns)
		c.Name = name
		if !types[at].form.Type.Equal(c.Type) || types[at].form.Length != c.Length {
			c.Type, c.Length, c.SourceType = types[at].form.Type, types[at].form.Length, details[name].declared
		}
		next.Columns = append(next.Columns, c)
	}
	for i, c := range now {
		if taken[c.Name] {
			continue
		}
		d := details[c.Name]
		next.Columns = append(next.Columns, plugin.Column{
			Name: c.Name, Type: types[i].form.Type, Length: types[i].form.Length, SourceType: d.declared, Default: d.value,
			NotNull: d.notNull && d.value != nil,
		})
	}
	next.Key = nil
	for _, k := range t.out.Key {
		if moved[k] >= 0 {
			next.Key = append(next.Key, moved[k])
		}
	}
	next.Constraints = keptConstraints(next.Constraints, renamed, next.Columns)
	made, err := plugin.NewTable(next)
	change.New = made
	return change, err
}

// renames returns the columns that were renamed; isNew tells those that certainly were not.
func renames(before, now []pgoutput.Column, isNew func(name string) bool) []plugin.Rename {
	var all []plugin.Rename
	for i, c := range now {
		if from := renamedFrom(before, now, i); from != "" && !isNew(c.Name) {
			all = append(all, plugin.Rename{From: from, To: c.Name})
		}
	}
	return all
}

// renamedFrom returns the column that column i was before: one that is gone, of the same type, at the same place
// between columns that are still there. The caller makes sure that column i is not a new one.
func renamedFrom(before, now []pgoutput.Column, i int) string {
	if hasColumn(before, now[i].Name) {
		return ""
	}
	place := 0 // among those that have come, behind the last column that was there before
	previous := ""
	for j := i - 1; j >= 0 && previous == ""; j-- {
		if hasColumn(before, now[j].Name) {
			previous = now[j].Name
			break
		}
		place++
	}
	at := slices.IndexFunc(before, func(c pgoutput.Column) bool { return c.Name == previous }) + 1
	for ; at < len(before) && !hasColumn(now, before[at].Name); at++ {
		if place == 0 {
			if before[at].Type == now[i].Type && before[at].Mod == now[i].Mod {
				return before[at].Name
			}
			continue
		}
		place--
	}
	return ""
}

// keptConstraints follows renames in the keys and indexes of a table, and leaves out those that lost a column.
func keptConstraints(all []plugin.Constraint, renamed map[string]string, columns []plugin.Column) []plugin.Constraint {
	var kept []plugin.Constraint
	for _, c := range all {
		c.Columns = slices.Clone(c.Columns)
		whole := true
		for i := range c.Columns {
			if to, ok := renamed[c.Columns[i].Name]; ok {
				c.Columns[i].Name = to
			}
			whole = whole && slices.ContainsFunc(columns, func(o plugin.Column) bool { return o.Name == c.Columns[i].Name })
		}
		if whole {
			kept = append(kept, c)
		}
	}
	return kept
}

// detail is what the catalog tells about a column, and the log does not.
type detail struct {
	declared string
	number   int  // of the column that has the name now; 0: there is none
	same     bool // it has the type, too
	notNull  bool
	value    *string // a default that is a plain literal
}

// details looks up the columns of a relation in the catalog, and all numbers that columns of the table have or had, in
// order. The catalog is ahead of the log: of a column that has another type there, only the number is taken.
func (s *stream) details(ctx context.Context, r *relation) (map[string]detail, []int, error) {
	columns, err := json.Marshal(r.Columns)
	if err != nil {
		return nil, nil, err
	}
	rows, err := s.catalog(ctx, `SELECT c.name, format_type(c.type, c.mod), coalesce(a.attnum, 0)::text,
			coalesce(a.attnotnull, false)::text, coalesce(a.atttypid = c.type AND a.atttypmod = c.mod, false)::text,
			pg_get_expr(d.adbin, d.adrelid),
			(SELECT json_agg(attnum ORDER BY attnum) FROM pg_attribute WHERE attrelid = $1::oid AND attnum > 0)::text
		FROM json_to_recordset($2::json) c(name text, type oid, mod int)
		LEFT JOIN pg_attribute a ON a.attrelid = $1::oid AND a.attnum > 0 AND a.attname = c.name
		LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
			AND a.atttypid = c.type AND a.atttypmod = c.mod`,
		strconv.FormatUint(uint64(r.OID), 10), string(columns))
	if err != nil {
		return nil, nil, err
	}
	details := map[string]detail{}
	var numbers []int
	for _, row := range rows {
		d := detail{declared: string(row[1]), notNull: string(row[3]) == "true", same: string(row[4]) == "true"}
		if d.number, err = strconv.Atoi(string(row[2])); err != nil {
			return nil, nil, err
		}
		if row[5] != nil {
			d.value = postgres.PlainDefault(string(row[5]))
		}
		if row[6] != nil && numbers == nil {
			if err := json.Unmarshal(row[6], &numbers); err != nil {
				return nil, nil, err
			}
		}
		details[string(row[0])] = d
	}
	return details, numbers, nil
}

// lastNumber returns the highest number that a column of the log had when it got these columns. Numbers rise in their
// order. So new columns behind all those that the catalog still knows had the next numbers.
func lastNumber(
	last int, columns []pgoutput.Column, isOld func(pgoutput.Column) bool, details map[string]detail, numbers []int,
) int {
	behind := 0
	for _, c := range columns {
		d := details[c.Name]
		switch {
		case isOld(c):
			behind = 0
		case d.same:
			last, behind = max(last, d.number), 0
		default: // renamed, dropped, or replaced since then
			behind++
		}
	}
	next := slices.IndexFunc(numbers, func(n int) bool { return n > last })
	if next < 0 || behind == 0 {
		return last
	}
	return numbers[min(next+behind, len(numbers))-1]
}
