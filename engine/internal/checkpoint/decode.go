package checkpoint

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
	"time"

	"github.com/culvertdata/culvert/plugin"
)

// ErrDamaged says that bytes are not a whole checkpoint: cut short, changed, or never one.
var ErrDamaged = errors.New("the checkpoint is damaged")

// VersionError says that a checkpoint was written by a newer version of the engine than this one.
type VersionError struct {
	Found int // what the checkpoint has
	Known int // the newest that this version reads
}

// Error says what to do.
func (e *VersionError) Error() string {
	return fmt.Sprintf("the checkpoint has format %d, this version reads up to %d; "+
		"resume the job with the newer version that wrote it", e.Found, e.Known)
}

// Decode reads what Append wrote, by this version or an older one. The checkpoint refers to b, which must not be
// changed any more. Errors are a *VersionError or wrap ErrDamaged.
func Decode(b []byte) (*Checkpoint, error) {
	if len(b) < 1+checksumBytes || b[0] == 0 {
		return nil, fmt.Errorf("%w: %d bytes, or no version", ErrDamaged, len(b))
	}
	if b[0] > formatVersion {
		return nil, &VersionError{Found: int(b[0]), Known: formatVersion}
	}
	body, sum := b[:len(b)-checksumBytes], b[len(b)-checksumBytes:]
	if crc32.Checksum(body, castagnoli) != binary.BigEndian.Uint32(sum) {
		return nil, fmt.Errorf("%w: its checksum is wrong", ErrDamaged)
	}
	d := decoder{all: body, b: body[1:], version: body[0]}
	c := d.checkpoint()
	if d.err == nil && len(d.b) > 0 {
		d.fail("%d bytes too many", len(d.b))
	}
	if d.err != nil {
		return nil, d.err
	}
	return c, nil
}

// decoder takes fields off the front of b. After the first error all of them are empty.
type decoder struct {
	all, b  []byte
	version byte
	err     error
}

func (d *decoder) fail(format string, args ...any) {
	if d.err == nil {
		d.err = fmt.Errorf("%w at byte %d: %w", ErrDamaged, len(d.all)-len(d.b), fmt.Errorf(format, args...))
	}
	d.b = nil
}

func (d *decoder) byte() byte {
	if len(d.b) == 0 {
		d.fail("it ends early")
		return 0
	}
	v := d.b[0]
	d.b = d.b[1:]
	return v
}

func (d *decoder) uint() uint64 {
	v, n := binary.Uvarint(d.b)
	if n <= 0 {
		d.fail("a number is broken")
		return 0
	}
	d.b = d.b[n:]
	return v
}

func (d *decoder) int() int64 {
	v, n := binary.Varint(d.b)
	if n <= 0 {
		d.fail("a number is broken")
		return 0
	}
	d.b = d.b[n:]
	return v
}

// enum reads a byte that may be no larger than last.
func (d *decoder) enum(what string, last byte) byte {
	v := d.byte()
	if v > last {
		d.fail("%s %d is unknown", what, v)
		return 0
	}
	return v
}

func (d *decoder) bool() bool { return d.enum("truth value", 1) == 1 }

// small reads an int that fits 32 bits.
func (d *decoder) small() int {
	v := d.int()
	if v < math.MinInt32 || v > math.MaxInt32 {
		d.fail("number %d is out of range", v)
		return 0
	}
	return int(v)
}

func (d *decoder) take(n uint64) []byte {
	if n > uint64(len(d.b)) {
		d.fail("%d bytes announced, %d left", n, len(d.b))
		return nil
	}
	v := d.b[:n:n]
	d.b = d.b[n:]
	return v
}

func (d *decoder) string() string { return string(d.take(d.uint())) }

func (d *decoder) bytes() []byte {
	n := d.uint()
	if n == 0 {
		return nil
	}
	return d.take(n - 1)
}

func (d *decoder) time() time.Time {
	sec, nsec := d.int(), d.uint()
	if nsec >= uint64(time.Second) {
		d.fail("%d nanoseconds are more than a second", nsec)
		return time.Time{}
	}
	return time.Unix(sec, int64(nsec)).UTC()
}

// list reads a list whose elements take at least so many bytes each: a damaged count can't make it large.
func list[T any](d *decoder, least int, each func(*decoder) T) []T {
	n := d.uint()
	if n > uint64(len(d.b)/least) {
		d.fail("%d elements announced, %d bytes left", n, len(d.b))
		return nil
	}
	if n == 0 {
		return nil
	}
	l := make([]T, 0, n)
	for range n {
		l = append(l, each(d))
		if d.err != nil {
			return nil
		}
	}
	return l
}

