package postgres

import (
	"errors"
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/jdbc"
)

// TestSettled describes a table again while its columns change, and not for ever.
func TestSettled(t *testing.T) {
	gone := &plugin.Error{Err: fmt.Errorf("describing: %w", &pgconn.PgError{Code: undefinedColumn})}
	other := errors.New("no connection")
	tests := []struct {
		name  string
		fails []error // of the calls, in order; then they succeed
		calls int
		want  error
	}{
		{"at once", nil, 1, nil},
		{"after a change", []error{gone}, 2, nil},
		{"another error", []error{other}, 1, other},
		{"another error after a change", []error{gone, other}, 2, other},
		{"never", []error{gone, gone, gone, gone, gone, gone}, describeTries, gone},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			calls := 0
			relation, err := settled(func() (*jdbc.Relation, error) {
				if calls++; calls <= len(test.fails) {
					return nil, test.fails[calls-1]
				}
				return &jdbc.Relation{}, nil
			})
			if calls != test.calls || !errors.Is(err, test.want) || (relation == nil) != (err != nil) {
				t.Errorf("%d calls, error %v", calls, err)
			}
		})
	}
}
