package mysql_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/internal/dbtest"
	"github.com/culvertdata/culvert/plugin/jdbc/internal/jdbctest"
	"github.com/culvertdata/culvert/plugin/plugintest"
)

// everyKey has a hundred rows with a column of each type that can be cut.
var everyKey = []string{`CREATE TABLE k (id INT PRIMARY KEY, t TINYINT, tu TINYINT UNSIGNED, s SMALLINT,
bu BIGINT UNSIGNED,
		huge BIGINT UNSIGNED, d DECIMAL(10,2), d0 DECIMAL(30,0), f DOUBLE, name VARCHAR(20),
		ci VARCHAR(20) CHARACTER SET latin1,
		day DATE, at DATETIME(3), ts TIMESTAMP NULL, b VARBINARY(8), y YEAR, part INT, one INT)`,
	`INSERT INTO k SELECT seq, CAST(seq AS SIGNED) - 50, seq, seq * 300, seq, 18446744073709551000 + seq,
	seq / 10, seq * 1000, seq / 7e0, CONCAT('n', seq),
		CONCAT('ä', seq), '2024-01-01' + INTERVAL seq DAY, '2024-01-01' + INTERVAL seq * 1001000 MICROSECOND,
		'2024-01-01' + INTERVAL seq HOUR,
		UNHEX(LPAD(HEX(seq), 4, '0')), 1950 + seq, IF(seq % 5 = 0, NULL, seq % 10), 1 FROM seq_1_to_100`,
}

// TestChunksOfEveryKey cuts a hundred rows into chunks of ten by each column: every row comes once, and the number of
// chunks is that of SeaTunnel where the keys are evenly spread.
func TestChunksOfEveryKey(t *testing.T) {
	f := dbtest.MariaDB(t, everyKey...)
	var want []string
	for i := range 100 {
		want = append(want, fmt.Sprint(i+1))
	}
	slices.Sort(want)
	for key, chunks := range map[string]int{
		"": 10, "id": 10, "t": 10, "tu": 10, "s": 10, "bu": 10, "huge": 10, "d": 10, "d0": 10, "f": 10, "name": 10,
		"ci": 10, "day": 10,
		"at": 10, "ts": 10, "b": 10, "y": 10, "part": 9, "one": 1,
	} {
		for _, way := range []string{"table_path", "query"} {
			pairs := f.Pairs("table_path", f.Name+".k", "split.size", 10, "partition_column", key)
			if way == "query" {
				if key == "" {
					continue
				}
				pairs = f.Pairs("query", "SELECT * FROM k", "partition_num", 10, "partition_column", key)
			}
			s := kit.OpenSource(t, plugintest.Options(pairs...))
			splits := jdbctest.SplitsOf(t, s)
			out := &jdbctest.Collector{}
			slices.Reverse(splits)
			if err := jdbctest.ReadAll(t, s, splits, out); err != nil {
				t.Errorf("%s by %s: %v", way, key, err)
				continue
			}
			var got []string
			for _, row := range out.Values {
				got = append(got, fmt.Sprint(row[0]))
			}
			slices.Sort(got)
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("%s by %s: %s", way, key, d)
			}
			if way == "table_path" && (len(splits) < chunks || len(splits) > chunks+1) {
				t.Errorf("%s by %s: %d splits, want %d", way, key, len(splits), chunks)
			}
		}
	}
}

// TestWhatIsDescribed looks at a table's columns, keys and comments.
func TestWhatIsDescribed(t *testing.T) {
	f := dbtest.MariaDB(t, `CREATE TABLE t (b INT NOT NULL DEFAULT 5 COMMENT 'count',
	a VARCHAR(30) NOT NULL DEFAULT 'it''s', c TEXT,
		at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP, PRIMARY KEY (a, b), UNIQUE KEY u (at),
		KEY p (c(10))) COMMENT 'about'`)
	s := kit.OpenSource(t, f.Options("table_path", f.Name+".t"))
	tables, err := s.Tables(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	five, text := "5", "it's"
	got := *tables[0]
	got.Schema = nil
	want := plugin.Table{
		ID: plugin.TableID{Database: f.Name, Name: "t"}, Key: []int{1, 0}, Comment: "about", Catalog: "MySQL",
		Columns: []plugin.Column{
			{Name: "b", Type: plugin.TypeOf(plugin.Int), NotNull: true, Default: &five, Comment: "count", SourceType: "int(11)"},
			{Name: "a", Type: plugin.TypeOf(plugin.String), NotNull: true, Length: 30, Default: &text,
				SourceType: "varchar(30)"},
			{Name: "c", Type: plugin.TypeOf(plugin.String), Length: 65535, SourceType: "text"},
			{Name: "at", Type: plugin.Type{Kind: plugin.Timestamp}, NotNull: true, SourceType: "timestamp"},
		},
		Constraints: []plugin.Constraint{{Name: "u", Kind: plugin.UniqueKey,
			Columns: []plugin.ConstraintColumn{{Name: "at"}}}},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// TestJobs runs whole jobs between tables.
func TestJobs(t *testing.T) {
	f := dbtest.MariaDB(t, everyKey...)
	f.Exec("CREATE TABLE target LIKE k", "CREATE TABLE two (c_int INT PRIMARY KEY, v VARCHAR(9))",
		"INSERT INTO two SELECT CAST(seq AS SIGNED) - 5, 'v' FROM seq_1_to_10")
	kit.MustRunJob(t, fmt.Sprintf(`env { parallelism = 3 }
		source { jdbc { %s, query = "select * from k;", partition_column = d, partition_num = 3,
		properties { useSSL = false } } }
		sink { jdbc { %[1]s, query = """insert into target values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
		?)""" } }`, f.Access()))
	const digest = `SELECT COUNT(*), SUM(CRC32(CONCAT_WS('|', id, t, tu, s, bu, huge, d, d0, f, name, ci, day, at, ts,
		HEX(b), y, part, one))) FROM `
	if d := cmp.Diff(f.Query(digest+"k"), f.Query(digest+"target")); d != "" {
		t.Error(d)
	}
	kit.MustRunJob(t, fmt.Sprintf(`
		source { jdbc { %s, where_condition = "where 1 = 1 and c_int >= 0", table_list = [{ table_path = "%s.two" }] } }
		sink { jdbc { %[1]s, database = "%[2]s", table = "copy_${table_name}", generate_sink_sql = true } }`,
		f.Access(), f.Name))
	if got := f.Query("SELECT COUNT(*), MIN(c_int), MAX(v) FROM copy_two")[0]; got != "6|0|v" {
		t.Error(got)
	}
}
