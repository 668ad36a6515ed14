// Package split keeps the splits of one source: which wait for a lane, which are being read, and which are read but
// not yet part of a completed checkpoint. What it holds is the source's share of a checkpoint.
//
// Splits are handed out in the order in which they were made; those of a restored checkpoint come first. A position
// enters the queue only with the barrier that it belongs to, so the queue always shows every split as it was at the
// last barrier. A split that ended carries the number of the last barrier its lane had passed: it counts as finished
// in a checkpoint with a higher number, and as half read in one that was under way while it ended.
//
// A Queue belongs to one goroutine, the coordinator's.
package split

import (
	"fmt"
	"slices"

	"github.com/culvertdata/culvert/engine/internal/checkpoint"
	"github.com/culvertdata/culvert/plugin"
)

// Queue is the splits of one source that are handed out and not done. Make one with [New].
type Queue struct {
	byID    map[string]*entry
	made    []*entry // in the order in which they were made
	waiting []*entry // for a lane, first in, first out
	running int
	ended   int
}

// entry is one split. Its State is where to start after a restore from the last barrier.
type entry struct {
	plugin.Split
	started bool
	lane    int // the lane that reads it; none while it waits or is finished

	finished bool
	result   []byte
	after    uint64 // the last barrier before its end
}

// none is the lane of an entry that no lane reads.
const none = -1

// Finished is a split whose last row is part of a completed checkpoint.
type Finished struct {
	Split  plugin.Split
	Result []byte
}

// New returns a queue with the splits of a checkpoint, nil for a fresh start.
func New(restored []checkpoint.Split) *Queue {
	q := &Queue{byID: make(map[string]*entry, len(restored))}
	for _, s := range restored {
		e := &entry{Split: s.Split, started: s.Started, lane: none, finished: s.Finished}
		q.byID[e.ID] = e
		q.made = append(q.made, e)
		if e.finished {
			e.result = s.State
			q.ended++
			continue
		}
		q.waiting = append(q.waiting, e)
	}
	return q
}

// Add appends what a splitter made. Two splits of one ID are a mistake of the connector: the second one would be read
// twice or, after a restore, never.
func (q *Queue) Add(splits ...plugin.Split) error {
	for _, s := range splits {
		if _, ok := q.byID[s.ID]; ok {
			return &plugin.Error{Code: plugin.CodeInternal, Table: s.Table, Split: s.ID,
				Err: fmt.Errorf("the splitter handed out two splits with this ID"),
				Fix: "a splitter must not hand out a split again that its state says was handed out"}
		}
		e := &entry{Split: s, lane: none}
		q.byID[s.ID] = e
		q.made = append(q.made, e)
		q.waiting = append(q.waiting, e)
	}
	return nil
}

// Take gives the next waiting split to a lane; false if none waits.
func (q *Queue) Take(lane int) (plugin.Split, bool) {
	if len(q.waiting) == 0 {
		return plugin.Split{}, false
	}
	e := q.waiting[0]
	q.waiting[0] = nil
	q.waiting = q.waiting[1:]
	e.lane = lane
	q.running++
	return e.Split, true
}

// Return takes back what a lane was reading: it goes to the front, to be read again from the last barrier on.
func (q *Queue) Return(lane int) {
	var back []*entry
	for _, e := range q.made {
		if e.lane == lane {
			e.lane = none
			back = append(back, e)
		}
	}
	q.running -= len(back)
	q.waiting = append(back, q.waiting...)
}

// Progress notes where a split stood at a barrier.
func (q *Queue) Progress(id string, position []byte) {
	if e, ok := q.byID[id]; ok {
		e.State, e.started = position, true
	}
}

// Finish notes that a split was read to its end; after is the last barrier that its lane had passed by then.
func (q *Queue) Finish(id string, result []byte, after uint64) {
	e, ok := q.byID[id]
	if !ok || e.finished {
		return
	}
	e.finished, e.result, e.after, e.lane = true, result, after, none
	q.running--
	q.ended++
}

// Snapshot returns the splits as they were at the barrier of an epoch. Every lane must have reported that barrier,
// and no later one may have been raised.
func (q *Queue) Snapshot(epoch uint64) []checkpoint.Split {
	if len(q.made) == 0 {
		return nil
	}
	splits := make([]checkpoint.Split, len(q.made))
	for i, e := range q.made {
		splits[i] = checkpoint.Split{Split: e.Split, Started: e.started}
		if e.finishedBy(epoch) {
			splits[i].State = e.result
			splits[i].Started, splits[i].Finished = true, true
		}
	}
	return splits
}

// Done removes and returns the splits that the completed checkpoint of an epoch holds as finished, in the order in
// which they were made.
func (q *Queue) Done(epoch uint64) []Finished {
	if q.ended == 0 {
		return nil
	}
	var done []Finished
	q.made = slices.DeleteFunc(q.made, func(e *entry) bool {
		if !e.finishedBy(epoch) {
			return false
		}
		done = append(done, Finished{Split: e.Split, Result: e.result})
		delete(q.byID, e.ID)
		return true
	})
	q.ended -= len(done)
	return done
}

func (e *entry) finishedBy(epoch uint64) bool { return e.finished && e.after < epoch }

// Waiting returns the number of splits that wait for a lane.
func (q *Queue) Waiting() int { return len(q.waiting) }

// Running returns the number of splits that lanes read.
func (q *Queue) Running() int { return q.running }

// Ended returns the number of splits that are read to their end and not done.
func (q *Queue) Ended() int { return q.ended }
