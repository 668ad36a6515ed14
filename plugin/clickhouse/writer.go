package clickhouse

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"

	"github.com/hashicorp/go-hclog"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/clickhouse/internal/client"
)

const (
	// mostHeld is how many bytes of blocks a writer holds for all its tables together.
	mostHeld = 64 << 20
	// mostBody is how many bytes an insert has before it is sent, whatever bulk_size says.
	mostBody = 16 << 20
)

// writer writes the batches of one lane. One insert may be under way while the next is filled.
type writer struct {
	sink  *Sink
	srv   *server
	log   hclog.Logger
	task  plugin.Task
	nonce string // makes the tokens of inserts differ from those of every other writer
	count int

	ctx     context.Context // of inserts, which outlive the call that started them
	cancel  context.CancelFunc
	pending chan error // of the insert under way; nil if there is none
	sending []byte     // its body
	free    [][]byte   // bodies of inserts that have ended
	failed  error      // what ended the writer

	routes map[*plugin.Table]*route
	order  []*route
}

var _ plugin.Pusher = (*writer)(nil)

func newWriter(ctx context.Context, s *Sink, srv *server, t plugin.Task) *writer {
	w := &writer{sink: s, srv: srv, log: t.Logger, task: t, nonce: rand.Text(), routes: map[*plugin.Table]*route{}}
	w.ctx, w.cancel = context.WithCancel(context.WithoutCancel(ctx))
	return w
}

// Write adds a batch to the blocks of its table.
func (w *writer) Write(ctx context.Context, b plugin.Batch) error {
	if err := cmp.Or(w.failed, ctx.Err()); err != nil || b.Len() == 0 {
		return err
	}
	r, err := w.route(ctx, b.Table)
	if err != nil {
		return err
	}
	refused, err := r.add(ctx, b)
	if err == nil && w.held() > mostHeld {
		err = w.send(ctx)
	}
	if err == nil && refused != nil {
		return &plugin.RowErrors{Rows: refused}
	}
	return err
}

func (w *writer) route(ctx context.Context, t *plugin.Table) (*route, error) {
	if r, ok := w.routes[t]; ok {
		return r, nil
	}
	if err := w.wait(ctx); err != nil { // the client is busy with the insert
		return nil, err
	}
	r, err := newRoute(ctx, w, t)
	if err != nil {
		return nil, err
	}
	w.retire(t)
	w.routes[t] = r
	w.order = append(w.order, r)
	return r, nil
}

// retire forgets the older versions of a table, of which all rows are written.
func (w *writer) retire(t *plugin.Table) {
	w.order = slices.DeleteFunc(w.order, func(r *route) bool {
		old := r.target.source
		if old.ID != t.ID || old.Version >= t.Version || slices.ContainsFunc(r.to, (*destination).holds) {
			return false
		}
		delete(w.routes, old)
		r.close()
		return true
	})
}

func (w *writer) held() int {
	n := 0
	for _, r := range w.order {
		for _, d := range r.to {
			n += len(d.body)
		}
	}
	return n
}

// send sends what is held for all tables. The last insert may still be under way.
func (w *writer) send(ctx context.Context) error {
	for _, r := range w.order {
		for _, d := range r.to {
			if err := d.send(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

// Push makes all rows visible.
func (w *writer) Push(ctx context.Context) error {
	if err := cmp.Or(w.failed, w.send(ctx), w.wait(ctx)); err != nil {
		return err
	}
	for _, r := range w.order {
		for _, d := range r.to {
			if !d.waiting {
				continue
			}
			if err := d.srv.mutated(ctx, d.id); err != nil {
				return err
			}
			d.waiting = false
		}
	}
	return nil
}

// Flush makes all rows durable.
func (w *writer) Flush(ctx context.Context, _ uint64) ([]byte, error) { return nil, w.Push(ctx) }

// Close ends the writer and the insert that is under way.
func (w *writer) Close() error {
	w.cancel()
	if w.pending != nil {
		<-w.pending
		w.pending = nil
	}
	for _, r := range w.order {
		r.close()
	}
	w.srv.Close()
	return nil
}

// start sends an insert once the one before has ended, and does not wait for it. The body belongs to the writer from
// then on.
func (w *writer) start(ctx context.Context, d *destination, body []byte) error {
	if err := w.wait(ctx); err != nil {
		return err
	}
	e := d.route.target.engine
	r := client.Request{SQL: d.insert, Body: body, Again: e.tokens || e.replaces, Settings: map[string]string{}}
	w.count++
	switch {
	case e.tokens:
		r.Settings["insert_deduplication_token"] = fmt.Sprintf("%s-%d", w.nonce, w.count)
	case len(e.name) > 10 && e.name[:10] == "Replicated":
		r.Settings["insert_deduplicate"] = "0" // without tokens it takes equal inserts for one
	}
	pending := make(chan error, 1)
	w.pending, w.sending = pending, body
	go func() { pending <- inTable(d.srv.Exec(w.ctx, r), d.id) }()
	return nil
}

// wait waits for the insert under way.
func (w *writer) wait(ctx context.Context) error {
	if w.failed != nil || w.pending == nil {
		return w.failed
	}
	var err error
	select {
	case err = <-w.pending:
	case <-ctx.Done():
		w.cancel()
		<-w.pending
		err = ctx.Err()
	}
	w.pending = nil
	if err != nil {
		w.failed = fmt.Errorf("insert: %w", err)
		return w.failed
	}
	if len(w.free) < 2 {
		w.free = append(w.free, w.sending[:0])
	}
	w.sending = nil
	return nil
}

// memory returns an empty slice for the next body: that of an insert which has ended, if there is one.
func (w *writer) memory() []byte {
	last := len(w.free) - 1
	if last < 0 {
		return make([]byte, 0, len(w.sending)+len(w.sending)/8) // nil at first
	}
	b := w.free[last]
	w.free = w.free[:last]
	return b
}

// unfit makes the error of a row whose value the table cannot hold.
func unfit(id plugin.TableID, row string, columnName string, err error) error {
	return &plugin.Error{
		Code: plugin.CodeData, Table: id, Row: row, Err: fmt.Errorf("column %s: %w", columnName, err),
		Fix: "change the column's type, or the value with a transform",
	}
}

// is reports whether an error is of a type.
func is[E error](err error) (E, bool) {
	var e E
	ok := errors.As(err, &e)
	return e, ok
}
