package native

import (
	"encoding/binary"
	"fmt"
	"math"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/culvertdata/culvert/plugin"
)

// The first and last days of Date32 and DateTime64: 1900-01-01 and 2299-12-31, in days since 1970-01-01.
const (
	firstDay = -25567
	lastDay  = 120529
)

func dayText(days int64) string { return time.Unix(days*86400, 0).UTC().Format(time.DateOnly) }

// dates encodes days.
func dates(t Type) encode {
	days := func(a arrow.Array) []arrow.Date32 { return a.(*array.Date32).Date32Values() }
	first, last := int64(0), int64(math.MaxUint16)
	if t.Name == "Date32" {
		first, last = firstDay, lastDay
	}
	return func(dst []byte, a arrow.Array, from, to int) ([]byte, error) {
		for i, v := range days(a)[from:to] {
			if d := int64(v); (d < first || d > last) && !a.IsNull(from+i) {
				return dst, &at{from + i, fmt.Errorf("%s is %w for %s, which holds %s to %s", dayText(d), errRange, t,
					dayText(first), dayText(last))}
			}
			if t.Name == "Date" {
				dst = binary.LittleEndian.AppendUint16(dst, uint16(v))
			} else {
				dst = binary.LittleEndian.AppendUint32(dst, uint32(v))
			}
		}
		return dst, nil
	}
}

// timestamps encodes days with a time of day.
func timestamps(from plugin.Type, t Type, loc *time.Location) (encode, error) {
	z, err := zoneOf(t, loc)
	if err != nil {
		return nil, err
	}
	c := clockCoder{t: t, z: z, units: unitsOf(from.Scale)}
	one := c.seconds
	if t.Name == "DateTime64" {
		c.ticks = pow10(t.Scale)
		one = c.fractions
	}
	return func(dst []byte, a arrow.Array, from, to int) ([]byte, error) {
		for i, v := range a.(*array.Timestamp).TimestampValues()[from:to] {
			if a.IsNull(from + i) {
				v = 0
			}
			var err error
			if dst, err = one(dst, int64(v)); err != nil {
				return dst, &at{from + i, fmt.Errorf("%s: %w", c.text(int64(v)), err)}
			}
		}
		return dst, nil
	}, nil
}

// clockCoder turns clocks into instants.
type clockCoder struct {
	t     Type
	z     *zone
	units int64 // of our timestamps in a second
	ticks int64 // of the target in a second
}

func (c *clockCoder) text(v int64) string {
	second := floorDiv(v, c.units)
	return time.Unix(second, (v-second*c.units)*(1e9/c.units)).UTC().Format("2006-01-02 15:04:05.999999999")
}

// seconds appends a DateTime.
func (c *clockCoder) seconds(dst []byte, v int64) ([]byte, error) {
	local := floorDiv(v, c.units)
	if local*c.units != v {
		return dst, fmt.Errorf("a fraction of a second does not fit into %s", c.t)
	}
	second, err := c.z.instant(local)
	if err == nil && (second < 0 || second > math.MaxUint32) {
		err = fmt.Errorf("%w for %s, which holds 1970 to 2106-02-07 06:28:15 UTC", errRange, c.t)
	}
	return binary.LittleEndian.AppendUint32(dst, uint32(second)), err
}

// fractions appends a DateTime64.
func (c *clockCoder) fractions(dst []byte, v int64) ([]byte, error) {
	local := floorDiv(v, c.units)
	rest := v - local*c.units
	second, err := c.z.instant(local)
	if err != nil {
		return dst, err
	}
	if second < firstDay*86400 || second >= (lastDay+1)*86400 || c.ticks == 1e9 && second > math.MaxInt64/1_000_000_000-1 {
		return dst, fmt.Errorf("%w for %s", errRange, c.t)
	}
	fraction := rest
	if c.ticks >= c.units {
		fraction *= c.ticks / c.units
	} else {
		fraction /= c.units / c.ticks
		if fraction*(c.units/c.ticks) != rest {
			return dst, fmt.Errorf("more than %d fraction digits do not fit into %s", c.t.Scale, c.t)
		}
	}
	return binary.LittleEndian.AppendUint64(dst, uint64(second*c.ticks+fraction)), nil
}
