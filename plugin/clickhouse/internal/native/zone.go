package native

import (
	"errors"
	"time"
)

var errGap = errors.New("the clock skips this time in the column's time zone")

// zone turns instants into the clock of a time zone and back. It remembers the stretch of time that it looked up last.
type zone struct {
	loc      *time.Location
	from, to int64 // Unix seconds; the stretch in which offset holds
	offset   int64 // seconds east of UTC
}

func newZone(loc *time.Location) *zone {
	z := &zone{loc: loc}
	z.look(0)
	return z
}

// look finds the stretch that a Unix second is in.
func (z *zone) look(second int64) {
	t := time.Unix(second, 0).In(z.loc)
	_, offset := t.Zone()
	start, end := t.ZoneBounds()
	z.offset, z.from, z.to = int64(offset), -1<<62, 1<<62
	if !start.IsZero() {
		z.from = start.Unix()
	}
	if !end.IsZero() {
		z.to = end.Unix()
	}
}

// local returns what the clock shows at a Unix second, as if it were UTC.
func (z *zone) local(second int64) int64 {
	if second < z.from || second >= z.to {
		z.look(second)
	}
	return second + z.offset
}

// instant is the reverse of local. Of the two seconds that a clock shows twice it returns one.
func (z *zone) instant(local int64) (int64, error) {
	if second := local - z.offset; second >= z.from && second < z.to {
		return second, nil
	}
	t := time.Unix(local, 0).UTC()
	second := time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), 0, z.loc).Unix()
	if z.local(second) != local {
		return 0, errGap
	}
	return second, nil
}
