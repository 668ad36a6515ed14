package cdc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/jdbc"
)

// Cut is a table that is not cut to its end.
type Cut struct {
	Table plugin.TableID `json:"table"`
	// State is how far it is cut, in the form of the Jdbc splitter; nil: it is not begun.
	State json.RawMessage `json:"state,omitempty"`
}

// Cutter cuts tables into chunks, one after the other, each in a session of its own. Close ends the session.
type Cutter struct {
	Options jdbc.SourceOptions
	// Catalog starts a session.
	Catalog func(ctx context.Context) (jdbc.Catalog, error)
	// Relation describes a table that is to be cut.
	Relation func(id plugin.TableID) *jdbc.Relation
	// Renamed reports whether an error says that the column to cut by is not there. What is left of the table is one
	// chunk then; who reads it has to know what became of the column. nil: none does.
	Renamed func(err error) bool

	inner plugin.Splitter // of the first table; nil until it is needed
}

// Chunk is a part of a table. ID is no other chunk's, Rows an estimate of its size, -1 for an unknown one.
type Chunk struct {
	ID    string
	Range jdbc.Range
	Rows  int64
}

// Next returns some chunks of the first table, and notes in its Cut how far that is cut. A table that has no more is
// taken out of the list; without chunks the list is empty.
func (c *Cutter) Next(ctx context.Context, cuts *[]Cut) (plugin.TableID, []Chunk, error) {
	for len(*cuts) > 0 {
		cut := &(*cuts)[0]
		chunks, err := c.some(ctx, cut)
		if err == nil && len(chunks) == 0 {
			continue
		}
		if !errors.Is(err, io.EOF) {
			return cut.Table, chunks, err
		}
		*cuts = (*cuts)[1:]
		if err := c.Close(); err != nil || len(chunks) > 0 {
			return cut.Table, chunks, err
		}
	}
	return plugin.TableID{}, nil, nil
}

// some returns the next chunks of a table; io.EOF says that there are no more.
func (c *Cutter) some(ctx context.Context, cut *Cut) ([]Chunk, error) {
	if err := c.open(ctx, cut); err != nil {
		return nil, err
	}
	splits, err := c.inner.Next(ctx)
	if err != nil && c.Renamed != nil && c.Renamed(err) {
		return c.rest(cut)
	}
	if err != nil {
		return nil, err
	}
	if cut.State, err = c.inner.State(); err != nil {
		return nil, err
	}
	chunks := make([]Chunk, len(splits))
	for i, s := range splits {
		chunks[i].ID, chunks[i].Rows = s.ID, s.Rows
		if err := json.Unmarshal(s.State, &chunks[i].Range); err != nil {
			return nil, err
		}
	}
	return chunks, nil
}

// rest returns what is left of a table as it is, and io.EOF.
func (c *Cutter) rest(cut *Cut) ([]Chunk, error) {
	r := c.Relation(cut.Table)
	left, err := jdbc.Uncut(r, cut.State)
	if err != nil {
		return nil, err
	}
	chunks := make([]Chunk, len(left))
	for i, part := range left {
		chunks[i] = Chunk{ID: fmt.Sprintf("%s/rest/%d", cut.Table, i), Range: part, Rows: -1}
	}
	return chunks, io.EOF
}

func (c *Cutter) open(ctx context.Context, cut *Cut) error {
	if c.inner != nil {
		return nil
	}
	catalog, err := c.Catalog(ctx)
	if err != nil {
		return err
	}
	c.inner, err = jdbc.NewSplitter(c.Options, catalog, []*jdbc.Relation{c.Relation(cut.Table)}, cut.State)
	if err != nil {
		return errors.Join(err, catalog.Close())
	}
	return nil
}

// Close ends the session that is open, if there is one.
func (c *Cutter) Close() error {
	if c.inner == nil {
		return nil
	}
	err := c.inner.Close()
	c.inner = nil
	return err
}
