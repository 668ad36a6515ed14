package metrics

import (
	"math"
	"os"
	"runtime"
	"runtime/debug"
	runtimemetrics "runtime/metrics"
	"strconv"
	"strings"
	"time"
)

// What follows is read from /proc and the cgroup file system; on systems without them the values are 0.

type machineMemory struct{ total, free, swapTotal, swapFree uint64 }

func memoryInfo() machineMemory {
	values := keyValues("/proc/meminfo")
	return machineMemory{values["MemTotal"], values["MemFree"], values["SwapTotal"], values["SwapFree"]}
}

// keyValues reads a file of lines "Key: number kB" into bytes.
func keyValues(path string) map[string]uint64 {
	values := map[string]uint64{}
	for line := range strings.Lines(readFile(path)) {
		key, rest, _ := strings.Cut(line, ":")
		fields := strings.Fields(rest)
		if len(fields) == 0 {
			continue
		}
		n, err := strconv.ParseUint(fields[0], 10, 64)
		if err != nil {
			continue
		}
		if len(fields) > 1 && fields[1] == "kB" {
			n <<= 10
		}
		values[key] = n
	}
	return values
}

type heap struct{ used, total, max uint64 }

// heapInfo takes Go's heap for the JVM's. Its limit is GOMEMLIMIT, else the cgroup's, else the machine's memory.
func heapInfo() heap {
	samples := []runtimemetrics.Sample{{Name: "/memory/classes/heap/objects:bytes"},
		{Name: "/memory/classes/heap/free:bytes"}, {Name: "/memory/classes/heap/unused:bytes"}}
	runtimemetrics.Read(samples)
	h := heap{used: samples[0].Value.Uint64()}
	h.total = h.used + samples[1].Value.Uint64() + samples[2].Value.Uint64()
	h.max = memoryInfo().total
	if limit, ok := cgroupLimit(); ok && limit < h.max {
		h.max = limit
	}
	if limit := debug.SetMemoryLimit(-1); limit != math.MaxInt64 {
		h.max = uint64(limit)
	}
	return h
}

func cgroupLimit() (uint64, bool) {
	return cgroupLimitBelow("/sys/fs/cgroup", readFile("/proc/self/cgroup"))
}

// cgroupLimitBelow returns the least memory limit of the process's control groups, from its own up to the root, of
// version 2 or 1.
func cgroupLimitBelow(root, groups string) (limit uint64, ok bool) {
	take := func(path string) {
		n, err := strconv.ParseUint(strings.TrimSpace(readFile(path)), 10, 64)
		if err == nil && (!ok || n < limit) {
			limit, ok = n, true
		}
	}
	take(root + "/memory/memory.limit_in_bytes")
	take(root + "/memory.max")
	for line := range strings.Lines(groups) {
		path, v2 := strings.CutPrefix(strings.TrimSpace(line), "0::")
		for ; v2 && len(path) > 1; path = path[:strings.LastIndexByte(path, '/')] {
			take(root + path + "/memory.max")
		}
	}
	return limit, ok
}

// ticksPerSecond is the unit of processor times in /proc on every Linux that Go runs on.
const ticksPerSecond = 100

func processSample(now time.Time) cpuSample {
	_, rest, _ := strings.Cut(readFile("/proc/self/stat"), ") ")
	fields := strings.Fields(rest)
	s := cpuSample{available: float64(now.UnixNano()) / 1e9 * float64(runtime.NumCPU())}
	if len(fields) > 12 { // utime and stime are fields 14 and 15 of the line
		s.used = (number(fields[11]) + number(fields[12])) / ticksPerSecond
	}
	return s
}

func machineSample() cpuSample {
	line, _, _ := strings.Cut(readFile("/proc/stat"), "\n")
	fields := strings.Fields(line)
	var s cpuSample
	for i := 1; i < len(fields) && i <= 8; i++ { // guest times are part of user time
		n := number(fields[i])
		s.available += n
		if i != 4 && i != 5 { // idle, waiting for input or output
			s.used += n
		}
	}
	return s
}

func loadAverage() float64 {
	fields := strings.Fields(readFile("/proc/loadavg"))
	if len(fields) == 0 {
		return 0
	}
	return number(fields[0])
}

func threadCount() int64 {
	if n := keyValues("/proc/self/status")["Threads"]; n > 0 {
		return int64(n)
	}
	return int64(runtime.NumGoroutine())
}

func number(text string) float64 {
	n, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return 0
	}
	return n
}

func readFile(path string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	return string(text)
}
