package engine

import (
	"fmt"
	"slices"
	"strings"
)

// State is where a job is in its life. The names are SeaTunnel's.
type State uint8

// The states. Those from Failed on are end states.
const (
	Created        State = iota // recorded, not started
	Scheduled                   // being started
	Running                     // told to run
	Failing                     // a pipeline has failed for good, the others are being stopped
	DoingSavepoint              // taking its last checkpoint before it stops
	Canceling                   // being stopped without one
	Failed
	SavepointDone
	Canceled
	Finished
)

var stateNames = [...]string{"CREATED", "SCHEDULED", "RUNNING", "FAILING", "DOING_SAVEPOINT", "CANCELING",
	"FAILED", "SAVEPOINT_DONE", "CANCELED", "FINISHED"}

// String returns SeaTunnel's name of the state, for example DOING_SAVEPOINT.
func (s State) String() string {
	if int(s) < len(stateNames) {
		return stateNames[s]
	}
	return fmt.Sprintf("State(%d)", uint8(s))
}

// Ended reports whether the state is never left.
func (s State) Ended() bool { return s >= Failed }

// ParseState reads a state's name, in any case.
func ParseState(name string) (State, error) {
	i := slices.IndexFunc(stateNames[:], func(n string) bool { return strings.EqualFold(n, name) })
	if i < 0 {
		return 0, fmt.Errorf("no job state %q; the states are %s", name, strings.Join(stateNames[:], ", "))
	}
	return State(i), nil
}

// MarshalText writes the name.
func (s State) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads the name.
func (s *State) UnmarshalText(text []byte) error {
	state, err := ParseState(string(text))
	*s = state
	return err
}

// next lists where each state may lead. Every change of a job's state goes through mayFollow, so a status never
// contradicts itself.
var next = map[State][]State{
	Created:        {Scheduled, Canceling, DoingSavepoint, Failed, Canceled},
	Scheduled:      {Running, Canceling, DoingSavepoint, Failing, Failed},
	Running:        {Failing, DoingSavepoint, Canceling, Finished, Failed},
	Failing:        {Failed, Canceling},
	DoingSavepoint: {SavepointDone, Canceling, Failing, Failed, Finished},
	Canceling:      {Canceled, Failed},
}

func (s State) mayFollow(from State) bool { return slices.Contains(next[from], s) }
