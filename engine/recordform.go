package engine

import (
	"encoding/binary"
	"errors"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/culvertdata/culvert/engine/internal/plan"
)

// The stored form of a record is a byte that names its version and the fields in the order of form.record. Numbers are
// varints; texts and lists have their length in front. It is read ten thousand times for one list of the history, so it
// is small, and reading copies it once. What changes the form gets a new version, and reading goes on with the old
// ones: the files under testdata prove it.

// recordVersion is the form that is written.
const recordVersion = 1

var errCut = errors.New("it is cut short")

// form writes a record, or reads one: each method does one or the other with what its argument points to, so that both
// directions cannot drift apart.
type form struct {
	reading bool
	b       []byte // written so far
	text    string // still to be read
	err     error
}

func (f *form) fail() {
	f.err, f.text = errCut, ""
}

func number[N ~int | ~int64](f *form, n *N) {
	if !f.reading {
		f.b = binary.AppendVarint(f.b, int64(*n))
		return
	}
	u := f.uvarint()
	*n = N(int64(u>>1) ^ -int64(u&1)) // as binary.Varint does
}

func small[N ~uint8](f *form, n *N) {
	if !f.reading {
		f.b = append(f.b, byte(*n))
		return
	}
	if f.text == "" {
		f.fail()
		return
	}
	*n, f.text = N(f.text[0]), f.text[1:]
}

// uvarint is binary.Uvarint for a string.
func (f *form) uvarint() (u uint64) {
	for i := 0; i < len(f.text) && i < binary.MaxVarintLen64; i++ {
		c := f.text[i]
		u |= uint64(c&0x7f) << (7 * i)
		if c < 0x80 {
			f.text = f.text[i+1:]
			return u
		}
	}
	f.fail()
	return 0
}

// size is the length of a text or a list; read ones don't exceed what is left.
func (f *form) size(n int) int {
	if !f.reading {
		f.b = binary.AppendUvarint(f.b, uint64(n))
		return n
	}
	u := f.uvarint()
	if u > uint64(len(f.text)) {
		f.fail()
		return 0
	}
	return int(u)
}

func (f *form) string(s *string) {
	n := f.size(len(*s))
	if !f.reading {
		f.b = append(f.b, *s...)
		return
	}
	*s, f.text = f.text[:n], f.text[n:]
}

func (f *form) bool(v *bool) {
	var n uint8
	if *v {
		n = 1
	}
	small(f, &n)
	*v = n == 1
}

// time keeps nanoseconds; the zero time stays zero.
func (f *form) time(t *time.Time) {
	n := int64(math.MinInt64)
	if !t.IsZero() {
		n = t.UnixNano()
	}
	number(f, &n)
	if f.reading && n != math.MinInt64 {
		*t = time.Unix(0, n)
	}
}

func list[T any](f *form, items *[]T, item func(f *form, v *T)) {
	n := f.size(len(*items))
	if f.reading && n > 0 {
		*items = make([]T, n)
	}
	for i := range *items {
		item(f, &(*items)[i])
	}
}

func (f *form) record(r *record) {
	number(f, &r.ID)
	f.string(&r.Name)
	small(f, &r.State)
	small(f, &r.Mode)
	f.time(&r.Created)
	f.time(&r.Finished)
	f.string(&r.Error)
	list(f, &r.Env, func(f *form, o *EnvOption) { f.string(&o.Key); f.string(&o.Value) })
	f.bool(&r.FromSavepoint)
	f.logical(&r.Graph.Logical)
	list(f, &r.Graph.Physical, (*form).pipeline)
	list(f, &r.Metrics.Vertices, (*form).counters)
	small(f, &r.Format)
	f.string(&r.GivenName)
	f.variables(&r.Variables)
}

func (f *form) logical(l *plan.Logical) {
	list(f, &l.Vertices, func(f *form, v *plan.LogicalVertex) {
		number(f, &v.ID)
		f.string(&v.Name)
		number(f, &v.Parallelism)
	})
	list(f, &l.Edges, func(f *form, e *plan.LogicalEdge) { f.string(&e.Input); f.string(&e.Target) })
}

func (f *form) pipeline(p *plan.PhysicalPipeline) {
	number(f, &p.ID)
	list(f, &p.Vertices, func(f *form, v *plan.PhysicalVertex) {
		number(f, &v.ID)
		f.string(&v.Role)
		f.string(&v.Name)
		number(f, &v.Parallelism)
		list(f, &v.Tables, (*form).string)
		list(f, &v.Vertices, (*form).string)
	})
	list(f, &p.Edges, func(f *form, e *plan.PhysicalEdge) { number(f, &e.Input); number(f, &e.Target) })
}

func (f *form) counters(v *VertexMetrics) {
	f.string(&v.Vertex)
	small(f, &v.Role)
	list(f, &v.Tables, func(f *form, t *TableMetrics) { f.string(&t.Table); number(f, &t.Rows); number(f, &t.Bytes) })
	number(f, &v.Rejected)
}

func (f *form) variables(m *map[string]string) {
	names := slices.Sorted(maps.Keys(*m))
	values := make([]string, len(names))
	for i, name := range names {
		values[i] = (*m)[name]
	}
	list(f, &names, (*form).string)
	list(f, &values, (*form).string)
	if f.reading && len(names) > 0 && len(names) == len(values) {
		*m = make(map[string]string, len(names))
		for i, name := range names {
			(*m)[name] = values[i]
		}
	}
}
