package engine

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/culvertdata/culvert/engine/internal/plan"
	"github.com/culvertdata/culvert/engine/internal/store"
	"github.com/culvertdata/culvert/plugin"
)

// fullRecord has something in every field.
func fullRecord() *record {
	return &record{
		ID: 733584788375666689, Name: "Aufträge", State: Failed, Mode: plugin.Unbounded,
		Created: time.Unix(1700000000, 123456789), Finished: time.Unix(1700000100, 0), Error: "row 5: no\nnumber",
		Env: []EnvOption{{"job.mode", "STREAMING"}, {"empty", ""}}, FromSavepoint: true,
		Graph: Graph{
			Logical: plan.Logical{Vertices: []plan.LogicalVertex{{ID: 1, Name: "Source[0]-FakeSource", Parallelism: 2}, {ID: 3,
				Name: "Sink[0]-Console"}},
				Edges: []plan.LogicalEdge{{Input: "Source[0]-FakeSource", Target: "Sink[0]-Console"}}},
			Physical: []plan.PhysicalPipeline{{ID: 1, Edges: []plan.PhysicalEdge{{Input: 1, Target: 2}},
				Vertices: []plan.PhysicalVertex{{ID: 1, Role: "source", Name: "pipeline-1 [Source[0]-FakeSource]", Parallelism: 2,
					Tables: []string{"db.t"}, Vertices: []string{"Source[0]-FakeSource"}}}}}},
		Metrics: Metrics{Vertices: []VertexMetrics{{Vertex: "Sink[0]-Console", Role: plugin.SinkRole, Rejected: 3,
			Tables: []TableMetrics{{"db.t", 1 << 40, -1}}}}},
		Format: JSON, GivenName: "Aufträge", Variables: map[string]string{"a": "1", "b": ""},
	}
}

func TestRecordRoundTrip(t *testing.T) {
	for name, r := range map[string]*record{"full": fullRecord(), "empty": {}} {
		got, err := decodeRecord(r.stored(nil))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if diff := cmp.Diff(r, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// TestRecordsOfOldVersions reads what released versions wrote. A file is never changed; a new version gets one of its
// own, which the test writes if it is missing.
func TestRecordsOfOldVersions(t *testing.T) {
	path := filepath.Join("testdata", "record-v1")
	want := fullRecord()
	if _, err := os.Stat(path); os.IsNotExist(err) && recordVersion == 1 {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, want.stored(nil).Record, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	got, err := decodeRecord(store.Job{ID: want.ID, Record: b})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
	if !bytes.Equal(want.stored(nil).Record, b) {
		t.Error("the form has changed without a new version")
	}
}

func TestDamagedRecords(t *testing.T) {
	whole := fullRecord().stored(nil).Record
	for n := range whole {
		if err := new(record).read(whole[:n]); err == nil {
			t.Fatalf("the first %d of %d bytes were read", n, len(whole))
		}
	}
	for name, c := range map[string]struct {
		b    []byte
		want string
	}{
		"longer": {append(bytes.Clone(whole), 0), "something follows"},
		"newer":  {append([]byte{recordVersion + 1}, whole[1:]...), "use a newer one"},
		"empty":  {nil, "cut short"},
	} {
		if err := new(record).read(c.b); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

func FuzzRecord(f *testing.F) {
	f.Add(fullRecord().stored(nil).Record)
	f.Add((&record{}).stored(nil).Record)
	f.Fuzz(func(t *testing.T, b []byte) {
		r := &record{}
		if r.read(b) != nil {
			return
		}
		again := &record{}
		if err := again.read(r.stored(nil).Record); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(r, again); diff != "" {
			t.Errorf("read, written and read again:\n%s", diff)
		}
	})
}
