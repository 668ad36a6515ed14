package binlog

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/culvertdata/culvert/plugin"
)

// TestRuns decodes many rows at once, with nulls in all patterns, and in a table whose last byte of null bits is not
// full.
func TestRuns(t *testing.T) {
	f := newFixture(t, `CREATE TABLE a (id INT PRIMARY KEY, s VARCHAR(20), n DECIMAL(18,4), t DATETIME(3), b TINYINT(1), l TEXT,
		d DOUBLE, u VARCHAR(300), e ENUM('x','y'), k INT NOT NULL)`)
	from := f.now(t)
	f.run(t, `INSERT INTO a SELECT seq, IF(seq % 3, CONCAT('é', seq), NULL), IF(seq % 5, seq * -1.0007, NULL),
		IF(seq % 7, '2024-01-01' + INTERVAL seq * 1007 SECOND, NULL), IF(seq % 2, seq % 4 = 1, NULL), IF(seq > 600, seq, NULL),
		IF(seq < 900, seq / 7, NULL), IF(seq % 200, REPEAT('x', seq % 40), NULL), IF(seq % 2, 'y', NULL), seq FROM seq_1_to_1000`)
	tab, inserted := f.snapshot(t, "a", nil)
	f.run(t, "DELETE FROM a ORDER BY id")
	want := inserted
	for _, row := range inserted {
		want = append(want, strings.Replace(row, plugin.Insert.String(), plugin.Delete.String(), 1))
	}
	columns := f.columns(t, "a")
	diff(t, want, f.appendAll(t, from, tab, columns))

	const leftOut = 4
	columns[leftOut].Out = -1
	for i, row := range want {
		cells := strings.Split(row, "|")
		cells[1+leftOut] = "NULL"
		want[i] = strings.Join(cells, "|")
	}
	diff(t, want, f.appendAll(t, from, tab, columns))
}

// appendAll decodes all rows of table a from a place on.
func (f *fixture) appendAll(t *testing.T, from Position, tab *plugin.Table, columns []Column) []string {
	t.Helper()
	b := builder(tab)
	f.eachRows(t, f.open(t, Options{From: from}), "a", func(r Rows) {
		d, err := NewDecoder(r.Map, columns, tab, DecoderOptions{})
		if err != nil {
			t.Fatal(err)
		}
		d.Bind(b)
		if err := d.Open(r); err != nil {
			t.Fatal(err)
		}
		count, err := r.Count()
		if err != nil {
			t.Fatal(err)
		}
		if n, err := d.AppendAll(); err != nil || n != count || d.More() {
			t.Fatalf("%d of %d rows, more: %v, error %v", n, count, d.More(), err)
		}
	})
	return printed(b)
}

// TestBadRowInRun goes on behind a row that fails, and loses none in front of it.
func TestBadRowInRun(t *testing.T) {
	f := newFixture(t, "CREATE TABLE a (id INT PRIMARY KEY, b TINYINT(1), s VARCHAR(9))")
	tab, _ := f.snapshot(t, "a", nil)
	from := f.now(t)
	f.run(t, "INSERT INTO a SELECT seq, IF(seq IN (1, 250), 2, 1), 'a' FROM seq_1_to_300")
	b := builder(tab)
	var failed []string
	f.eachRows(t, f.open(t, Options{From: from}), "a", func(r Rows) {
		d, err := NewDecoder(r.Map, f.columns(t, "a"), tab, DecoderOptions{})
		if err != nil {
			t.Fatal(err)
		}
		d.Bind(b)
		if err := d.Open(r); err != nil {
			t.Fatal(err)
		}
		for d.More() {
			before := b.Len()
			n, err := d.AppendAll()
			if b.Len()-before != n {
				t.Errorf("%d rows, said were %d", b.Len()-before, n)
			}
			var e *plugin.Error
			if errors.As(err, &e) {
				failed = append(failed, e.Row)
			}
		}
	})
	diff(t, []string{"row with id = 1", "row with id = 250"}, failed)
	rows := printed(b)
	for i, row := range rows {
		id := i + 2
		if id >= 250 {
			id++
		}
		if want := fmt.Sprintf("+I|%d|true|a", id); row != want {
			t.Fatalf("row %d is %s, want %s", i, row, want)
		}
	}
	if len(rows) != 298 {
		t.Errorf("%d rows, want 298", len(rows))
	}
}

// TestShortDecimals compares the two ways to decode decimals, for those of all forms up to 18 digits.
func TestShortDecimals(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for digits := 1; digits <= maxShort; digits++ {
		for scale := 0; scale <= digits; scale++ {
			d := newDecimal(digits, scale)
			for range 100 {
				b := make([]byte, d.size+random.IntN(4)) // other values follow
				for i := range b {
					b[i] = byte(random.Uint32())
				}
				if got, want := d.short(b), d.long(b[:d.size]).BigInt().Int64(); got != want {
					t.Fatalf("decimal(%d,%d) %x is %d, want %d", digits, scale, b, got, want)
				}
			}
		}
	}
}
