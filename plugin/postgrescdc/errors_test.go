package postgrescdc_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/culvertdata/culvert/plugin"
)

// TestPlanErrors checks that what cannot work is refused before anything starts, and says what to do.
func TestPlanErrors(t *testing.T) {
	s := newServer(t, "CREATE TABLE good (id int PRIMARY KEY, other int)", "CREATE TABLE nokey (id int)",
		"CREATE TABLE nothing (id int PRIMARY KEY)", "ALTER TABLE nothing REPLICA IDENTITY NOTHING",
		"CREATE TABLE byindex (id int PRIMARY KEY, u int NOT NULL UNIQUE)",
		"ALTER TABLE byindex REPLICA IDENTITY USING INDEX byindex_u_key",
		"CREATE VIEW v AS SELECT 1 AS id", "CREATE UNLOGGED TABLE unlogged (id int PRIMARY KEY)",
		"CREATE TABLE fullnokey (id int)", "ALTER TABLE fullnokey REPLICA IDENTITY FULL",
		"CREATE TABLE parts (id int PRIMARY KEY) PARTITION BY RANGE (id)",
		"CREATE TABLE part1 PARTITION OF parts FOR VALUES FROM (0) TO (10)", "ALTER TABLE part1 REPLICA IDENTITY NOTHING")
	key := func(table, column string) string {
		return "table-names-config = [{ table = \"public." + table + "\", primaryKeys = [\"" + column + "\"] }]"
	}
	tests := []struct{ name, more, table, want, fix string }{
		{"a missing table", "", "goood", "no such table", "public.good"},
		{"no key", "", "nokey", "no primary key", "REPLICA IDENTITY FULL"},
		{"identity nothing", "", "nothing", "NOTHING", "REPLICA IDENTITY DEFAULT"},
		{"a partition's identity", "", "parts", "part1 has REPLICA IDENTITY NOTHING", "part1"},
		{"identity without the key", "", "byindex", "key's column id", "FULL"},
		{"another key", key("good", "other"), "good", "key's column other", "FULL"},
		{"an unknown key", key("good", "nope"), "good", `no column "nope"`, "id, other"},
		{"a view", "", "v", "no table", "tables"},
		{"an unlogged table", "", "unlogged", "unlogged", "LOGGED"},
		{"exactly once without a key", "exactly_once = true", "fullnokey", "exactly_once needs", "key"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			source := openSource(t, s, test.more, test.table)
			_, err := source.Tables(t.Context())
			var e *plugin.Error
			if !errors.As(err, &e) || !strings.Contains(err.Error(), test.want) || !strings.Contains(e.Fix, test.fix) {
				t.Errorf("got %v, want a text with %q and the fix %q", err, test.want, test.fix)
			}
		})
	}
}

// TestServerErrors checks what the job needs of the server and its user.
func TestServerErrors(t *testing.T) {
	s := newServer(t, "CREATE TABLE a (id int PRIMARY KEY)")
	user := s.Name + "_reader"
	s.exec("CREATE ROLE "+user+" LOGIN PASSWORD 'geheim'", "GRANT SELECT ON a TO "+user)
	t.Cleanup(func() { s.exec("DROP OWNED BY "+user, "DROP ROLE "+user) })
	open := func() error {
		o := s.options(t, "").Set("username", value(user)).Set("password", value("geheim"))
		source, err := lookup(t).Source(t.Context(), o, env())
		if err == nil {
			_, err = source.Tables(t.Context())
		}
		return err
	}
	expect := func(err error, want string) {
		t.Helper()
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "geheim") {
			t.Errorf("got %v, want a text with %q", err, want)
		}
	}
	expect(open(), "may not replicate")
	s.exec("ALTER ROLE " + user + " REPLICATION")
	if err := open(); err != nil {
		t.Error(err)
	}
	s.exec("REVOKE SELECT ON a FROM " + user)
	expect(open(), "may not read")
	s.exec("GRANT SELECT ON a TO " + user)
	w := newEngine(t, "")
	text := s.toTables("", "", "a")
	text = strings.Replace(text, `username = "`+s.User+`", password = "`+s.Password,
		`username = "`+user+`", password = "geheim`, 1)
	expect(w.failed(text), "let the owner of the tables run: CREATE PUBLICATION")
	s.exec("CREATE PUBLICATION " + s.slot() + " FOR TABLE a WITH (publish = 'insert')")
	expect(w.failed(text), "does not publish all")
	s.exec("ALTER PUBLICATION "+s.slot()+" SET (publish = 'insert, update, delete')",
		"ALTER PUBLICATION "+s.slot()+" SET TABLE a WHERE (id > 5)")
	expect(w.failed(text), "some of the table's rows")
	s.exec("ALTER PUBLICATION "+s.slot()+" SET TABLE a",
		"SELECT pg_create_logical_replication_slot('"+s.slot()+"', 'test_decoding')")
	expect(w.failed(text), "made for the plugin test_decoding")
}