func (d *decoder) checkpoint() *Checkpoint {
	c := &Checkpoint{}
	pipeline := d.uint()
	if pipeline > math.MaxInt32 {
		d.fail("pipeline %d is out of range", pipeline)
		return c
	}
	c.Pipeline = int(pipeline)
	c.Epoch = d.uint()
	c.Type = Type(d.enum("type", byte(Final)))
	c.State = State(d.enum("state", byte(Complete)))
	c.Time = d.time()
	c.Sources = list(d, 4, (*decoder).source)
	c.Sinks = list(d, 3, (*decoder).sink)
	c.Tables = list(d, 10, func(d *decoder) Table { return Table{d.table()} })
	c.Counters = list(d, 5, (*decoder).counter)
	return c
}

func (d *decoder) source() Source {
	s := Source{
		Vertex:    d.string(),
		Splitter:  d.bytes(),
		Exhausted: d.bool(),
		Splits:    list(d, 8, (*decoder).split),
	}
	if d.version >= 2 {
		s.Tables = d.tableIDs()
	}
	return s
}

func (d *decoder) split() Split {
	return Split{
		Split:    plugin.Split{ID: d.string(), Table: d.tableID(), State: d.bytes(), Rows: d.int()},
		Started:  d.bool(),
		Finished: d.bool(),
	}
}

func (d *decoder) sink() Sink {
	s := Sink{Vertex: d.string(), Tokens: d.instances(), Writers: d.instances()}
	if d.version >= 2 {
		s.Tables = list(d, 1, (*decoder).tableIDs)
	}
	return s
}

func (d *decoder) tableIDs() []plugin.TableID { return list(d, 3, (*decoder).tableID) }

func (d *decoder) instances() [][][]byte {
	return list(d, 1, func(d *decoder) [][]byte { return list(d, 1, (*decoder).bytes) })
}

func (d *decoder) counter() Counter {
	return Counter{Vertex: d.string(), Table: d.string(), Rows: d.int(), Bytes: d.int(), Rejected: d.int()}
}

func (d *decoder) tableID() plugin.TableID {
	return plugin.TableID{Database: d.string(), Schema: d.string(), Name: d.string()}
}

func (d *decoder) table() *plugin.Table {
	t := plugin.Table{ID: d.tableID()}
	version := d.uint()
	if version > math.MaxUint32 {
		d.fail("table version %d is out of range", version)
		return nil
	}
	t.Version = uint32(version)
	t.Columns = list(d, 10, (*decoder).column)
	t.Key = list(d, 1, (*decoder).small)
	t.KeyName = d.string()
	t.Constraints = list(d, 3, (*decoder).constraint)
	t.Comment = d.string()
	t.Catalog = d.string()
	if d.err != nil {
		return nil
	}
	table, err := plugin.NewTable(t)
	if err != nil {
		d.fail("%w", err)
	}
	return table
}

func (d *decoder) column() plugin.Column {
	c := plugin.Column{Name: d.string(), Type: d.columnType(0), NotNull: d.bool(), Length: d.int()}
	if d.bool() {
		text := d.string()
		c.Default = &text
	}
	c.Comment = d.string()
	c.SourceType = d.string()
	return c
}

func (d *decoder) constraint() plugin.Constraint {
	return plugin.Constraint{
		Name: d.string(),
		Kind: plugin.ConstraintKind(d.enum("constraint kind", byte(plugin.VectorIndexKey))),
		Columns: list(d, 2, func(d *decoder) plugin.ConstraintColumn {
			return plugin.ConstraintColumn{Name: d.string(), Desc: d.bool()}
		}),
	}
}

func (d *decoder) columnType(depth int) plugin.Type {
	if depth > maxDepth {
		d.fail("a column type is nested deeper than %d", maxDepth)
		return plugin.Type{}
	}
	t := plugin.Type{
		Kind:      plugin.Kind(d.enum("column kind", byte(plugin.Row))),
		Precision: d.small(),
		Scale:     d.small(),
		Key:       d.part(depth),
		Elem:      d.part(depth),
	}
	t.Fields = list(d, 7, func(d *decoder) plugin.Field {
		return plugin.Field{Name: d.string(), Type: d.columnType(depth + 1)}
	})
	return t
}

// part reads the key or the element of a type, nil if it has none.
func (d *decoder) part(depth int) *plugin.Type {
	if !d.bool() || d.err != nil {
		return nil
	}
	t := d.columnType(depth + 1)
	return &t
}
