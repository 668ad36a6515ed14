package column

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/culvertdata/culvert/plugin"
)

// TextOptions are the choices that delimited text leaves open. The zero value is SeaTunnel's default.
type TextOptions struct {
	// Date is one of yyyy-MM-dd (default), yyyy.MM.dd and yyyy/MM/dd.
	Date string
	// Time is HH:mm:ss (default) or HH:mm:ss.SSS. Empty writes a fraction too if there is one.
	Time string
	// DateTime is yyyy-MM-dd HH:mm:ss (default) or another pattern of SeaTunnel's list; see [NewTextFormat]. Empty
	// writes a fraction too if there is one.
	DateTime string
	// Separators are those of the nesting levels 1 to 6: the first parts the elements of an array in a column. Empty
	// ones are U+0002 to U+0007.
	Separators [6]string
}

// TextFormat says how values look in delimited text. The nil pointer is the default. It is never changed, so several
// goroutines may share one.
//
// The patterns rule what is written. Dates and times that are read may have any of the forms that SeaTunnel detects.
type TextFormat struct {
	date     byte // the separator
	time     int  // digits of the fraction; shortest for as many as there are
	dateTime dateTimeFormat
	seps     [6]string
}

// shortest asks for as many fraction digits as are not zero.
const shortest = -1

type dateTimeFormat struct {
	date     byte // the separator of the date; 0: no separators at all
	between  byte
	fraction int
}

var defaultText = TextFormat{date: '-', time: shortest, dateTime: dateTimeFormat{'-', ' ', shortest},
	seps: [6]string{"\x02", "\x03", "\x04", "\x05", "\x06", "\x07"}}

// NewTextFormat checks the options. Each pattern must be one that SeaTunnel knows:
//
//	Date      yyyy-MM-dd  yyyy.MM.dd  yyyy/MM/dd
//	Time      HH:mm:ss  HH:mm:ss.SSS
//	DateTime  yyyy-MM-dd HH:mm:ss  yyyy-MM-dd HH:mm:ss.SSSSSS  yyyy.MM.dd HH:mm:ss  yyyy/MM/dd HH:mm:ss
//	          yyyyMMddHHmmss  yyyy-MM-dd'T'HH:mm:ss, the last one also with .SSS, .SSSSSS and .SSSSSSSSS
//
// A pattern that was asked for is followed to the letter: digits that it has no place for are not written.
func NewTextFormat(o TextOptions) (*TextFormat, error) {
	f := defaultText
	if err := f.setDate(o.Date); err != nil {
		return nil, err
	}
	switch o.Time {
	case "":
	case "HH:mm:ss":
		f.time = 0
	case "HH:mm:ss.SSS":
		f.time = 3
	default:
		return nil, fmt.Errorf("time format %q is none of HH:mm:ss, HH:mm:ss.SSS", o.Time)
	}
	if err := f.setDateTime(o.DateTime); err != nil {
		return nil, err
	}
	for i, s := range o.Separators {
		if s != "" {
			f.seps[i] = s
		}
	}
	return &f, nil
}

func (f *TextFormat) setDate(pattern string) error {
	switch pattern {
	case "", "yyyy-MM-dd":
	case "yyyy.MM.dd":
		f.date = '.'
	case "yyyy/MM/dd":
		f.date = '/'
	default:
		return fmt.Errorf("date format %q is none of yyyy-MM-dd, yyyy.MM.dd, yyyy/MM/dd", pattern)
	}
	return nil
}

func (f *TextFormat) setDateTime(pattern string) error {
	if pattern == "" {
		return nil
	}
	formats := [...]struct {
		pattern string
		format  dateTimeFormat
	}{
		{"yyyy-MM-dd HH:mm:ss", dateTimeFormat{'-', ' ', 0}},
		{"yyyy-MM-dd HH:mm:ss.SSSSSS", dateTimeFormat{'-', ' ', 6}},
		{"yyyy.MM.dd HH:mm:ss", dateTimeFormat{'.', ' ', 0}},
		{"yyyy/MM/dd HH:mm:ss", dateTimeFormat{'/', ' ', 0}},
		{"yyyyMMddHHmmss", dateTimeFormat{}},
		{"yyyy-MM-dd'T'HH:mm:ss", dateTimeFormat{'-', 'T', 0}},
		{"yyyy-MM-dd'T'HH:mm:ss.SSS", dateTimeFormat{'-', 'T', 3}},
		{"yyyy-MM-dd'T'HH:mm:ss.SSSSSS", dateTimeFormat{'-', 'T', 6}},
		{"yyyy-MM-dd'T'HH:mm:ss.SSSSSSSSS", dateTimeFormat{'-', 'T', 9}},
	}
	known := make([]string, len(formats))
	for i, k := range formats {
		if k.pattern == pattern {
			f.dateTime = k.format
			return nil
		}
		known[i] = k.pattern
	}
	return fmt.Errorf("datetime format %q is none of %s", pattern, strings.Join(known, ", "))
}

