package file

import (
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/file/format"
	"github.com/culvertdata/culvert/plugin/file/internal/archive"
	"github.com/culvertdata/culvert/plugin/file/internal/codec"
)

// wholeReader turns an end that comes too early into an error: the file got shorter since it was listed.
type wholeReader struct {
	r    io.Reader
	name string
	left int64
}

// Read implements io.Reader.
func (w *wholeReader) Read(p []byte) (int, error) {
	n, err := w.r.Read(p)
	w.left -= int64(n)
	if err == io.EOF && w.left > 0 {
		return n, &plugin.Error{Code: plugin.CodeData, Row: w.name,
			Err: fmt.Errorf("the file ends %d bytes early: it was cut while the job ran", w.left)}
	}
	return n, err
}

// Close implements io.Closer; the file itself is closed by who opened it.
func (w *wholeReader) Close() error { return nil }

// checkUnchanged compares a split's file with what it was when the files were listed.
func checkUnchanged(st splitState) error {
	info, err := os.Stat(st.Path)
	if err != nil {
		return &plugin.Error{Code: plugin.CodeNotFound, Row: st.Path, Err: err,
			Fix: "files must stay until the job has ended"}
	}
	if info.Size() == st.Size && info.ModTime().UnixNano() == st.Modified {
		return nil
	}
	return &plugin.Error{Code: plugin.CodeData, Row: st.Path,
		Err: fmt.Errorf("the file has changed since the job listed it: it had %d bytes of %s, it has %d bytes of %s",
			st.Size, stamp(time.Unix(0, st.Modified)), info.Size(), stamp(info.ModTime())),
		Fix: "put the old file back, or start the job anew"}
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05.000") }

// opened is a split's file, open for reading.
type opened struct {
	state   splitState
	table   *table
	plain   io.Closer
	archive *archive.Archive
	entry   archive.Entry
}

// open opens the file of a split.
func (t *table) open(st splitState) (*opened, error) {
	if err := checkUnchanged(st); err != nil {
		return nil, err
	}
	o := &opened{state: st, table: t}
	if t.options.Archive == archive.None {
		return o, nil
	}
	suffixes := []string{t.format.Info().Suffix}
	if suffixes[0] == ".csv" {
		suffixes = append(suffixes, ".txt") // SeaTunnel reads no other entries as csv
	}
	var err error
	if o.archive, err = archive.Open(st.Path, t.options.Archive, suffixes...); err != nil {
		return nil, &plugin.Error{Code: plugin.CodeData, Table: t.out.ID, Row: st.Path, Err: err,
			Fix: "check archive_compress_codec"}
	}
	return o, nil
}

// next returns the input of the split's next piece: the file, or the archive's entry at index from or behind it.
// io.EOF says that there is none.
func (o *opened) next(from int) (format.Input, error) {
	switch {
	case o.archive != nil:
		return o.nextEntry(from)
	case from > 0:
		return format.Input{}, io.EOF
	}
	f := found{o.state.Path, o.state.Size, o.state.Modified}
	in, closer, err := o.table.plainInput(f)
	if err != nil {
		return in, err
	}
	o.plain = closer
	name := o.table.codec(f.path)
	if name == codec.None {
		return in, nil
	}
	raw := in.Stream
	in.Size, in.ReaderAt = -1, nil
	in.Stream = func(offset int64) (io.ReadCloser, error) {
		src, err := raw(0)
		if err != nil {
			return nil, err
		}
		return o.unpack(name, src, f.path, offset)
	}
	return in, nil
}

func (o *opened) nextEntry(from int) (format.Input, error) {
	e, err := o.archive.Next(from)
	if err != nil {
		if err == io.EOF {
			return format.Input{}, err
		}
		return format.Input{}, &plugin.Error{Code: plugin.CodeData, Row: o.state.Path, Err: err}
	}
	o.entry = e
	in := format.Input{Name: o.state.Path + "!" + e.Name, Size: -1}
	in.Stream = func(offset int64) (io.ReadCloser, error) {
		return o.unpack(o.table.entryCodec(e.Name), e.Content, in.Name, offset)
	}
	return in, nil
}

// entryCodec tells how an entry of an archive is compressed.
func (t *table) entryCodec(name string) string {
	if t.options.Codec != "" {
		return t.options.Codec
	}
	return codec.ByName(name, t.format.Info().Suffix)
}

// unpack decompresses a stream and skips to an offset of its content.
func (o *opened) unpack(name string, src io.Reader, path string, offset int64) (io.ReadCloser, error) {
	fail := func(err error) error {
		var known *plugin.Error
		if err == nil || err == io.EOF || errors.As(err, &known) {
			return err
		}
		return &plugin.Error{Code: plugin.CodeData, Row: path, Err: fmt.Errorf("as %s: %w", name, err),
			Fix: "check the file and compress_codec, which is told by the file's name if it is not given"}
	}
	content, err := codec.NewReader(name, src)
	if err != nil {
		return nil, fail(err)
	}
	if _, err := io.CopyN(io.Discard, content, offset); err != nil {
		content.Close()
		return nil, fail(err)
	}
	if name == codec.None {
		return content, nil
	}
	return &explained{content, fail}, nil
}

// explained says in each error what was read.
type explained struct {
	io.ReadCloser
	fail func(error) error
}

// Read implements io.Reader.
func (e *explained) Read(p []byte) (int, error) {
	n, err := e.ReadCloser.Read(p)
	return n, e.fail(err)
}

func (o *opened) close() error {
	var errs []error
	if o.plain != nil {
		errs = append(errs, o.plain.Close())
	}
	if o.archive != nil {
		errs = append(errs, o.archive.Close())
	}
	return errors.Join(errs...)
}
