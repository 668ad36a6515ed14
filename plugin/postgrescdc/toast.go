package postgrescdc

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/column"
	"github.com/culvertdata/culvert/plugin/jdbc/postgres"
	"github.com/culvertdata/culvert/plugin/postgrescdc/internal/pgoutput"
)

// patch is a row of a builder with values that the log does not hold, because an update left them as they were.
type patch struct {
	row     int
	xid     uint32
	columns []int // of the relation
	of      *relation
	key     [][]byte // values of the relation's identity
	format  int16
}

// miss notes that a value of the row that is being built must be read from the table.
func (t *target) miss(r *relation, column int, xid uint32, values []pgoutput.Value) {
	row := t.builder.Len()
	if n := len(t.patches); n > 0 && t.patches[n-1].row == row {
		t.patches[n-1].columns = append(t.patches[n-1].columns, column)
		return
	}
	p := patch{row: row, xid: xid, columns: []int{column}, of: r}
	for i, c := range r.Columns {
		if c.Key {
			p.key = append(p.key, slices.Clone(values[i].Data))
			if values[i].Form == pgoutput.Binary {
				p.format = 1
			}
		}
	}
	t.patches = append(t.patches, p)
}

// patch fills the values that the log does not hold with what the table holds now. A value that was changed again since
// then comes early: its own change follows in the stream. A row that is gone since then, or has got another key, is
// left out: its delete follows, too.
func (s *stream) patch(ctx context.Context, t *target, b plugin.Batch) (plugin.Batch, error) {
	defer b.Release()
	patches := t.patches
	t.patches = nil
	found, err := s.lookUp(ctx, t, patches)
	if err != nil {
		return plugin.Batch{}, err
	}
	defer found.release()
	arrays := make([]arrow.Array, len(t.out.Columns))
	for i := range arrays {
		arrays[i] = b.Rows.Column(i)
	}
	for at := range t.out.Columns {
		if !found.touches(patches, at) {
			continue
		}
		filled, err := found.fill(t, patches, arrays[at], at, s)
		if err != nil {
			return plugin.Batch{}, err
		}
		defer filled.Release()
		arrays[at] = filled
	}
	full := column.Assemble(t.out, arrays, b.Kinds)
	full.EventTime = b.EventTime
	if len(found.gone) == 0 {
		return full, nil
	}
	defer full.Release()
	var keep []int32
	for i := range full.Len() {
		if !found.gone[i] {
			keep = append(keep, int32(i))
		}
	}
	t.keepPlaces(keep)
	return column.Take(full, keep, s.task.Alloc), nil
}

// current is what the table holds now of rows with patches.
type current struct {
	rows plugin.Batch // one for each patch; nulls if it is gone
	gone map[int]bool // rows of the batch
}

func (c *current) release() { c.rows.Release() }

// touches reports whether a patch is about a column of the target.
func (c *current) touches(patches []patch, at int) bool {
	return slices.ContainsFunc(patches, func(p patch) bool { return p.about(at) })
}

func (p patch) about(at int) bool {
	return slices.ContainsFunc(p.columns, func(i int) bool { return p.of.fields[i].at == at })
}

// fill returns a column with the patches in their places.
func (c *current) fill(t *target, patches []patch, a arrow.Array, at int, s *stream) (arrow.Array, error) {
	one, err := plugin.NewTable(plugin.Table{ID: t.out.ID, Columns: []plugin.Column{t.out.Columns[at]}})
	if err != nil {
		return nil, err
	}
	b := column.NewBuilder(one, s.task.Alloc)
	defer b.Release()
	typ, next := t.out.Columns[at].Type, 0
	for i := range a.Len() {
		from, row := a, i
		for next < len(patches) && patches[next].row < i {
			next++
		}
		if next < len(patches) && patches[next].row == i && patches[next].about(at) {
			from, row = c.rows.Rows.Column(at), next
		}
		var value any
		if from.IsValid(row) {
			value = column.Value(from, typ, row)
		}
		if err := b.AppendRow(plugin.Insert, value); err != nil {
			return nil, err
		}
	}
	batch := b.Batch()
	defer batch.Release()
	filled := batch.Rows.Column(0)
	filled.Retain()
	return filled, nil
}

