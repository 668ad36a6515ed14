package postgrescdc

import (
	"context"
	"slices"
	"strings"
	"sync"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/internal/cdc"
	"github.com/culvertdata/culvert/plugin/jdbc/postgres"
)

// Source reads tables of one database and follows their changes.
type Source struct {
	options Options
	env     plugin.Env
	server  *postgres.Server

	known    cdc.Known
	messages *plugin.Table // what rows become in Debezium's format; nil in the usual one

	mu     sync.Mutex // the lanes make their readers at the same time
	tables []*captured
}

var (
	_ plugin.Source  = (*Source)(nil)
	_ plugin.Pinger  = (*Source)(nil)
	_ plugin.Resumer = (*Source)(nil)
)

// Ping connects to the database.
func (s *Source) Ping(ctx context.Context) error { return s.server.JDBC().Ping(ctx) }

// Tables finds the tables that the job names, and checks that the server can be followed.
func (s *Source) Tables(ctx context.Context) ([]*plugin.Table, error) {
	found, err := s.describe(ctx)
	if err != nil {
		return nil, err
	}
	if s.messages != nil {
		return []*plugin.Table{s.messages}, nil
	}
	tables := make([]*plugin.Table, len(found))
	for i, c := range found {
		tables[i] = c.table()
	}
	return tables, nil
}

// describe asks the server once.
func (s *Source) describe(ctx context.Context) ([]*captured, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.tables != nil {
		return s.tables, nil
	}
	c, err := s.server.Session(ctx)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	if err := s.checkServer(ctx, c); err != nil {
		return nil, err
	}
	s.tables, err = s.discover(ctx, c)
	return s.tables, err
}

// Splits starts cutting the snapshot, or goes on with it.
func (s *Source) Splits(ctx context.Context, state []byte) (plugin.Splitter, error) {
	tables, err := s.describe(ctx)
	if err != nil {
		return nil, err
	}
	return newSplitter(s, tables, state)
}

// Reader makes the reader of one lane.
func (s *Source) Reader(ctx context.Context, t plugin.Task) (plugin.Reader, error) {
	tables, err := s.describe(ctx)
	if err != nil {
		return nil, err
	}
	s.warn()
	return newReader(s, tables, t), nil
}

// warn tells which options are not followed.
func (s *Source) warn() {
	log := s.env.Logger
	if !strings.EqualFold(s.options.Decoding, "pgoutput") {
		log.Warn("decoding.plugin.name: pgoutput is used instead", "name", s.options.Decoding)
	}
	if s.options.Parallelism > 1 {
		log.Warn("incremental.parallelism: a replication slot has one reader", "value", s.options.Parallelism)
	}
}

// Resume takes the tables as the sinks know them.
func (s *Source) Resume(tables []*plugin.Table) { s.known.Note(tables...) }

// replace takes tables that were altered since they were planned in place of those, and returns all. The sinks know
// the planned ones.
func (s *Source) replace(altered []*captured) []*captured {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := slices.Clone(s.tables)
	for i, t := range all {
		now := find(altered, t.table().ID)
		if now == nil || now == t {
			continue
		}
		s.known.Note(s.known.Of(t.table()))
		all[i] = now
	}
	s.tables = all
	return all
}

// first returns the table that the first rows come with. It is as the sinks know it, or a version more if it was
// altered before anything was read and the job follows that.
func (s *Source) first(planned *plugin.Table) (*plugin.Table, error) {
	known := s.known.Of(planned)
	if !s.options.schemaChanges() || known.SameColumns(planned) {
		return known, nil
	}
	next := *planned
	next.Version = known.Version + 1
	return plugin.NewTable(next)
}
