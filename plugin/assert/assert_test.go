package assert

import (
	"errors"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/hashicorp/go-hclog"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/column"
	"github.com/culvertdata/culvert/plugin/config"
	"github.com/culvertdata/culvert/plugin/config/hocon"
)

func parse(t testing.TB, text string) config.Value {
	t.Helper()
	v, err := hocon.ParseValue([]byte("{" + text + "}"))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// table makes a table from the members of a schema block.
func table(t testing.TB, schema string) *plugin.Table {
	t.Helper()
	var s plugin.Schema
	if err := s.DecodeConfig(parse(t, schema)); err != nil {
		t.Fatal(err)
	}
	made, err := s.Table(plugin.TableID{Name: "fake"}, "FakeSource")
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// batch makes rows from a list of lists, as the job language writes them.
func batch(t testing.TB, table *plugin.Table, rows string) plugin.Batch {
	t.Helper()
	b := column.NewBuilder(table, memory.DefaultAllocator)
	all, _ := parse(t, "rows = ["+rows+"]").Get("rows")
	for _, row := range all.Items {
		for i, v := range row.Items {
			if err := column.AppendConfig(b.Column(i), table.Columns[i].Type, v); err != nil {
				t.Fatal(err)
			}
		}
		b.EndRow(plugin.Insert)
	}
	return b.Batch()
}

func openSink(t testing.TB, rules string, inputs ...*plugin.Table) (*sink, error) {
	t.Helper()
	registry := plugin.NewRegistry(Plugins)
	if err := registry.Err(); err != nil {
		t.Fatal(err)
	}
	found, _ := registry.Lookup(plugin.SinkRole, "assert")
	s,
		err := found.Sink(t.Context(), parse(t, "rules {"+rules+"}"),
		plugin.Env{Inputs: inputs, Logger: hclog.NewNullLogger()})
	if err != nil {
		return nil, err
	}
	return s.(*sink), nil
}

func mustOpen(t testing.TB, rules string, inputs ...*plugin.Table) *sink {
	t.Helper()
	s, err := openSink(t, rules, inputs...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func newWriter(t testing.TB, s *sink, states ...[]byte) *writer {
	t.Helper()
	w, err := s.Writer(t.Context(), plugin.Task{})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.(plugin.Stateful).Restore(states); err != nil {
		t.Fatal(err)
	}
	return w.(*writer)
}

func state(t testing.TB, w *writer) []byte {
	t.Helper()
	if token, err := w.Flush(t.Context(), 1); token != nil || err != nil {
		t.Fatalf("token %v, error %v", token, err)
	}
	s, err := w.State()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func checkError(t testing.TB, err error, want string) {
	t.Helper()
	switch {
	case want == "" && err != nil:
		t.Errorf("error %v, want none", err)
	case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
		t.Errorf("error %v, want one with %q", err, want)
	}
}

// TestFieldRules checks one rule on a column c. An empty want is a pass.
func TestFieldRules(t *testing.T) {
	tests := []struct{ name, typ, values, rule, want string }{
		{"not null", "int", "1, 2", "rule_type = NOT_NULL", ""},
		{"null in a typed field", "int", "1, null", "rule_type = NOT_NULL",
			"row :SeaTunnelRow{tableId=fake, kind=+I, fields=[null]} fail rule: field c: field_type INT"},
		{"null", `"null"`, "null, null", "rule_type = NULL", ""},
		{"not null of a null", `"null"`, "null", "rule_type = NOT_NULL", "fail rule: field c: NOT_NULL"},
		{"null of a value", "int", "1", "rule_type = NULL", "fail rule: field c: NULL"},
		{"min", "tinyint", "-3, 4", "rule_type = MIN, rule_value = -3", ""},
		{"below min", "smallint", "5, 3, 2", "rule_type = MIN, rule_value = 4", "fields=[3]} fail rule: field c: MIN 4"},
		{"max", "int", "-3, 4", "rule_type = MAX, rule_value = 4.0", ""},
		{"above max", "bigint", "5", "rule_type = MAX, rule_value = 4.5", "MAX 4.5"},
		{"max of floats", "float", "5.5", "rule_type = MAX, rule_value = 5.5", ""},
		{"above max of doubles", "double", "5.51", "rule_type = MAX, rule_value = 5.5", "MAX 5.5"},
		{"max of decimals", `"decimal(5, 2)"`, "5.50", "rule_type = MAX, rule_value = 5.5", ""},
		{"below min of decimals", `"decimal(5, 2)"`, "5.49", "rule_type = MIN, rule_value = 5.5", "MIN 5.5"},
		{"min of a text", "string", "abc", "rule_type = MIN, rule_value = 0", "MIN 0"},
		{"min length", "string", "abc, abcd", "rule_type = MIN_LENGTH, rule_value = 3", ""},
		{"too short", "string", "abc, ab", "rule_type = MIN_LENGTH, rule_value = 3",
			"fields=[ab]} fail rule: field c: MIN_LENGTH 3"},
		{"max length", "string", "abc, äöü, \"\"", "rule_type = MAX_LENGTH, rule_value = 3", ""},
		{"length in UTF-16", "string", "a😀", "rule_type = MAX_LENGTH, rule_value = 2", "MAX_LENGTH 2"},
		{"length of a number", "int", "-100", "rule_type = MAX_LENGTH, rule_value = 3", "MAX_LENGTH 3"},
		{"equals", "string", "AAA, AAA", "rule_type = NOT_NULL, equals_to = AAA", ""},
		{"not equal", "string", "AAA, AAB", "equals_to = AAA", "fields=[AAB]} fail rule: field c: equals_to AAA"},
		{"equals a boolean", "boolean", "false", "equals_to = false", ""},
		{"equals a float", "float", "3.1", "equals_to = 3.1", ""},
		{"equals a double", "double", "9.33333", "equals_to = 9.33333", ""},
		{"equals a decimal", `"decimal(30, 8)"`, "99999.99999999", "equals_to = 99999.99999999", ""},
		{"equals a date", "date", `"2012-12-21"`, `equals_to = "2012-12-21"`, ""},
		{"equals a timestamp", "timestamp", `"2012-12-21T12:34:56"`, `equals_to = "2012-12-21 12:34:56"`, ""},
		{"equals a time", "time", `"12:34:56"`, `equals_to = "12:34:57"`, "equals_to"},
		{"equals bytes", "bytes", `"bWlJWmo="`, `equals_to = "bWlJWmo="`, ""},
		{"equals an array", `"array<int>"`, "[0, 1, 2]", "equals_to = [0, 1, 2]", ""},
		{"not that array", `"array<int>"`, "[0, 1, 2]", "equals_to = [0, 1]",
			"fields=[[0, 1, 2]]} fail rule: field c: equals_to [0,1]"},
		{"equals a map", `"map<date, string>"`, `{ "2024-01-26" = v0 }`, `equals_to = { "2024-01-26" = v0 }`, ""},
		{"equals a map in another order", `"map<string, int>"`, `{ a = 1, b = 2 }`, `equals_to = { b = 2, a = 1 }`, ""},
		{"equals a row", "{ a = int, b = string }", `[1, x]`, `equals_to = { b = x, a = 1 }`, ""},
		{"not that row", "{ a = int, b = string }", `[1, x]`, `equals_to = [1, y]`, "equals_to"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			in := table(t, "fields { c = "+test.typ+" }")
			rules := "field_rules = [ { field_name = c, field_type = " + test.typ + ", field_value = [ { " + test.rule +
				" } ] } ]"
			values, _ := parse(t, "v = ["+test.values+"]").Get("v")
			var rows []string
			for _, v := range values.Items {
				rows = append(rows, "["+v.JSON()+"]")
			}
			b := batch(t, in, strings.Join(rows, ","))
			defer b.Release()
			checkError(t, newWriter(t, mustOpen(t, rules, in)).Write(t.Context(), b), test.want)
		})
	}
}

// TestFieldTypes checks field_type alone.
func TestFieldTypes(t *testing.T) {
	tests := []struct {
		name, typ, value, rule string
		pass                   bool
	}{
		{"same", "int", "1", "int", true},
		{"old alias", "bigint", "1", "long", true},
		{"other", "int", "1", "bigint", false},
		{"null", `"null"`, "null", `"null"`, true},
		{"null of another type", "string", "null", `"null"`, true},
		{"null of the type", "string", "null", "string", false},
		{"value against null", "string", "x", `"null"`, false},
		{"decimal", `"decimal(10, 2)"`, "1.50", `"decimal(10, 2)"`, true},
		{"decimal of fewer digits", `"decimal(10, 2)"`, "1.50", `"decimal(3, 2)"`, true},
		{"decimal of more digits", `"decimal(10, 2)"`, "11.50", `"decimal(3, 2)"`, false},
		{"decimal of another scale", `"decimal(10, 2)"`, "1.50", `"decimal(10, 3)"`, false},
		{"array", `"array<int>"`, "[1]", `"array<int>"`, true},
		{"array of others", `"array<int>"`, "[1]", `"array<bigint>"`, false},
		{"empty array of others", `"array<int>"`, "[]", `"array<bigint>"`, true},
		{"null in an array", `"array<int>"`, "[1, null]", `"array<int>"`, false},
		{"map", `"map<string, int>"`, "{ a = 1 }", `"map<string, int>"`, true},
		{"map to others", `"map<string, int>"`, "{ a = 1 }", `"map<string, string>"`, false},
		{"row", `{ a = int, b = "null" }`, "[1, null]", `{ x = int, y = "null" }`, true},
		{"row with a null", `{ a = int, b = string }`, "[1, null]", `{ a = int, b = string }`, false},
		{"row of fewer fields", `{ a = int, b = int }`, "[1, 2]", `{ a = int }`, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			in := table(t, "fields { c = "+test.typ+" }")
			rules := "field_rules = [ { field_name = c, field_type = " + test.rule +
				", field_value = [ { rule_type = MIN_LENGTH, rule_value = 0 } ] } ]"
			b := batch(t, in, "["+test.value+"]")
			defer b.Release()
			want := "fail rule: field c: field_type"
			if test.pass {
				want = ""
			}
			checkError(t, newWriter(t, mustOpen(t, rules, in)).Write(t.Context(), b), want)
		})
	}
}

// TestFirstRowCounts shows that the first row that fails is reported, with the first of its rules, whatever the order
// of the columns.
func TestFirstRowCounts(t *testing.T) {
	in := table(t, "fields { a = int, b = int }")
	rules := `field_rules = [
		{ field_name = a, field_type = int, field_value = [ { rule_type = MAX, rule_value = 10 } ] }
		{ field_name = b, field_type = int, field_value = [
			{ rule_type = MAX, rule_value = 20 }, { rule_type = MIN, rule_value = 30 }
		] }
	]`
	s := mustOpen(t, rules, in)
	b := batch(t, in, "[1, 30], [50, 30], [50, 50]")
	defer b.Release()
	err := newWriter(t, s).Write(t.Context(), b)
	checkError(t, err, "fields=[1, 30]} fail rule: field b: MAX 20")
	var known *plugin.Error
	if !errors.As(err, &known) || known.Code != CodeRule || known.Retry {
		t.Errorf("error %#v, want code %s and no retry", err, CodeRule)
	}
	tail := b.Slice(2, 3)
	defer tail.Release()
	checkError(t, newWriter(t, s).Write(t.Context(), tail), "fields=[50, 50]} fail rule: field a: MAX 10")
}

func TestRowCounts(t *testing.T) {
	in := table(t, "fields { c = int }")
	const five = "row_rules = [ { rule_type = MIN_ROW, rule_value = 5 }, { rule_type = MAX_ROW, rule_value = 5 } ]"
	tests := []struct {
		rules  string
		counts []int // of the writers
		want   string
	}{
		{five, []int{5}, ""},
		{five, []int{2, 3}, ""},
		{five, []int{4, 0}, "table fake: row num :4 fail rule: MIN_ROW 5"},
		{five, []int{4, 2}, "row num :6 fail rule: MAX_ROW 5"},
		{five, nil, "row num :0 fail rule: MIN_ROW 5"},
		{"row_rules = [ { rule_type = MAX_ROW, rule_value = 0 } ]", []int{0, 0}, ""},
		{"tables_configs = [ { table_path = fake, " + five + " } ]", []int{5}, ""},
		{"tables_configs = [ { table_path = other, " + five + " } ]", []int{5}, "table other: row num :0"},
		{"table-names = [fake]", []int{1}, ""},
		{"table-names = [fake]", []int{0}, "table names: [] is not equal to [fake]"},
		{"table-names = [other, fake]", []int{1}, "table names: [fake] is not equal to [fake other]"},
		{"table-names = [other]", []int{1}, "table names: [fake] is not equal to [other]"},
	}
	for _, test := range tests {
		s := mustOpen(t, test.rules, in)
		var states [][]byte
		for _, n := range test.counts {
			w := newWriter(t, s)
			b := batch(t, in, strings.Repeat("[1],", n))
			if err := w.Write(t.Context(), b); err != nil {
				t.Fatal(err)
			}
			b.Release()
			states = append(states, state(t, w))
			if err := w.Close(); err != nil {
				t.Error(err)
			}
		}
		checkError(t, s.Finish(t.Context(), states), test.want)
	}
}

// TestCountsSurviveRestarts restores with another parallelism: rows since the checkpoint come again and count once.
func TestCountsSurviveRestarts(t *testing.T) {
	in := table(t, "fields { c = int }")
	s := mustOpen(t, "row_rules = [ { rule_type = MIN_ROW, rule_value = 7 }, { rule_type = MAX_ROW, rule_value = 7 } ]",
		in)
	write := func(w *writer, n int) {
		t.Helper()
		b := batch(t, in, strings.Repeat("[1],", n))
		defer b.Release()
		if err := w.Write(t.Context(), b); err != nil {
			t.Fatal(err)
		}
	}
	first, second := newWriter(t, s), newWriter(t, s)
	write(first, 1)
	write(second, 2)
	states := [][]byte{state(t, first), state(t, second)}
	write(first, 4) // lost

	only := newWriter(t, s, states...)
	write(only, 4)
	checkError(t, s.Finish(t.Context(), [][]byte{state(t, only), nil}), "")

	third, fourth := newWriter(t, s, states[0]), newWriter(t, s, states[1])
	idle := newWriter(t, s)
	write(third, 3)
	checkError(t, s.Finish(t.Context(), [][]byte{state(t, third), state(t, fourth), state(t, idle)}), "row num :6")
	if err := newWriter(t, s).Restore([][]byte{[]byte("x")}); err == nil {
		t.Error("a broken state is taken")
	}
	if err := s.Finish(t.Context(), [][]byte{[]byte("x")}); err == nil {
		t.Error("a broken state is counted")
	}
}

// TestStateForm pins what released versions have stored.
func TestStateForm(t *testing.T) {
	in := table(t, "table = db.t, fields { c = int }")
	w := newWriter(t, mustOpen(t, "table-names = [x]", in), []byte(`{"db.t":3,"gone":1}`))
	b := batch(t, in, "[1], [2]")
	defer b.Release()
	if err := w.Write(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	if got := string(state(t, w)); got != `{"db.t":5,"gone":1}` {
		t.Errorf("state %s", got)
	}
}

func TestSeveralTables(t *testing.T) {
	one, two := table(t, "table = test.one, fields { a = int }"), table(t, "table = test.two, fields { b = string }")
	rules := `tables_configs = [
		{ table_path = test.one, row_rules = [ { rule_type = MAX_ROW, rule_value = 1 } ],
		  field_rules = [ { field_name = a, field_type = int, field_value = [ { rule_type = MAX, rule_value = 1 } ] } ] }
		{ table_path = test.two, row_rules = [ { rule_type = MAX_ROW, rule_value = 2 } ],
		  field_rules = [ { field_name = b, field_type = string, field_value = [ { rule_type = NOT_NULL } ] } ] }
	], table-names = [test.one, test.two]`
	s := mustOpen(t, rules, one, two)
	w := newWriter(t, s)
	for _, b := range []plugin.Batch{batch(t, one, "[1]"), batch(t, two, "[x], [y]")} {
		if err := w.Write(t.Context(), b); err != nil {
			t.Error(err)
		}
		b.Release()
	}
	checkError(t, s.Finish(t.Context(), [][]byte{state(t, w)}), "")
	bad := batch(t, one, "[2]")
	defer bad.Release()
	checkError(t, w.Write(t.Context(), bad), "table test.one: row :SeaTunnelRow{tableId=test.one, kind=+I, fields=[2]}")
}

func TestTopRulesHoldForEachTable(t *testing.T) {
	one, two := table(t, "table = one, fields { a = int }"), table(t, "table = two, fields { a = int }")
	s := mustOpen(t, "row_rules = [ { rule_type = MIN_ROW, rule_value = 1 } ]", one, two)
	w := newWriter(t, s)
	b := batch(t, one, "[1], [2]")
	defer b.Release()
	if err := w.Write(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	checkError(t, s.Finish(t.Context(), [][]byte{state(t, w)}), "table two: row num :0 fail rule: MIN_ROW 1")
}

// maxOne demands that field a is 1 at most.
const maxOne = "field_rules = [ { field_name = a, field_type = int, field_value = [ { rule_type = MAX, rule_value " +
	"= 1 } ] } ]"

// TestOnlyFieldRules shows that the field rules of one entry hold for all rows.
func TestOnlyFieldRules(t *testing.T) {
	other := table(t, "table = other, fields { a = int }")
	w := newWriter(t, mustOpen(t, "tables_configs = [ { table_path = one, "+maxOne+" } ]", other))
	b := batch(t, other, "[2]")
	defer b.Release()
	checkError(t, w.Write(t.Context(), b), "fail rule: field a: MAX 1")
}

// TestChangedTable shows that rules are looked up anew when a table's columns change.
func TestChangedTable(t *testing.T) {
	old, changed := table(t, "fields { a = int }"), table(t, "fields { b = string, a = int }")
	w := newWriter(t, mustOpen(t, maxOne, old))
	b := batch(t, changed, "[x, 2]")
	defer b.Release()
	checkError(t, w.Write(t.Context(), b), "fields=[x, 2]}")
	dropped := table(t, "fields { b = string }")
	b = batch(t, dropped, "[x]")
	defer b.Release()
	checkError(t, w.Write(t.Context(), b), `the table has no field "a"`)
}

func TestCatalogRules(t *testing.T) {
	in := table(t, `table = "test.orders"
		columns = [
			{ name = id, type = bigint, nullable = false, comment = "the key" }
			{ name = name, type = string, columnLength = 20, defaultValue = none }
		]
		primaryKey { name = pk, columnNames = [id] }
		constraintKeys = [ { constraintName = u, constraintType = UNIQUE_KEY, constraintColumns = [
			{ columnName = name, sortType = DESC }
		] } ]`)
	const id = "{ name = id, type = bigint, nullable = false, comment = \"the key\" }"
	const name = "{ name = name, type = string, column_length = 20, default_value = none }"
	tests := []struct{ rule, want string }{
		{"primary_key_rule { primary_key_name = pk, primary_key_columns = [id] }", ""},
		{"primary_key_rule { primary_key_name = px, primary_key_columns = [id] }", "primaryKey: pk is not equal to px"},
		{"primary_key_rule { primary_key_name = pk, primary_key_columns = [name] }",
			"primaryKey columns: [id] is not equal to [name]"},
		{"constraint_key_rule = [ { constraint_key_name = u, constraint_key_type = UNIQUE_KEY, constraint_key_columns = [ " +
			"{ constraint_key_column_name = name, constraint_key_sort_type = DESC } ] } ]", ""},
		{"constraint_key_rule = [ { constraint_key_name = u, constraint_key_type = INDEX_KEY, constraint_key_columns = [ " +
			"{ constraint_key_column_name = name } ] } ]",
			"constraintKeys: [UNIQUE_KEY u [{name DESC}]] is not equal to [INDEX_KEY u [{name ASC}]]"},
		{"column_rule = [" + id + ", " + name + "]", ""},
		{"column_rule = [" + name + ", " + id + "]", ""},
		{"column_rule = [" + id + "]", "the table has 2, [id name], the rule has 1"},
		{"column_rule = [" + id + ", { name = nme, type = string } ]", "there is no column nme"},
		{"column_rule = [" + name + ", { name = id, type = bigint } ]",
			"columns: id BIGINT (length 0, nullable false, default null, " +
				`comment "the key") is not equal to id BIGINT (length 0, nullable true, default null, comment "")`},
		{"table_identifier_rule { catalog_name = FakeSource, table = test.orders }", ""},
		{"table_identifier_rule { catalog_name = FakeSource, table = orders }",
			"tableIdentifier: FakeSource.test.orders is not equal to FakeSource.orders"},
	}
	for _, test := range tests {
		_, err := openSink(t, "catalog_table_rule { "+test.rule+" }", in)
		checkError(t, err, test.want)
		_, err = openSink(t, "tables_configs = [ { table_path = test.orders, catalog_table_rule { "+test.rule+" } } ]", in)
		checkError(t, err, test.want)
		_, err = openSink(t, "tables_configs = [ { table_path = other, catalog_table_rule { "+test.rule+" } } ]", in)
		checkError(t, err, "")
	}
	_,
		err := openSink(t, "catalog_table_rule { primary_key_rule { primary_key_name = pk, primary_key_columns = [id] } }",
		table(t, "fields { a = int }"))
	checkError(t, err, "primaryKey is null")
}

func TestBadOptions(t *testing.T) {
	in := table(t, "fields { amount = int }")
	tests := []struct{ rules, want string }{
		{"", "Assert rule config is empty"},
		{"rule_ruls = [ 1 ]", "Assert rule config is empty"},
		{"tables_configs = [ { table_path = a } ]", "Assert rule config is empty"},
		{"row_rules = [ { rule_type = MIN, rule_value = 1 } ]", `"MIN" is not allowed`},
		{"row_rules = [ { rule_type = MIN_ROW } ]", "rule_value: is required"},
		{"field_rules = [ { field_name = amount, field_value = [ { rule_type = NULL } ] } ]", "field_type: is required"},
		{"field_rules = [ { field_name = amount, field_type = int } ]", "field_value: is required"},
		{"field_rules = [ { field_name = amount, field_type = integer, field_value = [ { rule_type = NULL } ] } ]",
			"integer"},
		{"field_rules = [ { field_name = amount, field_type = int, field_value = [ { rule_type = MIN } ] } ]",
			"rule_value required when rule_type = MIN"},
		{"field_rules = [ { field_name = amuont, field_type = int, field_value = [ { rule_type = NULL } ] } ]",
			`no field "amuont"; did you mean "amount"?`},
		{"field_rules = [ { field_name = amount, field_type = int, field_value = [ { equals_to = x } ] } ]",
			"field amount: equals_to x is no INT"},
		{"tables_configs = [ { row_rules = [ { rule_type = MIN_ROW, rule_value = 1 } ] } ]", "table_path: is required"},
	}
	for _, test := range tests {
		t.Run(test.rules, func(t *testing.T) {
			_, err := openSink(t, test.rules, in)
			checkError(t, err, test.want)
		})
	}
	if _, err := Plugins()[0].Sink(t.Context(), config.Value{Kind: config.Object}, plugin.Env{}); err == nil {
		t.Error("a sink without rules is opened")
	}
}

func BenchmarkFieldRules(b *testing.B) {
	in := table(b, "fields { id = int, name = string }")
	w := newWriter(b, mustOpen(b, `field_rules = [
		{ field_name = id, field_type = int, field_value = [
			{ rule_type = NOT_NULL }, { rule_type = MAX, rule_value = 100000 }
		] }
		{ field_name = name, field_type = string, field_value = [ { rule_type = MAX_LENGTH, rule_value = 20 } ] }
	]`, in))
	rows := column.NewBuilder(in, memory.DefaultAllocator)
	for i := range column.FullRows {
		if err := rows.AppendRow(plugin.Insert, i, "abcdefgh"); err != nil {
			b.Fatal(err)
		}
	}
	data := rows.Batch()
	b.ReportAllocs()
	for b.Loop() {
		if err := w.Write(b.Context(), data); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)*column.FullRows/b.Elapsed().Seconds(), "rows/s")
}
