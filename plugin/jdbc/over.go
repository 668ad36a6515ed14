package jdbc

import (
	"context"
	"time"
)

// Over returns why the time of a dialect's caller is over, nil if it is not. The network may notice a deadline before
// the context does; what it says then is no failure of the database.
func Over(ctx context.Context) error {
	if end, ok := ctx.Deadline(); ok && !time.Now().Before(end) {
		return context.DeadlineExceeded
	}
	return context.Cause(ctx)
}
