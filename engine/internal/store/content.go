package store

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math/rand/v2"

	"github.com/dgraph-io/badger/v4"
)

const (
	// chunkSize is part of the format: a content's chunks are found by its length.
	chunkSize = 64 << 10
	// maxContent is the largest record, config or checkpoint. All its chunks can be removed in one transaction.
	maxContent = 128 << 20
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// content is what the owner of some bytes keeps in its own value: the bytes, or where they are if they are many.
type content struct {
	inline []byte
	// id names the chunks; 0 says that the bytes are inline.
	id     uint64
	length int
	crc    uint32
}

func (c content) size() int { return max(len(c.inline), c.length) }

func (c content) chunks() int { return (c.length + chunkSize - 1) / chunkSize }

// announce is part of the write before chunks are written, and of the one after which nothing refers to them any
// more. Whatever is announced when the store is opened is removed.
func (c content) announce(t *tx) {
	t.set(pendingKey(c.id), binary.AppendUvarint(nil, uint64(c.length)))
}

// settle is part of the write that refers to a staged content.
func (c content) settle(t *tx) {
	if c.id != 0 {
		t.delete(pendingKey(c.id))
	}
}

// drop is part of the write that takes the last reference away. The chunks go after it, since those of several contents
// may be more than a transaction holds.
func (c content) drop(t *tx) {
	if c.id != 0 {
		c.announce(t)
		t.garbage = append(t.garbage, c)
	}
}

// appendTo appends the content's form in its owner, which it ends.
func (c content) appendTo(b []byte) []byte {
	b = binary.AppendUvarint(b, c.id)
	if c.id == 0 {
		return append(b, c.inline...)
	}
	b = binary.AppendUvarint(b, uint64(c.length))
	return binary.BigEndian.AppendUint32(b, c.crc)
}

func parseContent(b []byte) (content, error) {
	id, n := binary.Uvarint(b)
	if n <= 0 {
		return content{}, fmt.Errorf("content of %d bytes is cut short", len(b))
	}
	b = b[n:]
	if id == 0 {
		return content{inline: b}, nil
	}
	length, n := binary.Uvarint(b)
	if n <= 0 || len(b) != n+4 || length > maxContent {
		return content{}, fmt.Errorf("content %x has a damaged reference", id)
	}
	return content{id: id, length: int(length), crc: binary.BigEndian.Uint32(b[n:])}, nil
}

// load returns the bytes.
func (c content) load(txn *badger.Txn) ([]byte, error) {
	if c.id == 0 {
		return c.inline, nil
	}
	b := make([]byte, 0, c.length)
	for i := range c.chunks() {
		chunk, err := get(txn, chunkKey(c.id, i))
		if err != nil {
			return nil, err
		}
		b = append(b, chunk...)
	}
	if len(b) != c.length || crc32.Checksum(b, castagnoli) != c.crc {
		return nil, fmt.Errorf("content %x is damaged: %d of %d bytes, or a wrong checksum", c.id, len(b), c.length)
	}
	return b, nil
}

// stage brings bytes into the store before the write that makes an owner refer to them. Few bytes become part of that
// write; more go into chunks now, announced by a key that the owner's write must remove by calling settle.
func (s *Store) stage(ctx context.Context, b []byte) (content, error) {
	if len(b) <= chunkSize {
		return content{inline: b}, nil
	}
	if len(b) > maxContent {
		return content{}, fmt.Errorf("%d bytes are more than the %d that the store takes in one piece", len(b), maxContent)
	}
	c := content{id: rand.Uint64() | 1, length: len(b), crc: crc32.Checksum(b, castagnoli)}
	err := s.write(func(t *tx) error {
		c.announce(t)
		return nil
	})
	if err != nil {
		return content{}, err
	}
	if err := s.stageChunks(ctx, c, b); err != nil {
		return content{}, errors.Join(fmt.Errorf("writing %d bytes in chunks: %w", len(b), err), s.remove(c))
	}
	return c, nil
}

func (s *Store) stageChunks(ctx context.Context, c content, b []byte) error {
	return s.writeAll(ctx, func(yield func(func(*tx) error) bool) {
		for i := range c.chunks() {
			apply := func(t *tx) error {
				t.set(chunkKey(c.id, i), b[i*chunkSize:min(len(b), (i+1)*chunkSize)])
				return nil
			}
			if !yield(apply) {
				return
			}
		}
	})
}

// sweep removes the chunks that nothing refers to because the process died in between.
func (s *Store) sweep() error {
	var pending []content
	err := s.db.View(func(txn *badger.Txn) error {
		return scan(txn, []byte{pendingFamily}, func(key, value []byte) error {
			length, n := binary.Uvarint(value)
			if len(key) != 9 || n <= 0 || length > maxContent {
				return fmt.Errorf("key %x is damaged", key)
			}
			pending = append(pending, content{id: binary.BigEndian.Uint64(key[1:]), length: int(length)})
			return nil
		})
	})
	if err != nil {
		return err
	}
	for _, c := range pending {
		if err := s.remove(c); err != nil {
			return err
		}
	}
	return nil
}

// remove removes the chunks of a content that nothing refers to.
func (s *Store) remove(c content) error {
	if c.id == 0 {
		return nil
	}
	return s.write(func(t *tx) error {
		for i := range c.chunks() {
			t.delete(chunkKey(c.id, i))
		}
		t.delete(pendingKey(c.id))
		return nil
	})
}
