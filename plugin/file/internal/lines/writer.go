package lines

import (
	"io"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/file/format"
	"github.com/culvertdata/culvert/plugin/file/internal/charset"
)

// writeSize is how much is gathered before it is written.
const writeSize = 64 << 10

// Encoder is a line format's way to write rows.
type Encoder interface {
	// Bind sets the batch that rows are taken from.
	Bind(b plugin.Batch) error
	// AppendRow appends row i as a line without its end.
	AppendRow(dst []byte, i int) ([]byte, error)
}

// Writer writes lines; it implements format.Writer. The row delimiter stands between rows, as SeaTunnel writes it: the
// last line is not ended, unless it is empty, since then there would be no line.
type Writer struct {
	dst   io.Writer
	rows  Encoder
	enc   *charset.Encoder
	delim string
	buf   []byte
	conv  []byte
	size  int64
	begun bool // a line was written
	empty bool // and it has no characters
}

// NewWriter starts a file. The header is its first line; empty for none.
func NewWriter(w io.Writer, o format.WriteOptions, rows Encoder, header []byte) (*Writer, error) {
	cs, err := charset.Lookup(o.Encoding)
	if err != nil {
		return nil, err
	}
	lw := &Writer{dst: w, rows: rows, enc: cs.NewEncoder(), delim: o.RowDelimiter, buf: header, begun: len(header) > 0}
	if lw.delim == "" {
		lw.delim = "\n"
	}
	return lw, nil
}

// Write appends rows.
func (w *Writer) Write(b plugin.Batch) (err error) {
	if err := w.rows.Bind(b); err != nil {
		return err
	}
	for i := range b.Len() {
		if w.begun {
			w.buf = append(w.buf, w.delim...)
		}
		start := len(w.buf)
		if w.buf, err = w.rows.AppendRow(w.buf, i); err != nil {
			return err
		}
		w.begun, w.empty = true, len(w.buf) == start
		if len(w.buf) >= writeSize {
			if err := w.flush(); err != nil {
				return err
			}
		}
	}
	return nil
}

// Size is the number of bytes so far, before compression.
func (w *Writer) Size() int64 { return w.size + int64(len(w.buf)) }

// Finish writes what is buffered.
func (w *Writer) Finish() error {
	if w.begun && w.empty {
		w.buf = append(w.buf, w.delim...)
	}
	return w.flush()
}

func (w *Writer) flush() (err error) {
	out := w.buf
	if w.enc != nil {
		if w.conv, err = w.enc.Append(w.conv[:0], w.buf); err != nil {
			return err
		}
		out = w.conv
	}
	w.size += int64(len(out))
	w.buf = w.buf[:0]
	if len(out) == 0 {
		return nil
	}
	_, err = w.dst.Write(out)
	return err
}
