package mysql

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/column"
	"github.com/culvertdata/culvert/plugin/internal/mysql/wire"
	"github.com/culvertdata/culvert/plugin/jdbc"
)

// scanner reads the chunks of one lane.
type scanner struct {
	d        *database
	s        *session // nil after a failure, and where a chunk was left before its end
	bound    bool     // to this session: no other is made
	relation *jdbc.Relation
	builder  *column.Builder // that cells fill
	cells    []cell

	sql     string // of stmt
	stmt    *wire.Stmt
	reading bool // rows are to come
	last    jdbc.Key
}

// Scanner implements [jdbc.Database].
func (d *database) Scanner(ctx context.Context, _ memory.Allocator) (jdbc.Scanner, error) {
	s, err := d.connect(ctx)
	if err != nil {
		return nil, err
	}
	return &scanner{d: d, s: s}, nil
}

// Open implements [jdbc.Scanner]. Chunks of one relation with the same kinds of ends share a statement. A chunk that
// was not read to its end is dropped with its connection: the server would send the rest.
func (sc *scanner) Open(ctx context.Context, r *jdbc.Relation, at jdbc.Range) error {
	if sc.reading {
		sc.drop()
	}
	if sc.s == nil && sc.bound {
		return errBound
	}
	if sc.s == nil {
		s, err := sc.d.connect(ctx)
		if err != nil {
			return err
		}
		sc.s = s
	}
	if sc.relation != r {
		sc.relation, sc.builder = r, nil
	}
	stop := sc.s.Watch(ctx)
	defer stop()
	err := sc.open(r, at)
	if err != nil {
		err = ofTable(sc.s.ended(ctx, err), r.Table.ID)
		sc.drop()
	}
	return err
}

func (sc *scanner) open(r *jdbc.Relation, at jdbc.Range) error {
	sql, args := selectRange(r, at)
	if sc.stmt == nil || sc.sql != sql {
		if sc.stmt != nil {
			if err := sc.stmt.Close(); err != nil {
				return err
			}
		}
		var err error
		if sc.stmt, err = sc.s.Prepare(sql); err != nil {
			return err
		}
		sc.sql, sc.builder = sql, nil
	}
	if err := sc.stmt.Query(args...); err != nil {
		return err
	}
	if want := len(r.Table.Columns); len(sc.stmt.Columns) < want {
		return fmt.Errorf("the relation has %d columns now, %d before", len(sc.stmt.Columns), want)
	}
	sc.reading = true
	return nil
}

// everyRow is how MySQL spells that there is no limit.
const everyRow = "18446744073709551615"

// selectRange returns the query for a chunk and its arguments.
func selectRange(r *jdbc.Relation, at jdbc.Range) (string, []any) {
	sql := "SELECT " + quoteAll(r.Table.Names())
	if r.Key == "" {
		sql += " FROM " + r.From
		if at.Skip > 0 {
			sql += fmt.Sprintf(" LIMIT %s OFFSET %d", everyRow, at.Skip)
		}
		return sql, nil
	}
	key := quote(r.Key)
	var conditions []string
	var args []any
	require := func(operator string, k *jdbc.Key) {
		if k != nil {
			args = append(args, k.Value)
			conditions = append(conditions, key+" "+operator+" "+keyParam(r, *k))
		}
	}
	switch {
	case at.Nulls:
		conditions = append(conditions, key+" IS NULL")
	case at.After != nil:
		require(">", at.After)
		require("<", at.To)
	default:
		require(">=", at.From)
		require("<", at.To)
		if at.From == nil && at.To == nil && !r.Unique {
			conditions = append(conditions, key+" IS NOT NULL")
		}
	}
	sql += ", " + key + " FROM " + r.From
	if len(conditions) > 0 {
		sql += " WHERE " + strings.Join(conditions, " AND ")
	}
	sql += orderBy(r, at)
	if at.Skip > 0 {
		sql += fmt.Sprintf(" LIMIT %s OFFSET %d", everyRow, at.Skip)
	}
	return sql, args
}

