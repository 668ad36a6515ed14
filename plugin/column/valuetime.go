package column

import (
	"errors"
	"time"

	"github.com/culvertdata/culvert/plugin"
)

func appendDate(c *Fixed[int32], v any) error {
	var days int32
	var err error
	switch x := v.(type) {
	case time.Time:
		if clockOf(x) != (clock{}) {
			return errors.New("a date has no time of day; cut it off, or declare the column as timestamp")
		}
		days, err = dayOf(x)
	case string:
		days, err = parseDate(view(x))
	case []byte:
		days, err = parseDate(x)
	default:
		return errGo(v)
	}
	if err == nil {
		c.Append(days)
	}
	return err
}

func appendTime(c *Fixed[int64], t plugin.Type, v any) error {
	at, err := toClock(v)
	if err != nil {
		return err
	}
	units, err := instant(t, 0, at)
	if err == nil {
		c.Append(units)
	}
	return err
}

func toClock(v any) (clock, error) {
	switch x := v.(type) {
	case time.Duration:
		if x < 0 || x >= 24*time.Hour {
			return clock{}, errors.New("a time of day is from 0 to less than 24 hours")
		}
		return clock{seconds: int64(x / time.Second), nanos: int64(x % time.Second)}, nil
	case time.Time:
		// Drivers give a time of day as one of these days.
		if year, month, day := x.Date(); year != 0 && year != 1 && year != 1970 || month != 1 || day != 1 {
			return clock{}, errors.New("a time of day has no day; cut it off, or declare the column as timestamp")
		}
		return clockOf(x), nil
	case string:
		return parseTime(view(x))
	case []byte:
		return parseTime(x)
	}
	return clock{}, errGo(v)
}

func appendTimestamp(c *Fixed[int64], t plugin.Type, v any) error {
	var days int32
	var at clock
	var err error
	switch x := v.(type) {
	case time.Time:
		at = clockOf(x)
		days, err = dayOf(x)
	case string:
		days, at, err = parseDateTime(view(x))
	case []byte:
		days, at, err = parseDateTime(x)
	default:
		return errGo(v)
	}
	if err != nil {
		return err
	}
	units, err := instant(t, int64(days), at)
	if err == nil {
		c.Append(units)
	}
	return err
}
