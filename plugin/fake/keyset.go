package fake

import (
	"hash/maphash"
	"math/bits"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/column"
)

// keySet finds equal keys of one map: a hash table of positions, so that large maps don't take quadratic time.
type keySet struct {
	typ   plugin.Type
	slots []int32 // position + 1 of a key; 0: free
	seed  maphash.Seed
	text  []byte
}

func newKeySet(t plugin.Type, size int) keySet {
	return keySet{typ: t, slots: make([]int32, 1<<bits.Len(uint(2*size))), seed: maphash.MakeSeed()}
}

func (s *keySet) clear() { clear(s.slots) }

// add reports whether key k is not in the set yet, and puts it in.
func (s *keySet) add(keys arrow.Array, k int) bool {
	s.text = column.FormatJava(s.text[:0], keys, s.typ, k)
	mask := uint64(len(s.slots) - 1)
	for at := maphash.Bytes(s.seed, s.text) & mask; ; at = (at + 1) & mask {
		other := s.slots[at]
		if other == 0 {
			s.slots[at] = int32(k) + 1
			return true
		}
		if column.Equal(keys, k, keys, int(other)-1, s.typ) {
			return false
		}
	}
}
