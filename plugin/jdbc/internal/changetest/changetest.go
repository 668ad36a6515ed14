// Package changetest checks that a dialect's sink follows schema changes: all dialects go through the same changes, and
// [Kill] has the process die while they are made.
package changetest

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/google/go-cmp/cmp"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/column"
)

// Case is a dialect under test.
type Case struct {
	// Open makes a sink on an empty database, with further options as pairs of a name and a value.
	Open func(t *testing.T, table *plugin.Table, pairs ...any) plugin.Sink
	// Query returns the rows of a query on the database of the last Open, their values joined by bars, nulls as NULL.
	Query func(t *testing.T, sql string) []string
	// Task is what writers are made with.
	Task plugin.Task
	// Places says that the database can put a new column between others.
	Places bool
}

// change is one schema change and what comes of it. Rows are kind and values.
type change struct {
	name          string
	old, new      string // columns, see tableOf
	renamed       []plugin.Rename
	before, after []string
	read          string // the columns that are read back
	want          []string
	order         string // of the columns, where the database has Places
}

var changes = []change{
	{
		name: "add", old: "id key, a text", new: "id key, a text, b int",
		before: []string{"+I 1 x", "+I 2 y"}, after: []string{"+U 2 z 20", "+I 3 w 30"},
		read: "id, a, b", want: []string{"1|x|NULL", "2|z|20", "3|w|30"}, order: "id a b",
	},
	{
		name: "add with a default", old: "id key, a text", new: "id key, a text, b int = 7, c text! = it's",
		before: []string{"+I 1 x"}, after: []string{"+I 3 w NULL q"},
		read: "id, a, b, c", want: []string{"1|x|7|it's", "3|w|NULL|q"}, order: "id a b c",
	},
	{
		name: "add without nulls", old: "id key, a text", new: "id key, b int!, a text, c text!",
		before: []string{"+I 1 x"}, after: []string{"+I 3 5 w q"},
		read: "id, a, b, c", want: []string{"1|x|0|", "3|w|5|q"}, order: "id b a c",
	},
	{
		name: "add first and between", old: "id key, a text", new: "z int, id key, b int, a text",
		before: []string{"+I 1 x"}, after: []string{"+I 9 2 8 y", "-D NULL 1 NULL NULL"},
		read: "id, a, b, z", want: []string{"2|y|8|9"}, order: "z id b a",
	},
	{
		name: "drop", old: "id key, a text, b int", new: "id key, b int",
		before: []string{"+I 1 x 5"}, after: []string{"+I 2 6", "+U 1 7"},
		read: "*", want: []string{"1|7", "2|6"},
	},
	{
		name: "rename", old: "id key, a text", new: "id key, b text", renamed: []plugin.Rename{{From: "a", To: "b"}},
		before: []string{"+I 1 x", "+I 2 y"}, after: []string{"+U 1 z"},
		read: "id, b", want: []string{"1|z", "2|y"},
	},
	{
		name: "rename the key", old: "id key, a text", new: "nr key, a text",
		renamed: []plugin.Rename{{From: "id", To: "nr"}},
		before:  []string{"+I 1 x", "+I 2 y"}, after: []string{"+U 1 z", "-D 2 NULL"},
		read: "nr, a", want: []string{"1|z"},
	},
	{
		name: "rename to a dropped name", old: "id key, a text, b text", new: "id key, b text",
		renamed: []plugin.Rename{{From: "a", To: "b"}},
		before:  []string{"+I 1 old gone"}, after: []string{"+I 2 new"},
		read: "*", want: []string{"1|old", "2|new"},
	},
	{
		name: "renames in a row", old: "id key, a text, b text", new: "id key, b text, c text",
		renamed: []plugin.Rename{{From: "a", To: "b"}, {From: "b", To: "c"}},
		before:  []string{"+I 1 x y"}, after: []string{"+I 2 v w"},
		read: "id, b, c", want: []string{"1|x|y", "2|v|w"},
	},
	{
		name: "modify the type", old: "id key, a int, b text", new: "id key, a long, b int",
		before: []string{"+I 1 5 17"}, after: []string{"+I 2 5000000000 18", "+U 1 6000000000 19"},
		read: "id, a, b", want: []string{"1|6000000000|19", "2|5000000000|18"},
	},
	{
		name: "allow and forbid nulls", old: "id key, a int!, b text", new: "id key, a int, b text!",
		before: []string{"+I 1 5 x"}, after: []string{"+I 2 NULL y"},
		read: "id, a, b", want: []string{"1|5|x", "2|NULL|y"},
	},
	{
		name: "all at once", old: "id key, a text, b int, c int", new: "id key, x text, aa text, c long, d int = 4",
		renamed: []plugin.Rename{{From: "a", To: "aa"}},
		before:  []string{"+I 1 p 5 6"}, after: []string{"+I 2 q r 7000000000 8"},
		read: "id, x, aa, c, d", want: []string{"1|NULL|p|6|4", "2|q|r|7000000000|8"}, order: "id x aa c d",
	},
	{
		name: "rename and modify", old: "id key, a int", new: "id key, b long",
		renamed: []plugin.Rename{{From: "a", To: "b"}},
		before:  []string{"+I 1 5"}, after: []string{"+I 2 5000000000"},
		read: "id, b", want: []string{"1|5", "2|5000000000"},
	},
}

