package column

import (
	"github.com/apache/arrow-go/v18/arrow/bitutil"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// validity is the bitmap of a column's nulls. It exists from the first null on, and its bits are written up to marked
// only: values after that are valid, which the next null or the end of the batch writes down. So an append of a value
// has nothing to do here.
type validity struct {
	bits   block[byte]
	marked int
	nulls  int
}

// null notes that value i, the column's last one, is null.
func (v *validity) null(i int) {
	v.mark(i)
	v.room(i + 1)
	bitutil.ClearBit(v.bits.vals, i)
	v.marked = i + 1
	v.nulls++
}

// mark writes down that the values up to n that are not marked yet are valid.
func (v *validity) mark(n int) {
	if n <= v.marked {
		return
	}
	v.room(n)
	bitutil.SetBitsTo(v.bits.vals, int64(v.marked), int64(n-v.marked), true)
	v.marked = n
}

func (v *validity) room(n int) {
	if missing := int(bitutil.BytesForBits(int64(n))) - len(v.bits.vals); missing > 0 {
		clear(v.bits.extend(missing))
	}
}

// truncate forgets the values from n on.
func (v *validity) truncate(n int) {
	for v.marked > n {
		v.marked--
		if !bitutil.BitIsSet(v.bits.vals, v.marked) {
			v.nulls--
		}
	}
}

// isNull reports whether value i is null.
func (v *validity) isNull(i int) bool {
	return i < v.marked && !bitutil.BitIsSet(v.bits.vals, i)
}

// detach returns the bitmap of n values, nil if none of them is null, and the number of nulls.
func (v *validity) detach(n int) (*memory.Buffer, int) {
	nulls := v.nulls
	if nulls == 0 {
		v.release()
		return nil, 0
	}
	v.mark(n)
	v.bits.vals = v.bits.vals[:bitutil.BytesForBits(int64(n))]
	v.marked, v.nulls = 0, 0
	return v.bits.detach(), nulls
}

func (v *validity) size() int { return len(v.bits.vals) }

func (v *validity) release() {
	v.bits.release()
	v.marked, v.nulls = 0, 0
}
