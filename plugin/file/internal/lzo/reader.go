package lzo

import (
	"encoding/binary"
	"fmt"
	"hash/adler32"
	"hash/crc32"
	"io"
	"slices"
)

// Magic begins every lzop file.
const Magic = "\x89LZO\x00\r\n\x1a\n"

// The flags of the container that matter here.
const (
	flagAdlerData   = 0x0001 // Adler-32 of each block's content
	flagAdlerPacked = 0x0002 // Adler-32 of each packed block
	flagExtra       = 0x0040 // an extra field behind the header
	flagCRCData     = 0x0100
	flagCRCPacked   = 0x0200
	flagMultipart   = 0x0400
	flagFilter      = 0x0800
	flagCRCHeader   = 0x1000
)

// maxBlock is the largest block that the tool makes.
const maxBlock = 64 << 20

// levelVersion is the first version of the container with a level and a long time in its header.
const levelVersion = 0x0940

// Reader decompresses an lzop file.
type Reader struct {
	src    io.Reader
	flags  uint32
	packed []byte
	block  []byte
	rest   []byte // of block, not read yet
	err    error
}

// NewReader returns a reader of the container's content. It reads the header on the first Read.
func NewReader(r io.Reader) *Reader { return &Reader{src: r, flags: flagMultipart} }

// Read implements [io.Reader]. A container that is cut off gives io.ErrUnexpectedEOF, damaged content ErrCorrupt.
func (r *Reader) Read(p []byte) (int, error) {
	if r.flags == flagMultipart && r.err == nil {
		r.err = r.header()
	}
	for len(r.rest) == 0 && r.err == nil {
		r.err = r.nextBlock()
	}
	if len(r.rest) == 0 {
		return 0, r.err
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

// header reads the part up to the first block. Its fields: version, library, needed version, method, level, flags,
// filter, mode, time, name, checksum.
func (r *Reader) header() error {
	magic, err := r.take(nil, len(Magic))
	if err != nil {
		return err
	}
	if string(magic) != Magic {
		return fmt.Errorf("%w: this is no lzop file", ErrCorrupt)
	}
	h, err := r.take(nil, 4)
	if err != nil {
		return err
	}
	old := binary.BigEndian.Uint16(h) < levelVersion
	more, at := 2+1+1+4, 6 // needed version, method, level, flags
	if old {
		more, at = 1+4, 4 // method, flags
	}
	if h, err = r.take(h, more); err != nil {
		return err
	}
	method, flags := h[at], binary.BigEndian.Uint32(h[len(h)-4:])
	if method < 1 || method > 3 {
		return fmt.Errorf("%w: compression method %d is not LZO1X", ErrCorrupt, method)
	}
	if flags&flagFilter != 0 {
		return fmt.Errorf("lzo: the file was made with a filter, which is not supported")
	}
	more = 4 + 8 // mode, time
	if old {
		more = 4 + 4
	}
	if h, err = r.take(h, more+1); err != nil {
		return err
	}
	if h, err = r.take(h, int(h[len(h)-1])); err != nil {
		return err
	}
	if err := r.checkHeader(h, flags&flagCRCHeader != 0); err != nil {
		return err
	}
	r.flags = flags &^ flagMultipart
	return r.extra()
}

func (r *Reader) checkHeader(h []byte, crc bool) error {
	sum, err := r.number()
	if err != nil {
		return err
	}
	want := adler32.Checksum(h)
	if crc {
		want = crc32.ChecksumIEEE(h)
	}
	if sum != want {
		return fmt.Errorf("%w: the header's checksum is wrong", ErrCorrupt)
	}
	return nil
}

func (r *Reader) extra() error {
	if r.flags&flagExtra == 0 {
		return nil
	}
	n, err := r.number()
	if err != nil {
		return err
	}
	_, err = io.CopyN(io.Discard, r.src, int64(n)+4)
	return cutOff(err)
}

func (r *Reader) nextBlock() error {
	size, err := r.number()
	if err != nil {
		return err
	}
	if size == 0 {
		return io.EOF
	}
	packed, err := r.number()
	if err != nil {
		return err
	}
	if size > maxBlock || packed > size {
		return fmt.Errorf("%w: a block of %d bytes, %d packed", ErrCorrupt, size, packed)
	}
	data, err := r.sums(flagAdlerData, flagCRCData)
	if err != nil {
		return err
	}
	var pack sums
	if packed < size {
		if pack, err = r.sums(flagAdlerPacked, flagCRCPacked); err != nil {
			return err
		}
	}
	if r.packed, err = r.take(r.packed[:0], int(packed)); err != nil {
		return err
	}
	if err := pack.check(r.packed); err != nil {
		return err
	}
	if packed == size {
		r.block = append(r.block[:0], r.packed...)
	} else if r.block, err = Decompress(r.block[:0], r.packed, int(size)); err != nil {
		return err
	}
	if len(r.block) != int(size) {
		return fmt.Errorf("%w: a block has %d bytes, its header says %d", ErrCorrupt, len(r.block), size)
	}
	r.rest = r.block
	return data.check(r.block)
}

// sums are the checksums of a block that the container has.
type sums struct {
	adler, crc       uint32
	hasAdler, hasCRC bool
}

func (r *Reader) sums(adler, crc uint32) (s sums, err error) {
	if s.hasAdler = r.flags&adler != 0; s.hasAdler {
		if s.adler, err = r.number(); err != nil {
			return s, err
		}
	}
	if s.hasCRC = r.flags&crc != 0; s.hasCRC {
		s.crc, err = r.number()
	}
	return s, err
}

func (s sums) check(b []byte) error {
	if s.hasAdler && adler32.Checksum(b) != s.adler || s.hasCRC && crc32.ChecksumIEEE(b) != s.crc {
		return fmt.Errorf("%w: a block's checksum is wrong", ErrCorrupt)
	}
	return nil
}

func (r *Reader) number() (uint32, error) {
	var b [4]byte
	if _, err := io.ReadFull(r.src, b[:]); err != nil {
		return 0, cutOff(err)
	}
	return binary.BigEndian.Uint32(b[:]), nil
}

// take appends the next n bytes to b.
func (r *Reader) take(b []byte, n int) ([]byte, error) {
	at := len(b)
	b = slices.Grow(b, n)[:at+n]
	_, err := io.ReadFull(r.src, b[at:])
	return b, cutOff(err)
}

// cutOff makes every end an unexpected one: a container says itself where it ends.
func cutOff(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}
