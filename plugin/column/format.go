package column

import (
	"encoding/base64"
	"strconv"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/culvertdata/culvert/plugin"
)

// FormatText appends value i of an array of type t as delimited text by SeaTunnel's rules; f may be nil. A null is
// empty, Bytes are their own text, decimals are plain digits, floats look as in Java, dates and times follow f, and
// the parts of nested values are joined by the separators of f. Nothing is escaped: a text that holds a separator
// reads back as several.
func FormatText(dst []byte, a arrow.Array, t plugin.Type, i int, f *TextFormat) []byte {
	if f == nil {
		f = &defaultText
	}
	return f.format(dst, a, t, i, 0)
}

func (f *TextFormat) format(dst []byte, a arrow.Array, t plugin.Type, i, level int) []byte {
	if IsNull(a, i) {
		return dst
	}
	switch a := a.(type) {
	case *array.String:
		return append(dst, a.Value(i)...)
	case *array.Binary:
		return append(dst, a.Value(i)...)
	case *array.Date32:
		return printDate(dst, int64(a.Value(i)), f.date)
	case *array.Time64:
		_, c := split(t, int64(a.Value(i)))
		return printFraction(printClock(dst, c), c.nanos, f.time)
	case *array.Timestamp:
		return f.dateTime.print(dst, t, int64(a.Value(i)))
	case *array.Map:
		return f.formatMap(dst, a, t, i, level+1)
	case *array.List:
		from, to := a.ValueOffsets(i)
		for j := from; j < to; j++ {
			if j > from {
				dst = append(dst, f.between(level+1)...)
			}
			dst = f.format(dst, a.ListValues(), *t.Elem, int(j), level+1)
		}
		return dst
	case *array.Struct:
		for j, field := range t.Fields {
			if j > 0 {
				dst = append(dst, f.between(level+1)...)
			}
			dst = f.format(dst, a.Field(j), field.Type, i, level+1)
		}
		return dst
	}
	return printPlain(dst, a, t, i)
}

func (f *TextFormat) formatMap(dst []byte, a *array.Map, t plugin.Type, i, level int) []byte {
	keys, items := mapParts(a)
	from, to := a.ValueOffsets(i)
	for j := from; j < to; j++ {
		if j > from {
			dst = append(dst, f.between(level)...)
		}
		dst = f.format(dst, keys, *t.Key, int(j), level)
		dst = append(dst, f.between(level+1)...)
		dst = f.format(dst, items, *t.Elem, int(j), level)
	}
	return dst
}

// between returns the separator of a level, the last one for all deeper levels.
func (f *TextFormat) between(level int) string { return f.seps[min(level, len(f.seps))-1] }

func (f dateTimeFormat) print(dst []byte, t plugin.Type, v int64) []byte {
	days, c := split(t, v)
	dst = printDate(dst, days, f.date)
	if f.date == 0 {
		s := int(c.seconds)
		return printTwo(printTwo(printTwo(dst, s/3600), s/60%60), s%60)
	}
	return printFraction(printClock(append(dst, f.between), c), c.nanos, f.fraction)
}

// printPlain appends what looks the same in all formats: numbers and booleans.
func printPlain(dst []byte, a arrow.Array, t plugin.Type, i int) []byte {
	switch a := a.(type) {
	case *array.Int64:
		return strconv.AppendInt(dst, a.Value(i), 10)
	case *array.Int32:
		return strconv.AppendInt(dst, int64(a.Value(i)), 10)
	case *array.Float64:
		return printFloat(dst, a.Value(i), 64)
	case *array.Decimal128:
		return appendDecimal(dst, a.Value(i), t.Scale)
	case *array.Boolean:
		return strconv.AppendBool(dst, a.Value(i))
	case *array.Int16:
		return strconv.AppendInt(dst, int64(a.Value(i)), 10)
	case *array.Int8:
		return strconv.AppendInt(dst, int64(a.Value(i)), 10)
	case *array.Float32:
		return printFloat(dst, float64(a.Value(i)), 32)
	}
	return dst
}

// FormatJSON appends value i of an array of type t as JSON by SeaTunnel's rules: dates and times in ISO form with as
// many fraction digits as needed and seconds always, decimals as plain numbers, Bytes as base64, a Row and a Map as an
// object, null as null. NaN and the infinities, for which JSON has no numbers, are texts.
func FormatJSON(dst []byte, a arrow.Array, t plugin.Type, i int) []byte {
	if IsNull(a, i) {
		return append(dst, "null"...)
	}
	switch a := a.(type) {
	case *array.String:
		return printQuoted(dst, view(a.Value(i)))
	case *array.Binary:
		dst = base64.StdEncoding.AppendEncode(append(dst, '"'), a.Value(i))
		return append(dst, '"')
	case *array.Date32:
		return append(printDate(append(dst, '"'), int64(a.Value(i)), '-'), '"')
	case *array.Time64:
		_, c := split(t, int64(a.Value(i)))
		return append(printFraction(printClock(append(dst, '"'), c), c.nanos, shortest), '"')
	case *array.Timestamp:
		return append(isoDateTime(append(dst, '"'), t, int64(a.Value(i))), '"')
	case *array.Float64, *array.Float32:
		return jsonFloat(dst, a, t, i)
	case *array.Map:
		return jsonMap(dst, a, t, i)
	case *array.List:
		return jsonList(dst, a, t, i)
	case *array.Struct:
		return jsonRow(dst, a, t, i)
	}
	return printPlain(dst, a, t, i)
}