// TestOptions checks options that no server is needed for.
func TestOptions(t *testing.T) {
	tests := []struct{ options, want string }{
		{`base-url = "jdbc:mysql://h/d", username = u, password = p, table-names = ["a.b"]`, "not one of PostgreSQL"},
		{`base-url = "jdbc:postgresql://h/d", username = u, password = p`, "exactly one of table-names, table-pattern"},
		{`base-url = "jdbc:postgresql://h/d", username = u, password = p, table-names = ["a"]`, "names no schema"},
		{`base-url = "jdbc:postgresql://h/d", username = u, password = p, table-pattern = "("`, "missing closing"},
		{`base-url = "jdbc:postgresql://h/d", username = u, password = p, table-names = ["a.b"], slot.name = "My-Slot"`,
			"no name of a slot"},
		{`base-url = "jdbc:postgresql://h/d", username = u, password = p, table-names = ["a.b"], startup.mode = specific`,
			"initial"},
		{`base-url = "jdbc:postgresql://h/d", username = u, password = p, table-names = ["a.b"], stop.mode = latest`,
			"never"},
		{`base-url = "jdbc:postgresql://h/d", username = u, password = p, table-names = ["a.b"], debezium { ` +
			`include.schema.changes = maybe }`,
			"true or false"},
		{`username = u, password = p, table-names = ["a.b"]`, "base-url"},
	}
	for _, test := range tests {
		_, err := lookup(t).Source(t.Context(), parse(t, test.options), env())
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want a text with %q", test.options, err, test.want)
		}
	}
}

// TestPattern finds tables by a pattern, within schemas.
func TestPattern(t *testing.T) {
	s := newServer(t, "CREATE SCHEMA other", "CREATE TABLE a1 (id int PRIMARY KEY)",
		"CREATE TABLE a2 (id int PRIMARY KEY)",
		"CREATE TABLE other.a3 (id int PRIMARY KEY)", "CREATE TABLE b (id int PRIMARY KEY)", "CREATE VIEW a4 AS SELECT 1",
		"CREATE TABLE a5 (id int PRIMARY KEY) PARTITION BY RANGE (id)", "CREATE TABLE a6 PARTITION OF a5 DEFAULT")
	tests := []struct{ more, want string }{
		{`table-pattern = ".*\\.a.*"`, "other.a3 public.a1 public.a2 public.a5"},
		{`table-pattern = ".*a.", schema-names = [other]`, "other.a3"},
		{`table-pattern = "public\\.(b|a1)"`, "public.a1 public.b"},
	}
	for _, test := range tests {
		text := strings.Replace(s.source(test.more), "table-names = [],", "", 1)
		o, _ := parse(t, text).Get("Postgres-CDC")
		source, err := lookup(t).Source(t.Context(), o, env())
		if err != nil {
			t.Fatal(err)
		}
		tables, err := source.Tables(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, tab := range tables {
			names = append(names, tab.ID.Schema+"."+tab.ID.Name)
		}
		if got := strings.Join(names, " "); got != test.want {
			t.Errorf("%s: got %s, want %s", test.more, got, test.want)
		}
	}
}
