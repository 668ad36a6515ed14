package plugin

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/culvertdata/culvert/plugin/config"
	"github.com/culvertdata/culvert/plugin/config/hocon"
)

func schemaOf(t *testing.T, text string) (Schema, error) {
	t.Helper()
	v, err := hocon.Parse([]byte(text), hocon.Options{})
	if err != nil {
		t.Fatal(err)
	}
	block, ok := v.Get("schema")
	if !ok {
		t.Fatalf("no schema in %s", text)
	}
	var s Schema
	return s, s.DecodeConfig(block)
}

func TestSchemaShortForm(t *testing.T) {
	s, err := schemaOf(t, `
schema = {
  table = "db.orders"
  fields {
    id = bigint
    name = string
    price = "decimal(10, 2)"
    tags = "array<string>"
    at { lat = double, lon = double }
  }
  primaryKey { name = pk, columnNames = [id] }
}`)
	if err != nil {
		t.Fatal(err)
	}
	if s.Long {
		t.Error("the short form counts as long")
	}
	table, err := s.Table(TableID{Name: "other"}, "FakeSource")
	if err != nil {
		t.Fatal(err)
	}
	want := []Column{
		{Name: "id", Type: TypeOf(BigInt)},
		{Name: "name", Type: TypeOf(String)},
		{Name: "price", Type: DecimalOf(10, 2)},
		{Name: "tags", Type: ArrayOf(TypeOf(String))},
		{Name: "at", Type: RowOf(Field{"lat", TypeOf(Double)}, Field{"lon", TypeOf(Double)})},
	}
	if diff := cmp.Diff(want, table.Columns); diff != "" {
		t.Error(diff)
	}
	if table.ID != (TableID{Database: "db", Name: "orders"}) || table.KeyName != "pk" || table.Catalog != "FakeSource" {
		t.Errorf("table %v, key name %q, catalog %q", table.ID, table.KeyName, table.Catalog)
	}
	if diff := cmp.Diff([]string{"id"}, table.KeyNames()); diff != "" {
		t.Error(diff)
	}
}

func TestSchemaLongForm(t *testing.T) {
	s, err := schemaOf(t, `
schema = {
  table = "app.orders"
  schema_first = true
  comment = "all orders"
  columns = [
    { name = id, type = bigint, nullable = false, defaultValue = 0, comment = "the key" }
    { name = name, type = string, columnLength = 20, defaultValue = "none" }
    { name = seen, type = timestamp, columnScale = 3 }
    { name = note, type = "{a = int}", defaultValue = null }
  ]
  constraintKeys = [
    { constraintName = u, constraintType = unique_key
      constraintColumns = [ { columnName = id, sortType = desc }, { columnName = name } ] }
  ]
}`)
	if err != nil {
		t.Fatal(err)
	}
	if !s.Long {
		t.Error("the long form counts as short")
	}
	if s.Columns[0].DeclaredLength != nil || *s.Columns[1].DeclaredLength != 20 || *s.Columns[2].DeclaredScale != 3 {
		t.Error("declared lengths or scales are wrong")
	}
	table, err := s.Table(TableID{Name: "other"}, "")
	if err != nil {
		t.Fatal(err)
	}
	zero, none := "0", "none"
	want := []Column{
		{Name: "id", Type: TypeOf(BigInt), NotNull: true, Default: &zero, Comment: "the key"},
		{Name: "name", Type: TypeOf(String), Length: 20, Default: &none},
		{Name: "seen", Type: Type{Kind: Timestamp, Scale: 3}},
		{Name: "note", Type: RowOf(Field{"a", TypeOf(Int)})},
	}
	if diff := cmp.Diff(want, table.Columns); diff != "" {
		t.Error(diff)
	}
	if table.ID != (TableID{Schema: "app", Name: "orders"}) || table.Comment != "all orders" {
		t.Errorf("table %#v, comment %q", table.ID, table.Comment)
	}
	keys := []Constraint{{Name: "u", Kind: UniqueKey, Columns: []ConstraintColumn{{"id", true}, {"name", false}}}}
	if diff := cmp.Diff(keys, table.Constraints); diff != "" {
		t.Error(diff)
	}
}

func TestSchemaTableName(t *testing.T) {
	s, err := schemaOf(t, `schema { fields { a = int } }`)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ fallback, want TableID }{
		{TableID{Name: "fake"}, TableID{Name: "fake"}},
		{TableID{}, DefaultTableID()},
	} {
		table, err := s.Table(test.fallback, "")
		if err != nil || table.ID != test.want {
			t.Errorf("fallback %v: %v, %v", test.fallback, table, err)
		}
	}
}

