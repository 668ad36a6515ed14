package pgoutput

import (
	"errors"
	"slices"
	"strconv"
	"strings"
)

// Snapshot is a server's view of which transactions have ended, as pg_current_snapshot() tells it.
type Snapshot struct {
	// Min: all transactions below have ended. Max: none from it on had.
	Min, Max uint64
	// Running are those in between that had not.
	Running []uint64
}

// ParseSnapshot reads min:max:running,running.
func ParseSnapshot(s string) (Snapshot, error) {
	bad := errors.New(strconv.Quote(s) + " is no snapshot of transactions")
	parts := strings.Split(s, ":")
	if len(parts) != 3 {
		return Snapshot{}, bad
	}
	var n Snapshot
	var err, err2 error
	n.Min, err = strconv.ParseUint(parts[0], 10, 64)
	n.Max, err2 = strconv.ParseUint(parts[1], 10, 64)
	if err != nil || err2 != nil {
		return Snapshot{}, bad
	}
	if parts[2] == "" {
		return n, nil
	}
	for text := range strings.SplitSeq(parts[2], ",") {
		xid, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			return Snapshot{}, bad
		}
		n.Running = append(n.Running, xid)
	}
	slices.Sort(n.Running)
	return n, nil
}

// Sees reports whether the snapshot holds the changes of a committed transaction. The number has lost its epoch in the
// log; it is taken for the one nearest to the snapshot.
func (n Snapshot) Sees(xid uint32) bool {
	full := n.Max + uint64(int64(int32(xid-uint32(n.Max))))
	switch {
	case full < n.Min:
		return true
	case full >= n.Max:
		return false
	}
	_, running := slices.BinarySearch(n.Running, full)
	return !running
}
