package binlog

import (
	"encoding/binary"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/culvertdata/culvert/plugin/internal/mysql/wire"
)

const (
	second    = 1_000_000 // in microseconds
	dayMicros = 24 * 3600 * second
)

// fractionUnit is what the fraction of a second counts, in microseconds, by its size in bytes.
var fractionUnit = [4]int64{0, 10_000, 100, 1}

// microsOf decodes the fraction of a second that is not negative.
func microsOf(b []byte) int64 {
	switch len(b) {
	case 0:
		return 0
	case 1:
		return int64(b[0]) * 10_000
	case 2:
		return int64(binary.BigEndian.Uint16(b)) * 100
	default:
		return int64(b[0])<<16 | int64(b[1])<<8 | int64(b[2])
	}
}

// dateOf decodes a DATE: 5 bits of the day, 4 of the month, the year.
func dateOf(b []byte) wire.DateTime {
	v := int(b[0]) | int(b[1])<<8 | int(b[2])<<16
	return wire.DateTime{Year: v >> 9, Month: v >> 5 & 15, Day: v & 31}
}

// dateTimeOf decodes a DATETIME of 5 bytes and its fraction.
func dateTimeOf(b []byte, fraction int) wire.DateTime {
	v := int64(b[0])<<32 | int64(b[1])<<24 | int64(b[2])<<16 | int64(b[3])<<8 | int64(b[4])
	v &= 1<<39 - 1 // the first bit is the sign, always set
	months := int(v >> 22)
	return wire.DateTime{
		Year: months / 13, Month: months % 13, Day: int(v >> 17 & 31),
		Hour: int(v >> 12 & 31), Minute: int(v >> 6 & 63), Second: int(v & 63),
		Micro: int(microsOf(b[5 : 5+fraction])),
	}
}

// oldDateTimeOf decodes a DATETIME of MySQL before 5.6: the number yyyymmddhhmmss.
func oldDateTimeOf(b []byte) wire.DateTime {
	v := binary.LittleEndian.Uint64(b)
	date, clock := int(v/1_000_000%100_000_000), int(v%1_000_000)
	return wire.DateTime{
		Year: date / 10_000, Month: date / 100 % 100, Day: date % 100,
		Hour: clock / 10_000, Minute: clock / 100 % 100, Second: clock % 100,
	}
}

// timeOf decodes a TIME of 3 bytes and its fraction, in microseconds. All of it is one number, which may be negative.
func timeOf(b []byte, fraction int) int64 {
	v := int64(big(b[:3+fraction])) - 0x800000<<(8*fraction)
	negative := v < 0
	if negative {
		v = -v
	}
	micros := v & (1<<(8*fraction) - 1) * fractionUnit[fraction]
	v >>= 8 * fraction
	micros += ((v>>12&1023*60+v>>6&63)*60 + v&63) * second
	if negative {
		return -micros
	}
	return micros
}

// oldTimeOf decodes a TIME of MySQL before 5.6: the number hhmmss, which may be negative.
func oldTimeOf(b []byte) int64 {
	v := int64(int32(uint32(b[0])<<8|uint32(b[1])<<16|uint32(b[2])<<24)) >> 8
	sign := int64(1)
	if v < 0 {
		v, sign = -v, -1
	}
	return sign * ((v/10_000*60+v/100%100)*60 + v%100) * second
}

// instantOf decodes a TIMESTAMP of 4 bytes and its fraction: seconds since 1970 and microseconds.
func instantOf(b []byte, fraction int) (seconds, micros int64) {
	return int64(binary.BigEndian.Uint32(b)), microsOf(b[4 : 4+fraction])
}

// inMonth reports whether a day is in its month.
func inMonth(d wire.DateTime) bool {
	return d.Day <= 28 || d.Month <= 12 && d.Day <= time.Date(d.Year, time.Month(d.Month)+1, 0, 0, 0, 0, 0, time.UTC).Day()
}

