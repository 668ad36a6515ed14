package clickhouse

import (
	"context"
	"fmt"
	"net"
	"regexp"
	"strconv"
	"strings"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/clickhouse/internal/native"
)

// shard is the first replica of a shard.
type shard struct {
	host   string
	weight uint64
}

var distributedEngine = regexp.MustCompile(`^Distributed\(([^,]+),([^,]+),([^,)]+)`)

// distributed reads the definition of a Distributed table: its cluster and the table on the shards.
func distributed(full string) (cluster string, id plugin.TableID, ok bool) {
	m := distributedEngine.FindStringSubmatch(full)
	if m == nil {
		return "", id, false
	}
	name := func(s string) string { return strings.Trim(strings.TrimSpace(s), "'`\"") }
	return name(m[1]), plugin.TableID{Database: name(m[2]), Name: name(m[3])}, true
}

func shardsOf(ctx context.Context, s *server, cluster string) ([]shard, error) {
	rows, err := s.Rows(ctx, "SELECT host_address, shard_weight FROM system.clusters WHERE cluster = "+
		native.Quote(cluster)+" AND replica_num = 1 ORDER BY shard_num")
	if err != nil {
		return nil, err
	}
	var shards []shard
	for _, row := range rows {
		weight, err := strconv.ParseUint(row[1], 10, 32)
		if err != nil {
			return nil, fmt.Errorf("the weight %q of a shard: %w", row[1], err)
		}
		if weight > 0 {
			shards = append(shards, shard{host: row[0], weight: weight})
		}
	}
	if len(shards) == 0 {
		return nil, &plugin.Error{
			Code: plugin.CodeNotFound, Err: fmt.Errorf("the cluster %q has no shards", cluster),
			Fix: "check the server's remote_servers",
		}
	}
	return shards, nil
}

// hostPort gives a shard the HTTP port of a configured host.
func hostPort(host, like string) string {
	_, port, err := net.SplitHostPort(like)
	if err != nil {
		return host
	}
	return net.JoinHostPort(host, port)
}
