package debezium

import (
	"encoding/base64"
	"math"
	"math/big"
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/culvertdata/culvert/plugin/column"
)

// AppendPlain appends a value in the form that is common to all connectors: numbers, booleans, texts, and bytes in
// base64. Days, times of day and timestamps are numbers as they are held. Null is null.
func AppendPlain(dst []byte, a arrow.Array, i int) []byte {
	if a.IsNull(i) {
		return append(dst, "null"...)
	}
	switch a := a.(type) {
	case *array.Boolean:
		return strconv.AppendBool(dst, a.Value(i))
	case *array.Int8:
		return strconv.AppendInt(dst, int64(a.Value(i)), 10)
	case *array.Int16:
		return strconv.AppendInt(dst, int64(a.Value(i)), 10)
	case *array.Int32:
		return strconv.AppendInt(dst, int64(a.Value(i)), 10)
	case *array.Int64:
		return strconv.AppendInt(dst, a.Value(i), 10)
	case *array.Float32:
		return AppendFloat(dst, float64(a.Value(i)), 32)
	case *array.Float64:
		return AppendFloat(dst, a.Value(i), 64)
	case *array.Date32:
		return strconv.AppendInt(dst, int64(a.Value(i)), 10)
	case *array.Time64:
		return strconv.AppendInt(dst, int64(a.Value(i)), 10)
	case *array.Timestamp:
		return strconv.AppendInt(dst, int64(a.Value(i)), 10)
	case *array.String:
		return column.AppendQuoted(dst, a.Value(i))
	case *array.Binary:
		return AppendBase64(dst, a.Value(i))
	default:
		return column.AppendQuoted(dst, a.ValueStr(i))
	}
}

// AppendDecimal appends a decimal as decimal.handling.mode says: string, double, or precise, which is the unscaled
// number's bytes.
func AppendDecimal(dst []byte, mode string, unscaled *big.Int, scale int) []byte {
	switch strings.ToLower(mode) {
	case "string":
		return column.AppendQuoted(dst, DecimalText(unscaled, scale))
	case "double":
		v, _ := strconv.ParseFloat(DecimalText(unscaled, scale), 64)
		return AppendFloat(dst, v, 64)
	default:
		return AppendBase64(dst, TwosComplement(unscaled))
	}
}

// DecimalText writes a decimal with its point.
func DecimalText(unscaled *big.Int, scale int) string {
	text := new(big.Int).Abs(unscaled).String()
	if scale > 0 {
		if missing := scale + 1 - len(text); missing > 0 {
			text = strings.Repeat("0", missing) + text
		}
		text = text[:len(text)-scale] + "." + text[len(text)-scale:]
	}
	if unscaled.Sign() < 0 {
		text = "-" + text
	}
	return text
}

// TwosComplement returns a number's bytes as Java's BigInteger has them: as few as hold it and its sign.
func TwosComplement(v *big.Int) []byte {
	if v.Sign() >= 0 {
		b := v.Bytes()
		if len(b) == 0 || b[0]&0x80 != 0 {
			b = append([]byte{0}, b...)
		}
		return b
	}
	size := uint(new(big.Int).Not(v).BitLen()/8 + 1)
	return new(big.Int).Add(v, new(big.Int).Lsh(big.NewInt(1), size*8)).Bytes()
}

// AppendFloat appends a number of 32 or 64 bits; JSON has no form for those that are none.
func AppendFloat(dst []byte, v float64, bits int) []byte {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return append(dst, "null"...)
	}
	return strconv.AppendFloat(dst, v, 'g', -1, bits)
}

// AppendBase64 appends bytes as a text.
func AppendBase64(dst, v []byte) []byte {
	dst = append(dst, '"')
	dst = base64.StdEncoding.AppendEncode(dst, v)
	return append(dst, '"')
}
