package jdbc

import (
	"context"
	"errors"
	"testing"
	"time"
)

// late is a context whose deadline has passed, and which has not noticed.
type late struct{ context.Context }

func (late) Deadline() (time.Time, bool) { return time.Now().Add(-time.Second), true }

func TestOver(t *testing.T) {
	why := errors.New("why")
	canceled, cancel := context.WithCancelCause(t.Context())
	cancel(why)
	soon, stop := context.WithTimeout(t.Context(), time.Hour)
	defer stop()
	for name, test := range map[string]struct {
		ctx  context.Context
		want error
	}{
		"not over": {soon, nil}, "without an end": {t.Context(), nil}, "canceled": {canceled, why},
		"late": {late{t.Context()}, context.DeadlineExceeded},
	} {
		if got := Over(test.ctx); !errors.Is(got, test.want) {
			t.Errorf("%s: got %v, want %v", name, got, test.want)
		}
	}
}
