package postgrescdc

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/column"
	"github.com/culvertdata/culvert/plugin/jdbc/postgres"
	"github.com/culvertdata/culvert/plugin/postgrescdc/internal/pgoutput"
)

// target is a captured table in the stream: how the sinks know it, and the rows on their way there.
type target struct {
	captured  *captured
	out       *plugin.Table
	builder   *column.Builder
	eventTime int64 // of the oldest row in the builder

	log    []pgoutput.Column // the columns that the log had last; nil: none came yet
	number int               // the highest number that a column had
	missed bool              // see tableState
	// numbers are those of the columns of out; 0: not known.
	numbers []int
	filter  *filter // nil: the stream has passed the snapshot
	pieces  []piece // of the filter
	// patches are values that the log does not hold, in rows of the builder.
	patches []patch
	// places are those of the builder's rows in the log, where rows become messages.
	places []pgoutput.LSN
}

func (s *stream) newTarget(st *tableState) (*target, error) {
	c := find(s.tables, st.Out.ID)
	out, err := st.Out.make(c.table())
	if err != nil {
		return nil, err
	}
	t := &target{captured: c, out: out, builder: column.NewBuilder(out, s.task.Alloc), log: st.Log, number: st.Number,
		missed: st.Missed, pieces: st.Pieces, numbers: st.Numbers}
	if len(t.numbers) != len(out.Columns) {
		t.numbers = make([]int, len(out.Columns))
	}
	if len(st.Pieces) > 0 {
		t.filter = &filter{captured: c, pieces: st.Pieces}
	}
	return t, nil
}

// state returns the target's part of a checkpoint.
func (t *target) state() tableState {
	return tableState{Out: formOf(t.out), Log: t.log, Number: t.number, Missed: t.missed, Numbers: t.numbers, Pieces: t.pieces}
}

// cut returns the name in the log of the column that the snapshot is cut by.
func (t *target) cut() string {
	if i := slices.Index(t.numbers, t.captured.cutNumber()); i >= 0 {
		return t.out.Columns[i].Name
	}
	return t.captured.relation.Key
}

// renumber returns the numbers of the columns that come with a change. Those of new ones are in the details.
func (t *target) renumber(change plugin.SchemaChange, details map[string]detail) []int {
	numbers := make([]int, len(change.New.Columns))
	for i, c := range change.New.Columns {
		name := c.Name
		if k := slices.IndexFunc(change.Renamed, func(r plugin.Rename) bool { return r.To == name }); k >= 0 {
			name = change.Renamed[k].From
		}
		if at := t.out.Index(name); at >= 0 {
			numbers[i] = t.numbers[at]
		} else if d := details[c.Name]; d.same {
			numbers[i] = d.number
		}
	}
	return numbers
}

// relation is a table as the log describes it.
type relation struct {
	*pgoutput.Relation
	ready  bool
	target *target // nil: the job does not read it
	fields []field
	absent []column.Column // of the target; the log does not have them
	key    []int           // positions of the key's columns; nil if there is no key
	cut    int             // position of the column that the snapshot is cut by, -1 if there is none
}

// field is one column of a relation.
type field struct {
	at    int // the column of the target, -1 if it has none
	dec   postgres.Decoder
	oid   uint32 // whose binary form dec reads
	elem  uint32
	money bool
}

// target returns what a relation is captured as, nil if it is not.
func (s *stream) target(r *relation) *target {
	for _, t := range s.targets {
		if t.out.ID.Name == r.Name && t.out.ID.Schema == r.Schema {
			return t
		}
	}
	return nil
}

// relationOf returns the relation of a change, made ready for it: only now is it sure that its description is in force.
func (s *stream) relationOf(ctx context.Context, out plugin.Out, oid uint32) (*relation, error) {
	if s.last != nil && s.last.OID == oid {
		return s.last, nil
	}
	r := s.relations[oid]
	if r == nil {
		return nil, fmt.Errorf("the server has sent a change of the table %d without describing it", oid)
	}
	if !r.ready {
		if err := s.resolve(ctx, out, r); err != nil {
			return nil, err
		}
	}
	s.last = r
	return r, nil
}

