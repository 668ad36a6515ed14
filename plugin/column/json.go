package column

import (
	"fmt"

	"github.com/culvertdata/culvert/plugin"
)

// AppendJSON appends one JSON value by SeaTunnel's rules: null is null; numbers and booleans may also be given as
// text; a String takes numbers and booleans as they are written, and objects and arrays as compact JSON; Bytes are
// base64; dates and times as in [AppendText]; a Map takes an object whose names are read as the key's type; a Row
// takes an object, in which unknown members are ignored and missing ones null, or an array of its fields in order.
//
// What t cannot hold without loss is an error, for example a number with a fraction for an Int. The JSON is checked;
// only errors and escaped texts in other columns than String allocate.
func AppendJSON(c Column, t plugin.Type, raw []byte) error {
	s := scanner{text: raw}
	if err := s.append(c, t, 0); err != nil {
		return err
	}
	return s.end()
}

// AppendJSON appends a row from a JSON object by the rules of [AppendJSON]: unknown members are ignored, missing ones
// are null, and of several with one name the last holds. After an error the row is not part of the batch.
func (b *Builder) AppendJSON(k plugin.RowKind, object []byte) error {
	s := scanner{text: object}
	err := s.object(b.jsonColumn, func(i int) error {
		c := b.cols[i]
		c.truncate(b.n)
		if err := s.append(c, b.table.Columns[i].Type, 1); err != nil {
			return fmt.Errorf("column %s: %w", b.table.Columns[i].Name, err)
		}
		return nil
	})
	if err == nil {
		err = s.end()
	}
	if err != nil {
		b.Rollback()
		return err
	}
	for _, c := range b.cols {
		if c.Len() == b.n {
			c.AppendNull()
		}
	}
	b.EndRow(k)
	return nil
}

// jsonColumn finds a column by name. Members mostly come in the order of the columns, so guess is looked at first.
func (b *Builder) jsonColumn(name []byte, guess int) int {
	if guess < len(b.table.Columns) && b.table.Columns[guess].Name == string(name) {
		return guess
	}
	if b.names == nil {
		b.names = make(map[string]int, len(b.cols))
		for i, c := range b.table.Columns {
			b.names[c.Name] = i
		}
	}
	if i, ok := b.names[string(name)]; ok {
		return i
	}
	return -1
}

func (s *scanner) end() error {
	if s.peek() != 0 || s.at < len(s.text) {
		return s.fail("something follows the value")
	}
	return nil
}

// object walks over the members of an object. For each one that find knows, take reads the value.
func (s *scanner) object(find func(name []byte, guess int) int, take func(i int) error) error {
	if !s.take('{') {
		return s.fail("an object is missing")
	}
	if s.take('}') {
		return nil
	}
	for guess := 0; ; guess++ {
		name, err := s.name()
		if err != nil {
			return err
		}
		if i := find(name, guess); i >= 0 {
			guess = i
			err = take(i)
		} else {
			guess--
			_, err = s.value(1)
		}
		if err != nil {
			return err
		}
		if s.take('}') {
			return nil
		}
		if !s.take(',') {
			return s.fail("a comma is missing")
		}
	}
}

func (s *scanner) name() ([]byte, error) {
	name, escaped, err := s.key()
	if err == nil && escaped {
		name, err = unescape(nil, name)
	}
	return name, err
}

// append reads the next value into a column.
func (s *scanner) append(c Column, t plugin.Type, depth int) error {
	if depth > maxDepth {
		return s.fail("it nests too deep")
	}
	switch first := s.peek(); first {
	case 'n':
		if err := s.skipWord(); err != nil {
			return err
		}
		c.AppendNull()
		return nil
	case '"':
		return s.appendQuoted(c, t)
	case '{', '[':
		return s.appendNested(c, t, first, depth)
	default:
		text, err := s.value(depth)
		if err != nil {
			return err
		}
		if t.Kind == plugin.Bytes {
			return badText(text, t, fmt.Errorf("bytes are given as base64 text"))
		}
		return appendScalar(c, t, text, fromNumber)
	}
}

func (s *scanner) appendQuoted(c Column, t plugin.Type) error {
	inner, escaped, err := s.quoted()
	if err != nil {
		return err
	}
	if !escaped {
		return appendScalar(c, t, inner, fromString)
	}
	if text, ok := c.(*Text); ok && t.Kind == plugin.String {
		return text.appendEscaped(t, inner)
	}
	plain, err := unescape(nil, inner)
	if err != nil {
		return err
	}
	return appendScalar(c, t, plain, fromString)
}

