package wire

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// feedOf returns a feed and the server's side of its connection, where packets are cut as the test wants.
func feedOf(t *testing.T) (*Feed, net.Conn) {
	t.Helper()
	client, server := net.Pipe()
	t.Cleanup(func() {
		_ = client.Close()
		_ = server.Close()
	})
	c := &Conn{packets: packets{nc: client}}
	return &Feed{c: c, buf: make([]byte, 64), seq: 1}, server
}

// packet puts a head in front of a payload.
func packet(seq byte, payload []byte) []byte {
	n := len(payload)
	return append([]byte{byte(n), byte(n >> 8), byte(n >> 16), seq}, payload...)
}

// TestFeed reads packets of all sizes, the longest ones in several parts.
func TestFeed(t *testing.T) {
	f, server := feedOf(t)
	sizes := []int{1, 2, 59, 60, 61, 1000, 3, feedBuffer * 3, maxPacket - 1, 5, maxPacket, 2*maxPacket + 7, 9}
	sent := make(chan error, 1)
	go func() {
		seq := byte(1)
		for i, n := range sizes {
			payload := append([]byte{headOK}, bytes.Repeat([]byte{byte(i)}, n-1)...)
			for more := true; more; seq++ {
				part := payload[:min(len(payload), maxPacket)]
				if _, err := server.Write(packet(seq, part)); err != nil {
					sent <- err
					return
				}
				payload, more = payload[len(part):], len(part) == maxPacket
			}
		}
		_, err := server.Write(packet(seq, []byte{headEOF, 0, 0, 2, 0}))
		sent <- err
	}()
	for i, n := range sizes {
		got, err := f.Next()
		if err != nil {
			t.Fatal(err)
		}
		if len(got) != n-1 || bytes.Count(got, []byte{byte(i)}) != n-1 {
			t.Errorf("packet %d has %d bytes, want %d", i, len(got), n-1)
		}
	}
	if _, err := f.Next(); err != io.EOF {
		t.Errorf("error %v at the end", err)
	}
	if err := <-sent; err != nil {
		t.Error(err)
	}
	if len(f.buf) > 128<<20 {
		t.Errorf("the buffer has %d bytes", len(f.buf))
	}
}

// TestFeedDeadline gives up in the middle of a packet and goes on.
func TestFeedDeadline(t *testing.T) {
	f, server := feedOf(t)
	all := packet(1, []byte{headOK, 'a', 'b', 'c'})
	for _, cut := range []int{0, 2, 4, 6} {
		part := all[:2]
		all = all[min(2, len(all)):]
		wrote := make(chan error, 1)
		go func() {
			_, err := server.Write(part)
			wrote <- err
		}()
		if cut < 6 {
			if f.Buffered() {
				t.Error("the packet is whole already")
			}
			if err := f.SetDeadline(time.Now().Add(10 * time.Millisecond)); err != nil {
				t.Fatal(err)
			}
			if _, err := f.Next(); !errors.Is(err, os.ErrDeadlineExceeded) || !errors.Is(err, ErrLost) {
				t.Errorf("error %v", err)
			}
			if err := f.SetDeadline(time.Time{}); err != nil {
				t.Fatal(err)
			}
		} else if got, err := f.Next(); err != nil || string(got) != "abc" {
			t.Errorf("%q, %v", got, err)
		}
		if err := <-wrote; err != nil {
			t.Fatal(err)
		}
	}
}

func TestFeedErrors(t *testing.T) {
	refusal := append([]byte{headErr, 0xd4, 4, '#'}, "HY000no"...)
	for name, c := range map[string]struct {
		bytes []byte
		want  func(error) bool
	}{
		"order":   {packet(2, []byte{headOK}), func(err error) bool { return errors.Is(err, ErrLost) }},
		"empty":   {packet(1, nil), func(err error) bool { return errors.Is(err, ErrLost) }},
		"unknown": {packet(1, []byte{7}), func(err error) bool { return errors.Is(err, ErrLost) }},
		"refusal": {packet(1, refusal), func(err error) bool {
			var e *Error
			return errors.As(err, &e) && cmp.Equal(*e, Error{1236, "HY000", "no"})
		}},
		"cut": {packet(1, []byte{headOK, 1})[:5], func(err error) bool { return errors.Is(err, io.ErrUnexpectedEOF) }},
	} {
		t.Run(name, func(t *testing.T) {
			f, server := feedOf(t)
			wrote := make(chan error, 1)
			go func() {
				_, err := server.Write(c.bytes)
				wrote <- errors.Join(err, server.Close())
			}()
			if _, err := f.Next(); !c.want(err) {
				t.Errorf("error %v", err)
			}
			if err := <-wrote; err != nil {
				t.Error(err)
			}
		})
	}
}
