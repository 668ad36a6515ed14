package binlog

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/column"
	"github.com/culvertdata/culvert/plugin/internal/mysql/wire"
)

// backlogs are logs with transactions of different sizes: their rows, and the rows of one.
var backlogs = []struct {
	name      string
	rows, per int
}{{"bulk", 500_000, 500_000}, {"100", 200_000, 100}, {"1", 50_000, 1}}

const benchTable = `CREATE TABLE a (id BIGINT PRIMARY KEY, i INT NOT NULL, s VARCHAR(40), u VARCHAR(64), d DOUBLE,
	n DECIMAL(12,2), t DATETIME(6), b TINYINT(1))`

// fill is a procedure that writes transactions of so many rows.
const fill = `CREATE PROCEDURE fill(total INT, per INT) BEGIN
	DECLARE n INT DEFAULT 0;
	WHILE n < total DO
		INSERT INTO a SELECT seq, seq MOD 1000, CONCAT('name ', seq), MD5(seq), seq / 7, seq / 100,
			'2024-01-01 00:00:00' + INTERVAL seq SECOND, seq MOD 2 FROM seq_1_to_1000000 WHERE seq > n AND seq <= n + per;
		SET n = n + per;
	END WHILE;
END`

// BenchmarkBacklog reads a log that is there already, in four ways: raw drops the packets, which is the limit; events
// also verifies checksums and keeps account of positions; rows also counts the rows; decode puts them into columns.
//
//	go test -run - -bench Backlog -benchtime 5x ./plugin/mysqlcdc/internal/binlog/
func BenchmarkBacklog(b *testing.B) {
	f := newFixture(b, benchTable, fill)
	lazy(b, f)
	tab, _ := f.snapshot(b, "a", nil)
	columns := f.columns(b, "a")
	for _, log := range backlogs {
		f.run(b, "TRUNCATE a")
		from := f.now(b)
		f.run(b, fmt.Sprintf("CALL fill(%d, %d)", log.rows, log.per))
		for _, way := range []struct {
			name string
			read func(*testing.B, *Stream) int
		}{
			{"raw", func(b *testing.B, s *Stream) int { return drop(b, s, log.rows) }},
			{"events", func(b *testing.B, s *Stream) int { each(b, s, func(Event) {}); return log.rows }},
			{"rows", countRows},
			{"decode", func(b *testing.B, s *Stream) int { return decode(b, s, tab, columns) }},
		} {
			b.Run(log.name+"/"+way.name, func(b *testing.B) {
				b.ReportAllocs()
				rows, bytes := 0, int64(0)
				for b.Loop() {
					b.StopTimer()
					s, err := Open(b.Context(), connect(b), Options{ServerID: rand.Uint32(), From: from, NonBlocking: true})
					if err != nil {
						b.Fatal(err)
					}
					b.StartTimer()
					n := way.read(b, s)
					if n != log.rows {
						b.Fatalf("%d rows, want %d", n, log.rows)
					}
					rows += n
					bytes += s.Bytes()
					b.StopTimer()
					_ = s.Close()
					b.StartTimer()
				}
				b.ReportMetric(float64(rows)/b.Elapsed().Seconds(), "rows/s")
				b.ReportMetric(float64(bytes)/b.Elapsed().Seconds()/1e6, "MB/s")
			})
		}
	}
}

// lazy makes commits cheap while the benchmark writes its rows.
func lazy(b *testing.B, f *fixture) {
	rows, err := f.Rows("SELECT @@global.sync_binlog, @@global.innodb_flush_log_at_trx_commit")
	if err != nil {
		b.Fatal(err)
	}
	f.run(b, "SET GLOBAL sync_binlog = 0", "SET GLOBAL innodb_flush_log_at_trx_commit = 0")
	b.Cleanup(func() {
		f.run(b, fmt.Sprintf("SET GLOBAL sync_binlog = %s, GLOBAL innodb_flush_log_at_trx_commit = %s",
			wire.String(rows[0][0]), wire.String(rows[0][1])))
	})
}

func drop(b *testing.B, s *Stream, rows int) int {
	for {
		data, err := s.feed.Next()
		if errors.Is(err, io.EOF) {
			return rows
		}
		if err != nil {
			b.Fatal(err)
		}
		s.bytes += int64(len(data))
	}
}

// changes calls do for all rows events of a stream.
func changes(b *testing.B, s *Stream, do func(Rows)) {
	for {
		e, err := s.Next(b.Context())
		switch {
		case errors.Is(err, io.EOF):
			return
		case err == nil && e.Type == TableMapEvent:
			_, err = s.TableMap(e)
		case err == nil && e.Type.IsRows():
			var r Rows
			if r, err = s.Rows(e); err == nil && r.Map != nil {
				do(r)
			}
		}
		if err != nil {
			b.Fatal(err)
		}
	}
}

func countRows(b *testing.B, s *Stream) int {
	rows := 0
	changes(b, s, func(r Rows) {
		n, err := r.Count()
		if err != nil {
			b.Fatal(err)
		}
		rows += n
	})
	return rows
}

func decode(b *testing.B, s *Stream, tab *plugin.Table, columns []Column) int {
	pool := column.NewPool()
	build := column.NewBuilder(tab, pool)
	var d *Decoder
	rows := 0
	changes(b, s, func(r Rows) {
		if d == nil {
			var err error
			if d, err = NewDecoder(r.Map, columns, tab, DecoderOptions{}); err != nil {
				b.Fatal(err)
			}
			d.Bind(build)
		}
		if err := d.Open(r); err != nil {
			b.Fatal(err)
		}
		for d.More() {
			n, err := d.AppendAll()
			if err != nil {
				b.Fatal(err)
			}
			rows += n
			if build.Full() {
				build.Batch().Release()
			}
		}
	})
	build.Batch().Release()
	return rows
}

// BenchmarkDecode decodes rows that are in memory.
func BenchmarkDecode(b *testing.B) {
	f := newFixture(b, benchTable, fill)
	tab, _ := f.snapshot(b, "a", nil)
	columns := f.columns(b, "a")
	from := f.now(b)
	f.run(b, "CALL fill(5000, 5000)")
	var events []Rows
	changes(b, f.open(b, Options{From: from}), func(r Rows) {
		r.data, r.after = bytes.Clone(r.data), bytes.Clone(r.after)
		events = append(events, r)
	})
	d, err := NewDecoder(events[0].Map, columns, tab, DecoderOptions{})
	if err != nil {
		b.Fatal(err)
	}
	build := column.NewBuilder(tab, column.NewPool())
	d.Bind(build)
	b.Run("append", func(b *testing.B) {
		rows := 0
		for b.Loop() {
			for _, r := range events {
				_ = d.Open(r)
				for d.More() {
					n, err := d.AppendAll()
					if err != nil {
						b.Fatal(err)
					}
					rows += n
					if build.Full() {
						build.Batch().Release()
					}
				}
			}
		}
		b.ReportMetric(float64(rows)/b.Elapsed().Seconds(), "rows/s")
	})
	b.Run("count", func(b *testing.B) {
		rows := 0
		for b.Loop() {
			for _, r := range events {
				n, err := r.Count()
				if err != nil {
					b.Fatal(err)
				}
				rows += n
			}
		}
		b.ReportMetric(float64(rows)/b.Elapsed().Seconds(), "rows/s")
	})
}