// sep returns the separator of a nesting level from 1 on.
func (f *TextFormat) sep(level int) (string, error) {
	if level > len(f.seps) {
		return "", fmt.Errorf("delimited text has separators for %d levels of nesting only", len(f.seps))
	}
	return f.seps[level-1], nil
}

// AppendText appends a value of delimited text by SeaTunnel's rules. Text that is empty or white space only is null,
// for every type. Numbers must have no blanks around them, except that floats may. A boolean is true if it is the
// word true in any case. Bytes are the text's own bytes. Dates and times may have any form that SeaTunnel detects; a
// column may mix them. Nested values are split at the separators of f, which may be nil; a nested row that has too few
// parts ends with nulls, and parts that are too many are left out.
//
// What t cannot hold without loss is an error that names the text, as are bytes that are not UTF-8 for a String. Only
// errors allocate.
func AppendText(c Column, t plugin.Type, text []byte, f *TextFormat) error {
	switch t.Kind {
	case plugin.Array, plugin.Map, plugin.Row:
		if f == nil {
			f = &defaultText
		}
		return f.append(c, t, text, 0)
	}
	if blank(text) {
		c.AppendNull()
		return nil
	}
	return appendScalar(c, t, text, fromText)
}

// append appends a value that stands at a nesting level, 0 for a column.
func (f *TextFormat) append(c Column, t plugin.Type, text []byte, level int) error {
	if blank(text) {
		c.AppendNull()
		return nil
	}
	switch c := c.(type) {
	case *Lists:
		return f.appendList(c, t, text, level+1)
	case *Maps:
		return f.appendMap(c, t, text, level+1)
	case *Rows:
		return f.appendRow(c, t, text, level+1)
	}
	return appendScalar(c, t, text, fromText)
}

// cut returns the text up to the next separator and what follows it.
func cut(text []byte, sep string) (part, rest []byte, more bool) {
	return bytes.Cut(text, view(sep))
}

func (f *TextFormat) appendList(c *Lists, t plugin.Type, text []byte, level int) error {
	sep, err := f.sep(level)
	if err != nil {
		return err
	}
	c.Begin()
	for more := true; more; {
		var part []byte
		part, text, more = cut(text, sep)
		if err := f.append(c.elem, *t.Elem, part, level); err != nil {
			return fmt.Errorf("element %d: %w", c.elem.Len()-c.last(), err)
		}
	}
	c.End()
	return nil
}

func (f *TextFormat) appendMap(c *Maps, t plugin.Type, text []byte, level int) error {
	sep, err := f.sep(level)
	if err != nil {
		return err
	}
	// SeaTunnel gives the parts of a nested value the separator that stands between key and value here. The first one
	// belongs to the key, which cannot be nested.
	inner, err := f.sep(level + 1)
	if err != nil {
		return err
	}
	c.Begin()
	for more := true; more; {
		var entry []byte
		entry, text, more = cut(text, sep)
		key, value, _ := cut(entry, inner)
		if blank(key) || t.Key.Kind == plugin.Null {
			return fmt.Errorf("map entry %q: %w", entry, errNullKey)
		}
		if err := f.append(c.key, *t.Key, key, level); err != nil {
			return fmt.Errorf("map key: %w", err)
		}
		if err := f.append(c.elem, *t.Elem, value, level); err != nil {
			return fmt.Errorf("map value of %s: %w", key, err)
		}
	}
	c.End()
	return nil
}

func (f *TextFormat) appendRow(c *Rows, t plugin.Type, text []byte, level int) error {
	sep, err := f.sep(level)
	if err != nil {
		return err
	}
	c.Begin()
	more := true
	for i, field := range t.Fields {
		var part []byte
		if more {
			part, text, more = cut(text, sep)
		}
		if err := f.append(c.fields[i], field.Type, part, level); err != nil {
			return fmt.Errorf("field %s: %w", field.Name, err)
		}
	}
	c.End()
	return nil
}
