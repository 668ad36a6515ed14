package clickhouse

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/clickhouse/internal/native"
)

const (
	// leastRange is how many rows a range of keys has about; a smaller table is read in one piece.
	leastRange = 100_000
	// rangesPerLane lets lanes that are done early take over from others.
	rangesPerLane = 4
	// samplesPerRange is how many keys of a range are looked at to find where it ends.
	samplesPerRange = 200
)

// wholeTable matches statements that read some columns of all rows of one table, and nothing else.
var wholeTable = regexp.MustCompile("(?is)^select\\s+(?:\\*|[\\w`\"]+(?:\\s*,\\s*[\\w`\"]+)*)\\s+from\\s+" +
	"(?:([\\w]+|`[^`]+`|\"[^\"]+\")\\.)?([\\w]+|`[^`]+`|\"[^\"]+\")$")

// tableOf returns the table that a statement reads whole.
func tableOf(sql, database string) (plugin.TableID, bool) {
	m := wholeTable.FindStringSubmatch(sql)
	if m == nil {
		return plugin.TableID{}, false
	}
	id := plugin.TableID{Database: strings.Trim(m[1], "`\""), Name: strings.Trim(m[2], "`\"")}
	if id.Database == "" {
		id.Database = database
	}
	return id, true
}

// ranges cuts a table by the first column of its ORDER BY, so that each range is found by the primary index. It returns
// conditions that each row meets exactly one of, or nil if the table is too small or its key is of no use.
func (s *Source) ranges(ctx context.Context, srv *server) ([]string, error) {
	id, ok := tableOf(s.sql, s.options.Database)
	if !ok || s.env.Parallelism < 2 {
		return nil, nil
	}
	e, err := engineOf(ctx, srv, id)
	if err != nil || !strings.HasSuffix(e.name, "MergeTree") {
		return nil, err
	}
	found, err := srv.describe(ctx, tableName(id))
	if err != nil {
		return nil, err
	}
	key := e.sortingKey()[0]
	i := slices.IndexFunc(found, func(d described) bool { return d.Name == key && d.err == nil })
	if i < 0 || !cuttable(found[i].Type) {
		return nil, nil
	}
	count, err := srv.Rows(ctx, "SELECT count() FROM "+tableName(id))
	if err != nil || len(count) != 1 {
		return nil, err
	}
	rows, err := strconv.ParseUint(count[0][0], 10, 64)
	n := min(rows/leastRange, uint64(s.env.Parallelism*rangesPerLane))
	if err != nil || n < 2 {
		return nil, err
	}
	column := native.Identifier(key)
	sample, err := srv.Rows(ctx, fmt.Sprintf("SELECT toString(%[1]s) FROM "+
		"(SELECT %[1]s FROM %[2]s WHERE rand() %% %[3]d = 0 ORDER BY %[1]s)",
		column, tableName(id), max(1, rows/(n*samplesPerRange))))
	if err != nil {
		return nil, err
	}
	bare, _ := found[i].Type.Bare()
	return between(column, ends(sample, int(n), strings.Contains(bare.Name, "Int"))), nil
}

// cuttable reports whether values of a type are in a total order and compare with a literal.
func cuttable(t native.Type) bool {
	bare, null := t.Bare()
	switch bare.Name {
	case "Int8", "Int16", "Int32", "Int64", "UInt8", "UInt16", "UInt32", "UInt64", "Date", "DateTime", "String":
		return !null
	}
	return false
}

// ends returns the literals where n ranges of about equal size end, all different. The last range has no end.
func ends(sample [][]string, n int, number bool) []string {
	var ends []string
	for i := range n {
		if len(sample) == 0 {
			break
		}
		end := sample[i*len(sample)/n][0]
		if !number {
			end = native.Quote(end)
		}
		if len(ends) == 0 || ends[len(ends)-1] != end {
			ends = append(ends, end)
		}
	}
	return ends[min(1, len(ends)):] // nothing is before the first
}

// between returns the conditions of the ranges.
func between(column string, ends []string) []string {
	if len(ends) == 0 {
		return nil
	}
	conditions := []string{column + " < " + ends[0]}
	for i, end := range ends {
		condition := column + " >= " + end
		if i+1 < len(ends) {
			condition += " AND " + column + " < " + ends[i+1]
		}
		conditions = append(conditions, condition)
	}
	return conditions
}

// splits returns one split for each range, or one for the whole query.
func (s *Source) splits(ctx context.Context, id plugin.TableID) ([]plugin.Split, error) {
	srv, err := connect(ctx, s.client, s.options.Zone)
	if err != nil {
		return nil, err
	}
	defer srv.Close()
	ranges, err := s.ranges(ctx, srv)
	if err != nil {
		return nil, err
	}
	if ranges == nil {
		return []plugin.Split{{ID: "query", Table: id, Rows: -1}}, nil
	}
	splits := make([]plugin.Split, len(ranges))
	for i, condition := range ranges {
		state, err := json.Marshal(position{Where: condition})
		if err != nil {
			return nil, err
		}
		splits[i] = plugin.Split{ID: fmt.Sprintf("range-%d", i), Table: id, State: state, Rows: -1}
	}
	return splits, nil
}
