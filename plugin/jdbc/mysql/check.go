package mysql

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/column"
	"github.com/culvertdata/culvert/plugin/jdbc"
)

// check reports whether a column of the target holds a value as it is. Only what the server changes without a warning
// is checked: it cuts fractions of seconds off and rounds numbers.
type check func(row int) bool

// checker makes the check of a column for a batch; nil: the server warns.
type checker func(values arrow.Array) check

// checkerOf returns the checker for values of a type that go into a column of the target.
func checkerOf(t plugin.Type, to columnInfo) checker {
	switch t.Kind {
	case plugin.Time, plugin.Timestamp:
		switch to.dataType {
		case "time", "datetime", "timestamp":
			return fractionChecker(t, to)
		}
	case plugin.Float, plugin.Double, plugin.Decimal, plugin.String:
		if strings.HasSuffix(to.dataType, "int") || to.dataType == "year" {
			return wholeChecker(t)
		}
		if t.Kind == plugin.Double && to.dataType == "float" {
			return narrowChecker
		}
	}
	return nil
}

// fractionChecker refuses digits of a second that the column does not have.
func fractionChecker(t plugin.Type, to columnInfo) checker {
	digits := 6
	if t.Scale > 6 {
		digits = 9
	}
	if int64(min(t.Scale, digits)) <= to.fraction {
		return nil
	}
	unit := int64(1)
	for range int64(digits) - to.fraction {
		unit *= 10
	}
	return func(values arrow.Array) check {
		switch a := values.(type) {
		case *array.Timestamp:
			return func(row int) bool { return int64(a.Value(row))%unit == 0 }
		case *array.Time64:
			return func(row int) bool { return int64(a.Value(row))%unit == 0 }
		}
		return nil
	}
}

// wholeChecker refuses numbers with a fraction.
func wholeChecker(t plugin.Type) checker {
	return func(values arrow.Array) check {
		switch a := values.(type) {
		case *array.Float32:
			return func(row int) bool { return float32(int64(a.Value(row))) == a.Value(row) }
		case *array.Float64:
			return func(row int) bool { return float64(int64(a.Value(row))) == a.Value(row) }
		case *array.String:
			return func(row int) bool { return isWhole([]byte(a.Value(row))) }
		}
		if t.Scale == 0 {
			return nil
		}
		return func(row int) bool {
			_, fraction, _ := bytes.Cut(column.FormatText(nil, values, t, row, nil), []byte("."))
			return len(bytes.Trim(fraction, "0")) == 0
		}
	}
}

func isWhole(text []byte) bool {
	digits := bytes.TrimLeft(text, "+-")
	return len(digits) > 0 && len(text)-len(digits) <= 1 && len(bytes.Trim(digits, "0123456789")) == 0
}

// narrowChecker refuses doubles that a FLOAT does not hold.
func narrowChecker(values arrow.Array) check {
	a, ok := values.(*array.Float64)
	if !ok {
		return nil
	}
	return func(row int) bool { return float64(float32(a.Value(row))) == a.Value(row) }
}

// screen refuses rows that the server would change silently and returns the others. Keys of deletes are looked at, too;
// what is not there cannot be deleted.
func (w *work) screen(runs []jdbc.Run) []jdbc.Run {
	for i, make := range w.tab.checks {
		if make == nil {
			continue
		}
		values := w.batch.Rows.Column(i)
		holds := make(values)
		if holds == nil {
			continue
		}
		var kept []jdbc.Run
		for _, r := range runs {
			for row := r.From; row < r.To; row++ {
				if values.IsNull(row) || holds(row) {
					continue
				}
				w.refuse(row, w.unfit(i, row))
				if row > r.From {
					kept = append(kept, jdbc.Run{Op: r.Op, From: r.From, To: row})
				}
				r.From = row + 1
			}
			if r.From < r.To {
				kept = append(kept, r)
			}
		}
		runs = kept
	}
	return runs
}

func (w *work) unfit(column, row int) error {
	t := w.tab.target
	text := w.batch.Rows.Column(column).ValueStr(row)
	const most = 64
	if len(text) > most {
		text = text[:most] + "..."
	}
	return fmt.Errorf("column %s would not hold %q as it is: %w", t.Columns[column], text, errValue)
}
