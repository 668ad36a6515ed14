package binlog

import (
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/internal/mysql/wire"
)

// TestDecimals decodes the examples of the servers' documentation, and others with groups of all sizes.
func TestDecimals(t *testing.T) {
	for _, c := range []struct {
		digits, scale int
		bytes, want   string
	}{
		{14, 4, "810dfb38d204d2", "1234567890.1234"},
		{14, 4, "7ef204c72dfb2d", "-1234567890.1234"},
		{2, 1, "8105", "1.5"},
		{2, 2, "85", "0.05"},
		{2, 2, "7a", "-0.05"},
		{1, 0, "80", "0"},
		{9, 9, "8000007b", "0.000000123"},
		{18, 0, "bb9ac9ff3b9ac9ff", "999999999999999999"},
		{20, 0, "e33b9ac9ff3b9ac9ff", "99999999999999999999"},
		{38, 10, "8000000000000000000000000000000000000000"[:36], "0.0000000000"},
	} {
		b, err := hex.DecodeString(c.bytes)
		if err != nil {
			t.Fatal(err)
		}
		d := newDecimal(c.digits, c.scale)
		if d.size != len(b) {
			t.Errorf("decimal(%d,%d) has %d bytes, want %d", c.digits, c.scale, d.size, len(b))
			continue
		}
		if got := string(d.appendText(nil, b)); got != c.want {
			t.Errorf("decimal(%d,%d) %s is %s, want %s", c.digits, c.scale, c.bytes, got, c.want)
		}
		if got := d.long(b).BigInt().String(); got != unscaled(c.want) {
			t.Errorf("decimal(%d,%d) %s is %s, want %s", c.digits, c.scale, c.bytes, got, unscaled(c.want))
		}
		if got := d.long(b).BigInt(); c.digits <= maxShort && got.Int64() != d.short(b) {
			t.Errorf("decimal(%d,%d) %s is %d, want %s", c.digits, c.scale, c.bytes, d.short(b), got)
		}
	}
}

// unscaled returns the digits of a decimal without its point.
func unscaled(text string) string {
	digits := strings.TrimLeft(strings.NewReplacer(".", "", "-", "").Replace(text), "0")
	switch {
	case digits == "":
		return "0"
	case strings.HasPrefix(text, "-"):
		return "-" + digits
	}
	return digits
}

// TestOldTimes decodes the forms of MySQL before 5.6.
func TestOldTimes(t *testing.T) {
	at := oldDateTimeOf(u64(20240229123456))
	diff(t, wire.DateTime{Year: 2024, Month: 2, Day: 29, Hour: 12, Minute: 34, Second: 56}, at)
	for micros, b := range map[int64][]byte{
		(12*3600 + 34*60 + 56) * second:        {0x40, 0xe2, 0x01}, // 123456
		-((838*60+59)*60 + 59) * int64(second): {0x59, 0x0a, 0x80}, // -8385959
	} {
		if got := oldTimeOf(b); got != micros {
			t.Errorf("%x is %d, want %d", b, got, micros)
		}
	}
	f := field{log: LogColumn{Type: wire.TypeTimestamp}, zone: &zone{loc: time.UTC}}
	diff(t, wire.DateTime{Year: 1970, Month: 1, Day: 2}, f.dateTime([]byte{0x80, 0x51, 1, 0}))
	diff(t, wire.DateTime{}, f.dateTime(make([]byte, 4)))
}

// TestTimes decodes times with fractions on both sides of zero.
func TestTimes(t *testing.T) {
	for _, c := range []struct {
		bytes    string
		fraction int
		want     string
	}{
		{"800000", 0, "00:00:00.000000"},
		{"80000000", 1, "00:00:00.000000"},
		{"8000010a", 1, "00:00:01.100000"},
		{"7ffffef6", 1, "-00:00:01.100000"},
		{"7ffffffffff0", 3, "-00:00:00.000016"},
		{"b46efb", 0, "838:59:59.000000"},
		{"7fffff", 0, "-00:00:01.000000"},
	} {
		b, err := hex.DecodeString(c.bytes)
		if err != nil {
			t.Fatal(err)
		}
		if got := string(appendTime(nil, timeOf(b, c.fraction))); got != c.want {
			t.Errorf("%s is %s, want %s", c.bytes, got, c.want)
		}
	}
}