// Sources that know their columns take the table's name alone.
func TestSchemaWithoutColumns(t *testing.T) {
	s, err := schemaOf(t, `schema { table = db.t }`)
	if err != nil || s.Columns != nil || s.ID != (TableID{Database: "db", Name: "t"}) {
		t.Errorf("got %+v, %v", s, err)
	}
	want := "table db.t: schema has neither fields nor columns; list the columns in schema.fields as name = type"
	if _, err := s.Table(TableID{}, ""); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// A key that names no column is refused, also in a schema that was not read from a job file.
func TestSchemaTableChecksItsKey(t *testing.T) {
	s := Schema{Columns: []SchemaColumn{{Column: Column{Name: "a", Type: TypeOf(Int)}}}, Key: []string{"b"}}
	if _, err := s.Table(TableID{}, ""); err == nil ||
		err.Error() != `primary key: there is no column "b"; the columns are a` {
		t.Errorf("got %v", err)
	}
}

func TestSchemaTellsAllProblems(t *testing.T) {
	tests := []struct {
		name, text string
		want       []string
	}{
		{"types", `schema { fields {
  a = integer
  b { c = "decimal(3)", d = int }
  e = [int]
} }`, []string{
			`2:7: fields.a: type "integer" is not known; did you mean "int"?`,
			`3:11: fields.b.c: "decimal(3)" must have two numbers, as in decimal(10,2)`,
			`4:7: fields.e: a type must be a text or an object, not a list`,
		}},
		{"both forms", `schema { fields { a = int }, columns = [{ name = a, type = int }] }`, []string{
			`1:8: at most one of fields, columns; set: fields, columns`}},
		{"no columns", `schema { fields {} }`, []string{`1:17: fields: must have at least one column`}},
		{"no list of columns", `schema { fields = "a int" }`, []string{
			`1:19: fields: must be an object of name = type, not a text`}},
		{"table", `schema { table = a.b.c.d, fields { a = int } }`, []string{
			`1:18: table: table path "a.b.c.d" is none of table, database.table, database.schema.table`}},
		{"columns", `schema { columns = [
  { name = a, type = int }
  { name = a, type = strng }
  { type = int }
  { name = t, type = time, columnScale = 10 }
  { name = x, type = int, columnLength = long, nullable = maybe }
] }`, []string{
			`4:3: columns[2].name: is required: Name of the column.`,
			`6:42: columns[4].columnLength: must be a whole number of at most 64 bits, not "long"`,
			`6:59: columns[4].nullable: must be true or false, not "maybe"`,
			`3:12: columns[1].name: two columns are named "a"`,
			`3:22: columns[1].type: type "strng" is not known; did you mean "string"?`,
			`5:12: columns[3].columnScale: 10 fractional second digits are out of range: 0 to 9`,
		}},
		{"keys", `schema { fields { id = int }
  primaryKey { name = pk, columnNames = [idd] }
  constraintKeys = [{ constraintName = u, constraintType = UNIQUE, constraintColumns = [{ columnName = zz }] }]
}`, []string{
			`3:60: constraintKeys[0].constraintType: "UNIQUE" is not allowed; allowed: INDEX_KEY, UNIQUE_KEY, FOREIGN_KEY, ` +
				`VECTOR_INDEX_KEY`,
			`2:14: primaryKey.columnNames: there is no column "idd"; did you mean "id"?`,
			`3:20: constraintKeys[0].constraintColumns: there is no column "zz"`,
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := schemaOf(t, test.text)
			ce, ok := err.(*config.Error)
			if !ok {
				t.Fatalf("error %v", err)
			}
			var got []string
			for _, p := range ce.Problems {
				got = append(got, p.String())
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// A schema inside a plugin's options: its problems carry the whole path.
func TestSchemaAsOption(t *testing.T) {
	type options struct {
		Schema Schema `opt:"schema" required:"true" help:"Columns."`
	}
	v, err := hocon.ParseValue([]byte(`{ schema { fields { a = strin }, tabel = t } }`))
	if err != nil {
		t.Fatal(err)
	}
	var o options
	ps := config.Decode(v, &o)
	var got []string
	for _, p := range ps {
		got = append(got, p.String())
	}
	want := []string{
		`1:34: schema.tabel: is not an option here and has no effect; did you mean "table"?`,
		`1:25: schema.fields.a: type "strin" is not known; did you mean "string"?`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if len(ps.Errors()) != 1 {
		t.Errorf("%d errors", len(ps.Errors()))
	}
}
