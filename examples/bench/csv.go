package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"
)

// csvRows is the number of rows of the cases that read CSV; those of databases have a flag.
const csvRows = 5_000_000

const csvSource = `
env { parallelism = 2 }
source {
  LocalFile {
    path = %q, file_format_type = csv
    schema {
      fields {
        id = int, account = bigint, name = string, city = string, ratio = double, amount = "decimal(12,2)"
        changed = timestamp, active = boolean
      }
    }
  }
}
`

func csvToBlackhole(ctx context.Context, dir string) (measurement, error) {
	return csvTo(ctx, dir, "Blackhole { }", rawRead, "read and split into lines, 1 core")
}

func csvToParquet(ctx context.Context, dir string) (measurement, error) {
	return csvTo(ctx, dir, fileSink(dir, "parquet"), nil, "")
}

func csvToCSV(ctx context.Context, dir string) (measurement, error) {
	return csvTo(ctx, dir, fileSink(dir, "csv"), rawCopy, "copy and sync")
}

func fileSink(dir, format string) string {
	out := filepath.Join(dir, "out")
	return fmt.Sprintf("LocalFile { path = %q, tmp_path = %q, file_format_type = %s }", filepath.Join(out, "final"),
		filepath.Join(out, "tmp"), format)
}

// csvTo reads the CSV file into a sink and compares with a raw pass over the same bytes.
func csvTo(ctx context.Context, dir, sink string, raw func(path string) error, rawName string) (measurement, error) {
	path := filepath.Join(dir, "input.csv")
	size, err := makeCSV(path, csvRows)
	if err != nil {
		return measurement{}, err
	}
	defer os.RemoveAll(filepath.Join(dir, "out"))
	m := measurement{RawName: rawName}
	if raw != nil {
		begun := time.Now()
		if err := raw(path); err != nil {
			return m, err
		}
		m.Raw = size / 1e6 / time.Since(begun).Seconds()
	}
	result, err := runJob(ctx, dir, fmt.Sprintf(csvSource, path)+"sink { "+sink+" }")
	if err != nil {
		return m, err
	}
	if result.RowsOut != csvRows {
		return m, fmt.Errorf("%d rows arrived, want %d", result.RowsOut, csvRows)
	}
	m.Value = size / 1e6 / result.Duration.Seconds()
	m.Note = fmt.Sprintf("%.2f M rows/s, file of %.0f MB", csvRows/result.Duration.Seconds()/1e6, size/1e6)
	return m, nil
}

// rawRead reads a file and finds its lines.
func rawRead(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	buf := make([]byte, 256<<10)
	lines := 0
	for {
		n, err := f.Read(buf)
		lines += bytes.Count(buf[:n], []byte{'\n'})
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
	}
	if lines != csvRows {
		return fmt.Errorf("%d lines, want %d", lines, csvRows)
	}
	return nil
}

// rawCopy copies a file and syncs the copy.
func rawCopy(path string) error {
	in, err := os.Open(path)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.CreateTemp(filepath.Dir(path), "copy")
	if err != nil {
		return err
	}
	defer os.Remove(out.Name())
	defer out.Close()
	buf := make([]byte, 1<<20)
	if _, err := io.CopyBuffer(struct{ io.Writer }{out}, struct{ io.Reader }{in}, buf); err != nil {
		return err
	}
	return out.Sync()
}

// makeCSV writes an input of so many rows once and returns its size.
func makeCSV(path string, rows int) (float64, error) {
	if info, err := os.Stat(path); err == nil {
		return float64(info.Size()), nil
	}
	f, err := os.Create(path + ".new")
	if err != nil {
		return 0, err
	}
	defer f.Close()
	w := bufio.NewWriterSize(f, 1<<20)
	random := rand.New(rand.NewPCG(3, 4))
	day := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	line := make([]byte, 0, 256)
	for id := range rows {
		line = fmt.Appendf(line[:0], "%d,%d,customer %d,city %d,%.6f,%d.%02d,", id, 1_000_000_000_000+int64(id)*7,
			random.IntN(1_000_000), random.IntN(5000), random.Float64(), random.IntN(100_000), random.IntN(100))
		line = day.Add(time.Duration(id)*1_234_567*time.Microsecond).AppendFormat(line, "2006-01-02 15:04:05.000000")
		line = fmt.Appendf(line, ",%t\n", id%3 == 0)
		if _, err := w.Write(line); err != nil {
			return 0, err
		}
	}
	if err := w.Flush(); err != nil {
		return 0, err
	}
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return float64(info.Size()), os.Rename(path+".new", path)
}
