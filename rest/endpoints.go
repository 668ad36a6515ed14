package rest

import (
	"net/http"

	"github.com/culvertdata/culvert/metrics"
)

// documentPath is where the OpenAPI document is served.
const documentPath = "/hazelcast/rest/openapi.json"

// endpoints is the table of all endpoints. Those that are not absolute are served below the V1 prefix and as V2 paths.
func endpoints() []*endpoint {
	var all []*endpoint
	for _, part := range [][]*endpoint{jobEndpoints(), orderEndpoints(), nodeEndpoints(), logEndpoints(),
		hazelcastEndpoints()} {
		all = append(all, part...)
	}
	return all
}

func get(path string, doc operation, serve func(h *handler, c *call) error) *endpoint {
	return &endpoint{path: path, method: http.MethodGet, group: Data, doc: doc, serve: serve}
}

func post(path string, writes bool, doc operation, serve func(h *handler, c *call) error) *endpoint {
	return &endpoint{path: path, method: http.MethodPost, group: Data, writes: writes, doc: doc, serve: serve}
}

func absolute(path string, g Group, doc operation, serve func(h *handler, c *call) error) *endpoint {
	return &endpoint{path: path, method: http.MethodGet, absolute: true, group: g, doc: doc, serve: serve}
}

func jobEndpoints() []*endpoint {
	job := operation{summary: "One job, running or ended; only the id for an unknown one", reply: anyJob, refuses: true}
	byID := job
	byID.params = []param{pathID}
	missing := operation{summary: "A job id is missing", refuses: true, never: true}
	ended := operation{summary: "Ended jobs, the longest ended first", reply: listOf(finishedJob)}
	byState := ended
	byState.params = []param{pathState}
	return []*endpoint{
		get("/running-jobs", operation{summary: "Jobs that have not ended", reply: listOf(runningJob)},
			(*handler).runningJobs),
		get("/running-job", missing, (*handler).jobInfo),
		get("/running-job/{jobId}", byID, (*handler).jobInfo),
		get("/job-info", missing, (*handler).jobInfo),
		get("/job-info/{jobId}", byID, (*handler).jobInfo),
		get("/finished-jobs", ended, (*handler).finishedJobs),
		get("/finished-jobs/{state}", byState, (*handler).finishedJobs),
		get("/overview", operation{summary: "Numbers of jobs and slots; the query filters by tags",
			params: []param{tagFilter}, reply: same(overviewSchema()), refuses: true}, (*handler).overview),
	}
}

func orderEndpoints() []*endpoint {
	return []*endpoint{
		post("/submit-job", true, operation{summary: "Start a job", params: submitParams, body: jobFile(), hocon: true,
			reply: submittedSchema, refuses: true, conflicts: true}, (*handler).submitJob),
		post("/submit-jobs", true, operation{summary: "Start several jobs", body: array(jobFile()),
			reply: same(array(submittedText())), refuses: true, conflicts: true}, (*handler).submitJobs),
		post("/stop-job", true, operation{summary: "Stop a job", body: stopSchema(), reply: stoppedSchema, refuses: true},
			(*handler).stopJob),
		post("/stop-jobs", true, operation{summary: "Stop several jobs", body: array(stopSchema()),
			reply: same(array(idNumber())), refuses: true}, (*handler).stopJobs),
		post("/encrypt-config", false, operation{summary: "Encrypt the secrets of a job file", body: jobFile(),
			reply: same(jobFile()), refuses: true}, (*handler).encryptConfig),
		post("/update-tags", true, operation{summary: "Replace the tags of this engine", body: schema{"type": "object"},
			reply: tagsSchema, refuses: true}, (*handler).updateTags),
	}
}

func nodeEndpoints() []*endpoint {
	return []*endpoint{
		get("/system-monitoring-information", operation{summary: "The process and the machine",
			reply: monitoringSchema}, (*handler).monitoring),
		get("/running-threads", operation{summary: "Goroutines by name",
			reply: same(array(object("threadName", text, "classLoader", text)))}, (*handler).runningThreads),
		get("/thread-dump", operation{summary: "Goroutines with their stacks",
			reply: same(array(object("threadName", text, "threadId", integer, "threadState", text, "stackTrace", text)))},
			(*handler).threadDump),
	}
}

func logEndpoints() []*endpoint {
	list := operation{summary: "Logs of the jobs", params: []param{logFormat}, refuses: true,
		media: []string{"text/html; charset=utf-8", "application/json"},
		reply: same(array(object("node", text, "logLink", text, "logName", text)))}
	one := list
	one.summary, one.params = "One log, or those whose name holds a text", []param{pathLog, logFormat}
	one.media = append([]string{"text/plain; charset=utf-8"}, list.media...)
	return []*endpoint{
		get("/logs", list, (*handler).logs),
		get("/logs/{name}", one, (*handler).logs),
		get("/log", list, (*handler).log),
		get("/log/{name}", one, (*handler).log),
		get("/get-all-log-name", operation{summary: "Names of the logs", reply: same(array(text))}, (*handler).allLogNames),
	}
}

func hazelcastEndpoints() []*endpoint {
	const prometheus, openMetrics = "text/plain; version=0.0.4; charset=utf-8",
		"application/openmetrics-text; version=1.0.0; charset=utf-8"
	ready := operation{summary: "Whether the engine takes jobs", reply: same(text), unavailable: true}
	all := []*endpoint{
		absolute(documentPath, ClusterRead, operation{summary: "This document", reply: same(schema{"type": "object"})},
			(*handler).openAPIDocument),
		absolute("/hazelcast/rest/cluster", ClusterRead, operation{summary: "The members of the cluster",
			reply: same(clusterSchema())}, (*handler).cluster),
		absolute("/hazelcast/rest/instance/metrics", ClusterRead, operation{summary: "Metrics for Prometheus",
			media: []string{prometheus}}, telemetry(prometheus, metrics.AppendText)),
		absolute("/hazelcast/rest/instance/openmetrics", ClusterRead, operation{summary: "Metrics for OpenMetrics",
			media: []string{openMetrics}}, telemetry(openMetrics, metrics.AppendOpenMetrics)),
		absolute("/hazelcast/health", HealthCheck, operation{summary: "The state of the node", reply: same(healthSchema())},
			(*handler).health),
		absolute("/hazelcast/health/ready", HealthCheck, ready, (*handler).ready),
	}
	for _, p := range healthParts() {
		all = append(all, absolute("/hazelcast/health"+p.path, HealthCheck,
			operation{summary: "The value of " + p.name, reply: same(schema{})}, func(h *handler, c *call) error {
				return c.json(func(j *jsonText) { p.write(h, j) })
			}))
	}
	return all
}
