package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/culvertdata/culvert/plugin"
)

// explain turns an error of the server or the network into one that says what to do.
func (d *database) explain(err error) error {
	var known *plugin.Error
	if err == nil || errors.As(err, &known) || errors.Is(err, context.Canceled) {
		return err
	}
	if pg := serverError(err); pg != nil {
		return explainServer(pg, err)
	}
	var network net.Error
	if errors.As(err, &network) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, net.ErrClosed) || strings.Contains(err.Error(), "conn closed") {
		return &plugin.Error{
			Code: plugin.CodeUnavailable, Retry: true, Err: fmt.Errorf("the connection to %s was lost: %w", d.address(), err),
			Fix: "look into the server's log for the reason",
		}
	}
	return err
}

// explainConnect explains an error of making a connection.
func (d *database) explainConnect(err error) error {
	if pg := serverError(err); pg != nil {
		return explainServer(pg, pg)
	}
	e := &plugin.Error{
		Code: plugin.CodeUnavailable, Retry: true,
		Fix: "check that the server runs, and the host and the port in the url",
	}
	var op *net.OpError
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		e.Err = fmt.Errorf("%s does not answer within %s (connection_check_timeout_sec)", d.address(), d.timeout)
	case errors.As(err, &op):
		e.Err = fmt.Errorf("cannot connect to %s: %w", d.address(), op)
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF): // whatever was tried before, TLS for example
		e.Err = fmt.Errorf("%s ends the connection: %w", d.address(), err)
	case strings.Contains(err.Error(), "tls") || strings.Contains(err.Error(), "TLS"):
		e.Code, e.Retry = plugin.CodeConfig, false
		e.Err = fmt.Errorf("cannot connect to %s: %w", d.address(), err)
		e.Fix = "check sslmode and the certificates that the url names"
	default:
		e.Err = fmt.Errorf("cannot connect to %s: %w", d.address(), err)
	}
	return e
}

func (d *database) address() string {
	return fmt.Sprintf("%s/%s", net.JoinHostPort(d.config.Host, fmt.Sprint(d.config.Port)), d.config.Database)
}

func serverError(err error) *pgconn.PgError {
	var pg *pgconn.PgError
	errors.As(err, &pg)
	return pg
}

// advice is what an SQLSTATE means to a job.
type advice struct {
	code  plugin.Code
	retry bool
	fix   string
}

// states holds advice by SQLSTATE, or by its class.
var states = map[string]advice{
	"28":    {plugin.CodeDenied, false, "check user and password"},
	"3D000": {plugin.CodeNotFound, false, "check the database's name in the url"},
	"3F000": {plugin.CodeNotFound, false, "create the schema, or correct its name"},
	"42P01": {plugin.CodeNotFound, false, "check the name of the table, its schema, and the database in the url"},
	"42703": {plugin.CodeNotFound, false, "check the names of the columns"},
	"42501": {plugin.CodeDenied, false, "grant the user the right"},
	"25006": {plugin.CodeDenied, false, "the server or the user is read-only; write to the primary server"},
	"42804": {plugin.CodeType, false, "cast the column in a query, or change the target's type"},
	"42P10": {plugin.CodeConfig, false, "make a unique index on exactly the key's columns, or set enable_upsert = false"},
	"42P07": {plugin.CodeExists, true, ""},
	"42":    {plugin.CodeConfig, false, "check the SQL text"},
	"53100": {plugin.CodeUnavailable, true, "the server's disk is full: make room"},
	"53300": {plugin.CodeUnavailable, true, "raise the server's max_connections, or lower the parallelism"},
	"53":    {plugin.CodeUnavailable, true, "the server lacks resources"},
	"57":    {plugin.CodeUnavailable, true, "the server was stopped or ended the session; see its log"},
	"08":    {plugin.CodeUnavailable, true, "the connection was lost"},
	"40":    {plugin.CodeUnavailable, true, "another transaction was in the way; lower the parallelism if it lasts"},
	"55P03": {plugin.CodeUnavailable, true, "another transaction holds a lock"},
	"22":    {plugin.CodeData, false, "correct the value, or widen the target's column"},
	"23":    {plugin.CodeData, false, "correct the row, or relax the target table's constraints"},
	"0A000": {plugin.CodeConfig, false, ""},
	"58":    {plugin.CodeUnavailable, true, "see the server's log"},
	"XX":    {plugin.CodeInternal, false, "see the server's log"},
}

func explainServer(pg *pgconn.PgError, err error) error {
	a, ok := states[pg.Code]
	if !ok && len(pg.Code) == 5 {
		a, ok = states[pg.Code[:2]]
	}
	if !ok {
		a.code = plugin.CodeConfig
	}
	text := pg.Message
	if pg.Detail != "" {
		text += " (" + pg.Detail + ")"
	}
	return &plugin.Error{Code: a.code, Retry: a.retry, Fix: a.fix, Err: &stateError{text: text, pg: pg, err: err}}
}

// stateError is an error of the server in its own words.
type stateError struct {
	text string
	pg   *pgconn.PgError
	err  error
}

func (e *stateError) Error() string {
	return fmt.Sprintf("%s (SQLSTATE %s)", e.text, e.pg.Code)
}

func (e *stateError) Unwrap() error { return e.err }

// ofTable adds the table to an error that does not name it.
func ofTable(err error, id plugin.TableID) error {
	var e *plugin.Error
	if errors.As(err, &e) && e.Table.Name == "" {
		e.Table = id
	}
	return err
}

// quote writes a name so that any text may be one.
func quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// literal writes a text as SQL.
func literal(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }

// qualified writes the name of a table. The database is the one of the connection.
func qualified(id plugin.TableID) string {
	if id.Schema == "" {
		return quote(id.Name)
	}
	return quote(id.Schema) + "." + quote(id.Name)
}

func quoteAll(names []string) string {
	quoted := make([]string, len(names))
	for i, n := range names {
		quoted[i] = quote(n)
	}
	return strings.Join(quoted, ", ")
}
