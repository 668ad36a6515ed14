package clickhouse

import "testing"

func TestBodies(t *testing.T) {
	const mib = 1 << 20
	var b bodies
	if body := b.take(0); len(body) != 0 || cap(body) != leastBody {
		t.Errorf("the first has %d of %d bytes", len(body), cap(body))
	}
	b.put(make([]byte, 10, 2*mib))
	b.put(make([]byte, 10, leastBody))
	tests := []struct{ size, want int }{
		{0, leastBody},     // the small one
		{100, leastBody},   // a new one: the large one is too large
		{3 * mib, 3 * mib}, // a new one: the large one is too small
		{mib, 2 * mib},     // the large one
		{mib, mib},         // a new one: none is left
	}
	for _, test := range tests {
		if body := b.take(test.size); len(body) != 0 || cap(body) != test.want {
			t.Errorf("%d bytes: it has %d of %d", test.size, len(body), cap(body))
		}
	}
	for range 5 {
		b.put(make([]byte, 0, mostFree/3))
	}
	if len(b.free) != 3 {
		t.Errorf("%d are kept", len(b.free))
	}
	b.put(make([]byte, 0, 2*mostFree))
	if len(b.free) != 0 {
		t.Errorf("%d are kept beside one that is too large", len(b.free))
	}
}
