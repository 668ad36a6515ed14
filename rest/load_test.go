package rest_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/culvertdata/culvert/engine"
	"github.com/culvertdata/culvert/rest"
)

// TestLoad lets 200 clients submit, list and stop jobs, for three seconds or for what CULVERT_LOAD says, such as 1m. No
// answer may be wrong, and none a 500. CULVERT_LOAD_P99 bounds the 99th percentile, for an idle machine.
func TestLoad(t *testing.T) {
	const clients = 200
	duration := 3 * time.Second
	if text := os.Getenv("CULVERT_LOAD"); text != "" {
		var err error
		if duration, err = time.ParseDuration(text); err != nil {
			t.Fatal(err)
		}
	}
	if testing.Short() {
		duration = time.Second
	}
	s := serve(t, engine.Options{Dir: t.TempDir(), HistoryJobs: 2000}, rest.Options{})
	end := time.Now().Add(duration)
	all := make([][]time.Duration, clients)
	var wrong atomic.Int64
	var wg sync.WaitGroup
	for n := range clients {
		wg.Go(func() {
			c := &loadClient{server: s, random: rand.New(rand.NewPCG(uint64(n), 1))}
			for time.Now().Before(end) && wrong.Load() < 10 {
				if err := c.step(); err != nil {
					wrong.Add(1)
					t.Error(err)
				}
			}
			all[n] = c.took
		})
	}
	wg.Wait()
	took := slices.Sorted(func(yield func(time.Duration) bool) {
		for _, list := range all {
			for _, d := range list {
				if !yield(d) {
					return
				}
			}
		}
	})
	p99 := took[len(took)*99/100]
	t.Logf("%d clients, %d requests in %v: %.0f/s, median %v, p99 %v, longest %v", clients, len(took), duration,
		float64(len(took))/duration.Seconds(), took[len(took)/2], p99, took[len(took)-1])
	if text := os.Getenv("CULVERT_LOAD_P99"); text != "" {
		if limit, err := time.ParseDuration(text); err != nil || p99 > limit {
			t.Errorf("p99 = %v, allowed are %s", p99, text)
		}
	}
}

// loadClient is one client with its own jobs.
type loadClient struct {
	*server
	random *rand.Rand
	// streams are the ids of jobs that it has started and not stopped.
	streams []string
	took    []time.Duration
}

// loadPause is how long a client waits between two requests, as people and scripts do.
const loadPause = 100 * time.Millisecond

func (c *loadClient) step() error {
	wait := time.NewTimer(time.Duration(c.random.Int64N(int64(2 * loadPause))))
	<-wait.C
	switch pick := c.random.IntN(10); {
	case pick < 3:
		return c.start(tinyJob, "FINISHED")
	case pick < 4 && len(c.streams) < 2:
		return c.start(streamingJob, "")
	case pick < 5 && len(c.streams) > 0:
		return c.stop()
	case pick < 6:
		return c.list("/running-jobs")
	case pick < 7:
		return c.list("/finished-jobs/CANCELED")
	case pick < 8:
		return c.bad()
	default:
		return c.info()
	}
}

// call sends a request, keeps its time and checks what all answers have in common.
func (c *loadClient) call(method, path, body string, status int) (any, error) {
	start := time.Now()
	a, err := c.try(method, path, body)
	if err != nil {
		return nil, err
	}
	c.took = append(c.took, time.Since(start))
	if a.StatusCode != status || a.Header.Get("Content-Type") != "application/json" {
		return nil, fmt.Errorf("%s %s = %d, want %d: %s", method, path, a.StatusCode, status, a.body)
	}
	var v any
	d := json.NewDecoder(strings.NewReader(a.body))
	d.UseNumber()
	return v, d.Decode(&v)
}

func (c *loadClient) start(job, wantState string) error {
	name := fmt.Sprintf("load_%d", c.random.Int64())
	v, err := c.call("POST", v1+"/submit-job?jobName="+name, job, 200)
	if err != nil {
		return err
	}
	reply, _ := v.(map[string]any)
	id := fmt.Sprint(reply["jobId"])
	if reply["jobName"] != name {
		return fmt.Errorf("submit-job of %s = %v", name, v)
	}
	v, err = c.call("GET", v1+"/job-info/"+id, "", 200)
	if err != nil {
		return err
	}
	info, _ := v.(map[string]any)
	if info["jobId"] != id || info["jobName"] != name || info["jobStatus"] == "FAILED" {
		return fmt.Errorf("job-info of %s, %s = %v", id, name, v)
	}
	if wantState == "" {
		c.streams = append(c.streams, id)
	}
	return nil
}

func (c *loadClient) stop() error {
	id := c.streams[0]
	c.streams = c.streams[1:]
	v, err := c.call("POST", v1+"/stop-job", `{"jobId": `+id+`}`, 200)
	if err != nil {
		return err
	}
	if reply, _ := v.(map[string]any); reply["jobId"] != json.Number(id) {
		return fmt.Errorf("stop-job of %s = %v", id, v)
	}
	v, err = c.call("GET", "/job-info/"+id, "", 200)
	if err != nil {
		return err
	}
	if info, _ := v.(map[string]any); info["jobStatus"] != "CANCELING" && info["jobStatus"] != "CANCELED" {
		return fmt.Errorf("job %s after its stop = %v", id, v)
	}
	return nil
}

func (c *loadClient) list(path string) error {
	v, err := c.call("GET", v1+path, "", 200)
	if err != nil {
		return err
	}
	listed := map[string]bool{}
	for _, job := range v.([]any) {
		listed[fmt.Sprint(job.(map[string]any)["jobId"])] = true
	}
	for _, id := range c.streams {
		if listed[id] != (path == "/running-jobs") {
			return fmt.Errorf("%s: listed = %v for the running job %s", path, listed[id], id)
		}
	}
	return nil
}

func (c *loadClient) bad() error {
	_, err := c.call("POST", v1+"/submit-job", strings.Replace(tinyJob, "Blackhole", "Whitehole", 1), 400)
	return err
}

func (c *loadClient) info() error {
	for _, id := range c.streams {
		v, err := c.call("GET", v1+"/running-job/"+id, "", 200)
		if err != nil {
			return err
		}
		if info, _ := v.(map[string]any); info["jobId"] != id || info["finishTime"] != nil {
			return fmt.Errorf("running-job/%s = %v", id, v)
		}
	}
	_, err := c.call("GET", "/overview", "", 200)
	return err
}
