package postgres

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/column"
)

// encoder appends the length and the binary form of value i of an array that it is bound to, which is not null.
type encoder func(dst []byte, i int) ([]byte, error)

// binder binds an encoder to the array of a batch.
type binder func(a arrow.Array) encoder

// null is the length of a null.
const null = "\xff\xff\xff\xff"

// cellOut is one column of a batch on its way out.
type cellOut struct {
	array arrow.Array
	nulls bool
	put   encoder
}

// bind binds the binders to the columns of a batch.
func bind(binders []binder, columns []int, b plugin.Batch) []cellOut {
	cells := make([]cellOut, len(binders))
	for i, bindTo := range binders {
		a := b.Rows.Column(columns[i])
		cells[i] = cellOut{array: a, nulls: a.NullN() > 0, put: bindTo(a)}
	}
	return cells
}

// valueError is a value that its column in the target cannot hold.
type valueError struct {
	row, cell int
	err       error
}

func (e *valueError) Error() string { return e.err.Error() }
func (e *valueError) Unwrap() error { return e.err }

// appendRow appends the values of one row.
func appendRow(dst []byte, cells []cellOut, row int) ([]byte, error) {
	var err error
	for i := range cells {
		c := &cells[i]
		if c.nulls && c.array.IsNull(row) {
			dst = append(dst, null...)
			continue
		}
		if dst, err = c.put(dst, row); err != nil {
			return dst, &valueError{row, i, err}
		}
	}
	return dst, nil
}

// binderFor returns how values of a type are written in the binary form of a type of the server; false: only as text.
func binderFor(t plugin.Type, oid uint32) (binder, bool) {
	switch t.Kind {
	case plugin.Null:
		return bindNull, true
	case plugin.Boolean:
		if oid == oidBool {
			return bindBool, true
		}
	case plugin.TinyInt, plugin.SmallInt, plugin.Int, plugin.BigInt:
		return intBinder(oid)
	case plugin.Float, plugin.Double:
		return floatBinder(oid)
	case plugin.Decimal:
		if oid == oidNumeric {
			return decimalBinder(t.Scale), true
		}
	case plugin.String:
		return stringBinder(oid)
	case plugin.Bytes:
		if oid == oidBytea {
			return bindBytes, true
		}
	case plugin.Date, plugin.Time, plugin.Timestamp:
		return timeBinder(t, oid)
	case plugin.Array:
		if elem, ok := arrays[oid]; ok {
			return arrayBinder(*t.Elem, elem)
		}
	}
	return jsonBinder(t, oid)
}

func bindNull(arrow.Array) encoder {
	return func(dst []byte, _ int) ([]byte, error) { return append(dst, null...), nil }
}

func bindBool(a arrow.Array) encoder {
	v := a.(*array.Boolean)
	return func(dst []byte, i int) ([]byte, error) {
		if v.Value(i) {
			return append(dst, 0, 0, 0, 1, 1), nil
		}
		return append(dst, 0, 0, 0, 1, 0), nil
	}
}

// intBinder writes integers of all sizes to integers, numbers and floats of all sizes that hold them.
func intBinder(oid uint32) (binder, bool) {
	var put func(dst []byte, v int64) ([]byte, error)
	switch oid {
	case oidInt2:
		put = func(dst []byte, v int64) ([]byte, error) {
			if v != int64(int16(v)) {
				return dst, errOverflow
			}
			return append(dst, 0, 0, 0, 2, byte(v>>8), byte(v)), nil
		}
	case oidInt4:
		put = func(dst []byte, v int64) ([]byte, error) {
			if v != int64(int32(v)) {
				return dst, errOverflow
			}
			return binary.BigEndian.AppendUint32(append(dst, 0, 0, 0, 4), uint32(v)), nil
		}
	case oidInt8:
		put = func(dst []byte, v int64) ([]byte, error) {
			return binary.BigEndian.AppendUint64(append(dst, 0, 0, 0, 8), uint64(v)), nil
		}
	case oidNumeric:
		put = func(dst []byte, v int64) ([]byte, error) { return appendNumeric(dst, decimal128.FromI64(v), 0), nil }
	default:
		return nil, false
	}
	return func(a arrow.Array) encoder {
		switch a := a.(type) {
		case *array.Int8:
			return func(dst []byte, i int) ([]byte, error) { return put(dst, int64(a.Value(i))) }
		case *array.Int16:
			return func(dst []byte, i int) ([]byte, error) { return put(dst, int64(a.Value(i))) }
		case *array.Int32:
			return func(dst []byte, i int) ([]byte, error) { return put(dst, int64(a.Value(i))) }
		default:
			return func(dst []byte, i int) ([]byte, error) { return put(dst, a.(*array.Int64).Value(i)) }
		}
	}, true
}

