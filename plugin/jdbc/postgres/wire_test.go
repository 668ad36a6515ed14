package postgres

import (
	"bytes"
	"encoding/binary"
	"io"
	"testing"
)

// dribble returns a few bytes at a time, never the same number.
type dribble struct {
	r io.Reader
	n int
}

func (d *dribble) Read(p []byte) (int, error) {
	d.n = d.n*7%8191 + 1
	return d.r.Read(p[:min(len(p), d.n)])
}

// TestWire reads a long COPY whose messages are of all sizes, among them one larger than every buffer, however its
// bytes arrive, and leaves what follows it alone.
func TestWire(t *testing.T) {
	const end = "Z\x00\x00\x00\x05I"
	var all []byte
	var want [][]byte
	add := func(size int) {
		body := bytes.Repeat([]byte{byte(len(want))}, size)
		all = binary.BigEndian.AppendUint32(append(all, 'd'), uint32(size+4))
		all, want = append(all, body...), append(want, body)
	}
	for size := range 1500 {
		add(size)
	}
	add(3 << 20)
	for range 1000 {
		add(5000)
	}
	all = append(all, end...)
	for name, r := range map[string]io.Reader{"at once": bytes.NewReader(all),
		"in pieces": &dribble{r: bytes.NewReader(all)}} {
		w := newWire(r)
		for i, body := range want {
			got, ok, err := w.copyData()
			if err != nil || !ok || !bytes.Equal(got, body) {
				t.Fatalf("%s: message %d: %d bytes, want %d: %t %v", name, i, len(got), len(body), ok, err)
			}
		}
		if _, ok, err := w.copyData(); ok || err != nil {
			t.Errorf("%s: after the end: %t %v", name, ok, err)
		}
		rest, err := io.ReadAll(io.LimitReader(w, int64(len(end))))
		if string(rest) != end || err != nil {
			t.Errorf("%s: %q %v", name, rest, err)
		}
		if len(w.buf) != copyBuffer {
			t.Errorf("%s: the buffer has %d bytes", name, len(w.buf))
		}
	}
}
