package store

import (
	"encoding/binary"
	"fmt"
	"time"
)

// The families of keys; see the package comment.
const (
	recordFamily  = 'j'
	configFamily  = 'c'
	runningFamily = 'r'
	endedFamily   = 'e'
	indexFamily   = 'k'
	slotFamily    = 's'
	chunkFamily   = 'b'
	logFamily     = 'l'
	pendingFamily = 'p'
	idMarkKey     = "n"
)

func jobKey(family byte, job int64) []byte {
	return binary.BigEndian.AppendUint64([]byte{family}, uint64(job))
}

// jobOf reads the job of a key that ends with it.
func jobOf(key []byte) (int64, error) {
	if len(key) < 9 {
		return 0, fmt.Errorf("key %x is too short to end with a job id", key)
	}
	return int64(binary.BigEndian.Uint64(key[len(key)-8:])), nil
}

func endedKey(end time.Time, job int64) []byte {
	key := binary.BigEndian.AppendUint64([]byte{endedFamily}, sortable(end))
	return binary.BigEndian.AppendUint64(key, uint64(job))
}

// sortable is a number that orders as times do. The zero time comes first.
func sortable(t time.Time) uint64 {
	if t.IsZero() {
		return 0
	}
	return uint64(t.UnixNano()) ^ 1<<63
}

func timeOf(sortable uint64) time.Time {
	if sortable == 0 {
		return time.Time{}
	}
	return time.Unix(0, int64(sortable^1<<63)).UTC()
}

func slotKey(job int64, pipeline uint32, slot uint8) []byte {
	key := binary.BigEndian.AppendUint32(jobKey(slotFamily, job), pipeline)
	return append(key, slot)
}

func chunkKey(content uint64, chunk int) []byte {
	key := binary.BigEndian.AppendUint64([]byte{chunkFamily}, content)
	return binary.BigEndian.AppendUint16(key, uint16(chunk))
}

func pendingKey(content uint64) []byte {
	return binary.BigEndian.AppendUint64([]byte{pendingFamily}, content)
}
