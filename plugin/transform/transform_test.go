package transform

import (
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/google/go-cmp/cmp"

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

func table(t testing.TB, schema string) *plugin.Table {
	t.Helper()
	var s plugin.Schema
	if err := s.DecodeConfig(parse(t, schema)); err != nil {
		t.Fatal(err)
	}
	made, err := s.Table(plugin.TableID{Database: "db", Name: "t"}, "FakeSource")
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// people is the usual input.
const people = `
	columns = [
		{ name = id, type = bigint, nullable = false }
		{ name = name, type = string, columnLength = 20 }
		{ name = age, type = int }
	]
	primaryKey { name = pk, columnNames = [id] }
	constraintKeys = [
		{ constraintName = u, constraintType = UNIQUE_KEY
		  constraintColumns = [ { columnName = name, sortType = DESC }, { columnName = id } ] }
		{ constraintName = i, constraintType = INDEX_KEY, constraintColumns = [ { columnName = age } ] }
	]`

// batch makes rows from lines of kind and JSON list.
func batch(t testing.TB, alloc memory.Allocator, table *plugin.Table, lines ...string) plugin.Batch {
	t.Helper()
	b := column.NewBuilder(table, alloc)
	for _, line := range lines {
		kind, values, _ := strings.Cut(line, " ")
		k, err := plugin.ParseRowKind(kind)
		if err != nil {
			t.Fatal(err)
		}
		row, _ := parse(t, "v = "+values).Get("v")
		for i, v := range row.Items {
			if err := column.AppendConfig(b.Column(i), table.Columns[i].Type, v); err != nil {
				t.Fatal(err)
			}
		}
		b.EndRow(k)
	}
	return b.Batch()
}

// rows returns the lines of a batch.
func rows(b plugin.Batch) []string {
	var lines []string
	for i := range b.Len() {
		line := b.Kind(i).String()
		for c, col := range b.Table.Columns {
			a := b.Rows.Column(c)
			value := "null"
			if !column.IsNull(a, i) {
				value = string(column.FormatJava(nil, a, col.Type, i))
			}
			line += "|" + value
		}
		lines = append(lines, line)
	}
	return lines
}

func open(t testing.TB, name, options string, alloc memory.Allocator) (plugin.Transform, error) {
	t.Helper()
	registry := plugin.NewRegistry(Plugins)
	if err := registry.Err(); err != nil {
		t.Fatal(err)
	}
	found, ok := registry.Lookup(plugin.TransformRole, name)
	if !ok {
		t.Fatalf("there is no transform %s", name)
	}
	return found.Transform(t.Context(), parse(t, options), plugin.Env{Alloc: alloc})
}

// header describes a table in one line.
func header(table *plugin.Table) string {
	var parts []string
	for _, c := range table.Columns {
		parts = append(parts, c.Name+" "+c.Type.String())
	}
	return table.ID.String() + ": " + strings.Join(parts, ", ")
}

// run puts rows through a transform and returns the header of its table and its rows.
func run(t *testing.T, name, options, schema string, lines ...string) ([]string, error) {
	t.Helper()
	alloc := memory.NewCheckedAllocator(memory.DefaultAllocator)
	defer alloc.AssertSize(t, 0)
	tr, err := open(t, name, options, alloc)
	if err != nil {
		return nil, err
	}
	in := table(t, schema)
	out, err := tr.Derive(in)
	if err != nil {
		return nil, err
	}
	got := []string{header(out)}
	b := batch(t, alloc, in, lines...)
	defer b.Release()
	err = tr.Apply(t.Context(), b, out, func(made plugin.Batch) error {
		defer made.Release()
		if made.Table != out {
			t.Error("the batch is not of the derived table")
		}
		got = append(got, rows(made)...)
		return nil
	})
	return got, err
}

func TestTransforms(t *testing.T) {
	const fields = "fields { id = bigint, name = string, age = int }"
	tests := []struct {
		title, name, options, schema string
		rows, want                   []string
	}{
		{"copy", "Copy", "fields { name2 = name, id2 = id, name = age }", fields,
			[]string{"+I [1, a, 10]", "-D [2, null, 20]"},
			[]string{"db.t: id BIGINT, name INT, age INT, name2 STRING, id2 BIGINT", "+I|1|10|10|a|1", "-D|2|20|20|null|2"}},
		{"copy in the old form", "Copy", "src_field = age, dest_field = years", fields,
			[]string{"+I [1, a, 10]"}, []string{"db.t: id BIGINT, name STRING, age INT, years INT", "+I|1|a|10|10"}},
		{"copies are of the input", "Copy", "fields { name = age, age = name }", fields,
			[]string{"+I [1, a, 10]"}, []string{"db.t: id BIGINT, name INT, age STRING", "+I|1|10|a"}},
		{"map fields", "FieldMapper", "field_mapper { age = years, id = id, name = full }", fields,
			[]string{"+I [1, a, 10]", "+U [2, b, null]"},
			[]string{"db.t: years INT, id BIGINT, full STRING", "+I|10|1|a", "+U|null|2|b"}},
		{"select", "Sql", "query = \"select age, id as `the id`, name \\\"n\\\" From t;\"", fields, []string{"-D [1, a, 10]"},
			[]string{"db.t: age INT, the id BIGINT, n STRING", "-D|10|1|a"}},
		{"select all", "Sql", `query = "SELECT *, id AS again\nFROM fake"`, fields, []string{"+I [1, a, 10]"},
			[]string{"db.t: id BIGINT, name STRING, age INT, again BIGINT", "+I|1|a|10|1"}},
		{"include", "Filter", "include_fields = [age, id]", fields, []string{"+I [1, a, 10]"},
			[]string{"db.t: age INT, id BIGINT", "+I|10|1"}},
		{"include by the old name", "Filter", "fields = [age, name]", fields, []string{"+I [1, a, 10]"},
			[]string{"db.t: age INT, name STRING", "+I|10|a"}},
		{"include as one text", "Filter", `fields = "age,name"`, fields, []string{"+I [1, a, 10]"},
			[]string{"db.t: age INT, name STRING", "+I|10|a"}},
		{"exclude", "Filter", "exclude_fields = [name]", fields, []string{"-D [1, a, 10]"},
			[]string{"db.t: id BIGINT, age INT", "-D|1|10"}},
		{"include kinds", "FilterRowKind", "include_kinds = [INSERT, update_after]", fields,
			[]string{"+I [1, a, 1]", "-U [1, a, 1]", "+U [2, b, 2]", "-D [3, c, 3]"},
			[]string{"db.t: id BIGINT, name STRING, age INT", "+I|1|a|1", "+U|2|b|2"}},
		{"exclude kinds", "FilterRowKind", "exclude_kinds = [INSERT]", fields, []string{"+I [1, a, 1]", "-D [3, c, 3]"},
			[]string{"db.t: id BIGINT, name STRING, age INT", "-D|3|c|3"}},
		{"exclude kinds of inserts only", "FilterRowKind", "exclude_kinds = [INSERT]", fields, []string{"+I [1, a, 1]"},
			[]string{"db.t: id BIGINT, name STRING, age INT"}},
		{"exclude other kinds", "FilterRowKind", "exclude_kinds = [DELETE]", fields, []string{"+I [1, a, 1]"},
			[]string{"db.t: id BIGINT, name STRING, age INT", "+I|1|a|1"}},
		{"nothing to drop", "FilterRowKind", "exclude_kinds = [DELETE]", fields, []string{"+I [1, a, 1]", "+U [1, a, 1]"},
			[]string{"db.t: id BIGINT, name STRING, age INT", "+I|1|a|1", "+U|1|a|1"}},
		{"replace", "Replace", "replace_field = name, pattern = ab, replacement = x", fields,
			[]string{"+I [1, ababa, 1]", "+I [1, null, 1]", "-D [1, zz, 1]", `+I [1, "", 1]`},
			[]string{"db.t: id BIGINT, name STRING, age INT", "+I|1|xxa|1", "+I|1|null|1", "-D|1|zz|1", "+I|1||1"}},
		{"replace what is not there", "Replace", "replace_field = name, pattern = \"b|c\", replacement = x", fields,
			[]string{"+I [1, ababa, 1]"}, []string{"db.t: id BIGINT, name STRING, age INT", "+I|1|ababa|1"}},
		{"replace nothing", "Replace", `replace_field = name, pattern = "", replacement = "-"`, fields,
			[]string{"+I [1, ab, 1]"}, []string{"db.t: id BIGINT, name STRING, age INT", "+I|1|-a-b-|1"}},
		{"replace by nothing", "Replace", `replace_field = name, pattern = "b", replacement = ""`, fields,
			[]string{"+I [1, b, 1]"}, []string{"db.t: id BIGINT, name STRING, age INT", "+I|1||1"}},
		{"replace by a pattern", "Replace",
			`replace_field = name, pattern = ".+", replacement = b, is_regex = true, replace_first = true`, fields,
			[]string{"+I [1, anything, 1]", "+I [1, \"\", 1]"},
			[]string{"db.t: id BIGINT, name STRING, age INT", "+I|1|b|1", "+I|1||1"}},
		{"replace all of a pattern", "Replace",
			`replace_field = name, pattern = "([a-z])([0-9])", replacement = "$2$1", is_regex = true, replace_first = false`,
			fields,
			[]string{"+I [1, a1b2c, 1]"}, []string{"db.t: id BIGINT, name STRING, age INT", "+I|1|1a2bc|1"}},
		{"replace the first of a pattern", "Replace",
			`replace_field = name, pattern = "[a-z]", replacement = "", is_regex = true, replace_first = true`, fields,
			[]string{"+I [1, a1b2c, 1]"}, []string{"db.t: id BIGINT, name STRING, age INT", "+I|1|1b2c|1"}},
		{"replace in numbers", "Replace", "replace_field = age, pattern = \"1\", replacement = \"2\"", fields,
			[]string{"+I [1, a, 101]", "+I [1, a, 30]", "+I [1, a, null]"},
			[]string{"db.t: id BIGINT, name STRING, age INT", "+I|1|a|202", "+I|1|a|30", "+I|1|a|null"}},
		{"replace in timestamps", "Replace", "replace_field = at, pattern = \"2024\", replacement = \"2025\"",
			"fields { at = timestamp }",
			[]string{`+I ["2024-01-02T10:00:00"]`, `+I ["2024-01-02T10:00:01.5"]`, `+I ["2023-01-02T10:00:00"]`},
			[]string{"db.t: at TIMESTAMP", "+I|2025-01-02T10:00", "+I|2025-01-02T10:00:01.500", "+I|2023-01-02T10:00"}},
		{"split", "Split", `separator = ",", split_field = name, output_fields = [f1, f2]`, fields,
			[]string{`+I [1, "a,b", 1]`, `+I [1, "a,b,c", 1]`, "+I [1, a, 1]", "-D [1, null, 1]", `+I [1, "", 1]`,
				`+I [1, ",", 1]`},
			[]string{"db.t: id BIGINT, name STRING, age INT, f1 STRING, f2 STRING", "+I|1|a,b|1|a|b", "+I|1|a,b,c|1|a|b,c",
				"+I|1|a|1|a|null", "-D|1|null|1|null|null", "+I|1||1||null", "+I|1|,|1||"}},
		{"split by an expression", "Split", `separator = "[ ;]+", split_field = name, output_fields = [age, f2, f3]`, fields,
			[]string{`+I [1, "a ; b;c  d", 1]`, `+I [1, " a", 1]`},
			[]string{"db.t: id BIGINT, name STRING, age STRING, f2 STRING, f3 STRING", "+I|1|a ; b;c  d|a|b|c  d",
				"+I|1| a||a|null"}},
		{"split by a sign", "Split", `separator = "\\|", split_field = name, output_fields = [f1, f2]`,
			"fields { name = string }",
			[]string{`+I ["a|b"]`}, []string{"db.t: name STRING, f1 STRING, f2 STRING", "+I|a|b|a|b"}},
		{"split everywhere", "Split", `separator = "", split_field = name, output_fields = [f1, f2, f3]`,
			"fields { name = string }",
			[]string{"+I [abcd]", "+I [ab]"},
			[]string{"db.t: name STRING, f1 STRING, f2 STRING, f3 STRING", "+I|abcd|a|b|cd", "+I|ab|a|b|"}},
		{"split into one", "Split", `separator = ",", split_field = name, output_fields = [f1]`, "fields { name = string }",
			[]string{`+I ["a,b"]`}, []string{"db.t: name STRING, f1 STRING", "+I|a,b|a,b"}},
		{"split numbers", "Split", `separator = "1", split_field = age, output_fields = [f1, f2]`, "fields { age = int }",
			[]string{"+I [213]", "+I [-5]"}, []string{"db.t: age INT, f1 STRING, f2 STRING", "+I|213|2|3", "+I|-5|-5|null"}},
		{"extract kinds", "RowKindExtractor", "", "fields { a = int }",
			[]string{"+I [1]", "-U [1]", "+U [2]", "-D [2]"},
			[]string{"db.t: a INT, row_kind STRING", "+I|1|+I", "+I|1|-U", "+I|2|+U", "+I|2|-D"}},
		{"extract full kinds", "RowKindExtractor", "custom_field_name = k, transform_type = full", "fields { a = int }",
			[]string{"+I [1]", "-U [1]", "+U [2]", "-D [2]"},
			[]string{"db.t: a INT, k STRING", "+I|1|INSERT", "+I|1|UPDATE_BEFORE", "+I|2|UPDATE_AFTER", "+I|2|DELETE"}},
	}
	for _, test := range tests {
		t.Run(test.title, func(t *testing.T) {
			got, err := run(t, test.name, test.options, test.schema, test.rows...)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestErrors(t *testing.T) {
	const fields = "fields { id = bigint, name = string, raw = bytes }"
	tests := []struct{ name, options, want string }{
		{"Copy", "", "exactly one of fields, src_field"},
		{"Copy", "src_field = id", "missing: dest_field"},
		{"Copy", "fields { a = nane }", `fields: the input has no field "nane"; did you mean "name"?`},
		{"Copy", "fields { a = [1] }", "a must be the name of a field"},
		{"Copy", "fields = x", "must be an object of field = field"},
		{"FieldMapper", "", "field_mapper: is required"},
		{"FieldMapper", "field_mapper { xyz = a }", `field_mapper: the input has no field "xyz"`},
		{"FieldMapper", "field_mapper { id = a, name = a }", `two fields become "a"`},
		{"Filter", "", "exactly one of include_fields, exclude_fields"},
		{"Filter", "fields = [id], exclude_fields = [name]", "exactly one of"},
		{"Filter", "fields = [id, id]", `names "id" twice`},
		{"Filter", "exclude_fields = [id, name, raw]", "no field is left"},
		{"Filter", "exclude_fields = [ix]", `exclude_fields: the input has no field "ix"; did you mean "id"?`},
		{"Sql", "", "query: is required"},
		{"Sql", `query = "select nane from t"`, `query: the input has no field "nane"; did you mean "name"?`},
		{"Sql", `query = "select id, id from t"`, `"id"`},
		{"Sql", `query = ""`, "query"},
		{"Sql", `query = "insert into t"`, `"insert" stands where SELECT is expected`},
		{"Sql", `query = "select id"`, "it ends where a comma or FROM is expected"},
		{"Sql", `query = "select id, from t"`, `"from" stands where a column is expected`},
		{"Sql", `query = "select id as from t"`, `"from" stands where an alias is expected`},
		{"Sql", `query = "select id + 1 from t"`, `"+" stands where a comma or FROM is expected`},
		{"Sql", `query = "select upper(name) from t"`, `"(" stands where a comma or FROM is expected`},
		{"Sql", `query = "select 1 from t"`, `"1" stands where a column is expected`},
		{"Sql", `query = "select distinct id from t"`, `"distinct" stands where a column is expected`},
		{"Sql", `query = "select id from a.t"`, `"." stands where the end is expected`},
		{"Sql", `query = "select id from t where id = 1"`, `"where" stands where the end is expected`},
		{"Sql", "query = \"select `id from t\"", `the quote before "id from t" does not end`},
		{"Sql", `query = "select id from t", engine = FLINK`, `"FLINK" is not allowed`},
		{"FilterRowKind", "include_kinds = [UPSERT]", `"UPSERT" is not allowed`},
		{"FilterRowKind", "", "exactly one of include_kinds, exclude_kinds"},
		{"Replace", "replace_field = name, pattern = a", "replacement: is required"},
		{"Replace", "replace_field = name, pattern = a, replacement = b, is_regex = true",
			"replace_first required when is_regex = true"},
		{"Replace", "replace_field = nome, pattern = a, replacement = b",
			`replace_field: the input has no field "nome"; did you mean "name"?`},
		{"Replace", "replace_field = raw, pattern = a, replacement = b",
			"raw is of type BYTES, which has no text to replace in"},
		{"Replace", `replace_field = name, pattern = "(a", replacement = b, is_regex = true, replace_first = true`,
			"missing closing )"},
		{"Replace", `replace_field = name, pattern = "(?=a)", replacement = b, is_regex = true, replace_first = true`,
			"lookahead and lookbehind"},
		{"Replace", `replace_field = name, pattern = "a", replacement = "$1", is_regex = true, replace_first = true`,
			"$1: the pattern has 0 groups"},
		{"Replace", `replace_field = id, pattern = "1", replacement = x`, `field id: "1" replaced in "1"`},
		{"Replace", `replace_field = id, pattern = "1", replacement = ""`, "becomes empty"},
		{"Split", `separator = ",", split_field = nam, output_fields = [a]`,
			`split_field: the input has no field "nam"; did you mean "name"?`},
		{"Split", `separator = ",", split_field = name, output_fields = [a, a]`, `names "a" twice`},
		{"Split", `separator = ",", split_field = name, output_fields = []`, "must name at least one field"},
		{"Split", `separator = "a++", split_field = name, output_fields = [a]`, "possessive quantifiers"},
		{"RowKindExtractor", "custom_field_name = id", `the input has a field "id" already`},
		{"RowKindExtractor", "transform_type = LONG", `"LONG" is not allowed`},
	}
	for _, test := range tests {
		t.Run(test.name+" "+test.options, func(t *testing.T) {
			_, err := run(t, test.name, test.options, fields, "+I [1, a, \"\"]")
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want one with %q", err, test.want)
			}
		})
	}
}

// TestKeys checks which keys survive, and under which names.
func TestKeys(t *testing.T) {
	type keys struct {
		Name        string
		Columns     []string
		Constraints []plugin.Constraint
	}
	unique := func(name, id string) plugin.Constraint {
		return plugin.Constraint{Name: "u", Kind: plugin.UniqueKey,
			Columns: []plugin.ConstraintColumn{{Name: name, Desc: true}, {Name: id}}}
	}
	index := plugin.Constraint{Name: "i", Kind: plugin.IndexKey, Columns: []plugin.ConstraintColumn{{Name: "age"}}}
	all := keys{"pk", []string{"id"}, []plugin.Constraint{unique("name", "id"), index}}
	tests := []struct {
		name, options string
		want          keys
	}{
		{"Copy", "fields { x = id }", all},
		{"FieldMapper", "field_mapper { name = n, id = key }",
			keys{"pk", []string{"key"}, []plugin.Constraint{unique("n", "key")}}},
		{"FieldMapper", "field_mapper { age = age }", keys{"", nil, []plugin.Constraint{index}}},
		{"Filter", "include_fields = [age, id]", keys{"pk", []string{"id"}, []plugin.Constraint{index}}},
		{"Filter", "exclude_fields = [id]", keys{"", nil, []plugin.Constraint{index}}},
		{"FilterRowKind", "include_kinds = [INSERT]", all},
		{"Replace", "replace_field = name, pattern = a, replacement = b", all},
		{"Split", "separator = a, split_field = name, output_fields = [x]", all},
		{"RowKindExtractor", "", all},
	}
	for _, test := range tests {
		tr, err := open(t, test.name, test.options, memory.DefaultAllocator)
		if err != nil {
			t.Fatal(err)
		}
		out, err := tr.Derive(table(t, people))
		if err != nil {
			t.Fatal(err)
		}
		got := keys{out.KeyName, out.KeyNames(), out.Constraints}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s %s: %s", test.name, test.options, diff)
		}
		if out.Catalog != "FakeSource" {
			t.Errorf("%s: the catalog is %q", test.name, out.Catalog)
		}
	}
}

// TestColumnsKeepTheirDeclaration checks length, nullability and comment of columns that move.
func TestColumnsKeepTheirDeclaration(t *testing.T) {
	tr, err := open(t, "Copy", "fields { key = id, label = name }", memory.DefaultAllocator)
	if err != nil {
		t.Fatal(err)
	}
	out, err := tr.Derive(table(t, people))
	if err != nil {
		t.Fatal(err)
	}
	if key, label := out.Columns[3], out.Columns[4]; key.Name != "key" || !key.NotNull || label.Length != 20 {
		t.Errorf("copied columns %+v, %+v", key, label)
	}
	if tr,
		err = open(t, "Split", "separator = a, split_field = name, output_fields = [x]",
		memory.DefaultAllocator); err != nil {
		t.Fatal(err)
	}
	if out, err = tr.Derive(table(t, people)); err != nil || out.Columns[3].Length != 200 {
		t.Errorf("split columns %+v, error %v; want length 200", out.Columns, err)
	}
}

// TestUnchangedBatchesAreNotCopied checks that buffers are shared with the input.
func TestUnchangedBatchesAreNotCopied(t *testing.T) {
	alloc := memory.NewCheckedAllocator(memory.DefaultAllocator)
	defer alloc.AssertSize(t, 0)
	in := table(t, "fields { a = string, b = int }")
	data := batch(t, alloc, in, "+I [x, 1]", "+I [y, 2]")
	defer data.Release()
	for _, test := range [][2]string{
		{"Filter", "fields = [b, a]"}, {"FieldMapper", "field_mapper { a = c }"}, {"Copy", "fields { c = a }"},
		{"FilterRowKind", "include_kinds = [INSERT]"}, {"Replace", "replace_field = a, pattern = zz, replacement = y"},
	} {
		tr, err := open(t, test[0], test[1], alloc)
		if err != nil {
			t.Fatal(err)
		}
		out, err := tr.Derive(in)
		if err != nil {
			t.Fatal(err)
		}
		before := alloc.CurrentAlloc()
		err = tr.Apply(t.Context(), data, out, func(b plugin.Batch) error {
			if grown := alloc.CurrentAlloc() - before; grown != 0 {
				t.Errorf("%s takes %d bytes", test[0], grown)
			}
			b.Release()
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}
