package plugin_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/culvertdata/culvert/plugin"
)

func TestSleep(t *testing.T) {
	const d = 5 * time.Millisecond
	begun := time.Now()
	if err := plugin.Sleep(t.Context(), d); err != nil || time.Since(begun) < d {
		t.Errorf("%v after %v", err, time.Since(begun))
	}
	over := errors.New("over")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(over)
	if err := plugin.Sleep(ctx, time.Hour); !errors.Is(err, over) {
		t.Errorf("got %v, want the cause", err)
	}
}
