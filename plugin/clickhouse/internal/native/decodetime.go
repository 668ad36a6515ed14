package native

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/column"
)

var errRange = errors.New("out of range")

// zoneOf returns the zone of a time type: its own, else loc.
func zoneOf(t Type, loc *time.Location) (*zone, error) {
	if t.Zone != "" {
		var err error
		if loc, err = time.LoadLocation(t.Zone); err != nil {
			return nil, fmt.Errorf("the time zone %q is not known here: %w", t.Zone, err)
		}
	}
	return newZone(loc), nil
}

// pow10 returns 10 to the power n, 0 to 18.
func pow10(n int) int64 {
	v := int64(1)
	for range n {
		v *= 10
	}
	return v
}

// unitsOf returns how many units of our timestamps make a second, for a type with so many fraction digits.
func unitsOf(scale int) int64 {
	if scale > plugin.DefaultFraction {
		return 1e9
	}
	return 1e6
}

func newTimes(t Type, loc *time.Location) (decoder, error) {
	z, err := zoneOf(t, loc)
	if err != nil {
		return nil, err
	}
	if t.Name == "DateTime" {
		return convert[uint32, int64]{func(v uint32) int64 { return z.local(int64(v)) * 1e6 }}, nil
	}
	return &ticks{z: z, perSecond: pow10(t.Scale), scale: unitsOf(t.Scale) / pow10(t.Scale)}, nil
}

// ticks reads DateTime64 values.
type ticks struct {
	noPrefix
	z         *zone
	perSecond int64 // ticks in a second
	scale     int64 // our units in a tick
}

func (d *ticks) decode(s *stream, n int, c column.Column, nulls []byte) error {
	dst := c.(*column.Fixed[int64])
	return eachChunk(s, n, 8, func(at int, raw []byte) error {
		for i, v := range valuesOf[int64](raw) {
			if nulls != nil && nulls[at+i] != 0 {
				dst.AppendNull()
				continue
			}
			second := floorDiv(v, d.perSecond)
			local := v + (d.z.local(second)-second)*d.perSecond
			if local > math.MaxInt64/d.scale || local < math.MinInt64/d.scale {
				return valueError{fmt.Errorf("the time of %d ticks is %w", v, errRange)}
			}
			dst.Append(local * d.scale)
		}
		return nil
	})
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}
