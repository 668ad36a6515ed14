package file

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/file/internal/fsys"
)

// move takes a staged file to its place. Both paths are absolute.
type move struct {
	From string `json:"from"`
	To   string `json:"to"`
}

// token is what a writer has staged for a checkpoint.
type token struct {
	// Transaction is the directory that holds the files; it goes when they are moved.
	Transaction string `json:"transaction"`
	Moves       []move `json:"moves"`
}

func (t token) encode() ([]byte, error) { return json.Marshal(t) }

// directories returns the directories of one side of moves, each once, sorted.
func directories(moves []move, side func(move) string) []string {
	var dirs []string
	for _, m := range moves {
		dirs = append(dirs, filepath.Dir(side(m)))
	}
	slices.Sort(dirs)
	return slices.Compact(dirs)
}

// Commit moves the staged files of an epoch to their places.
func (s *sink) Commit(ctx context.Context, epoch uint64, tokens [][]byte) error {
	for _, text := range tokens {
		if len(text) == 0 {
			continue
		}
		var t token
		if err := json.Unmarshal(text, &t); err != nil {
			return fmt.Errorf("commit of checkpoint %d: its token cannot be read: %w", epoch, err)
		}
		if err := s.commit(ctx, t); err != nil {
			return s.failure(fmt.Sprintf("commit of checkpoint %d", epoch), err)
		}
	}
	return nil
}

func (s *sink) commit(ctx context.Context, t token) error {
	for _, dir := range directories(t.Moves, func(m move) string { return m.To }) {
		if err := fsys.MkdirAll(s.fs, dir); err != nil {
			return err
		}
	}
	for _, m := range t.Moves {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := s.move(ctx, m); err != nil {
			return err
		}
	}
	for _, dir := range directories(t.Moves, func(m move) string { return m.To }) {
		if err := s.fs.SyncDir(dir); err != nil {
			return err
		}
	}
	if err := fsys.RemoveTree(s.fs, t.Transaction); err != nil {
		return err
	}
	s.tidy()
	return nil
}

// move renames one file. It was done before if the file is in its place and no longer staged.
func (s *sink) move(ctx context.Context, m move) error {
	staged, err := s.fs.Stat(m.From)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	placed, placedErr := s.fs.Stat(m.To)
	if placedErr != nil && !errors.Is(placedErr, fs.ErrNotExist) {
		return placedErr
	}
	switch {
	case err != nil && placedErr == nil:
		return nil
	case err != nil:
		return &plugin.Error{Code: plugin.CodeNotFound, Table: s.table, Err: fmt.Errorf(
			"%s was staged for %s and both are gone: its rows are lost", m.From, m.To),
			Fix: "keep others from cleaning tmp_path; run the job again"}
	case placedErr == nil && !os.SameFile(staged, placed):
		return &plugin.Error{Code: plugin.CodeExists, Table: s.table, Err: fmt.Errorf(
			"%s exists and is not the job's own; it is not replaced", m.To), Fix: "move it away; the commit is tried again",
			Retry: true}
	case placedErr == nil:
		return s.fs.Remove(m.From) // a file system that moves by linking stopped between the two
	}
	err = s.fs.Rename(m.From, m.To)
	if fsys.CrossDevice(err) {
		s.env.Logger.Warn("tmp_path is on another file system than path: committing copies each file", "file", m.To)
		return s.copy(ctx, m)
	}
	return err
}

// copy takes a file to another file system: under a hidden name first, so that nobody sees a half of it.
func (s *sink) copy(ctx context.Context, m move) error {
	hidden := filepath.Join(filepath.Dir(m.To), "."+filepath.Base(m.To)+".part")
	if err := s.fs.Remove(hidden); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	from, err := s.fs.Open(m.From)
	if err != nil {
		return err
	}
	defer from.Close()
	to, err := s.fs.Create(hidden)
	if err != nil {
		return err
	}
	_, err = io.Copy(to, &cancelable{ctx, from})
	if err == nil {
		err = to.Sync()
	}
	if err := errors.Join(err, to.Close()); err != nil {
		return err
	}
	if err := s.fs.Rename(hidden, m.To); err != nil {
		return err
	}
	if err := s.fs.SyncDir(filepath.Dir(m.To)); err != nil {
		return err
	}
	return s.fs.Remove(m.From)
}

// cancelable stops reading when its context ends.
type cancelable struct {
	ctx context.Context
	r   io.Reader
}

// Read implements io.Reader.
func (c *cancelable) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}

// Abort removes what lanes have staged for checkpoints after the given one.
func (s *sink) Abort(ctx context.Context, after uint64) error {
	if !s.options.Transactional {
		return nil
	}
	entries, err := s.fs.ReadDir(s.layout.stage)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return s.failure("abort", err)
	}
	for _, e := range entries {
		epoch, ok := s.layout.epochOf(e.Name())
		if !ok || epoch <= after {
			continue
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := fsys.RemoveTree(s.fs, filepath.Join(s.layout.stage, e.Name())); err != nil {
			return s.failure("abort", err)
		}
	}
	s.tidy()
	return nil
}

// tidy removes the sink's and the job's staging directories if they are empty. That they are not, because other lanes
// and sinks write, is the usual case.
func (s *sink) tidy() {
	if s.fs.Remove(s.layout.stage) == nil {
		_ = s.fs.Remove(filepath.Dir(s.layout.stage))
	}
}
