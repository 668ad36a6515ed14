package main

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// TestSoak needs the scripts that start servers; CULVERT_TEST_POSTGRES_SERVICE names one.
func TestSoak(t *testing.T) {
	script := os.Getenv("CULVERT_TEST_POSTGRES_SERVICE")
	if testing.Short() || script == "" {
		t.Skip("starts database servers with the script in CULVERT_TEST_POSTGRES_SERVICE")
	}
	o := options{changes: 30_000, rows: 4000, memory: 1 << 30, seed: 1, command: self}
	torment1(t, "postgrescdc-postgres", filepath.Dir(script), o)
}

func TestSoakNeedsChanges(t *testing.T) {
	err := start(t.Context(), "csv", "", options{dir: t.TempDir(), changes: 1})
	if err == nil || !strings.Contains(err.Error(), "change data capture") {
		t.Errorf("error %v", err)
	}
}

// TestGauge prints a line for each part and keeps the most of all.
func TestGauge(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "file"), make([]byte, 3<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	g := newGauge(os.Getpid(), dir, 1000)
	for i, seen := range []int64{50, 99, 100, 250, 1000} {
		if err := g.look(seen+int64(i), seen); err != nil {
			t.Fatal(err)
		}
	}
	if g.part != 10 || g.had != 1000 {
		t.Errorf("part %d, which begins at %d", g.part, g.had)
	}
	if g.most.store != 3<<20 || g.most.behind != 4 || g.most.memory < 1<<20 {
		t.Errorf("most %+v", g.most)
	}
	if text := g.summary(1000); !strings.Contains(text, "1000 changes") || !strings.Contains(text, "its store 3.0") {
		t.Error(text)
	}
	if _, err := residentMemory(-1); err == nil {
		t.Error("a process that does not exist has memory")
	}
	if n, err := sizeOf(filepath.Join(dir, "missing")); n != 0 || err != nil {
		t.Errorf("a directory that is not there yet has %d bytes, error %v", n, err)
	}
}

// TestStatements keeps changes within the keys of the table.
func TestStatements(t *testing.T) {
	keys := regexp.MustCompile(`BETWEEN (\d+) AND (\d+)|generate_series\((\d+), (\d+)\)`)
	c := &changer{kind: postgresKind(), random: rand.New(rand.NewPCG(1, 2)), tables: []string{"t01", "t02"}, rows: 50}
	for _, rows := range []int{1, 7, 50, 100_000} {
		for range 200 {
			for _, statement := range c.statements(rows) {
				m := keys.FindStringSubmatch(statement)
				if m == nil {
					t.Fatalf("%s: no keys", statement)
				}
				first, _ := strconv.Atoi(m[1] + m[3])
				last, _ := strconv.Atoi(m[2] + m[4])
				if first < 1 || last > 50 || last-first+1 != min(rows, 50) {
					t.Errorf("%d rows: %s", rows, statement)
				}
			}
		}
	}
}

func TestSizes(t *testing.T) {
	c := &changer{random: rand.New(rand.NewPCG(1, 2))}
	counts := map[string]int{}
	for range 10_000 {
		switch n := c.size(); {
		case n == 1:
			counts["one"]++
		case n >= 100 && n <= 1000:
			counts["some hundred"]++
		case n == 100_000:
			counts["very many"]++
		default:
			t.Errorf("size %d", n)
		}
	}
	if counts["one"] < 1500 || counts["some hundred"] < 7000 || counts["very many"] < 5 {
		t.Errorf("%v", counts)
	}
}
