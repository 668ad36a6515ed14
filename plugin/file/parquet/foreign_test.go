package parquet_test

import (
	"bytes"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal256"
	"github.com/apache/arrow-go/v18/arrow/extensions"
	"github.com/apache/arrow-go/v18/arrow/memory"
	pq "github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"
	"github.com/apache/arrow-go/v18/parquet/schema"
	"github.com/google/go-cmp/cmp"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/file/format"
	"github.com/culvertdata/culvert/plugin/file/parquet"
)

// foreign writes a column of Arrow values, given as JSON, as another program would.
func foreign(t *testing.T, dt arrow.DataType, values string, props ...pq.WriterProperty) []byte {
	t.Helper()
	a, _, err := array.FromJSON(memory.DefaultAllocator, dt, strings.NewReader(values))
	if err != nil {
		t.Fatal(err)
	}
	defer a.Release()
	return foreignArray(t, a, props...)
}

func foreignArray(t *testing.T, a arrow.Array, props ...pq.WriterProperty) []byte {
	t.Helper()
	sc := arrow.NewSchema([]arrow.Field{{Name: "c", Type: a.DataType(), Nullable: true}}, nil)
	rows := array.NewRecordBatch(sc, []arrow.Array{a}, int64(a.Len()))
	defer rows.Release()
	var out bytes.Buffer
	w, err := pqarrow.NewFileWriter(sc, &out, pq.NewWriterProperties(props...),
		pqarrow.NewArrowWriterProperties(pqarrow.WithStoreSchema()))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.Write(rows), w.Close()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// TestTypesOfOtherPrograms reads what this package does not write itself.
func TestTypesOfOtherPrograms(t *testing.T) {
	integers := pq.WithStoreDecimalAsInteger(true)
	tests := []struct {
		name   string
		dt     arrow.DataType
		values string
		props  []pq.WriterProperty
		want   string
		rows   []string
	}{
		{"uint8", arrow.PrimitiveTypes.Uint8, "[255, null]", nil, "SMALLINT", []string{"255", "null"}},
		{"uint16", arrow.PrimitiveTypes.Uint16, "[65535, null]", nil, "INT", []string{"65535", "null"}},
		{"uint32", arrow.PrimitiveTypes.Uint32, "[4294967295, null]", nil, "BIGINT", []string{"4294967295", "null"}},
		{"uint64", arrow.PrimitiveTypes.Uint64, "[18446744073709551615, null]", nil, "Decimal(20, 0)",
			[]string{"18446744073709551615", "null"}},
		{"float16", arrow.FixedWidthTypes.Float16, "[1.5, null]", nil, "FLOAT", []string{"1.5", "null"}},
		{"decimal on INT32", &arrow.Decimal128Type{Precision: 7, Scale: 2}, `["-12345.67", null]`,
			[]pq.WriterProperty{integers}, "Decimal(7, 2)", []string{"-12345.67", "null"}},
		{"decimal on INT64", &arrow.Decimal128Type{Precision: 18, Scale: 0}, `["-123456789012345678", null]`,
			[]pq.WriterProperty{integers}, "Decimal(18, 0)", []string{"-123456789012345678", "null"}},
		{"millis", arrow.FixedWidthTypes.Timestamp_ms, "[-1, null]", nil, "TIMESTAMP",
			[]string{`"1969-12-31T23:59:59.999"`, "null"}},
		{"micros in UTC", arrow.FixedWidthTypes.Timestamp_us, "[1735689599999999, null]", nil, "TIMESTAMP",
			[]string{`"2024-12-31T23:59:59.999999"`, "null"}},
		{"time of millis", arrow.FixedWidthTypes.Time32ms, `["23:59:59.999", null]`, nil, "TIME",
			[]string{`"23:59:59.999"`, "null"}},
		{"fixed bytes", &arrow.FixedSizeBinaryType{ByteWidth: 2}, `["AAE=", null]`, nil, "BYTES", []string{`"AAE="`, "null"}},
		{"large text", arrow.BinaryTypes.LargeString, `["x", null]`, nil, "STRING", []string{`"x"`, "null"}},
		{"large list", arrow.LargeListOf(arrow.PrimitiveTypes.Uint8), `[[1, null], [], null]`, nil, "ARRAY<SMALLINT>",
			[]string{"[1,null]", "[]", "null"}},
		{"list of fixed size", arrow.FixedSizeListOf(2, arrow.PrimitiveTypes.Int16), `[[1, 2], null]`, nil, "ARRAY<SMALLINT>",
			[]string{"[1,2]", "null"}},
		{"list without nulls", arrow.ListOfNonNullable(arrow.PrimitiveTypes.Int32), `[[1], []]`, nil, "ARRAY<INT>",
			[]string{"[1]", "[]"}},
		{"group with converted fields", arrow.StructOf(arrow.Field{Name: "u", Type: arrow.PrimitiveTypes.Uint8,
			Nullable: true},
			arrow.Field{Name: "t", Type: arrow.FixedWidthTypes.Timestamp_ms}), `[{"u": 7, "t": 1704067200000}, null]`, nil,
			"ROW<u SMALLINT,t TIMESTAMP>", []string{`{"u":7,"t":"2024-01-01T00:00:00"}`, "null"}},
		{"map with converted values", arrow.MapOf(arrow.PrimitiveTypes.Uint16, arrow.FixedWidthTypes.Time32ms),
			`[[{"key": 5, "value": "00:00:01"}], null]`, nil,
			"Map<INT, TIME>", []string{`{"5":"00:00:01"}`, "null"}},
		{"dictionary", &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: arrow.BinaryTypes.String},
			`["a", "b", null, "a"]`, nil,
			"STRING", []string{`"a"`, `"b"`, "null", `"a"`}},
		{"uuid", extensions.NewUUIDType(), `["01234567-89ab-cdef-0123-456789abcdef", null]`, nil, "STRING",
			[]string{`"01234567-89ab-cdef-0123-456789abcdef"`, "null"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			data := foreign(t, test.dt, test.values, test.props...)
			have := columns(t, data)
			if got := have[0].Type.String(); got != test.want {
				t.Errorf("type %s, want %s", got, test.want)
			}
			got, _ := read(t, data, table(t, have...), format.Range{End: -1}, nil)
			if d := cmp.Diff(test.rows, got); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestValuesThatDoNotFit(t *testing.T) {
	texts := func(values ...string) arrow.Array {
		b := array.NewStringBuilder(memory.DefaultAllocator)
		defer b.Release()
		b.AppendValues(values, nil)
		return b.NewArray()
	}
	times := func(values ...arrow.Timestamp) arrow.Array {
		b := array.NewTimestampBuilder(memory.DefaultAllocator, arrow.FixedWidthTypes.Timestamp_ms.(*arrow.TimestampType))
		defer b.Release()
		b.AppendValues(values, nil)
		return b.NewArray()
	}
	tests := []struct {
		name   string
		values arrow.Array
		want   []string
	}{
		{"no UTF-8", texts("fine", "bad \xff"), []string{"test.parquet row 2", "column c", `"bad \xff"`, "UTF-8"}},
		{"a character cut in two", texts("\xc3", "\xa4"), []string{"test.parquet row 1", "UTF-8"}},
		{"milliseconds out of range", times(0, 0, math.MaxInt64), []string{"test.parquet row 3", "out of range"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			defer test.values.Release()
			data := foreignArray(t, test.values)
			r, err := parquet.Format().NewReader(format.ReadOptions{Table: table(t, columns(t, data)...)})
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			if err := r.Open(t.Context(), input(data), format.Range{End: -1}, nil); err != nil {
				t.Fatal(err)
			}
			_, err = r.Next(t.Context())
			checkError(t, err, plugin.CodeData, test.want...)
		})
	}
}

func TestTypesThatCannotBeRead(t *testing.T) {
	b := array.NewDecimal256Builder(memory.DefaultAllocator, &arrow.Decimal256Type{Precision: 50, Scale: 2})
	defer b.Release()
	b.Append(decimal256.FromI64(5))
	a := b.NewArray()
	defer a.Release()
	_, err := parquet.Format().Columns(t.Context(), input(foreignArray(t, a)))
	checkError(t, err, plugin.CodeType, "column c", "read_columns")
}

// TestRepeatedFields reads the lists of old programs: a repeated field without the groups around it.
func TestRepeatedFields(t *testing.T) {
	node := schema.NewInt32Node("c", pq.Repetitions.Repeated, -1)
	root, err := schema.NewGroupNode("schema", pq.Repetitions.Required, schema.FieldList{node}, -1)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	w := file.NewParquetWriter(&out, root)
	group, err := w.AppendRowGroupChecked()
	if err != nil {
		t.Fatal(err)
	}
	cw, err := group.NextColumn()
	if err != nil {
		t.Fatal(err)
	}
	_, err = cw.(*file.Int32ColumnChunkWriter).WriteBatch([]int32{1, 2, 3}, []int16{1, 1, 0, 1}, []int16{0, 1, 0, 0})
	if err := errors.Join(err, cw.Close(), group.Close(), w.Close()); err != nil {
		t.Fatal(err)
	}
	have := columns(t, out.Bytes())
	got, _ := read(t, out.Bytes(), table(t, have...), format.Range{End: -1}, nil)
	if d := cmp.Diff([]string{"[1,2]", "[]", "[3]"}, got); d != "" || have[0].Type.String() != "ARRAY<INT>" {
		t.Errorf("%s: %s", have[0].Type, d)
	}
}