func floatBinder(oid uint32) (binder, bool) {
	var put func(dst []byte, v float64) ([]byte, error)
	switch oid {
	case oidFloat4:
		put = func(dst []byte, v float64) ([]byte, error) {
			narrow := float32(v)
			if math.IsInf(float64(narrow), 0) && !math.IsInf(v, 0) {
				return dst, errOverflow
			}
			return binary.BigEndian.AppendUint32(append(dst, 0, 0, 0, 4), math.Float32bits(narrow)), nil
		}
	case oidFloat8:
		put = func(dst []byte, v float64) ([]byte, error) {
			return binary.BigEndian.AppendUint64(append(dst, 0, 0, 0, 8), math.Float64bits(v)), nil
		}
	default:
		return nil, false
	}
	return func(a arrow.Array) encoder {
		if a, ok := a.(*array.Float32); ok {
			return func(dst []byte, i int) ([]byte, error) { return put(dst, float64(a.Value(i))) }
		}
		return func(dst []byte, i int) ([]byte, error) { return put(dst, a.(*array.Float64).Value(i)) }
	}, true
}

func decimalBinder(scale int) binder {
	return func(a arrow.Array) encoder {
		v := a.(*array.Decimal128)
		return func(dst []byte, i int) ([]byte, error) { return appendNumeric(dst, v.Value(i), scale), nil }
	}
}

func bindBytes(a arrow.Array) encoder {
	v := a.(*array.Binary)
	return func(dst []byte, i int) ([]byte, error) { return appendValue(dst, v.Value(i)), nil }
}

// appendValue appends a value with its length.
func appendValue[T string | []byte](dst []byte, v T) []byte {
	return append(binary.BigEndian.AppendUint32(dst, uint32(len(v))), v...)
}

// stringBinder writes texts to types whose binary form is their text, and to jsonb and uuid.
func stringBinder(oid uint32) (binder, bool) {
	var put func(dst []byte, v string) ([]byte, error)
	switch oid {
	case oidText, oidVarchar, oidBpchar, oidName, oidJSON, oidXML:
		put = func(dst []byte, v string) ([]byte, error) { return appendValue(dst, v), nil }
	case oidJSONB:
		put = func(dst []byte, v string) ([]byte, error) {
			return append(append(binary.BigEndian.AppendUint32(dst, uint32(len(v)+1)), 1), v...), nil
		}
	case oidUUID:
		put = appendUUID
	default:
		return nil, false
	}
	return func(a arrow.Array) encoder {
		v := a.(*array.String)
		return func(dst []byte, i int) ([]byte, error) { return put(dst, v.Value(i)) }
	}, true
}

var errUUID = errors.New("is no uuid")

func appendUUID(dst []byte, v string) ([]byte, error) {
	if len(v) != 36 || v[8] != '-' || v[13] != '-' || v[18] != '-' || v[23] != '-' {
		return dst, errUUID
	}
	plain := make([]byte, 0, 32)
	for _, part := range [...]string{v[:8], v[9:13], v[14:18], v[19:23], v[24:]} {
		plain = append(plain, part...)
	}
	out, err := hex.AppendDecode(append(dst, 0, 0, 0, 16), plain)
	if err != nil {
		return dst, errUUID
	}
	return out, nil
}

func timeBinder(t plugin.Type, oid uint32) (binder, bool) {
	nanos := t.Scale > plugin.DefaultFraction
	switch {
	case t.Kind == plugin.Date && oid == oidDate:
		return bindDate, true
	case t.Kind == plugin.Time && oid == oidTime:
		return func(a arrow.Array) encoder {
			v := a.(*array.Time64)
			return microsEncoder(func(i int) int64 { return int64(v.Value(i)) }, nanos, 0)
		}, true
	case t.Kind == plugin.Timestamp && (oid == oidTimestamp || oid == oidTimestamptz):
		return func(a arrow.Array) encoder {
			v := a.(*array.Timestamp)
			return microsEncoder(func(i int) int64 { return int64(v.Value(i)) }, nanos, epochMicros)
		}, true
	}
	return nil, false
}

