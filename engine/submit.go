package engine

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/culvertdata/culvert/engine/internal/jobspec"
	"github.com/culvertdata/culvert/engine/internal/plan"
	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/column"
	"github.com/culvertdata/culvert/plugin/config"
	"github.com/culvertdata/culvert/plugin/config/hocon"
)

// Submit checks a job text, records the job and starts it. It returns once the job is recorded, so the job survives a
// crash from then on; what is wrong with the text is returned as a *ConfigError before anything is recorded. It fails
// with ErrJobRunning or ErrJobExists for an id in use, and with ErrClosed.
func (e *Engine) Submit(ctx context.Context, text []byte, o SubmitOptions) (*Job, error) {
	if !e.enter() {
		return nil, ErrClosed
	}
	defer e.wg.Done()
	release, err := e.reserve(ctx, &o)
	if err != nil {
		return nil, err
	}
	defer release()
	spec, err := e.parse(text, o)
	if err != nil {
		return nil, err
	}
	j := e.newJob(spec, o)
	planned, err := e.plan(ctx, j, spec)
	if err != nil {
		return nil, err
	}
	j.rec.Graph = planned.DAG()
	if err := j.save(ctx, text); err != nil {
		planned.Close()
		return nil, err
	}
	if !e.start(j, spec, planned) {
		return nil, errors.Join(ErrClosed, planned.Close(), e.store.DeleteJob(context.WithoutCancel(ctx), j.id))
	}
	return j, nil
}

// enter keeps Close waiting until wg.Done, unless the engine is closing.
func (e *Engine) enter() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return false
	}
	e.wg.Add(1)
	return true
}

// reserve finds out whether the job may have its id and keeps others from taking it until release is called. An id of
// 0 is replaced.
func (e *Engine) reserve(ctx context.Context, o *SubmitOptions) (release func(), err error) {
	if o.ID == 0 {
		if o.ID, err = e.store.NextID(); err != nil {
			return nil, err
		}
		return func() {}, nil // nobody else can know it
	}
	e.mu.Lock()
	_, running := e.jobs[o.ID]
	_, reserved := e.reserved[o.ID]
	if running || reserved {
		e.mu.Unlock()
		return nil, fmt.Errorf("%w: %d", ErrJobRunning, o.ID)
	}
	e.reserved[o.ID] = struct{}{}
	e.mu.Unlock()
	release = func() {
		e.mu.Lock()
		delete(e.reserved, o.ID)
		e.mu.Unlock()
	}
	if err := e.checkUnused(ctx, o); err != nil {
		release()
		return nil, err
	}
	return release, nil
}

func (e *Engine) checkUnused(ctx context.Context, o *SubmitOptions) error {
	if o.FromSavepoint {
		return nil
	}
	_, used, err := e.store.Job(ctx, o.ID)
	if err != nil {
		return err
	}
	if used {
		//lint:ignore ST1005 the text is SeaTunnel's
		return fmt.Errorf("%w: The job id %d has already been submitted and is not starting with a savepoint.",
			ErrJobExists, o.ID)
	}
	return nil
}

// parse reads a job text into its specification, which may have errors: plan reports them together with those of the
// plugins' options.
func (e *Engine) parse(text []byte, o SubmitOptions) (*jobspec.Spec, error) {
	options := hocon.Options{Variables: o.Variables, Env: e.options.Env,
		JSON: o.Format == JSON || o.Format == Auto && looksLikeJSON(text)}
	if options.Variables == nil && !options.JSON {
		options.Variables = map[string]string{} // so that ${name:default} takes its default inside quotes too
	}
	root, err := hocon.Parse(text, options)
	if err != nil {
		return nil, err
	}
	if root, err = e.decrypt(root); err != nil {
		return nil, err
	}
	spec, _ := jobspec.Parse(root)
	return spec, nil
}

func looksLikeJSON(text []byte) bool {
	text = bytes.TrimSpace(bytes.TrimPrefix(text, []byte("\xef\xbb\xbf")))
	return bytes.HasPrefix(text, []byte("{"))
}

func (e *Engine) newJob(spec *jobspec.Spec, o SubmitOptions) *Job {
	name := o.Name
	if name == "" {
		name = spec.Env.Name
	}
	rec := &record{ID: o.ID, Name: name, State: Created, Mode: spec.Env.Mode, Created: e.options.Now(),
		FromSavepoint: o.FromSavepoint, Env: envOptions(spec.Env.Raw), Format: o.Format, GivenName: o.Name,
		Variables: o.Variables}
	return e.liveJob(rec)
}

func (e *Engine) liveJob(rec *record) *Job {
	return &Job{eng: e, id: rec.ID, rec: rec, log: &jobLog{limit: e.options.LogBytes}, done: make(chan struct{})}
}

func envOptions(env config.Value) []EnvOption {
	var list []EnvOption
	for _, m := range env.Members {
		list = append(list, EnvOption{m.Key, m.Value.String()})
	}
	return list
}

// plan opens the job's plugins.
func (e *Engine) plan(ctx context.Context, j *Job, spec *jobspec.Spec) (*plan.Plan, error) {
	j.secrets = e.secretsIn(spec)
	logger := jobLogger(e.logger, j.log, j.id, j.secrets)
	planned, err := plan.Build(ctx, plan.Options{
		Spec:     spec,
		Registry: e.options.Plugins,
		Job:      plugin.Job{ID: j.id, Name: j.rec.Name, Mode: spec.Env.Mode},
		Logger:   logger,
		Alloc:    column.NewPool(),
		Now:      e.options.Now,
		Dial:     e.options.Dial,
	})
	if err != nil {
		return nil, j.secrets.err(err)
	}
	for _, w := range planned.Warnings {
		logger.Warn(w.String())
	}
	return planned, nil
}
