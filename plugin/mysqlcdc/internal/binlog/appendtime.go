package binlog

import (
	"math"

	"github.com/culvertdata/culvert/plugin/column"
	"github.com/culvertdata/culvert/plugin/internal/mysql/wire"
)

func (f *field) times(c *column.Fixed[int64]) appendFunc {
	if f.log.Type != wire.TypeTime && f.log.Type != typeTime2 {
		return nil
	}
	size := f.log.size(nil)
	return eachOf(func(b []byte) (int, error) {
		if len(b) < size {
			return 0, errShort
		}
		micros := f.time(b)
		if micros < 0 || micros >= dayMicros {
			return size, errTime
		}
		c.Append(micros)
		return size, nil
	})
}

// days returns the number of days since 1970 of a day; false: it is read as null.
func (z ZeroDates) days(d wire.DateTime) (int64, bool, error) {
	if d.Month == 0 || d.Day == 0 {
		switch {
		case d.Year != 0 || d.Month != 0 || d.Day != 0 || z == ZeroIsError:
			return 0, false, errZeroDate
		case z == ZeroIsNull:
			return 0, false, nil
		}
		d.Year, d.Month, d.Day = 1, 1, 1
	}
	if !inMonth(d) {
		return 0, false, errZeroDate
	}
	return wire.Days(d.Year, d.Month, d.Day), true, nil
}

func (f *field) dates(c *column.Fixed[int32], zero ZeroDates) appendFunc {
	if f.log.Type != wire.TypeDate && f.log.Type != wire.TypeNewDate {
		return nil
	}
	return eachOf(func(b []byte) (int, error) {
		const size = 3
		if len(b) < size {
			return 0, errShort
		}
		days, ok, err := zero.days(dateOf(b))
		switch {
		case err != nil:
			return size, err
		case ok:
			c.Append(int32(days))
		default:
			c.AppendNull()
		}
		return size, nil
	})
}

func (f *field) timestamps(c *column.Fixed[int64], zero ZeroDates) appendFunc {
	size := f.log.size(nil)
	switch f.log.Type {
	case wire.TypeTimestamp, typeTimestamp2:
		return eachOf(func(b []byte) (int, error) {
			if len(b) < size {
				return 0, errShort
			}
			seconds, micros := f.instant(b)
			if seconds != 0 || micros != 0 {
				c.Append(f.zone.local(seconds)*second + micros)
				return size, nil
			}
			return size, appendClock(c, wire.DateTime{}, zero)
		})
	case wire.TypeDateTime:
		return eachOf(func(b []byte) (int, error) {
			if len(b) < size {
				return 0, errShort
			}
			return size, appendClock(c, oldDateTimeOf(b), zero)
		})
	case typeDateTime2:
		return f.dateTimes(c, zero)
	}
	return nil
}

// dateTimes appends datetimes. Rows that follow each other are often of one day, whose start is kept.
func (f *field) dateTimes(c *column.Fixed[int64], zero ZeroDates) appendFunc {
	const clockBits = 17
	size, fraction := f.log.size(nil), f.fraction
	day, midnight := uint64(math.MaxUint64), int64(0)
	return func(data []byte, at []int) error {
		c.Reserve(len(at))
		for i, p := range at {
			if len(data)-p < size {
				return errShort
			}
			b := data[p : p+size]
			at[i] = p + size
			v := uint64(b[0])<<32 | uint64(b[1])<<24 | uint64(b[2])<<16 | uint64(b[3])<<8 | uint64(b[4])
			if v>>clockBits != day {
				days, ok, err := zero.days(dateTimeOf(b, fraction))
				if err != nil {
					return err
				}
				if !ok {
					c.AppendNull()
					continue
				}
				day, midnight = v>>clockBits, days*dayMicros
			}
			seconds := int64(v>>12&31)*3600 + int64(v>>6&63)*60 + int64(v&63)
			c.Put(midnight + seconds*second + microsOf(b[5:]))
		}
		return nil
	}
}

// appendClock appends a day and a time of day in microseconds since 1970.
func appendClock(c *column.Fixed[int64], d wire.DateTime, zero ZeroDates) error {
	days, ok, err := zero.days(d)
	if err != nil {
		return err
	}
	if !ok {
		c.AppendNull()
		return nil
	}
	seconds := int64(d.Hour)*3600 + int64(d.Minute)*60 + int64(d.Second)
	c.Append(days*dayMicros + seconds*second + int64(d.Micro))
	return nil
}
