package sqlite

import (
	"errors"
	"fmt"
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/jdbc/sqlite/internal/lite"
)

// sheet binds the values of one batch. It is reused from batch to batch.
type sheet struct {
	arena   *lite.Arena
	columns []cellBinder
	size    int
}

// cellBinder binds the values of one column.
type cellBinder struct {
	nulls  arrow.Array // nil: the column has no nulls
	bind   func(s *lite.Stmt, param, row int) error
	texts  *texts // of columns that are bound from the arena
	number int
}

func newSheet(c *lite.Conn) *sheet { return &sheet{arena: lite.NewArena(c)} }

// load takes the columns of a batch; texts go to the arena.
func (s *sheet) load(b plugin.Batch) error {
	s.columns = s.columns[:0]
	s.size = 0
	for i, c := range b.Table.Columns {
		values := b.Rows.Column(i)
		binder, err := newBinder(values, c.Type)
		if err != nil {
			return &plugin.Error{Code: plugin.CodeType, Table: b.Table.ID, Err: fmt.Errorf("column %s: %w", c.Name, err)}
		}
		binder.number = i
		if values.NullN() > 0 {
			binder.nulls = values
		}
		if binder.texts != nil {
			s.size += len(binder.texts.data)
		}
		s.columns = append(s.columns, binder)
	}
	if err := s.arena.Reset(s.size); err != nil {
		return err
	}
	for _, c := range s.columns {
		if c.texts != nil {
			c.texts.base = s.arena.Put(c.texts.data)
		}
	}
	return nil
}

// bind binds one row from parameter first on.
func (s *sheet) bind(stmt *lite.Stmt, first, row int) error {
	for i := range s.columns {
		if err := s.columns[i].set(stmt, first+i, row); err != nil {
			return err
		}
	}
	return nil
}

// bindColumns binds the given columns of one row to the parameters from 1 on.
func (s *sheet) bindColumns(stmt *lite.Stmt, columns []int, row int) error {
	for i, c := range columns {
		if err := s.columns[c].set(stmt, i+1, row); err != nil {
			return err
		}
	}
	return nil
}

func (c *cellBinder) set(stmt *lite.Stmt, param, row int) error {
	if c.nulls != nil && c.nulls.IsNull(row) {
		return stmt.BindNull(param)
	}
	return c.bind(stmt, param, row)
}

var errNaN = errors.New("SQLite would store NaN as null")

// newBinder returns the way to bind the values of a column that are not null.
func newBinder(values arrow.Array, t plugin.Type) (cellBinder, error) {
	switch a := values.(type) {
	case *array.Null:
		return cellBinder{bind: func(s *lite.Stmt, param, _ int) error { return s.BindNull(param) }}, nil
	case *array.Boolean:
		return cellBinder{bind: func(s *lite.Stmt, param, row int) error { return s.BindInt(param, truth(a.Value(row))) }}, nil
	case *array.Int8:
		return integers(a.Int8Values()), nil
	case *array.Int16:
		return integers(a.Int16Values()), nil
	case *array.Int32:
		return integers(a.Int32Values()), nil
	case *array.Int64:
		return integers(a.Int64Values()), nil
	case *array.Float32:
		return floats(a.Float32Values()), nil
	case *array.Float64:
		return floats(a.Float64Values()), nil
	case *array.String:
		x := &texts{data: a.ValueBytes(), ends: a.ValueOffsets()}
		return cellBinder{texts: x, bind: x.bindText}, nil
	case *array.Binary:
		x := &texts{data: a.ValueBytes(), ends: a.ValueOffsets()}
		return cellBinder{texts: x, bind: x.bindBlob}, nil
	}
	x, err := format(values, t)
	if err != nil {
		return cellBinder{}, err
	}
	return cellBinder{texts: x, bind: x.bindText}, nil
}

func truth(v bool) int64 {
	if v {
		return 1
	}
	return 0
}

func integers[T int8 | int16 | int32 | int64](values []T) cellBinder {
	return cellBinder{bind: func(s *lite.Stmt, param, row int) error { return s.BindInt(param, int64(values[row])) }}
}

func floats[T float32 | float64](values []T) cellBinder {
	return cellBinder{bind: func(s *lite.Stmt, param, row int) error {
		v := float64(values[row])
		if math.IsNaN(v) {
			return errNaN
		}
		return s.BindFloat(param, v)
	}}
}

// texts are values that are bound from the arena.
type texts struct {
	data []byte
	ends []int32 // the start of the first value and the ends of all, in the column's own count
	base lite.Address
}

func (x *texts) at(row int) (lite.Address, int) {
	from, to := x.ends[row], x.ends[row+1]
	return x.base + lite.Address(from-x.ends[0]), int(to - from)
}

func (x *texts) bindText(s *lite.Stmt, param, row int) error {
	at, n := x.at(row)
	return s.BindText(param, at, n)
}

func (x *texts) bindBlob(s *lite.Stmt, param, row int) error {
	at, n := x.at(row)
	return s.BindBlob(param, at, n)
}
