package main

import (
	"bufio"
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// The rate limit keeps the job alive long enough to be killed; it holds for each lane.
const csvJob = `
env { job.mode = BATCH, parallelism = ${parallelism}, checkpoint.interval = 200, read_limit.rows_per_second = 5000 }
source {
  LocalFile {
    path = %q, file_format_type = csv, split.size = 100000
    schema { fields { id = bigint, text = string } }
  }
}
sink {
  LocalFile { path = %q, tmp_path = %q, file_format_type = csv, batch_size = 1500 }
}
`

// openCSV copies a CSV file to two-phase CSV files.
func openCSV(context.Context, string, string) (*scenario, error) {
	return &scenario{
		prepare: func(_ context.Context, dir string, rows int) (string, error) {
			input := filepath.Join(dir, "input.csv")
			job := fmt.Sprintf(csvJob, input, filepath.Join(dir, "output"), filepath.Join(dir, "tmp"))
			return job, writeInput(input, rows)
		},
		check: func(_ context.Context, dir string, rows int) (string, error) {
			return countLines(filepath.Join(dir, "output"), rows)
		},
	}, nil
}

func inputLine(id int) string { return fmt.Sprintf("%d,line number %d of the input", id, id) }

func writeInput(path string, lines int) error {
	var b strings.Builder
	for id := range lines {
		b.WriteString(inputLine(id) + "\n")
	}
	return os.WriteFile(path, []byte(b.String()), 0o644)
}

// countLines finds each line of the input once in the files of a directory.
func countLines(dir string, lines int) (string, error) {
	seen := make([]int, lines)
	files := 0
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		files++
		return count(path, seen)
	})
	if err != nil {
		return "", err
	}
	for id, n := range seen {
		if n != 1 {
			return "", fmt.Errorf("line %d stands %d times in the output of %d files", id, n, files)
		}
	}
	return fmt.Sprintf("%d lines, each once, in %d files", lines, files), nil
}

func count(path string, seen []int) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	scanner := bufio.NewScanner(f)
	for scanner.Scan() {
		text := scanner.Text()
		first, _, _ := strings.Cut(text, ",")
		id, err := strconv.Atoi(first)
		if err != nil || id < 0 || id >= len(seen) || text != inputLine(id) {
			return fmt.Errorf("%s: the line %q was never written", path, text)
		}
		seen[id]++
	}
	return scanner.Err()
}
