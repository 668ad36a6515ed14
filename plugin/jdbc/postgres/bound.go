package postgres

import (
	"context"

	"github.com/culvertdata/culvert/plugin/jdbc"
)

// What a session holds for each of its targets is bounded, since a job may have thousands of them. A prepared statement
// takes some ten kilobytes of the server's memory, and each commit empties all staging tables. When there are too many,
// all are given up: those that are in use come back with their next batches.
const (
	maxPrepared    = 500
	maxTemporaries = 100
)

// boundPrepared makes room for the statements of one target.
func (ld *loader) boundPrepared(ctx context.Context) error {
	if ld.prepared+int(jdbc.Exec) <= maxPrepared {
		return nil
	}
	for _, state := range ld.states {
		state.rows = [jdbc.Exec]*rowStatement{}
	}
	ld.prepared = 0
	return ld.s.exec(ctx, "DEALLOCATE ALL")
}

// boundTemporaries makes room for one staging table.
func (ld *loader) boundTemporaries(ctx context.Context) error {
	ld.temporaries++
	if ld.temporaries <= maxTemporaries {
		return nil
	}
	for _, state := range ld.states {
		state.temporary, state.used = false, false
	}
	ld.temporaries = 1
	return ld.s.exec(ctx, "DISCARD TEMP")
}

// forget drops what is known of older versions of a target's source: they do not come again.
func (ld *loader) forget(t *jdbc.Target) {
	for known, l := range ld.layouts {
		if known.Source.ID == t.Source.ID && known.Source.Version < t.Source.Version {
			delete(ld.layouts, known)
			delete(ld.states, l)
		}
	}
}
