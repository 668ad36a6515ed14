// Package codec compresses files as a whole: lzo as SeaTunnel does, gzip and zstd beside it.
package codec

import (
	"fmt"
	"io"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/culvertdata/culvert/plugin/file/internal/lzo"
)

// The names, as option compress_codec spells them.
const (
	None = "none"
	LZO  = "lzo"
	Gzip = "gzip"
	Zstd = "zstd"
)

// Names returns the codecs beside none.
func Names() []string { return []string{LZO, Gzip, Zstd} }

// marks are the parts of file names that tell a codec. Written files have the first of each.
var marks = []struct{ codec, suffix string }{
	{LZO, ".lzo"}, {Gzip, ".gz"}, {Zstd, ".zst"}, {Gzip, ".gzip"}, {Zstd, ".zstd"},
}

// Suffix returns what a written file's name has in front of the format's suffix; empty for none.
func Suffix(codec string) string {
	for _, m := range marks {
		if m.codec == codec {
			return m.suffix
		}
	}
	return ""
}

// ByName tells the codec from a file name, with the format's suffix before or behind: a.csv.gz, a.gz.csv.
func ByName(name, format string) string {
	name = strings.TrimSuffix(strings.ToLower(name), format)
	for _, m := range marks {
		if strings.HasSuffix(name, m.suffix) {
			return m.codec
		}
	}
	return None
}

// zstdWindow is how far back the compressor looks, which decides on its memory: a sink may have many files open.
const zstdWindow = 1 << 20

// NewReader decompresses r. Close frees the decoder and leaves r open.
func NewReader(codec string, r io.Reader) (io.ReadCloser, error) {
	switch codec {
	case "", None:
		return io.NopCloser(r), nil
	case LZO:
		return io.NopCloser(lzo.NewReader(r)), nil
	case Gzip:
		return gzip.NewReader(r)
	case Zstd:
		d, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(1<<30))
		if err != nil {
			return nil, err
		}
		return d.IOReadCloser(), nil
	}
	return nil, unknown(codec)
}

// NewWriter compresses what is written into w. Close writes the end and leaves w open. A writer that is given up need
// not be closed: it has no goroutine.
func NewWriter(codec string, w io.Writer) (io.WriteCloser, error) {
	switch codec {
	case "", None:
		return nopCloser{w}, nil
	case LZO:
		return lzo.NewWriter(w), nil
	case Gzip:
		return gzip.NewWriter(w), nil
	case Zstd:
		return zstd.NewWriter(w, zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(zstdWindow))
	}
	return nil, unknown(codec)
}

func unknown(codec string) error {
	return fmt.Errorf("compress_codec %q is none of %s, %s", codec, None, strings.Join(Names(), ", "))
}

type nopCloser struct{ io.Writer }

func (nopCloser) Close() error { return nil }
