package fake

import (
	"fmt"
	"time"

	"github.com/culvertdata/culvert/plugin"
)

const (
	secondsOfDay = 24 * 60 * 60
	drawBits     = 21 // of one random number, for each part of a time of day
)

// days returns every date that the templates allow, as days since 1970-01-01. Without templates those are the first 28
// days of each month of this year.
func days(o *TableOptions, now time.Time) ([]int32, error) {
	years := orRange(o.Years, now.Year(), now.Year())
	months := orRange(o.Months, 1, 12)
	list := orRange(o.Days, 1, 28)
	all := make([]int32, 0, len(years)*len(months)*len(list))
	for _, y := range years {
		for _, m := range months {
			for _, d := range list {
				date := time.Date(y, time.Month(m), d, 0, 0, 0, 0, time.UTC)
				if date.Day() != d {
					return nil, fmt.Errorf("the date templates can make %04d-%02d-%02d, which does not exist", y, m, d)
				}
				all = append(all, int32(date.Unix()/secondsOfDay))
			}
		}
	}
	return all, nil
}

// orRange returns the template, or the numbers from first to last if there is none.
func orRange(template []int, first, last int) []int {
	if len(template) > 0 {
		return template
	}
	for i := first; i <= last; i++ {
		template = append(template, i)
	}
	return template
}

// clock chooses times of day, to the second.
type clock struct {
	hours, minutes, seconds []int
	second                  int64 // a second in the column's unit
}

func newClock(o *TableOptions, t plugin.Type) clock {
	c := clock{
		hours: orRange(o.Hours, 0, 23), minutes: orRange(o.Minutes, 0, 59), seconds: orRange(o.Seconds, 0, 59),
		second: int64(time.Second / time.Microsecond),
	}
	if t.Scale > plugin.DefaultFraction {
		c.second = int64(time.Second)
	}
	return c
}

// draw makes one time of day from one random number.
func (c clock) draw(x uint64) int64 {
	const mask = 1<<drawBits - 1
	h := c.hours[(x&mask)*uint64(len(c.hours))>>drawBits]
	m := c.minutes[(x>>drawBits&mask)*uint64(len(c.minutes))>>drawBits]
	s := c.seconds[(x>>(2*drawBits)&mask)*uint64(len(c.seconds))>>drawBits]
	return int64((h*60+m)*60+s) * c.second
}

func (c clock) times(r *random, dst []int64) {
	for i := range dst {
		dst[i] = c.draw(r.next())
	}
}

// timestamps joins one of the days and a time of day.
func (c clock) timestamps(days []int32) filler[int64] {
	day := secondsOfDay * c.second
	return func(r *random, dst []int64) {
		for i := range dst {
			dst[i] = int64(days[r.below(uint64(len(days)))])*day + c.draw(r.next())
		}
	}
}