func TestZones(t *testing.T) {
	for _, name := range []string{"UTC", "+02:00", "-05:30", "Europe/Berlin", "America/New_York"} {
		loc, err := Zone(name)
		if err != nil {
			t.Fatal(err)
		}
		z := &zone{loc: loc}
		for _, at := range []int64{0, 1, 1_711_846_799, 1_711_846_800, 1_729_990_800, 1_729_990_799, 1 << 31, 1 << 32} {
			local := time.Unix(at, 0).In(loc)
			_, offset := local.Zone()
			if got := z.local(at); got != at+int64(offset) {
				t.Errorf("%s: %d is %d, want %d", name, at, got, at+int64(offset))
			}
		}
	}
	for _, name := range []string{"", "+2", "+99:00", "nowhere", "+a:b"} {
		if _, err := Zone(name); err == nil {
			t.Errorf("%q is a time zone", name)
		}
	}
}

func TestColumnTypes(t *testing.T) {
	for text, want := range map[string]columnType{
		"int(10) unsigned zerofill":           {name: "int", args: []int{10}, unsigned: true},
		"bigint":                              {name: "bigint"},
		"decimal(10,2)":                       {name: "decimal", args: []int{10, 2}},
		"double unsigned":                     {name: "double", unsigned: true},
		"enum('a','it''s','c,d)','')":         {name: "enum", values: []string{"a", "it's", "c,d)", ""}},
		"varchar(10) /*M!100301 COMPRESSED*/": {name: "varchar", args: []int{10}},
		"enum('unsigned')":                    {name: "enum", values: []string{"unsigned"}},
	} {
		got, err := parseColumnType(text)
		if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s is %v, %v, want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"int(", "int(x)", "enum('a", "enum('a'", "decimal(10"} {
		if got, err := parseColumnType(text); err == nil {
			t.Errorf("%s is %v", text, got)
		}
	}
}

// TestOtherColumns refuses columns that the log does not have.
func TestOtherColumns(t *testing.T) {
	m, err := parseTableMap(docTable()[tableNumberSize:])
	if err != nil {
		t.Fatal(err)
	}
	change := func(i int, c Column) []Column {
		list := slices.Clone(docColumns)
		c.Out = i
		list[i] = c
		return list
	}
	for name, columns := range map[string][]Column{
		"fewer":    docColumns[:2],
		"name":     change(1, Column{Name: "other", Type: "varchar(10)", Charset: "utf8mb4"}),
		"type":     change(1, Column{Name: "name", Type: "text", Charset: "utf8mb4"}),
		"sign":     change(0, Column{Name: "id", Type: "int"}),
		"width":    change(0, Column{Name: "id", Type: "bigint unsigned"}),
		"unknown":  change(2, Column{Name: "doc", Type: "hologram"}),
		"geometry": change(2, Column{Name: "doc", Type: "point"}),
	} {
		if _, err := NewDecoder(m, columns, docOut(t), DecoderOptions{}); !errors.Is(err, ErrColumns) {
			t.Errorf("%s: error %v", name, err)
		}
	}
	if _, err := NewDecoder(m, change(1, Column{Name: "name", Type: "varchar(10)", Charset: "klingon"}), docOut(t),
		DecoderOptions{}); err == nil || !strings.Contains(err.Error(), "klingon") {
		t.Errorf("error %v", err)
	}
}

