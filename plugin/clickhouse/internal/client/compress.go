package client

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/url"

	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

// Compression is how rows are compressed: as ClickHouse's own frames, which servers of every age read faster than what
// HTTP knows. Their checksums are neither computed nor looked at: the network has its own.
type Compression uint8

// The compressions.
const (
	None Compression = iota
	LZ4
	ZSTD
)

// A frame is 16 bytes of checksum, a byte that tells the method, and two sizes of 4 bytes: of what is compressed with
// these 9 bytes, and of what it becomes.
const (
	checksumSize = 16
	frameHead    = 9
	methodLZ4    = 0x82
	methodZSTD   = 0x90
	methodNone   = 0x02
	// frameSize is what a frame holds at most when we make it, largestFrame when we read one.
	frameSize    = 1 << 20
	largestFrame = 1 << 30
)

// announce tells the server what is compressed.
func (c Compression) announce(query url.Values, r Request) {
	if c == None {
		return
	}
	if r.inserts() {
		query.Set("decompress", "1")
		query.Set("http_native_compression_disable_checksumming_on_decompress", "1")
	}
	if r.Rows {
		query.Set("compress", "1")
		query.Set("network_compression_method", map[Compression]string{LZ4: "lz4", ZSTD: "zstd"}[c])
	}
}

// pack returns the frames of a body; the body itself if there is no compression.
func (c Compression) pack(body []byte) []byte {
	if c == None {
		return body
	}
	var encoder *zstd.Encoder
	if c == ZSTD {
		// none of these options fails
		encoder, _ = zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1))
		defer func() { _ = encoder.Close() }()
	}
	var lz lz4.Compressor
	out := make([]byte, 0, len(body)/2+frameSize/4)
	for len(body) > 0 {
		part := body[:min(len(body), frameSize)]
		body = body[len(part):]
		at := len(out)
		out = append(out, make([]byte, checksumSize+frameHead)...)
		method := byte(methodLZ4)
		if c == ZSTD {
			method = methodZSTD
			out = encoder.EncodeAll(part, out)
		} else {
			start := len(out)
			out = append(out, make([]byte, lz4.CompressBlockBound(len(part)))...)
			n, _ := lz.CompressBlock(part, out[start:]) // it has all the room it can need
			out = out[:start+n]
		}
		head := out[at+checksumSize:]
		head[0] = method
		binary.LittleEndian.PutUint32(head[1:], uint32(len(head)))
		binary.LittleEndian.PutUint32(head[5:], uint32(len(part)))
	}
	return out
}

var errFrame = errors.New("the answer is not in ClickHouse's frames")

// decompressor reads frames.
type decompressor struct {
	src    io.ReadCloser
	packed []byte
	plain  []byte
	left   []byte // of plain
	zstd   *zstd.Decoder
}

// Read reads what was compressed. It returns io.EOF behind a whole frame only.
func (d *decompressor) Read(p []byte) (int, error) {
	for len(d.left) == 0 {
		if err := d.frame(); err != nil {
			return 0, err
		}
	}
	n := copy(p, d.left)
	d.left = d.left[n:]
	return n, nil
}

// Close closes the source.
func (d *decompressor) Close() error {
	if d.zstd != nil {
		d.zstd.Close()
	}
	return d.src.Close()
}

func (d *decompressor) frame() error {
	var head [checksumSize + frameHead]byte
	if _, err := io.ReadFull(d.src, head[:]); err != nil {
		return err
	}
	method, packed, plain, err := frameSizes(head[checksumSize:])
	if err != nil {
		return err
	}
	d.packed, d.plain = sized(d.packed, packed), sized(d.plain, plain)
	if _, err := io.ReadFull(d.src, d.packed); err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return err
	}
	d.left, err = d.unpack(method)
	return err
}

// frameSizes reads the head of a frame: the method, and the bytes behind the head before and after.
func frameSizes(head []byte) (method byte, packed, plain int, err error) {
	packed = int(binary.LittleEndian.Uint32(head[1:])) - frameHead
	plain = int(binary.LittleEndian.Uint32(head[5:]))
	known := head[0] == methodLZ4 || head[0] == methodZSTD || head[0] == methodNone
	if !known || packed < 0 || packed > largestFrame || plain > largestFrame {
		err = fmt.Errorf("%w: method %#x, %d bytes for %d", errFrame, head[0], packed, plain)
	}
	return head[0], packed, plain, err
}

func sized(b []byte, n int) []byte {
	if cap(b) < n {
		return make([]byte, n)
	}
	return b[:n]
}

// unpack returns what packed was; it has the size of plain.
func (d *decompressor) unpack(method byte) (_ []byte, err error) {
	var n int
	switch method {
	case methodLZ4:
		n, err = lz4.UncompressBlock(d.packed, d.plain)
	case methodZSTD:
		if d.zstd == nil {
			d.zstd, _ = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1)) // no options that fail
		}
		var out []byte
		out, err = d.zstd.DecodeAll(d.packed, d.plain[:0])
		n = copy(d.plain, out)
	default:
		n = copy(d.plain, d.packed)
	}
	if err == nil && n != len(d.plain) {
		err = fmt.Errorf("%d bytes, want %d", n, len(d.plain))
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errFrame, err)
	}
	return d.plain, nil
}

// plainText returns the text of an error, which is in a frame if the server had begun to compress.
func plainText(text []byte) []byte {
	if len(text) < checksumSize+frameHead {
		return text
	}
	method, packed, plain, err := frameSizes(text[checksumSize:])
	rest := text[checksumSize+frameHead:]
	if err != nil || packed > len(rest) || plain > 1<<20 {
		return text
	}
	d := decompressor{packed: rest[:packed], plain: make([]byte, plain)}
	out, err := d.unpack(method)
	if d.zstd != nil {
		d.zstd.Close()
	}
	if err != nil {
		return text
	}
	return out
}
