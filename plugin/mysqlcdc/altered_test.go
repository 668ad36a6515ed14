package mysqlcdc_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/go-hclog"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/internal/dbtest"
	"github.com/culvertdata/culvert/plugin/mysqlcdc"
	"github.com/culvertdata/culvert/plugin/plugintest"
)

// interfere stands between a client and the test server, and runs a statement ahead of the first request that holds a
// text. It returns its own address, and a function that waits for the end of its goroutines and tells whether the
// request has come.
func (f *fixture) interfere(t *testing.T, before, statement string) (address string, ended func() bool) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	var once sync.Once
	came := false
	request := func(data []byte) {
		if bytes.Contains(data, []byte(before)) {
			once.Do(func() {
				came = true
				if _, err := f.TryQuery(statement); err != nil {
					t.Errorf("%s: %v", statement, err)
				}
			})
		}
	}
	all.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("tcp", f.Host)
			if err != nil {
				t.Error(err)
				return
			}
			all.Go(func() { forward(server, client, request) })
			all.Go(func() { forward(client, server, func([]byte) {}) })
		}
	})
	return listener.Addr().String(), func() bool {
		_ = listener.Close()
		all.Wait()
		return came
	}
}

// forward passes on what one side says, and ends both when it has nothing more to say.
func forward(to, from net.Conn, see func(data []byte)) {
	defer to.Close()
	defer from.Close()
	buf := make([]byte, 1<<16)
	for {
		n, err := from.Read(buf)
		see(buf[:n])
		if err != nil {
			return
		}
		if _, err := to.Write(buf[:n]); err != nil {
			return
		}
	}
}

// TestAlteredWhilePlanned alters a table while the source looks at it.
func TestAlteredWhilePlanned(t *testing.T) {
	for _, follow := range []string{"", "include.schema.changes"} {
		for alter, want := range map[string]string{
			"ALTER TABLE a DROP COLUMN x":                       "id INT int(11), y STRING text; key id",
			"ALTER TABLE a RENAME COLUMN id TO k":               "k INT int(11), x STRING varchar(5), y STRING text; key k",
			"ALTER TABLE a CHANGE x z BIGINT":                   "id INT int(11), z BIGINT bigint(20), y STRING text; key id",
			"ALTER TABLE a ADD COLUMN z INT FIRST":              "z INT int(11), id INT int(11), x STRING varchar(5), y STRING text; key id",
			"ALTER TABLE a DROP COLUMN id, ADD PRIMARY KEY (x)": "x STRING varchar(5), y STRING text; key x",
		} {
			t.Run(follow+" "+alter, func(t *testing.T) {
				f := newFixture(t, "CREATE TABLE a (id INT PRIMARY KEY, x VARCHAR(5) NOT NULL, y TEXT)")
				address, ended := f.interfere(t, "SELECT * FROM `"+f.from, alter)
				p, _ := plugin.NewRegistry(mysqlcdc.Plugins).Lookup(plugin.SourceRole, "mysql-cdc")
				options := plugintest.Options("base-url", "jdbc:mysql://"+address+"/"+f.from, "username", f.User, "password", f.Password,
					"table-pattern", f.from+`\.a`)
				if follow != "" {
					options = options.Set("debezium", plugintest.Options(follow, true))
				}
				source, err := p.Source(t.Context(), options, plugin.Env{Logger: hclog.NewNullLogger(), Parallelism: 1})
				if err != nil {
					t.Fatal(err)
				}
				tables, err := source.Tables(t.Context())
				if came := ended(); err != nil || !came {
					t.Fatal(came, err)
				}
				var columns []string
				for _, c := range tables[0].Columns {
					columns = append(columns, fmt.Sprintf("%s %s %s", c.Name, c.Type, c.SourceType))
				}
				got := strings.Join(columns, ", ") + "; key " + strings.Join(tables[0].KeyNames(), ", ")
				if d := cmp.Diff(want, got); d != "" {
					t.Error(d)
				}
			})
		}
	}
}

// TestRenamedKey gives the column that a table is cut by another name while the table is cut and read.
func TestRenamedKey(t *testing.T) {
	run := func(t *testing.T, more string) (*fixture, func(within time.Duration) error) {
		f := newFixture(t, "CREATE TABLE a (id VARCHAR(20) PRIMARY KEY, name VARCHAR(20))",
			"INSERT INTO a SELECT CONCAT('key ', seq), 'name' FROM seq_1_to_4000")
		job := start(t, f.job("read_limit.rows_per_second = 3000", f.names("a")+", snapshot.split.size = 50"+more))
		dbtest.Eventually(t, job, func() string {
			if rows, err := f.TryQuery("SELECT 1 FROM " + f.to + ".a LIMIT 1"); err != nil || len(rows) == 0 {
				return "the snapshot does not begin"
			}
			return ""
		})
		f.Exec("ALTER TABLE a RENAME COLUMN id TO k", "UPDATE a SET name = 'changed' WHERE k LIKE '%7'")
		return f, func(within time.Duration) error {
			ctx, cancel := context.WithTimeout(t.Context(), within)
			defer cancel()
			_, err := job.Wait(ctx)
			return err
		}
	}
	t.Run("the sink follows", func(t *testing.T) {
		f, _ := run(t, schemaChanges)
		dbtest.Eventually(t, nil, func() string { return f.difference("a", "k, name", "k") })
	})
	t.Run("the sink does not", func(t *testing.T) {
		_, ended := run(t, "")
		err := ended(30 * time.Second)
		var e *plugin.Error
		if !errors.As(err, &e) || !strings.Contains(err.Error(), "is gone or has another name") {
			t.Errorf("got %v, want an error that says what has happened", err)
		}
	})
}
