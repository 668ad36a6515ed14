package postgrescdc_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/culvertdata/culvert/engine"
)

// TestAlteredBetweenRuns alters a table while its job runs and while it is stopped, in jobs that follow changes of the
// columns in both runs, in one of them, or in none.
func TestAlteredBetweenRuns(t *testing.T) {
	tests := []struct {
		name          string
		before, after bool   // whether the run follows changes
		between       string // what happens between the runs
		want          string // the rows of the target
	}{
		{"always", true, true, "ALTER TABLE a ADD c text; INSERT INTO a VALUES (4, 'v4', 'b4', 'c4')",
			`1 b:null c:null v:v1, 3 b:b3 c:null v:v3, 4 b:b4 c:c4 v:v4`},
		{"at last", false, true, "ALTER TABLE a ADD c text; INSERT INTO a VALUES (4, 'v4', 'b4', 'c4')",
			`1 b:null c:null v:v1, 3 b:null c:null v:v3, 4 b:b4 c:c4 v:v4`},
		{"what came before", false, true, "INSERT INTO a VALUES (4, 'v4', 'b4')",
			`1 b:null v:v1, 3 b:null v:v3, 4 b:b4 v:v4`},
		{"no more", true, false, "ALTER TABLE a ADD c text; INSERT INTO a VALUES (4, 'v4', 'b4', 'c4')",
			`1 b:null v:v1, 3 b:b3 v:v3, 4 b:b4 v:v4`},
		{"never", false, false, "ALTER TABLE a ADD c text; INSERT INTO a VALUES (4, 'v4', 'b4', 'c4')",
			`1 v:v1, 3 v:v3, 4 v:v4`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := newServer(t, "CREATE TABLE a (id int PRIMARY KEY, v text)", "INSERT INTO a VALUES (1, 'v1')")
			text := func(follows bool) string {
				return s.toTables("", fmt.Sprintf("debezium { include.schema.changes = %v }", follows), "a")
			}
			w := newEngine(t, "")
			job := w.submit(text(test.before), engine.SubmitOptions{ID: 5})
			s.same(job, "a")
			s.exec("ALTER TABLE a ADD b text", "INSERT INTO a VALUES (3, 'v3', 'b3')")
			s.waitFor("the row of the first run", func() bool { return s.count("dst.a WHERE id = 3") == 1 })
			w.savepoint(job)
			s.exec(test.between)
			w.submit(text(test.after), engine.SubmitOptions{ID: 5, FromSavepoint: true})
			s.waitFor("the row of the second run", func() bool { return s.count("dst.a WHERE id = 4") == 1 })
			got := s.query(`SELECT a.id || ' ' || string_agg(key || ':' || coalesce(value, 'null'), ' ' ORDER BY key)
				FROM dst.a, jsonb_each_text(to_jsonb(a) - 'id') GROUP BY a.id ORDER BY a.id`)
			if got := strings.Join(got, ", "); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

// TestTransformBetweenRuns adds a transform to a job between two runs, which makes a column that the target lacks.
func TestTransformBetweenRuns(t *testing.T) {
	s := newServer(t, "CREATE TABLE a (id int PRIMARY KEY, v text)", "INSERT INTO a VALUES (1, 'v1')")
	w := newEngine(t, "")
	text := s.toTables("", "", "a")
	job := w.submit(text, engine.SubmitOptions{ID: 5})
	s.same(job, "a")
	w.savepoint(job)
	s.exec("INSERT INTO a VALUES (2, 'v2')")
	text = strings.Replace(text, "sink {", "transform { Copy { fields { w = v } } }\nsink {", 1)
	job = w.submit(text, engine.SubmitOptions{ID: 5, FromSavepoint: true})
	_, err := job.Wait(t.Context())
	if err == nil || !strings.Contains(err.Error(), "the table has no column w; add it") {
		t.Fatalf("got %v", err)
	}
	s.exec("ALTER TABLE dst.a ADD w text")
	w.submit(text, engine.SubmitOptions{ID: 5, FromSavepoint: true})
	s.waitFor("the row", func() bool { return s.count("dst.a WHERE id = 2 AND w = 'v2'") == 1 })
}
