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
	// maxContent is the largest record, config or checkpoint. The removal of all its chunks fits one transaction.
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

// drop removes the chunks.
func (c content) drop(t *tx) {
	for i := range c.chunks() {
		t.delete(chunkKey(c.id, i))
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
		t.set(pendingKey(c.id), binary.AppendUvarint(nil, uint64(c.length)))
		return nil
	})
	if err != nil {
		return content{}, err
	}
	if err := s.stageChunks(ctx, c, b); err != nil {
		return content{}, errors.Join(fmt.Errorf("writing %d bytes in chunks: %w", len(b), err), s.abandon(c))
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

// settle is part of the write that refers to a staged content.
func (c content) settle(t *tx) {
	if c.id != 0 {
		t.delete(pendingKey(c.id))
	}
}

// sweep removes what was staged and never settled because the process died in between.
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
		if err := s.abandon(c); err != nil {
			return err
		}
	}
	return nil
}

// abandon removes a staged content that will not be settled.
func (s *Store) abandon(c content) error {
	if c.id == 0 {
		return nil
	}
	return s.write(func(t *tx) error {
		c.drop(t)
		c.settle(t)
		return nil
	})
}
