package rest

import (
	"context"
	"errors"
	"fmt"

	"github.com/culvertdata/culvert/engine"
	"github.com/culvertdata/culvert/plugin/config"
)

// stopOrder is one job to stop.
type stopOrder struct {
	id        int64
	savepoint bool
}

// stopJob answers at once; the job ends later. A job that is unknown or has ended is no error, as in SeaTunnel: the
// reason is in a header.
func (h *handler) stopJob(c *call) error {
	text, err := h.body(c)
	if err != nil {
		return err
	}
	root, err := parseLoose(text)
	if err != nil {
		return err
	}
	order, err := readStop(root)
	if err != nil {
		return err
	}
	if err := h.stop(c, order); err != nil {
		return err
	}
	return c.json(func(j *jsonText) {
		j.open('{')
		if c.route.surface == v1 {
			j.numberMember("jobId", order.id)
		} else {
			j.digits("jobId", order.id)
		}
		j.close('}')
	})
}

// stopJobs stops the jobs of a list, in order. All of it is read before the first one is stopped.
func (h *handler) stopJobs(c *call) error {
	text, err := h.body(c)
	if err != nil {
		return err
	}
	root, err := parseLoose(text)
	if err != nil {
		return err
	}
	if root.Kind != config.List {
		return badRequest(`the body must be a list: [{"jobId": 733584788375666689, "isStopWithSavePoint": false}]`)
	}
	orders := make([]stopOrder, len(root.Items))
	for i, item := range root.Items {
		if orders[i], err = readStop(item); err != nil {
			return badRequest("element %d: %w; nothing was stopped", i+1, err)
		}
	}
	for i, o := range orders {
		if err := h.stop(c, o); err != nil {
			return fmt.Errorf("element %d, job %d: %w", i+1, o.id, err)
		}
	}
	return c.json(func(j *jsonText) {
		j.open('[')
		for _, o := range orders {
			j.open('{')
			j.numberMember("jobId", o.id)
			j.close('}')
		}
		j.close(']')
	})
}

// readStop reads the id as a number or a text, and the flag as a boolean or a text.
func readStop(v config.Value) (o stopOrder, err error) {
	if v.Kind != config.Object {
		return o, badRequest("the body must be an object with jobId and isStopWithSavePoint, not %s", v.Kind)
	}
	id, ok := v.Get("jobId")
	if !ok || id.Kind == config.Null || id.Text == "" && id.Scalar() {
		return o, badRequest("jobId cannot be empty. Write \"jobId\": 733584788375666689")
	}
	if !id.Scalar() {
		return o, badRequest("jobId must be a whole number, not %s", id.Kind)
	}
	if o.id, err = parseID(id.Text); err != nil {
		return o, err
	}
	flag, ok := v.Get("isStopWithSavePoint")
	if !ok || flag.Kind == config.Null {
		return o, nil
	}
	if !flag.Scalar() {
		return o, badRequest("isStopWithSavePoint must be true or false, not %s", flag.Kind)
	}
	o.savepoint, err = parseFlag("isStopWithSavePoint", flag.Text)
	return o, err
}

func (h *handler) stop(c *call, o stopOrder) error {
	// An order that came in is carried out, even if its sender has gone.
	err := h.eng.Stop(context.WithoutCancel(c.r.Context()), o.id, engine.StopOptions{Savepoint: o.savepoint})
	if errors.Is(err, engine.ErrJobNotFound) || errors.Is(err, engine.ErrJobEnded) {
		c.note("job %d is not running, so nothing was stopped; running-jobs lists those that are", o.id)
		return nil
	}
	return err
}
