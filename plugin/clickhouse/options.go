package clickhouse

import (
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/clickhouse/internal/client"
	"github.com/culvertdata/culvert/plugin/config"
)

// Access is the options that source and sink have in common.
type Access struct {
	Host     string            `opt:"host" required:"true" help:"Servers with their HTTP ports: h1:8123,h2:8123. The first that answers is used."`
	Database string            `opt:"database" required:"true" help:"Database; in the sink placeholders are allowed."`
	Username string            `opt:"username,user" help:"User name."`
	Password string            `opt:"password" secret:"true" help:"Password."`
	Zone     string            `opt:"server_time_zone" help:"Time zone of DateTime columns whose type names none. Default: that of the server."`
	Config   map[string]string `opt:"clickhouse.config" help:"Settings of the server for all statements. Some are for the connection: ssl, sslmode (strict, none), sslrootcert, sslcert, sslkey, connect_timeout in milliseconds."`
	Compress string            `opt:"compression" default:"none" enum:"none,lz4,zstd" help:"Compression of rows on their way; worth it where the network is slower than about 1 GBit/s (lz4) or 100 MBit/s (zstd)."`
}

// compressions are the values of compression.
var compressions = map[string]client.Compression{"none": client.None, "lz4": client.LZ4, "zstd": client.ZSTD}

// Rules are the demands on several options.
func (Access) Rules() []config.Rule {
	return []config.Rule{config.Together("username", "password")}
}

// CheckOptions reports what the tags cannot say.
func (a Access) CheckOptions() config.Problems {
	var ps config.Problems
	for _, h := range a.hosts() {
		if _, _, err := net.SplitHostPort(h); err != nil {
			ps.Errorf("host", config.Pos{}, "%q is no host with a port, such as localhost:8123", h)
		}
	}
	if _, err := time.LoadLocation(a.Zone); err != nil {
		ps.Errorf("server_time_zone", config.Pos{}, "%q is not a known time zone", a.Zone)
	}
	return ps
}

func (a Access) hosts() []string {
	var hosts []string
	for h := range strings.SplitSeq(a.Host, ",") {
		hosts = append(hosts, strings.TrimSpace(h))
	}
	return hosts
}

// driverSettings are entries of clickhouse.config that SeaTunnel's driver kept for itself; servers don't know them.
var driverSettings = []string{"socket_timeout", "connect_timeout", "connection_timeout", "max_buffer_size", "buffer_size",
	"use_time_zone", "use_server_time_zone", "use_server_time_zone_for_dates", "product_name", "auto_discovery",
	"load_balancing_policy", "failover", "retry", "client_name"}

// clientOptions returns how to reach the servers. The error names an entry of clickhouse.config.
func (a Access) clientOptions(env plugin.Env) (client.Options, error) {
	o := client.Options{
		Hosts: a.hosts(), User: a.Username, Password: a.Password, Dial: env.Dial, Settings: map[string]string{}, Retries: 2,
		Compression: compressions[a.Compress],
	}
	var err error
	if o.TLS, err = tlsConfig(a.Config); err != nil {
		return o, err
	}
	for name, value := range a.Config {
		switch {
		case slices.Contains(tlsSettings, name):
		case name == "connect_timeout" || name == "connection_timeout":
			d, err := time.ParseDuration(value + "ms")
			if err != nil || d <= 0 {
				return o, fmt.Errorf("clickhouse.config: %s = %q is no number of milliseconds", name, value)
			}
			o.Timeout = d
		case slices.Contains(driverSettings, name):
			env.Logger.Debug("an entry of clickhouse.config is for another driver and has no effect", "name", name)
		default:
			o.Settings[name] = value
		}
	}
	return o, nil
}

// SourceOptions are the options of the Clickhouse source.
type SourceOptions struct {
	Access

	SQL       string `opt:"sql" help:"SELECT statement to read."`
	TablePath string `opt:"table_path" help:"Table to read instead of a statement: table, or database.table."`
}

