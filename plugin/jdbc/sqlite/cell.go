package sqlite

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"strconv"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/column"
	"github.com/culvertdata/culvert/plugin/jdbc/sqlite/internal/lite"
)

// cell moves the values of one column of a result into a column of a batch.
type cell struct {
	column.Column
	read func(s *lite.Stmt, i int, kind lite.Kind) error
}

func cellsOf(b *column.Builder) []cell {
	cells := make([]cell, len(b.Table().Columns))
	for i, c := range b.Table().Columns {
		cells[i] = cell{b.Column(i), reader(b.Column(i), c.Type)}
	}
	return cells
}

var errClass = errors.New("SQLite stores it in a class that does not fit the type")

// reader returns the way to read values of a type that are not null.
func reader(c column.Column, t plugin.Type) func(*lite.Stmt, int, lite.Kind) error {
	switch c := c.(type) {
	case *column.Bools:
		return func(s *lite.Stmt, i int, kind lite.Kind) error { return readBool(c, s, i, kind) }
	case *column.Fixed[int16]:
		return readInt(c, math.MinInt16, math.MaxInt16)
	case *column.Fixed[int32]:
		if t.Kind == plugin.Int {
			return readInt(c, math.MinInt32, math.MaxInt32)
		}
	case *column.Fixed[int64]:
		if t.Kind == plugin.BigInt {
			return readInt(c, math.MinInt64, math.MaxInt64)
		}
	case *column.Fixed[float32]:
		return func(s *lite.Stmt, i int, kind lite.Kind) error { return readFloat(c, s, i, kind) }
	case *column.Fixed[float64]:
		return func(s *lite.Stmt, i int, kind lite.Kind) error { return readDouble(c, s, i, kind) }
	case *column.Text:
		if t.Kind == plugin.Bytes {
			return func(s *lite.Stmt, i int, kind lite.Kind) error { return readBytes(c, s, i, kind) }
		}
		return func(s *lite.Stmt, i int, kind lite.Kind) error { return readText(c, s, i, kind) }
	}
	return func(s *lite.Stmt, i int, kind lite.Kind) error { return readConverted(c, t, s, i, kind) }
}

func readInt[T int16 | int32 | int64](c *column.Fixed[T], low, high int64) func(*lite.Stmt, int, lite.Kind) error {
	return func(s *lite.Stmt, i int, kind lite.Kind) error {
		if kind != lite.Integer {
			return errClass
		}
		v := s.Int(i)
		if v < low || v > high {
			return fmt.Errorf("out of range, %d to %d", low, high)
		}
		c.Append(T(v))
		return nil
	}
}

func readBool(c *column.Bools, s *lite.Stmt, i int, kind lite.Kind) error {
	if v := s.Int(i); kind == lite.Integer && (v == 0 || v == 1) {
		c.Append(v == 1)
		return nil
	}
	return errors.New("only 0 and 1 are booleans")
}

func readDouble(c *column.Fixed[float64], s *lite.Stmt, i int, kind lite.Kind) error {
	switch kind {
	case lite.Real:
		c.Append(s.Float(i))
		return nil
	case lite.Integer:
		v := s.Int(i)
		f := float64(v)
		if f >= math.MaxInt64 || int64(f) != v {
			return errors.New("a floating point number cannot hold all of its digits")
		}
		c.Append(f)
		return nil
	}
	return errClass
}

func readFloat(c *column.Fixed[float32], s *lite.Stmt, i int, kind lite.Kind) error {
	if kind != lite.Real && kind != lite.Integer {
		return errClass
	}
	v := s.Float(i)
	if float64(float32(v)) != v {
		return errors.New("a FLOAT(24) cannot hold all of its digits")
	}
	c.Append(float32(v))
	return nil
}

func readText(c *column.Text, s *lite.Stmt, i int, kind lite.Kind) error {
	switch kind {
	case lite.Text:
		v := s.Bytes(i)
		if err := column.ValidText(v); err != nil {
			return err
		}
		c.Append(v)
	case lite.Integer:
		c.SetBuffer(strconv.AppendInt(c.Buffer(), s.Int(i), 10))
	case lite.Real:
		c.SetBuffer(appendReal(c.Buffer(), s.Float(i)))
	default:
		return errClass
	}
	return nil
}

// appendReal writes as few digits as tell the number from all others. SQLite's own text would have 15 at most.
func appendReal(dst []byte, v float64) []byte {
	if abs := math.Abs(v); abs != 0 && (abs < 1e-4 || abs >= 1e16) {
		return strconv.AppendFloat(dst, v, 'e', -1, 64)
	}
	return strconv.AppendFloat(dst, v, 'f', -1, 64)
}

func readBytes(c *column.Text, s *lite.Stmt, i int, kind lite.Kind) error {
	if kind != lite.Blob && kind != lite.Text {
		return errClass
	}
	c.Append(s.Bytes(i))
	return nil
}

// readConverted reads the types that SQLite does not have: decimals, dates, times and timestamps.
func readConverted(c column.Column, t plugin.Type, s *lite.Stmt, i int, kind lite.Kind) error {
	switch {
	case kind == lite.Text:
		text := s.Bytes(i)
		if len(bytes.TrimSpace(text)) == 0 {
			return errClass // a blank text would become a null
		}
		return column.AppendText(c, t, text, nil)
	case t.Kind != plugin.Decimal || kind == lite.Blob:
		return errClass
	case kind == lite.Integer:
		return column.AppendValue(c, t, s.Int(i))
	default:
		return column.AppendValue(c, t, s.Float(i))
	}
}
