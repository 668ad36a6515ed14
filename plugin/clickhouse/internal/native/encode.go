package native

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/column"
)

// newValues returns the function that encodes values, those under a null as anything valid.
func newValues(from plugin.Type, t Type, loc *time.Location) (encode, error) {
	if from.Kind == plugin.Null {
		return zeros(t)
	}
	switch t.Name {
	case "Array":
		return newArrayValues(from, t, loc)
	case "Map":
		return newMapValues(from, t, loc)
	case "Tuple":
		return newTupleValues(from, t, loc)
	}
	if direct, err := newDirect(from, t, loc); direct != nil || err != nil {
		return direct, err
	}
	return converted(from, t, loc)
}

// newDirect returns the function for a pair of types that need no conversion rules; nil if there is none.
func newDirect(from plugin.Type, t Type, loc *time.Location) (encode, error) {
	switch t.Name {
	case "Int8":
		return integers[int8](from.Kind), nil
	case "Int16":
		return integers[int16](from.Kind), nil
	case "Int32":
		return integers[int32](from.Kind), nil
	case "Int64":
		return integers[int64](from.Kind), nil
	case "UInt8":
		return integers[uint8](from.Kind), nil
	case "UInt16":
		return integers[uint16](from.Kind), nil
	case "UInt32":
		return integers[uint32](from.Kind), nil
	case "UInt64":
		if from.Kind == plugin.Decimal && from.Scale == 0 {
			return eachDecimal(8, decimalToUint64), nil
		}
		return integers[uint64](from.Kind), nil
	case "Float32", "Float64":
		return floats(from.Kind, t), nil
	case "Bool":
		if from.Kind == plugin.Boolean {
			return booleans, nil
		}
	case "Decimal":
		return decimals(from, t), nil
	case "Date", "Date32":
		if from.Kind == plugin.Date {
			return dates(t), nil
		}
	case "DateTime", "DateTime64":
		if from.Kind == plugin.Timestamp {
			return timestamps(from, t, loc)
		}
	default:
		return textual(from, t), nil
	}
	return nil, nil
}

// converted goes through a column of the type that holds the target's values, by the rules of column.AppendValue.
func converted(from plugin.Type, t Type, loc *time.Location) (encode, error) {
	p, err := t.Plugin()
	if err != nil {
		return nil, err
	}
	direct, err := newDirect(p, t, loc)
	if err != nil {
		return nil, err
	}
	if direct == nil || !converts(from, p) {
		return nil, fmt.Errorf("a %s cannot become a %s", from, t)
	}
	table, err := plugin.NewTable(plugin.Table{Columns: []plugin.Column{{Name: "value", Type: p}}})
	if err != nil {
		return nil, err
	}
	return func(dst []byte, a arrow.Array, start, end int) ([]byte, error) {
		b := column.NewBuilder(table, memory.DefaultAllocator)
		defer b.Release()
		for i := start; i < end; i++ {
			if err := column.AppendValue(b.Column(0), p, column.Value(a, from, i)); err != nil {
				return dst, &at{i, err}
			}
		}
		b.EndRows(end - start)
		batch := b.Batch()
		defer batch.Release()
		dst, err := direct(dst, batch.Rows.Column(0), 0, end-start)
		if one, ok := err.(*at); ok {
			one.index += start
		}
		return dst, err
	}, nil
}

// converts reports whether some values of a type may become values of another one.
func converts(from, to plugin.Type) bool {
	number := func(k plugin.Kind) bool { return k >= plugin.TinyInt && k <= plugin.Decimal }
	clock := func(k plugin.Kind) bool { return k == plugin.Date || k == plugin.Timestamp }
	switch {
	case from.Kind == plugin.String:
		return to.Kind != plugin.Bytes
	case number(from.Kind):
		return number(to.Kind) || to.Kind == plugin.String || to.Kind == plugin.Boolean && from.Kind < plugin.Float
	case clock(from.Kind):
		return clock(to.Kind)
	}
	return false
}

