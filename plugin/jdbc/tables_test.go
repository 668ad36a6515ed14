package jdbc_test

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/culvertdata/culvert/plugin/internal/dbtest"
	"github.com/culvertdata/culvert/plugin/jdbc/internal/jdbctest"
)

func TestMain(m *testing.M) { jdbctest.Main(m, plugins) }

// tablesVariable holds the number of tables of TestManyTables.
const tablesVariable = "CULVERT_TEST_TABLES"

// rowsOfTable is the number of rows of each table.
const rowsOfTable = 300

// TestManyTables copies many tables in one job, made by the sink with ${table_name}, and measures the process that does
// it: ten times as many tables may not need much more memory.
//
//	CULVERT_TEST_TABLES=1000 go test -run ManyTables -v ./plugin/jdbc
func TestManyTables(t *testing.T) {
	n := 100
	if text := os.Getenv(tablesVariable); text != "" {
		var err error
		if n, err = strconv.Atoi(text); err != nil {
			t.Fatalf("%s: %v", tablesVariable, err)
		}
	}
	if testing.Short() {
		n = 20
	}
	for _, from := range servers {
		for _, exactly := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s to postgres/exactly once %v", from.name, exactly), func(t *testing.T) {
				few, _ := copyTables(t, from, n/10, exactly)
				many, took := copyTables(t, from, n, exactly)
				t.Logf("%d tables: %d MiB, %s a table; %d tables: %d MiB", n, many>>20, took/time.Duration(n), n/10, few>>20)
				const allowed = 24 << 20
				if many > few+allowed {
					t.Errorf("%d tables need %d MiB, %d only %d", n, many>>20, n/10, few>>20)
				}
			})
		}
	}
}

// copyTables copies n tables and returns the memory and the time that it took.
func copyTables(t *testing.T, from server, n int, exactly bool) (memory int64, took time.Duration) {
	t.Helper()
	source, target := from.open(t), dbtest.Postgres(t)
	schema := map[string]string{"postgres": "public", "mariadb": source.Name}[from.name]
	var list strings.Builder
	var made []string
	for i := range n {
		made = append(made, strings.Replace(sourceTable, "people", table(i), 1),
			strings.Replace(fmt.Sprintf(from.fill, rowsOfTable), "people", table(i), 1))
		fmt.Fprintf(&list, "{ table_path = \"%s.%s\" }\n", schema, table(i))
	}
	source.Exec(made...)
	start := time.Now()
	child := dbtest.StartJob(t, t.TempDir(), fmt.Sprintf(`
		env { parallelism = 2, checkpoint.interval = 1000 }
		source { Jdbc { %s, table_list = [%s] } }
		sink { Jdbc { %s, table = "copy_${table_name}", is_exactly_once = %v } }`,
		source.Access(), list.String(), target.Access(), exactly))
	if err := child.Wait(); err != nil {
		t.Fatal(err)
	}
	took = time.Since(start)
	for i := range n {
		const rows = "SELECT * FROM %s ORDER BY id"
		want := source.Query(fmt.Sprintf(rows, table(i)))
		if d := cmp.Diff(want, target.Query(fmt.Sprintf(rows, "copy_"+table(i)))); d != "" || len(want) != rowsOfTable {
			t.Fatalf("%s, %d rows: %s", table(i), len(want), d)
		}
	}
	return child.ProcessState.SysUsage().(*syscall.Rusage).Maxrss << 10, took
}

func table(i int) string { return fmt.Sprintf("t%04d", i) }
