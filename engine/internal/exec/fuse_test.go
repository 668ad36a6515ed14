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
	kills bool
	kill  context.CancelFunc
}

func newFuse(rng *rand.Rand, calm bool, kill context.CancelFunc) *fuse {
	f := &fuse{left: 1 + rng.IntN(60), kills: rng.IntN(3) > 0, kill: kill}
	if calm {
		f.left = -1
	}
	return f
}

// burn is called wherever something may break.
func (f *fuse) burn(where string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.left--; f.left != 0 {
		return nil
	}
	if f.kills {
		f.kill()
		return nil
	}
	f.left = 40
	return fmt.Errorf("%s: %w", where, errBroken)
}
