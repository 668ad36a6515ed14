package plugin

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/google/go-cmp/cmp"
)

func TestTableID(t *testing.T) {
	tests := []struct {
		path        string
		schemaFirst bool
		want        TableID
	}{
		{"t", false, TableID{Name: "t"}}, {"t", true, TableID{Name: "t"}},
		{"a.t", false, TableID{Database: "a", Name: "t"}}, {"a.t", true, TableID{Schema: "a", Name: "t"}},
		{"a.b.t", false, TableID{"a", "b", "t"}}, {"a.b.t", true, TableID{"a", "b", "t"}},
	}
	for _, test := range tests {
		got, err := ParseTableID(test.path, test.schemaFirst)
		if err != nil || got != test.want || got.String() != test.path {
			t.Errorf("%s: got %#v, %v", test.path, got, err)
		}
	}
	for _, path := range []string{"", ".", "a.", ".t", "a..t", "a.b.c.d"} {
		if got, err := ParseTableID(path, false); err == nil {
			t.Errorf("%q is %#v", path, got)
		}
	}
	if s := DefaultTableID().String() + (TableID{}).String(); s != "default.default.default" {
		t.Errorf("got %s", s)
	}
}

func TestNewTable(t *testing.T) {
	table, err := NewTable(Table{Key: []int{1, 0}, Columns: []Column{
		{Name: "a", Type: TypeOf(Int), NotNull: true}, {Name: "b", Type: DecimalOf(5, 2)}, {Name: "c",
			Type: TypeOf(Timestamp)}}})
	if err != nil {
		t.Fatal(err)
	}
	if table.ID != DefaultTableID() || table.Index("b") != 1 || table.Index("z") != -1 {
		t.Errorf("ID %v, index %d", table.ID, table.Index("b"))
	}
	if diff := cmp.Diff([]string{"a", "b", "c"}, table.Names()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"b", "a"}, table.KeyNames()); diff != "" {
		t.Error(diff)
	}
	for i, want := range []string{"int32", "decimal(5, 2)", "timestamp[us]"} {
		if got := table.Schema.Field(i).Type.String(); got != want {
			t.Errorf("column %d is %s, want %s", i, got, want)
		}
	}
	same, _ := NewTable(Table{ID: TableID{Name: "x"}, Version: 3, Columns: table.Columns})
	less, _ := NewTable(Table{Columns: table.Columns[:2]})
	if !table.SameColumns(same) || table.SameColumns(less) {
		t.Error("SameColumns is wrong")
	}
}

func TestNewTableRefuses(t *testing.T) {
	columns := func(types ...Type) []Column {
		var cs []Column
		for i, typ := range types {
			cs = append(cs, Column{Name: fmt.Sprint("c", i), Type: typ})
		}
		return cs
	}
	tests := []struct {
		table Table
		want  string
	}{
		{Table{ID: TableID{Name: "t"}}, "table t has no columns"},
		{Table{Columns: []Column{{Name: "a"}, {Name: "a"}}}, `has two columns named "a"`},
		{Table{Columns: []Column{{Type: TypeOf(Int)}}}, "column 1 has no name"},
		{Table{Columns: columns(DecimalOf(39, 2))}, "column c0: decimal(39,2) is out of range"},
		{Table{Columns: columns(TypeOf(Int), DecimalOf(0, 0))}, "column c1: decimal(0,0) is out of range"},
		{Table{Columns: columns(DecimalOf(4, 5))}, "decimal(4,5) is out of range"},
		{Table{Columns: columns(DecimalOf(4, -1))}, "decimal(4,-1) is out of range"},
		{Table{Columns: columns(Type{Kind: Timestamp, Scale: 10})}, "10 fractional second digits"},
		{Table{Columns: columns(Type{Kind: Array})}, "array without an element type"},
		{Table{Columns: columns(ArrayOf(DecimalOf(0, 0)))}, "decimal(0,0)"},
		{Table{Columns: columns(Type{Kind: Map})}, "map without a key or value type"},
		{Table{Columns: columns(MapOf(DecimalOf(0, 0), TypeOf(Int)))}, "decimal(0,0)"},
		{Table{Columns: columns(MapOf(TypeOf(Int), Type{Kind: Array}))}, "array without"},
		{Table{Columns: columns(RowOf(Field{"a", DecimalOf(0, 0)}))}, "field a: decimal(0,0)"},
		{Table{Columns: columns(RowOf())}, "row without fields"},
		{Table{Columns: columns(RowOf(Field{"a", TypeOf(Int)}, Field{"a", TypeOf(Int)}))}, `row with two fields named "a"`},
		{Table{Columns: columns(TypeOf(Int)), Key: []int{1}}, "key column 1 does not exist"},
		{Table{Columns: columns(TypeOf(Int)), Key: []int{-1}}, "key column -1 does not exist"},
		{Table{Columns: columns(TypeOf(Int)), Key: []int{0, 0}}, "the key names column 0 twice"},
	}
	for _, test := range tests {
		if _, err := NewTable(test.table); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("got %v, want %s", err, test.want)
		}
	}
}

