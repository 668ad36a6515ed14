package clickhouse

import (
	"context"
	"errors"
	"fmt"

	"github.com/hashicorp/go-hclog"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/clickhouse/internal/client"
	"github.com/culvertdata/culvert/plugin/clickhouse/internal/native"
)

// Sink writes tables of one server.
type Sink struct {
	options  SinkOptions
	client   client.Options
	mode     plugin.Mode
	log      hclog.Logger
	versions versions
	inputs   []*plugin.Table
}

var (
	_ plugin.Sink          = (*Sink)(nil)
	_ plugin.Deliverer     = (*Sink)(nil)
	_ plugin.Pinger        = (*Sink)(nil)
	_ plugin.SchemaApplier = (*Sink)(nil)
	_ plugin.Truncater     = (*Sink)(nil)
)

func newSink(o SinkOptions, env plugin.Env) (*Sink, error) {
	c, err := o.clientOptions(env)
	errs := []error{err}
	for _, t := range env.Inputs { // so that mistakes show when the job is planned
		_, err := targetID(o, t)
		errs = append(errs, err)
		_, err = targetKey(o, t)
		errs = append(errs, err)
		if o.ShardingKey != "" {
			_, err = columnOf(t, "sharding_key", o.ShardingKey)
			errs = append(errs, err)
		}
	}
	s := &Sink{options: o, client: c, mode: env.Job.Mode, log: env.Logger, versions: versions{now: env.Now},
		inputs: env.Inputs}
	return s, errors.Join(errs...)
}

// Ping asks the server for its version.
func (s *Sink) Ping(ctx context.Context) error {
	srv, err := connect(ctx, s.client, s.options.Zone)
	if err == nil {
		srv.Close()
	}
	return err
}

// Delivery tells what becomes of rows that come again. They replace themselves if each table has a key and either
// support_upsert is set or the sink itself makes the table; of tables that exist it is not known when a job is planned
// whether their engine replaces rows.
func (s *Sink) Delivery(tables []*plugin.Table) plugin.Delivery {
	for _, t := range tables {
		key, err := targetKey(s.options, t)
		if err != nil || len(key) == 0 || !s.options.SupportUpsert && s.options.SchemaMode != "RECREATE_SCHEMA" {
			return plugin.Repeats
		}
	}
	return plugin.Idempotent
}

// Prepare applies the save modes.
func (s *Sink) Prepare(ctx context.Context, tables []*plugin.Table) error {
	srv, err := connect(ctx, s.client, s.options.Zone)
	if err != nil {
		return err
	}
	defer srv.Close()
	var errs []error
	for _, t := range tables {
		id, err := targetID(s.options, t)
		if err == nil {
			err = inTable(s.prepare(ctx, srv, id, t), id)
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

func (s *Sink) prepare(ctx context.Context, srv *server, id plugin.TableID, t *plugin.Table) error {
	rows, err := srv.Rows(ctx, "EXISTS TABLE "+tableName(id))
	if err != nil && !client.Is(err, client.UnknownDatabase) {
		return err
	}
	exists := len(rows) == 1 && rows[0][0] == "1"
	if exists, err = s.prepareSchema(ctx, srv, id, t, exists); err != nil {
		return err
	}
	if exists {
		target, err := newTarget(ctx, srv, s.options, t)
		if err != nil {
			return err
		}
		if _, err := target.encoder(srv); err != nil {
			return err
		}
	}
	return s.prepareData(ctx, srv, id, t, exists)
}

// prepareSchema makes the table if it is wanted, and reports whether there is one then.
func (s *Sink) prepareSchema(ctx context.Context, srv *server, id plugin.TableID, t *plugin.Table, exists bool) (bool, error) {
	switch s.options.SchemaMode {
	case "RECREATE_SCHEMA":
		if exists {
			if err := srv.Exec(ctx, client.Request{SQL: "DROP TABLE " + tableName(id)}); err != nil {
				return false, err
			}
		}
	case "ERROR_WHEN_SCHEMA_NOT_EXIST":
		if !exists {
			return false, &plugin.Error{
				Code: plugin.CodeNotFound, Table: id, Err: errors.New("the target table does not exist"),
				Fix: "create it, or set schema_save_mode = CREATE_SCHEMA_WHEN_NOT_EXIST",
			}
		}
		return true, nil
	default:
		if exists || s.options.SchemaMode == "IGNORE" {
			return exists, nil
		}
	}
	key, err := targetKey(s.options, t)
	if err != nil {
		return false, err
	}
	if key == nil {
		key = t.Key
	}
	sql, err := createTable(srv.version, id, t, key, s.keeps(srv.version, key))
	if err != nil {
		return false, err
	}
	database := client.Request{SQL: "CREATE DATABASE IF NOT EXISTS " + native.Identifier(id.Database)}
	if err := srv.Exec(ctx, database); err != nil && !client.Is(err, client.AccessDenied) {
		return false, err
	}
	return true, srv.Exec(ctx, client.Request{SQL: sql})
}

// keeps says what a new table keeps beside its rows: a streaming job changes rows again and again, so its keyed tables
// tell which of several is the newest, and whether it is deleted, unless rows are to be deleted for good.
func (s *Sink) keeps(v version, key []int) kept {
	return kept{
		versions: s.mode == plugin.Unbounded && len(key) > 0,
		deletes:  !s.options.LightweightDelete || !v.atLeast(lightweightMajor, lightweightMinor),
	}
}

func (s *Sink) prepareData(ctx context.Context, srv *server, id plugin.TableID, t *plugin.Table, exists bool) error {
	switch s.options.DataMode {
	case "DROP_DATA":
		if exists {
			return srv.Exec(ctx, client.Request{SQL: "TRUNCATE TABLE " + tableName(id)})
		}
	case "ERROR_WHEN_DATA_EXISTS":
		if !exists {
			return nil
		}
		rows, err := srv.Rows(ctx, "SELECT 1 FROM "+tableName(id)+" LIMIT 1")
		if err == nil && len(rows) > 0 {
			err = &plugin.Error{
				Code: plugin.CodeExists, Table: id, Err: errors.New("the target table holds rows"),
				Fix: "empty it, or set data_save_mode = APPEND_DATA or DROP_DATA",
			}
		}
		return err
	case "CUSTOM_PROCESSING":
		if err := srv.Exec(ctx, client.Request{SQL: plugin.Expand(s.options.CustomSQL, t)}); err != nil {
			return fmt.Errorf("custom_sql: %w", err)
		}
	}
	return nil
}

// Writer starts the writer of one lane.
func (s *Sink) Writer(ctx context.Context, t plugin.Task) (plugin.Writer, error) {
	srv, err := connect(ctx, s.client, s.options.Zone)
	if err != nil {
		return nil, err
	}
	return newWriter(ctx, s, srv, t), nil
}