// Run runs all changes through the dialect: with and without is_exactly_once, with one writer over the change, and with
// each change applied again, as after a crash.
func Run(t *testing.T, c Case) {
	for _, exactly := range []bool{false, true} {
		for _, ch := range changes {
			t.Run(fmt.Sprintf("exactly once %v/%s", exactly, ch.name), func(t *testing.T) { c.run(t, ch, exactly) })
		}
	}
	t.Run("another key", c.refusesKeys)
	t.Run("names exchanged", c.refusesCircles)
	t.Run("names of the target", c.follows)
}

func (c Case) run(t *testing.T, ch change, exactly bool) {
	before, after := tableOf(t, ch.old, 0), tableOf(t, ch.new, 1)
	sink := c.Open(t, before, "is_exactly_once", exactly, "create_index", true)
	w := c.writer(t, sink)
	w.write(before, ch.before)
	w.commit(1)
	change := plugin.SchemaChange{Old: before, New: after, Renamed: ch.renamed}
	apply := func() {
		t.Helper()
		if err := sink.(plugin.SchemaApplier).ApplyChange(t.Context(), change); err != nil {
			t.Fatal(err)
		}
	}
	apply()
	apply()
	w.write(after, ch.after[:1])
	apply() // a crash after the change, in the middle of an epoch
	w.write(after, ch.after[1:])
	w.commit(2)
	if d := cmp.Diff(ch.want, c.Query(t, "SELECT "+ch.read+" FROM people ORDER BY 1")); d != "" {
		t.Error(d)
	}
	if ch.order != "" && c.Places {
		order := c.Query(t, `SELECT column_name FROM information_schema.columns
			WHERE table_schema = DATABASE() AND table_name = 'people' ORDER BY ordinal_position`)
		if got := strings.Join(order, " "); got != ch.order {
			t.Errorf("the columns are %s, want %s", got, ch.order)
		}
	}
}

// refusesKeys has a column join the key.
func (c Case) refusesKeys(t *testing.T) {
	before, after := tableOf(t, "id key, a text!", 0), tableOf(t, "id key, a key", 1)
	c.refuses(t, plugin.SchemaChange{Old: before, New: after}, "the key changed from (id) to (id, a)")
}

func (c Case) refusesCircles(t *testing.T) {
	before, after := tableOf(t, "id key, a text, b text", 0), tableOf(t, "id key, b text, a text", 1)
	c.refuses(t, plugin.SchemaChange{Old: before, New: after, Renamed: []plugin.Rename{{From: "a", To: "b"},
		{From: "b", To: "a"}}}, "exchanged their names")
}

func (c Case) refuses(t *testing.T, change plugin.SchemaChange, want string) {
	t.Helper()
	sink := c.Open(t, change.Old)
	prepare(t, sink, change.Old)
	err := sink.(plugin.SchemaApplier).ApplyChange(t.Context(), change)
	var known *plugin.Error
	if !errors.As(err, &known) || known.Fix == "" || known.Retry || !strings.Contains(err.Error(), want) {
		t.Errorf("the error is %v, want %s", err, want)
	}
}

