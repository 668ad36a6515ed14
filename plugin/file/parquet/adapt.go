package parquet

import (
	"errors"
	"fmt"
	"math"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/bitutil"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/culvertdata/culvert/plugin"
)

// adapt returns values as an array of exactly the Arrow type of t, which the caller releases. Values that have its
// layout already are not copied.
func adapt(a arrow.Array, t plugin.Type, alloc memory.Allocator) (arrow.Array, error) {
	if ext, ok := a.(array.ExtensionArray); ok {
		if storage, ok := ext.Storage().(*array.FixedSizeBinary); ok && ext.ExtensionType().ExtensionName() == uuidName {
			return uuids(storage, alloc), nil
		}
		return adapt(ext.Storage(), t, alloc)
	}
	switch a := a.(type) {
	case *array.Struct:
		return adaptRow(a, t, alloc)
	case *array.Map:
		return adaptMap(a, t, alloc)
	case *array.List:
		return adaptList(a, t, alloc)
	case *array.String:
		if err := checkTexts(a); err != nil {
			return nil, err
		}
	case *array.Timestamp:
		if a.DataType().(*arrow.TimestampType).Unit == arrow.Millisecond {
			return millis(a, t, alloc)
		}
	case *array.Uint8, *array.Uint16, *array.Uint32, *array.Uint64, *array.Float16, *array.Time32, *array.FixedSizeBinary:
		return converted(a, t, alloc), nil
	}
	return retyped(a, t.Arrow()), nil
}

// retyped returns the same values under another data type of the same layout, for example without a time zone.
func retyped(a arrow.Array, dt arrow.DataType) arrow.Array {
	if arrow.TypeEqual(a.DataType(), dt) {
		a.Retain()
		return a
	}
	d := a.Data()
	data := array.NewData(dt, d.Len(), d.Buffers(), d.Children(), d.NullN(), d.Offset())
	defer data.Release()
	return array.MakeFromData(data)
}

// converted makes an array of t of values that have another layout.
func converted(a arrow.Array, t plugin.Type, alloc memory.Allocator) arrow.Array {
	b := array.NewBuilder(alloc, t.Arrow())
	defer b.Release()
	b.Reserve(a.Len())
	put := converter(a, b)
	for i := range a.Len() {
		if a.IsNull(i) {
			b.AppendNull()
			continue
		}
		put(i)
	}
	return b.NewArray()
}

// converter returns the function that appends a value; source and builder are paired by typeOf.
func converter(a arrow.Array, b array.Builder) func(i int) {
	switch a := a.(type) {
	case *array.Uint8:
		return func(i int) { b.(*array.Int16Builder).Append(int16(a.Value(i))) }
	case *array.Uint16:
		return func(i int) { b.(*array.Int32Builder).Append(int32(a.Value(i))) }
	case *array.Uint32:
		return func(i int) { b.(*array.Int64Builder).Append(int64(a.Value(i))) }
	case *array.Uint64:
		return func(i int) { b.(*array.Decimal128Builder).Append(decimal128.FromU64(a.Value(i))) }
	case *array.Float16:
		return func(i int) { b.(*array.Float32Builder).Append(a.Value(i).Float32()) }
	case *array.Time32:
		return func(i int) { b.(*array.Time64Builder).Append(arrow.Time64(a.Value(i)) * 1000) }
	case *array.Timestamp:
		return func(i int) { b.(*array.TimestampBuilder).Append(a.Value(i) * 1000) }
	case *array.FixedSizeBinary:
		return func(i int) { b.(*array.BinaryBuilder).Append(a.Value(i)) }
	default:
		return func(int) { b.AppendNull() }
	}
}

// badValue is an error of one value.
type badValue struct {
	row int // of the batch; of a nested value, its place among all of them
	err error
}

// Error describes the value.
func (e *badValue) Error() string { return e.err.Error() }

// Unwrap returns the reason.
func (e *badValue) Unwrap() error { return e.err }

var errRange = errors.New("the timestamp is out of range")

// millis turns milliseconds into microseconds.
func millis(a *array.Timestamp, t plugin.Type, alloc memory.Allocator) (arrow.Array, error) {
	const limit = math.MaxInt64 / 1000
	for i, v := range a.TimestampValues() {
		if (v > limit || v < -limit) && a.IsValid(i) {
			return nil, &badValue{row: i, err: fmt.Errorf("%d ms: %w", v, errRange)}
		}
	}
	return converted(a, t, alloc), nil
}

