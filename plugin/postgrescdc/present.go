package postgrescdc

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/jdbc/postgres"
	"github.com/culvertdata/culvert/plugin/postgrescdc/internal/pgoutput"
)

// columnMissing is the SQLSTATE of a column that does not exist.
const columnMissing = "42703"

// present are the columns that a table has now, where the log may tell of earlier ones.
type present struct {
	names   map[int]string
	columns map[string]presentColumn
}

type presentColumn struct {
	number int
	oid    uint32
}

// look returns a table's columns in a view.
func look(ctx context.Context, view *postgres.Session, id plugin.TableID, oid uint32) (present, error) {
	now := present{names: map[int]string{}, columns: map[string]presentColumn{}}
	rows, err := view.Query(ctx, `SELECT attnum::text, attname, atttypid::text FROM pg_attribute
		WHERE attrelid = $1::oid AND attnum > 0 AND NOT attisdropped`, strconv.FormatUint(uint64(oid), 10))
	if err == nil && len(rows) == 0 {
		err = valueGone(id, "any")
	}
	if err != nil {
		return now, err
	}
	for _, row := range rows {
		number, err := strconv.Atoi(string(row[0]))
		if err != nil {
			return now, err
		}
		kind, err := strconv.ParseUint(string(row[2]), 10, 32)
		if err != nil {
			return now, err
		}
		now.names[number] = string(row[1])
		now.columns[string(row[1])] = presentColumn{number, uint32(kind)}
	}
	return now, nil
}

// find returns the name that a column of a relation has now, empty if it was dropped: the log is going to tell. It goes
// by the column's number. One whose number is gone may have been dropped and made again, which the log does not show
// if the type is the same. One whose number is not known has its name still, or was dropped if no column of its type is
// there that it may be.
func (p present) find(t *target, r *relation, i int) (string, error) {
	c, number := r.Columns[i], 0
	if at := r.fields[i].at; at >= 0 {
		number = t.numbers[at]
	}
	if name := p.names[number]; name != "" {
		return name, nil
	}
	same, ok := p.columns[c.Name]
	if ok && !slices.Contains(t.numbers, same.number) && (number == 0 || same.oid == c.Type) {
		return c.Name, nil
	}
	if number != 0 {
		return "", nil
	}
	for name, other := range p.columns {
		inLog := slices.ContainsFunc(r.Columns, func(c pgoutput.Column) bool { return c.Name == name })
		if !inLog && other.oid == c.Type && !slices.Contains(t.numbers, other.number) {
			return "", valueGone(t.out.ID, c.Name)
		}
	}
	return "", nil
}

// valueGone is the error of a value that is neither in the log nor to be found in the table.
func valueGone(id plugin.TableID, column string) error {
	return &plugin.Error{Code: plugin.CodeNotFound, Table: id,
		Err: fmt.Errorf("a value of the column %s, which the log does not hold, must be read from the table, "+
			"where the column is gone or has another name", column),
		Fix: "start the job afresh; ALTER TABLE ... REPLICA IDENTITY FULL puts such values into the log"}
}
