package main

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"runtime/pprof"
	"strings"
	"time"

	"github.com/culvertdata/culvert/engine"
	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/all"
)

func rss() string {
	b, _ := os.ReadFile("/proc/self/status")
	for _, l := range strings.Split(string(b), "\n") {
		if strings.HasPrefix(l, "VmRSS") || strings.HasPrefix(l, "VmHWM") {
			fmt.Print(l, "  ")
		}
	}
	return ""
}

func main() {
	ctx := context.Background()
	dir, _ := os.MkdirTemp("", "zz")
	defer os.RemoveAll(dir)
	eng, err := engine.Open(engine.Options{Dir: dir, Plugins: plugin.NewRegistry(all.Plugins)})
	if err != nil {
		panic(err)
	}
	text := `
env { job.mode = STREAMING, checkpoint.interval = 60000 }
source {
  FakeSource {
    row.num = 10000, split.num = 1000, split.read-interval = 1000
    schema { fields { name = string, age = int } }
  }
}
sink { Blackhole { } }
`
	f, _ := os.Create("/tmp/culvert/cpu.pprof")
	pprof.StartCPUProfile(f)
	for i := range 5000 {
		if _, err := eng.Submit(ctx, []byte(text), engine.SubmitOptions{}); err != nil {
			panic(err)
		}
		if i%1000 == 999 {
			rss()
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			fmt.Println("submitted", i+1, "heap MB", m.HeapAlloc>>20, "stack MB", m.StackInuse>>20, "sys", m.Sys>>20, "gor", runtime.NumGoroutine())
		}
	}
	for range 5 {
		time.Sleep(2 * time.Second)
		rss()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		fmt.Println("heap MB", m.HeapAlloc>>20, "stack MB", m.StackInuse>>20, "sys", m.Sys>>20, "gor", runtime.NumGoroutine())
	}
	pprof.StopCPUProfile()
	runtime.GC()
	h, _ := os.Create("/tmp/culvert/heap.pprof")
	pprof.Lookup("heap").WriteTo(h, 0)
	h.Close()
	os.Exit(0)
}
