package jdbc

import (
	"context"
	"errors"
	"fmt"

	"github.com/culvertdata/culvert/plugin"
)

// Sink writes tables of one database.
type Sink struct {
	options SinkOptions
	db      Database
	owner   Owner
	inputs  []*plugin.Table
}

var (
	_ plugin.Sink          = (*Sink)(nil)
	_ plugin.Committer     = (*Sink)(nil)
	_ plugin.Deliverer     = (*Sink)(nil)
	_ plugin.Pinger        = (*Sink)(nil)
	_ plugin.SchemaApplier = (*Sink)(nil)
	_ plugin.Truncater     = (*Sink)(nil)
)

func newSink(o SinkOptions, env plugin.Env, db Database) (*Sink, error) {
	var errs []error
	for _, t := range env.Inputs {
		_, err := newTarget(o, t) // so that mistakes show when the job is planned
		errs = append(errs, err)
	}
	owner := Owner{Job: env.Job.ID, Vertex: env.Vertex, ExactlyOnce: o.ExactlyOnce}
	return &Sink{options: o, db: db, owner: owner, inputs: env.Inputs}, errors.Join(errs...)
}

// Ping connects to the database.
func (s *Sink) Ping(ctx context.Context) error { return s.db.Ping(ctx) }

// Delivery tells what becomes of rows that come again: with is_exactly_once they don't show, upserts replace
// themselves, everything else repeats.
func (s *Sink) Delivery(tables []*plugin.Table) plugin.Delivery {
	if s.options.ExactlyOnce {
		return plugin.TwoPhase
	}
	for _, t := range tables {
		target, err := newTarget(s.options, t)
		if err != nil || target.Statement != nil || len(target.Key) == 0 || !target.Upserts || target.InsertOnly {
			return plugin.Repeats
		}
	}
	return plugin.Idempotent
}

// Prepare applies the save modes, except where the job has a statement of its own.
func (s *Sink) Prepare(ctx context.Context, tables []*plugin.Table) error {
	if s.options.Query != "" {
		return nil
	}
	admin, err := s.db.Admin(ctx)
	if err != nil {
		return err
	}
	var errs []error
	for _, t := range tables {
		target, err := newTarget(s.options, t)
		if err == nil {
			err = s.prepare(ctx, admin, target)
		}
		errs = append(errs, err)
	}
	return errors.Join(append(errs, admin.Close())...)
}

func (s *Sink) prepare(ctx context.Context, a Admin, t *Target) error {
	columns, err := a.Columns(ctx, t.ID)
	if err != nil {
		return err
	}
	if columns, err = s.prepareSchema(ctx, a, t, columns); err != nil {
		return err
	}
	if s.options.SchemaMode != "IGNORE" {
		if err := t.checkColumns(columns); err != nil {
			return err
		}
	}
	return s.prepareData(ctx, a, t, columns != nil)
}

// prepareSchema makes the table if it is wanted, and returns the columns that the table has then.
func (s *Sink) prepareSchema(ctx context.Context, a Admin, t *Target, columns []string) ([]string, error) {
	exists := columns != nil
	switch s.options.SchemaMode {
	case "RECREATE_SCHEMA":
		if exists {
			if err := a.Drop(ctx, t.ID); err != nil {
				return nil, err
			}
		}
	case "ERROR_WHEN_SCHEMA_NOT_EXIST":
		if !exists {
			return nil, &plugin.Error{
				Code: plugin.CodeNotFound, Table: t.ID, Err: errors.New("the target table does not exist"),
				Fix: "create it, or set schema_save_mode = CREATE_SCHEMA_WHEN_NOT_EXIST",
			}
		}
		return columns, nil
	default:
		if exists || s.options.SchemaMode == "IGNORE" {
			return columns, nil
		}
	}
	if err := a.Create(ctx, t, s.options.CreateIndex); err != nil {
		return nil, err
	}
	return t.Columns, nil
}

func (s *Sink) prepareData(ctx context.Context, a Admin, t *Target, exists bool) error {
	switch s.options.DataMode {
	case "DROP_DATA":
		if !exists {
			return nil
		}
		return a.Clear(ctx, t.ID)
	case "ERROR_WHEN_DATA_EXISTS":
		if !exists {
			return nil
		}
		has, err := a.HasRows(ctx, t.ID)
		if err == nil && has {
			err = &plugin.Error{
				Code: plugin.CodeExists, Table: t.ID, Err: errors.New("the target table holds rows"),
				Fix: "empty it, or set data_save_mode = APPEND_DATA or DROP_DATA",
			}
		}
		return err
	case "CUSTOM_PROCESSING":
		if err := a.Exec(ctx, plugin.Expand(s.options.CustomSQL, t.Source)); err != nil {
			return &plugin.Error{Code: plugin.CodeConfig, Table: t.ID, Err: fmt.Errorf("custom_sql: %w", err)}
		}
	}
	return nil
}

// Writer starts the session of one lane.
func (s *Sink) Writer(ctx context.Context, t plugin.Task) (plugin.Writer, error) {
	loader, err := s.db.Loader(ctx, s.owner, t.Index)
	if err != nil {
		return nil, err
	}
	return &writer{
		options: s.options, log: t.Logger, loader: loader,
		targets: map[*plugin.Table]*Target{}, warned: map[plugin.TableID]bool{},
	}, nil
}

// Commit makes what the tokens describe visible.
func (s *Sink) Commit(ctx context.Context, epoch uint64, tokens [][]byte) error {
	if !s.owner.ExactlyOnce || len(tokens) == 0 {
		return nil
	}
	return s.db.Commit(ctx, s.owner, epoch, tokens)
}

// Abort drops what was staged after an epoch.
func (s *Sink) Abort(ctx context.Context, after uint64) error {
	if !s.owner.ExactlyOnce {
		return nil
	}
	return s.db.Abort(ctx, s.owner, after)
}
