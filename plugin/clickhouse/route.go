package clickhouse

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/cespare/xxhash/v2"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/clickhouse/internal/native"
	"github.com/culvertdata/culvert/plugin/column"
)

// route is the way of a table's rows to the places where they are stored: one table, or those of the shards.
type route struct {
	w       *writer
	target  *target
	encoder *native.Encoder
	key     []int // names a row in errors
	warned  bool

	to     []*destination
	ends   []uint64 // where the weights of each destination end; nil if there is only one
	shard  int      // the column that decides, -1: random
	parts  [][]int32
	buffer []byte
}

func newRoute(ctx context.Context, w *writer, t *plugin.Table) (*route, error) {
	target, err := newTarget(ctx, w.srv, w.sink.options, t)
	if err != nil {
		return nil, err
	}
	r := &route{w: w, target: target, shard: -1, key: target.key}
	if r.key == nil {
		r.key = t.Key
	}
	if r.encoder, err = target.encoder(w.srv); err != nil {
		return nil, err
	}
	if !w.sink.options.SplitMode {
		r.to = []*destination{newDestination(r, w.srv, target.id)}
		return r, w.sink.versions.seen(ctx, w.srv, target, target.id)
	}
	return r, r.addShards(ctx, t)
}

// addShards finds the tables behind a Distributed one.
func (r *route) addShards(ctx context.Context, t *plugin.Table) error {
	o := r.w.sink.options
	cluster, id, ok := distributed(r.target.engine.full)
	if !ok {
		return &plugin.Error{
			Code: plugin.CodeConfig, Table: r.target.id,
			Err: fmt.Errorf("split_mode needs a Distributed table, its engine is %s", r.target.engine.name),
			Fix: "set split_mode = false, or name the Distributed table",
		}
	}
	if o.ShardingKey != "" {
		r.shard = t.Index(o.ShardingKey)
	}
	shards, err := shardsOf(ctx, r.w.srv, cluster)
	if err != nil {
		return inTable(err, r.target.id)
	}
	total := uint64(0)
	for _, s := range shards {
		options := r.w.sink.client
		options.Hosts = []string{hostPort(s.host, options.Hosts[0])}
		srv, err := connect(ctx, options, o.Zone)
		if err != nil {
			r.close()
			return err
		}
		if len(r.to) == 0 { // engine and key are those of the table that stores the rows
			if r.target.engine, err = engineOf(ctx, srv, id); err != nil {
				srv.Close()
				return inTable(err, id)
			}
			r.target.keyed()
		}
		if err := r.w.sink.versions.seen(ctx, srv, r.target, id); err != nil {
			srv.Close()
			return err
		}
		total += s.weight
		r.to = append(r.to, newDestination(r, srv, id))
		r.ends = append(r.ends, total)
	}
	return nil
}

// close ends the connections to shards.
func (r *route) close() {
	for _, d := range r.to {
		d.close()
	}
}

// add adds the rows of a batch to where they belong, and returns those that the table cannot hold.
func (r *route) add(ctx context.Context, b plugin.Batch) ([]plugin.RowError, error) {
	r.warn(b)
	if len(r.ends) == 0 {
		return r.to[0].add(ctx, b)
	}
	var refused []plugin.RowError
	for i, rows := range r.spread(b) {
		if len(rows) == 0 {
			continue
		}
		part := column.Take(b, rows, r.w.task.Alloc)
		bad, err := r.to[i].add(ctx, part)
		part.Release()
		if err != nil {
			return nil, err
		}
		for _, e := range bad {
			refused = append(refused, plugin.RowError{Index: int(rows[e.Index]), Err: e.Err})
		}
	}
	slices.SortFunc(refused, func(a, b plugin.RowError) int { return a.Index - b.Index })
	return refused, nil
}

// warn says once that changes arrive which a table without a key takes as inserts.
func (r *route) warn(b plugin.Batch) {
	if b.Kinds == nil || r.target.key != nil || r.warned {
		return
	}
	i := slices.IndexFunc(b.Kinds, func(k plugin.RowKind) bool { return k != plugin.Insert })
	if i >= 0 {
		r.warned = true
		r.w.log.Warn("updates and deletes are inserted as rows; set primary_key to apply them",
			"table", r.target.id.String(), "first", b.Kinds[i].String())
	}
}

// spread returns the rows of each shard.
func (r *route) spread(b plugin.Batch) [][]int32 {
	if r.parts == nil {
		r.parts = make([][]int32, len(r.to))
	}
	for i := range r.parts {
		r.parts[i] = r.parts[i][:0]
	}
	for i := range b.Len() {
		s := r.shardOf(b, i)
		r.parts[s] = append(r.parts[s], int32(i))
	}
	return r.parts
}

// shardOf picks a shard as SeaTunnel does: its hash is masked with the remainder of the largest long by the sum of the
// weights, so that some sums leave shards empty. It must stay so, for rows to meet those that were written before.
func (r *route) shardOf(b plugin.Batch, i int) int {
	total := r.ends[len(r.ends)-1]
	if r.shard < 0 || column.IsNull(b.Rows.Column(r.shard), i) {
		return r.at(rand.Uint64N(total))
	}
	r.buffer = column.FormatJava(r.buffer[:0], b.Rows.Column(r.shard), b.Table.Columns[r.shard].Type, i)
	return r.at(xxhash.Sum64(r.buffer) & (math.MaxInt64 % total))
}

func (r *route) at(weight uint64) int {
	return slices.IndexFunc(r.ends, func(end uint64) bool { return weight < end })
}

// rowText names a row by its key.
func (r *route) rowText(b plugin.Batch, i int) string {
	if len(r.key) == 0 {
		return fmt.Sprintf("row %d of its batch", i+1)
	}
	var parts []string
	for _, k := range r.key {
		c := b.Table.Columns[k]
		parts = append(parts, fmt.Sprintf("%s=%.64s", c.Name, column.FormatText(nil, b.Rows.Column(k), c.Type, i, nil)))
	}
	return strings.Join(parts, ", ")
}
