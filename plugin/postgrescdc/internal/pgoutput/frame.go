package pgoutput

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// LSN is a position in the server's log.
type LSN uint64

// String returns the server's way of writing it, for example 16/B374D848.
func (l LSN) String() string { return fmt.Sprintf("%X/%X", uint32(l>>32), uint32(l)) }

// ParseLSN reads what String returns.
func ParseLSN(s string) (LSN, error) {
	high, low, ok := strings.Cut(s, "/")
	h, err := strconv.ParseUint(high, 16, 32)
	l, err2 := strconv.ParseUint(low, 16, 32)
	if !ok || err != nil || err2 != nil {
		return 0, fmt.Errorf("%q is no position in a log", s)
	}
	return LSN(h<<32 | l), nil
}

// MarshalText implements encoding.TextMarshaler.
func (l LSN) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (l *LSN) UnmarshalText(text []byte) error {
	v, err := ParseLSN(string(text))
	*l = v
	return err
}

// The kinds of frames.
const (
	Data      = 'w' // a message of the output plugin
	Keepalive = 'k' // nothing but the time
)

// Frame is what one CopyData message of the server holds.
type Frame struct {
	Kind byte
	// Start is where the change is in the log; of Data.
	Start LSN
	// End is how far the server has read its log. When no transaction is under way, it has sent all that was committed
	// before.
	End LSN
	// Reply asks for a status at once; of a Keepalive.
	Reply bool
	// Message is the output plugin's; of Data.
	Message []byte
}

// errForm is a message that does not have the form that its kind has.
var errForm = errors.New("a message of logical replication does not have the form that is known")

const (
	dataHeader    = 1 + 8 + 8 + 8
	keepaliveSize = 1 + 8 + 8 + 1
)

// ParseFrame reads the body of a CopyData message.
func ParseFrame(b []byte) (Frame, error) {
	switch {
	case len(b) >= dataHeader && b[0] == Data:
		return Frame{
			Kind: Data, Start: LSN(binary.BigEndian.Uint64(b[1:])), End: LSN(binary.BigEndian.Uint64(b[9:])),
			Message: b[dataHeader:],
		}, nil
	case len(b) == keepaliveSize && b[0] == Keepalive:
		return Frame{Kind: Keepalive, End: LSN(binary.BigEndian.Uint64(b[1:])), Reply: b[17] != 0}, nil
	}
	return Frame{}, errForm
}

// epochMicros is 2000-01-01, from which the server counts, in Unix microseconds.
const epochMicros = 946684800 * 1000000

// AppendStatus appends a whole CopyData message that tells the server what was received, and what is durable, so that
// it need not be kept.
func AppendStatus(dst []byte, received, durable LSN, now time.Time) []byte {
	const size = 4 + 1 + 8*4 + 1
	dst = append(dst, 'd')
	dst = binary.BigEndian.AppendUint32(dst, size)
	dst = append(dst, 'r')
	dst = binary.BigEndian.AppendUint64(dst, uint64(received))
	dst = binary.BigEndian.AppendUint64(dst, uint64(durable))
	dst = binary.BigEndian.AppendUint64(dst, uint64(durable))
	dst = binary.BigEndian.AppendUint64(dst, uint64(now.UnixMicro()-epochMicros))
	return append(dst, 0)
}
