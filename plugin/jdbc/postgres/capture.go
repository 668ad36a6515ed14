package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/column"
	"github.com/culvertdata/culvert/plugin/jdbc"
)

// Server is a database as package postgrescdc uses it: what this dialect knows about connections, errors, tables and
// binary values, lent to change data capture. Its methods may be called from several goroutines.
type Server struct{ d *database }

// NewServer checks the options of a connection. It connects to nothing.
func NewServer(c jdbc.Connection) (*Server, error) {
	config, err := parseURL(c)
	if err != nil {
		return nil, err
	}
	return &Server{newDatabase(config, c)}, nil
}

// Database returns the name of the database.
func (s *Server) Database() string { return s.d.config.Database }

// JDBC returns the database as the Jdbc source knows it.
func (s *Server) JDBC() jdbc.Database { return s.d }

// Session starts a session.
func (s *Server) Session(ctx context.Context) (*Session, error) {
	c, err := s.d.connect(ctx)
	return &Session{c}, err
}

// Replication starts a session that takes the commands of logical replication, too.
func (s *Server) Replication(ctx context.Context) (*Session, error) {
	c, err := s.d.connectWith(ctx, map[string]string{"replication": "database"})
	return &Session{c}, err
}

// Session is one connection. It belongs to one goroutine.
type Session struct{ s *session }

// Conn returns the connection itself.
func (c *Session) Conn() *pgconn.PgConn { return c.s.PgConn }

// Exec runs statements without parameters in one go.
func (c *Session) Exec(ctx context.Context, sql string) error { return c.s.exec(ctx, sql) }

// Query runs a statement with parameters in text form and returns its rows in text form; null is a nil slice.
func (c *Session) Query(ctx context.Context, sql string, args ...string) ([][][]byte, error) {
	return c.s.query(ctx, sql, args...)
}

// Rows runs a statement without parameters by the simple protocol, which is all that a replication session
// understands, and returns the rows of its last result.
func (c *Session) Rows(ctx context.Context, sql string) ([][][]byte, error) {
	results, err := c.s.Exec(ctx, sql).ReadAll()
	if err != nil {
		return nil, c.s.explained(ctx, err)
	}
	return results[len(results)-1].Rows, nil
}

// Send sends a statement without waiting for its answer.
func (c *Session) Send(sql string) error { return c.s.send(sql) }

// CopyData returns the body of the next message if it is one of a COPY, valid until the next call; ok is false if it is
// another one, which Conn's ReceiveMessage returns. After a deadline it can be called again: nothing is lost.
func (c *Session) CopyData() (body []byte, ok bool, err error) { return c.s.wire.copyData() }

// Buffered reports whether bytes have come that CopyData did not return yet.
func (c *Session) Buffered() bool { return c.s.wire.rp < c.s.wire.wp }

// Explain turns an error of the server or the network into one that says what to do.
func (c *Session) Explain(ctx context.Context, err error) error { return c.s.explained(ctx, err) }

// Close ends the connection.
func (c *Session) Close() error { return c.s.Close() }

// Describe returns a table as the Jdbc source reads it, without the columns that the server computes, which logical
// replication leaves out. key is the column to cut by; empty lets the dialect choose.
func (s *Server) Describe(ctx context.Context, in jdbc.Catalog, id plugin.TableID, key string) (*jdbc.Relation, error) {
	c := in.(*catalog)
	if err := c.alive(ctx); err != nil {
		return nil, err
	}
	relation, err := settled(func() (*jdbc.Relation, error) {
		return c.describeStored(ctx, jdbc.Request{Path: id.String(), Key: key}, id)
	})
	return relation, ofTable(err, id)
}

