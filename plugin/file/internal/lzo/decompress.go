package lzo

import "fmt"

// Decompress appends the content of an LZO1X block to dst. The content may not be longer than size bytes.
func Decompress(dst, src []byte, size int) ([]byte, error) {
	d := decoder{src: src, dst: dst, base: len(dst), limit: len(dst) + size}
	if err := d.run(); err != nil {
		return nil, err
	}
	return d.dst, nil
}

// The states between two instructions: how many literals the last one has put out decides what a small byte means.
const (
	afterMatch = 0 // a match without literals, or the start
	afterRun   = 4 // a run of four or more literals
)

type decoder struct {
	src   []byte
	dst   []byte
	pos   int
	base  int // the block's first byte in dst
	limit int
}

func (d *decoder) run() error {
	state := afterMatch
	if len(d.src) > 0 && d.src[0] > endMark {
		n := int(d.src[0]) - endMark
		d.pos = 1
		if err := d.literals(n); err != nil {
			return err
		}
		state = min(n, afterRun)
	}
	for {
		t, err := d.next()
		if err != nil {
			return err
		}
		if t < 16 && state == afterMatch {
			n, err := d.length(int(t), 15)
			if err != nil {
				return err
			}
			if err := d.literals(n + 3); err != nil {
				return err
			}
			state = afterRun
			continue
		}
		dist, n, follow, err := d.match(int(t), state)
		if err != nil {
			return err
		}
		if dist == 0 {
			return d.end()
		}
		if err := d.repeat(dist, n); err != nil {
			return err
		}
		if err := d.literals(follow); err != nil {
			return err
		}
		state = follow
	}
}

// match reads the rest of a match that begins with byte t. Distance 0 is the end mark.
func (d *decoder) match(t, state int) (dist, n, follow int, err error) {
	switch {
	case t >= 64:
		b, err := d.next()
		return 1 + t>>2&7 + int(b)<<3, t>>5 + 1, t & 3, err
	case t >= 32:
		if n, err = d.length(t&31, 31); err != nil {
			return 0, 0, 0, err
		}
		v, err := d.pair()
		return 1 + v>>2, n + 2, v & 3, err
	case t >= 16:
		if n, err = d.length(t&7, 7); err != nil {
			return 0, 0, 0, err
		}
		v, err := d.pair()
		dist = t&8<<11 + v>>2
		if dist == 0 {
			return 0, 0, 0, err
		}
		return dist + midDistance, n + 2, v & 3, err
	}
	b, err := d.next()
	if state == afterRun {
		return 1 + nearDistance + t>>2 + int(b)<<2, 3, t & 3, err
	}
	return 1 + t>>2 + int(b)<<2, 2, t & 3, err
}

// length completes a length: 0 means that it is full and goes on in further bytes.
func (d *decoder) length(n, full int) (int, error) {
	if n != 0 {
		return n, nil
	}
	n = full
	for {
		b, err := d.next()
		if err != nil {
			return 0, err
		}
		if b != 0 {
			return n + int(b), nil
		}
		if n += 255; n > d.limit {
			return 0, fmt.Errorf("%w: a length beyond the block's size", ErrCorrupt)
		}
	}
}

func (d *decoder) next() (byte, error) {
	if d.pos >= len(d.src) {
		return 0, fmt.Errorf("%w: the block is cut off", ErrCorrupt)
	}
	d.pos++
	return d.src[d.pos-1], nil
}

func (d *decoder) pair() (int, error) {
	if d.pos+2 > len(d.src) {
		return 0, fmt.Errorf("%w: the block is cut off", ErrCorrupt)
	}
	d.pos += 2
	return int(d.src[d.pos-2]) | int(d.src[d.pos-1])<<8, nil
}

func (d *decoder) literals(n int) error {
	if d.pos+n > len(d.src) {
		return fmt.Errorf("%w: the block is cut off", ErrCorrupt)
	}
	if len(d.dst)+n > d.limit {
		return fmt.Errorf("%w: the block is longer than its header says", ErrCorrupt)
	}
	d.dst = append(d.dst, d.src[d.pos:d.pos+n]...)
	d.pos += n
	return nil
}

// repeat appends n bytes that begin dist bytes back; they may overlap with what is appended.
func (d *decoder) repeat(dist, n int) error {
	from := len(d.dst) - dist
	if from < d.base {
		return fmt.Errorf("%w: a match points before the block", ErrCorrupt)
	}
	if len(d.dst)+n > d.limit {
		return fmt.Errorf("%w: the block is longer than its header says", ErrCorrupt)
	}
	for n > 0 {
		k := min(n, len(d.dst)-from)
		d.dst = append(d.dst, d.dst[from:from+k]...)
		n -= k
	}
	return nil
}

func (d *decoder) end() error {
	if d.pos != len(d.src) {
		return fmt.Errorf("%w: %d bytes follow the end mark", ErrCorrupt, len(d.src)-d.pos)
	}
	return nil
}
