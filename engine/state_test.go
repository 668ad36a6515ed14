package engine

import "testing"

func TestEveryStateLeadsToAnEnd(t *testing.T) {
	for s := Created; s <= Finished; s++ {
		if s.Ended() != (len(next[s]) == 0) {
			t.Errorf("%s: ended = %v, leads to %v", s, s.Ended(), next[s])
		}
		if got, err := ParseState(s.String()); err != nil || got != s {
			t.Errorf("ParseState(%s) = %v, %v", s, got, err)
		}
	}
}

func TestEndStatesAreNeverLeft(t *testing.T) {
	for from := Failed; from <= Finished; from++ {
		for to := Created; to <= Finished; to++ {
			if to.mayFollow(from) {
				t.Errorf("%s may follow %s", to, from)
			}
		}
	}
}

func TestParseStateNamesTheStates(t *testing.T) {
	if _, err := ParseState("CANCELLED"); err == nil {
		t.Error("CANCELLED is not SeaTunnel's spelling")
	}
	if s, err := ParseState("canceled"); err != nil || s != Canceled {
		t.Errorf("ParseState(canceled) = %v, %v", s, err)
	}
}
