package postgres_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/internal/dbtest"
	"github.com/culvertdata/culvert/plugin/plugintest"
)

// TestDyingServer connects to a server that hangs up while it is being talked to: it may be back soon.
func TestDyingServer(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			var request [8]byte
			if _, err := io.ReadFull(c, request[:]); err == nil && request[3] == 8 {
				_, _ = c.Write([]byte("N")) // no TLS
				_, _ = io.ReadFull(c, request[:])
			}
			_ = c.Close()
		}
	}()
	src := kit.OpenSource(t, plugintest.Options("url", "jdbc:postgresql://"+l.Addr().String()+"/x", "query", "SELECT 1"))
	_, err = src.Tables(t.Context())
	var e *plugin.Error
	if !errors.As(err, &e) || e.Code != plugin.CodeUnavailable || !e.Retry {
		t.Errorf("error %v", err)
	}
	_ = l.Close()
	<-done
}

// TestErrors checks that mistakes are told clearly, soon, and without the password.
func TestErrors(t *testing.T) {
	s := dbtest.Postgres(t, "CREATE TABLE a (id int PRIMARY KEY, v text)", "CREATE TABLE n (id int, v text)",
		"CREATE TABLE typed (id int PRIMARY KEY, v bytea)", "INSERT INTO a VALUES (1, 'x')")
	reader := s.Name + "_reader"
	s.Exec("CREATE ROLE "+reader+" LOGIN PASSWORD 'geheim'", "GRANT SELECT ON a TO "+reader)
	t.Cleanup(func() { s.Exec("DROP OWNED BY "+reader, "DROP ROLE "+reader) })
	silent, err := net.Listen("tcp", "127.0.0.1:0") // takes connections and says nothing
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	at := func(url, user, password string) string {
		return fmt.Sprintf("url = %q, user = %q, password = %q, connection_check_timeout_sec = 1", url, user, password)
	}
	good := s.Access()
	host := strings.TrimSuffix(s.URL, s.Name)
	source, sink := good+", table_path = a", good+", table = a"
	tests := []struct {
		name, source, sink string
		code               plugin.Code
		want               string
	}{
		{"password", at(s.URL, s.User, "geheim") + ", table_path = a", sink, plugin.CodeDenied, "user and password"},
		{"user", at(s.URL, "nobody", "geheim") + ", table_path = a", sink, plugin.CodeDenied, "user and password"},
		{"database", at(host+"nowhere", s.User, s.Password) + ", table_path = a", sink, plugin.CodeNotFound, "nowhere"},
		{"no server", at("jdbc:postgresql://127.0.0.1:1/x", "u", "geheim") + ", table_path = a", sink, plugin.CodeUnavailable,
			"cannot connect to 127.0.0.1:1/x"},
		{"silent server", at("jdbc:postgresql://"+silent.Addr().String()+"/x", "u", "geheim") + ", table_path = a", sink,
			plugin.CodeUnavailable, "connection_check_timeout_sec"},
		{"table", good + ", table_path = aa", sink, plugin.CodeNotFound, "did you mean a?"},
		{"other database", good + ", table_path = other.public.a", sink, plugin.CodeConfig, "the url is that of"},
		{"query", good + `, query = "SELECT nothing FROM a"`, sink, plugin.CodeNotFound, "nothing"},
		{"no query", good + `, query = "DELETE FROM a"`, sink, plugin.CodeConfig, "must return rows"},
		{"syntax", good + `, query = "SELEKT 1"`, sink, plugin.CodeConfig, "SELEKT"},
		{"partition column", source + ", partition_column = idd", sink, plugin.CodeConfig, `did you mean "id"?`},
		{"missing column", good + `, query = "SELECT id, v AS other FROM a"`, sink, plugin.CodeNotFound, "no column other"},
		{"type", source, good + ", table = typed", plugin.CodeType, "bytea"},
		{"no key", source, good + ", table = n", plugin.CodeConfig, "no primary key or unique index on exactly id"},
		{"rights to write", source, at(s.URL, reader, "geheim") + ", table = a", plugin.CodeDenied, "grant"},
		{"rights to read", at(s.URL, reader, "geheim") + ", table_path = n", sink, plugin.CodeDenied, "grant"},
		{"read only", source, good + `, table = a, properties { options = "-c default_transaction_read_only=on" }`,
			plugin.CodeDenied, "read-only"},
		{"statement", source, good + `, query = "INSERT INTO nowhere VALUES (?)"`, plugin.CodeNotFound, "nowhere"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			start := time.Now()
			_, err := kit.RunJob(t, fmt.Sprintf("env { job.retry.times = 0 }\nsource { Jdbc { %s } }\nsink { Jdbc { %s } }",
				test.source, test.sink))
			if err == nil {
				t.Fatal("no error")
			}
			if took := time.Since(start); took > 5*time.Second {
				t.Errorf("the error came after %s", took)
			}
			var e *plugin.Error
			if !strings.Contains(err.Error(), "; ") {
				t.Errorf("error %q names no fix", err)
			}
			// Of what is found when the job is planned, the engine keeps the text alone.
			if errors.As(err, &e) && e.Fix != "" && e.Code != test.code {
				t.Errorf("error %v has the code %s, want %s", err, e.Code, test.code)
			}
			if !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %q does not say %q", err, test.want)
			}
			if strings.Contains(err.Error(), "geheim") {
				t.Errorf("error %q shows the password", err)
			}
		})
	}
}
