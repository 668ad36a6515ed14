package plugin

import (
	"fmt"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
)

// Kind is the family of a column type.
type Kind uint8

// The column types of the job language, in the words of SeaTunnel.
const (
	Null      Kind = iota // always null
	String                // UTF-8 text
	Boolean               // true or false
	TinyInt               // 8 bit signed integer
	SmallInt              // 16 bit signed integer
	Int                   // 32 bit signed integer
	BigInt                // 64 bit signed integer
	Float                 // 32 bit IEEE 754
	Double                // 64 bit IEEE 754
	Decimal               // exact number of up to 38 digits
	Bytes                 // any bytes
	Date                  // calendar day, no zone
	Time                  // time of day, no zone
	Timestamp             // day and time of day, no zone
	Array                 // list of one type
	Map                   // keys to values
	Row                   // nested columns
)

var kindNames = [...]string{
	Null: "NULL", String: "STRING", Boolean: "BOOLEAN", TinyInt: "TINYINT", SmallInt: "SMALLINT", Int: "INT",
	BigInt: "BIGINT", Float: "FLOAT", Double: "DOUBLE", Decimal: "DECIMAL", Bytes: "BYTES", Date: "DATE",
	Time: "TIME", Timestamp: "TIMESTAMP", Array: "ARRAY", Map: "MAP", Row: "ROW",
}

// String returns the kind's name in capitals, for example BIGINT.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return fmt.Sprintf("Kind(%d)", uint8(k))
}

// MaxPrecision is the largest number of digits of a [Decimal].
const MaxPrecision = 38

// DefaultFraction is the number of fractional second digits of a [Time] or [Timestamp] that names none.
const DefaultFraction = 6

// Type is the type of a column or of a part of one. The zero value is the [Null] type.
type Type struct {
	Kind Kind
	// Precision is the number of digits of a Decimal, 1 to MaxPrecision.
	Precision int
	// Scale is the number of a Decimal's digits behind the point, and the number of fractional second digits of a
	// Time or Timestamp: up to 6 they are held as microseconds, 7 to 9 as nanoseconds (which end in the year 2262).
	Scale int
	// Key is the key type of a Map.
	Key *Type
	// Elem is the element type of an Array and the value type of a Map.
	Elem *Type
	// Fields are the columns of a Row, in order.
	Fields []Field
}

// Field is one column of a [Row] type.
type Field struct {
	Name string
	Type Type
}

// TypeOf returns the type of a kind without parameters; Time and Timestamp get [DefaultFraction].
// Decimal, Array, Map and Row have constructors of their own.
func TypeOf(k Kind) Type {
	if k == Time || k == Timestamp {
		return Type{Kind: k, Scale: DefaultFraction}
	}
	return Type{Kind: k}
}

// DecimalOf returns decimal(precision, scale).
func DecimalOf(precision, scale int) Type {
	return Type{Kind: Decimal, Precision: precision, Scale: scale}
}

// ArrayOf returns array<elem>.
func ArrayOf(elem Type) Type { return Type{Kind: Array, Elem: &elem} }

// MapOf returns map<key, value>.
func MapOf(key, value Type) Type { return Type{Kind: Map, Key: &key, Elem: &value} }

// RowOf returns a nested row.
func RowOf(fields ...Field) Type { return Type{Kind: Row, Fields: fields} }

// Equal reports whether two types are the same, field names of rows included.
func (t Type) Equal(o Type) bool {
	if t.Kind != o.Kind || t.Precision != o.Precision || t.Scale != o.Scale || len(t.Fields) != len(o.Fields) {
		return false
	}
	if !equalPart(t.Key, o.Key) || !equalPart(t.Elem, o.Elem) {
		return false
	}
	for i, f := range t.Fields {
		if f.Name != o.Fields[i].Name || !f.Type.Equal(o.Fields[i].Type) {
			return false
		}
	}
	return true
}

func equalPart(a, b *Type) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Equal(*b)
}

// String returns the type as SeaTunnel prints it: BIGINT, Decimal(10, 2), ARRAY<INT>, Map<STRING, INT>,
// ROW<a INT,b STRING>.
func (t Type) String() string {
	switch t.Kind {
	case Decimal:
		return fmt.Sprintf("Decimal(%d, %d)", t.Precision, t.Scale)
	case Array:
		return "ARRAY<" + t.Elem.String() + ">"
	case Map:
		return "Map<" + t.Key.String() + ", " + t.Elem.String() + ">"
	case Row:
		parts := make([]string, len(t.Fields))
		for i, f := range t.Fields {
			parts[i] = f.Name + " " + f.Type.String()
		}
		return "ROW<" + strings.Join(parts, ",") + ">"
	default:
		return t.Kind.String()
	}
}

