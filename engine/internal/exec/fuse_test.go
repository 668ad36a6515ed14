package exec

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
)

// fuse breaks something after a random number of calls: it kills the run, or lets the call fail.
type fuse struct {
	mu    sync.Mutex
	left  int
	only  string // the place that counts; empty for all
	kills bool   // the run's context ends
	dies  bool   // and nothing that the run does after that has an effect
	dead  bool
	kill  context.CancelFunc
}

func newFuse(rng *rand.Rand, calm bool, kill context.CancelFunc) *fuse {
	f := &fuse{left: 1 + rng.IntN(60), kills: rng.IntN(3) > 0, dies: rng.IntN(2) > 0, kill: kill}
	if rng.IntN(2) > 0 {
		places := []string{"prepare", "complete", "read", "write", "flush", "commit"}
		f.only, f.left = places[rng.IntN(len(places))], 1+rng.IntN(4)
	}
	if calm {
		f.left = -1
	}
	return f
}

// burn is called wherever something may break.
func (f *fuse) burn(where string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.dead {
		return fmt.Errorf("%s: killed", where)
	}
	if f.only != "" && f.only != where {
		return nil
	}
	if f.left--; f.left != 0 {
		return nil
	}
	if f.kills {
		f.kill()
		if f.dead = f.dies; f.dead {
			return fmt.Errorf("%s: killed", where)
		}
		return nil
	}
	f.left = 40
	return fmt.Errorf("%s: %w", where, errBroken)
}
