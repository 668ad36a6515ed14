package binlog

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/column"
	"github.com/culvertdata/culvert/plugin/internal/mysql/wire"
)

var testUUID = [16]byte{0x3e, 0x11, 0xfa, 0x47, 0x71, 0xca, 0x11, 0xe1, 0x9e, 0x33, 0xc8, 0x0a, 0xa9, 0x42, 0x95, 0x62}

const testUUIDText = "3e11fa47-71ca-11e1-9e33-c80aa9429562"

// docTable is a table of MySQL 8 with full metadata: id INT UNSIGNED PRIMARY KEY, name VARCHAR(10), doc JSON.
func docTable() []byte {
	return tableMap("shop", "docs", []byte{wire.TypeInt, wire.TypeVarChar, wire.TypeJSON}, []byte{40, 0, 4},
		meta(metaSigns, 0x80), meta(metaDefaultCharset, 0xfc, 255, 0), meta(metaNames, 2, "id", 4, "name", 3, "doc"),
		meta(metaKey, 0), meta(metaVisible, 0xe0))
}

var docColumns = []Column{
	{Name: "id", Type: "int unsigned", Out: 0}, {Name: "name", Type: "varchar(10)", Charset: "utf8mb4", Out: 1},
	{Name: "doc", Type: "json", Out: 2},
}

func docOut(t testing.TB) *plugin.Table {
	return newTable(t, plugin.Table{ID: plugin.TableID{Name: "docs"}, Key: []int{0}, Columns: []plugin.Column{
		{Name: "id", Type: plugin.TypeOf(plugin.BigInt)}, {Name: "name", Type: plugin.TypeOf(plugin.String)},
		{Name: "doc", Type: plugin.TypeOf(plugin.String)},
	}})
}

// doc is a value of a JSON column with its length.
func doc(b []byte) []byte { return cat(len(b), len(b)>>8, 0, 0, b) }

// rowsHead is the head of a rows event of version 2 with three columns and extra data in front.
func rowsHead(images int) []byte {
	extra := "\x01\x02\x03"
	return cat(tableNumber, 1, 0, u16(uint16(2+len(extra))), extra, 3, strings.Repeat("\x07", images))
}

// TestMySQL reads a log as MySQL 8 writes it.
func TestMySQL(t *testing.T) {
	w := newLog()
	w.add(PreviousGTIDs, cat(u64(1), testUUID[:], u64(2), u64(1), u64(6), u64(8), u64(9)))
	w.add(GTIDEvent, gtid(testUUID, 9, 1_700_000_000_123_456))
	w.add(Query, query("shop", "BEGIN"))
	w.add(TableMapEvent, docTable())
	before := cat(0, 1, 0, 0, 0x80, 3, "one", doc(encodeJSON(map[string]any{"a": 1, "list": []any{1, 2}})))
	w.add(WriteRowsV2, cat(rowsHead(1), before))
	w.add(XID, u64(77))
	changes := cat(
		patchReplace, 3, "$.a", 2, jsonLiteral, 1,
		patchInsert, 9, "$.list[1]", 4, jsonString, 2, "hi",
		patchRemove, 9, "$.list[0]")
	w.add(GTIDEvent, gtid(testUUID, 7, 1_700_000_001_000_000))
	w.add(Query, query("shop", "BEGIN"))
	w.add(TableMapEvent, docTable())
	w.add(PartialUpdateRows, cat(rowsHead(2), before, 1, 1, 0, 1, 0, 0, 0x80, 3, "two", doc(changes)))
	w.add(XID, u64(78))
	w.add(AnonymousGTID, gtid([16]byte{}, 0, 0))
	w.add(Query, query("shop", "CREATE TABLE x (id INT)"))
	f := &fakeServer{version: "8.0.36", events: w.events}
	s := f.open(t, Options{})
	tab := docOut(t)
	b := builder(tab)
	var seen []string
	each(t, s, func(e Event) {
		appendRows(t, s, e, tab, docColumns, b)
		if e.Type == XID {
			seen = append(seen, fmt.Sprint(s.GTID(), " ", s.CommitTime(), " ", s.Boundary()))
		}
	})
	diff(t, []string{
		`+I|2147483649|one|{"a": 1, "list": [1, 2]}`, `-U|2147483649|one|{"a": 1, "list": [1, 2]}`,
		`+U|2147483649|two|{"a": true, "list": ["hi", 2]}`,
	}, printed(b))
	diff(t, []string{
		testUUIDText + ":9 1700000000123456 binlog.000042:527 (" + testUUIDText + ":1-5:8-9)",
		testUUIDText + ":7 1700000001000000 binlog.000042:892 (" + testUUIDText + ":1-5:7-9)",
	}, seen)
	if end := s.Boundary(); end.Pos != uint64(w.at) || s.InTransaction() {
		t.Errorf("the end is %s, want %d", end, w.at)
	}
}

