package mysqlcdc_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/culvertdata/culvert/plugin/internal/dbtest"
)

// TestDebeziumMessages writes a table's rows and changes as Debezium's messages.
func TestDebeziumMessages(t *testing.T) {
	f := newFixture(t, `CREATE TABLE a (id INT PRIMARY KEY, name VARCHAR(20), d DECIMAL(10,2), day DATE, tm TIME, dt DATETIME, dt6 DATETIME(6),
		ts TIMESTAMP NULL, b VARBINARY(5), bu BIGINT UNSIGNED, y YEAR, ok BIT, e ENUM('x','y'))`,
		`INSERT INTO a VALUES (1, 'é"', -1.25, '1970-01-11', '00:00:01', '1970-01-01 00:00:01', '1970-01-01 00:00:01.5',
			'2024-01-01 12:00:00', x'01ff', 255, 2024, 1, 'y'), (2, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)`)
	source := f.source(f.names("a") + `, format = compatible_debezium_json, server-time-zone = "+00:00", debezium {
		key.converter.schemas.enable = false, value.converter.schemas.enable = false, database.server.name = "shop" }`)
	sink := fmt.Sprintf(`sink { Jdbc { url = "jdbc:mysql://%s/%s", user = %q, password = %q, generate_sink_sql = true,
		database = %q, table = messages } }`, f.Host, f.to, f.User, f.Password, f.to)
	job := start(t, "env { job.mode = STREAMING, checkpoint.interval = 200 }\n"+source+"\n"+sink)
	dbtest.Eventually(t, job, func() string { return begun(job) })
	f.Exec("UPDATE a SET name = 'new' WHERE id = 2", "DELETE FROM a WHERE id = 2")
	var got []message
	dbtest.Eventually(t, job, func() string {
		got = f.messages(t)
		if len(got) == 4 {
			return ""
		}
		return fmt.Sprintf("%d messages", len(got))
	})
	first := map[string]any{
		"id": 1., "name": `é"`, "d": "gw==", "day": 10., "tm": 1e6, "dt": 1000., "dt6": 1.5e6,
		"ts": "2024-01-01T12:00:00Z", "b": "Af8=",
		"bu": "AP8=", "y": 2024., "ok": true, "e": "y",
	}
	empty, changed := map[string]any{}, map[string]any{}
	for name := range first {
		empty[name], changed[name] = nil, nil
	}
	empty["id"], changed["id"], changed["name"] = 2., 2., "new"
	want := []message{
		{"r", `{"id":1}`, nil, first}, {"r", `{"id":2}`, nil, empty}, {"u", `{"id":2}`, empty, changed},
		{"d", `{"id":2}`, changed, nil},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

type message struct {
	Op, Key       string
	Before, After map[string]any
}

// messages reads what has come so far.
func (f *fixture) messages(t *testing.T) []message {
	t.Helper()
	rows, err := f.TryQuery("SELECT JSON_OBJECT('Topic', `topic`, 'Key', `key`, 'Value', `value`) FROM " +
		f.to + ".messages")
	if err != nil {
		return nil
	}
	var list []message
	for _, row := range rows {
		var m struct{ Topic, Key, Value string }
		if err := json.Unmarshal([]byte(row), &m); err != nil {
			t.Fatalf("%s: %v", row, err)
		}
		var v struct {
			Op            string
			Before, After map[string]any
			Source        struct {
				Table string
				Pos   int64
			}
		}
		if err := json.Unmarshal([]byte(m.Value), &v); err != nil {
			t.Fatalf("%s: %v", m.Value, err)
		}
		if m.Topic != "shop."+f.from+".a" || v.Source.Table != "a" {
			t.Fatalf("topic %s, value %s", m.Topic, m.Value)
		}
		list = append(list, message{v.Op, m.Key, v.Before, v.After})
	}
	return list
}

// TestMessagesFollowColumns alters and truncates a table: the messages that come after that have its new columns.
func TestMessagesFollowColumns(t *testing.T) {
	f := newFixture(t, "CREATE TABLE a (id INT PRIMARY KEY, v TEXT)", "INSERT INTO a VALUES (1, 'v')")
	source := f.source(f.names("a") + `, format = compatible_debezium_json, debezium { database.server.name = "shop",
		key.converter.schemas.enable = false, value.converter.schemas.enable = false,
		include.schema.changes = true, truncate.handling.mode = include }`)
	sink := fmt.Sprintf(`sink { Jdbc { url = "jdbc:mysql://%s/%s", user = %q, password = %q, generate_sink_sql = true,
		database = %q, table = messages } }`, f.Host, f.to, f.User, f.Password, f.to)
	text := "env { job.mode = STREAMING, checkpoint.interval = 200 }\n" + source + "\n" + sink
	eng := dbtest.OpenEngine(t, "", plugins)
	job := submit(t, eng, text)
	dbtest.Eventually(t, job, func() string { return begun(job) })
	f.Exec("ALTER TABLE a ADD w INT", "INSERT INTO a VALUES (2, 'v', 5)", "TRUNCATE a")
	arrived := func(n int) (got []message) {
		t.Helper()
		dbtest.Eventually(t, job, func() string {
			if got = f.messages(t); len(got) == n {
				return ""
			}
			return fmt.Sprintf("%d messages, want %d", len(got), n)
		})
		return got
	}
	arrived(3)
	dbtest.Savepoint(t, eng, job)
	f.Exec("INSERT INTO a VALUES (3, 'v', 6)", "ALTER TABLE a DROP v", "INSERT INTO a VALUES (4, 7)")
	job = restart(t, eng, text)
	want := []message{
		{"r", `{"id":1}`, nil, map[string]any{"id": 1., "v": "v"}},
		{"c", `{"id":2}`, nil, map[string]any{"id": 2., "v": "v", "w": 5.}},
		{"t", "", nil, nil},
		{"c", `{"id":3}`, nil, map[string]any{"id": 3., "v": "v", "w": 6.}},
		{"c", `{"id":4}`, nil, map[string]any{"id": 4., "w": 7.}},
	}
	if d := cmp.Diff(want, arrived(5)); d != "" {
		t.Error(d)
	}
}
