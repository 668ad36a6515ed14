package column

import (
	"bytes"
	"encoding/base64"
	"errors"
	"math"
	"unicode"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"github.com/culvertdata/culvert/plugin"
)

// origin says where the text of a scalar comes from, because that decides what it may look like.
type origin uint8

const (
	fromText   origin = iota // a delimited file
	fromString               // a JSON text or a quoted value of a job file
	fromNumber               // a number or boolean without quotes
)

// appendScalar appends one value that is given as text. It allocates nothing unless it fails.
func appendScalar(c Column, t plugin.Type, text []byte, from origin) error {
	if err := scalar(c, t, text, from); err != nil {
		return badText(text, t, err)
	}
	return nil
}

func scalar(c Column, t plugin.Type, text []byte, from origin) error {
	switch c := c.(type) {
	case *Text:
		return textScalar(c, t, text, from)
	case *Fixed[int64]:
		return longScalar(c, t, text, from)
	case *Fixed[int32]:
		if t.Kind == plugin.Date {
			days, err := parseDate(text)
			if err == nil {
				c.Append(days)
			}
			return err
		}
		return intScalar(c, text, from, math.MinInt32, math.MaxInt32)
	case *Fixed[float64]:
		return floatScalar(c, text, 64)
	case *Fixed[decimal128.Num]:
		n, err := parseDecimal(text, t)
		if err == nil {
			c.Append(n)
		}
		return err
	case *Bools:
		if from == fromString {
			text = trimBlank(text)
		}
		v, err := parseBool(text)
		if err == nil {
			c.Append(v)
		}
		return err
	case *Fixed[int8]:
		return intScalar(c, text, from, math.MinInt8, math.MaxInt8)
	case *Fixed[int16]:
		return intScalar(c, text, from, math.MinInt16, math.MaxInt16)
	case *Fixed[float32]:
		return floatScalar(c, text, 32)
	case *Nulls:
		c.AppendNull() // SeaTunnel reads every value of a null column as null
		return nil
	}
	return errors.New("only a nested value fits")
}

func textScalar(c *Text, t plugin.Type, text []byte, from origin) error {
	if t.Kind == plugin.Bytes && from != fromText {
		return base64Scalar(c, text)
	}
	if t.Kind == plugin.String && !utf8.Valid(text) {
		return ErrText
	}
	return c.add(text)
}

// add is Append for values of any size.
func (c *Text) add(v []byte) error {
	if len(v) > math.MaxInt32-len(c.data.vals) {
		return errors.New("2 GiB of text in one batch")
	}
	c.Append(v)
	return nil
}

func base64Scalar(c *Text, text []byte) error {
	from := len(c.data.vals)
	room := c.data.extend(base64.StdEncoding.DecodedLen(len(text)))
	n, err := base64.StdEncoding.Decode(room, text)
	if err != nil {
		c.data.vals = c.data.vals[:from]
		return errors.New("not base64")
	}
	c.data.vals = c.data.vals[:from+n]
	c.end()
	return nil
}

func longScalar(c *Fixed[int64], t plugin.Type, text []byte, from origin) error {
	var days int32
	var at clock
	var err error
	switch t.Kind {
	case plugin.Timestamp:
		days, at, err = parseDateTime(text)
	case plugin.Time:
		at, err = parseTime(text)
	default:
		return intScalar(c, text, from, math.MinInt64, math.MaxInt64)
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

func intScalar[T int8 | int16 | int32 | int64](c *Fixed[T], text []byte, from origin, min, max int64) error {
	v, err := parseInt(text, min, max)
	if err != nil && from != fromText {
		v, err = looseInt(bytes.TrimSpace(text), min, max)
	}
	if err == nil {
		c.Append(T(v))
	}
	return err
}

// looseInt reads whole numbers that are written with a point or an exponent too, such as 1.0 and 1e3.
func looseInt(text []byte, min, max int64) (int64, error) {
	n, err := parseDecimal(text, plugin.DecimalOf(plugin.MaxPrecision, 0))
	switch {
	case errors.Is(err, errNumber):
		return 0, errWhole
	case err != nil:
		return 0, errors.Join(errWhole, err)
	}
	big := n.BigInt()
	if !big.IsInt64() || big.Int64() < min || big.Int64() > max {
		return 0, errRange
	}
	return big.Int64(), nil
}

func floatScalar[T float32 | float64](c *Fixed[T], text []byte, bits int) error {
	v, err := parseFloat(trimBlank(text), bits)
	if err == nil {
		c.Append(T(v))
	}
	return err
}

// parseBool reads true and false in any case. SeaTunnel takes any other text for false; that is followed for the texts
// that mean it, the others are refused.
func parseBool(text []byte) (bool, error) {
	switch {
	case len(text) == 4 && bytes.EqualFold(text, []byte("true")):
		return true, nil
	case len(text) == 5 && bytes.EqualFold(text, []byte("false")):
		return false, nil
	}
	for _, word := range [...]string{"0", "f", "n", "no", "off"} {
		if bytes.EqualFold(text, view(word)) {
			return false, nil
		}
	}
	return false, errors.New("only true is true, and only false, 0, f, n, no and off are false")
}

// blank reports whether s is empty or only white space as Java sees it.
func blank(s []byte) bool { return len(trimBlank(s)) == 0 }

func trimBlank(s []byte) []byte {
	if len(s) > 0 && isPlain(s[0]) && isPlain(s[len(s)-1]) {
		return s
	}
	return bytes.TrimFunc(s, isBlank)
}

// isPlain reports whether b is a visible ASCII character.
func isPlain(b byte) bool { return b > ' ' && b < 0x7f }

// isBlank is Character.isWhitespace of Java.
func isBlank(r rune) bool {
	switch {
	case r <= ' ':
		return r == ' ' || r >= '\t' && r <= '\r' || r >= 0x1c && r <= 0x1f
	case r == 0xa0 || r == 0x2007 || r == 0x202f || r == 0x85:
		return false
	default:
		return r > 0x7f && unicode.IsSpace(r)
	}
}

// appendKey appends a map key that is the name of a JSON member.
func (c *Maps) appendKey(t plugin.Type, name []byte) error {
	if t.Key.Kind == plugin.Null {
		return errNullKey
	}
	return appendScalar(c.key, *t.Key, name, fromString)
}