// follows changes a table whose target is called otherwise.
func (c Case) follows(t *testing.T) {
	before, after := tableOf(t, "id key, a text", 0), tableOf(t, "id key, a2 text, b int", 1)
	sink := c.Open(t, before, "table", "copy_of_${table_name}", "field_ide", "UPPERCASE", "primary_keys",
		[]string{"${primary_key}"})
	w := c.writer(t, sink)
	w.write(before, []string{"+I 1 x"})
	w.commit(1)
	change := plugin.SchemaChange{Old: before, New: after, Renamed: []plugin.Rename{{From: "a", To: "a2"}}}
	for range 2 {
		if err := sink.(plugin.SchemaApplier).ApplyChange(t.Context(), change); err != nil {
			t.Fatal(err)
		}
	}
	w.write(after, []string{"+U 1 y 3"})
	w.commit(2)
	quote := `"`
	if c.Places {
		quote = "`"
	}
	sql := strings.ReplaceAll(`SELECT "ID", "A2", "B" FROM "COPY_OF_PEOPLE"`, `"`, quote)
	if d := cmp.Diff([]string{"1|y|3"}, c.Query(t, sql)); d != "" {
		t.Error(d)
	}
}

// tableOf makes a table of columns such as "id key, a text! = x": name, type, ! for not null, = and a default.
func tableOf(t *testing.T, text string, version uint32) *plugin.Table {
	t.Helper()
	types := map[string]plugin.Kind{"key": plugin.Int, "int": plugin.Int, "long": plugin.BigInt, "text": plugin.String}
	table := plugin.Table{ID: plugin.TableID{Name: "people"}, Version: version}
	for i, part := range strings.Split(text, ", ") {
		part, value, has := strings.Cut(part, " = ")
		name, kind, _ := strings.Cut(part, " ")
		kind, notNull := strings.CutSuffix(kind, "!")
		c := plugin.Column{Name: name, Type: plugin.TypeOf(types[kind]), NotNull: notNull || kind == "key"}
		if kind == "text" {
			c.Length = 100
		}
		if has {
			c.Default = &value
		}
		if kind == "key" {
			table.Key = append(table.Key, i)
		}
		table.Columns = append(table.Columns, c)
	}
	made, err := plugin.NewTable(table)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

type writer struct {
	plugin.Writer
	t    *testing.T
	sink plugin.Sink
	made bool // the target
}

func (c Case) writer(t *testing.T, s plugin.Sink) *writer {
	t.Helper()
	w := &writer{t: t, sink: s}
	var err error
	if w.Writer, err = s.Writer(t.Context(), c.Task); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	return w
}

func prepare(t *testing.T, s plugin.Sink, table *plugin.Table) {
	t.Helper()
	if err := s.Prepare(t.Context(), []*plugin.Table{table}); err != nil {
		t.Fatal(err)
	}
}

func (w *writer) write(table *plugin.Table, rows []string) {
	w.t.Helper()
	if !w.made {
		prepare(w.t, w.sink, table)
		w.made = true
	}
	if len(rows) == 0 {
		return
	}
	kinds := map[string]plugin.RowKind{"+I": plugin.Insert, "+U": plugin.UpdateAfter, "-D": plugin.Delete}
	b := column.NewBuilder(table, memory.DefaultAllocator)
	defer b.Release()
	for _, row := range rows {
		fields := strings.Fields(row)
		values := make([]any, len(fields)-1)
		for i, text := range fields[1:] {
			if text != "NULL" {
				values[i] = text
			}
		}
		if err := b.AppendRow(kinds[fields[0]], values...); err != nil {
			w.t.Fatal(err)
		}
	}
	batch := b.Batch()
	defer batch.Release()
	if err := w.Write(w.t.Context(), batch); err != nil {
		w.t.Fatal(err)
	}
}

// commit ends an epoch.
func (w *writer) commit(epoch uint64) {
	w.t.Helper()
	token, err := w.Flush(w.t.Context(), epoch)
	if err != nil {
		w.t.Fatal(err)
	}
	if token == nil {
		return
	}
	if err := w.sink.(plugin.Committer).Commit(w.t.Context(), epoch, [][]byte{token}); err != nil {
		w.t.Fatal(err)
	}
}
