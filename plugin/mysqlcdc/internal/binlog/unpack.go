package binlog

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/zlib"
	"github.com/klauspost/compress/zstd"
)

// scratch unpacks MariaDB's compressed events into memory that it uses again.
type scratch struct {
	buf    bytes.Buffer
	source bytes.Reader
	zip    io.ReadCloser
}

// unpack returns the plain form of a compressed event. The text of a query and the rows of a rows event are compressed,
// what comes in front of them is not.
func (s *scratch) unpack(e Event) (Event, error) {
	head, packed, ok := packedParts(e)
	if !ok {
		return e, corrupt("a compressed event of %d bytes", len(e.Body))
	}
	s.buf.Reset()
	s.buf.Write(head)
	if err := s.inflate(packed); err != nil {
		return e, fmt.Errorf("%w: a compressed event: %w", ErrCorrupt, err)
	}
	e.Body = s.buf.Bytes()
	switch {
	case e.Type == queryCompressed:
		e.Type = Query
	case e.Type < writeCompressedV2:
		e.Type = e.Type - writeCompressedV1 + WriteRowsV1
	default:
		e.Type = e.Type - writeCompressedV2 + WriteRowsV2
	}
	return e, nil
}

// packedParts cuts a compressed event where its compressed part begins.
func packedParts(e Event) (head, packed []byte, ok bool) {
	if e.Type == queryCompressed {
		_, _, packed, _, ok = queryParts(e.Body)
		return e.Body[:len(e.Body)-len(packed)], packed, ok
	}
	c := cursor{b: e.Body}
	c.skip(tableNumberSize + 2)
	if e.Type >= writeCompressedV2 {
		c.skip(int(c.u16()) - rowsV2ExtraMinimum)
	}
	bitmap := (c.columns() + 7) / 8
	c.skip(bitmap)
	if e.Type == writeCompressedV1+1 || e.Type == writeCompressedV2+1 {
		c.skip(bitmap)
	}
	return e.Body[:len(e.Body)-len(c.b)], c.b, !c.bad
}

// inflate appends the plain form: a byte with the size of the length, the length with the highest byte first, and the
// data that zlib made.
func (s *scratch) inflate(packed []byte) error {
	const lengthMask, zlibMark = 0x07, 0x80
	if len(packed) == 0 || packed[0]&zlibMark == 0 {
		return errors.New("the compression is not known")
	}
	n := int(packed[0] & lengthMask)
	if n > len(packed)-1 {
		return io.ErrUnexpectedEOF
	}
	length := int64(big(packed[1 : 1+n]))
	s.source.Reset(packed[1+n:])
	if s.zip == nil {
		var err error
		if s.zip, err = zlib.NewReader(&s.source); err != nil {
			return err
		}
	} else if err := s.zip.(zlib.Resetter).Reset(&s.source, nil); err != nil {
		return err
	}
	_, err := io.CopyN(&s.buf, s.zip, length)
	return err
}

// unpackColumn returns the value of a compressed column of MariaDB: a byte that says how it is stored, and for zlib the
// length with the highest byte first.
func unpackColumn(b []byte) ([]byte, error) {
	const methodShift, lengthMask, bare, zlibMethod = 4, 0x07, 0x08, 8
	if len(b) == 0 {
		return nil, nil
	}
	switch b[0] >> methodShift {
	case 0:
		return b[1:], nil
	case zlibMethod:
	default:
		return nil, errors.New("the compression of the column is not known")
	}
	n := int(b[0] & lengthMask)
	if n > len(b)-1 {
		return nil, errShort
	}
	length := int64(big(b[1 : 1+n]))
	var zip io.Reader
	if source := bytes.NewReader(b[1+n:]); b[0]&bare != 0 {
		zip = flate.NewReader(source)
	} else {
		var err error
		if zip, err = zlib.NewReader(source); err != nil {
			return nil, err
		}
	}
	var plain bytes.Buffer
	_, err := io.CopyN(&plain, zip, length)
	return plain.Bytes(), err
}

// packed gives out the events of a transaction that MySQL has packed into one.
type packed struct {
	open   bool
	outer  Event
	zip    *zstd.Decoder
	source bytes.Reader
	in     io.Reader
	head   [headSize]byte
	body   bytes.Buffer
}

// The fields of a transaction payload, and the kinds of compression.
const (
	payloadEnd         = 0
	payloadCompression = 2
	payloadZstd        = 0
	payloadNone        = 255
	// zstdWindow is the most memory that a compressed payload may ask for.
	zstdWindow = 128 << 20
)

// start begins a packed transaction.
func (p *packed) start(e Event) error {
	c := cursor{b: e.Body}
	compression := uint64(payloadNone)
	for {
		kind := c.uint()
		if c.bad || kind == payloadEnd {
			break
		}
		field := cursor{b: c.text()}
		if kind == payloadCompression {
			compression = field.uint()
			c.bad = c.bad || field.bad
		}
	}
	if c.bad {
		return corrupt("a transaction payload of %d bytes", len(e.Body))
	}
	p.outer = e
	p.source.Reset(c.b)
	switch compression {
	case payloadNone:
		p.in = &p.source
	case payloadZstd:
		if err := p.unzip(); err != nil {
			return err
		}
	default:
		return corrupt("a transaction payload with the unknown compression %d", compression)
	}
	p.open = true
	return nil
}

func (p *packed) unzip() error {
	if p.zip == nil {
		var err error
		p.zip, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(zstdWindow),
			zstd.WithDecoderLowmem(true))
		if err != nil {
			return err
		}
	}
	p.in = p.zip
	return p.zip.Reset(&p.source)
}

// next returns the next event of the transaction. When there is none, open turns false. The events take the place in
// the log of the event that they were in.
func (p *packed) next() (Event, error) {
	if _, err := io.ReadFull(p.in, p.head[:]); err != nil {
		p.open = false
		if errors.Is(err, io.EOF) {
			return Event{}, nil
		}
		return Event{}, fmt.Errorf("%w: a transaction payload: %w", ErrCorrupt, err)
	}
	size := int64(binary.LittleEndian.Uint32(p.head[9:]))
	p.body.Reset()
	if _, err := io.CopyN(&p.body, p.in, size-headSize); err != nil || size < headSize {
		p.open = false
		return Event{}, corrupt("an event of %d bytes in a transaction payload: %v", size, err)
	}
	e := headOf(p.head[:])
	e.Body, e.End, e.size = p.body.Bytes(), p.outer.End, p.outer.size
	return e, nil
}
