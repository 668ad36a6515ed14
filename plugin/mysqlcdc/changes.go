package mysqlcdc

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/column"
	"github.com/culvertdata/culvert/plugin/internal/cdc"
	"github.com/culvertdata/culvert/plugin/internal/mysql/wire"
	"github.com/culvertdata/culvert/plugin/mysqlcdc/internal/binlog"
	"github.com/culvertdata/culvert/plugin/mysqlcdc/internal/ddl"
)

// query takes a statement of the log: the start or the end of a transaction, or DDL.
func (l *logReader) query(ctx context.Context, out plugin.Out, e binlog.Event, before place) error {
	control := binlog.ControlOf(e)
	if control == binlog.Begin && !l.inside { // an old server without GTIDs
		l.begin(before)
	}
	if control != binlog.Other {
		return nil
	}
	if !l.inside {
		l.begin(before)
	}
	q, err := binlog.ParseQuery(e)
	if err != nil {
		return err
	}
	statements, err := ddl.Parse(q.Text, ddl.Options{
		Database: q.Schema, MariaDB: l.source.facts.mariaDB, Version: l.source.facts.version,
		ANSIQuotes: q.ANSIQuotes(), NoBackslash: q.NoBackslash(),
	})
	if errors.Is(err, ddl.ErrNotUnderstood) {
		l.source.env.Logger.Warn("a statement is not understood; the columns of the tables are compared with the server's",
			"vertex", l.task.Vertex, "statement", shorten(q.Text), "error", err)
		for _, t := range l.tables {
			l.suspect(t)
		}
		return nil
	}
	if err != nil {
		return err
	}
	if err := l.checkRows(q.Text); err != nil {
		return err
	}
	for _, s := range statements {
		if err := l.statement(ctx, out, s, q.Text); err != nil {
			return err
		}
	}
	return nil
}

// suspect notes that a table was altered in a way that is not known.
func (l *logReader) suspect(t *followed) { t.Suspect, l.fixed = true, nil }

// checkRows refuses statements that change rows of a captured table: somebody's session does not log rows.
func (l *logReader) checkRows(text string) error {
	word, rest, _ := strings.Cut(strings.TrimSpace(text), " ")
	switch strings.ToUpper(word) {
	case "INSERT", "UPDATE", "DELETE", "REPLACE", "LOAD":
	default:
		return nil
	}
	rest = strings.ToLower(rest)
	for id, t := range l.byName {
		if !t.gone && !l.before(t) && strings.Contains(rest, strings.ToLower(id.Name)) {
			return &plugin.Error{
				Code: plugin.CodeData, Table: id, Row: l.start.String(),
				Err: fmt.Errorf("the log holds a statement instead of the rows that it changed: %s", word),
				Fix: "set binlog_format = ROW for all sessions, and start the job afresh",
			}
		}
	}
	return nil
}

// statement takes what DDL does to one table.
func (l *logReader) statement(ctx context.Context, out plugin.Out, s ddl.Statement, text string) error {
	if to := l.named(s.To); to != nil && s.To != s.Table {
		l.suspect(to) // another table has come in its place
	}
	t := l.named(s.Table)
	if t == nil {
		return nil
	}
	log := l.source.env.Logger.With("vertex", l.task.Vertex, "table", t.ID.String(), "statement", shorten(text))
	switch s.Kind {
	case ddl.Create:
		l.suspect(t)
	case ddl.Truncate:
		if err := l.truncate(out, t, text); err != nil {
			return err
		}
	case ddl.Drop:
		log.Warn("the statement is not passed on: the target keeps its rows")
	case ddl.Alter:
		if err := l.alter(out, t, s, text); err != nil {
			return err
		}
	}
	if s.Unlogged {
		log.Warn("the statement changes rows of which the log does not tell: the target does not follow")
	}
	if s.To != (ddl.Name{}) && s.To != s.Table {
		log.Warn("the table has another name now: its changes are not captured any more")
		l.suspect(t)
	}
	return nil
}

// alter applies a change of the columns.
func (l *logReader) alter(out plugin.Out, t *followed, s ddl.Statement, text string) error {
	if len(s.Changes) == 0 || t.Suspect {
		return nil
	}
	now, err := t.Log.Apply(s)
	if errors.Is(err, ddl.ErrNotUnderstood) {
		l.suspect(t)
		return nil
	}
	if err != nil {
		return err
	}
	return l.change(out, t, now, renamed(s, t.Log), text)
}

