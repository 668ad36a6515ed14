package postgres_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// mixed makes a table of n rows with eight columns of mixed types.
func mixed(name string, n int) []string {
	return []string{
		fmt.Sprintf(`CREATE TABLE %s (id bigint PRIMARY KEY, n integer, name varchar(40), note text, score double precision,
			amount numeric(12,2), at timestamp, ok boolean)`, name),
		fmt.Sprintf(`INSERT INTO %s SELECT i, i %% 1000, 'name ' || i, CASE WHEN i %% 10 = 0 THEN NULL ELSE md5(i::text) END, i / 7.0,
			(i %% 100000) / 100.0 - 300, timestamp '2024-01-01' + i * interval '1.000001 second', i %% 3 = 0
			FROM generate_series(1, %d) i`, name, n),
		"ANALYZE " + name,
	}
}

func TestCopyOfATable(t *testing.T) {
	for _, exactly := range []bool{false, true} {
		t.Run(fmt.Sprintf("exactly once %v", exactly), func(t *testing.T) {
			s := newServer(t, mixed("a", 30000)...)
			result := mustRun(t, fmt.Sprintf(`
				env { parallelism = 2 }
				source { Jdbc { %s table_path = "public.a" } }
				sink { Jdbc { %s table = "public.b", is_exactly_once = %v } }`, s.access(), s.access(), exactly))
			if result.RowsOut != 30000 {
				t.Errorf("%d rows out", result.RowsOut)
			}
			const digest = "SELECT count(*), sum(hashtextextended(x::text, 0)) FROM "
			if d := cmp.Diff(s.query(digest+"a x"), s.query(digest+"b x")); d != "" {
				t.Error(d)
			}
			if got := s.query("SELECT indexdef FROM pg_indexes WHERE tablename = 'b'"); len(got) != 1 {
				t.Errorf("indexes: %q", got)
			}
			if got := s.query("SELECT relname FROM pg_class WHERE relname LIKE 'culvert\\__%' AND relkind = 'r' AND relname <> 'culvert_commits'"); len(got) > 0 {
				t.Errorf("left over: %q", got)
			}
		})
	}
}