func jsonFloat(dst []byte, a arrow.Array, t plugin.Type, i int) []byte {
	at := len(dst)
	dst = printPlain(dst, a, t, i)
	if last := dst[len(dst)-1]; last >= '0' && last <= '9' {
		return dst
	}
	dst = append(dst, "\"\""...)
	copy(dst[at+1:], dst[at:len(dst)-2])
	dst[at] = '"'
	return dst
}

func jsonMap(dst []byte, a *array.Map, t plugin.Type, i int) []byte {
	dst = append(dst, '{')
	keys, items := mapParts(a)
	from, to := a.ValueOffsets(i)
	for j := from; j < to; j++ {
		if j > from {
			dst = append(dst, ',')
		}
		dst = append(jsonKey(dst, keys, *t.Key, int(j)), ':')
		dst = FormatJSON(dst, items, *t.Elem, int(j))
	}
	return append(dst, '}')
}

// jsonKey appends a map key, which is a text whatever its type is.
func jsonKey(dst []byte, a arrow.Array, t plugin.Type, i int) []byte {
	at := len(dst)
	dst = FormatJSON(dst, a, t, i)
	switch dst[at] {
	case '"':
		return dst
	case '{', '[': // no SeaTunnel type has such keys, but Arrow data may
		return printQuoted(dst[:at], append([]byte(nil), dst[at:]...))
	}
	dst = append(dst, "\"\""...)
	copy(dst[at+1:], dst[at:len(dst)-2])
	dst[at] = '"'
	return dst
}

func jsonList(dst []byte, a *array.List, t plugin.Type, i int) []byte {
	dst = append(dst, '[')
	from, to := a.ValueOffsets(i)
	for j := from; j < to; j++ {
		if j > from {
			dst = append(dst, ',')
		}
		dst = FormatJSON(dst, a.ListValues(), *t.Elem, int(j))
	}
	return append(dst, ']')
}

func jsonRow(dst []byte, a *array.Struct, t plugin.Type, i int) []byte {
	dst = append(dst, '{')
	for j, f := range t.Fields {
		if j > 0 {
			dst = append(dst, ',')
		}
		dst = append(printQuoted(dst, view(f.Name)), ':')
		dst = FormatJSON(dst, a.Field(j), f.Type, i)
	}
	return append(dst, '}')
}

// FormatJava appends value i of an array of type t in the form of Java's toString methods, as SeaTunnel's Console
// prints it: LocalDateTime without seconds that are zero, floats as 1.0E10, BigDecimal with an exponent if it is very
// small, arrays and bytes as [1, -2], nested rows as [a, null], maps as JSON. A null is empty, and null within a
// nested value.
func FormatJava(dst []byte, a arrow.Array, t plugin.Type, i int) []byte {
	if IsNull(a, i) {
		return dst
	}
	switch a := a.(type) {
	case *array.String:
		return append(dst, a.Value(i)...)
	case *array.Binary:
		return javaBytes(dst, a.Value(i))
	case *array.Decimal128:
		return printBigDecimal(dst, a.Value(i), t.Scale)
	case *array.Date32:
		return printDate(dst, int64(a.Value(i)), '-')
	case *array.Time64:
		_, c := split(t, int64(a.Value(i)))
		return printJavaClock(dst, c)
	case *array.Timestamp:
		days, c := split(t, int64(a.Value(i)))
		return printJavaClock(append(printDate(dst, days, '-'), 'T'), c)
	case *array.Map:
		return FormatJSON(dst, a, t, i)
	case *array.List:
		dst = append(dst, '[')
		from, to := a.ValueOffsets(i)
		for j := from; j < to; j++ {
			dst = javaPart(dst, a.ListValues(), *t.Elem, int(j), j == from)
		}
		return append(dst, ']')
	case *array.Struct:
		dst = append(dst, '[')
		for j, f := range t.Fields {
			dst = javaPart(dst, a.Field(j), f.Type, i, j == 0)
		}
		return append(dst, ']')
	}
	return printPlain(dst, a, t, i)
}

func javaPart(dst []byte, a arrow.Array, t plugin.Type, i int, first bool) []byte {
	if !first {
		dst = append(dst, ", "...)
	}
	if IsNull(a, i) {
		return append(dst, "null"...)
	}
	return FormatJava(dst, a, t, i)
}

func javaBytes(dst, v []byte) []byte {
	dst = append(dst, '[')
	for i, b := range v {
		if i > 0 {
			dst = append(dst, ", "...)
		}
		dst = strconv.AppendInt(dst, int64(int8(b)), 10)
	}
	return append(dst, ']')
}
