package mysqlcdc

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/internal/mysql/wire"
	"github.com/culvertdata/culvert/plugin/mysqlcdc/internal/binlog"
)

// facts are what is known of a server.
type facts struct {
	mariaDB bool
	version int
	// identity tells servers apart, whose logs have files of the same names.
	identity string
	zone     *time.Location
	// plain says that the server does not tell the place of a view in the log.
	plain bool
	// noDuplicates says that after images leave out what did not change.
	noDuplicates bool
}

// learn asks a server what must be known of it, and checks that its log can be captured. All problems are reported
// together.
func learn(c *wire.Conn, o Options) (*facts, error) {
	f := &facts{mariaDB: c.MariaDB, version: versionOf(c)}
	rows, err := c.Rows(`SELECT @@log_bin, @@binlog_format, @@session.time_zone, @@system_time_zone`)
	if err != nil {
		return nil, err
	}
	row := rows[0]
	var errs []error
	if on := wire.String(row[0]); on != "1" && !strings.EqualFold(on, "ON") {
		return nil, configError(errors.New("the server writes no binary log"),
			"set log_bin, server_id and binlog_format = ROW in the server's configuration and restart it")
	}
	if format := wire.String(row[1]); !strings.EqualFold(format, "ROW") {
		errs = append(errs, configError(fmt.Errorf("the server's binlog_format is %s", format),
			"set binlog_format = ROW, and let sessions that were open before connect anew"))
	}
	errs = append(errs, f.checkImage(c), f.checkVersion(c))
	if f.identity, err = readIdentity(c); err != nil {
		return nil, err
	}
	f.zone, err = zoneOf(o, wire.String(row[2]), wire.String(row[3]))
	errs = append(errs, err, checkRights(c))
	rows, err = c.Rows("SHOW STATUS LIKE 'binlog_snapshot_%'")
	if err != nil {
		return nil, errors.Join(append(errs, err)...)
	}
	_, known, err := snapshotPlace(rows)
	f.plain = !known
	errs = append(errs, err)
	return f, errors.Join(errs...)
}

func (f *facts) checkVersion(c *wire.Conn) error {
	if f.mariaDB && f.version < 100000 || !f.mariaDB && f.version < 50600 {
		return configError(fmt.Errorf("the server's version is %s", c.Version), "MySQL 5.7 or MariaDB 10.2 is needed")
	}
	return nil
}

// checkImage demands whole rows: what a sink would not get, it would lose.
func (f *facts) checkImage(c *wire.Conn) error {
	rows, err := c.Rows("SELECT @@binlog_row_image")
	if err != nil {
		var old *wire.Error
		if errors.As(err, &old) {
			return nil // a server that knows no other images than whole ones
		}
		return err
	}
	switch image := strings.ToUpper(wire.String(rows[0][0])); image {
	case "FULL":
		return nil
	case "FULL_NODUP":
		f.noDuplicates = true
		return nil
	default:
		return configError(fmt.Errorf("the server's binlog_row_image is %s", image),
			"set binlog_row_image = FULL: otherwise the log lacks columns that did not change")
	}
}

// readIdentity returns what tells a server from its replicas.
func readIdentity(c *wire.Conn) (string, error) {
	name := "@@server_uuid"
	if c.MariaDB {
		name = "@@server_id"
	}
	rows, err := c.Rows("SELECT " + name)
	if err != nil {
		return "", err
	}
	return strings.TrimPrefix(name, "@@") + " " + wire.String(rows[0][0]), nil
}

// zoneOf returns the time zone of TIMESTAMP values: the job's, else the session's.
func zoneOf(o Options, session, system string) (*time.Location, error) {
	if o.Zone != "" {
		return loadZone(o.Zone)
	}
	name := session
	if strings.EqualFold(session, "SYSTEM") {
		name = system
	}
	zone, err := loadZone(name)
	if err != nil {
		if zone, err = binlog.Zone(name); err != nil {
			return nil, configError(
				fmt.Errorf("server-time-zone: the server's own time zone is called %q, which is not clear", name),
				"set server-time-zone, for example Europe/Berlin or +02:00")
		}
	}
	return zone, nil
}

// checkRights looks for the right to read the log. What a user has by a role does not show, so only a user without any
// role is refused.
func checkRights(c *wire.Conn) error {
	rows, err := c.Rows("SHOW GRANTS")
	if err != nil {
		return nil // nothing is known then; reading the log tells
	}
	for _, row := range rows {
		grant := strings.ToUpper(wire.String(row[0]))
		rights, _, ok := strings.Cut(strings.TrimPrefix(grant, "GRANT "), " ON ")
		global := strings.Contains(grant, " ON *.*")
		enough := strings.Contains(rights, "REPLICATION SLAVE") || strings.Contains(rights, "ALL PRIVILEGES")
		if !ok || global && enough {
			return nil
		}
	}
	return &plugin.Error{
		Code: plugin.CodeDenied, Err: errors.New("the user may not read the binary log"),
		Fix: "GRANT SELECT, REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO the user",
	}
}
