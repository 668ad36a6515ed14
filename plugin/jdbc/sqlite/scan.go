package sqlite

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/column"
	"github.com/culvertdata/culvert/plugin/jdbc"
	"github.com/culvertdata/culvert/plugin/jdbc/sqlite/internal/lite"
)

// scanner reads the chunks of one lane.
type scanner struct {
	s        *session
	relation *jdbc.Relation
	cells    []cell
	builder  *column.Builder // that cells fill

	sql  string // of stmt
	stmt *lite.Stmt
	done bool
	last any
}

// Scanner implements [jdbc.Database].
func (d *database) Scanner(ctx context.Context, _ memory.Allocator) (jdbc.Scanner, error) {
	s, err := d.connect(ctx, lite.ReadOnly)
	if err != nil {
		return nil, err
	}
	return &scanner{s: s}, nil
}

// Open implements [jdbc.Scanner]. Chunks of one relation with the same kinds of ends share a statement.
func (sc *scanner) Open(ctx context.Context, r *jdbc.Relation, at jdbc.Range) error {
	sql, args := selectRange(r, at)
	if sc.stmt != nil && sc.sql == sql {
		sc.stmt.Reset()
	} else {
		sc.closeStmt()
		err := sc.s.patient(ctx, func() (err error) {
			sc.stmt, err = sc.s.Prepare(sql)
			return err
		})
		if err != nil {
			return ofTable(sc.s.ended(ctx, err), r.Table.ID)
		}
		sc.sql = sql
	}
	if sc.relation != r {
		sc.relation, sc.builder = r, nil
	}
	sc.done = false
	return sc.stmt.Bind(args...)
}

// selectRange returns the query for a chunk and its arguments.
func selectRange(r *jdbc.Relation, at jdbc.Range) (string, []any) {
	columns := quoteAll(r.Table.Names())
	if r.Key == "" {
		return "SELECT " + columns + " FROM " + r.From + " LIMIT -1 OFFSET ?1", []any{at.Skip}
	}
	key := keyExpr(r)
	var conditions []string
	var args []any
	require := func(operator string, k *jdbc.Key) {
		if k != nil {
			args = append(args, k.Value)
			conditions = append(conditions, fmt.Sprintf("%s %s ?%d", key, operator, len(args)))
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
		if at.From == nil && !r.Unique {
			conditions = append(conditions, key+" IS NOT NULL")
		}
	}
	sql := "SELECT " + columns + ", " + key + " FROM " + r.From
	if len(conditions) > 0 {
		sql += " WHERE " + strings.Join(conditions, " AND ")
	}
	if !at.Nulls {
		sql += " ORDER BY " + key
	}
	if !r.Unique {
		args = append(args, at.Skip)
		sql += fmt.Sprintf(" LIMIT -1 OFFSET ?%d", len(args))
	}
	return sql, args
}

// Read implements [jdbc.Scanner].
func (sc *scanner) Read(ctx context.Context, b *column.Builder, most int) (int, error) {
	if sc.done {
		return 0, io.EOF
	}
	if sc.builder != b {
		sc.builder, sc.cells = b, cellsOf(b)
	}
	stop := sc.s.Watch(ctx)
	defer stop()
	n := 0
	for n < most && (n&sizeCheck != 0 || b.Size() < jdbc.FullBytes) {
		more, err := sc.step(ctx, n)
		if err != nil {
			return n, ofTable(sc.s.ended(ctx, err), sc.relation.Table.ID)
		}
		if !more {
			sc.done = true
			sc.stmt.Reset()
			return n, io.EOF
		}
		if err := sc.row(b); err != nil {
			return n, err
		}
		b.EndRow(plugin.Insert)
		n++
	}
	if n > 0 && sc.relation.Unique {
		sc.last = sc.stmt.Value(len(sc.cells))
	}
	return n, nil
}

// sizeCheck is the mask of rows after which the batch's size is looked at.
const sizeCheck = 63

// step goes to the next row. Only the first step of a statement takes a lock and may have to wait for it.
func (sc *scanner) step(ctx context.Context, n int) (more bool, err error) {
	if n > 0 {
		return sc.stmt.Step()
	}
	err = sc.s.patient(ctx, func() (err error) {
		more, err = sc.stmt.Step()
		return err
	})
	return more, err
}

// row appends the current row to the builder.
func (sc *scanner) row(b *column.Builder) error {
	for i, c := range sc.cells {
		kind := sc.stmt.Kind(i)
		if kind == lite.Null {
			c.AppendNull()
			continue
		}
		if err := c.read(sc.stmt, i, kind); err != nil {
			b.Rollback()
			return sc.badCell(i, kind, err)
		}
	}
	return nil
}

// badCell names the place and the value of a cell that its column cannot hold.
func (sc *scanner) badCell(i int, kind lite.Kind, err error) error {
	t := sc.relation.Table
	text := fmt.Sprint(sc.stmt.Value(i))
	if kind == lite.Blob {
		text = fmt.Sprintf("%x", sc.stmt.Bytes(i))
	}
	const most = 64
	if len(text) > most {
		text = text[:most] + "..."
	}
	e := &plugin.Error{
		Code: plugin.CodeData, Table: t.ID,
		Err: fmt.Errorf("column %s is %s (declared %q), its value is the %s %q: %w",
			t.Columns[i].Name, t.Columns[i].Type, t.Columns[i].SourceType, kind, text, err),
		Fix: fmt.Sprintf("correct the value, or read the column by a query as CAST(%s AS TEXT)", quote(t.Columns[i].Name)),
	}
	if sc.relation.Key != "" {
		e.Row = fmt.Sprintf("row with %s = %v", sc.relation.Key, sc.stmt.Value(len(sc.cells)))
	}
	return e
}

// Last implements [jdbc.Scanner].
func (sc *scanner) Last() jdbc.Key { return jdbc.Key{Value: sc.last} }

// Close implements [jdbc.Scanner].
func (sc *scanner) Close() error {
	sc.closeStmt()
	return sc.s.Close()
}

func (sc *scanner) closeStmt() {
	if sc.stmt != nil {
		sc.stmt.Close()
		sc.stmt = nil
	}
}
