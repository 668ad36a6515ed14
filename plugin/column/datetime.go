package column

import (
	"bytes"
	"errors"
)

var (
	errDate     = errors.New("not a date such as 2024-12-31, 2024/12/31, 2024.12.31, 20241231 or 2024年12月31日")
	errTime     = errors.New("not a time such as 23:59:59 or 23:59:59.999")
	errDateTime = errors.New("not a date and time such as 2024-12-31 23:59:59, 2024-12-31T23:59:59.999999, " +
		"2024/12/31 23:59:59, 2024.12.31 23:59:59, 20241231235959 or 2024年12月31日 23时59分59秒")
)

// number reads two or four digits at a fixed place; -1 if there are none.
func number(s []byte, from, to int) int {
	v := 0
	for _, c := range s[from:to] {
		if c < '0' || c > '9' {
			return -1
		}
		v = v*10 + int(c-'0')
	}
	return v
}

// parseDate reads the dates that SeaTunnel accepts, told apart by length and separator.
func parseDate(s []byte) (int32, error) {
	switch {
	case len(s) == 10 && s[4] == s[7] && (s[4] == '-' || s[4] == '/' || s[4] == '.'):
		return dateOf(number(s, 0, 4), number(s, 5, 7), number(s, 8, 10))
	case len(s) == 8:
		return dateOf(number(s, 0, 4), number(s, 4, 6), number(s, 6, 8))
	case len(s) == 17 && string(s[4:7]) == "年" && string(s[9:12]) == "月" && string(s[14:]) == "日":
		return dateOf(number(s, 0, 4), number(s, 7, 9), number(s, 12, 14))
	}
	return 0, errDate
}

func dateOf(year, month, day int) (int32, error) {
	if year < 0 || month < 0 || day < 0 {
		return 0, errDate
	}
	return daysOf(year, month, day)
}

// parseTime reads HH:mm, HH:mm:ss or HH:mm:ss with up to nine more digits.
func parseTime(s []byte) (clock, error) {
	if len(s) == 5 && s[2] == ':' {
		return clockFrom(number(s, 0, 2), number(s, 3, 5), 0, 0)
	}
	if len(s) < 8 || s[2] != ':' || s[5] != ':' {
		return clock{}, errTime
	}
	nanos, ok := parseFraction(s[8:])
	if !ok {
		return clock{}, errTime
	}
	return clockFrom(number(s, 0, 2), number(s, 3, 5), number(s, 6, 8), nanos)
}

func clockFrom(hour, minute, second int, nanos int64) (clock, error) {
	if hour < 0 || minute < 0 || second < 0 {
		return clock{}, errTime
	}
	if hour > 23 || minute > 59 || second > 59 {
		return clock{}, errors.New("no such time of day")
	}
	return clock{seconds: int64(hour*3600 + minute*60 + second), nanos: nanos}, nil
}

// parseFraction reads nothing, or a point and one to nine digits.
func parseFraction(s []byte) (nanos int64, ok bool) {
	if len(s) == 0 {
		return 0, true
	}
	if s[0] != '.' || len(s) < 2 || len(s) > 10 {
		return 0, false
	}
	v := number(s, 1, len(s))
	for range 10 - len(s) {
		v *= 10
	}
	return int64(v), v >= 0
}

// parseDateTime reads the dates with times that SeaTunnel accepts, told apart by length and separators.
func parseDateTime(s []byte) (days int32, c clock, err error) {
	switch {
	case len(s) == 14:
		c, err = clockFrom(number(s, 8, 10), number(s, 10, 12), number(s, 12, 14), 0)
		s = s[:8]
	case len(s) == 33 && bytes.HasSuffix(s, []byte("秒")):
		c, err = parseChineseTime(s[17:])
		s = s[:17]
	case len(s) >= 19 && (s[10] == ' ' || s[10] == 'T' && s[4] == '-'):
		c, err = parseTime(s[11:])
		s = s[:10]
	default:
		return 0, clock{}, errDateTime
	}
	if err != nil {
		return 0, clock{}, orDateTime(err)
	}
	days, err = parseDate(s)
	return days, c, orDateTime(err)
}

func parseChineseTime(s []byte) (clock, error) {
	if s[0] != ' ' || string(s[3:6]) != "时" || string(s[8:11]) != "分" {
		return clock{}, errTime
	}
	return clockFrom(number(s, 1, 3), number(s, 6, 8), number(s, 11, 13), 0)
}

// orDateTime names the accepted forms of a date and time instead of those of its parts.
func orDateTime(err error) error {
	if err == errDate || err == errTime {
		return errDateTime
	}
	return err
}
