package main

import (
	"bufio"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

func inputLine(id int) string { return fmt.Sprintf("%d,line number %d of the input", id, id) }

func writeInput(path string, lines int) error {
	var b strings.Builder
	for id := range lines {
		b.WriteString(inputLine(id) + "\n")
	}
	return os.WriteFile(path, []byte(b.String()), 0o644)
}

// compare counts each line of the output.
func compare(dir string, lines int) error {
	seen := make([]int, lines)
	files := 0
	err := filepath.WalkDir(filepath.Join(dir, "output"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		files++
		return count(path, seen)
	})
	if err != nil {
		return err
	}
	for id, n := range seen {
		if n != 1 {
			return fmt.Errorf("line %d stands %d times in the output of %d files", id, n, files)
		}
	}
	fmt.Printf("%d lines, each once, in %d files\n", lines, files)
	return nil
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
