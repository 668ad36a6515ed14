package clickhouse_test

import (
	"crypto/tls"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/plugintest"
)

// noFrames skips a test where the server is one of ours around the engine of today: it knows no compression.
func noFrames(t testing.TB) {
	t.Helper()
	if os.Getenv(newServer) != "" {
		t.Skip("needs a server's own HTTP interface")
	}
}

// TestCompression copies rows, in more frames than one, with each compression.
func TestCompression(t *testing.T) {
	d := newDB(t)
	noFrames(t)
	d.exec("CREATE TABLE @.src (id Int64, name String) ENGINE = MergeTree ORDER BY id",
		"INSERT INTO @.src SELECT number, concat('the name of customer ', toString(number % 1000)) FROM numbers(200000)")
	for _, method := range []string{"none", "lz4", "zstd"} {
		t.Run(method, func(t *testing.T) {
			p := newProxy(t, d.host, 0, -1, -1)
			out, err := readAll(t.Context(), lookup(t, plugin.SourceRole),
				d.options("host", p.listener.Addr().String(), "sql", "SELECT * FROM src ORDER BY id", "compression", method))
			if err != nil {
				t.Fatal(err)
			}
			read := p.passed.Swap(0)
			table := tableOf(t, "to_"+method, nil, out.table.Columns...)
			w := newWriter(t, d.options("host", p.listener.Addr().String(), "compression", method, "bulk_size", 150_000), table)
			if err := write(t, w, batchOf(t, table, out.rows...)); err != nil {
				t.Fatal(err)
			}
			sum := func(name string) string {
				return d.query("SELECT count(), sum(cityHash64(id, name)) FROM @." + name)
			}
			if diff := cmp.Diff(sum("src"), sum(table.ID.Name)); diff != "" {
				t.Error(diff)
			}
			t.Logf("%d bytes read, %d written", read, p.passed.Load())
			if least := int64(5_000_000); (read > least) != (method == "none") ||
				(p.passed.Load() > least) != (method == "none") {
				t.Errorf("%d bytes read, %d written", read, p.passed.Load())
			}
			_, err = readAll(t.Context(), lookup(t, plugin.SourceRole),
				d.options("sql", "SELECT throwIf(number = 150000) FROM numbers(1000000)", "compression", method))
			if err == nil || !strings.Contains(err.Error(), "code 395") {
				t.Errorf("got error %v, want the server's exception", err)
			}
		})
	}
}

// TestTLS talks to a server behind a proxy with TLS, and to a web server that expects it.
func TestTLS(t *testing.T) {
	d := newDB(t)
	table := idName(t)
	s := httptest.NewTLSServer(http.NotFoundHandler())
	defer s.Close()
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: s.TLS.Certificates})
	if err != nil {
		t.Fatal(err)
	}
	behind := newProxyOn(t, l, d.host, 0, -1, -1)
	root := filepath.Join(t.TempDir(), "root.pem")
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
	if err := os.WriteFile(root, block, 0o600); err != nil {
		t.Fatal(err)
	}
	cases := []struct {
		name   string
		config []any
		want   string // of the error
	}{
		{"root", []any{"ssl", "true", "sslrootcert", root}, ""},
		{"unchecked", []any{"ssl", "true", "sslmode", "none"}, ""},
		{"unknown root", []any{"ssl", "true"}, "certificate"},
		{"plain", nil, "speaks HTTPS"},
		{"no file", []any{"ssl", "true", "sslrootcert", root + "x"}, "sslrootcert: open"},
		{"no certificate", []any{"ssl", "true", "sslrootcert", os.Args[0]}, "holds no certificate"},
		{"half a pair", []any{"ssl", "true", "sslcert", root}, "sslcert and sslkey"},
		{"wrong mode", []any{"ssl", "true", "sslmode", "some"}, "neither strict nor none"},
		{"off", []any{"sslmode", "none"}, "sslmode needs ssl = true"},
		{"no truth", []any{"ssl", "maybe"}, "neither true nor false"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			host := behind.listener.Addr().String()
			if c.name == "plain" {
				host = s.Listener.Addr().String()
			}
			o := d.options("host", host, "table", "t"+fmt.Sprint(len(c.want)), "clickhouse.config",
				plugintest.Options(c.config...))
			sink, err := lookup(t, plugin.SinkRole).Sink(t.Context(), o, env(table))
			if err == nil {
				err = sink.Prepare(t.Context(), []*plugin.Table{table})
			}
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("got error %v, want %q", err, c.want)
			}
		})
	}
}

// TestNativePort names the port of the native protocol, which is not spoken here.
func TestNativePort(t *testing.T) {
	d := newDB(t)
	native := os.Getenv("CULVERT_TEST_CLICKHOUSE_NATIVE")
	if native == "" || os.Getenv(newServer) != "" {
		t.Skip("needs CULVERT_TEST_CLICKHOUSE_NATIVE")
	}
	_, err := readAll(t.Context(), lookup(t, plugin.SourceRole), d.options("host", native, "sql", "SELECT 1"))
	var e *plugin.Error
	if !errors.As(err, &e) || e.Retry || e.Code != plugin.CodeConfig || !strings.Contains(err.Error(), "8123") {
		t.Errorf("got %v, want a configuration error that names the HTTP port", err)
	}
}
