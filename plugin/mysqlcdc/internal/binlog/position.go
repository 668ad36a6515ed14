package binlog

import (
	"errors"

	"github.com/culvertdata/culvert/plugin/internal/mysql/wire"
)

// Position is a place in a server's log, between two transactions. Its JSON form may be kept.
type Position struct {
	// File and Pos name the place in this server's files. Without a file it is the start of the oldest log.
	File string `json:"file,omitempty"`
	Pos  uint64 `json:"pos,omitempty"`
	// GTIDs are all transactions before the place, on whatever server; nil if they are not known.
	GTIDs *GTIDs `json:"gtids,omitempty"`
}

// String names the file and the position, and the GTIDs if they are known.
func (p Position) String() string { return "" }

// Compare orders two places of one server's files: -1 if p is before o. Only file and position count.
func (p Position) Compare(o Position) int { return 0 }

// Current asks the server where its log ends now.
func Current(c *wire.Conn) (Position, error) { return Position{}, errors.ErrUnsupported }

// Oldest asks the server where the oldest log starts that it still has.
func Oldest(c *wire.Conn) (Position, error) { return Position{}, errors.ErrUnsupported }

// WithGTIDs fills in the GTIDs of a place that MariaDB knows by file and position, such as binlog_snapshot_position.
// MySQL cannot tell: its places are returned as they are.
func WithGTIDs(c *wire.Conn, p Position) (Position, error) { return p, errors.ErrUnsupported }