// appendRows reads table maps and appends rows to a builder.
func appendRows(t *testing.T, s *Stream, e Event, tab *plugin.Table, columns []Column, b *column.Builder) {
	t.Helper()
	if e.Type == TableMapEvent {
		if _, err := s.TableMap(e); err != nil {
			t.Fatal(err)
		}
	}
	if !e.Type.IsRows() {
		return
	}
	r, err := s.Rows(e)
	if err != nil {
		t.Fatal(err)
	}
	d, err := NewDecoder(r.Map, columns, tab, DecoderOptions{})
	if err != nil {
		t.Fatal(err)
	}
	d.Bind(b)
	if err := d.Open(r); err != nil {
		t.Fatal(err)
	}
	if _, err := d.AppendAll(); err != nil {
		t.Fatal(err)
	}
}

// TestPayload reads a transaction that MySQL has packed into one event.
func TestPayload(t *testing.T) {
	inner := cat(event(Query, 0, 0, query("shop", "BEGIN")), event(TableMapEvent, 0, 0, docTable()),
		event(WriteRowsV2, 0, 0, cat(rowsHead(1), 4, 5, 0, 0, 0, 4, "five")), event(XID, 0, 0, u64(1)))
	zip, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	packed := zip.EncodeAll(inner, nil)
	for name, payload := range map[string][]byte{
		"zstd":  cat(2, 1, 0, 3, 3, 0xfc, u16(uint16(len(inner))), 1, 1, len(packed), 0, packed),
		"plain": cat(2, 3, 0xfc, 255, 0, 0, inner),
	} {
		t.Run(name, func(t *testing.T) {
			w := newLog()
			w.add(GTIDEvent, gtid(testUUID, 1, 0))
			w.add(TransactionPacked, payload)
			w.add(GTIDEvent, gtid(testUUID, 2, 0))
			f := &fakeServer{version: "8.0.36", events: w.events}
			s := f.open(t, Options{From: Position{GTIDs: &GTIDs{}}})
			tab := docOut(t)
			b := builder(tab)
			var types []Type
			each(t, s, func(e Event) {
				types = append(types, e.Type)
				appendRows(t, s, e, tab, docColumns, b)
			})
			diff(t, []Type{Rotate, FormatDescription, GTIDEvent, Query, TableMapEvent, WriteRowsV2, XID, GTIDEvent}, types)
			diff(t, []string{"+I|5|five|NULL"}, printed(b))
			diff(t, testUUIDText+":1", s.Boundary().GTIDs.String())
		})
	}
	for name, payload := range map[string][]byte{
		"compression": cat(2, 1, 9, 0, inner), "head": cat(2, 9), "zstd": cat(2, 1, 0, 0, "no zstd"),
		"cut": cat(2, 3, 0xfc, 255, 0, 0, inner[:len(inner)-1]),
	} {
		w := newLog()
		w.add(TransactionPacked, payload)
		if err := failure(t, (&fakeServer{version: "8.0.36", events: w.events}).open(t, Options{})); !errors.Is(err,
			ErrCorrupt) {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

// failure reads a stream up to its error.
func failure(t *testing.T, s *Stream) error {
	t.Helper()
	for {
		if _, err := s.Next(t.Context()); err != nil {
			return err
		}
	}
}

// TestDumpGTID checks the request that a start by GTID sends to MySQL.
func TestDumpGTID(t *testing.T) {
	set, err := ParseGTIDs(testUUIDText + ":1-5:8")
	if err != nil {
		t.Fatal(err)
	}
	f := &fakeServer{version: "8.0.36"}
	s := f.open(t, Options{ServerID: 0x01020304, From: Position{File: "x", Pos: 9, GTIDs: set}, ByGTID: true,
		NonBlocking: true})
	if _, err := s.Next(t.Context()); !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	<-f.done
	diff(t, cat(0x1e, 5, 0, 4, 3, 2, 1, 0, 0, 0, 0, u64(4), 64, 0, 0, 0,
		u64(1), testUUID[:], u64(2), u64(1), u64(6), u64(8), u64(9)), f.dump)
	if all := strings.Join(f.queries, "\n"); strings.Contains(all, "slave_connect_state") ||
		!strings.Contains(all, "@source_binlog_checksum = @@global.binlog_checksum") {
		t.Errorf("the settings are %s", all)
	}
}

// TestDumpMariaDB checks the requests that MariaDB gets.
func TestDumpMariaDB(t *testing.T) {
	f := &fakeServer{version: "5.5.5-10.11.6-MariaDB"}
	set, err := ParseGTIDs("1-2-3,0-1-9")
	if err != nil {
		t.Fatal(err)
	}
	s := f.open(t, Options{ServerID: 9, From: Position{GTIDs: set}, Statements: true})
	if _, err := s.Next(t.Context()); !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	<-f.done
	diff(t, cat(0x12, 4, 0, 0, 0, 2, 0, 9, 0, 0, 0), f.dump)
	if all := strings.Join(f.queries, "\n"); !strings.Contains(all, "SET @slave_connect_state = '0-1-9,1-2-3'") ||
		!strings.Contains(all, "@mariadb_slave_capability = 4") {
		t.Errorf("the settings are %s", all)
	}
	f = &fakeServer{version: "8.0.36"}
	s = f.open(t, Options{ServerID: 9, From: Position{File: "binlog.000007", Pos: 1234}})
	_, _ = s.Next(t.Context())
	<-f.done
	diff(t, cat(0x12, 0xd2, 4, 0, 0, 0, 0, 9, 0, 0, 0, "binlog.000007"), f.dump)
}

func TestDamagedEvents(t *testing.T) {
	log := func(change func(*logWriter)) [][]byte {
		w := newLog()
		change(w)
		return w.events
	}
	last := func(w *logWriter) []byte { return w.events[len(w.events)-1] }
	for name, c := range map[string]struct {
		events [][]byte
		want   error
	}{
		"checksum":     {log(func(w *logWriter) { w.add(XID, u64(1)); last(w)[20] ^= 1 }), ErrCorrupt},
		"short":        {log(func(w *logWriter) { w.events = append(w.events, []byte("short")) }), ErrCorrupt},
		"size":         {log(func(w *logWriter) { w.add(XID, u64(1)); last(w)[9]++ }), ErrCorrupt},
		"incident":     {log(func(w *logWriter) { w.add(Incident, cat(1, 0, 4, "lost")) }), ErrIncident},
		"gtid":         {log(func(w *logWriter) { w.add(GTIDEvent, []byte{1, 2}) }), ErrCorrupt},
		"tagged gtid":  {log(func(w *logWriter) { w.add(GTIDTagged, []byte{2, 2, 0, 2, 9}) }), ErrCorrupt},
		"new field":    {log(func(w *logWriter) { w.add(GTIDTagged, []byte{2, 8, 0x18, 0x18}) }), ErrCorrupt},
		"previous":     {log(func(w *logWriter) { w.add(PreviousGTIDs, u64(1)) }), ErrCorrupt},
		"rotate":       {log(func(w *logWriter) { w.add(Rotate, []byte{1}) }), ErrCorrupt},
		"format":       {[][]byte{checked(event(FormatDescription, 0, 0, make([]byte, 99)))}, ErrCorrupt},
		"maria gtid":   {log(func(w *logWriter) { w.add(MariaGTID, []byte{1}) }), ErrCorrupt},
		"compressed":   {log(func(w *logWriter) { w.add(writeCompressedV1, []byte{1}) }), ErrCorrupt},
		"packed query": {log(func(w *logWriter) { w.add(queryCompressed, query("", "\x81\x05junk")) }), ErrCorrupt},
	} {
		t.Run(name, func(t *testing.T) {
			err := failure(t, (&fakeServer{version: "8.0.36", events: c.events}).open(t, Options{}))
			if !errors.Is(err, c.want) {
				t.Errorf("error %v, want %v", err, c.want)
			}
		})
	}
	events := log(func(w *logWriter) { w.add(XID, u64(1)); last(w)[20] ^= 1 })
	s := (&fakeServer{version: "8.0.36", events: events}).open(t, Options{NoVerify: true})
	if err := failure(t, s); !errors.Is(err, io.EOF) {
		t.Errorf("without checks: %v", err)
	}
}

// TestLongLog goes on counting behind 4 GiB.
func TestLongLog(t *testing.T) {
	w := newLog()
	w.at = 1<<32 - 100
	w.add(AnonymousGTID, gtid([16]byte{}, 0, 0))
	w.add(Query, query("", "BEGIN"))
	w.add(XID, u64(1))
	s := (&fakeServer{version: "8.0.36", events: w.events}).open(t, Options{})
	each(t, s, func(Event) {})
	if got, want := s.Boundary().Pos, uint64(1<<32)+uint64(w.at); got != want {
		t.Errorf("the position is %d, want %d", got, want)
	}
}

// TestMetadata reads the optional metadata of a table with a column of each sort.
func TestMetadata(t *testing.T) {
	types := []byte{wire.TypeInt, wire.TypeYear, wire.TypeTiny, wire.TypeDate, wire.TypeNewDecimal, wire.TypeVarChar,
		wire.TypeGeometry, wire.TypeString, wire.TypeString, wire.TypeBlob}
	metas := cat(10, 2, 40, 0, 4, 0xf7, 1, 0xf8, 1, 2)
	m, err := parseTableMap(tableMap("s", "t", types, metas,
		meta(metaSigns, 0x30), // the year's bit is 0 in MySQL
		meta(metaDefaultCharset, 45, 1, 63, 2, 8, 9, 9),
		meta(metaListDefault, 33, 1, 11),
		meta(metaEnumValues, 2, 1, "x", 1, "y"), meta(metaSetValues, 1, 1, "z"),
		meta(metaNames, 1, "a", 1, "b", 1, "c", 1, "d", 1, "e", 1, "f", 1, "g", 1, "h", 1, "i", 1, "j"),
		meta(metaKeyWithPrefix, 5, 3, 0, 0), meta(metaVisible, 0xff, 0x80), meta(99, "unknown"))[tableNumberSize:])
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range m.Columns {
		got = append(got, strings.TrimSpace(fmt.Sprintln(c.Name, c.Signs, c.Unsigned, c.Collation, c.Values, c.Invisible)))
	}
	diff(t, []string{
		"a true false 0 [] false", "b true false 0 [] false", "c true true 0 [] false", "d false false 0 [] false",
		"e true true 0 [] false", "f false false 45 [] false", "g false false 63 [] false", "h false false 33 [x y] false",
		"i false false 11 [z] false", "j false false 8 [] true",
	}, got)
	diff(t, []int{5, 0}, m.Key)
	for _, bad := range [][]byte{meta(metaSigns), meta(metaNames, 9, "a"), meta(metaKey, 99),
		meta(metaVisible, 1), {1, 9}} {
		if _, err := parseTableMap(tableMap("s", "t", types, metas, bad)[tableNumberSize:]); !errors.Is(err, ErrCorrupt) {
			t.Errorf("%x: error %v", bad, err)
		}
	}
}

// TestTaggedGTID reads an event of MySQL 8.4 that was recorded.
func TestTaggedGTID(t *testing.T) {
	body, err := hex.DecodeString("0278000000" + "02aaaaaaaa8888666644442222222222" + "220473201b0614" +
		"7365636f6e6474657374" +
		"08c10e0ad10e0c7f23354861bd26061059" + "0412a3ff0a")
	if err != nil {
		t.Fatal(err)
	}
	w := newLog()
	w.add(GTIDTagged, body)
	w.add(Query, query("", "CREATE TABLE a (id INT)"))
	s := (&fakeServer{version: "8.4.3", events: w.events}).open(t, Options{From: Position{GTIDs: &GTIDs{}}})
	each(t, s, func(Event) {})
	const want = "55555555-4444-3333-2222-111111111111:secondtest:111111"
	if got := s.Boundary().GTIDs.String(); got != want || s.GTID().String() != want || s.CommitTime() != 1731444683060515 {
		t.Errorf("%s, %s at %d, want %s", got, s.GTID(), s.CommitTime(), want)
	}
}
