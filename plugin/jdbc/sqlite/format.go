package sqlite

import (
	"fmt"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/culvertdata/culvert/plugin"
)

// format renders a column of decimals, dates, times or timestamps as texts, as SQLite's own functions read them.
func format(values arrow.Array, t plugin.Type) (*texts, error) {
	write, err := formatter(values, t)
	if err != nil {
		return nil, err
	}
	x := &texts{data: make([]byte, 0, 24*values.Len()), ends: make([]int32, 1, values.Len()+1)}
	for i := range values.Len() {
		if values.IsValid(i) {
			x.data = write(x.data, i)
		}
		x.ends = append(x.ends, int32(len(x.data)))
	}
	return x, nil
}

func formatter(values arrow.Array, t plugin.Type) (func(dst []byte, i int) []byte, error) {
	switch a := values.(type) {
	case *array.Decimal128:
		return func(dst []byte, i int) []byte { return append(dst, a.Value(i).ToString(int32(t.Scale))...) }, nil
	case *array.Date32:
		return func(dst []byte, i int) []byte {
			return time.Unix(int64(a.Value(i))*24*60*60, 0).UTC().AppendFormat(dst, time.DateOnly)
		}, nil
	case *array.Time64:
		return func(dst []byte, i int) []byte {
			return appendClock(dst, instant(t, int64(a.Value(i))), t, time.TimeOnly)
		}, nil
	case *array.Timestamp:
		return func(dst []byte, i int) []byte {
			return appendClock(dst, instant(t, int64(a.Value(i))), t, time.DateTime)
		}, nil
	}
	return nil, fmt.Errorf("values of type %s have no form in SQLite; turn them into strings with a transform", t)
}

// instant returns the time that a Time or Timestamp value shows, in UTC.
func instant(t plugin.Type, v int64) time.Time {
	if t.Scale > plugin.DefaultFraction {
		return time.Unix(0, v).UTC()
	}
	return time.UnixMicro(v).UTC()
}

// appendClock writes a time with its fraction, all digits of the unit, if it has one.
func appendClock(dst []byte, v time.Time, t plugin.Type, layout string) []byte {
	dst = v.AppendFormat(dst, layout)
	switch {
	case v.Nanosecond() == 0:
		return dst
	case t.Scale > plugin.DefaultFraction:
		return v.AppendFormat(dst, ".000000000")
	default:
		return v.AppendFormat(dst, ".000000")
	}
}