// lookUp reads the rows of patches in one view that holds all their transactions.
func (s *stream) lookUp(ctx context.Context, t *target, patches []patch) (*current, error) {
	xids := make([]uint32, len(patches))
	for i, p := range patches {
		xids[i] = p.xid
	}
	session, err := s.view(ctx, postgres.Hold(t.out.ID), xids...)
	if err != nil {
		return nil, err
	}
	now, err := look(ctx, session, t.out.ID, patches[0].of.OID)
	if err != nil {
		return nil, err
	}
	found, err := s.ask(ctx, session, t, now, patches)
	if err != nil {
		return nil, err
	}
	return found, session.Exec(ctx, "COMMIT")
}

// ask reads the rows of patches, all in one go.
func (s *stream) ask(ctx context.Context, session *postgres.Session, t *target, now present, patches []patch) (
	*current, error) {
	batch := &pgconn.Batch{}
	for _, p := range patches {
		sql, oids, formats, err := s.query(t, now, p)
		if err != nil {
			return nil, err
		}
		batch.ExecParams(sql, p.key, oids, formats, nil)
	}
	results, err := session.Conn().ExecBatch(ctx, batch).ReadAll()
	if err != nil {
		return nil, session.Explain(ctx, err)
	}
	b := column.NewBuilder(t.out, s.task.Alloc)
	defer b.Release()
	found := &current{gone: map[int]bool{}}
	for i, p := range patches {
		values := make([][]byte, len(t.out.Columns))
		have := len(results[i].Rows) > 0
		if !have {
			found.gone[p.row] = true
		} else {
			for j, c := range p.columns {
				values[p.of.fields[c].at] = results[i].Rows[0][j]
			}
		}
		if err := s.currentRow(b, p, values); err != nil {
			return nil, err
		}
	}
	found.rows = b.Batch()
	return found, nil
}

// currentRow appends the values of one patch, which are in text form.
func (s *stream) currentRow(b *column.Builder, p patch, values [][]byte) error {
	for at := range values {
		if values[at] == nil {
			b.Column(at).AppendNull()
			continue
		}
		i := slices.IndexFunc(p.of.fields, func(f field) bool { return f.at == at })
		f := p.of.fields[i]
		dec, err := postgres.NewDecoder(b.Column(at), b.Table().Columns[at].Type, f.oid, s.unchecked())
		if err != nil {
			return err
		}
		f.dec = dec
		if err := s.add(&f, pgoutput.Value{Form: pgoutput.Text, Data: values[at]}); err != nil {
			v := pgoutput.Value{Form: pgoutput.Text, Data: values[at]}
			return s.badCell(p.of, i, v, nil, err)
		}
	}
	b.EndRow(plugin.Insert)
	return nil
}

// query returns the statement that reads the missing values of a row.
func (s *stream) query(t *target, now present, p patch) (sql string, oids []uint32, formats []int16, err error) {
	var columns, conditions []string
	for _, i := range p.columns {
		name, err := now.find(t, p.of, i)
		if err != nil {
			return "", nil, nil, err
		}
		value := s.source.absent(t.out.Columns[p.of.fields[i].at])
		if name != "" {
			value = postgres.Quote(name)
		}
		columns = append(columns, value)
	}
	for i, c := range p.of.Columns {
		if !c.Key {
			continue
		}
		name, err := now.find(t, p.of, i)
		if err == nil && name == "" {
			err = valueGone(t.out.ID, c.Name)
		}
		if err != nil {
			return "", nil, nil, err
		}
		oid := uint32(0)
		if p.format == 1 {
			oid = c.Type
		}
		oids, formats = append(oids, oid), append(formats, p.format)
		conditions = append(conditions, fmt.Sprintf("%s = $%d", postgres.Quote(name), len(oids)))
	}
	return "SELECT " + strings.Join(columns, ", ") + " FROM " + postgres.Qualified(t.out.ID) + " WHERE " +
		strings.Join(conditions, " AND "), oids, formats, nil
}
