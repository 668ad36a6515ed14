package main

import (
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// peakRSS returns the largest resident size of this process so far, in MiB.
func peakRSS() float64 { return status("VmHWM:") }

// currentRSS returns the resident size of this process now, in MiB.
func currentRSS() float64 { return status("VmRSS:") }

func status(key string) float64 {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, key); ok {
			kib, _ := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			return kib / 1024
		}
	}
	return 0
}

// cpuSeconds returns the processor time of this process.
func cpuSeconds() float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return (time.Duration(u.Utime.Nano()) + time.Duration(u.Stime.Nano())).Seconds()
}

// allocated returns the bytes that a file takes on disk; a store's sparse files are larger on paper.
func allocated(info os.FileInfo) float64 {
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		return float64(s.Blocks) * 512
	}
	return float64(info.Size())
}
