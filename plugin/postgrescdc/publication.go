package postgrescdc

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/internal/cdc"
	"github.com/culvertdata/culvert/plugin/jdbc/postgres"
)

// publish makes the publication, or adds the tables to it that it lacks.
func (s *Source) publish(ctx context.Context, c *postgres.Session, tables []plugin.TableID) error {
	name := s.options.publication()
	rows, err := c.Query(ctx, `SELECT puballtables::text, (pubinsert AND pubupdate AND pubdelete)::text, pubviaroot::text,
			pubtruncate::text
		FROM pg_publication WHERE pubname = $1`, name)
	if err != nil {
		return err
	}
	statement := "CREATE PUBLICATION " + postgres.Quote(name) + " FOR TABLE %s WITH (publish_via_partition_root = true)"
	missing := tables
	if len(rows) > 0 {
		if string(rows[0][1]) != "true" {
			return configError(fmt.Errorf("the publication %s does not publish all of insert, update and delete", name),
				fmt.Sprintf("ALTER PUBLICATION %s SET (publish = 'insert, update, delete, truncate')", postgres.Quote(name)))
		}
		if string(rows[0][3]) != "true" && s.options.truncation() != cdc.SkipTruncate {
			return configError(fmt.Errorf("%s: the publication %s does not publish truncate", cdc.TruncationProperty, name),
				fmt.Sprintf("ALTER PUBLICATION %s SET (publish = 'insert, update, delete, truncate')", postgres.Quote(name)))
		}
		if string(rows[0][0]) == "true" {
			return s.checkRoots(ctx, c, tables, string(rows[0][2]) == "true")
		}
		if missing, err = s.unpublished(ctx, c, tables); err != nil {
			return err
		}
		if err := s.checkRoots(ctx, c, tables, string(rows[0][2]) == "true"); err != nil {
			return err
		}
		statement = "ALTER PUBLICATION " + postgres.Quote(name) + " ADD TABLE %s"
	}
	if len(missing) == 0 {
		return nil
	}
	list := make([]string, len(missing))
	for i, id := range missing {
		list[i] = postgres.Qualified(id)
	}
	statement = fmt.Sprintf(statement, strings.Join(list, ", "))
	if err := c.Exec(ctx, statement); err != nil {
		var e *plugin.Error
		if errors.As(err, &e) && e.Code == plugin.CodeDenied {
			e.Fix = "let the owner of the tables run: " + statement
		}
		return fmt.Errorf("the publication %s: %w", name, err)
	}
	s.env.Logger.Info("tables published", "publication", name, "tables", list)
	return nil
}

// unpublished returns the tables that the publication lacks, and refuses those of which it publishes parts.
func (s *Source) unpublished(ctx context.Context, c *postgres.Session, tables []plugin.TableID) (
	[]plugin.TableID, error) {
	name := s.options.publication()
	rows, err := c.Query(ctx, `SELECT n.nspname, c.relname,
			(to_jsonb(r) ->> 'prattrs' IS NOT NULL OR to_jsonb(r) ->> 'prqual' IS NOT NULL)::text
		FROM pg_publication p JOIN pg_publication_rel r ON r.prpubid = p.oid JOIN pg_class c ON c.oid = r.prrelid
		JOIN pg_namespace n ON n.oid = c.relnamespace WHERE p.pubname = $1
		UNION ALL SELECT schemaname, tablename, 'false' FROM pg_publication_tables WHERE pubname = $1`, name)
	if err != nil {
		return nil, err
	}
	var missing []plugin.TableID
	for _, id := range tables {
		i := slices.IndexFunc(rows, func(row [][]byte) bool {
			return string(row[0]) == id.Schema && string(row[1]) == id.Name
		})
		switch {
		case i < 0:
			missing = append(missing, id)
		case string(rows[i][2]) == "true":
			e := &plugin.Error{Code: plugin.CodeConfig, Table: id,
				Err: fmt.Errorf("the publication %s holds some of the table's rows or columns only", name),
				Fix: "publish the whole table, or let the job make a publication of its own: debezium { publication.name = ... }"}
			return nil, e
		}
	}
	return missing, nil
}

// checkRoots refuses partitioned tables whose partitions would be published under their own names.
func (s *Source) checkRoots(ctx context.Context, c *postgres.Session, tables []plugin.TableID, viaRoot bool) error {
	if viaRoot {
		return nil
	}
	for _, id := range tables {
		rows, err := c.Query(ctx,
			"SELECT 1 FROM pg_class WHERE oid = to_regclass($1) AND relkind = 'p'", postgres.Qualified(id))
		if err != nil {
			return err
		}
		if len(rows) > 0 {
			name := s.options.publication()
			return &plugin.Error{Code: plugin.CodeConfig, Table: id,
				Err: fmt.Errorf("the publication %s publishes the table's partitions, not the table", name),
				Fix: fmt.Sprintf("ALTER PUBLICATION %s SET (publish_via_partition_root = true)", postgres.Quote(name))}
		}
	}
	return nil
}

// quiescePoll is the pause between two looks at which transactions run.
const quiescePoll = 50 * time.Millisecond

// quiesce waits until all transactions that run now have ended: what they changed in a table before it was published
// is not in the stream, so a snapshot must see it.
func (s *Source) quiesce(ctx context.Context, c *postgres.Session) error {
	rows, err := c.Query(ctx, "SELECT pg_snapshot_xmax(pg_current_snapshot())::text")
	if err != nil {
		return err
	}
	begun, told := s.env.Now(), false
	for {
		open, err := c.Query(ctx, "SELECT 1 WHERE pg_snapshot_xmin(pg_current_snapshot()) < $1::xid8", string(rows[0][0]))
		if err != nil || len(open) == 0 {
			return err
		}
		if !told && s.env.Now().Sub(begun) > 5*time.Second {
			s.env.Logger.Warn("waiting for transactions that began before the tables were published; see pg_stat_activity")
			told = true
		}
		if err := plugin.Sleep(ctx, quiescePoll); err != nil {
			return err
		}
	}
}
