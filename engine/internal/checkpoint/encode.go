package checkpoint

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"time"

	"github.com/culvertdata/culvert/plugin"
)

// The stored form is a byte that names its version, the fields in the order of their structs, and a CRC-32C of all
// before it. Numbers are varints. Strings and lists have their length in front; a byte slice has its length plus one,
// and 0 if it is nil, since a splitter's nil state means something. Kinds and types are stored as their numbers, which
// therefore must not change. What changes the form gets a new version, and Decode goes on reading the old ones: the
// files under testdata prove it.

// formatVersion is the form that Append writes.
const formatVersion = 2

const (
	checksumBytes = 4
	// maxDepth bounds nested types.
	maxDepth = 64
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Append appends the checkpoint's stored form to b. It fails for what Decode would not read: a negative pipeline, a
// table that is nil or has types nested deeper than 64.
func (c *Checkpoint) Append(b []byte) ([]byte, error) {
	if c.Pipeline < 0 {
		return nil, fmt.Errorf("checkpoint of pipeline %d: pipelines count from 1", c.Pipeline)
	}
	e := encoder{b: append(b, formatVersion)}
	e.uint(uint64(c.Pipeline))
	e.uint(c.Epoch)
	e.byte(byte(c.Type))
	e.byte(byte(c.State))
	e.time(c.Time)
	appendList(&e, c.Sources, (*encoder).source)
	appendList(&e, c.Sinks, (*encoder).sink)
	appendList(&e, c.Tables, func(e *encoder, t Table) { e.table(t.Table) })
	appendList(&e, c.Counters, (*encoder).counter)
	if e.err != nil {
		return nil, fmt.Errorf("checkpoint of pipeline %d, epoch %d: %w", c.Pipeline, c.Epoch, e.err)
	}
	return binary.BigEndian.AppendUint32(e.b, crc32.Checksum(e.b[len(b):], castagnoli)), nil
}

// encoder appends; the first error stays.
type encoder struct {
	b   []byte
	err error
}

func (e *encoder) byte(v byte)   { e.b = append(e.b, v) }
func (e *encoder) uint(v uint64) { e.b = binary.AppendUvarint(e.b, v) }
func (e *encoder) int(v int64)   { e.b = binary.AppendVarint(e.b, v) }

func (e *encoder) bool(v bool) {
	if v {
		e.byte(1)
	} else {
		e.byte(0)
	}
}

func (e *encoder) string(v string) {
	e.uint(uint64(len(v)))
	e.b = append(e.b, v...)
}

func (e *encoder) bytes(v []byte) {
	if v == nil {
		e.uint(0)
		return
	}
	e.uint(uint64(len(v)) + 1)
	e.b = append(e.b, v...)
}

func (e *encoder) time(t time.Time) {
	e.int(t.Unix())
	e.uint(uint64(t.Nanosecond()))
}

// appendList is a function since methods have no type parameters.
func appendList[T any](e *encoder, list []T, each func(*encoder, T)) {
	e.uint(uint64(len(list)))
	for _, v := range list {
		each(e, v)
	}
}

func (e *encoder) source(s Source) {
	e.string(s.Vertex)
	e.bytes(s.Splitter)
	e.bool(s.Exhausted)
	appendList(e, s.Splits, (*encoder).split)
	appendList(e, s.Tables, (*encoder).tableID)
}

func (e *encoder) split(s Split) {
	e.string(s.ID)
	e.tableID(s.Split.Table)
	e.bytes(s.Split.State)
	e.int(s.Rows)
	e.bool(s.Started)
	e.bool(s.Finished)
}

func (e *encoder) sink(s Sink) {
	e.string(s.Vertex)
	e.instances(s.Tokens)
	e.instances(s.Writers)
	appendList(e, s.Tables, func(e *encoder, one []plugin.TableID) { appendList(e, one, (*encoder).tableID) })
}

func (e *encoder) instances(list [][][]byte) {
	appendList(e, list, func(e *encoder, one [][]byte) { appendList(e, one, (*encoder).bytes) })
}

func (e *encoder) counter(c Counter) {
	e.string(c.Vertex)
	e.string(c.Table)
	e.int(c.Rows)
	e.int(c.Bytes)
	e.int(c.Rejected)
}

func (e *encoder) tableID(id plugin.TableID) {
	e.string(id.Database)
	e.string(id.Schema)
	e.string(id.Name)
}

func (e *encoder) table(t *plugin.Table) {
	if t == nil {
		e.err = errors.New("a changed table is nil")
		return
	}
	e.tableID(t.ID)
	e.uint(uint64(t.Version))
	appendList(e, t.Columns, (*encoder).column)
	appendList(e, t.Key, func(e *encoder, k int) { e.int(int64(k)) })
	e.string(t.KeyName)
	appendList(e, t.Constraints, (*encoder).constraint)
	e.string(t.Comment)
	e.string(t.Catalog)
}

func (e *encoder) column(c plugin.Column) {
	e.string(c.Name)
	e.columnType(c.Type, 0)
	e.bool(c.NotNull)
	e.int(c.Length)
	e.bool(c.Default != nil)
	if c.Default != nil {
		e.string(*c.Default)
	}
	e.string(c.Comment)
	e.string(c.SourceType)
}

func (e *encoder) constraint(c plugin.Constraint) {
	e.string(c.Name)
	e.byte(byte(c.Kind))
	appendList(e, c.Columns, func(e *encoder, cc plugin.ConstraintColumn) {
		e.string(cc.Name)
		e.bool(cc.Desc)
	})
}

func (e *encoder) columnType(t plugin.Type, depth int) {
	if depth > maxDepth {
		e.err = fmt.Errorf("a column type is nested deeper than %d", maxDepth)
		return
	}
	e.byte(byte(t.Kind))
	e.int(int64(t.Precision))
	e.int(int64(t.Scale))
	for _, part := range []*plugin.Type{t.Key, t.Elem} {
		e.bool(part != nil)
		if part != nil {
			e.columnType(*part, depth+1)
		}
	}
	appendList(e, t.Fields, func(e *encoder, f plugin.Field) {
		e.string(f.Name)
		e.columnType(f.Type, depth+1)
	})
}