// The first and the last day of the server, counted from 2000-01-01, and the microseconds around its timestamps.
const (
	minDay    = -2451545
	maxDay    = 2145031948
	minMicros = -211813488000000000
)

func bindDate(a arrow.Array) encoder {
	v := a.(*array.Date32)
	return func(dst []byte, i int) ([]byte, error) {
		days := int64(v.Value(i)) - epochDays
		if days < minDay || days > maxDay {
			return dst, errOverflow
		}
		return binary.BigEndian.AppendUint32(append(dst, 0, 0, 0, 4), uint32(days)), nil
	}
}

var errNanos = errors.New("has digits behind the microseconds, which PostgreSQL cannot keep")

func microsEncoder(value func(i int) int64, nanos bool, epoch int64) encoder {
	return func(dst []byte, i int) ([]byte, error) {
		v := value(i)
		if nanos {
			if v%1000 != 0 {
				return dst, errNanos
			}
			v /= 1000
		}
		if v < minMicros+epoch {
			return dst, errOverflow
		}
		return binary.BigEndian.AppendUint64(append(dst, 0, 0, 0, 8), uint64(v-epoch)), nil
	}
}

// arrayBinder writes arrays of one dimension.
func arrayBinder(t plugin.Type, oid uint32) (binder, bool) {
	bindElem, ok := binderFor(t, oid)
	if !ok || t.Kind == plugin.Array {
		return nil, false
	}
	return func(a arrow.Array) encoder {
		v := a.(*array.List)
		values := v.ListValues()
		put := bindElem(values)
		return func(dst []byte, i int) ([]byte, error) {
			from, to := v.ValueOffsets(i)
			start := len(dst)
			dst = append(dst, null...) // the length, to be known later
			if from == to {
				dst = append(dst, 0, 0, 0, 0, 0, 0, 0, 0)
				dst = binary.BigEndian.AppendUint32(dst, oid)
			} else {
				dst = append(dst, 0, 0, 0, 1, 0, 0, 0, 1)
				dst = binary.BigEndian.AppendUint32(dst, oid)
				dst = binary.BigEndian.AppendUint32(dst, uint32(to-from))
				dst = append(dst, 0, 0, 0, 1)
			}
			var err error
			for j := int(from); j < int(to); j++ {
				if column.IsNull(values, j) {
					dst = append(dst, null...)
				} else if dst, err = put(dst, j); err != nil {
					return dst, fmt.Errorf("element %d: %w", j-int(from)+1, err)
				}
			}
			binary.BigEndian.PutUint32(dst[start:], uint32(len(dst)-start-4))
			return dst, nil
		}
	}, true
}

// jsonBinder writes nested values to json and to texts.
func jsonBinder(t plugin.Type, oid uint32) (binder, bool) {
	nested := t.Kind == plugin.Array || t.Kind == plugin.Map || t.Kind == plugin.Row
	if !nested || oid != oidJSON && oid != oidJSONB && oid != oidText && oid != oidVarchar {
		return nil, false
	}
	return func(a arrow.Array) encoder {
		return func(dst []byte, i int) ([]byte, error) {
			start := len(dst)
			dst = append(dst, null...)
			if oid == oidJSONB {
				dst = append(dst, 1)
			}
			dst = column.FormatJSON(dst, a, t, i)
			binary.BigEndian.PutUint32(dst[start:], uint32(len(dst)-start-4))
			return dst, nil
		}
	}, true
}

// textBinder writes values as text that the server reads. Bytes and nested values have none.
func textBinder(t plugin.Type) (binder, bool) {
	switch t.Kind {
	case plugin.Bytes, plugin.Array, plugin.Map, plugin.Row:
		return nil, false
	}
	return func(a arrow.Array) encoder {
		return func(dst []byte, i int) ([]byte, error) {
			start := len(dst)
			dst = append(dst, null...)
			dst = column.FormatText(dst, a, t, i, nil)
			binary.BigEndian.PutUint32(dst[start:], uint32(len(dst)-start-4))
			return dst, nil
		}
	}, true
}