// zone shows instants as the clock of a time zone. It remembers the last span of time with one offset.
type zone struct {
	loc      *time.Location
	from, to int64 // seconds since 1970
	offset   int64 // seconds
}

// local returns what the zone's clock shows, as if it were UTC.
func (z *zone) local(seconds int64) int64 {
	if seconds < z.from || seconds >= z.to {
		z.find(seconds)
	}
	return seconds + z.offset
}

func (z *zone) find(seconds int64) {
	at := time.Unix(seconds, 0).In(z.loc)
	from, to := at.ZoneBounds()
	z.from, z.to = math.MinInt64, math.MaxInt64
	if !from.IsZero() {
		z.from = from.Unix()
	}
	if !to.IsZero() {
		z.to = to.Unix()
	}
	_, offset := at.Zone()
	z.offset = int64(offset)
}

// Zone returns the time zone of a name as the servers write it: +02:00, UTC, Europe/Berlin.
func Zone(name string) (*time.Location, error) {
	switch strings.ToUpper(name) {
	case "UTC", "GMT", "Z", "ETC/UTC":
		return time.UTC, nil
	}
	if name == "" || name[0] != '+' && name[0] != '-' {
		loc, err := time.LoadLocation(name)
		if err != nil || name == "" {
			return nil, fmt.Errorf("time zone %q is not known; write it as +02:00 or Europe/Berlin", name)
		}
		return loc, nil
	}
	hours, minutes, ok := strings.Cut(name[1:], ":")
	h, err1 := strconv.ParseUint(hours, 10, 8)
	m, err2 := strconv.ParseUint(minutes, 10, 8)
	if !ok || err1 != nil || err2 != nil || h > 14 || m > 59 {
		return nil, fmt.Errorf("time zone %q is not known; write it as +02:00", name)
	}
	offset := int(h*60+m) * 60
	if name[0] == '-' {
		offset = -offset
	}
	return time.FixedZone(name, offset), nil
}

// appendDateTime appends a date or timestamp as wire.AppendDateTime does.
func appendDateTime(dst []byte, d wire.DateTime, dateOnly bool) []byte {
	dst = appendDigits(dst, d.Year, 4)
	dst = appendDigits(append(dst, '-'), d.Month, 2)
	dst = appendDigits(append(dst, '-'), d.Day, 2)
	if dateOnly {
		return dst
	}
	dst = appendDigits(append(dst, ' '), d.Hour, 2)
	dst = appendDigits(append(dst, ':'), d.Minute, 2)
	dst = appendDigits(append(dst, ':'), d.Second, 2)
	return appendDigits(append(dst, '.'), d.Micro, 6)
}

// appendTime appends a time as wire.AppendTime does.
func appendTime(dst []byte, micros int64) []byte {
	if micros < 0 {
		dst, micros = append(dst, '-'), -micros
	}
	seconds := int(micros / second)
	dst = appendDigits(dst, seconds/3600, 2)
	dst = appendDigits(append(dst, ':'), seconds/60%60, 2)
	dst = appendDigits(append(dst, ':'), seconds%60, 2)
	return appendDigits(append(dst, '.'), int(micros%second), 6)
}

// appendDigits appends a number with at least n digits.
func appendDigits(dst []byte, v, n int) []byte {
	var buf [20]byte
	at := len(buf)
	for ; v > 0 || n > 0; n-- {
		at--
		buf[at] = '0' + byte(v%10)
		v /= 10
	}
	return append(dst, buf[at:]...)
}

// clockOf is the opposite of what instants are shown as: the fields of a clock's seconds since 1970.
func clockOf(seconds, micros int64) wire.DateTime {
	at := time.Unix(seconds, 0).UTC()
	return wire.DateTime{
		Year: at.Year(), Month: int(at.Month()), Day: at.Day(), Hour: at.Hour(), Minute: at.Minute(), Second: at.Second(),
		Micro: int(micros),
	}
}