func (c *catalog) describeStored(ctx context.Context, r jdbc.Request, id plugin.TableID) (*jdbc.Relation, error) {
	from, err := readStructure(ctx, c.s, id)
	if err != nil {
		return nil, err
	}
	if from == nil {
		return nil, noTable(ctx, c.s, id)
	}
	rows, err := c.s.query(ctx,
		"SELECT attname FROM pg_attribute WHERE attrelid = $1::oid AND attgenerated <> ''", from.oid)
	if err != nil {
		return nil, err
	}
	for _, row := range rows {
		from.drop(string(row[0]))
	}
	columns, forms, err := c.columns(ctx, "SELECT "+quoteAll(from.names())+" FROM "+qualified(id))
	if err != nil {
		return nil, err
	}
	t := plugin.Table{ID: id, Columns: columns, Catalog: catalogName}
	from.describe(&t)
	relation := &jdbc.Relation{Request: r}
	if relation.Table, err = plugin.NewTable(t); err != nil {
		return nil, err
	}
	p := &plan{forms: forms, table: qualified(id)}
	if err := chooseKey(relation, from, p); err != nil {
		return nil, err
	}
	relation.From = fromClause(relation, id, p)
	c.d.remember(relation, p)
	return relation, nil
}

// drop leaves out a column and the indexes on it.
func (t *structure) drop(name string) {
	at := slices.IndexFunc(t.columns, func(c columnInfo) bool { return c.name == name })
	if at < 0 {
		return
	}
	t.columns = slices.Delete(t.columns, at, at+1)
	t.indexes = slices.DeleteFunc(t.indexes, func(x index) bool { return slices.Contains(x.columns, at) })
	for _, x := range t.indexes {
		for i, c := range x.columns {
			if c > at {
				x.columns[i]--
			}
		}
	}
}

// View says what the transaction of a scanner sees.
type View struct {
	// Snapshot is pg_current_snapshot().
	Snapshot string
	// End is where the log ended when the view was open: all that it sees was committed before.
	End string
	// Exported says that it is the exported snapshot.
	Exported bool
	// Shape is that of the table, which does not change while the view is open.
	Shape string
}

// shape is an expression for the types and names of a table's columns as they are, and not as a snapshot sees them.
func shape(ctx context.Context, s *session, table string) (string, error) {
	desc, err := s.Prepare(ctx, "", "SELECT * FROM "+table, nil)
	if err != nil {
		return "", s.explained(ctx, err)
	}
	var b strings.Builder
	for _, f := range desc.Fields {
		fmt.Fprintf(&b, "%q %d %d,", f.Name, f.DataTypeOID, f.TypeModifier)
	}
	return b.String(), nil
}

// files is an expression for the files of a table and its partitions. A statement that writes a table anew, such as one
// that changes the type of a column, makes new ones, which are empty for older snapshots.
func files(table string) string {
	oid := literal(table) + "::regclass"
	return `(SELECT string_agg(pg_relation_filenode(relid)::text, ' ' ORDER BY relid) FROM (
		SELECT relid::oid FROM pg_partition_tree(` + oid + `) UNION SELECT ` + oid + `::oid) x)`
}

// Layout is how a table is laid out when a job is planned.
type Layout struct{ Shape, Files string }

// Layout reads the layout of a table.
func (c *Session) Layout(ctx context.Context, id plugin.TableID) (Layout, error) {
	text, err := c.s.value(ctx, "SELECT "+files(qualified(id)))
	if err != nil {
		return Layout{}, err
	}
	form, err := shape(ctx, c.s, qualified(id))
	return Layout{Shape: form, Files: string(text)}, err
}

// BeginView gives a scanner a repeatable-read transaction for the ranges of a table that it reads next: of the exported
// snapshot, or of a new one if that is empty or gone, or if the table was written anew since its layout was read. The
// table cannot be altered until EndView.
func (s *Server) BeginView(ctx context.Context, in jdbc.Scanner, id plugin.TableID, l Layout, exported string) (
	View, error) {
	sc := in.(*scanner)
	if sc.open || sc.s.IsClosed() || sc.s.TxStatus() != 'I' {
		if err := sc.renew(ctx); err != nil {
			return View{}, err
		}
	}
	table := qualified(id)
	const begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;"
	look := "LOCK TABLE " + table + " IN ACCESS SHARE MODE;" +
		"SELECT pg_current_snapshot()::text, pg_current_wal_insert_lsn()::text, " + files(table)
	c := &Session{sc.s}
	var rows [][][]byte
	var err error
	own := exported == ""
	if !own {
		rows, err = c.Rows(ctx, begin+"SET TRANSACTION SNAPSHOT "+literal(exported)+";"+look)
		if err != nil && serverError(err) == nil {
			return View{}, err
		}
		if own = err != nil || string(rows[0][2]) != l.Files; own {
			if err := sc.s.rollback(ctx); err != nil {
				return View{}, err
			}
		}
	}
	if own {
		if rows, err = c.Rows(ctx, begin+look); err != nil {
			return View{}, err
		}
	}
	v := View{Snapshot: string(rows[0][0]), End: string(rows[0][1]), Exported: !own}
	v.Shape, err = shape(ctx, sc.s, table)
	return v, err
}

