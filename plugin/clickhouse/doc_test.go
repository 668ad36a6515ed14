package clickhouse

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/clickhouse/internal/native"
)

// made are the types of which the package comment says what is made for them.
var made = map[string]plugin.Type{
	"STRING": plugin.TypeOf(plugin.String), "BYTES": plugin.TypeOf(plugin.Bytes), "BOOLEAN": plugin.TypeOf(plugin.Boolean),
	"TINYINT": plugin.TypeOf(plugin.TinyInt), "SMALLINT": plugin.TypeOf(plugin.SmallInt), "INT": plugin.TypeOf(plugin.Int),
	"BIGINT": plugin.TypeOf(plugin.BigInt), "FLOAT": plugin.TypeOf(plugin.Float), "DOUBLE": plugin.TypeOf(plugin.Double),
	"Decimal(38, 18)": plugin.DecimalOf(38, 18), "DATE": plugin.TypeOf(plugin.Date), "TIME": plugin.TypeOf(plugin.Time),
	"TIMESTAMP": plugin.TypeOf(plugin.Timestamp), "ARRAY<INT>": plugin.ArrayOf(plugin.TypeOf(plugin.Int)),
	"Map<STRING, INT>": plugin.MapOf(plugin.TypeOf(plugin.String), plugin.TypeOf(plugin.Int)),
}

// TestDocumentedTypes compares the tables of the package comment with what the code does.
func TestDocumentedTypes(t *testing.T) {
	text, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	_, types, _ := strings.Cut(string(text), "// # Types")
	gap := regexp.MustCompile(`\s{2,}`)
	read, written := 0, 0
	second := false
	for line := range strings.Lines(types) {
		row, ok := strings.CutPrefix(strings.TrimRight(line, "\n"), "//\t")
		if !ok {
			continue
		}
		cells := gap.Split(row, -1)
		switch {
		case cells[0] == "here":
			second = true
		case cells[0] == "ClickHouse":
		case !second:
			read++
			parsed, err := native.ParseType(cells[0])
			if err != nil {
				t.Fatal(err)
			}
			if got, err := parsed.Plugin(); err != nil || got.String() != cells[1] {
				t.Errorf("%s becomes %s (error %v), the comment says %s", cells[0], got, err, cells[1])
			}
		default:
			written++
			for i, v := range []version{{26, 7}, {18, 16}} {
				if got, err := columnType(v, made[cells[0]]); err != nil || got != cells[i+1] {
					t.Errorf("%s becomes %s on %v (error %v), the comment says %s", cells[0], got, v, err, cells[i+1])
				}
			}
		}
	}
	if read < 30 || written != len(made) {
		t.Errorf("%d and %d rows of the tables were found", read, written)
	}
}