// catchUp takes the columns that the snapshot has seen, if they are not the log's own at that place: a change was not
// logged or not understood.
func (l *logReader) catchUp(out plugin.Out, here place) error {
	for _, t := range l.tables {
		if t.Until == nil || here.Compare(*t.Until) < 0 {
			continue
		}
		seen := *t.Seen
		t.Until, t.Seen, t.Suspect, l.fixed = nil, nil, false, nil
		if !sameColumns(&seen, &t.Log) {
			l.start = here
			if err := l.change(out, t, seen, nil, ""); err != nil {
				return err
			}
		}
	}
	return nil
}

// named finds a table by its name in a statement; nil if it is not captured, or if its snapshot has the statement.
func (l *logReader) named(n ddl.Name) *followed {
	if n.Table == "" {
		return nil
	}
	for id, t := range l.byName {
		same := strings.EqualFold(id.Database, n.Database) && strings.EqualFold(id.Name, n.Table)
		if same && !t.gone && !l.before(t) {
			return t
		}
	}
	return nil
}

// renamed returns the columns that a statement renames.
func renamed(s ddl.Statement, t ddl.Table) []plugin.Rename {
	var renames []plugin.Rename
	for _, r := range s.Renames(t) {
		renames = append(renames, plugin.Rename{From: r.From, To: r.To})
	}
	return renames
}

// change brings a table to new columns of the log, and what is downstream too if the job asks for it.
func (l *logReader) change(out plugin.Out, t *followed, now ddl.Table, renames []plugin.Rename, text string) error {
	if l.source.options.schemaChanges() {
		next, err := l.source.nextTable(t.out, t.Log, now, renames)
		if err != nil {
			return err
		}
		if next != t.out {
			err := l.interrupt(out, t, plugin.SchemaChange{Old: t.out, New: next, Renamed: renames, Statement: text})
			if err != nil {
				return err
			}
		}
	} else if !sameColumns(&t.Log, &now) {
		t.Missed = true
		cdc.WarnIgnored(l.source.env.Logger, t.ID)
	}
	if t.filter != nil {
		if err := l.renameKey(t, now, renames); err != nil {
			return err
		}
	}
	t.Log = now
	t.keys = t.keyColumns()
	l.forgetMaps(t)
	l.fixed = nil
	return nil
}

// interrupt takes the change to the sinks that a statement stands for.
func (l *logReader) interrupt(out plugin.Out, t *followed, c plugin.SchemaChange) error {
	if err := l.putOut(out); err != nil {
		return err
	}
	at := l.start // a restart meets the statement once more
	l.during = &at
	defer func() { l.during = nil }()
	return l.announce(out, t, c)
}

// announce takes a change to the sinks. All rows before it are put out.
func (l *logReader) announce(out plugin.Out, t *followed, c plugin.SchemaChange) error {
	if err := out.Change(c); err != nil {
		return err
	}
	t.builder.Release()
	t.out, t.builder = c.New, column.NewBuilder(c.New, l.task.Alloc)
	t.Out, l.fixed = formOf(c.New), nil
	l.forgetMaps(t)
	return nil
}

// makeUp takes the changes to the sinks that the job did not follow in an earlier run. Nothing is read yet.
func (l *logReader) makeUp(out plugin.Out) error {
	for _, t := range l.tables {
		if !t.Missed || t.gone || !l.source.options.schemaChanges() {
			continue
		}
		next, err := l.source.nextTable(t.out, ddl.Table{}, t.Log, nil)
		if err != nil {
			return err
		}
		if next != t.out {
			cdc.WarnMadeUp(l.source.env.Logger, t.ID)
			if err := l.announce(out, t, plugin.SchemaChange{Old: t.out, New: next}); err != nil {
				return err
			}
		}
		t.Missed, l.fixed = false, nil
	}
	return nil
}

// renameKey lets the filter find its column among new columns.
func (l *logReader) renameKey(t *followed, now ddl.Table, renames []plugin.Rename) error {
	if t.Key == "" {
		return nil
	}
	for _, r := range renames {
		if strings.EqualFold(r.From, t.Key) {
			t.Key = r.To
			break
		}
	}
	at := logColumn(now, t.Key)
	if at < 0 || orderOf(now.Columns[at]) != t.filter.order {
		return &plugin.Error{
			Code: plugin.CodeData, Table: t.ID, Row: l.start.String(),
			Err: errors.New("the column that the snapshot was cut by was dropped or got another type before the log had " +
				"passed it"),
			Fix: "start the job afresh",
		}
	}
	t.filter.column = at
	return nil
}

