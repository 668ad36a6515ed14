package engine_test

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// TestWeight keeps connectors, drivers and servers out of what every host links.
func TestWeight(t *testing.T) {
	forbidden := []string{
		"github.com/culvertdata/culvert/plugin/", "modernc.org/", "github.com/apache/arrow-go/v18/parquet",
		"github.com/apache/arrow-go/v18/arrow/compute", "github.com/jackc/", "github.com/go-sql-driver/",
		"github.com/ClickHouse/", "github.com/nats-io/", "github.com/prometheus/",
	}
	allowed := []string{
		"github.com/culvertdata/culvert/plugin/config", "github.com/culvertdata/culvert/plugin/config/hocon",
		"github.com/culvertdata/culvert/plugin/column",
	}
	out, err := exec.Command("go", "list", "-deps", "github.com/culvertdata/culvert/engine",
		"github.com/culvertdata/culvert/rest").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range strings.Fields(string(out)) {
		bad := slices.ContainsFunc(forbidden, func(f string) bool { return strings.HasPrefix(path, f) })
		if bad && !slices.Contains(allowed, path) {
			t.Errorf("engine or rest imports %s", path)
		}
	}
}
