package clickhouse

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/clickhouse/internal/client"
)

const (
	// mostHeld is how many bytes of blocks a writer holds for all its tables together.
	mostHeld = 32 << 20
	// mostBody is how many bytes an insert has before it is sent, whatever bulk_size says.
	mostBody = 8 << 20
	// mostInserts is how many inserts are under way at a time, and mostSent how many bytes if there are several.
	mostInserts = 4
	mostSent    = 16 << 20
	// mostFed is how many of them go on while their rows are made.
	mostFed = 2
	// leastPart is how many bytes are fed at a time, unless no more come.
	leastPart = 1 << 20
)

// writer writes the batches of one lane. Inserts are under way while the next ones are filled: one for each table, so
// that its rows arrive in order, and some for all. An insert that could not be made again goes on until rows have to be
// visible, or too many others wait: the longer it is, the fewer parts the server has to merge.
type writer struct {
	sink  *Sink
	srv   *server
	log   hclog.Logger
	task  plugin.Task
	nonce string // makes the tokens of inserts differ from those of every other writer
	count int

	ctx     context.Context // of inserts, which outlive the call that started them
	cancel  context.CancelFunc
	inserts []*insert // under way, the oldest first
	free    bodies
	failed  error // what ended the writer

	routes map[*plugin.Table]*route
	order  []*route
}

// insert is one that is under way.
type insert struct {
	to   *destination
	body []byte       // nil if it is fed
	feed *client.Feed // takes more rows; nil if no more come
	done chan error
}

// end says that no more rows come.
func (i *insert) end() {
	if i.feed != nil {
		i.feed.End()
		i.feed = nil
	}
}

var (
	_ plugin.Pusher = (*writer)(nil)
	_ plugin.Paced  = (*writer)(nil)
)

func newWriter(ctx context.Context, s *Sink, srv *server, t plugin.Task) *writer {
	w := &writer{sink: s, srv: srv, log: t.Logger, task: t, nonce: rand.Text(), routes: map[*plugin.Table]*route{}}
	w.ctx, w.cancel = context.WithCancel(context.WithoutCancel(ctx))
	return w
}

// PushInterval is flush_interval_ms.
func (w *writer) PushInterval() time.Duration { return w.sink.options.flushInterval(w.sink.mode) }

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

// send sends what is held for all tables. The last inserts may still be under way.
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

// Close ends the writer and the inserts that are under way.
func (w *writer) Close() error {
	w.cancel()
	for _, i := range w.inserts {
		<-i.done
	}
	w.inserts = nil
	for _, r := range w.order {
		r.close()
	}
	w.srv.Close()
	return nil
}

// start sends rows and does not wait for the server to have them: as an insert of their own once there is room for it,
// or as part of one that goes on. The body belongs to the writer from then on.
func (w *writer) start(ctx context.Context, d *destination, body []byte) error {
	if w.failed != nil {
		return w.failed
	}
	if i := w.fed(d); i != nil && !i.feed.Over() {
		return i.feed.Put(ctx, body)
	}
	err := w.waitFor(ctx, d)
	for err == nil && !w.room(len(body)) {
		err = w.end(ctx, 0)
	}
	if err != nil {
		return err
	}
	e := d.route.target.engine
	r := client.Request{SQL: d.insert, Again: e.tokens || e.replaces, Settings: map[string]string{}}
	w.count++
	switch {
	case e.tokens:
		r.Settings["insert_deduplication_token"] = fmt.Sprintf("%s-%d", w.nonce, w.count)
	case strings.HasPrefix(e.name, "Replicated"):
		r.Settings["insert_deduplicate"] = "0" // without tokens it takes equal inserts for one
	}
	i := &insert{to: d, done: make(chan error, 1)}
	if r.Again || d.route.target.key != nil { // what is cut may show later, when rows of its keys were replaced
		i.body, r.Body = body, body
	} else {
		w.endFeeds(mostFed - 1)
		i.feed = client.NewFeed(w.free.put)
		r.Feed = i.feed
		err = i.feed.Put(ctx, body) // it has room for the first
	}
	w.inserts = append(w.inserts, i)
	go func() { i.done <- inTable(d.srv.Exec(w.ctx, r), d.id) }()
	return err
}

// fed returns the insert to a destination that takes more rows, if there is one.
func (w *writer) fed(d *destination) *insert {
	for _, i := range w.inserts {
		if i.to == d && i.feed != nil {
			return i
		}
	}
	return nil
}

// endFeeds ends the oldest inserts that go on, until only so many are left.
func (w *writer) endFeeds(left int) {
	for n := len(w.inserts) - 1; n >= 0; n-- {
		if i := w.inserts[n]; i.feed != nil {
			if left--; left < 0 {
				i.end()
			}
		}
	}
}

// room reports whether another insert may be under way.
func (w *writer) room(size int) bool {
	for _, i := range w.inserts {
		size += len(i.body)
	}
	return len(w.inserts) == 0 || len(w.inserts) < mostInserts && size <= mostSent
}

// busy reports whether the server takes an insert to a destination just now.
func (w *writer) busy(d *destination) bool {
	return slices.ContainsFunc(w.inserts, func(i *insert) bool { return i.to == d && len(i.done) == 0 })
}

// waitFor waits for the insert that is under way to a destination, if there is one.
func (w *writer) waitFor(ctx context.Context, d *destination) error {
	i := slices.IndexFunc(w.inserts, func(i *insert) bool { return i.to == d })
	if w.failed != nil || i < 0 {
		return w.failed
	}
	return w.end(ctx, i)
}

// wait waits for all inserts.
func (w *writer) wait(ctx context.Context) error {
	w.endFeeds(0)
	for w.failed == nil && len(w.inserts) > 0 {
		if err := w.end(ctx, 0); err != nil {
			return err
		}
	}
	return w.failed
}

// end waits for one insert.
func (w *writer) end(ctx context.Context, n int) error {
	if w.failed != nil {
		return w.failed
	}
	i := w.inserts[n]
	i.end()
	var err error
	select {
	case err = <-i.done:
	case <-ctx.Done():
		w.cancel()
		<-i.done
		err = ctx.Err()
	}
	w.inserts = slices.Delete(w.inserts, n, n+1)
	if err != nil {
		w.failed = fmt.Errorf("insert: %w", err)
		return w.failed
	}
	if i.body != nil {
		w.free.put(i.body)
	}
	return nil
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