// nextTable returns the version of a table that follows from a change of the log's columns; the same one if the change
// does not show. Columns that did not change stay as they are downstream.
func (s *Source) nextTable(out *plugin.Table, was, now ddl.Table, renames []plugin.Rename) (*plugin.Table, error) {
	next := plugin.Table{
		ID: out.ID, Version: out.Version + 1, KeyName: out.KeyName, Constraints: renameConstraints(out, now, renames),
		Comment: out.Comment, Catalog: out.Catalog,
	}
	for _, c := range now.Columns {
		if c.Invisible {
			continue
		}
		old := oldName(c.Name, renames)
		k, at := logColumn(was, old), out.Index(old)
		if k >= 0 && at >= 0 && sameColumn(was.Columns[k], c, old) {
			kept := out.Columns[at]
			kept.Name = c.Name
			next.Columns = append(next.Columns, kept)
			continue
		}
		made, err := outColumnOf(c, s.tinyBool)
		if err != nil {
			return nil, ofTable(err, out.ID)
		}
		next.Columns = append(next.Columns, made)
	}
	for _, key := range out.KeyNames() {
		i := slices.IndexFunc(next.Columns, func(c plugin.Column) bool {
			return strings.EqualFold(oldName(c.Name, renames), key)
		})
		if i < 0 {
			return nil, &plugin.Error{
				Code: plugin.CodeData, Table: out.ID, Err: errors.New("column " + key + " of the key was dropped"),
				Fix: "start the job afresh",
			}
		}
		next.Key = append(next.Key, i)
	}
	made, err := plugin.NewTable(next)
	if err != nil {
		return nil, err
	}
	if slices.EqualFunc(made.Columns, out.Columns, equalColumn) {
		return out, nil
	}
	return s.shared(made), nil
}

func equalColumn(a, b plugin.Column) bool {
	return a.Name == b.Name && a.Type.Equal(b.Type) && a.NotNull == b.NotNull && a.Length == b.Length &&
		a.SourceType == b.SourceType && a.Comment == b.Comment && sameText(a.Default, b.Default)
}

func sameText(a, b *string) bool {
	if a == nil || b == nil {
		return a == b
	}
	return *a == *b
}

// sameColumn reports whether a column of the log stayed as it was, but perhaps for its name.
func sameColumn(was, now ddl.Column, old string) bool {
	return strings.EqualFold(was.Name, old) && strings.EqualFold(was.Type, now.Type) && was.Charset == now.Charset &&
		was.NotNull == now.NotNull && was.Comment == now.Comment && sameText(was.Default, now.Default)
}

// oldName returns the name that a column had before.
func oldName(name string, renames []plugin.Rename) string {
	for _, r := range renames {
		if strings.EqualFold(r.To, name) {
			return r.From
		}
	}
	return name
}

// renameConstraints keeps the keys whose columns are all still there.
func renameConstraints(out *plugin.Table, now ddl.Table, renames []plugin.Rename) []plugin.Constraint {
	var kept []plugin.Constraint
	for _, c := range out.Constraints {
		next := c
		next.Columns = nil
		for _, col := range c.Columns {
			for _, n := range now.Columns {
				if strings.EqualFold(oldName(n.Name, renames), col.Name) {
					next.Columns = append(next.Columns, plugin.ConstraintColumn{Name: n.Name, Desc: col.Desc})
				}
			}
		}
		if len(next.Columns) == len(c.Columns) {
			kept = append(kept, next)
		}
	}
	return kept
}

// adopt takes the columns that the server has now for those of the log: a change was not understood, or not logged.
// Whether they are the right ones for the place that the reader is at, the next table map of the log tells.
func (l *logReader) adopt(ctx context.Context, out plugin.Out, t *followed) error {
	session, err := l.source.connect(ctx)
	if err != nil {
		return err
	}
	var now ddl.Table
	err = session.Run(ctx, func(c *wire.Conn) (err error) { now, err = readTable(c, t.ID); return err })
	if err = errors.Join(err, session.Close()); err != nil {
		return err
	}
	t.Suspect, l.fixed = false, nil
	if sameColumns(&now, &t.Log) {
		return nil
	}
	return l.change(out, t, now, nil, "")
}

// shorten cuts a statement for a log.
func shorten(text string) string {
	const most = 200
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "..."
}

// ofTable adds the table to an error that does not name it.
func ofTable(err error, id plugin.TableID) error {
	var e *plugin.Error
	if errors.As(err, &e) && e.Table.Name == "" {
		e.Table = id
	}
	return err
}
