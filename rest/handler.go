package rest

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/hashicorp/go-hclog"

	"github.com/culvertdata/culvert/engine"
)

// Options say how the handler works. The zero value is useful.
type Options struct {
	// MaxBody bounds the body of a request in bytes. 0 means 8 MiB.
	MaxBody int64
	// Logger takes failures of the handler itself; nil is silent.
	Logger hclog.Logger
}

const defaultMaxBody = 8 << 20

const maps = "/hazelcast/rest/maps"

// Handler answers the REST API for an engine.
func Handler(eng *engine.Engine, o Options) http.Handler {
	if o.MaxBody == 0 {
		o.MaxBody = defaultMaxBody
	}
	if o.Logger == nil {
		o.Logger = hclog.NewNullLogger()
	}
	h := &handler{eng: eng, options: o}
	mux := http.NewServeMux()
	handle := func(pattern string, f func(w http.ResponseWriter, r *http.Request) (any, error)) {
		mux.Handle(pattern, h.answer(f))
	}
	handle("GET "+maps+"/running-jobs", h.runningJobs)
	handle("GET "+maps+"/job-info/{id}", h.jobInfo)
	handle("GET "+maps+"/running-job/{id}", h.jobInfo)
	handle("POST "+maps+"/submit-job", h.submitJob)
	handle("POST "+maps+"/stop-job", h.stopJob)
	handle("/", notFound)
	return trimSlash(mux)
}

type handler struct {
	eng     *engine.Engine
	options Options
}

// answer turns what a method returns into a response.
func (h *handler) answer(f func(w http.ResponseWriter, r *http.Request) (any, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := f(w, r)
		status := http.StatusOK
		if err != nil {
			status = statusOf(err)
			body = failure{Status: "fail", Message: err.Error()}
			if status >= http.StatusInternalServerError {
				h.options.Logger.Error("request failed", "method", r.Method, "path", r.URL.Path, "error", err)
			}
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		enc := json.NewEncoder(w)
		enc.SetEscapeHTML(false)
		if err := enc.Encode(body); err != nil && r.Context().Err() == nil {
			h.options.Logger.Warn("response not written", "path", r.URL.Path, "error", err)
		}
	})
}

type failure struct {
	Status  string `json:"status"`
	Message string `json:"message"`
}

// badRequest is an error of the caller.
type badRequest struct{ error }

// Unwrap returns the reason.
func (e badRequest) Unwrap() error { return e.error }

var errNoPath = errors.New("no such path")

func notFound(_ http.ResponseWriter, r *http.Request) (any, error) {
	return nil, errNoPath
}

func statusOf(err error) int {
	var bad badRequest
	var config *engine.ConfigError
	var tooLarge *http.MaxBytesError
	switch {
	case errors.Is(err, errNoPath):
		return http.StatusNotFound
	case errors.As(err, &tooLarge):
		return http.StatusRequestEntityTooLarge
	case errors.As(err, &bad), errors.As(err, &config):
		return http.StatusBadRequest
	case errors.Is(err, engine.ErrClosed):
		return http.StatusServiceUnavailable
	default:
		return http.StatusInternalServerError
	}
}

// trimSlash removes a slash at the end of the path, as SeaTunnel does.
func trimSlash(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if path := strings.TrimRight(r.URL.Path, "/"); path != "" && path != r.URL.Path {
			clone := *r.URL
			clone.Path = path
			r = r.Clone(r.Context())
			r.URL = &clone
		}
		next.ServeHTTP(w, r)
	})
}
