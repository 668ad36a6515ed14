package engine

import (
	"errors"
	"fmt"
	"time"

	"github.com/culvertdata/culvert/engine/internal/store"
	"github.com/culvertdata/culvert/plugin"
)

// record is what the store keeps of a job beside its config.
type record struct {
	ID            int64
	Name          string
	State         State
	Mode          plugin.Mode
	Created       time.Time
	Finished      time.Time
	Error         string
	Env           []EnvOption
	FromSavepoint bool
	Graph         Graph
	Metrics       Metrics
	Format        Format
	GivenName     string
	Variables     map[string]string
}

func (r *record) info() Info {
	return Info{ID: r.ID, Name: r.Name, State: r.State, Mode: r.Mode, Created: r.Created, Finished: r.Finished,
		Error: r.Error, Env: r.Env, FromSavepoint: r.FromSavepoint, Graph: r.Graph, Metrics: r.Metrics}
}

// stored returns the form for the store; config is nil to keep the stored one.
func (r *record) stored(config []byte) store.Job {
	f := form{b: []byte{recordVersion}}
	f.record(r)
	return store.Job{ID: r.ID, State: r.State.String(), Ended: r.State.Ended(), EndTime: r.Finished, Record: f.b,
		Config: config}
}

func decodeRecord(j store.Job) (*record, error) {
	r := &record{}
	if err := r.read(j.Record); err != nil {
		return nil, fmt.Errorf("the record of job %d cannot be read: %w", j.ID, err)
	}
	return r, nil
}

func (r *record) read(b []byte) error {
	if len(b) == 0 {
		return errCut
	}
	if b[0] != recordVersion {
		return fmt.Errorf("it has version %d, this program reads %d; use a newer one", b[0], recordVersion)
	}
	f := form{reading: true, text: string(b[1:])}
	f.record(r)
	if f.err == nil && f.text != "" {
		f.err = errors.New("something follows it")
	}
	return f.err
}

// decodeInfo returns what a stored job's record says.
func decodeInfo(j store.Job) (Info, error) {
	rec, err := decodeRecord(j)
	if err != nil {
		return Info{}, err
	}
	return rec.info(), nil
}

// submitOptions returns the options that the job was submitted with, for a resume.
func (r *record) submitOptions() SubmitOptions {
	return SubmitOptions{ID: r.ID, Name: r.GivenName, Format: r.Format, Variables: r.Variables}
}