// resolve finds out how the rows of a relation become rows of its target.
func (s *stream) resolve(ctx context.Context, out plugin.Out, r *relation) error {
	t := s.target(r)
	if t == nil {
		r.ready = true
		return s.checkRenamed(r)
	}
	types := make([]typeInfo, len(r.Columns))
	for i, c := range r.Columns {
		var err error
		if types[i], err = s.typeOf(ctx, c); err != nil {
			return err
		}
	}
	if err := s.follow(ctx, out, t, r, types); err != nil {
		return err
	}
	if err := s.bind(r, t, types); err != nil {
		return err
	}
	r.ready, r.target = true, t
	return nil
}

// checkRenamed refuses to lose the changes of a table that has got another name.
func (s *stream) checkRenamed(r *relation) error {
	for _, t := range s.targets {
		if t.captured.oid == r.OID {
			return &plugin.Error{Code: plugin.CodeNotFound, Table: t.out.ID,
				Err: fmt.Errorf("the table has been renamed to %s.%s", r.Schema, r.Name),
				Fix: "rename it back, or start the job with its new name: from a savepoint that makes it another table, " +
					"copied anew"}
		}
	}
	return nil
}

// bind makes the fields of a relation.
func (s *stream) bind(r *relation, t *target, types []typeInfo) error {
	r.fields = make([]field, len(r.Columns))
	have := make([]bool, len(t.out.Columns))
	r.cut, r.key, r.absent = -1, nil, nil
	cut := t.cut()
	for i, c := range r.Columns {
		at := t.out.Index(c.Name)
		r.fields[i] = field{at: at}
		if c.Name == cut {
			r.cut = i
		}
		if at < 0 {
			continue
		}
		have[at] = true
		want, info := t.out.Columns[at], types[i]
		if !fits(want.Type, info.form.Type) {
			return typeChanged(t.out.ID, want, info.form.Type.String())
		}
		if info.text && !s.text {
			s.text = true
			return errReconnect
		}
		dec, err := postgres.NewDecoder(t.builder.Column(at), want.Type, info.form.OID, s.unchecked())
		if err != nil {
			return err
		}
		r.fields[i] = field{at: at, dec: dec, oid: info.form.OID, elem: postgres.Element(info.form.OID), money: info.money}
	}
	for i, ok := range have {
		if !ok {
			r.absent = append(r.absent, t.builder.Column(i))
		}
	}
	for _, k := range t.out.Key {
		for i, f := range r.fields {
			if f.at == k {
				r.key = append(r.key, i)
			}
		}
	}
	if len(r.key) < len(t.out.Key) {
		return &plugin.Error{Code: plugin.CodeConfig, Table: t.out.ID,
			Err: errors.New("a column of the key is gone or has another name"), Fix: "start the job afresh"}
	}
	return nil
}

// unchecked reports whether texts of the database may be no UTF-8.
func (s *stream) unchecked() bool {
	return s.conn.session.Conn().ParameterStatus("server_encoding") == "SQL_ASCII"
}

// fits reports whether values of one type can be decoded into a column of another.
func fits(want, have plugin.Type) bool {
	if want.Kind != have.Kind {
		return false
	}
	switch want.Kind {
	case plugin.Array:
		return fits(*want.Elem, *have.Elem)
	case plugin.Decimal, plugin.Time, plugin.Timestamp:
		return true // a value that does not fit is an error
	}
	return want.Equal(have)
}

func typeChanged(id plugin.TableID, want plugin.Column, have string) error {
	return &plugin.Error{Code: plugin.CodeType, Table: id,
		Err: fmt.Errorf("the type of the column %s has changed from %s to %s", want.Name, want.Type, have),
		Fix: "set debezium { include.schema.changes = true }, so that such changes travel to the sinks, " +
			"or start the job afresh"}
}

