package postgres_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/culvertdata/culvert/plugin/internal/dbtest"
)

func TestCopyOfATable(t *testing.T) {
	for _, exactly := range []bool{false, true} {
		t.Run(fmt.Sprintf("exactly once %v", exactly), func(t *testing.T) {
			s := dbtest.Postgres(t, mixedTable(30000)...)
			result := kit.MustRunJob(t, fmt.Sprintf(`
				env { parallelism = 2 }
				source { Jdbc { %s, table_path = "public.a" } }
				sink { Jdbc { %s, table = "public.b", is_exactly_once = %v } }`, s.Access(), s.Access(), exactly))
			if result.RowsOut != 30000 {
				t.Errorf("%d rows out", result.RowsOut)
			}
			const digest = "SELECT count(*), sum(hashtextextended(x::text, 0)) FROM "
			if d := cmp.Diff(s.Query(digest+"a x"), s.Query(digest+"b x")); d != "" {
				t.Error(d)
			}
			if got := s.Query("SELECT indexdef FROM pg_indexes WHERE tablename = 'b'"); len(got) != 1 {
				t.Errorf("indexes: %q", got)
			}
			if got := leftOver(s); len(got) > 0 {
				t.Errorf("left over: %q", got)
			}
		})
	}
}
