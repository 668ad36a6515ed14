package pgoutput

import (
	"encoding/binary"
	"math"
	"strconv"
	"strings"
	"time"
)

const (
	daySeconds = 86400
	dayMicros  = daySeconds * 1000000
	// epochDays is 2000-01-01, from which the server counts, in days since 1970-01-01.
	epochDays = 10957
)

// appendTime appends the binary form of a date, a time or a timestamp.
func appendTime(dst []byte, oid uint32, s string) ([]byte, error) {
	switch oid {
	case oidTime, oidTimetz:
		s, _, _ = strings.Cut(s, "+")
		s, _, _ = strings.Cut(s, "-")
		micros, ok := parseClock(s)
		if !ok {
			return dst, errText
		}
		return binary.BigEndian.AppendUint64(dst, uint64(micros)), nil
	case oidDate:
		switch s {
		case "infinity":
			return binary.BigEndian.AppendUint32(dst, math.MaxInt32), nil
		case "-infinity":
			return binary.BigEndian.AppendUint32(dst, 1<<31), nil
		}
		date, before := strings.CutSuffix(s, " BC")
		days, ok := parseDay(date, before)
		if !ok {
			return dst, errText
		}
		return binary.BigEndian.AppendUint32(dst, uint32(int32(days-epochDays))), nil
	}
	switch s {
	case "infinity":
		return binary.BigEndian.AppendUint64(dst, math.MaxInt64), nil
	case "-infinity":
		return binary.BigEndian.AppendUint64(dst, 1<<63), nil
	}
	stamp, before := strings.CutSuffix(s, " BC")
	date, clock, ok := strings.Cut(strings.TrimSuffix(stamp, "+00"), " ")
	days, ok2 := parseDay(date, before)
	micros, ok3 := parseClock(clock)
	if !ok || !ok2 || !ok3 {
		return dst, errText
	}
	return binary.BigEndian.AppendUint64(dst, uint64((days-epochDays)*dayMicros+micros)), nil
}

// parseDay reads a date as days since 1970-01-01. Years may have more than four digits.
func parseDay(s string, before bool) (int64, bool) {
	parts := strings.Split(s, "-")
	if len(parts) != 3 {
		return 0, false
	}
	year, err := strconv.Atoi(parts[0])
	month, err2 := strconv.Atoi(parts[1])
	day, err3 := strconv.Atoi(parts[2])
	if err != nil || err2 != nil || err3 != nil {
		return 0, false
	}
	if before {
		year = 1 - year
	}
	return time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC).Unix() / daySeconds, true
}

// parseClock reads a time of day in microseconds.
func parseClock(s string) (int64, bool) {
	s, fraction, _ := strings.Cut(s, ".")
	parts := strings.Split(s, ":")
	if len(parts) != 3 || len(fraction) > 6 {
		return 0, false
	}
	var total int64
	for _, p := range parts {
		n, err := strconv.ParseUint(p, 10, 8)
		if err != nil {
			return 0, false
		}
		total = total*60 + int64(n)
	}
	total *= 1000000
	if fraction == "" {
		return total, true
	}
	n, err := strconv.ParseUint((fraction + "00000")[:6], 10, 32)
	return total + int64(n), err == nil
}
