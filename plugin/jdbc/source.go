package jdbc

import (
	"context"
	"errors"
	"sync"

	"github.com/culvertdata/culvert/plugin"
)

// Source reads tables and queries of one database.
type Source struct {
	options SourceOptions
	env     plugin.Env
	db      Database

	mu        sync.Mutex // the lanes make their readers at the same time
	relations []*Relation
}

var (
	_ plugin.Source = (*Source)(nil)
	_ plugin.Pinger = (*Source)(nil)
)

// Ping connects to the database.
func (s *Source) Ping(ctx context.Context) error { return s.db.Ping(ctx) }

// Tables describes what the job names.
func (s *Source) Tables(ctx context.Context) ([]*plugin.Table, error) {
	relations, err := s.describe(ctx)
	if err != nil {
		return nil, err
	}
	tables := make([]*plugin.Table, len(relations))
	for i, r := range relations {
		tables[i] = r.Table
	}
	return tables, nil
}

// describe asks the database once for all tables; all problems are reported together.
func (s *Source) describe(ctx context.Context) ([]*Relation, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.relations != nil {
		return s.relations, nil
	}
	catalog, err := s.db.Catalog(ctx)
	if err != nil {
		return nil, err
	}
	var relations []*Relation
	var errs []error
	seen := map[plugin.TableID]bool{}
	for _, request := range s.requests() {
		r, err := catalog.Describe(ctx, request)
		switch {
		case err != nil:
			errs = append(errs, err)
			continue
		case seen[r.Table.ID]:
			errs = append(errs, &plugin.Error{
				Code: plugin.CodeConfig, Table: r.Table.ID, Err: errors.New("two elements of table_list have this name"),
				Fix: "give each of them a table_path of its own",
			})
		}
		seen[r.Table.ID] = true
		relations = append(relations, r)
	}
	if err := errors.Join(append(errs, catalog.Close())...); err != nil {
		return nil, err
	}
	s.relations = relations
	return relations, nil
}

func (s *Source) requests() []Request {
	o := s.options
	if len(o.TableList) == 0 {
		return []Request{{
			Query: o.Query, Path: o.TablePath, Where: o.Where, Key: o.PartitionColumn, ID: s.env.TableID(),
		}}
	}
	requests := make([]Request, len(o.TableList))
	for i, t := range o.TableList {
		requests[i] = Request{
			Query: t.Query, Path: t.TablePath, Where: o.Where, Key: t.PartitionColumn, ID: s.env.TableID(),
		}
	}
	return requests
}

// Splits starts cutting the tables, one after the other.
func (s *Source) Splits(ctx context.Context, state []byte) (plugin.Splitter, error) {
	relations, err := s.describe(ctx)
	if err != nil {
		return nil, err
	}
	catalog, err := s.db.Catalog(ctx)
	if err != nil {
		return nil, err
	}
	splitter, err := newSplitter(s.options, s.env.Parallelism, catalog, relations, state)
	if err != nil {
		return nil, errors.Join(err, catalog.Close())
	}
	return splitter, nil
}

// Reader starts the session of one lane.
func (s *Source) Reader(ctx context.Context, t plugin.Task) (plugin.Reader, error) {
	relations, err := s.describe(ctx)
	if err != nil {
		return nil, err
	}
	scanner, err := s.db.Scanner(ctx, t.Alloc)
	if err != nil {
		return nil, err
	}
	byID := make(map[plugin.TableID]*Relation, len(relations))
	for _, r := range relations {
		byID[r.Table.ID] = r
	}
	return &reader{scanner: scanner, relations: byID, alloc: t.Alloc}, nil
}
