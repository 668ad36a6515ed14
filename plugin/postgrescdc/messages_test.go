package postgrescdc_test

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/culvertdata/culvert/engine"
)

// message is one of Debezium's, as the target has it.
type message struct {
	Op, Topic, Key string
	Before, After  map[string]any
}

// source is the block of a message that tells where it comes from.
type source struct {
	Version, Connector, Name, Snapshot, DB, Sequence, Schema, Table string
	Time                                                            int64 `json:"ts_ms"`
	TxID, LSN, XMin                                                 *int64
}

// toMessages is a job that writes the messages of tables into dst.messages; without schemas, unless more asks for them.
func (s *server) toMessages(more, debezium string, tables ...string) string {
	text := s.toTables("", "format = compatible_debezium_json, debezium { key.converter.schemas.enable = false, "+
		"value.converter.schemas.enable = false, database.server.name = shop, "+debezium+" }, "+more, tables...)
	return strings.Replace(text, "schema = dst", `schema = dst, table = messages`, 1)
}

// arrived waits until so many messages have come.
func (s *server) arrived(job *engine.Job, n int) {
	s.t.Helper()
	s.waitFor(fmt.Sprintf("%d messages", n), func() bool {
		if info := job.Info(); info.State.Ended() {
			s.t.Fatalf("the job is %v: %s", info.State, info.Error)
		}
		return s.count("dst.messages") >= n
	})
}

// messages waits until so many have come, and returns them in the order of the table.
func (s *server) messages(job *engine.Job, n int) (list []message, sources []source) {
	s.t.Helper()
	s.arrived(job, n)
	for _, text := range s.query("SELECT json_build_array(topic, key, value) FROM dst.messages") {
		var row [3]string
		if err := json.Unmarshal([]byte(text), &row); err != nil {
			s.t.Fatalf("%s: %v", text, err)
		}
		var v struct {
			message
			Source source
			Time   int64 `json:"ts_ms"`
		}
		if err := json.Unmarshal([]byte(row[2]), &v); err != nil {
			s.t.Fatalf("%s: %v", row[2], err)
		}
		if v.Source.Time <= 0 || v.Time < v.Source.Time {
			s.t.Errorf("changed at %d, written at %d", v.Source.Time, v.Time)
		}
		v.Topic, v.Key = row[0], row[1]
		list, sources = append(list, v.message), append(sources, v.Source)
	}
	return list, sources
}

