package rest

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/culvertdata/culvert/engine"
)

// jobInfo answers job-info and running-job: the object of a running or an ended job. For an unknown id the id comes
// back alone, as in SeaTunnel.
func (h *handler) jobInfo(c *call) error {
	if c.param == "" {
		return badRequest("The jobId must not be empty. Write it behind the path: %s/733584788375666689", c.route.path)
	}
	id, err := parseID(c.param)
	if err != nil {
		return err
	}
	job, err := h.eng.Job(c.r.Context(), id)
	if errors.Is(err, engine.ErrJobNotFound) {
		return c.json(func(j *jsonText) {
			j.open('{')
			j.member("jobId", c.param)
			j.close('}')
		})
	}
	if err != nil {
		return err
	}
	info := job.Info()
	return c.json(func(j *jsonText) { view(j, info, c.route.surface, time.Now()) })
}

func parseID(text string) (int64, error) {
	id, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0, badRequest("For input string: %.100q: a job id is a whole number of at most 19 digits", text)
	}
	return id, nil
}

func (h *handler) runningJobs(c *call) error {
	return h.streamJobs(c, engine.Active())
}

// finishedJobs lists ended jobs, the longest ended first. For a state that no ended job can have SeaTunnel answers an
// empty list; the reason is in a header.
func (h *handler) finishedJobs(c *call) error {
	if c.param == "" {
		return h.streamJobs(c, engine.Ended())
	}
	state, err := engine.ParseState(c.param)
	if err == nil && state.Ended() {
		return h.streamJobs(c, engine.Filter{States: []engine.State{state}})
	}
	if !strings.EqualFold(c.param, unknowable) {
		c.note("no finished job has the state %.40q; there are FINISHED, CANCELED, FAILED, SAVEPOINT_DONE, UNKNOWABLE",
			c.param)
	}
	return c.stream(func(func(func(*jsonText)) bool) error { return nil })
}

// streamJobs lists jobs. An ended job whose record cannot be read is listed as UNKNOWABLE where all are
// asked for.
func (h *handler) streamJobs(c *call, f engine.Filter) error {
	now := time.Now()
	return c.stream(func(add func(func(*jsonText)) bool) error {
		for info, err := range h.eng.List(c.r.Context(), f) {
			switch {
			case err != nil && info.ID == 0:
				return err
			case err != nil:
				h.options.Logger.Warn("a job cannot be shown", "job", info.ID, "error", err)
				if len(f.States) == 1 {
					continue
				}
				if !add(func(j *jsonText) { viewBroken(j, info.ID, err) }) {
					return nil
				}
			case !add(func(j *jsonText) { view(j, info, c.route.surface, now) }):
				return nil
			}
		}
		return nil
	})
}
