package mysql_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/config"
	"github.com/culvertdata/culvert/plugin/internal/dbtest"
	"github.com/culvertdata/culvert/plugin/jdbc/internal/jdbctest"
	"github.com/culvertdata/culvert/plugin/plugintest"
)

// TestErrors opens sources and sinks that cannot work, and looks at what they say.
func TestErrors(t *testing.T) {
	f := dbtest.MariaDB(t, "CREATE TABLE people (id INT PRIMARY KEY, `na``me` VARCHAR(9), n INT)")
	reader := f.Name + "_r"
	f.Exec("CREATE USER '"+reader+"'@'%' IDENTIFIED BY 'readonly'", "GRANT SELECT ON "+f.Name+".* TO '"+reader+"'@'%'")
	t.Cleanup(func() { f.Exec("DROP USER '" + reader + "'@'%'") })
	closed := closedPort(t)
	tests := []struct {
		name  string
		role  plugin.Role
		pairs []any
		code  plugin.Code
		want  string
	}{
		{"wrong password", plugin.SourceRole, f.Pairs("password", "wrong-secret", "query", "SELECT 1"),
			plugin.CodeDenied, "check user and password"},
		{"unknown database", plugin.SourceRole, f.Pairs("url", f.URL+"x", "query", "SELECT 1"), plugin.CodeNotFound,
			"database"},
		{"unknown table", plugin.SourceRole, f.Pairs("table_path", f.Name+".poeple"), plugin.CodeNotFound,
			"did you mean people?"},
		{"unknown table in a query", plugin.SourceRole, f.Pairs("query", "SELECT * FROM nothing"), plugin.CodeNotFound,
			"nothing"},
		{"unknown column", plugin.SourceRole, f.Pairs("query", "SELECT nam FROM people"), plugin.CodeNotFound, "nam"},
		{"bad syntax", plugin.SourceRole, f.Pairs("query", "SELEC 1"), plugin.CodeConfig, "SELEC 1"},
		{"no rows", plugin.SourceRole, f.Pairs("query", "DELETE FROM people"), plugin.CodeConfig, "must return rows"},
		{"unknown key", plugin.SourceRole, f.Pairs("query", "SELECT * FROM people", "partition_column", "idd"),
			plugin.CodeConfig, `did you mean "id"?`},
		{"server gone", plugin.SourceRole, f.Pairs("url", "jdbc:mysql://"+closed+"/x", "query", "SELECT 1"),
			plugin.CodeUnavailable, closed},
		{"no TLS", plugin.SourceRole, f.Pairs("url", f.URL+"?sslMode=REQUIRED", "query", "SELECT 1"),
			plugin.CodeUnavailable, "TLS"},
		{"read-only user", plugin.SinkRole, f.Pairs("user", reader, "password", "readonly"), plugin.CodeDenied, "right"},
		{"read-only user creates", plugin.SinkRole, f.Pairs("user", reader, "password", "readonly", "table", "more"),
			plugin.CodeDenied, "right"},
		{"missing column", plugin.SinkRole, f.Pairs("query", "INSERT INTO people (idd) VALUES (?)"), plugin.CodeNotFound,
			"idd"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			o := plugintest.Options(append(test.pairs, "connection_check_timeout_sec", 5)...)
			start := time.Now()
			err := attempt(t, test.role, o)
			var e *plugin.Error
			if !errors.As(err, &e) || e.Code != test.code || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v (%+v), want %s %q", err, e, test.code, test.want)
			}
			if err != nil && strings.Contains(err.Error(), "wrong-secret") {
				t.Errorf("the password shows: %v", err)
			}
			if took := time.Since(start); took > 6*time.Second {
				t.Errorf("it took %s", took)
			}
		})
	}
}

func attempt(t *testing.T, role plugin.Role, o config.Value) error {
	if role == plugin.SourceRole {
		s, err := kit.Lookup(t, role).Source(t.Context(), o, jdbctest.Env())
		if err == nil {
			_, err = s.Tables(t.Context())
		}
		return err
	}
	tab := people(t, 0)
	s, err := kit.Lookup(t, role).Sink(t.Context(), o, jdbctest.Env(tab))
	if err == nil {
		err = s.Prepare(t.Context(), []*plugin.Table{tab})
	}
	if err == nil {
		err = jdbctest.TryLoad(t, s, jdbctest.Batch(t, tab, jdbctest.Insert(1, "x", 1)))
	}
	return err
}

func closedPort(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// TestSilentServer connects to something that never answers.
func TestSilentServer(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	p := kit.Lookup(t, plugin.SourceRole)
	s, err := p.Source(t.Context(), plugintest.Options("url", "jdbc:mysql://"+l.Addr().String()+"/x", "query", "SELECT 1",
		"connection_check_timeout_sec", 1), jdbctest.Env())
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	var e *plugin.Error
	if err := s.(plugin.Pinger).Ping(t.Context()); !errors.As(err, &e) || !e.Retry || e.Fix == "" {
		t.Errorf("error %v", err)
	}
	if took := time.Since(start); took > 3*time.Second {
		t.Errorf("it took %s", took)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.(plugin.Pinger).Ping(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v after a cancel", err)
	}
}

func TestUrlErrors(t *testing.T) {
	for url, want := range map[string]string{
		"jdbc:mysql:host/db":                       "//host:port/database must follow",
		"jdbc:mysql://u:hidden@h/db":               "must not hold a user",
		"jdbc:mysql://h/db?sslMode=x":              "sslMode",
		"jdbc:mysql://h/db?zeroDateTimeBehavior=x": "zeroDateTimeBehavior",
		"jdbc:mysql://h/db?serverSslCert=/none":    "serverSslCert",
		"jdbc:mysql://h/%zz":                       "not well escaped",
	} {
		_, err := kit.Lookup(t, plugin.SourceRole).Source(t.Context(),
			plugintest.Options("url", url, "query", "SELECT 1"), jdbctest.Env())
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hidden") {
			t.Errorf("%s: error %v, want %q", url, err, want)
		}
	}
}
