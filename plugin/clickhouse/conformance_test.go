package clickhouse_test

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/config"
	"github.com/culvertdata/culvert/plugin/plugintest"
)

func TestSourceConformance(t *testing.T) {
	d := newDB(t)
	d.exec("CREATE TABLE @.a (id Int64, s Nullable(String)) ENGINE = MergeTree ORDER BY id",
		"INSERT INTO @.a SELECT number, if(number % 7 = 0, NULL, toString(number)) FROM numbers(250)")
	secret := func(pairs ...any) config.Value { return d.options(append([]any{"password", "geheim"}, pairs...)...) }
	broken := []config.Value{
		secret("sql", "SELECT 1", "host", "127.0.0.1:1"),
		d.options("sql", "SELECT * FROM nothing"),
		d.options("sql", "SELECT nothing FROM a"),
		d.options("sql", "SELECT throwIf(id = 200) FROM a", "clickhouse.config", plugintest.Options("max_block_size", "20")),
		d.options("sql", "SELECT toDate(0)", "clickhouse.config", plugintest.Options("no_such_setting", "20")),
	}
	if os.Getenv(newServer) == "" { // the engine of today as a library looks at no passwords
		broken = append(broken, secret("sql", "SELECT 1"))
	}
	plugintest.Source(t, plugintest.SourceCase{
		Plugin: lookup(t, plugin.SourceRole),
		Options: d.options("sql", "SELECT * FROM a ORDER BY id;", "clickhouse.config",
			plugintest.Options("max_block_size", "20", "max_threads", "1", "socket_timeout", "1000")),
		Secrets: []string{"geheim"},
		Broken:  broken,
	})
}

// accept leaves out what the types of an old server cannot hold.
func accept(t plugin.Type, v any) bool {
	switch t.Kind {
	case plugin.Date:
		return v == "1970-01-01" || v == "2024-02-29"
	case plugin.Timestamp:
		return v == "1970-01-01 00:00:00"
	case plugin.Bytes: // come back as text
		return len(v.([]byte)) == 0
	}
	return true
}

func TestSinkConformance(t *testing.T) {
	cases := map[string]struct {
		before  string
		upserts bool
		options []any
	}{
		"made by the sink": {options: []any{"password", ""}},
		"replacing by key": {upserts: true, options: []any{"primary_key", "id", "schema_save_mode", "RECREATE_SCHEMA"}},
		"merge tree with upserts": {upserts: true, before: "ENGINE = MergeTree ORDER BY tuple()",
			options: []any{"primary_key", "${primary_key}", "support_upsert", true, "bulk_size", 7}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			d := newDB(t)
			types := plugintest.ScalarTypes()
			source := lookup(t, plugin.SourceRole)
			plugintest.Sink(t, plugintest.SinkCase{
				Plugin:  lookup(t, plugin.SinkRole),
				Options: d.options(append([]any{"table", "rows", "server_time_zone", "UTC"}, c.options...)...),
				Types:   types, Accept: accept, Upserts: c.upserts,
				Read: func(ctx context.Context, _ *plugin.Table) ([][]any, error) {
					out, err := readAll(ctx, source, d.options("sql", "SELECT * FROM rows FINAL", "server_time_zone", "UTC"))
					if err != nil && c.before != "" {
						out, err = readAll(ctx, source, d.options("sql", "SELECT * FROM rows", "server_time_zone", "UTC"))
					}
					if err != nil {
						out, err = readAll(ctx, source, d.options("sql", "SELECT * FROM rows", "server_time_zone", "UTC"))
					}
					if err != nil {
						return nil, err
					}
					return out.rows, nil
				},
				Before: func(ctx context.Context) error {
					_, err := d.ask(ctx, "DROP TABLE IF EXISTS "+d.name+".rows")
					if err == nil && c.before != "" {
						_, err = d.ask(ctx, "CREATE TABLE "+d.name+".rows ("+oldColumns+") "+c.before)
					}
					return err
				},
				Secrets: []string{"geheim"},
				Broken: []config.Value{
					d.options("table", "rows", "host", "127.0.0.1:1", "password", "geheim"),
					d.options("table", "missing", "schema_save_mode", "ERROR_WHEN_SCHEMA_NOT_EXIST"),
				},
				Timeout: time.Minute,
			})
		})
	}
}

const oldColumns = "id Int64, c_string Nullable(String), c_boolean Nullable(UInt8), c_tinyint Nullable(Int8), " +
	"c_smallint Nullable(Int16), c_int Nullable(Int32), c_bigint Nullable(Int64), c_float Nullable(Float32), " +
	"c_double Nullable(Float64), c_decimal Nullable(Decimal(10, 2)), c_decimal_2 Nullable(Decimal(38, 18)), " +
	"c_bytes Nullable(String), c_date Nullable(Date), c_time Nullable(String), c_timestamp Nullable(DateTime)"