// Rules are the demands on several options.
func (o SourceOptions) Rules() []config.Rule {
	return append(o.Access.Rules(), config.ExactlyOne("sql", "table_path"))
}

// CheckOptions reports what the tags cannot say.
func (o SourceOptions) CheckOptions() config.Problems { return o.Access.CheckOptions() }

// SinkOptions are the options of the Clickhouse sink.
type SinkOptions struct {
	Access

	Table             string `opt:"table" default:"${table_name}" help:"Target table; placeholders allowed."`
	BulkSize          int    `opt:"bulk_size" default:"20000" min:"1" help:"Rows that an insert begins with; it takes more while the server is busy."`
	FlushInterval     int    `opt:"flush_interval_ms" default:"0" min:"0" help:"Milliseconds after which rows are made visible, at most 10000: more make fewer parts. 0: 250 in a streaming job, 10000 in others."`
	PrimaryKey        string `opt:"primary_key" help:"Column that identifies a row, several with commas between; placeholders allowed. With it updates and deletes are applied."`
	SupportUpsert     bool   `opt:"support_upsert" default:"false" help:"Whether +I replaces a row with the same key in tables whose engine does not do it."`
	LightweightDelete bool   `opt:"allow_experimental_lightweight_delete" default:"false" help:"Delete by DELETE FROM instead of ALTER TABLE DELETE, where the server knows it."`
	SplitMode         bool   `opt:"split_mode" default:"false" help:"Send rows of a Distributed table straight to its shards."`
	ShardingKey       string `opt:"sharding_key" help:"Column that decides about the shard; without it shards are taken at random by weight."`
	SchemaMode        string `opt:"schema_save_mode" default:"CREATE_SCHEMA_WHEN_NOT_EXIST" enum:"RECREATE_SCHEMA,CREATE_SCHEMA_WHEN_NOT_EXIST,ERROR_WHEN_SCHEMA_NOT_EXIST,IGNORE" help:"What happens to the target table before the job starts."`
	DataMode          string `opt:"data_save_mode" default:"APPEND_DATA" enum:"DROP_DATA,APPEND_DATA,CUSTOM_PROCESSING,ERROR_WHEN_DATA_EXISTS" help:"What happens to the target's rows before the job starts."`
	CustomSQL         string `opt:"custom_sql" help:"Statement for data_save_mode = CUSTOM_PROCESSING; placeholders allowed."`
}

// longestFlush is the longest flush interval: servers of today give up on an insert of which nothing comes for half a
// minute.
const longestFlush = 10 * time.Second

func (o SinkOptions) flushInterval(m plugin.Mode) time.Duration {
	switch {
	case o.FlushInterval > 0:
		return time.Duration(o.FlushInterval) * time.Millisecond
	case m == plugin.Unbounded:
		return 250 * time.Millisecond
	default:
		return longestFlush
	}
}

// Rules are the demands on several options.
func (o SinkOptions) Rules() []config.Rule {
	return append(o.Access.Rules(), config.RequiredWhen("data_save_mode", "CUSTOM_PROCESSING", "custom_sql"))
}

// CheckOptions reports what the tags cannot say.
func (o SinkOptions) CheckOptions() config.Problems {
	ps := o.Access.CheckOptions()
	if most := int(longestFlush.Milliseconds()); o.FlushInterval > most {
		ps.Errorf("flush_interval_ms", config.Pos{}, "%d is more than %d", o.FlushInterval, most)
	}
	switch {
	case o.ShardingKey != "" && !o.SplitMode:
		ps.Errorf("sharding_key", config.Pos{}, "needs split_mode = true")
	case o.ShardingKey != "" && o.PrimaryKey != "" && o.ShardingKey != o.PrimaryKey:
		ps.Errorf("sharding_key", config.Pos{}, "must be the primary_key, if there is one")
	}
	return ps
}
