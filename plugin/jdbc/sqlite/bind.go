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
	texts   []texts // one for each column, so that rendered values reuse their memory
}

// cellBinder binds the values of one column.
type cellBinder struct {
	nulls arrow.Array // nil: the column has no nulls
	bind  func(s *lite.Stmt, param, row int) error
	texts *texts // of columns that are bound from the arena
}

func newSheet(c *lite.Conn) *sheet { return &sheet{arena: lite.NewArena(c)} }

// load takes the columns of a batch; texts go to the arena. affinities are those of the target's columns; nil if they
// are not known.
func (s *sheet) load(b plugin.Batch, affinities []affinity) error {
	s.columns = s.columns[:0]
	if n := len(b.Table.Columns); len(s.texts) < n {
		s.texts = make([]texts, n)
	}
	size := 0
	for i, c := range b.Table.Columns {
		values := b.Rows.Column(i)
		binder, err := newBinder(values, c.Type, &s.texts[i])
		if err != nil {
			return &plugin.Error{Code: plugin.CodeType, Table: b.Table.ID, Err: fmt.Errorf("column %s: %w", c.Name, err)}
		}
		if values.NullN() > 0 {
			binder.nulls = values
		}
		if affinities != nil && c.Type.Kind == plugin.Decimal {
			if most := affinities[i].digits(c.Type); c.Type.Precision > most {
				s.texts[i].most = most
				binder.bind = s.texts[i].bindFewDigits
			}
		}
		if binder.texts != nil {
			size += len(binder.texts.bytes())
		}
		s.columns = append(s.columns, binder)
	}
	if err := s.arena.Reset(size); err != nil {
		return err
	}
	for _, c := range s.columns {
		if c.texts != nil {
			c.texts.base = s.arena.Put(c.texts.bytes())
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

var (
	errNaN    = errors.New("SQLite would store NaN as null")
	errDigits = errors.New("the column's declared type makes a floating point number of a decimal, which would not keep " +
		"all digits; declare it as TEXT or DECIMAL TEXT(p,s)")
)

// newBinder returns the way to bind the values of a column that are not null.
func newBinder(values arrow.Array, t plugin.Type, x *texts) (cellBinder, error) {
	switch a := values.(type) {
	case *array.Null:
		return cellBinder{bind: func(s *lite.Stmt, param, _ int) error { return s.BindNull(param) }}, nil
	case *array.Boolean:
		bind := func(s *lite.Stmt, param, row int) error { return s.BindInt(param, truth(a.Value(row))) }
		return cellBinder{bind: bind}, nil
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
		x.borrow(a.ValueBytes(), a.ValueOffsets())
		return cellBinder{texts: x, bind: x.bindText}, nil
	case *array.Binary:
		x.borrow(a.ValueBytes(), a.ValueOffsets())
		return cellBinder{texts: x, bind: x.bindBlob}, nil
	}
	x.borrowed, x.from = nil, nil
	if err := format(values, t, x); err != nil {
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

// texts are values that are bound from the arena: those of a text column as they are, or rendered ones.
type texts struct {
	borrowed []byte  // the bytes of a text column
	from     []int32 // its offsets: where each value starts, and where the last ends
	data     []byte  // rendered values
	ends     []int32 // their offsets
	base     lite.Address
	most     int // digits that the target keeps, for bindFewDigits
}

func (x *texts) borrow(data []byte, offsets []int32) { x.borrowed, x.from = data, offsets }

func (x *texts) bytes() []byte {
	if x.from != nil {
		return x.borrowed
	}
	return x.data
}

func (x *texts) at(row int) (lite.Address, int) {
	offsets := x.from
	if offsets == nil {
		offsets = x.ends
	}
	return x.base + lite.Address(offsets[row]-offsets[0]), int(offsets[row+1] - offsets[row])
}

func (x *texts) bindText(s *lite.Stmt, param, row int) error {
	at, n := x.at(row)
	return s.BindText(param, at, n)
}

// bindFewDigits binds a rendered decimal unless it has more digits than the target keeps.
func (x *texts) bindFewDigits(s *lite.Stmt, param, row int) error {
	digits, zeros := 0, 0 // zeros may be in between or at the end
	for _, c := range x.data[x.ends[row]:x.ends[row+1]] {
		switch {
		case c >= '1' && c <= '9':
			digits += zeros + 1
			zeros = 0
		case c == '0' && digits > 0:
			zeros++
		}
	}
	if digits > x.most {
		return errDigits
	}
	return x.bindText(s, param, row)
}

func (x *texts) bindBlob(s *lite.Stmt, param, row int) error {
	at, n := x.at(row)
	return s.BindBlob(param, at, n)
}
