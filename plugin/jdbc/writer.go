package jdbc

import (
	"context"

	"github.com/hashicorp/go-hclog"

	"github.com/culvertdata/culvert/plugin"
)

// writer writes the batches of one lane. It keeps no rows: what Write took is in the database, or staged there.
type writer struct {
	options SinkOptions
	log     hclog.Logger
	loader  Loader
	targets map[*plugin.Table]*Target
	warned  map[plugin.TableID]bool
	runs    []Run
}

// Write applies a batch.
func (w *writer) Write(ctx context.Context, b plugin.Batch) error {
	if b.Len() == 0 {
		return nil
	}
	t, err := w.target(b.Table)
	if err != nil {
		return err
	}
	w.warn(t, b)
	w.runs = t.plan(b.Len(), b.Kinds, w.runs)
	if len(w.runs) == 0 {
		return nil
	}
	return w.loader.Load(ctx, t, b, w.runs)
}

func (w *writer) target(t *plugin.Table) (*Target, error) {
	if target, ok := w.targets[t]; ok {
		return target, nil
	}
	target, err := newTarget(w.options, t)
	if err != nil {
		return nil, err
	}
	for known := range w.targets {
		if known.ID == t.ID && known.Version < t.Version {
			delete(w.targets, known) // it does not come again
		}
	}
	w.targets[t] = target
	return target, nil
}

// warn says once for each table that changes arrive which a table without a key takes as inserts.
func (w *writer) warn(t *Target, b plugin.Batch) {
	if b.Kinds == nil || len(t.Key) > 0 || t.Statement != nil || w.warned[t.ID] {
		return
	}
	for _, kind := range b.Kinds {
		if kind != plugin.Insert {
			w.warned[t.ID] = true
			w.log.Warn("updates and deletes are inserted as rows, because the table has no key; set primary_keys",
				"table", t.ID.String(), "first", kind.String())
			return
		}
	}
}

// Flush makes what was written durable, or stages it.
func (w *writer) Flush(ctx context.Context, epoch uint64) ([]byte, error) {
	return w.loader.Flush(ctx, epoch)
}

// Close ends the session.
func (w *writer) Close() error { return w.loader.Close() }