// TestConversions reads columns into an out table of other types.
func TestConversions(t *testing.T) {
	f := newFixture(t,
		`CREATE TABLE a (id INT PRIMARY KEY, b BIGINT UNSIGNED, d DECIMAL(5,2), s VARCHAR(20), t DATETIME, e ENUM('1','2'))`)
	from := f.now(t)
	f.run(t, "INSERT INTO a VALUES (1, 7, 1.50, '12', '2024-01-02 03:04:05', '2')")
	tab := newTable(t, plugin.Table{ID: plugin.TableID{Name: "a"}, Columns: []plugin.Column{
		{Name: "extra", Type: plugin.TypeOf(plugin.Int)}, {Name: "s", Type: plugin.TypeOf(plugin.Int)},
		{Name: "d", Type: plugin.DecimalOf(10, 4)}, {Name: "b", Type: plugin.TypeOf(plugin.SmallInt)},
		{Name: "id", Type: plugin.TypeOf(plugin.String)}, {Name: "t", Type: plugin.TypeOf(plugin.String)},
		{Name: "e", Type: plugin.TypeOf(plugin.BigInt)},
	}})
	columns := f.columns(t, "a")
	for i, c := range columns {
		columns[i].Out = tab.Index(c.Name)
	}
	b := builder(tab)
	f.eachRows(t, f.open(t, Options{From: from}), "a", func(r Rows) {
		d, err := NewDecoder(r.Map, columns, tab, DecoderOptions{})
		if err != nil {
			t.Fatal(err)
		}
		d.Bind(b)
		if err := d.Open(r); err != nil {
			t.Fatal(err)
		}
		if err := d.Append(); err != nil {
			t.Fatal(err)
		}
	})
	diff(t, []string{"+I|NULL|12|1.5000|7|1|2024-01-02 03:04:05.000000|2"}, printed(b))
}

// TestBadValues names the column, the row and what to do, and goes on behind the row.
func TestBadValues(t *testing.T) {
	f := newFixture(t, "CREATE TABLE a (id INT PRIMARY KEY, b TINYINT(1), t TIME, d DATE, dt DATETIME, ts TIMESTAMP NULL)",
		"SET SESSION sql_mode = 'ALLOW_INVALID_DATES'")
	for _, c := range []struct {
		values, want, fix string
		o                 DecoderOptions
	}{
		{"2, NULL, NULL, NULL, NULL", "column b is BOOLEAN, its value is \"2\"", "tinyInt1isBit", DecoderOptions{}},
		{"NULL, '25:00:00', NULL, NULL, NULL", "column t is TIME, its value is \"25:00:00.000000\"", "number",
			DecoderOptions{}},
		{"NULL, '-00:00:01', NULL, NULL, NULL", "-00:00:01", "number", DecoderOptions{}},
		{"NULL, NULL, '0000-00-00', NULL, NULL", "no day of the calendar", "CONVERT_TO_NULL", DecoderOptions{}},
		{"NULL, NULL, '2024-02-31', NULL, NULL", "2024-02-31", "", DecoderOptions{ZeroDates: ZeroIsNull}},
		{"NULL, NULL, NULL, '2024-00-01 00:00:00', NULL", "2024-00-01", "", DecoderOptions{ZeroDates: ZeroIsNull}},
		{"NULL, NULL, NULL, NULL, 0", "no day", "", DecoderOptions{}},
		{"NULL, NULL, '0000-00-00', '0000-00-00 00:00:00', 0", "", "+I|7|NULL|NULL|NULL|NULL|NULL",
			DecoderOptions{ZeroDates: ZeroIsNull}},
	} {
		from := f.now(t)
		f.run(t, "INSERT INTO a VALUES (7, "+c.values+"), (8, 1, NULL, NULL, NULL, NULL)", "DELETE FROM a")
		tab, _ := f.snapshot(t, "a", nil)
		b := builder(tab)
		seen := false
		f.eachRows(t, f.open(t, Options{From: from}), "a", func(r Rows) {
			if r.Change != Insert {
				return
			}
			seen = true
			d, err := NewDecoder(r.Map, f.columns(t, "a"), tab, c.o)
			if err != nil {
				t.Fatal(err)
			}
			d.Bind(b)
			if err := d.Open(r); err != nil {
				t.Fatal(err)
			}
			err = d.Append()
			if c.want == "" {
				if err != nil {
					t.Error(err)
				}
				diff(t, c.fix, printed(b)[0])
				return
			}
			var e *plugin.Error
			if !errors.As(err, &e) || !strings.Contains(e.Err.Error(), c.want) || !strings.Contains(e.Fix, c.fix) ||
				e.Row != "row with id = 7" || e.Code != plugin.CodeData {
				t.Errorf("%s: error %v", c.values, err)
			}
			if b.Len() != 0 || !d.More() {
				t.Errorf("%s: %d rows, more: %v", c.values, b.Len(), d.More())
			}
			if err := d.Append(); err != nil || d.More() {
				t.Errorf("%s: the row behind it: %v", c.values, err)
			}
			diff(t, []string{"+I|8|true|NULL|NULL|NULL|NULL"}, printed(b))
		})
		if !seen {
			t.Error("no rows")
		}
	}
}

