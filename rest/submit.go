package rest

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/tidwall/gjson"
	"github.com/tidwall/sjson"

	"github.com/culvertdata/culvert/engine"
	"github.com/culvertdata/culvert/plugin/config"
	"github.com/culvertdata/culvert/plugin/config/hocon"
)

// submission is one job on its way to the engine.
type submission struct {
	text    []byte
	options engine.SubmitOptions
	// envName is the name in the job file.
	envName string
}

// submitted is what is told of a job that was taken.
type submitted struct {
	id   int64
	name string
}

func (h *handler) submitJob(c *call) error {
	query, err := c.query()
	if err != nil {
		return err
	}
	s := submission{}
	if s.options, err = submitOptions(query); err != nil {
		return err
	}
	if s.text, err = h.body(c); err != nil {
		return err
	}
	if err := s.check(); err != nil {
		return err
	}
	done, err := h.submit(c, s)
	if err != nil {
		return err
	}
	return c.json(func(j *jsonText) { done.write(j, c.route.surface == v1) })
}

// write tells of a job; its id is a number in the answers of 2.3.4 and a text later.
func (s submitted) write(j *jsonText, number bool) {
	j.open('{')
	if number {
		j.numberMember("jobId", s.id)
	} else {
		j.digits("jobId", s.id)
	}
	j.member("jobName", s.name)
	j.close('}')
}

// submit starts a job. For the id of a job that runs, it starts nothing and answers as if it had, as SeaTunnel does.
func (h *handler) submit(c *call, s submission) (submitted, error) {
	job, err := h.eng.Submit(c.r.Context(), s.text, s.options)
	if errors.Is(err, engine.ErrJobRunning) {
		c.note("job %d is running already, so nothing was started; stop it first or leave jobId out", s.options.ID)
		return submitted{s.options.ID, s.name()}, nil
	}
	if errors.Is(err, engine.ErrJobExists) {
		return submitted{}, fail(http.StatusConflict, "%w Start it with isStartWithSavePoint=true, or leave jobId out", err)
	}
	if err != nil {
		return submitted{}, err
	}
	return submitted{job.ID(), job.Name()}, nil
}

// name returns the name that the job would have.
func (s *submission) name() string {
	switch {
	case s.options.Name != "":
		return s.options.Name
	case s.envName != "":
		return s.envName
	default:
		return "SeaTunnel_Job"
	}
}

// check reads the text as far as SeaTunnel's first checks do; the engine does the rest.
func (s *submission) check() error {
	if s.options.Format == engine.HOCON {
		root, err := hocon.Parse(s.text, hocon.Options{})
		if err == nil {
			s.envName = jobName(root)
		}
		return nil // the engine resolves more and reports better
	}
	root, err := parseObject(s.text)
	if err != nil {
		return err
	}
	s.envName = jobName(root)
	for _, role := range [...][2]string{{"source", "Source"}, {"sink", "Sink"}} {
		blocks, ok := root.Get(role[0])
		if !ok || blocks.Kind == config.Null || blocks.Kind == config.List && len(blocks.Items) == 0 {
			return badRequest("Miss <%s> config! Please check the config file. Give %s an array of objects with plugin_name",
				role[1], role[0])
		}
	}
	return nil
}

func jobName(root config.Value) string {
	env, _ := root.Get("env")
	name, _ := env.Lookup("job.name")
	return name.Text
}

// parameters of submit-job.
const (
	paramID        = "jobId"
	paramName      = "jobName"
	paramSavepoint = "isStartWithSavePoint"
	paramFormat    = "format"
)

