package cdc

import (
	"sync"

	"github.com/culvertdata/culvert/plugin"
)

// Known remembers captured tables as the sinks know them, of a job that goes on. Several goroutines may use it.
type Known struct {
	mu     sync.Mutex
	tables map[plugin.TableID]*plugin.Table
}

// Note takes tables as the sinks know them from now on.
func (k *Known) Note(tables ...*plugin.Table) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.tables == nil {
		k.tables = map[plugin.TableID]*plugin.Table{}
	}
	for _, t := range tables {
		k.tables[t.ID] = t
	}
}

// Of returns a table as the sinks know it: as it is planned, unless the job goes on.
func (k *Known) Of(planned *plugin.Table) *plugin.Table {
	k.mu.Lock()
	defer k.mu.Unlock()
	if t := k.tables[planned.ID]; t != nil {
		return t
	}
	return planned
}
