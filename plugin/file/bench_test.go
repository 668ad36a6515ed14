package file

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/culvertdata/culvert/plugin"
)

const mixedFields = `schema { fields { a = int, b = bigint, c = string, d = string, e = double, f = "decimal(12,2)", ` +
	`g = timestamp, h = boolean } }`

// mixedFile writes rows of eight mixed columns.
func mixedFile(b *testing.B, format string, rows int) (path string, size int64) {
	b.Helper()
	path = filepath.Join(b.TempDir(), "mixed."+format)
	f, err := os.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	line := "%d,%d,name of %d,%x,%g,%d.%02d,2024-%02d-%02d %02d:%02d:%02d,%t\n"
	if format == "json" {
		line = `{"a":%d,"b":%d,"c":"name of %d","d":"%x","e":%g,"f":%d.%02d,` +
			`"g":"2024-%02d-%02dT%02d:%02d:%02d","h":%t}` + "\n"
	}
	for i := range rows {
		fmt.Fprintf(f, line, i, int64(i)*7919000001, i%1000, i*104729, float64(i)*1.37, i%100000, i%100,
			i%12+1, i%28+1, i%24, i%60, i*7%60, i%2 == 0)
	}
	info, err := f.Stat()
	if err != nil {
		b.Fatal(err)
	}
	if err := f.Close(); err != nil {
		b.Fatal(err)
	}
	return path, info.Size()
}

// discard counts rows.
type discard struct {
	collector
	n    int
	last plugin.Batch
	keep bool
}

func (d *discard) Batch(b plugin.Batch) error {
	d.n += b.Len()
	if d.keep && d.last.Rows == nil {
		d.last = b
		return nil
	}
	b.Release()
	return nil
}

func benchmarkRead(b *testing.B, format, more string) {
	const rows = 200_000
	path, size := mixedFile(b, format, rows)
	s, err := openSource(b, fmt.Sprintf("path = %q, file_format_type = %s, %s\n%s", path, format, mixedFields, more))
	if err != nil {
		b.Fatal(err)
	}
	splits, err := splitsOf(b.Context(), s)
	if err != nil {
		b.Fatal(err)
	}
	r, err := s.Reader(b.Context(), plugin.Task{Env: testEnv()})
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(size)
	b.ReportAllocs()
	for b.Loop() {
		out := &discard{}
		for _, split := range splits {
			if err := r.Open(b.Context(), split); err != nil {
				b.Fatal(err)
			}
			if err := r.Read(b.Context(), out); err != io.EOF {
				b.Fatal(err)
			}
		}
		if out.n != rows {
			b.Fatalf("%d rows", out.n)
		}
	}
}

func BenchmarkReadCSV(b *testing.B)           { benchmarkRead(b, "csv", "") }
func BenchmarkReadText(b *testing.B)          { benchmarkRead(b, "text", `field_delimiter = ","`) }
func BenchmarkReadCSVTwoColumns(b *testing.B) { benchmarkRead(b, "csv", `read_columns = [a, d]`) }
func BenchmarkReadJSON(b *testing.B)          { benchmarkRead(b, "json", "") }

// benchmarkWrite measures a format's writer alone: rows to bytes.
func benchmarkWrite(b *testing.B, format, more string) {
	path, _ := mixedFile(b, "csv", 8192)
	src, err := openSource(b, fmt.Sprintf("path = %q, file_format_type = csv, %s", path, mixedFields))
	if err != nil {
		b.Fatal(err)
	}
	splits, err := splitsOf(b.Context(), src)
	if err != nil {
		b.Fatal(err)
	}
	r, err := src.Reader(b.Context(), plugin.Task{Env: testEnv()})
	if err != nil {
		b.Fatal(err)
	}
	if err := r.Open(b.Context(), splits[0]); err != nil {
		b.Fatal(err)
	}
	out := &discard{keep: true}
	if err := r.Read(b.Context(), out); err != io.EOF {
		b.Fatal(err)
	}
	k, err := openTestSink(b, fmt.Sprintf("path = %q, file_format_type = %s, %s", b.TempDir(), format, more),
		out.last.Table)
	if err != nil {
		b.Fatal(err)
	}
	var size int64
	w, err := k.format.NewWriter(io.Discard, k.options.writeOptions(k.first.file, k.env))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		before := w.Size()
		if err := w.Write(out.last); err != nil {
			b.Fatal(err)
		}
		size = w.Size() - before
	}
	b.SetBytes(size)
}

func BenchmarkWriteCSV(b *testing.B)  { benchmarkWrite(b, "csv", "") }
func BenchmarkWriteText(b *testing.B) { benchmarkWrite(b, "text", `field_delimiter = "\t"`) }
func BenchmarkWriteJSON(b *testing.B) { benchmarkWrite(b, "json", "") }

// sinkOut is an Out that writes on to a writer, as a lane would.
type sinkOut struct {
	collector
	b *testing.B
	w plugin.Writer
}

func (o *sinkOut) Batch(b plugin.Batch) error {
	defer b.Release()
	return o.w.Write(o.b.Context(), b)
}

// BenchmarkCopyCSV reads and writes csv files in one goroutine, with one checkpoint: files are synced and moved.
func BenchmarkCopyCSV(b *testing.B) {
	path, size := mixedFile(b, "csv", 400_000)
	src, err := openSource(b, fmt.Sprintf("path = %q, file_format_type = csv, %s", path, mixedFields))
	if err != nil {
		b.Fatal(err)
	}
	tables, err := src.Tables(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	splits, err := splitsOf(b.Context(), src)
	if err != nil {
		b.Fatal(err)
	}
	_, text := paths(b)
	k, err := openTestSink(b, text+"file_format_type = csv", tables[0])
	if err != nil {
		b.Fatal(err)
	}
	r, err := src.Reader(b.Context(), plugin.Task{Env: testEnv()})
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(size)
	epoch := uint64(0)
	for b.Loop() {
		w, err := k.Writer(b.Context(), plugin.Task{Env: k.env, Epoch: epoch})
		if err != nil {
			b.Fatal(err)
		}
		for _, split := range splits {
			if err := r.Open(b.Context(), split); err != nil {
				b.Fatal(err)
			}
			if err := r.Read(b.Context(), &sinkOut{b: b, w: w}); err != io.EOF {
				b.Fatal(err)
			}
		}
		epoch++
		token, err := w.Flush(b.Context(), epoch)
		if err != nil {
			b.Fatal(err)
		}
		if err := k.Commit(b.Context(), epoch, [][]byte{token}); err != nil {
			b.Fatal(err)
		}
	}
}
