package engine_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/culvertdata/culvert/engine"
)

func TestCountsAndStats(t *testing.T) {
	eng := open(t, engine.Options{Tags: map[string]string{"zone": "a"}})
	for range 3 {
		wait(t, submit(t, eng, batchJob, engine.SubmitOptions{}))
	}
	running := submit(t, eng, streamingJob, engine.SubmitOptions{})
	waitForRows(t, running, 10)
	counts, err := eng.Counts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[engine.State]int{engine.Finished: 3, engine.Running: 1}, counts); diff != "" {
		t.Errorf("counts (-want +got):\n%s", diff)
	}
	stats, err := eng.Stats(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(stats.Jobs) != 1 || stats.Jobs[0].ID != running.ID() || stats.Jobs[0].Sources[0].Rows < 10 ||
		stats.States["FINISHED"] != 3 || stats.Tags["zone"] != "a" || stats.Closing {
		t.Errorf("stats = %+v", stats)
	}
}

func TestTagsAreCopies(t *testing.T) {
	tags := map[string]string{"zone": "a"}
	eng := open(t, engine.Options{})
	eng.SetTags(tags)
	tags["zone"] = "b"
	eng.Tags()["zone"] = "c"
	if got := eng.Tags()["zone"]; got != "a" {
		t.Errorf("zone = %s", got)
	}
	job := submit(t, eng, `env { tag_filter { zone = b } }
source { FakeSource { schema { fields { id = bigint } } } }
sink { Blackhole { } }`, engine.SubmitOptions{})
	if result, err := job.Wait(t.Context()); err == nil || result.State != engine.Failed {
		t.Errorf("a job for another tag: %+v, %v", result, err)
	}
}