// submitOptions reads the query. Unknown parameters are ignored unless they look like slips of the pen.
func submitOptions(query url.Values) (engine.SubmitOptions, error) {
	o := engine.SubmitOptions{Name: query.Get(paramName), Format: engine.JSON}
	known := []string{paramID, paramName, paramSavepoint, paramFormat}
	for name := range query {
		if near, ok := config.Nearest(name, known); ok && near != name {
			return o, badRequest("the parameter %.40q is not known; did you mean %s?", name, near)
		}
	}
	var err error
	if o.FromSavepoint, err = parseFlag(paramSavepoint, query.Get(paramSavepoint)); err != nil {
		return o, err
	}
	switch format := query.Get(paramFormat); strings.ToLower(format) {
	case "", "json":
	case "hocon":
		o.Format = engine.HOCON
	default:
		return o, badRequest("the format %.40q is not known; use json or hocon", format)
	}
	if id := query.Get(paramID); id != "" {
		if o.ID, err = parseID(id); err == nil && o.ID <= 0 {
			err = badRequest("jobId must be above 0, not %d", o.ID)
		}
	}
	if err == nil && o.FromSavepoint && o.ID == 0 {
		err = badRequest("Please provide jobId when start with save point.")
	}
	return o, err
}

func parseFlag(name, text string) (bool, error) {
	switch {
	case strings.EqualFold(text, "true"):
		return true, nil
	case text == "" || strings.EqualFold(text, "false"):
		return false, nil
	}
	return false, badRequest("%s must be true or false, not %.40q", name, text)
}

// submitJobs starts the jobs of a list. What can be seen of all of them is checked before the first one starts.
func (h *handler) submitJobs(c *call) error {
	text, err := h.body(c)
	if err != nil {
		return err
	}
	jobs, err := readSubmissions(text)
	if err != nil {
		return err
	}
	var done []submitted
	for i, s := range jobs {
		d, err := h.submit(c, s)
		if err != nil {
			return fmt.Errorf("job %d of %d: %w%s", i+1, len(jobs), err, alreadyStarted(done))
		}
		done = append(done, d)
	}
	return c.json(func(j *jsonText) {
		j.open('[')
		for _, d := range done {
			d.write(j, false)
		}
		j.close(']')
	})
}

func alreadyStarted(done []submitted) string {
	if len(done) == 0 {
		return "; nothing was started"
	}
	ids := make([]string, len(done))
	for i, d := range done {
		ids[i] = fmt.Sprint(d.id)
	}
	return "; the jobs before it were started: " + strings.Join(ids, ", ")
}

// readSubmissions reads a list of job files, each with the parameters of submit-job in its member params.
func readSubmissions(text []byte) ([]submission, error) {
	list, err := parseList(text, "job files with params")
	if err != nil {
		return nil, err
	}
	var jobs []submission
	for i, element := range list {
		s, err := readSubmission(element)
		if err != nil {
			return nil, badRequest("job %d of %d: %w; nothing was started", i+1, len(list), err)
		}
		jobs = append(jobs, s)
	}
	return jobs, nil
}

func readSubmission(element gjson.Result) (s submission, err error) {
	if !element.IsObject() {
		return s, fmt.Errorf("it must be an object, not %s", element.Type)
	}
	params := element.Get("params")
	if params.Exists() && !params.IsObject() && params.Type != gjson.Null {
		return s, fmt.Errorf("params must be an object with jobId, jobName, isStartWithSavePoint")
	}
	query := url.Values{}
	params.ForEach(func(key, value gjson.Result) bool {
		query.Set(key.String(), value.String())
		return true
	})
	if s.options, err = submitOptions(query); err != nil {
		return s, err
	}
	if s.text, err = sjson.DeleteBytes([]byte(element.Raw), "params"); err != nil {
		return s, err
	}
	return s, s.check()
}

// parseList reads a strict JSON list. what names its elements. The list is wrapped for the reader of objects, which
// bounds depth and refuses repeated keys.
func parseList(text []byte, what string) ([]gjson.Result, error) {
	wrapped := append(append([]byte(`{"list":`), text...), '}')
	root, err := hocon.Parse(wrapped, hocon.Options{JSON: true})
	if err != nil {
		return nil, badRequest("%s %w", invalidJSON, err)
	}
	if list, _ := root.Get("list"); list.Kind != config.List || len(root.Members) != 1 {
		return nil, badRequest("the body must be a list of %s: [{...}, {...}]", what)
	}
	return gjson.ParseBytes(text).Array(), nil
}
