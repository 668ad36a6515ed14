package rest

import (
	"net"
	"net/http"
	"net/url"
	"runtime/debug"

	"github.com/culvertdata/culvert/engine"
	"github.com/culvertdata/culvert/metrics"
)

// overview counts jobs and slots. A slot is one parallel reader of a running job: there is no fixed number of them, so
// none is ever free. The query is a filter on the engine's tags for slots and workers.
func (h *handler) overview(c *call) error {
	filter, err := c.query()
	if err != nil {
		return err
	}
	counts := h.eng.Counts()
	slots, active := 0, 0
	for info, err := range h.eng.List(c.r.Context(), engine.Active()) {
		if err != nil {
			return err
		}
		active++
		slots += slotsOf(info)
	}
	workers := 1
	if !hasTags(h.eng.Tags(), filter) {
		slots, workers = 0, 0
	}
	version, commit := build()
	return c.json(func(j *jsonText) {
		j.open('{')
		j.member("projectVersion", version)
		j.member("gitCommitAbbrev", commit)
		j.digits("totalSlot", int64(slots))
		j.digits("unassignedSlot", 0)
		j.digits("runningJobs", int64(active))
		j.digits("finishedJobs", int64(counts[engine.Finished]))
		j.digits("failedJobs", int64(counts[engine.Failed]))
		j.digits("cancelledJobs", int64(counts[engine.Canceled]))
		j.digits("workers", int64(workers))
		j.close('}')
	})
}

func slotsOf(info engine.Info) int {
	slots := 0
	for _, p := range info.Graph.Physical {
		for _, v := range p.Vertices {
			if v.Role == "source" {
				slots += v.Parallelism
			}
		}
	}
	return slots
}

func hasTags(tags map[string]string, filter url.Values) bool {
	for name := range filter {
		if value, ok := tags[name]; !ok || value != filter.Get(name) {
			return false
		}
	}
	return true
}

// build returns the version and commit that the program was built from, in SeaTunnel's words where they are unknown.
func build() (version, commit string) {
	version, commit = "<unknown>", "DeadD0d0"
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return version, commit
	}
	const module = "github.com/culvertdata/culvert"
	modules := append([]*debug.Module{&info.Main}, info.Deps...)
	for _, m := range modules {
		if m.Path == module && m.Version != "" && m.Version != "(devel)" {
			version = m.Version
		}
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && info.Main.Path == module && len(s.Value) >= 8 {
			commit = s.Value[:8]
		}
	}
	return version, commit
}

// monitoring answers the system monitoring information: one object, for the one node.
func (h *handler) monitoring(c *call) error {
	entries := h.monitor.Read(metrics.Counts{Completed: h.completed.Load(), Running: h.running.Load()})
	return c.json(func(j *jsonText) {
		j.open('[')
		j.open('{')
		if c.route.surface == v2 {
			host, port := localAddress(c.r)
			j.member("isMaster", "true")
			j.member("host", host)
			j.member("port", port)
		}
		for _, e := range entries {
			j.member(e.Key, e.Value)
		}
		j.close('}')
		j.close(']')
	})
}

// localAddress returns where the request came in.
func localAddress(r *http.Request) (host, port string) {
	host, port = "localhost", "5801"
	addr, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	if !ok {
		return host, port
	}
	if h, p, err := net.SplitHostPort(addr.String()); err == nil {
		host, port = h, p
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsLoopback() {
		host = "localhost"
	}
	return host, port
}

func (h *handler) cluster(c *call) error {
	host, port := localAddress(c.r)
	return c.json(func(j *jsonText) {
		j.open('{')
		j.openKey("members", '[')
		j.open('{')
		j.member("address", "["+host+"]:"+port)
		j.key("liteMember")
		j.boolean(false)
		j.key("localMember")
		j.boolean(true)
		j.member("uuid", h.id)
		j.member("memberVersion", hazelcastVersion)
		j.close('}')
		j.close(']')
		j.numberMember("connectionCount", 0)
		j.numberMember("allConnectionCount", h.running.Load())
		j.close('}')
	})
}

// hazelcastVersion is the version that SeaTunnel's nodes report.
const hazelcastVersion = "5.1.0"

// healthPart is one value of the health report.
type healthPart struct {
	path, name string
	write      func(h *handler, j *jsonText)
}

func healthParts() []healthPart {
	return []healthPart{
		{"/node-state", "nodeState", func(h *handler, j *jsonText) { j.text(h.nodeState()) }},
		{"/cluster-state", "clusterState", func(h *handler, j *jsonText) { j.text(h.nodeState()) }},
		{"/cluster-safe", "clusterSafe", func(h *handler, j *jsonText) { j.boolean(!h.eng.Closing()) }},
		{"/migration-queue-size", "migrationQueueSize", func(_ *handler, j *jsonText) { j.number(0) }},
		{"/cluster-size", "clusterSize", func(_ *handler, j *jsonText) { j.number(1) }},
	}
}

// nodeState is PASSIVE once the engine takes no more jobs.
func (h *handler) nodeState() string {
	if h.eng.Closing() {
		return "PASSIVE"
	}
	return "ACTIVE"
}

func (h *handler) health(c *call) error {
	return c.json(func(j *jsonText) {
		j.open('{')
		for _, p := range healthParts() {
			j.key(p.name)
			p.write(h, j)
		}
		j.close('}')
	})
}

// ready answers 200 or 503, for load balancers.
func (h *handler) ready(c *call) error {
	if h.eng.Closing() {
		return engine.ErrClosed
	}
	return c.json(func(j *jsonText) { j.text("READY") })
}

// telemetry answers the metrics in a text format.
func telemetry(contentType string, render func([]byte, []metrics.Family) []byte) func(h *handler, c *call) error {
	return func(h *handler, c *call) error {
		stats, err := h.eng.Stats(c.r.Context())
		if err != nil {
			return err
		}
		host, port := localAddress(c.r)
		node := metrics.Node{Cluster: h.options.Cluster, Address: host + ":" + port}
		families := append(metrics.Families(stats, node), metrics.Process()...)
		c.write(http.StatusOK, contentType, render(nil, families))
		return nil
	}
}

// openAPIDocument answers the document that describes this handler.
func (h *handler) openAPIDocument(c *call) error {
	c.write(http.StatusOK, "application/json", h.document)
	return nil
}