// Reshape returns a relation that reads the columns of another version of its table: sql is a query that makes them out
// of those that the table has now. A view of the scanner is open.
func (s *Server) Reshape(ctx context.Context, in jdbc.Scanner, r *jdbc.Relation, t *plugin.Table, sql string) (
	*jdbc.Relation, error) {
	c := &catalog{d: s.d, s: in.(*scanner).s}
	_, forms, err := c.columns(ctx, sql)
	if err != nil {
		return nil, ofTable(err, t.ID)
	}
	p := *s.d.plan(r)
	p.forms, p.places = forms, false
	p.key.position = t.Index(r.Key)
	reshaped := *r
	reshaped.Table, reshaped.From = t, "("+sql+") q"
	s.d.remember(&reshaped, &p)
	return &reshaped, nil
}

// EndView ends the transaction of BeginView. It follows a Read that returned io.EOF.
func (s *Server) EndView(ctx context.Context, in jdbc.Scanner) error {
	return in.(*scanner).s.exec(ctx, "COMMIT")
}

// Form is how a column of a PostgreSQL type becomes one of a [plugin.Table].
type Form struct {
	Type   plugin.Type
	Length int64
	// OID is the type whose binary form fills the column.
	OID uint32
	// Cast says that the Jdbc source casts values to OID before it reads them.
	Cast bool
}

// FormOf returns the form of a type, which must be no domain, and its modifier.
func FormOf(oid uint32, mod int32) Form {
	f := formOf(oid, mod)
	return Form{f.typ, f.length, f.oid, f.cast != ""}
}

// Element returns the type of the elements of an array type, 0 if it is none that is read as an array.
func Element(oid uint32) uint32 { return arrays[oid] }

// Decoder appends values in their binary form to one column.
type Decoder struct{ cell cell }

// NewDecoder returns the decoder that fills a column with values of a form. check is for databases whose texts may hold
// any bytes.
func NewDecoder(c column.Column, t plugin.Type, oid uint32, check bool) (Decoder, error) {
	cell, err := newCell(c, t, oid, check)
	return Decoder{cell}, err
}

// Append appends a value; after an error the row must be rolled back.
func (d Decoder) Append(v []byte) error { return d.cell.add(v) }

// AppendNull appends a null.
func (d Decoder) AppendNull() { d.cell.AppendNull() }

// IsSpecial reports that a value has no counterpart, such as the date infinity.
func IsSpecial(err error) bool { return errors.Is(err, errSpecial) }

// Show prints a value in its binary form for an error message.
func Show(oid uint32, v []byte) string { return show(oid, v) }

// Quote writes a name as SQL, Literal a text, and Qualified the name of a table.
func Quote(name string) string { return quote(name) }

// Literal writes a text as SQL.
func Literal(text string) string { return literal(text) }

// Qualified writes the name of a table as SQL. The database is the one of the connection.
func Qualified(id plugin.TableID) string { return qualified(id) }

// ServerCode returns the SQLSTATE of a server's error, empty if it is none.
func ServerCode(err error) string {
	if pg := serverError(err); pg != nil {
		return pg.Code
	}
	return ""
}

// NoTable is the error of a missing table, with the nearest name of those that are there.
func NoTable(ctx context.Context, c *Session, id plugin.TableID) error { return noTable(ctx, c.s, id) }

// PlainDefault returns the value of a default that is a plain literal, nil for expressions.
func PlainDefault(sql string) *string { return plainDefault(sql) }