// zeros encodes values that are all null.
func zeros(t Type) (encode, error) {
	width, err := zeroWidth(t)
	return func(dst []byte, _ arrow.Array, from, to int) ([]byte, error) {
		return append(dst, make([]byte, width*(to-from))...), nil
	}, err
}

func zeroWidth(t Type) (int, error) {
	widths := map[string]int{
		"Int8": 1, "UInt8": 1, "Bool": 1, "Enum8": 1, "String": 1, "Nothing": 1, "Int16": 2, "UInt16": 2, "Enum16": 2,
		"Date": 2, "Int32": 4, "UInt32": 4, "Float32": 4, "Date32": 4, "DateTime": 4, "IPv4": 4, "Int64": 8, "UInt64": 8,
		"Float64": 8, "DateTime64": 8, "UUID": 16, "IPv6": 16, "Int128": 16, "UInt128": 16, "Int256": 32, "UInt256": 32,
		"FixedString": t.Scale, "Decimal": decimalWidth(t.Precision),
	}
	width, ok := widths[t.Name]
	if !ok {
		return 0, fmt.Errorf("a column that is always null cannot become a %s", t)
	}
	return width, nil
}

// raw appends values whose bytes are those of the target.
func raw[T any](values func(a arrow.Array) []T) encode {
	return func(dst []byte, a arrow.Array, from, to int) ([]byte, error) {
		return append(dst, bytesOf(values(a)[from:to])...), nil
	}
}

type integer interface {
	int8 | int16 | int32 | int64 | uint8 | uint16 | uint32 | uint64
}

// integers encodes integers and booleans as D; nil for other kinds.
func integers[D integer](k plugin.Kind) encode {
	switch k {
	case plugin.TinyInt:
		return narrow[int8, D](func(a arrow.Array) []int8 { return a.(*array.Int8).Int8Values() })
	case plugin.SmallInt:
		return narrow[int16, D](func(a arrow.Array) []int16 { return a.(*array.Int16).Int16Values() })
	case plugin.Int:
		return narrow[int32, D](func(a arrow.Array) []int32 { return a.(*array.Int32).Int32Values() })
	case plugin.BigInt:
		return narrow[int64, D](func(a arrow.Array) []int64 { return a.(*array.Int64).Int64Values() })
	case plugin.Boolean:
		return func(dst []byte, a arrow.Array, from, to int) ([]byte, error) {
			var one D
			for i := from; i < to; i++ {
				one = 0
				if a.(*array.Boolean).Value(i) {
					one = 1
				}
				dst = appendInteger(dst, one)
			}
			return dst, nil
		}
	}
	return nil
}

// narrow encodes S as D, which may be wider or narrower.
func narrow[S int8 | int16 | int32 | int64, D integer](values func(a arrow.Array) []S) encode {
	var s S
	var d D
	if fmt.Sprintf("%T", s) == fmt.Sprintf("%T", d) {
		return raw(values)
	}
	return func(dst []byte, a arrow.Array, from, to int) ([]byte, error) {
		for i, v := range values(a)[from:to] {
			d := D(v)
			if (S(d) != v || (d < 0) != (v < 0)) && !a.IsNull(from+i) {
				return dst, &at{from + i, fmt.Errorf("%d is %w for %T", v, errRange, d)}
			}
			dst = appendInteger(dst, d)
		}
		return dst, nil
	}
}

func appendInteger[D integer](dst []byte, v D) []byte {
	switch any(v).(type) {
	case int8, uint8:
		return append(dst, byte(v))
	case int16, uint16:
		return binary.LittleEndian.AppendUint16(dst, uint16(v))
	case int32, uint32:
		return binary.LittleEndian.AppendUint32(dst, uint32(v))
	default:
		return binary.LittleEndian.AppendUint64(dst, uint64(v))
	}
}

