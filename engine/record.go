package engine

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/culvertdata/culvert/engine/internal/store"
	"github.com/culvertdata/culvert/plugin"
)

// recordVersion is raised when an older engine could not read what a newer one writes.
const recordVersion = 1

// record is what the store keeps of a job beside its config.
type record struct {
	Version       int               `json:"v"`
	ID            int64             `json:"id"`
	Name          string            `json:"name"`
	State         State             `json:"state"`
	Mode          plugin.Mode       `json:"mode"`
	Created       time.Time         `json:"created"`
	Finished      time.Time         `json:"finished,omitzero"`
	Error         string            `json:"error,omitempty"`
	Env           []EnvOption       `json:"env,omitempty"`
	FromSavepoint bool              `json:"fromSavepoint,omitempty"`
	Graph         Graph             `json:"graph"`
	Metrics       Metrics           `json:"metrics"`
	Format        Format            `json:"format,omitempty"`
	GivenName     string            `json:"givenName,omitempty"`
	Variables     map[string]string `json:"variables,omitempty"`
}

func (r *record) info() Info {
	return Info{ID: r.ID, Name: r.Name, State: r.State, Mode: r.Mode, Created: r.Created, Finished: r.Finished,
		Error: r.Error, Env: r.Env, FromSavepoint: r.FromSavepoint, Graph: r.Graph, Metrics: r.Metrics}
}

// stored returns the form for the store; config is nil to keep the stored one.
func (r *record) stored(config []byte) (store.Job, error) {
	r.Version = recordVersion
	b, err := json.Marshal(r)
	if err != nil {
		return store.Job{}, fmt.Errorf("encoding the record of job %d: %w", r.ID, err)
	}
	return store.Job{ID: r.ID, State: r.State.String(), Ended: r.State.Ended(), EndTime: r.Finished, Record: b,
		Config: config}, nil
}

func decodeRecord(j store.Job) (*record, error) {
	r := &record{}
	if err := json.Unmarshal(j.Record, r); err != nil {
		return nil, fmt.Errorf("the record of job %d cannot be read: %w", j.ID, err)
	}
	if r.Version > recordVersion {
		return nil, fmt.Errorf("the record of job %d has version %d, this program reads up to %d; use a newer one",
			j.ID, r.Version, recordVersion)
	}
	return r, nil
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