// TestFilter takes rows by their keys, as a hand-over from a snapshot does.
func TestFilter(t *testing.T) {
	f := newFixture(t, "CREATE TABLE a (id INT PRIMARY KEY, v INT)")
	from := f.now(t)
	f.run(t, "INSERT INTO a SELECT seq, seq FROM seq_1_to_10", "UPDATE a SET id = id + 100 WHERE id > 7")
	tab, _ := f.snapshot(t, "a", nil)
	b := builder(tab)
	var before, after Value
	f.eachRows(t, f.open(t, Options{From: from}), "a", func(r Rows) {
		d, err := NewDecoder(r.Map, f.columns(t, "a"), tab, DecoderOptions{})
		if err != nil {
			t.Fatal(err)
		}
		d.Bind(b)
		if err := d.Open(r); err != nil {
			t.Fatal(err)
		}
		for d.More() {
			if err := errors.Join(d.Key(0, Before, &before), d.Key(0, After, &after)); err != nil {
				t.Fatal(err)
			}
			act := d.Skip
			if before.Int > 5 && after.Int != 109 {
				act = d.Append
			}
			if err := act(); err != nil {
				t.Fatal(err)
			}
		}
	})
	diff(t, []string{"+I|6|6", "+I|7|7", "+I|8|8", "+I|9|9", "+I|10|10", "-U|8|8", "+U|108|8", "-U|10|10", "+U|110|10"},
		printed(b))
}

func TestKindsOfErrors(t *testing.T) {
	for _, c := range []struct {
		number uint16
		text   string
		want   error
	}{
		{1236, "Could not find first log file name in binary log index file", ErrPurged},
		{1236, "The slave is connecting using CHANGE MASTER TO MASTER_AUTO_POSITION = 1, but the master has purged " +
			"binary logs", ErrPurged},
		{1236, "Cannot replicate because the source purged required binary logs.", ErrPurged},
		{1236, "Could not find GTID state requested by slave in any binlog files. Probably the slave state is too old",
			ErrPurged},
		{1236, "A slave with the same server_uuid/server_id as this slave has connected to the master", ErrServerID},
		{1236, "A replica with the same server_uuid/server_id as this replica has connected to the source", ErrServerID},
		{1236, "Client requested master to start replication from impossible position", ErrPosition},
		{1236, "Slave has more GTIDs than the master has, using the master's SERVER_UUID", ErrPosition},
		{1236, "Error: connecting slave requested to start from GTID 0-1-9, which is not in the master's binlog",
			ErrPosition},
		{1236, "binlog truncated in the middle of event; consider out of disk space on master; the first event " +
			"'binlog.000001' at 4, the last event read from 'binlog.000001' at 256", ErrTorn},
		{1236, "Binary log is not open", errNoLog},
		{1227, "Access denied; you need (at least one of) the REPLICATION SLAVE privilege(s)", ErrDenied},
		{1789, "purged", ErrPurged},
		{4052, "A slave with the same server_uuid/server_id is already connected", ErrServerID},
		{1064, "You have an error", nil},
	} {
		err := explain(fmt.Errorf("reading: %w", &wire.Error{Number: c.number, Message: c.text}))
		var e *wire.Error
		if !errors.As(err, &e) || c.want != nil && !errors.Is(err, c.want) || c.want == nil && kindOf(e) != nil {
			t.Errorf("%d %s: error %v, want %v", c.number, c.text, err, c.want)
		}
	}
}
