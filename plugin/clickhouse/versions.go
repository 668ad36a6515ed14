package clickhouse

import (
	"context"
	"encoding/binary"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/clickhouse/internal/native"
)

// The columns that the sink adds to the keyed tables which it makes for a streaming job.
const (
	versionColumn = "_version"
	deletedColumn = "_deleted"
)

// versions hands out the versions of rows: numbers that rise from row to row, through all lanes of a sink, and from one
// run of a job to the next. They are nanoseconds of the clock, or more where rows come faster or the clock was set
// back.
type versions struct {
	last atomic.Uint64
	now  func() time.Time
}

// take returns the first of n versions in a row.
func (v *versions) take(n int) uint64 {
	for {
		last := v.last.Load()
		first := max(uint64(v.now().UnixNano()), last+1)
		if v.last.CompareAndSwap(last, first+uint64(n)-1) {
			return first
		}
	}
}

// exceed makes all later versions larger than one that a table holds.
func (v *versions) exceed(version uint64) {
	for last := v.last.Load(); last < version && !v.last.CompareAndSwap(last, version); last = v.last.Load() {
	}
}

// mostVersion is the largest version that a table may hold for rows to be added: more than the clock gives in 140
// years, and far from where a UInt64 or Int64 ends.
const mostVersion = 1 << 62

// inFlight is more versions than a run that died may have sent without being seen: the server may still be at work on
// its last inserts.
const inFlight = 1e9

// seen looks for versions in a table that are ahead of the clock, because that of another host was, or was set back.
func (v *versions) seen(ctx context.Context, s *server, t *target, id plugin.TableID) error {
	if t.marks.column == "" {
		return nil
	}
	name := native.Identifier(t.marks.column)
	rows, err := s.Rows(ctx, fmt.Sprintf("SELECT max(%s) FROM %s WHERE %s >= %d", name, tableName(id), name,
		v.now().UnixNano()))
	if err != nil || len(rows) != 1 {
		return inTable(err, id)
	}
	ahead, err := strconv.ParseUint(rows[0][0], 10, 64)
	if err == nil && ahead > mostVersion {
		err = fmt.Errorf("the version column %s holds %d, and no row that the sink writes could be newer",
			t.marks.column, ahead)
	}
	if err != nil {
		return &plugin.Error{
			Code: plugin.CodeData, Table: id, Err: err,
			Fix: "the sink counts versions in nanoseconds since 1970: feed the column from the rows, or make the table anew",
		}
	}
	v.exceed(ahead + inFlight)
	return nil
}

// marks are what the sink itself puts into a versioned table beside each row.
type marks struct {
	// column is the version's; empty if the rows bring it, or there is none.
	column string
	// deletes says that a row which is gone is inserted as one that is marked as deleted.
	deletes bool

	first uint64           // version of the first row of the block that is appended
	kinds []plugin.RowKind // of its rows; nil: none is gone
}

// gone reports whether a row of the block is one that is no more.
func (m *marks) gone(row int) bool {
	return m.kinds != nil && (m.kinds[row] == plugin.Delete || m.kinds[row] == plugin.UpdateBefore)
}

func (m *marks) appendVersions(dst []byte, n int) []byte {
	dst = slices.Grow(dst, 8*n)
	for v := range uint64(n) {
		dst = binary.LittleEndian.AppendUint64(dst, m.first+v)
	}
	return dst
}

func (m *marks) appendDeleted(dst []byte, n int) []byte {
	start := len(dst)
	dst = slices.Grow(dst, n)[:start+n]
	clear(dst[start:])
	for i, k := range m.kinds {
		if k == plugin.Delete || k == plugin.UpdateBefore {
			dst[start+i] = 1
		}
	}
	return dst
}

// version finds the columns of a ReplacingMergeTree that the rows lack and the sink fills: the version, if it is a
// 64-bit integer, and the mark of deleted rows, unless those are to be deleted for good.
func (t *target) version(found []described, o SinkOptions) {
	if t.engine.version == "" {
		return
	}
	deleted := t.engine.deleted
	if deleted == "" {
		deleted = deletedColumn
	}
	for _, c := range found {
		if !slices.Contains(t.left, c.Name) {
			continue
		}
		switch {
		case c.Name == t.engine.version && (c.Type.Name == "UInt64" || c.Type.Name == "Int64"):
			t.marks.column = c.Name
			t.columns = append(t.columns, native.Target{Column: c.Column, Fill: t.marks.appendVersions})
		case c.Name == deleted && c.Type.Name == "UInt8":
			t.marks.deletes = !o.LightweightDelete
			t.columns = append(t.columns, native.Target{Column: c.Column, Fill: t.marks.appendDeleted})
		default:
			continue
		}
		t.left = slices.DeleteFunc(t.left, func(name string) bool { return name == c.Name })
	}
}

var identifier = regexp.MustCompile("^(?:`([^`]+)`|([A-Za-z_][A-Za-z0-9_]*))$")

// replacing returns the columns in brackets of a ReplacingMergeTree: version and mark of deleted rows.
func (e engine) replacing() (version, deleted string) {
	_, rest, ok := strings.Cut(e.full, "ReplacingMergeTree(")
	if !ok {
		return "", ""
	}
	inner, _, _ := strings.Cut(rest, ")")
	var names []string
	for _, arg := range native.SplitArgs(inner) {
		m := identifier.FindStringSubmatch(arg)
		switch {
		case m != nil:
			names = append(names, m[1]+m[2])
		case !strings.HasPrefix(arg, "'"): // the old form, with the key and the granularity in the brackets
			return "", ""
		}
	}
	names = append(names, "", "")
	return names[0], names[1]
}