// appendEscaped unescapes a text in place; it never gets longer.
func (c *Text) appendEscaped(t plugin.Type, inner []byte) error {
	if err := ValidText(inner); err != nil {
		return badText(inner, t, err)
	}
	c.data.grow(len(inner))
	n := len(c.data.vals)
	plain, err := unescape(c.data.vals[n:n:cap(c.data.vals)], inner)
	if err != nil {
		return badText(inner, t, err)
	}
	c.data.vals = c.data.vals[:n+len(plain)]
	c.end()
	return nil
}

func (s *scanner) appendNested(c Column, t plugin.Type, first byte, depth int) error {
	switch c := c.(type) {
	case *Lists:
		if first == '[' {
			return s.appendList(c, t, depth)
		}
	case *Maps:
		if first == '{' {
			return s.appendMap(c, t, depth)
		}
	case *Rows:
		if first == '{' {
			return s.appendRow(c, t, depth)
		}
		return s.appendRowList(c, t, depth)
	}
	text, err := s.value(depth)
	if err != nil {
		return err
	}
	switch c := c.(type) {
	case *Nulls:
		c.AppendNull()
		return nil
	case *Text:
		if t.Kind == plugin.String {
			return c.appendCompact(t, text)
		}
	}
	return badText(text, t, fmt.Errorf("the JSON is %s", map[byte]string{'[': "an array", '{': "an object"}[first]))
}

func (c *Text) appendCompact(t plugin.Type, text []byte) error {
	if err := ValidText(text); err != nil {
		return badText(text, t, err)
	}
	c.data.grow(len(text))
	n := len(c.data.vals)
	plain := appendCompact(c.data.vals[n:n:cap(c.data.vals)], text)
	c.data.vals = c.data.vals[:n+len(plain)]
	c.end()
	return nil
}

func (s *scanner) appendList(c *Lists, t plugin.Type, depth int) error {
	s.at++
	c.Begin()
	for i := 0; !s.take(']'); i++ {
		if i > 0 && !s.take(',') {
			return s.fail("a comma is missing")
		}
		if err := s.append(c.elem, *t.Elem, depth+1); err != nil {
			return fmt.Errorf("element %d: %w", i, err)
		}
	}
	c.End()
	return nil
}

func (s *scanner) appendMap(c *Maps, t plugin.Type, depth int) error {
	s.at++
	c.Begin()
	for i := 0; !s.take('}'); i++ {
		if i > 0 && !s.take(',') {
			return s.fail("a comma is missing")
		}
		name, err := s.name()
		if err != nil {
			return err
		}
		if err := c.appendKey(t, name); err != nil {
			return fmt.Errorf("map key: %w", err)
		}
		if err := s.append(c.elem, *t.Elem, depth+1); err != nil {
			return fmt.Errorf("map value of %s: %w", name, err)
		}
	}
	c.End()
	return nil
}

func (s *scanner) appendRow(c *Rows, t plugin.Type, depth int) error {
	c.Begin()
	find := func(name []byte, guess int) int {
		if guess < len(t.Fields) && t.Fields[guess].Name == string(name) {
			return guess
		}
		for i, f := range t.Fields {
			if f.Name == string(name) {
				return i
			}
		}
		return -1
	}
	err := s.object(find, func(i int) error {
		c.fields[i].truncate(c.n)
		if err := s.append(c.fields[i], t.Fields[i].Type, depth+1); err != nil {
			return fmt.Errorf("field %s: %w", t.Fields[i].Name, err)
		}
		return nil
	})
	if err != nil {
		return err
	}
	c.endPartial()
	return nil
}

// appendRowList reads the fields of a row by their order. As with an object, what is missing is null and what has no
// field is passed over.
func (s *scanner) appendRowList(c *Rows, t plugin.Type, depth int) error {
	s.at++
	c.Begin()
	for i := 0; !s.take(']'); i++ {
		if i > 0 && !s.take(',') {
			return s.fail("a comma is missing")
		}
		if i >= len(t.Fields) {
			if _, err := s.value(depth + 1); err != nil {
				return err
			}
			continue
		}
		if err := s.append(c.fields[i], t.Fields[i].Type, depth+1); err != nil {
			return fmt.Errorf("field %s: %w", t.Fields[i].Name, err)
		}
	}
	c.endPartial()
	return nil
}

// endPartial closes a value of which some fields may have got none: they are null.
func (c *Rows) endPartial() {
	for _, f := range c.fields {
		if f.Len() == c.n {
			f.AppendNull()
		}
	}
	c.End()
}
