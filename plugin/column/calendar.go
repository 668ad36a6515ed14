package column

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/culvertdata/culvert/plugin"
)

const secondsOfDay = 24 * 60 * 60

var errDay = errors.New("no such day")

// daysOf returns the days from 1970-01-01 to a day of the Gregorian calendar, which must exist. The years are 1 to
// 9999.
func daysOf(year, month, day int) (int32, error) {
	if year < 1 || month < 1 || month > 12 || day < 1 || day > daysIn(year, month) {
		return 0, errDay
	}
	// Years that begin in March put the leap day last; 400 of them have 146,097 days.
	y, m := year, month-3
	if m < 0 {
		y, m = y-1, m+12
	}
	era, yoe := y/400, y%400
	doy := (153*m+2)/5 + day - 1
	doe := yoe*365 + yoe/4 - yoe/100 + doy
	return int32(era*146097 + doe - 719468), nil
}

func daysIn(year, month int) int {
	switch month {
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	case 4, 6, 9, 11:
		return 30
	default:
		return 31
	}
}

// civil returns the year, month and day of days since 1970-01-01.
func civil(days int64) (year, month, day int) {
	z := days + 719468
	era := floorDiv(z, 146097)
	doe := z - era*146097
	yoe := (doe - doe/1460 + doe/36524 - doe/146096) / 365
	doy := doe - (365*yoe + yoe/4 - yoe/100)
	mp := (5*doy + 2) / 153
	day = int(doy - (153*mp+2)/5 + 1)
	month = int(mp + 3)
	year = int(yoe + era*400)
	if month > 12 {
		month, year = month-12, year+1
	}
	return year, month, day
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// clock is a time of day.
type clock struct {
	seconds int64 // of the day
	nanos   int64 // of the second
}

// perSecond returns how many units of a Time or Timestamp type make a second.
func perSecond(t plugin.Type) int64 {
	if t.Scale > plugin.DefaultFraction {
		return 1e9
	}
	return 1e6
}

// instant returns the units of t from midnight of a day plus seconds and nanoseconds, without loss.
func instant(t plugin.Type, days int64, c clock) (int64, error) {
	per := perSecond(t)
	if c.nanos%(1e9/per) != 0 {
		return 0, fmt.Errorf("a fraction of more than 6 digits; declare the column as %s(9) to keep it", kindWord(t))
	}
	seconds := days*secondsOfDay + c.seconds
	if limit := math.MaxInt64/per - 1; seconds > limit || seconds < -limit {
		return 0, fmt.Errorf("%w: with nanoseconds, only the years 1678 to 2261 can be held", errRange)
	}
	return seconds*per + c.nanos/(1e9/per), nil
}

func kindWord(t plugin.Type) string {
	if t.Kind == plugin.Time {
		return "time"
	}
	return "timestamp"
}

// split takes the units of a Time or Timestamp apart.
func split(t plugin.Type, v int64) (days int64, c clock) {
	if perSecond(t) == 1e6 {
		return splitBy(v, 1e6)
	}
	return splitBy(v, 1e9)
}

// splitBy is small enough to be inlined, so that it divides by a constant.
func splitBy(v, per int64) (days int64, c clock) {
	seconds := floorDiv(v, per)
	c.nanos = (v - seconds*per) * (1e9 / per)
	days = floorDiv(seconds, secondsOfDay)
	c.seconds = seconds - days*secondsOfDay
	return days, c
}

// dayOf returns the calendar day that a time shows in its own zone.
func dayOf(v time.Time) (int32, error) {
	year, month, day := v.Date()
	if year < 1 || year > 9999 {
		return 0, errRange
	}
	return daysOf(year, int(month), day)
}

// clockOf returns the time of day that a time shows in its own zone.
func clockOf(v time.Time) clock {
	h, m, s := v.Clock()
	return clock{seconds: int64(h*3600 + m*60 + s), nanos: int64(v.Nanosecond())}
}
