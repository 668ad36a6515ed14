package rest

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/hashicorp/go-hclog"

	"github.com/culvertdata/culvert/engine"
	"github.com/culvertdata/culvert/metrics"
)

// Group is a part of the API that can be switched off, with the name that it has in hazelcast.yaml.
type Group string

// The groups.
const (
	// Data are the paths below /hazelcast/rest/maps and the same ones of V2.
	Data Group = "DATA"
	// ClusterWrite are those of them that change something: submitting, stopping, tags. They need Data, too.
	ClusterWrite Group = "CLUSTER_WRITE"
	// ClusterRead are /hazelcast/rest/cluster and the metrics.
	ClusterRead Group = "CLUSTER_READ"
	// HealthCheck are the paths below /hazelcast/health.
	HealthCheck Group = "HEALTH_CHECK"
)

// Groups returns all groups.
func Groups() []Group { return []Group{Data, ClusterWrite, ClusterRead, HealthCheck} }

// Options say how the handler works. The zero value is useful.
type Options struct {
	// Disabled are the groups that answer 403.
	Disabled []Group
	// MaxBody bounds the body of a request in bytes; a larger one is answered with 413. 0 means 8 MiB.
	MaxBody int64
	// Auth decides who may call; nil lets everybody. [Basic] and [Bearer] make one.
	Auth Auth
	// BasePath stands before all paths, for a handler that is mounted below others, for example /etl. It is not
	// stripped by the host.
	BasePath string
	// ContextPath stands before the V2 paths, behind BasePath, as context-path in seatunnel.yaml.
	ContextPath string
	// Cluster is the name in metrics. Empty means seatunnel.
	Cluster string
	// Logger takes failures of the handler itself and of the engine; nil is silent. It sees no query, header or body.
	Logger hclog.Logger
}

const defaultMaxBody = 8 << 20

func (o Options) withDefaults() Options {
	if o.MaxBody == 0 {
		o.MaxBody = defaultMaxBody
	}
	if o.Logger == nil {
		o.Logger = hclog.NewNullLogger()
	}
	if o.Cluster == "" {
		o.Cluster = "seatunnel"
	}
	o.BasePath = cleanPrefix(o.BasePath)
	o.ContextPath = cleanPrefix(o.ContextPath)
	return o
}

// cleanPrefix returns a path with a slash before and none behind; empty stays empty.
func cleanPrefix(path string) string {
	if path = strings.Trim(path, "/"); path == "" {
		return ""
	}
	return "/" + path
}

// Handler answers SeaTunnel's REST API for an engine. It holds no listener and no goroutine.
func Handler(eng *engine.Engine, o Options) http.Handler {
	h := &handler{eng: eng, options: o.withDefaults(), monitor: metrics.NewMonitor(nil), id: newUUID()}
	h.routes = newRouter(h.options)
	h.document = openAPI(h.routes, h.options)
	return h
}

type handler struct {
	eng      *engine.Engine
	options  Options
	routes   *router
	document []byte
	monitor  *metrics.Monitor
	id       string

	running, completed atomic.Int64
}

// call is one request on its way.
type call struct {
	w http.ResponseWriter
	r *http.Request
	// route is what the path leads to; param is its last part if that is variable, decoded.
	route route
	param string
}

// ServeHTTP implements http.Handler.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.running.Add(1)
	defer func() {
		h.running.Add(-1)
		h.completed.Add(1)
	}()
	c := &call{w: w, r: r}
	if err := h.serve(c); err != nil {
		h.answerError(c, err)
	}
}

func (h *handler) serve(c *call) error {
	if h.options.Auth != nil {
		if err := h.options.Auth(c.r); err != nil {
			return denied(c.w, err)
		}
	}
	route, param, err := h.routes.find(c.r)
	if err != nil {
		return err
	}
	c.route, c.param = route, param
	for _, g := range route.groups() {
		if slices.Contains(h.options.Disabled, g) {
			return fail(http.StatusForbidden, "the endpoint group %s is disabled; enable it where the server is configured", g)
		}
	}
	return route.endpoint.serve(h, c)
}

// answerError writes an error as SeaTunnel does.
func (h *handler) answerError(c *call, err error) {
	status := statusOf(err)
	if status == http.StatusInternalServerError {
		h.options.Logger.Error("request failed", "method", c.r.Method, "path", c.route.path, "error", err)
	}
	var f *failure
	if errors.As(err, &f) && f.allow != "" {
		c.w.Header().Set("Allow", f.allow)
	}
	c.status(status, func(j *jsonText) {
		j.open('{')
		j.member("status", "fail")
		j.member("message", err.Error())
		j.close('}')
	})
}

// json answers 200 with what build writes.
func (c *call) json(build func(j *jsonText)) error {
	c.status(http.StatusOK, build)
	return nil
}

func (c *call) status(status int, build func(j *jsonText)) {
	j := &jsonText{}
	build(j)
	c.write(status, "application/json", j.b)
}

func (c *call) write(status int, contentType string, body []byte) {
	header := c.w.Header()
	header["Content-Type"] = []string{contentType}
	header["Content-Length"] = []string{strconv.Itoa(len(body))}
	header["X-Content-Type-Options"] = []string{"nosniff"}
	c.w.WriteHeader(status)
	if c.r.Method != http.MethodHead {
		c.w.Write(body) //nolint:errcheck // the client is gone, and there is nobody to tell
	}
}

// note tells what an answer that SeaTunnel has laid down cannot say.
func (c *call) note(format string, args ...any) {
	c.w.Header().Set("Warning", "199 culvert "+string(appendQuoted(nil, fmt.Sprintf(format, args...))))
}

// streamSize is how much of a list is held back before it is sent.
const streamSize = 64 << 10

// stream answers a list while it is made: each calls add for every element, which writes it into j. A list that breaks
// off is cut, so that no client takes it for whole.
func (c *call) stream(each func(add func(write func(j *jsonText)) bool) error) error {
	header := c.w.Header()
	header["Content-Type"] = []string{"application/json"}
	j := &jsonText{b: make([]byte, 0, streamSize+streamSize/4)}
	j.open('[')
	sent := false
	err := each(func(write func(j *jsonText)) bool {
		if write(j); len(j.b) < streamSize {
			return c.r.Context().Err() == nil
		}
		sent = true
		_, err := c.w.Write(j.b)
		j.taken()
		return err == nil
	})
	if err != nil && sent {
		panic(http.ErrAbortHandler) // the one way of net/http to cut an answer
	}
	if err != nil {
		delete(header, "Content-Type")
		return err
	}
	j.close(']')
	if !sent {
		c.write(http.StatusOK, "application/json", j.b)
		return nil
	}
	c.w.Write(j.b) //nolint:errcheck // as in write
	return nil
}

// query returns the parameters of a request. Like SeaTunnel's V1 it refuses what has no key or no value.
func (c *call) query() (url.Values, error) {
	const invalid = "Invalid Params format in Params."
	raw := c.r.URL.RawQuery
	if raw == "" && !c.r.URL.ForceQuery {
		return url.Values{}, nil
	}
	values := url.Values{}
	for pair := range strings.SplitSeq(raw, "&") {
		key, value, _ := strings.Cut(pair, "=")
		k, kerr := url.QueryUnescape(key)
		v, verr := url.QueryUnescape(value)
		if kerr != nil || verr != nil || k == "" || v == "" {
			return nil, badRequest("%s Write name=value, joined by &, with special characters percent-encoded", invalid)
		}
		values.Set(k, v) // the last one wins
	}
	return values, nil
}