// floats encodes floats; nil for other kinds. A Double takes the nearest Float32, and must not become infinite.
func floats(k plugin.Kind, t Type) encode {
	single := func(a arrow.Array) []float32 { return a.(*array.Float32).Float32Values() }
	double := func(a arrow.Array) []float64 { return a.(*array.Float64).Float64Values() }
	switch {
	case k == plugin.Float && t.Name == "Float32":
		return raw(single)
	case k == plugin.Double && t.Name == "Float64":
		return raw(double)
	case k == plugin.Float:
		return func(dst []byte, a arrow.Array, from, to int) ([]byte, error) {
			for _, v := range single(a)[from:to] {
				dst = binary.LittleEndian.AppendUint64(dst, math.Float64bits(float64(v)))
			}
			return dst, nil
		}
	case k == plugin.Double:
		return func(dst []byte, a arrow.Array, from, to int) ([]byte, error) {
			for i, v := range double(a)[from:to] {
				f := float32(v)
				if math.IsInf(float64(f), 0) && !math.IsInf(v, 0) && !a.IsNull(from+i) {
					return dst, &at{from + i, fmt.Errorf("%v is %w for Float32", v, errRange)}
				}
				dst = binary.LittleEndian.AppendUint32(dst, math.Float32bits(f))
			}
			return dst, nil
		}
	}
	return nil
}

func booleans(dst []byte, a arrow.Array, from, to int) ([]byte, error) {
	values := a.(*array.Boolean)
	dst = slices.Grow(dst, to-from)
	for i := from; i < to; i++ {
		var v byte
		if values.Value(i) {
			v = 1
		}
		dst = append(dst, v)
	}
	return dst, nil
}

func decimalToUint64(dst []byte, n decimal128.Num) ([]byte, error) {
	if n.HighBits() != 0 {
		return dst, fmt.Errorf("%s is %w for UInt64", n.BigInt(), errRange)
	}
	return binary.LittleEndian.AppendUint64(dst, n.LowBits()), nil
}

// eachDecimal encodes decimals one by one, as width bytes.
func eachDecimal(width int, one func(dst []byte, n decimal128.Num) ([]byte, error)) encode {
	return func(dst []byte, a arrow.Array, from, to int) ([]byte, error) {
		values := a.(*array.Decimal128).Values()
		for i := from; i < to; i++ {
			if a.IsNull(i) {
				dst = append(dst, make([]byte, width)...)
				continue
			}
			var err error
			if dst, err = one(dst, values[i]); err != nil {
				return dst, &at{i, err}
			}
		}
		return dst, nil
	}
}

func decimalWidth(precision int) int {
	switch {
	case precision <= 9:
		return 4
	case precision <= 18:
		return 8
	case precision <= 38:
		return 16
	default:
		return 32
	}
}

// decimals encodes decimals; nil if conversion rules are needed.
func decimals(from plugin.Type, t Type) encode {
	if t.Precision > plugin.MaxPrecision && from.Kind == plugin.String {
		return wideDecimals(t)
	}
	if from.Kind != plugin.Decimal || t.Precision > plugin.MaxPrecision || from.Scale != t.Scale {
		return nil
	}
	if from.Precision <= t.Precision && decimalWidth(t.Precision) == 16 {
		return raw(func(a arrow.Array) []decimal128.Num { return a.(*array.Decimal128).Values() })
	}
	width := decimalWidth(t.Precision)
	return eachDecimal(width, func(dst []byte, n decimal128.Num) ([]byte, error) {
		if !n.FitsInPrecision(int32(t.Precision)) {
			return dst, fmt.Errorf("%s is %w for %s", n.ToString(int32(t.Scale)), errRange, t)
		}
		switch width {
		case 4:
			return binary.LittleEndian.AppendUint32(dst, uint32(n.LowBits())), nil
		case 8:
			return binary.LittleEndian.AppendUint64(dst, n.LowBits()), nil
		default:
			dst = binary.LittleEndian.AppendUint64(dst, n.LowBits())
			return binary.LittleEndian.AppendUint64(dst, uint64(n.HighBits())), nil
		}
	})
}
