package mysqlcdc

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/internal/mysql/wire"
	"github.com/culvertdata/culvert/plugin/jdbc/mysql"
	"github.com/culvertdata/culvert/plugin/mysqlcdc/internal/binlog"
	"github.com/culvertdata/culvert/plugin/mysqlcdc/internal/ddl"
)

// view is a consistent view of one table in a session's transaction.
type view struct {
	// at is the place of the log that the view shows; exact says that it is no earlier one.
	at    place
	exact bool
	// columns are the table's in the view. The table cannot be altered before the transaction ends.
	columns ddl.Table
	table   plugin.TableID
	opened  time.Time
}

// viewTries is how often a view is opened anew because the table was altered meanwhile.
const viewTries = 20

// errAltered is the server's number for a table that was altered after the view was opened.
const errAltered = 1412

// openView opens a view of a table whose columns were the given ones at some time before. The table may be altered
// between the opening and the first look at it, and not every server notices; so the columns must be the same before
// and after.
func openView(ctx context.Context, s *mysql.Session, v viewer, id plugin.TableID, before ddl.Table) (*view, error) {
	for range viewTries {
		now := view{table: id, opened: time.Now()}
		altered := false
		err := s.Run(ctx, func(c *wire.Conn) (err error) {
			if now.at, now.exact, err = v.begin(ctx, c, id); err != nil {
				return err
			}
			if _, err = c.Exec("SELECT 1 FROM " + tableName(id) + " LIMIT 1"); isNumber(err, errAltered) {
				altered = true
				_, err = c.Exec("ROLLBACK")
				return err
			}
			if err != nil {
				return err
			}
			var found bool
			if now.columns, found, err = readColumns(c, id); err == nil && !found {
				err = missing(id, nil)
			}
			return err
		})
		if err != nil {
			return nil, err
		}
		if !altered && sameColumns(&now.columns, &before) {
			return &now, nil
		}
		if !altered {
			before = now.columns
		}
		if err := s.Run(ctx, func(c *wire.Conn) error { _, err := c.Exec("ROLLBACK"); return err }); err != nil {
			return nil, err
		}
	}
	return nil, &plugin.Error{
		Code: plugin.CodeUnavailable, Table: id, Retry: true,
		Err: fmt.Errorf("the table was altered %d times while it was to be read", viewTries),
	}
}

// viewer knows how to open a view whose place in the log is known.
type viewer struct {
	// exact asks for it at any price.
	exact bool
	// plain says that the server does not tell the place of a view, as MySQL does not.
	plain bool
	// connect makes the session that locks a table for a moment.
	connect connector
}

const startView = "START TRANSACTION WITH CONSISTENT SNAPSHOT"

// begin starts the transaction of a view.
//
// MariaDB tells at which place of its log a view was opened. MySQL does not, and writes a transaction to its log a
// moment before it is visible. So there the place is known only while nobody writes the table: exact takes a lock that
// lasts no longer than the opening of the view. Without it the view's place is not known: the caller has to take one
// that is surely before.
func (v viewer) begin(ctx context.Context, c *wire.Conn, id plugin.TableID) (place, bool, error) {
	if v.plain && v.exact {
		at, err := v.locked(ctx, c, id)
		return at, true, err
	}
	if _, err := c.Exec(startView); err != nil {
		return place{}, false, err
	}
	if v.plain {
		return place{}, false, nil
	}
	rows, err := c.Rows("SHOW STATUS LIKE 'binlog_snapshot_%'")
	if err != nil {
		return place{}, false, err
	}
	return snapshotPlace(rows)
}

func snapshotPlace(rows [][]any) (place, bool, error) {
	var at place
	for _, row := range rows {
		switch name, value := strings.ToLower(wire.String(row[0])), wire.String(row[1]); name {
		case "binlog_snapshot_file":
			at.File = value
		case "binlog_snapshot_position":
			if _, err := fmt.Sscanf(value, "%d", &at.Pos); err != nil {
				return at, false, fmt.Errorf("binlog_snapshot_position: %q is no number", value)
			}
		}
	}
	return at, at.File != "", nil
}

// locked opens the view while a lock keeps the table as it is: a transaction that wrote to it and is not visible yet
// would keep the lock from being granted.
func (v viewer) locked(ctx context.Context, c *wire.Conn, id plugin.TableID) (at place, err error) {
	other, err := v.connect(ctx)
	if err != nil {
		return at, err
	}
	defer func() { err = errors.Join(err, other.Close()) }()
	err = other.Run(ctx, func(o *wire.Conn) error {
		if _, err := o.Exec("LOCK TABLES " + tableName(id) + " READ"); err != nil {
			return err
		}
		if at, err = binlog.Current(o); err != nil {
			return err
		}
		if _, err := c.Exec(startView); err != nil {
			return err
		}
		_, err := o.Exec("UNLOCK TABLES")
		return err
	})
	at.GTIDs = nil
	return at, err
}

func isNumber(err error, number uint16) bool {
	var answer *wire.Error
	return errors.As(err, &answer) && answer.Number == number
}

func tableName(id plugin.TableID) string { return quote(id.Database) + "." + quote(id.Name) }

// quote writes a name so that any text may be one.
func quote(name string) string { return "`" + strings.ReplaceAll(name, "`", "``") + "`" }