func uuids(a *array.FixedSizeBinary, alloc memory.Allocator) arrow.Array {
	b := array.NewStringBuilder(alloc)
	defer b.Release()
	b.Reserve(a.Len())
	for i := range a.Len() {
		if a.IsNull(i) {
			b.AppendNull()
			continue
		}
		v := a.Value(i)
		b.Append(fmt.Sprintf("%x-%x-%x-%x-%x", v[:4], v[4:6], v[6:8], v[8:10], v[10:]))
	}
	return b.NewArray()
}

// checkTexts makes sure that texts are UTF-8: first all of them at once, which is fast, and where each begins.
func checkTexts(a *array.String) error {
	data, offsets := a.ValueBytes(), a.ValueOffsets()
	if len(data) == 0 || utf8.Valid(data) && beginRunes(data, offsets) {
		return nil
	}
	for i := range a.Len() {
		if a.IsValid(i) && !utf8.ValidString(a.Value(i)) {
			return &badValue{row: i, err: fmt.Errorf("%q: the text is not valid UTF-8", a.Value(i))}
		}
	}
	return nil
}

// beginRunes reports whether each value begins a character.
func beginRunes(data []byte, offsets []int32) bool {
	for _, at := range offsets {
		if i := int(at - offsets[0]); i < len(data) && !utf8.RuneStart(data[i]) {
			return false
		}
	}
	return true
}

func adaptRow(a *array.Struct, t plugin.Type, alloc memory.Allocator) (arrow.Array, error) {
	children := make([]arrow.ArrayData, 0, len(t.Fields))
	for i, f := range t.Fields {
		// Field is the part that this array covers: the new array starts at offset 0 of it.
		child, err := adapt(a.Field(i), f.Type, alloc)
		if err != nil {
			return nil, fmt.Errorf("field %s: %w", f.Name, err)
		}
		defer child.Release()
		children = append(children, child.Data())
	}
	valid := validity(a, alloc)
	if valid != nil {
		defer valid.Release()
	}
	data := array.NewData(t.Arrow(), a.Len(), []*memory.Buffer{valid}, children, a.NullN(), 0)
	defer data.Release()
	return array.MakeFromData(data), nil
}

// validity returns the bits of an array from its first value on.
func validity(a arrow.Array, alloc memory.Allocator) *memory.Buffer {
	bits := a.Data().Buffers()[0]
	if bits == nil || a.NullN() == 0 {
		return nil
	}
	if a.Data().Offset() == 0 {
		bits.Retain()
		return bits
	}
	moved := memory.NewResizableBuffer(alloc)
	moved.Resize((a.Len() + 7) / 8)
	bitutil.CopyBitmap(bits.Bytes(), a.Data().Offset(), a.Len(), moved.Bytes(), 0)
	return moved
}

func adaptList(a *array.List, t plugin.Type, alloc memory.Allocator) (arrow.Array, error) {
	elem, err := adapt(a.ListValues(), *t.Elem, alloc)
	if err != nil {
		return nil, fmt.Errorf("element: %w", err)
	}
	defer elem.Release()
	return withChild(a, t, elem.Data()), nil
}

func adaptMap(a *array.Map, t plugin.Type, alloc memory.Allocator) (arrow.Array, error) {
	keys, err := adapt(a.Keys(), *t.Key, alloc)
	if err != nil {
		return nil, fmt.Errorf("key: %w", err)
	}
	defer keys.Release()
	items, err := adapt(a.Items(), *t.Elem, alloc)
	if err != nil {
		return nil, fmt.Errorf("value: %w", err)
	}
	defer items.Release()
	entries := array.NewData(t.Arrow().(*arrow.MapType).Elem(), keys.Len(), []*memory.Buffer{nil},
		[]arrow.ArrayData{keys.Data(), items.Data()}, 0, 0)
	defer entries.Release()
	return withChild(a, t, entries), nil
}

// withChild returns a list or map with other elements.
func withChild(a arrow.Array, t plugin.Type, child arrow.ArrayData) arrow.Array {
	d := a.Data()
	data := array.NewData(t.Arrow(), d.Len(), d.Buffers(), []arrow.ArrayData{child}, d.NullN(), d.Offset())
	defer data.Release()
	return array.MakeFromData(data)
}
