package file

import (
	"bufio"
	"errors"
	"io"
	"io/fs"
	"path/filepath"
	"time"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/file/format"
	"github.com/culvertdata/culvert/plugin/file/internal/codec"
	"github.com/culvertdata/culvert/plugin/file/internal/fsys"
)

// part is a file that rows are being written to.
type part struct {
	dir    string // its partition's
	number int
	staged move
	opened time.Time
	used   uint64
	rows   int64

	format format.Writer
	pack   io.WriteCloser // compression of the whole file
	buffer *bufio.Writer
	file   fsys.File
}

// writeBuffer gathers the small writes of formats and compressors.
const writeBuffer = 32 << 10

func newPart(s *sink, sh *shape, env plugin.Env, file fsys.File) (*part, error) {
	p := &part{file: file, buffer: bufio.NewWriterSize(file, writeBuffer)}
	name := codec.None
	if s.format.Info().Streams {
		name = s.options.Codec
	}
	var err error
	if p.pack, err = codec.NewWriter(name, p.buffer); err != nil {
		return nil, err
	}
	p.format, err = s.format.NewWriter(p.pack, s.options.writeOptions(sh.file, env))
	return p, err
}

func (p *part) write(b plugin.Batch) error {
	p.rows += int64(b.Len())
	return p.format.Write(b)
}

// finish completes the file and makes it durable.
func (p *part) finish() error {
	steps := []func() error{p.format.Finish, p.pack.Close, p.buffer.Flush, p.file.Sync}
	for _, step := range steps {
		if err := step(); err != nil {
			return errors.Join(err, p.file.Close())
		}
	}
	return p.file.Close()
}

// drop closes the file as it is.
func (p *part) drop() error { return p.file.Close() }

var errTaken = errors.New("the name is taken")

// createFile makes a file and the directories above it. A commit that finishes at the same time may remove these
// while they are empty, so it tries again.
func createFile(f fsys.FS, name string) (fsys.File, error) {
	for attempt := 0; ; attempt++ {
		if err := fsys.MkdirAll(f, filepath.Dir(name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		file, err := f.Create(name)
		switch {
		case errors.Is(err, fs.ErrExist):
			return nil, errTaken
		case errors.Is(err, fs.ErrNotExist) && attempt < 10:
			continue
		}
		return file, err
	}
}
