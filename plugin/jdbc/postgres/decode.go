package postgres

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"math"

	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/column"
)

// cell appends values of one column from their binary form.
type cell interface {
	AppendNull()
	add(v []byte) error
}

// The server counts days and microseconds from 2000-01-01.
const (
	epochDays   = 10957
	epochMicros = epochDays * 86400 * 1000000
	dayMicros   = 86400 * 1000000
)

// newCell returns the cell that fills a column with values of a type.
func newCell(c column.Column, t plugin.Type, oid uint32, check bool) (cell, error) {
	switch c := c.(type) {
	case *column.Bools:
		return boolCell{c}, nil
	case *column.Fixed[int16]:
		return int2Cell{c}, nil
	case *column.Fixed[int32]:
		if oid == oidDate {
			return dateCell{c}, nil
		}
		return int4Cell{c}, nil
	case *column.Fixed[int64]:
		switch oid {
		case oidTime, oidTimetz:
			return timeCell{c}, nil
		case oidTimestamp, oidTimestamptz:
			return timestampCell{c}, nil
		}
		return int8Cell{c}, nil
	case *column.Fixed[float32]:
		return float4Cell{c}, nil
	case *column.Fixed[float64]:
		return float8Cell{c}, nil
	case *column.Fixed[decimal128.Num]:
		return numericCell{c, t.Precision, t.Scale}, nil
	case *column.Text:
		return newTextCell(c, t, oid, check), nil
	case *column.Lists:
		elem, err := newCell(c.Elem(), *t.Elem, arrays[oid], check)
		return arrayCell{c, elem}, err
	}
	return nil, fmt.Errorf("no reading of %s", t)
}

func newTextCell(c *column.Text, t plugin.Type, oid uint32, check bool) cell {
	switch {
	case oid == oidUUID:
		return uuidCell{c}
	case oid == oidJSONB:
		return jsonbCell{textCell{c, check}}
	default:
		return textCell{c, check && t.Kind == plugin.String}
	}
}

type boolCell struct{ *column.Bools }

func (c boolCell) add(v []byte) error {
	if len(v) != 1 {
		return errForm
	}
	c.Append(v[0] != 0)
	return nil
}

type int2Cell struct{ *column.Fixed[int16] }

func (c int2Cell) add(v []byte) error {
	if len(v) != 2 {
		return errForm
	}
	c.Append(int16(binary.BigEndian.Uint16(v)))
	return nil
}

type int4Cell struct{ *column.Fixed[int32] }

func (c int4Cell) add(v []byte) error {
	if len(v) != 4 {
		return errForm
	}
	c.Append(int32(binary.BigEndian.Uint32(v)))
	return nil
}

type int8Cell struct{ *column.Fixed[int64] }

func (c int8Cell) add(v []byte) error {
	if len(v) != 8 {
		return errForm
	}
	c.Append(int64(binary.BigEndian.Uint64(v)))
	return nil
}

type float4Cell struct{ *column.Fixed[float32] }

func (c float4Cell) add(v []byte) error {
	if len(v) != 4 {
		return errForm
	}
	c.Append(math.Float32frombits(binary.BigEndian.Uint32(v)))
	return nil
}

type float8Cell struct{ *column.Fixed[float64] }

func (c float8Cell) add(v []byte) error {
	if len(v) != 8 {
		return errForm
	}
	c.Append(math.Float64frombits(binary.BigEndian.Uint64(v)))
	return nil
}

type numericCell struct {
	*column.Fixed[decimal128.Num]
	precision, scale int
}

func (c numericCell) add(v []byte) error {
	n, err := decodeNumeric(v, c.precision, c.scale)
	if err == nil {
		c.Append(n)
	}
	return err
}

type textCell struct {
	*column.Text
	check bool // the database may hold bytes that are no text
}

func (c textCell) add(v []byte) error {
	if c.check {
		if err := column.ValidText(v); err != nil {
			return err
		}
	}
	c.Append(v)
	return nil
}

type jsonbCell struct{ textCell }

func (c jsonbCell) add(v []byte) error {
	if len(v) == 0 || v[0] != 1 { // the version of the form
		return errForm
	}
	return c.textCell.add(v[1:])
}

type uuidCell struct{ *column.Text }

func (c uuidCell) add(v []byte) error {
	if len(v) != 16 {
		return errForm
	}
	text := c.ExtendBytes(36)
	at := 0
	for _, part := range [...][]byte{v[:4], v[4:6], v[6:8], v[8:10], v[10:]} {
		if at > 0 {
			text[at] = '-'
			at++
		}
		at += hex.Encode(text[at:], part)
	}
	return nil
}

type dateCell struct{ *column.Fixed[int32] }

func (c dateCell) add(v []byte) error {
	if len(v) != 4 {
		return errForm
	}
	days := int32(binary.BigEndian.Uint32(v))
	if days == math.MaxInt32 || days == math.MinInt32 {
		return specialTime(days > 0)
	}
	c.Append(days + epochDays)
	return nil
}

type timestampCell struct{ *column.Fixed[int64] }

func (c timestampCell) add(v []byte) error {
	if len(v) != 8 {
		return errForm
	}
	micros := int64(binary.BigEndian.Uint64(v))
	switch {
	case micros == math.MaxInt64 || micros == math.MinInt64:
		return specialTime(micros > 0)
	case micros > math.MaxInt64-epochMicros:
		return errOverflow
	}
	c.Append(micros + epochMicros)
	return nil
}

func specialTime(positive bool) error {
	name := "-infinity"
	if positive {
		name = name[1:]
	}
	return fmt.Errorf("the time %s %w", name, errSpecial)
}

// timeCell reads time, and timetz without its zone.
type timeCell struct{ *column.Fixed[int64] }

func (c timeCell) add(v []byte) error {
	if len(v) != 8 && len(v) != 12 {
		return errForm
	}
	micros := int64(binary.BigEndian.Uint64(v))
	if micros >= dayMicros {
		return fmt.Errorf("the time 24:00:00 %w", errSpecial)
	}
	c.Append(micros)
	return nil
}

// arrayCell reads arrays of one dimension.
type arrayCell struct {
	*column.Lists
	elem cell
}

var errDimensions = errors.New("the array has more than one dimension")

func (c arrayCell) add(v []byte) error {
	if len(v) < 12 {
		return errForm
	}
	dimensions := binary.BigEndian.Uint32(v)
	c.Begin()
	switch dimensions {
	case 0:
		c.End()
		return nil
	case 1:
	default:
		return errDimensions
	}
	if len(v) < 20 {
		return errForm
	}
	n := int(binary.BigEndian.Uint32(v[12:]))
	v = v[20:]
	for range n {
		value, rest, err := cut(v)
		if err != nil {
			return err
		}
		v = rest
		if value == nil {
			c.elem.AppendNull()
			continue
		}
		if err := c.elem.add(value); err != nil {
			return err
		}
	}
	c.End()
	return nil
}

// cut takes a value with its length in front off v; nil is null.
func cut(v []byte) (value, rest []byte, err error) {
	if len(v) < 4 {
		return nil, nil, errForm
	}
	n := int(int32(binary.BigEndian.Uint32(v)))
	v = v[4:]
	if n < 0 {
		return nil, v, nil
	}
	if n > len(v) {
		return nil, nil, errForm
	}
	return v[:n:n], v[n:], nil
}