// Arrow returns the Arrow type that holds values of t.
func (t Type) Arrow() arrow.DataType {
	switch t.Kind {
	case String:
		return arrow.BinaryTypes.String
	case Boolean:
		return arrow.FixedWidthTypes.Boolean
	case TinyInt:
		return arrow.PrimitiveTypes.Int8
	case SmallInt:
		return arrow.PrimitiveTypes.Int16
	case Int:
		return arrow.PrimitiveTypes.Int32
	case BigInt:
		return arrow.PrimitiveTypes.Int64
	case Float:
		return arrow.PrimitiveTypes.Float32
	case Double:
		return arrow.PrimitiveTypes.Float64
	case Decimal:
		return &arrow.Decimal128Type{Precision: int32(t.Precision), Scale: int32(t.Scale)}
	case Bytes:
		return arrow.BinaryTypes.Binary
	case Date:
		return arrow.FixedWidthTypes.Date32
	case Time:
		return &arrow.Time64Type{Unit: t.unit()}
	case Timestamp:
		return &arrow.TimestampType{Unit: t.unit()}
	case Array:
		return arrow.ListOf(t.Elem.Arrow())
	case Map:
		return arrow.MapOf(t.Key.Arrow(), t.Elem.Arrow())
	case Row:
		fields := make([]arrow.Field, len(t.Fields))
		for i, f := range t.Fields {
			fields[i] = arrow.Field{Name: f.Name, Type: f.Type.Arrow(), Nullable: true}
		}
		return arrow.StructOf(fields...)
	default:
		return arrow.Null
	}
}

func (t Type) unit() arrow.TimeUnit {
	if t.Scale > 6 {
		return arrow.Nanosecond
	}
	return arrow.Microsecond
}

// FromArrow returns the type that holds values of an Arrow type, where one does so without loss. Types in other
// units or widths (uint8, timestamp in seconds, large strings, dictionaries) have to be converted by the connector.
func FromArrow(dt arrow.DataType) (Type, error) {
	switch dt := dt.(type) {
	case *arrow.NullType:
		return TypeOf(Null), nil
	case *arrow.StringType:
		return TypeOf(String), nil
	case *arrow.BooleanType:
		return TypeOf(Boolean), nil
	case *arrow.Int8Type:
		return TypeOf(TinyInt), nil
	case *arrow.Int16Type:
		return TypeOf(SmallInt), nil
	case *arrow.Int32Type:
		return TypeOf(Int), nil
	case *arrow.Int64Type:
		return TypeOf(BigInt), nil
	case *arrow.Float32Type:
		return TypeOf(Float), nil
	case *arrow.Float64Type:
		return TypeOf(Double), nil
	case *arrow.Decimal128Type:
		return DecimalOf(int(dt.Precision), int(dt.Scale)), nil
	case *arrow.BinaryType:
		return TypeOf(Bytes), nil
	case *arrow.Date32Type:
		return TypeOf(Date), nil
	case *arrow.Time64Type:
		return Type{Kind: Time, Scale: fraction(dt.Unit)}, nil
	case *arrow.TimestampType:
		if dt.TimeZone == "" && (dt.Unit == arrow.Microsecond || dt.Unit == arrow.Nanosecond) {
			return Type{Kind: Timestamp, Scale: fraction(dt.Unit)}, nil
		}
	case *arrow.ListType:
		elem, err := FromArrow(dt.Elem())
		return ArrayOf(elem), err
	case *arrow.MapType:
		key, err := FromArrow(dt.KeyType())
		if err != nil {
			return Type{}, err
		}
		item, err := FromArrow(dt.ItemType())
		return MapOf(key, item), err
	case *arrow.StructType:
		row := Type{Kind: Row}
		for _, f := range dt.Fields() {
			ft, err := FromArrow(f.Type)
			if err != nil {
				return Type{}, fmt.Errorf("field %s: %w", f.Name, err)
			}
			row.Fields = append(row.Fields, Field{Name: f.Name, Type: ft})
		}
		return row, nil
	}
	return Type{}, fmt.Errorf("arrow type %s has no column type; convert it first", dt)
}

func fraction(u arrow.TimeUnit) int {
	if u == arrow.Nanosecond {
		return 9
	}
	return DefaultFraction
}
