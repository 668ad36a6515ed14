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
	reads, writes := make([][]time.Duration, clients), make([][]time.Duration, clients)
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
			reads[n], writes[n] = c.reads, c.writes
		})
	}
	wg.Wait()
	readTimes, writeTimes := slices.Concat(reads...), slices.Concat(writes...)
	took := slices.Sorted(slices.Values(slices.Concat(readTimes, writeTimes)))
	p99 := took[len(took)*99/100]
	t.Logf("%d clients, %d requests in %v: %.0f/s, median %v, p99 %v, longest %v; reads: %s; writes: %s", clients,
		len(took),
		duration, float64(len(took))/duration.Seconds(), took[len(took)/2], p99, took[len(took)-1],
		spread(readTimes), spread(writeTimes))
	if text := os.Getenv("CULVERT_LOAD_P99"); text != "" {
		if limit, err := time.ParseDuration(text); err != nil || p99 > limit {
			t.Errorf("p99 = %v, allowed are %s", p99, text)
		}
	}
}

// spread describes times in a few words.
func spread(took []time.Duration) string {
	if len(took) == 0 {
		return "none"
	}
	slices.Sort(took)
	at := func(percent int) time.Duration { return took[len(took)*percent/100].Round(10 * time.Microsecond) }
	return fmt.Sprintf("median %v, p90 %v, p99 %v", at(50), at(90), at(99))
}

// loadClient is one client with its own jobs.
type loadClient struct {
	*server
	random *rand.Rand
	// streams are the ids of jobs that it has started and not stopped.
	streams []string
	// reads and writes are the times of requests with GET and POST.
	reads, writes []time.Duration
}

// loadPause is how long a client waits between two requests, on average, as people and scripts do.
const loadPause = 200 * time.Millisecond

func (c *loadClient) step() error {
	wait := time.NewTimer(time.Duration(c.random.Int64N(int64(2 * loadPause))))
	<-wait.C
	switch pick := c.random.IntN(100); {
	case pick < 30:
		return c.start(tinyJob, "FINISHED")
	case pick < 40 && len(c.streams) < 2:
		return c.start(streamingJob, "")
	case pick < 50 && len(c.streams) > 0:
		return c.stop()
	case pick < 60:
		return c.list("/running-jobs")
	case pick < 62: // thousands of jobs, after a minute
		return c.list("/finished-jobs/CANCELED")
	case pick < 70:
		return c.bad()
	default:
		return c.info()
	}
}

// timed sends a request, keeps its time and checks what all answers have in common.
func (c *loadClient) timed(method, path, body string, status int) (answer, error) {
	start := time.Now()
	a, err := c.try(method, path, body)
	if err != nil {
		return a, err
	}
	if method == "GET" {
		c.reads = append(c.reads, time.Since(start))
	} else {
		c.writes = append(c.writes, time.Since(start))
	}
	if a.StatusCode != status || a.Header.Get("Content-Type") != "application/json" {
		return a, fmt.Errorf("%s %s = %d, want %d: %s", method, path, a.StatusCode, status, a.body)
	}
	return a, nil
}

// call is timed with the answer decoded.
func (c *loadClient) call(method, path, body string, status int) (any, error) {
	a, err := c.timed(method, path, body, status)
	if err != nil {
		return nil, err
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
	a, err := c.timed("GET", v1+path, "", 200)
	if err != nil {
		return err
	}
	if c.random.IntN(10) == 0 && !json.Valid([]byte(a.body)) { // the client has the same processors as the server
		return fmt.Errorf("%s is no JSON: %.1000s", path, a.body)
	}
	for _, id := range c.streams {
		if listed := strings.Contains(a.body, `{"jobId":"`+id+`",`); listed != (path == "/running-jobs") {
			return fmt.Errorf("%s: listed = %v for the running job %s", path, listed, id)
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
