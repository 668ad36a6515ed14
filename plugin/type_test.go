package plugin

import (
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/google/go-cmp/cmp"
)

// allTypes has one type of each kind, and of each form that differs in Arrow.
func allTypes() []Type {
	types := []Type{DecimalOf(38, 10), {Kind: Time, Scale: 9}, {Kind: Timestamp, Scale: 9},
		ArrayOf(TypeOf(Int)), MapOf(TypeOf(String), ArrayOf(TypeOf(Double))),
		RowOf(Field{"a", TypeOf(Int)}, Field{"b", RowOf(Field{"c", DecimalOf(3, 1)})})}
	for k := Null; k < Decimal; k++ {
		types = append(types, TypeOf(k))
	}
	return append(types, TypeOf(Bytes), TypeOf(Date), TypeOf(Time), TypeOf(Timestamp))
}

func TestArrowRoundTrip(t *testing.T) {
	for _, typ := range allTypes() {
		got, err := FromArrow(typ.Arrow())
		if err != nil || !got.Equal(typ) {
			t.Errorf("%v became %v by way of %v: %v", typ, got, typ.Arrow(), err)
		}
	}
}

func TestFromArrowRefuses(t *testing.T) {
	for _, dt := range []arrow.DataType{
		arrow.PrimitiveTypes.Uint8, arrow.PrimitiveTypes.Uint64, arrow.BinaryTypes.LargeString, arrow.FixedWidthTypes.Date64,
		arrow.FixedWidthTypes.Time32s, arrow.FixedWidthTypes.Timestamp_s, arrow.FixedWidthTypes.Timestamp_us, // with a zone
		arrow.FixedWidthTypes.Float16, &arrow.Decimal256Type{Precision: 40, Scale: 2},
		&arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: arrow.BinaryTypes.String},
		arrow.ListOf(arrow.PrimitiveTypes.Uint8), arrow.MapOf(arrow.PrimitiveTypes.Uint8, arrow.BinaryTypes.String),
		arrow.MapOf(arrow.BinaryTypes.String, arrow.PrimitiveTypes.Uint8),
		arrow.StructOf(arrow.Field{Name: "a", Type: arrow.PrimitiveTypes.Uint8}),
	} {
		if got, err := FromArrow(dt); err == nil {
			t.Errorf("%v became %v", dt, got)
		}
	}
}

func TestTypeStrings(t *testing.T) {
	for want, typ := range map[string]Type{
		"NULL": {}, "STRING": TypeOf(String), "BIGINT": TypeOf(BigInt), "TIMESTAMP": {Kind: Timestamp, Scale: 3},
		"Decimal(10, 2)": DecimalOf(10, 2), "ARRAY<TINYINT>": ArrayOf(TypeOf(TinyInt)),
		"Map<STRING, ARRAY<INT>>": MapOf(TypeOf(String), ArrayOf(TypeOf(Int))),
		"ROW<a INT,b ROW<c DATE>>": RowOf(Field{"a", TypeOf(Int)},
			Field{"b", RowOf(Field{"c", TypeOf(Date)})}),
		"Kind(99)": {Kind: 99},
	} {
		if got := typ.String(); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestTypeEqual(t *testing.T) {
	types := append(allTypes(), DecimalOf(38, 9), DecimalOf(37, 10), ArrayOf(TypeOf(BigInt)), MapOf(TypeOf(Int),
		ArrayOf(TypeOf(Double))),
		MapOf(TypeOf(String), TypeOf(Double)), RowOf(Field{"a", TypeOf(Int)}), RowOf(Field{"b", TypeOf(Int)}),
		Type{Kind: Array})
	for i, a := range types {
		for j, b := range types {
			if a.Equal(b) != (i == j) {
				t.Errorf("%d and %d: Equal is %v", i, j, a.Equal(b))
			}
		}
	}
}

func TestRowKinds(t *testing.T) {
	want := [][2]string{{"+I", "INSERT"}, {"-U", "UPDATE_BEFORE"}, {"+U", "UPDATE_AFTER"}, {"-D", "DELETE"}}
	for i, names := range want {
		k := RowKind(i)
		if diff := cmp.Diff(names, [2]string{k.String(), k.Name()}); diff != "" {
			t.Error(diff)
		}
		for _, text := range []string{names[0], names[1], "insert"} {
			got, err := ParseRowKind(text)
			if text == "insert" {
				k = Insert
			}
			if err != nil || got != k {
				t.Errorf("ParseRowKind(%q) = %v, %v", text, got, err)
			}
		}
	}
	if _, err := ParseRowKind("UPSERT"); err == nil {
		t.Error("UPSERT is a row kind")
	}
	if s := RowKind(9).String() + RowKind(9).Name(); s != "RowKind(9)RowKind(9)" {
		t.Errorf("got %s", s)
	}
}

func TestGuarantees(t *testing.T) {
	for _, test := range []struct {
		replays  bool
		delivery Delivery
		want     string
	}{
		{false, TwoPhase, "best-effort"}, {false, Repeats, "best-effort"}, {true, Repeats, "at-least-once"},
		{true, Idempotent, "effectively-once"}, {true, TwoPhase, "exactly-once"},
	} {
		if got := GuaranteeOf(test.replays, test.delivery).String(); got != test.want {
			t.Errorf("%v, %v: %s, want %s", test.replays, test.delivery, got, test.want)
		}
	}
}
