package binlog

import (
	"cmp"
	"errors"
	"fmt"
	"strconv"

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

// String names the file and the position, and the GTIDs if there are some.
func (p Position) String() string {
	text := "the oldest log"
	if p.File != "" {
		text = fmt.Sprintf("%s:%d", p.File, p.Pos)
	}
	if p.GTIDs != nil && !p.GTIDs.Empty() {
		text += " (" + p.GTIDs.String() + ")"
	}
	return text
}

// Compare orders two places of one server's files: -1 if p is before o. Only file and position count. The numbers at
// the end of the files' names grow, also in their number of digits.
func (p Position) Compare(o Position) int {
	return cmp.Or(cmp.Compare(len(p.File), len(o.File)), cmp.Compare(p.File, o.File), cmp.Compare(p.Pos, o.Pos))
}

// errNoLog says that a server has nothing to read.
var errNoLog = errors.New("the server writes no binary log; start it with log_bin")

// currentTries is how often MariaDB is asked for the GTIDs of the end of its log before it has to look for them.
const currentTries = 5

// Current asks the server where its log ends now.
//
// MariaDB tells the end and its GTIDs by two statements. They belong together if the end is the same before and after;
// under many writes it is not, and then the server reads its log for the GTIDs, which may take it a second.
func Current(c *wire.Conn) (Position, error) {
	p, err := currentEnd(c)
	if err != nil || !c.MariaDB {
		return p, err
	}
	for range currentTries {
		rows, err := c.Rows("SELECT @@gtid_binlog_pos")
		if err != nil {
			return p, explain(err)
		}
		before := p
		if p, err = currentEnd(c); err != nil {
			return p, err
		}
		if p.Compare(before) == 0 {
			p.GTIDs, err = ParseGTIDs(wire.String(rows[0][0]))
			return p, err
		}
	}
	return WithGTIDs(c, p)
}

// currentEnd asks for the end of the log, with the GTIDs if the server is MySQL and has some.
func currentEnd(c *wire.Conn) (Position, error) {
	rows, err := statusRows(c)
	if err != nil {
		return Position{}, explain(err)
	}
	if len(rows) == 0 || len(rows[0]) < 2 {
		return Position{}, errNoLog
	}
	p := Position{File: wire.String(rows[0][0])}
	if p.Pos, err = strconv.ParseUint(wire.String(rows[0][1]), 10, 64); err != nil {
		return Position{}, fmt.Errorf("the end of the binary log: %w", err)
	}
	if !c.MariaDB && len(rows[0]) >= 5 {
		p.GTIDs, err = ParseGTIDs(wire.String(rows[0][4]))
	}
	return p, err
}

// statusRows runs SHOW MASTER STATUS under the name that the server knows.
func statusRows(c *wire.Conn) ([][]any, error) {
	rows, err := c.Rows("SHOW MASTER STATUS")
	var refused *wire.Error
	const syntax = 1064
	if errors.As(err, &refused) && refused.Number == syntax {
		return c.Rows("SHOW BINARY LOG STATUS") // MySQL 8.4
	}
	return rows, err
}

// Files asks the server for the log files that it still has, the oldest first.
func Files(c *wire.Conn) ([]string, error) {
	rows, err := c.Rows("SHOW BINARY LOGS")
	if err != nil {
		return nil, explain(err)
	}
	files := make([]string, len(rows))
	for i, row := range rows {
		files[i] = wire.String(row[0])
	}
	return files, nil
}

// StartOf returns the place of the first event of a log file. Its GTIDs are not known.
func StartOf(file string) Position { return Position{File: file, Pos: firstEvent} }

// Oldest asks the server where the oldest log starts that it still has. Its GTIDs are not known.
func Oldest(c *wire.Conn) (Position, error) {
	files, err := Files(c)
	if err != nil {
		return Position{}, err
	}
	if len(files) == 0 {
		return Position{}, errNoLog
	}
	return StartOf(files[0]), nil
}

// WithGTIDs fills in the GTIDs of a place that MariaDB knows by file and position, such as binlog_snapshot_position.
// MySQL cannot tell: its places are returned as they are.
func WithGTIDs(c *wire.Conn, p Position) (Position, error) {
	if !c.MariaDB {
		return p, nil
	}
	rows, err := c.Rows("SELECT BINLOG_GTID_POS(?, ?)", p.File, int64(p.Pos))
	if err != nil {
		return p, explain(err)
	}
	if len(rows) == 0 || rows[0][0] == nil {
		return p, fmt.Errorf("%w: %s", ErrPosition, p)
	}
	p.GTIDs, err = ParseGTIDs(wire.String(rows[0][0]))
	return p, err
}
