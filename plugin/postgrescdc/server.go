package postgrescdc

import (
	"context"
	"errors"
	"fmt"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/jdbc/postgres"
)

// minVersion is the first version of the server that can send binary values.
const minVersion = 140000

// checkServer checks what a job needs of the server beside its tables.
func (s *Source) checkServer(ctx context.Context, c *postgres.Session) error {
	rows, err := c.Query(ctx, `SELECT current_setting('server_version_num')::int < $1::int, pg_is_in_recovery(),
			current_setting('wal_level') <> 'logical',
			NOT EXISTS (SELECT FROM pg_roles WHERE rolname = current_user AND (rolsuper OR rolreplication))
				AND NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'rds_replication' AND pg_has_role(oid, 'member')),
			NOT EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = $2)
				AND (SELECT count(*) FROM pg_replication_slots) >= current_setting('max_replication_slots')::int,
			current_setting('server_version'), current_setting('wal_level'), current_user`,
		fmt.Sprint(minVersion), s.options.Slot)
	if err != nil {
		return err
	}
	row := rows[0]
	is := func(i int) bool { return string(row[i]) == "t" }
	switch {
	case is(0):
		return configError(fmt.Errorf("the server is PostgreSQL %s", row[5]), "it must be PostgreSQL 14 or later")
	case is(1):
		return configError(errors.New("the server is a standby, which has no replication slots of its own"),
			"name the primary server in base-url")
	case is(2):
		return configError(fmt.Errorf("the server's wal_level is %s: its log does not tell rows", row[6]),
			"set wal_level = logical in postgresql.conf, or ALTER SYSTEM SET wal_level = 'logical', and restart the server")
	case is(3):
		return &plugin.Error{Code: plugin.CodeDenied, Err: fmt.Errorf("the user %s may not replicate", row[7]),
			Fix: fmt.Sprintf("ALTER ROLE %s REPLICATION", postgres.Quote(string(row[7])))}
	case is(4):
		return configError(fmt.Errorf("the server has no room for the replication slot %s", s.options.Slot),
			"drop a slot that nobody needs, SELECT pg_drop_replication_slot(name), or raise max_replication_slots")
	}
	return nil
}
