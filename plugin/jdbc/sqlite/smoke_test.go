package sqlite_test

import (
	"fmt"
	"testing"

	"github.com/culvertdata/culvert/plugin"
)

func TestSmoke(t *testing.T) {
	tab := table(t, plugin.Table{ID: plugin.TableID{Name: "people"}, Columns: []plugin.Column{
		{Name: "id", Type: plugin.TypeOf(plugin.BigInt)}, {Name: "name", Type: plugin.TypeOf(plugin.String)},
		{Name: "price", Type: plugin.DecimalOf(38, 18)}, {Name: "at", Type: plugin.TypeOf(plugin.Timestamp)},
	}, Key: []int{0}})
	for _, exactly := range []string{"false", "true"} {
		url, path := newFile(t)
		s := sinkFor(t, tab, "url", url, "driver", "org.sqlite.JDBC", "generate_sink_sql", "true", "database", "x", "is_exactly_once", exactly)
		var rows []row
		for i := range 1000 {
			rows = append(rows, row{plugin.Insert, []any{i, fmt.Sprint("n", i), "12345678901234567890.123456789012345678", "2024-01-01 10:00:00.5"}})
		}
		rows = append(rows, row{plugin.Delete, []any{3, "x", nil, nil}}, row{plugin.UpdateBefore, []any{4, "x", nil, nil}}, row{plugin.UpdateAfter, []any{4, "new", nil, nil}})
		load(t, s, batch(t, tab, rows...))
		fmt.Println(query(t, path, "select * from people limit 5"))
		fmt.Println(query(t, path, "select name, sql from sqlite_schema"))
		got := read(t, "url", url, "table_path", "people", "split.size", 100)
		fmt.Println(len(got), got[:5])
		got = read(t, "url", url, "query", "select id, count(*) as n from people group by 1", "partition_column", "id")
		fmt.Println(len(got), got[:5])
	}
}
