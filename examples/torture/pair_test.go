package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestPairCheck breaks a copy in every way that the check must find.
func TestPairCheck(t *testing.T) {
	script := os.Getenv("CULVERT_TEST_POSTGRES_SERVICE")
	if testing.Short() || script == "" {
		t.Skip("starts database servers with the scripts beside the one in CULVERT_TEST_POSTGRES_SERVICE")
	}
	for _, kind := range []kind{postgresKind(), mariadbKind()} {
		t.Run(kind.name, func(t *testing.T) {
			d := testDatabase(t, filepath.Join(filepath.Dir(script), kind.name), kind)
			p := &pair{from: d, to: d}
			if _, err := p.prepare(t.Context(), "", 100); err != nil {
				t.Fatal(err)
			}
			run := func(statements ...string) {
				t.Helper()
				if err := d.exec(t.Context(), statements...); err != nil {
					t.Fatal(err)
				}
			}
			run("CREATE TABLE culvert_stages (id INT)")
			for _, c := range []struct{ name, breaks, mends, want string }{
				{"nothing", "SELECT 1", "SELECT 1", ""},
				{"doubled", "INSERT INTO target SELECT * FROM source WHERE id = 50", "SELECT 1", "row 51 "},
				{"lost in the middle", "DELETE FROM target WHERE id = 50", "SELECT 1", "row 50 "},
				{"lost at the end", "DELETE FROM target WHERE id = 100", "SELECT 1", "row 100 "},
				{"changed", "UPDATE target SET note = '' WHERE id = 10", "SELECT 1", "row 10 "},
				{"left over", "CREATE TABLE culvert_stage_7 (id INT)", "DROP TABLE culvert_stage_7", "culvert_stage_7"},
			} {
				run("DELETE FROM target", "INSERT INTO target SELECT * FROM source", c.breaks)
				if d.name == "postgres" { // there, a staging table has another name
					run("DROP TABLE IF EXISTS culvert_stages")
				}
				text, err := p.check(t.Context(), "", 100)
				if c.want == "" && err != nil || c.want != "" && !strings.Contains(fmt.Sprint(err), c.want) {
					t.Errorf("%s: %q, error %v", c.name, text, err)
				}
				run(c.mends)
			}
		})
	}
}

func testDatabase(t *testing.T, script string, k kind) *database {
	t.Helper()
	dir, err := os.MkdirTemp("", "torture")
	if err != nil {
		t.Fatal(err)
	}
	server, err := startOpen(t.Context(), script, dir, "server")
	t.Cleanup(func() {
		if server != nil {
			server.stop(context.WithoutCancel(t.Context()))
		}
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return &database{kind: k, server: server}
}