func TestBatch(t *testing.T) {
	alloc := memory.NewCheckedAllocator(memory.NewGoAllocator())
	defer alloc.AssertSize(t, 0)
	table, err := NewTable(Table{Columns: []Column{{Name: "n", Type: TypeOf(Int)}}})
	if err != nil {
		t.Fatal(err)
	}
	builder := array.NewRecordBuilder(alloc, table.Schema)
	defer builder.Release()
	builder.Field(0).(*array.Int32Builder).AppendValues([]int32{1, 2, 3, 4}, nil)
	b := Batch{Table: table, Rows: builder.NewRecordBatch()}
	defer b.Release()
	if b.Len() != 4 || b.Kind(2) != Insert {
		t.Errorf("%d rows, kind %v", b.Len(), b.Kind(2))
	}
	if s := b.Slice(1, 2); s.Kinds != nil || s.Kind(0) != Insert {
		t.Error("a slice of inserts has kinds")
	} else {
		s.Release()
	}
	b.Kinds = []RowKind{Insert, UpdateBefore, UpdateAfter, Delete}
	s := b.Slice(1, 4)
	s.Retain()
	s.Release()
	defer s.Release()
	if s.Len() != 3 || s.Kind(0) != UpdateBefore || s.Kind(2) != Delete || s.Table != table {
		t.Errorf("%d rows, kinds %v", s.Len(), s.Kinds)
	}
	if got := s.Rows.Column(0).(*array.Int32).Value(0); got != 2 {
		t.Errorf("the slice starts with %d", got)
	}
	var _ arrow.RecordBatch = s.Rows
}

func TestErrors(t *testing.T) {
	cause := errors.New("no route")
	for want, err := range map[string]*Error{
		"no route": {Err: cause},
		"Sink[0]-Jdbc: table db.t: split s1: line 7: no route; check the address": {Code: CodeUnavailable,
			Vertex: "Sink[0]-Jdbc",
			Table:  TableID{Database: "db", Name: "t"}, Split: "s1", Row: "line 7", Fix: "check the address", Err: cause},
		"Source[0]: DENIED": {Code: CodeDenied, Vertex: "Source[0]"},
	} {
		if got := err.Error(); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		if err.Err != nil && !errors.Is(fmt.Errorf("wrapped: %w", err), cause) {
			t.Errorf("%v lost its cause", err)
		}
	}
	rows := &RowErrors{Rows: []RowError{{Index: 3, Err: cause}, {Index: 5, Err: errors.New("too long")}}}
	if got := rows.Error(); got != "2 rows refused, the first, row 3 of its batch: no route" || !errors.Is(rows, cause) {
		t.Errorf("got %s", got)
	}
	if got := (&RowErrors{}).Error(); got != "no rows refused" {
		t.Errorf("got %s", got)
	}
}

func TestExpand(t *testing.T) {
	cols := []Column{{Name: "id", Type: TypeOf(Int)}, {Name: "at", Type: TypeOf(Date)}, {Name: "v", Type: TypeOf(Int)}}
	full, err := NewTable(Table{ID: TableID{"db1", "sch1", "t1"}, Columns: cols, Key: []int{0, 1},
		Constraints: []Constraint{
			{Kind: IndexKey, Columns: []ConstraintColumn{{Name: "v"}}},
			{Kind: UniqueKey, Columns: []ConstraintColumn{{Name: "at"}, {Name: "v"}}},
			{Kind: UniqueKey, Columns: []ConstraintColumn{{Name: "id"}}}}})
	if err != nil {
		t.Fatal(err)
	}
	bare, err := NewTable(Table{ID: TableID{Name: "t1"}, Columns: cols})
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct{ text, full, bare string }{
		{"plain", "plain", "plain"},
		{"${database_name}/${schema_name}/${table_name}", "db1/sch1/t1", "//t1"},
		{"${schema_full_name}", "db1.sch1", ""},
		{"${table_full_name}", "db1.sch1.t1", "t1"},
		{"${primary_key}", "id,at", "${primary_key}"},
		{"${unique_key}", "at,v", "${unique_key}"},
		{"${field_names}", "id,at,v", "id,at,v"},
		{"${database_name:none}_${primary_key:x,y}_${table_name:}", "db1_id,at_t1", "none_x,y_t1"},
		{"${schema_name:}", "sch1", ""},
		{"${now} ${transactionId} ${k0}=${v0} ${other:x} ${", "${now} ${transactionId} ${k0}=${v0} ${other:x} ${",
			"${now} ${transactionId} ${k0}=${v0} ${other:x} ${"},
	}
	for _, test := range tests {
		if got := Expand(test.text, full); got != test.full {
			t.Errorf("%s: got %s, want %s", test.text, got, test.full)
		}
		if got := Expand(test.text, bare); got != test.bare {
			t.Errorf("%s without parts: got %s, want %s", test.text, got, test.bare)
		}
	}
	for _, name := range Placeholders() {
		if text := "${" + name + "}"; Expand(text, full) == text {
			t.Errorf("%s is not filled in", text)
		}
	}
	lists := []struct{ list, full, bare []string }{
		{[]string{"${primary_key}"}, []string{"id", "at"}, []string{"${primary_key}"}},
		{[]string{"${unique_key}"}, []string{"at", "v"}, []string{"${unique_key}"}},
		{[]string{"${field_names}"}, []string{"id", "at", "v"}, []string{"id", "at", "v"}},
		{[]string{"${primary_key}", "v"}, []string{"${primary_key}", "v"}, []string{"${primary_key}", "v"}},
		{[]string{"${table_name}"}, []string{"${table_name}"}, []string{"${table_name}"}},
		{nil, nil, nil},
	}
	for _, test := range lists {
		if diff := cmp.Diff(test.full, ExpandList(test.list, full)); diff != "" {
			t.Errorf("%v: %s", test.list, diff)
		}
		if diff := cmp.Diff(test.bare, ExpandList(test.list, bare)); diff != "" {
			t.Errorf("%v without parts: %s", test.list, diff)
		}
	}
}
