package rest

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/culvertdata/culvert/engine"
)

// submitted is the answer to submit-job.
type submitted struct {
	JobID   int64  `json:"jobId"`
	JobName string `json:"jobName"`
}

func (h *handler) submitJob(w http.ResponseWriter, r *http.Request) (any, error) {
	o, err := submitOptions(r)
	if err != nil {
		return nil, badRequest{err}
	}
	text, err := io.ReadAll(http.MaxBytesReader(w, r.Body, h.options.MaxBody))
	if err != nil {
		return nil, fmt.Errorf("reading the body: %w", err)
	}
	if len(text) == 0 {
		return nil, badRequest{errors.New("Request body is empty.")}
	}
	job, err := h.eng.Submit(r.Context(), text, o)
	if errors.Is(err, engine.ErrJobRunning) {
		// SeaTunnel answers as if it had started, and starts nothing.
		return submitted{JobID: o.ID, JobName: o.Name}, nil
	}
	if err != nil {
		return nil, err
	}
	return submitted{JobID: job.ID(), JobName: job.Name()}, nil
}

func submitOptions(r *http.Request) (engine.SubmitOptions, error) {
	query := r.URL.Query()
	o := engine.SubmitOptions{
		Name:          query.Get("jobName"),
		FromSavepoint: strings.EqualFold(query.Get("isStartWithSavePoint"), "true"),
		Format:        engine.JSON,
	}
	switch format := query.Get("format"); strings.ToLower(format) {
	case "", "json":
	case "hocon":
		o.Format = engine.HOCON
	default:
		return o, fmt.Errorf("format %q is not known; use json or hocon", format)
	}
	if id := query.Get("jobId"); id != "" {
		var err error
		if o.ID, err = parseID(id); err != nil {
			return o, err
		}
	}
	if o.FromSavepoint && o.ID == 0 {
		return o, errors.New("Please provide jobId when start with save point.")
	}
	return o, nil
}

func parseID(text string) (int64, error) {
	id, err := strconv.ParseInt(text, 10, 64)
	if err != nil || id <= 0 {
		return 0, fmt.Errorf("For input string: %q: a job id is a whole number above 0", text)
	}
	return id, nil
}

// stopRequest is the body of stop-job. SeaTunnel takes the id as a number or a text, and the flag as a boolean or a
// text.
type stopRequest struct {
	JobID     json.RawMessage `json:"jobId"`
	Savepoint json.RawMessage `json:"isStopWithSavePoint"`
}

// stopped is the answer to stop-job.
type stopped struct {
	JobID int64 `json:"jobId"`
}

func (h *handler) stopJob(w http.ResponseWriter, r *http.Request) (any, error) {
	var req stopRequest
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, h.options.MaxBody)).Decode(&req); err != nil {
		return nil, badRequest{fmt.Errorf("Invalid JSON format in request body. %w", err)}
	}
	text := strings.Trim(string(req.JobID), `"`)
	if text == "" || text == "null" {
		return nil, badRequest{errors.New("jobId cannot be empty.")}
	}
	id, err := parseID(text)
	if err != nil {
		return nil, badRequest{err}
	}
	o := engine.StopOptions{Savepoint: strings.EqualFold(strings.Trim(string(req.Savepoint), `"`), "true")}
	err = h.eng.Stop(r.Context(), id, o)
	if err != nil && !errors.Is(err, engine.ErrJobNotFound) && !errors.Is(err, engine.ErrJobEnded) {
		return nil, err
	}
	return stopped{JobID: id}, nil
}

func (h *handler) jobInfo(_ http.ResponseWriter, r *http.Request) (any, error) {
	text := r.PathValue("id")
	id, err := parseID(text)
	if err != nil {
		return nil, badRequest{err}
	}
	job, err := h.eng.Job(r.Context(), id)
	if errors.Is(err, engine.ErrJobNotFound) {
		return map[string]string{"jobId": text}, nil
	}
	if err != nil {
		return nil, err
	}
	return view(job.Info()), nil
}

func (h *handler) runningJobs(_ http.ResponseWriter, r *http.Request) (any, error) {
	jobs := []any{}
	for info, err := range h.eng.List(r.Context(), engine.Active()) {
		if err != nil {
			return nil, err
		}
		jobs = append(jobs, view(info))
	}
	return jobs, nil
}