// TestMessages writes rows and changes as Debezium's messages, and tells where they come from.
func TestMessages(t *testing.T) {
	s := newServer(t, "CREATE TABLE a (id int PRIMARY KEY, v text, big text)",
		"ALTER TABLE a ALTER big SET STORAGE EXTERNAL",
		"CREATE TABLE f (id int PRIMARY KEY, v text)", "ALTER TABLE f REPLICA IDENTITY FULL", "CREATE TABLE n (v text)",
		"ALTER TABLE n REPLICA IDENTITY FULL", "INSERT INTO a VALUES (1, 'é\"', repeat('x', 9000))")
	text := s.toMessages("", "truncate.handling.mode = include", "a", "f", "n")
	job := newEngine(t, "").submit(text, engine.SubmitOptions{})
	s.messages(job, 1)
	s.streaming()
	s.exec("INSERT INTO f VALUES (1, 'a'), (2, 'b')")
	s.exec("UPDATE f SET v = 'c' WHERE id = 1", "UPDATE f SET id = 3 WHERE id = 2", "DELETE FROM f WHERE id = 3")
	s.exec("UPDATE a SET v = 'w' WHERE id = 1")
	s.arrived(job, 8) // the large value is read from the table
	s.exec("DELETE FROM a WHERE id = 1", "INSERT INTO n VALUES ('x')", "TRUNCATE f")
	got, sources := s.messages(job, 11)
	big := strings.Repeat("x", 9000)
	row := func(pairs ...any) map[string]any {
		m := map[string]any{}
		for i := 0; i < len(pairs); i += 2 {
			m[pairs[i].(string)] = pairs[i+1]
		}
		return m
	}
	const a, f, n = "shop.public.a", "shop.public.f", "shop.public.n"
	want := []message{
		{"r", a, `{"id":1}`, nil, row("id", 1., "v", `é"`, "big", big)},
		{"c", f, `{"id":1}`, nil, row("id", 1., "v", "a")},
		{"c", f, `{"id":2}`, nil, row("id", 2., "v", "b")},
		{"u", f, `{"id":1}`, row("id", 1., "v", "a"), row("id", 1., "v", "c")},
		{"d", f, `{"id":2}`, row("id", 2., "v", "b"), nil},
		{"c", f, `{"id":3}`, nil, row("id", 3., "v", "b")},
		{"d", f, `{"id":3}`, row("id", 3., "v", "b"), nil},
		{"u", a, `{"id":1}`, nil, row("id", 1., "v", "w", "big", big)},
		{"d", a, `{"id":1}`, row("id", 1., "v", nil, "big", nil), nil},
		{"c", n, "", nil, row("v", "x")},
		{"t", f, "", nil, nil},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	checkSources(t, s, sources)
}

// checkSources looks at the blocks that tell where messages come from.
func checkSources(t *testing.T, s *server, sources []source) {
	t.Helper()
	var last int64
	for i, o := range sources {
		snapshot := "false"
		if i == 0 {
			snapshot = "true"
		}
		if o.Version != "1.6.4.Final" || o.Connector != "postgresql" || o.Name != "shop" || o.DB != s.Name ||
			o.Schema != "public" || o.Snapshot != snapshot || o.XMin != nil || (o.TxID == nil) != (i == 0) || o.LSN == nil {
			t.Fatalf("message %d comes from %+v", i, o)
		}
		if *o.LSN < last {
			t.Errorf("message %d is at %d, the one before at %d", i, *o.LSN, last)
		}
		last = *o.LSN
		var sequence []*string
		if err := json.Unmarshal([]byte(o.Sequence), &sequence); err != nil || len(sequence) != 2 ||
			*sequence[1] != strconv.FormatInt(*o.LSN, 10) || (sequence[0] == nil) != (i == 0) {
			t.Errorf("message %d has the sequence %s: %v", i, o.Sequence, err)
		}
	}
	if *sources[1].TxID != *sources[2].TxID || *sources[1].LSN == *sources[2].LSN || *sources[3].TxID == *sources[2].TxID {
		t.Errorf("two rows of one transaction come from %d at %d and %d at %d, the next from %d", *sources[1].TxID,
			*sources[1].LSN, *sources[2].TxID, *sources[2].LSN, *sources[3].TxID)
	}
}

// TestMessageTypes compares values and fields with those that Debezium's connector documents.
func TestMessageTypes(t *testing.T) {
	types := []struct{ typ, value, want, field string }{
		{"boolean", "true", `true`, `{"type":"boolean","optional":true,"field":"%s"}`},
		{"smallint", "-5", `-5`, `{"type":"int16","optional":true,"field":"%s"}`},
		{"bigint", "9007199254740993", `9007199254740993`, `{"type":"int64","optional":true,"field":"%s"}`},
		{"real", "1.5", `1.5`, `{"type":"float","optional":true,"field":"%s"}`},
		{"double precision", "0.1", `0.1`, `{"type":"double","optional":true,"field":"%s"}`},
		{"numeric(10,2)", "-1.25", `"gw=="`, `{"type":"bytes","optional":true,"name":"org.apache.kafka.connect.data.Decimal",` +
			`"version":1,"parameters":{"connect.decimal.precision":"10","scale":"2"},"field":"%s"}`},
		{"numeric", "1.5", `{"scale":1,"value":"Dw=="}`, `{"type":"struct","fields":[{"type":"int32","optional":false,` +
			`"field":"scale"},{"type":"bytes","optional":false,"field":"value"}],"optional":true,` +
			`"name":"io.debezium.data.VariableScaleDecimal","version":1,"field":"%s"}`},
		{"money", "'1.50'", `"AJY="`, `{"type":"bytes","optional":true,"name":"org.apache.kafka.connect.data.Decimal",` +
			`"version":1,"parameters":{"connect.decimal.precision":"30","scale":"2"},"field":"%s"}`},
		{"varchar(20)", "E'a\\n'", `"a\n"`, `{"type":"string","optional":true,"field":"%s"}`},
		{"bytea", `'\x01ff'`, `"Af8="`, `{"type":"bytes","optional":true,"field":"%s"}`},
		{"date", "'1970-01-11'", `10`,
			`{"type":"int32","optional":true,"name":"io.debezium.time.Date","version":1,"field":"%s"}`},
		{"time", "'00:00:01'", `1000000`,
			`{"type":"int64","optional":true,"name":"io.debezium.time.MicroTime","version":1,"field":"%s"}`},
		{"time(3)", "'00:00:01.5'", `1500`,
			`{"type":"int32","optional":true,"name":"io.debezium.time.Time","version":1,"field":"%s"}`},
		{"timestamp", "'1970-01-01 00:00:01'", `1000000`,
			`{"type":"int64","optional":true,"name":"io.debezium.time.MicroTimestamp","version":1,"field":"%s"}`},
		{"timestamp(3)", "'1969-12-31 23:59:59.999'", `-1`,
			`{"type":"int64","optional":true,"name":"io.debezium.time.Timestamp","version":1,"field":"%s"}`},
		{"timestamptz", "'2024-01-02 03:04:05.5+02'", `"2024-01-02T01:04:05.5Z"`,
			`{"type":"string","optional":true,"name":"io.debezium.time.ZonedTimestamp","version":1,"field":"%s"}`},
		{"interval", "'1 year 2 mons -3 days 04:05:06.7'", `36572706700000`,
			`{"type":"int64","optional":true,"name":"io.debezium.time.MicroDuration","version":1,"field":"%s"}`},
		{"json", `'{"a": 1}'`, `"{\"a\": 1}"`,
			`{"type":"string","optional":true,"name":"io.debezium.data.Json","version":1,"field":"%s"}`},
		{"uuid", "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'", `"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"`,
			`{"type":"string","optional":true,"name":"io.debezium.data.Uuid","version":1,"field":"%s"}`},
		{"bit(1)", "B'1'", `true`, `{"type":"boolean","optional":true,"field":"%s"}`},
		{"bit(10)", "B'1000000001'", `"AQI="`, `{"type":"bytes","optional":true,"name":"io.debezium.data.Bits","version":1,` +
			`"parameters":{"length":"10"},"field":"%s"}`},
		{"oid", "4000000000", `4000000000`, `{"type":"int64","optional":true,"field":"%s"}`},
		{"inet", "'10.0.0.1'", `"10.0.0.1"`, `{"type":"string","optional":true,"field":"%s"}`},
		{"int[]", "'{1,NULL,3}'", `[1,null,3]`,
			`{"type":"array","items":{"type":"int32","optional":true},"optional":true,"field":"%s"}`},
		{"date[]", "'{1970-01-11}'", `[10]`, `{"type":"array","items":{"type":"int32","optional":true,` +
			`"name":"io.debezium.time.Date","version":1},"optional":true,"field":"%s"}`},
	}
	columns, values := []string{"id int PRIMARY KEY"}, []string{"1"}
	for i, typ := range types {
		columns = append(columns, fmt.Sprintf("c%d %s", i, typ.typ))
		values = append(values, typ.value)
	}
	insert := "INSERT INTO a VALUES (" + strings.Join(values, ", ") + ")"
	s := newServer(t, "CREATE TABLE a ("+strings.Join(columns, ", ")+")", insert)
	text := strings.Replace(s.toMessages("", "", "a"), "value.converter.schemas.enable = false, ", "", 1)
	job := newEngine(t, "").submit(text, engine.SubmitOptions{})
	s.arrived(job, 1)
	s.streaming()
	s.exec(strings.Replace(insert, "(1", "(2", 1), "INSERT INTO a (id) VALUES (3)")
	s.arrived(job, 3)
	for n, row := range s.query("SELECT value FROM dst.messages") {
		var v struct {
			Schema struct {
				Fields []struct{ Fields []json.RawMessage }
			}
			Payload struct{ After map[string]json.RawMessage }
		}
		if err := json.Unmarshal([]byte(row), &v); err != nil {
			t.Fatalf("%s: %v", row, err)
		}
		for i, typ := range types {
			name, want := fmt.Sprintf("c%d", i), typ.want
			if n == 2 {
				want = "null"
			}
			if got := string(v.Payload.After[name]); got != want {
				t.Errorf("row %d, %s: got %s, want %s", n, typ.typ, got, want)
			}
			if got, want := string(v.Schema.Fields[1].Fields[i+1]), fmt.Sprintf(typ.field, name); got != want {
				t.Errorf("field of %s: got %s\nwant %s", typ.typ, got, want)
			}
		}
	}
}

// TestMessagesFollowColumns alters a table; the messages that come after that have its new columns.
func TestMessagesFollowColumns(t *testing.T) {
	for _, follows := range []bool{true, false} {
		s := newServer(t, "CREATE TABLE a (id int PRIMARY KEY, v text)", "INSERT INTO a VALUES (1, 'v')")
		text := s.toMessages("", fmt.Sprintf("include.schema.changes = %v", follows), "a")
		w := newEngine(t, "")
		job := w.submit(text, engine.SubmitOptions{ID: 5})
		s.messages(job, 1)
		s.streaming()
		s.exec("ALTER TABLE a ADD w int", "INSERT INTO a VALUES (2, 'v', 5)")
		s.messages(job, 2)
		w.savepoint(job)
		s.exec("INSERT INTO a VALUES (3, 'v', 6)", "ALTER TABLE a DROP v", "INSERT INTO a VALUES (4, 7)")
		job = w.submit(text, engine.SubmitOptions{ID: 5, FromSavepoint: true})
		got, _ := s.messages(job, 4)
		var after []string
		for _, m := range got {
			row, err := json.Marshal(m.After)
			if err != nil {
				t.Fatal(err)
			}
			after = append(after, string(row))
		}
		want := []string{`{"id":1,"v":"v"}`, `{"id":2,"v":"v","w":5}`, `{"id":3,"v":"v","w":6}`, `{"id":4,"w":7}`}
		if !follows {
			want = []string{`{"id":1,"v":"v"}`, `{"id":2,"v":"v"}`, `{"id":3,"v":"v"}`, `{"id":4,"v":null}`}
		}
		if d := cmp.Diff(want, after); d != "" {
			t.Errorf("follows %v: %s", follows, d)
		}
	}
}
