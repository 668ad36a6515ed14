package debezium

import (
	"math/big"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestTwosComplement(t *testing.T) {
	for text, want := range map[string][]byte{
		"0": {0}, "1": {1}, "127": {0x7f}, "128": {0, 0x80}, "-1": {0xff}, "-128": {0x80}, "-129": {0xff, 0x7f},
		"65536": {1, 0, 0}, "-65536": {0xff, 0, 0},
		"18446744073709551615": {0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
	} {
		v, _ := new(big.Int).SetString(text, 10)
		if d := cmp.Diff(want, TwosComplement(v)); d != "" {
			t.Errorf("%s: %s", text, d)
		}
	}
}

func TestDecimalText(t *testing.T) {
	for _, tt := range []struct {
		unscaled int64
		scale    int
		want     string
	}{{0, 0, "0"}, {5, 2, "0.05"}, {-5, 2, "-0.05"}, {12345, 2, "123.45"}, {-100, 2, "-1.00"}, {7, 0, "7"}} {
		if got := DecimalText(big.NewInt(tt.unscaled), tt.scale); got != tt.want {
			t.Errorf("%d with scale %d is %s, want %s", tt.unscaled, tt.scale, got, tt.want)
		}
	}
}
