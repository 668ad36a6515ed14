package clickhouse

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/clickhouse/internal/client"
	"github.com/culvertdata/culvert/plugin/clickhouse/internal/native"
	"github.com/culvertdata/culvert/plugin/column"
)

// position is how far a query was read.
type position struct {
	// Where is the condition of the range; empty if the query is read whole.
	Where string `json:"where,omitempty"`
	Rows  int64  `json:"rows,omitempty"`
	// Sum is the hash of the bytes that the rows came from.
	Sum  uint64 `json:"sum,omitempty,string"`
	Done bool   `json:"done,omitempty"`
}

// block is a batch and the position behind it, or why there are no more.
type block struct {
	batch plugin.Batch
	at    position
	err   error
}

// reader reads the query. A goroutine of its own fetches and decodes one block ahead, so that Read never waits for the
// server longer than it may.
type reader struct {
	source *Source
	alloc  memory.Allocator

	at     position
	blocks chan block
	cancel context.CancelFunc
	done   sync.WaitGroup
}

// Open starts the query.
func (r *reader) Open(ctx context.Context, s plugin.Split) error {
	r.stop()
	r.at = position{}
	if s.State != nil {
		if err := json.Unmarshal(s.State, &r.at); err != nil {
			return fmt.Errorf("state of split %s: %w", s.ID, err)
		}
	}
	if r.at.Done {
		return nil
	}
	ctx, r.cancel = context.WithCancel(context.WithoutCancel(ctx)) // it outlives this call, and ends with Close
	r.blocks = make(chan block)
	f := &fetch{source: r.source, alloc: r.alloc, from: r.at, out: r.blocks}
	r.done.Go(func() { f.run(ctx) })
	return nil
}

// Read puts out one batch.
func (r *reader) Read(ctx context.Context, out plugin.Out) error {
	if r.at.Done {
		return io.EOF
	}
	select {
	case b := <-r.blocks:
		if b.err == io.EOF {
			r.at = position{Where: r.at.Where, Done: true}
			return io.EOF
		}
		if b.err != nil {
			return b.err
		}
		r.at = b.at
		return out.Batch(b.batch)
	case <-out.Wake():
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Position returns how far the query was read.
func (r *reader) Position() ([]byte, error) { return json.Marshal(r.at) }

// Close ends the query.
func (r *reader) Close() error {
	r.stop()
	return nil
}

// stop ends the goroutine, if there is one, and waits for it.
func (r *reader) stop() {
	if r.cancel == nil {
		return
	}
	r.cancel()
	r.done.Wait()
	r.cancel = nil
}

// fetch runs a query and hands its blocks over.
type fetch struct {
	source *Source
	alloc  memory.Allocator
	from   position
	out    chan<- block
}

func (f *fetch) run(ctx context.Context) {
	err := f.read(ctx)
	select {
	case f.out <- block{err: f.located(err)}:
	case <-ctx.Done():
	}
}

// read hands over all blocks. It returns io.EOF behind the last one.
func (f *fetch) read(ctx context.Context) error {
	srv, err := connect(ctx, f.source.client, f.source.options.Zone)
	if err != nil {
		return err
	}
	defer srv.Close()
	body, err := f.open(ctx, srv)
	if err != nil {
		return err
	}
	defer func() { _ = body.Close() }() // what was not read is of no interest
	d, err := native.NewDecoder(body, f.source.columns, srv.zone)
	if err != nil {
		return &plugin.Error{Code: plugin.CodeType, Err: err}
	}
	b := column.NewBuilder(f.source.table, f.alloc)
	defer b.Release()
	if err := f.skip(d, b); err != nil {
		return err
	}
	for {
		n, err := d.Next(b)
		if err != nil {
			return err
		}
		if n == 0 {
			continue
		}
		next := block{batch: b.Batch(), at: position{Where: f.from.Where, Rows: d.Rows(), Sum: d.Sum()}}
		select {
		case f.out <- next:
		case <-ctx.Done():
			next.batch.Release()
			return ctx.Err()
		}
	}
}

// open starts the query with blocks of the size of our batches. A user who may not change settings gets blocks as the
// server likes.
func (f *fetch) open(ctx context.Context, srv *server) (io.ReadCloser, error) {
	sql, settings := f.source.sql, map[string]string{"max_block_size": fmt.Sprint(column.FullRows)}
	if f.from.Where != "" { // one thread for each lane, which also makes the order of the rows the same again
		sql += "\nWHERE " + f.from.Where
		settings["max_threads"] = "1"
	}
	for name := range f.source.options.Config {
		delete(settings, name)
	}
	r := client.Request{SQL: sql + "\nFORMAT Native", Again: true, Rows: true, Settings: settings}
	body, err := srv.Open(ctx, r)
	if client.Is(err, client.ReadOnly) {
		r.Settings = nil
		body, err = srv.Open(ctx, r)
	}
	return body, err
}

// skip reads the rows that were put out already, and checks that they are the same.
func (f *fetch) skip(d *native.Decoder, b *column.Builder) error {
	for d.Rows() < f.from.Rows {
		_, err := d.Next(b)
		if err != nil && err != io.EOF {
			return err
		}
		b.Batch().Release()
		if err != nil {
			break
		}
	}
	if f.from.Rows > 0 && (d.Rows() != f.from.Rows || d.Sum() != f.from.Sum) {
		return &plugin.Error{
			Code: plugin.CodeData,
			Err: fmt.Errorf("the query cannot be resumed after row %d: its first rows are not those of the first time",
				f.from.Rows),
			Fix: "add an ORDER BY that leaves no choice, or set max_threads = 1 in clickhouse.config, and start the job afresh",
		}
	}
	return nil
}

// located says where a failure happened, and what it means.
func (f *fetch) located(err error) error {
	var row *native.RowError
	var exception *native.ServerError
	var e *plugin.Error
	switch {
	case err == io.EOF || errors.Is(err, context.Canceled):
		return err
	case errors.As(err, &exception):
		err = client.Refused(exception.Text)
	case errors.As(err, &row):
		return &plugin.Error{
			Code: plugin.CodeData, Table: f.source.table.ID, Row: fmt.Sprintf("row %d", row.Row),
			Err: fmt.Errorf("column %s: %w", row.Column, row.Err),
			Fix: "select hex(" + row.Column + ") to read bytes that are no text",
		}
	case !errors.As(err, &e):
		err = &plugin.Error{Code: plugin.CodeUnavailable, Retry: true, Err: fmt.Errorf("the result broke off: %w", err),
			Fix: "check that the server is alive"}
	}
	if errors.As(err, &e) && e.Table.Name == "" {
		e.Table = f.source.table.ID
	}
	return err
}