// orderBy sorts a chunk by its key, and rows of equal keys by the primary key, so that a number of rows to skip means
// the same rows again.
func orderBy(r *jdbc.Relation, at jdbc.Range) string {
	var names []string
	if !at.Nulls {
		names = append(names, r.Key)
	}
	if !r.Unique {
		for _, name := range r.Table.KeyNames() {
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	if names == nil {
		return ""
	}
	return " ORDER BY " + quoteAll(names)
}

// Read implements [jdbc.Scanner].
func (sc *scanner) Read(ctx context.Context, b *column.Builder, most int) (int, error) {
	if !sc.reading {
		return 0, io.EOF
	}
	if sc.builder != b {
		sc.builder, sc.cells = b, sc.d.cellsOf(b, sc.stmt.Columns)
	}
	stop := sc.s.Watch(ctx)
	defer stop()
	n, err := sc.rows(b, most)
	if err == nil || err == io.EOF {
		return n, err
	}
	err = ofTable(sc.s.ended(ctx, err), sc.relation.Table.ID)
	sc.drop()
	return n, err
}

// sizeCheck is the mask of rows after which the batch's size is looked at.
const sizeCheck = 63

func (sc *scanner) rows(b *column.Builder, most int) (int, error) {
	n := 0
	for n < most && (n&sizeCheck != 0 || b.Size() < jdbc.FullBytes) {
		row, err := sc.s.Row()
		if err == io.EOF {
			sc.reading = false
		}
		if err != nil {
			return n, err
		}
		rest, err := sc.row(row)
		if err != nil {
			b.Rollback()
			return n, err
		}
		b.EndRow(plugin.Insert)
		n++
		if sc.relation.Unique && (n == most || n&sizeCheck == 0) {
			if err := sc.keep(rest); err != nil {
				return n, err
			}
		}
	}
	return n, nil
}

// row appends a row to the builder and returns what stands behind the columns: the key.
func (sc *scanner) row(row []byte) ([]byte, error) {
	at := wire.First(len(sc.stmt.Columns))
	if at > len(row) {
		return nil, errRow
	}
	rest := row[at:]
	for i := range sc.cells {
		c := &sc.cells[i]
		if wire.IsNull(row, i) {
			c.AppendNull()
			continue
		}
		n, err := c.read(rest)
		if err != nil {
			return nil, sc.badCell(i, row, err)
		}
		rest = rest[n:]
	}
	return rest, nil
}

var errRow = errors.New("the server sent a row that is too short")

// keep remembers the key of the last row.
func (sc *scanner) keep(b []byte) error {
	v, _, err := sc.stmt.Columns[len(sc.cells)].Value(b)
	if err == nil {
		sc.last = *keyOf(v)
	}
	return err
}

// badCell names the place and the value of a cell that its column cannot hold.
func (sc *scanner) badCell(i int, row []byte, cause error) error {
	t := sc.relation.Table
	values, err := wire.Values(row, sc.stmt.Columns)
	if err != nil {
		return errors.Join(cause, err)
	}
	text := wire.String(values[i])
	const most = 64
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "..."
	}
	e := &plugin.Error{
		Code: plugin.CodeData, Table: t.ID,
		Err: fmt.Errorf("column %s is %s, its value is %q: %w", t.Columns[i].Name, t.Columns[i].Type, text, cause),
		Fix: fmt.Sprintf("correct the value, or read the column by a query as CAST(%s AS CHAR)", quote(t.Columns[i].Name)),
	}
	var hint *hintError
	if errors.As(cause, &hint) {
		e.Fix = hint.fix
	}
	if sc.relation.Key != "" {
		e.Row = fmt.Sprintf("row with %s = %s", sc.relation.Key, wire.String(values[len(sc.cells)]))
	}
	return e
}

// Last implements [jdbc.Scanner].
func (sc *scanner) Last() jdbc.Key { return sc.last }

// Close implements [jdbc.Scanner].
func (sc *scanner) Close() error {
	sc.drop()
	return nil
}

// drop ends the connection, whatever the server is doing.
func (sc *scanner) drop() {
	if sc.s != nil {
		_ = sc.s.Close() // its rows are of no interest any more
	}
	sc.s, sc.stmt, sc.sql, sc.reading = nil, nil, "", false
}
