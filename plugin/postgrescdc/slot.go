package postgrescdc

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/jdbc/postgres"
	"github.com/culvertdata/culvert/plugin/postgrescdc/internal/pgoutput"
)

// SQLSTATEs about slots.
const (
	slotInUse   = "55006"
	slotMissing = "42704"
	slotExists  = "42710"
	slotLost    = "55000"
)

// slotPoll is the pause between two attempts to get a slot that another connection holds.
const slotPoll = 200 * time.Millisecond

// slot is what the server says about a slot.
type slot struct {
	confirmed pgoutput.LSN // where the stream goes on; everything before is forgotten
	lost      bool
}

// readSlot looks up the job's slot; nil if there is none.
func (s *Source) readSlot(ctx context.Context, c *postgres.Session) (*slot, error) {
	name := s.options.Slot
	rows, err := c.Query(ctx, `SELECT coalesce(plugin, ''), coalesce(database, ''),
			coalesce(confirmed_flush_lsn, '0/0')::text, coalesce(wal_status = 'lost', false)::text
		FROM pg_replication_slots WHERE slot_name = $1`, name)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	row := rows[0]
	switch {
	case string(row[0]) == "":
		return nil, configError(fmt.Errorf("the replication slot %s is a physical one", name), "choose another slot.name")
	case string(row[0]) != "pgoutput":
		return nil, configError(
			fmt.Errorf("the replication slot %s was made for the plugin %s, not for pgoutput", name, row[0]),
			"choose another slot.name, or drop it: "+dropSlot(name))
	case string(row[1]) != s.server.Database():
		return nil, configError(fmt.Errorf("the replication slot %s is one of the database %s", name, row[1]),
			"choose another slot.name")
	}
	confirmed, err := pgoutput.ParseLSN(string(row[2]))
	return &slot{confirmed, string(row[3]) == "true"}, err
}

func dropSlot(name string) string {
	return "SELECT pg_drop_replication_slot(" + postgres.Literal(name) + ")"
}

// checkSlot makes sure that the slot still has everything from a position on.
func (s *Source) checkSlot(ctx context.Context, c *postgres.Session, from pgoutput.LSN) error {
	have, err := s.readSlot(ctx, c)
	name := s.options.Slot
	switch {
	case err != nil:
		return err
	case have == nil:
		return &plugin.Error{Code: plugin.CodeNotFound,
			Err: fmt.Errorf("the replication slot %s is gone: the changes since %s cannot be read any more", name, from),
			Fix: "start the job afresh, without its savepoint: it makes a new snapshot"}
	case have.lost:
		return s.lost()
	case have.confirmed > from:
		return &plugin.Error{Code: plugin.CodeNotFound,
			Err: fmt.Errorf("the replication slot %s stands at %s, behind the job's position %s: the changes between them were "+
				"given to somebody else, or the job goes on from an old savepoint", name, have.confirmed, from),
			Fix: "give each job a slot.name of its own, and start the job afresh"}
	}
	return nil
}

func (s *Source) lost() error {
	name := s.options.Slot
	return &plugin.Error{Code: plugin.CodeNotFound,
		Err: fmt.Errorf("the server has invalidated the replication slot %s: it kept too much of the log for it", name),
		Fix: "drop it, " + dropSlot(name) + ", start the job afresh, and raise max_slot_wal_keep_size"}
}

// makeSlot makes the slot and exports the snapshot that goes with it. The snapshot lives until the session is closed.
func (s *Source) makeSlot(ctx context.Context) (*postgres.Session, pgoutput.LSN, string, error) {
	c, err := s.server.Replication(ctx)
	if err != nil {
		return nil, 0, "", err
	}
	rows, err := c.Rows(ctx, "CREATE_REPLICATION_SLOT "+postgres.Quote(s.options.Slot)+" LOGICAL pgoutput EXPORT_SNAPSHOT")
	if err != nil {
		c.Close()
		return nil, 0, "", err
	}
	if len(rows) == 0 || len(rows[0]) < 3 {
		c.Close()
		return nil, 0, "", errors.New("the server does not tell about the slot that it has made")
	}
	at, err := pgoutput.ParseLSN(string(rows[0][1]))
	if err != nil {
		c.Close()
		return nil, 0, "", err
	}
	s.env.Logger.Info("replication slot made; it stays when the job ends",
		"slot", s.options.Slot, "at", at, "drop", dropSlot(s.options.Slot))
	return c, at, string(rows[0][2]), nil
}

// advanceSlot moves a slot to the end of the log: what it kept is not wanted.
func (s *Source) advanceSlot(ctx context.Context, c *postgres.Session) (pgoutput.LSN, error) {
	deadline := s.env.Now().Add(s.options.Timeout)
	for {
		rows, err := c.Query(ctx, "SELECT end_lsn::text FROM pg_replication_slot_advance($1, pg_current_wal_insert_lsn())",
			s.options.Slot)
		if err == nil {
			return pgoutput.ParseLSN(string(rows[0][0]))
		}
		if postgres.ServerCode(err) != slotInUse {
			return 0, err
		}
		if s.env.Now().After(deadline) {
			return 0, s.inUse(err)
		}
		if err := plugin.Sleep(ctx, slotPoll); err != nil {
			return 0, err
		}
	}
}

func (s *Source) inUse(err error) error {
	return &plugin.Error{Code: plugin.CodeConfig,
		Err: fmt.Errorf("the replication slot %s is in use: %w", s.options.Slot, err),
		Fix: "another job or program reads it: give each job a slot.name of its own"}
}
