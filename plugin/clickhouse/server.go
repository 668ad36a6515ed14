package clickhouse

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/clickhouse/internal/client"
	"github.com/culvertdata/culvert/plugin/clickhouse/internal/native"
)

// version is a server's release: year and number.
type version struct{ major, minor int }

func (v version) atLeast(major, minor int) bool {
	return v.major > major || v.major == major && v.minor >= minor
}

// server is a connection with what has to be known about the other side.
type server struct {
	*client.Client
	version version
	zone    *time.Location // of times whose type names none
}

// connect makes a client and asks the server who it is.
func connect(ctx context.Context, o client.Options, zone string) (*server, error) {
	c := client.New(o)
	rows, err := c.Rows(ctx, "SELECT version(), timezone()")
	if err != nil {
		c.Close()
		return nil, err
	}
	s := &server{Client: c}
	if len(rows) != 1 || len(rows[0]) != 2 {
		c.Close()
		return nil, fmt.Errorf("the server does not tell its version: %v", rows)
	}
	parts := strings.SplitN(rows[0][0], ".", 3)
	s.version.major, err = strconv.Atoi(parts[0])
	if err == nil && len(parts) > 1 {
		s.version.minor, err = strconv.Atoi(parts[1])
	}
	if zone == "" {
		zone = rows[0][1]
	}
	if err == nil {
		s.zone, err = time.LoadLocation(zone)
	}
	if err != nil {
		c.Close()
		return nil, &plugin.Error{
			Code: plugin.CodeUnavailable, Err: fmt.Errorf("version %q, time zone %q: %w", rows[0][0], rows[0][1], err),
			Fix: "set server_time_zone",
		}
	}
	return s, nil
}

// described is a column of a table or a query.
type described struct {
	native.Column
	text  string // of the type
	kind  string // DEFAULT, MATERIALIZED, ALIAS, EPHEMERAL, or empty
	value string // the expression behind kind
	err   error  // why the type is not known
}

// describe asks for the columns of a table or of a query in brackets.
func (s *server) describe(ctx context.Context, what string) ([]described, error) {
	rows, err := s.Rows(ctx, "DESCRIBE TABLE "+what)
	if err != nil {
		return nil, err
	}
	var columns []described
	for _, row := range rows {
		if len(row) < 2 {
			continue
		}
		c := described{Column: native.Column{Name: row[0]}, text: row[1]}
		c.Type, c.err = native.ParseType(row[1])
		if len(row) > 3 {
			c.kind, c.value = row[2], row[3]
		}
		columns = append(columns, c)
	}
	return columns, nil
}

// tableName returns the quoted name of a table.
func tableName(id plugin.TableID) string {
	if id.Database == "" {
		return native.Identifier(id.Name)
	}
	return native.Identifier(id.Database) + "." + native.Identifier(id.Name)
}