// typeInfo is how values of a type arrive and are read.
type typeInfo struct {
	form  postgres.Form
	text  bool // its binary form is not known: it must come as text
	money bool
}

const oidMoney = 790

// typeOf looks a type up. Domains are the types below them.
func (s *stream) typeOf(ctx context.Context, c pgoutput.Column) (typeInfo, error) {
	form := postgres.FormOf(c.Type, c.Mod)
	if !form.Cast {
		return typeInfo{form: form}, nil
	}
	if info, ok := s.types[c.Type]; ok {
		return info, nil
	}
	info := typeInfo{form: form, text: true, money: c.Type == oidMoney}
	rows, err := s.catalog(ctx, `WITH RECURSIVE d(oid, mod, kind, base) AS (
			SELECT oid, typtypmod, typtype, typbasetype FROM pg_type WHERE oid = $1::oid
			UNION ALL SELECT t.oid, CASE WHEN t.typtype = 'd' AND d.mod < 0 THEN t.typtypmod ELSE d.mod END, t.typtype,
				t.typbasetype
				FROM d JOIN pg_type t ON d.kind = 'd' AND t.oid = d.base)
		SELECT oid::text, mod::text, kind::text FROM d WHERE kind <> 'd'`, strconv.FormatUint(uint64(c.Type), 10))
	if err != nil {
		return info, err
	}
	if len(rows) > 0 {
		oid, err := strconv.ParseUint(string(rows[0][0]), 10, 32)
		mod, err2 := strconv.ParseInt(string(rows[0][1]), 10, 32)
		if err := errors.Join(err, err2); err != nil {
			return info, err
		}
		info.form = postgres.FormOf(uint32(oid), int32(mod))
		info.money = oid == oidMoney
		info.text = info.form.Cast && string(rows[0][2]) != "e" // the binary form of an enum's value is its text
	}
	s.types[c.Type] = info
	return info, nil
}

// add appends a value to its column.
func (s *stream) add(f *field, v pgoutput.Value) error {
	switch v.Form {
	case pgoutput.Binary:
		return f.dec.Append(v.Data)
	case pgoutput.Text:
		var err error
		if f.money {
			s.scratch, err = pgoutput.AppendMoney(s.scratch[:0], v.Data)
		} else {
			s.scratch, err = pgoutput.AppendBinary(s.scratch[:0], f.oid, f.elem, v.Data)
		}
		if err != nil {
			return err
		}
		return f.dec.Append(s.scratch)
	}
	f.dec.AppendNull()
	return nil
}

// badCell names the place and the value of a cell that its column cannot hold.
func (s *stream) badCell(r *relation, i int, v pgoutput.Value, values []pgoutput.Value, err error) error {
	c := r.target.out.Columns[r.fields[i].at]
	e := &plugin.Error{Code: plugin.CodeData, Table: r.target.out.ID, Row: "change at " + s.begin.Final.String(),
		Err: fmt.Errorf("column %s is %s (%s), its value %s: %w", c.Name, c.Type, c.SourceType, show(r.fields[i], v), err),
		Fix: "correct the value at the source; the job reads the log from here, so start it afresh after that",
	}
	if postgres.IsSpecial(err) {
		e.Fix = "set special_values = NULL, which reads such values as null"
	}
	var keys []string
	for _, k := range r.key {
		if k < len(values) {
			keys = append(keys, r.Columns[k].Name+" = "+show(r.fields[k], values[k]))
		}
	}
	if len(keys) > 0 {
		e.Row = "row with " + strings.Join(keys, ", ") + ", " + e.Row
	}
	return e
}

func show(f field, v pgoutput.Value) string {
	if v.Form == pgoutput.Binary {
		return postgres.Show(f.oid, v.Data)
	}
	return cmp.Or(string(v.Data[:min(len(v.Data), 64)]), "empty or null")
}
