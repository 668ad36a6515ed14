package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

const (
	// gaugeInterval is the time between two looks.
	gaugeInterval = 2 * time.Second
	// gaugeParts is how many parts of the run get a line of their own.
	gaugeParts = 10
)

// gauge measures a child's memory and store, and prints the most of each part of the run when the part is over.
type gauge struct {
	pid   int
	dir   string // of the store
	goal  int64  // changes
	begin time.Time

	part         int // number of the part, from 0
	since        time.Time
	had          int64 // changes that the target had then
	inPart, most reading
	last         reading
}

// reading is what is measured: bytes of the process and of its store, and how many changes the target is behind.
type reading struct{ memory, store, behind int64 }

func (r reading) max(other reading) reading {
	return reading{max(r.memory, other.memory), max(r.store, other.store), max(r.behind, other.behind)}
}

func newGauge(pid int, dir string, goal int64) *gauge {
	now := time.Now()
	fmt.Printf("%10s %12s %12s %12s %12s %12s\n", "time", "changes", "a second", "memory MiB", "store MiB", "behind")
	return &gauge{pid: pid, dir: dir, goal: goal, begin: now, since: now}
}

// look measures. made and seen are the changes in the source and in the target.
func (g *gauge) look(made, seen int64) error {
	memory, err := residentMemory(g.pid)
	if err != nil {
		return err
	}
	store, err := sizeOf(g.dir)
	if err != nil {
		return err
	}
	g.last = reading{memory: memory, store: store, behind: made - seen}
	g.inPart, g.most = g.inPart.max(g.last), g.most.max(g.last)
	if part := int(seen * gaugeParts / g.goal); part > g.part {
		g.line(time.Since(g.begin), seen, seen-g.had, time.Since(g.since), g.inPart)
		g.part, g.since, g.had, g.inPart = part, time.Now(), seen, reading{}
	}
	return nil
}

func (g *gauge) line(at time.Duration, seen, changes int64, in time.Duration, r reading) {
	fmt.Printf("%10s %12d %12.0f %12.1f %12.1f %12d\n", at.Round(time.Second), seen, float64(changes)/in.Seconds(),
		mebibytes(r.memory), mebibytes(r.store), r.behind)
}

// summary tells of the whole run.
func (g *gauge) summary(changes int64) string {
	took := time.Since(g.begin)
	return fmt.Sprintf("%d changes in %s, %.0f a second; the process took at most %.1f MiB, "+
		"its store %.1f, at the end %.1f", changes, took.Round(time.Second), float64(changes)/took.Seconds(),
		mebibytes(g.most.memory), mebibytes(g.most.store), mebibytes(g.last.store))
}

func mebibytes(n int64) float64 { return float64(n) / (1 << 20) }

// residentMemory returns the bytes of memory that a process takes, which Linux tells.
func residentMemory(pid int) (int64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		return 0, err
	}
	fields := bytes.Fields(text)
	if len(fields) < 2 {
		return 0, fmt.Errorf("process %d has no memory: it has ended", pid)
	}
	pages, err := strconv.ParseInt(string(fields[1]), 10, 64)
	return pages * int64(os.Getpagesize()), err
}

// sizeOf returns the size of a directory's files, some of which may go meanwhile.
func sizeOf(dir string) (int64, error) {
	total := int64(0)
	err := filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return ignoreMissing(err)
		}
		info, err := d.Info()
		if err == nil {
			total += info.Size()
		}
		return ignoreMissing(err)
	})
	return total, err
}

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
