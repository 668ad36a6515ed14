package metrics

import (
	"os"
	"runtime"
	runtimemetrics "runtime/metrics"
	"strconv"
	"strings"
)

// Process returns the process's metrics under the names that Prometheus clients give them.
func Process() []Family {
	stat := processStat()
	return []Family{
		single("process_cpu_seconds_total", "Processor time used, in seconds", Counter, stat.cpu),
		single("process_start_time_seconds", "Start of the process since the epoch, in seconds", Gauge, stat.start),
		single("process_open_fds", "Open file descriptors", Gauge, openFiles()),
		single("process_max_fds", "Limit of open file descriptors", Gauge, maxFiles()),
		single("process_virtual_memory_bytes", "Virtual memory in bytes", Gauge, stat.virtual),
		single("process_resident_memory_bytes", "Resident memory in bytes", Gauge, stat.resident),
		single("go_goroutines", "Goroutines", Gauge, float64(runtime.NumGoroutine())),
		single("go_threads", "Threads of the operating system", Gauge, float64(threadCount())),
		single("go_memstats_heap_alloc_bytes", "Bytes of live and not yet collected objects", Gauge,
			runtimeValue("/memory/classes/heap/objects:bytes")),
		single("go_memstats_sys_bytes", "Bytes obtained from the operating system", Gauge,
			runtimeValue("/memory/classes/total:bytes")),
		single("go_gc_cycles_total", "Completed collections", Counter, runtimeValue("/gc/cycles/total:gc-cycles")),
	}
}

func single(name, help string, kind Kind, value float64) Family {
	return Family{Name: name, Help: help, Kind: kind, Samples: []Sample{{Value: value}}}
}

func runtimeValue(name string) float64 {
	sample := []runtimemetrics.Sample{{Name: name}}
	runtimemetrics.Read(sample)
	if sample[0].Value.Kind() != runtimemetrics.KindUint64 {
		return 0
	}
	return float64(sample[0].Value.Uint64())
}

type processState struct{ cpu, start, virtual, resident float64 }

// processStat reads /proc/self/stat; the numbers of its fields are those of proc(5) less three.
func processStat() processState {
	_, rest, _ := strings.Cut(readFile("/proc/self/stat"), ") ")
	fields := strings.Fields(rest)
	if len(fields) < 22 {
		return processState{}
	}
	return processState{
		cpu:      (number(fields[11]) + number(fields[12])) / ticksPerSecond,
		start:    bootTime() + number(fields[19])/ticksPerSecond,
		virtual:  number(fields[20]),
		resident: number(fields[21]) * float64(os.Getpagesize()),
	}
}

func bootTime() float64 {
	for line := range strings.Lines(readFile("/proc/stat")) {
		if text, ok := strings.CutPrefix(line, "btime "); ok {
			return number(strings.TrimSpace(text))
		}
	}
	return 0
}

func openFiles() float64 {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return 0
	}
	return float64(len(entries))
}

func maxFiles() float64 {
	for line := range strings.Lines(readFile("/proc/self/limits")) {
		if rest, ok := strings.CutPrefix(line, "Max open files"); ok {
			soft, err := strconv.ParseFloat(strings.Fields(rest + " 0")[0], 64)
			if err == nil {
				return soft
			}
		}
	}
	return 0
}
