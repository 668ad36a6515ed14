package binlog

import (
	"context"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/column"
	"github.com/culvertdata/culvert/plugin/jdbc"
	"github.com/culvertdata/culvert/plugin/jdbc/mysql"
)

// snapshot reads a table as the Jdbc source does.
func (f *fixture) snapshot(t testing.TB, table string, properties map[string]string) (*plugin.Table, []string) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	db, err := mysql.Dialect().Open(jdbc.Connection{
		URL: f.db.URL, User: f.db.User, Password: f.db.Password, Properties: properties,
	})
	if err != nil {
		t.Fatal(err)
	}
	cat, err := db.Catalog(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer cat.Close()
	r, err := cat.Describe(ctx, jdbc.Request{Path: f.name + "." + table})
	if err != nil {
		t.Fatal(err)
	}
	sc, err := db.Scanner(ctx, memory.DefaultAllocator)
	if err != nil {
		t.Fatal(err)
	}
	defer sc.Close()
	if err := sc.Open(ctx, r, jdbc.Range{}); err != nil {
		t.Fatal(err)
	}
	b := column.NewBuilder(r.Table, memory.DefaultAllocator)
	for err == nil {
		_, err = sc.Read(ctx, b, 1000)
	}
	return r.Table, printed(b)
}

// everyType has a column of each type, and rows of usual and of extreme values.
const everyType = `CREATE TABLE a (id INT PRIMARY KEY,
	t TINYINT, tu TINYINT UNSIGNED, b1 TINYINT(1), s SMALLINT, su SMALLINT UNSIGNED, m MEDIUMINT, mu MEDIUMINT UNSIGNED,
	i INT, iu INT UNSIGNED, l BIGINT, lu BIGINT UNSIGNED, f FLOAT, d DOUBLE,
	n DECIMAL(12,2), nn DECIMAL(38,10), nu DECIMAL(5,5) UNSIGNED, n0 DECIMAL(18,0), n9 DECIMAL(9,9), big DECIMAL(60,5),
	y YEAR, da DATE, ti TIME, ti1 TIME(1), ti3 TIME(3), ti6 TIME(6), dt DATETIME, dt2 DATETIME(2), dt6 DATETIME(6),
	ts TIMESTAMP NULL, ts4 TIMESTAMP(4) NULL, ts6 TIMESTAMP(6) NULL,
	c CHAR(10), c255 CHAR(255), vc VARCHAR(20), vl VARCHAR(2000), l1 VARCHAR(20) CHARACTER SET latin1,
	cl CHAR(200) CHARACTER SET latin1, gbk VARCHAR(20) CHARACTER SET gbk, big5 CHAR(9) CHARACTER SET big5,
	sj VARCHAR(20) CHARACTER SET sjis, u2 VARCHAR(20) CHARACTER SET ucs2, u16 CHAR(20) CHARACTER SET utf16,
	u32 VARCHAR(20) CHARACTER SET utf32, asc1 VARCHAR(20) CHARACTER SET ascii, cp VARCHAR(9) CHARACTER SET cp1251,
	bin BINARY(5), bin1 BINARY, vb VARBINARY(300), tt TINYTEXT, tx TEXT, mt MEDIUMTEXT, lt LONGTEXT,
	txl TEXT CHARACTER SET latin1, tb TINYBLOB, bl BLOB, mb MEDIUMBLOB, lb LONGBLOB,
	e ENUM('one','two''s','thr,ee','vier ü'), se SET('a','b','c d','é'), bit1 BIT, bit9 BIT(9), bit64 BIT(64), j JSON,
	g GEOMETRY, p POINT, gen INT AS (id * 2) STORED, gv INT AS (id + 1) VIRTUAL, cm TEXT COMPRESSED,
	vcm VARCHAR(500) COMPRESSED, uu UUID, i6 INET6, i4 INET4)`

var everyValue = []string{
	`INSERT INTO a (id) VALUES (1)`,
	`INSERT INTO a VALUES (2, -128, 0, 0, -32768, 0, -8388608, 0, -2147483648, 0, -9223372036854775808, 0, -1.5, -1e300,
	-9999999999.99, -1234567890123456789012345678.0123456789, 0, -999999999999999999, -0.123456789,
	-12345678901234567890.12345, 1901, '1000-01-01', '00:00:00', '00:00:00.1', '00:00:00.001', '00:00:00.000001',
	'1000-01-01 00:00:00', '1000-01-01 00:00:00.01', '1000-01-01 00:00:00.000001',
	'1970-01-02 00:00:01', '1970-01-02 00:00:01.0001', '1970-01-02 00:00:01.000001',
	'', '', '', '', '', '', '', '', '', '', '', '', '', '', '', '', '', '', '', '', '', '', '', '', '', '',
	'one', '', 0, 0, 0, '{}', ST_GeomFromText('POINT(1 2)'), ST_GeomFromText('POINT(3 4)'), DEFAULT, DEFAULT, '', '',
	'00000000-0000-0000-0000-000000000000', '::', '0.0.0.0')`,
	`INSERT INTO a VALUES (3, 127, 255, 1, 32767, 65535, 8388607, 16777215, 2147483647, 4294967295, 9223372036854775807,
	18446744073709551615, 3.25e30, 1.7976931348623157e308, 9999999999.99, 1234567890123456789012345678.0123456789, 0.99999,
	999999999999999999, 0.123456789, 12345678901234567890.12345, 2155, '9999-12-31', '23:59:59', '23:59:59.9',
	'23:59:59.999', '23:59:59.999999', '9999-12-31 23:59:59', '9999-12-31 23:59:59.99', '9999-12-31 23:59:59.999999',
	'2038-01-18 03:14:07', '2038-01-18 03:14:07.9999', '2038-01-18 03:14:07.999999',
	'é  ', REPEAT('ü', 255), 'a  ', REPEAT('long ', 400), 'déjà €', 'größe', '中文', '中文', 'ﾃﾞ日本', '日本é', 'déjà𝄞',
	'x𝄞y', 'ascii', 'привет', '\0a\0', 'z', REPEAT(x'00ff', 150), 'tiny', REPEAT('text', 10000), 'médium', 'löng',
	'latin é', x'00', x'deadbeef00', x'ff00', REPEAT(x'0102', 40000), 'vier ü', 'a,c d,é', 1, 257,
	18446744073709551615, '{"a": [1, 2.5, "x\\"y"]}', ST_GeomFromText('LINESTRING(0 0,1 1)'), ST_GeomFromText('POINT(-1 -2)'),
	DEFAULT, DEFAULT, REPEAT('squeeze ', 100), REPEAT('squash ', 50), '123e4567-e89b-12d3-a456-426655440000',
	'2001:db8::ff00:42:8329', '192.0.2.1')`,
	`INSERT INTO a (id, da, dt, ts, e, se, uu, i6, bin, u16) VALUES (4, '2024-02-29', '2024-02-29 12:34:56',
	'2024-07-01 12:34:56', 'two''s', 'b', '00000000-0000-7000-8000-0000000000ff', '::ffff:192.0.2.128', 'abcde',
	REPEAT('x', 20))`,
}

// TestEveryType compares what the log gives with what the Jdbc source reads.
func TestEveryType(t *testing.T) {
	f := newFixture(t, everyType)
	from := f.now(t)
	f.run(t, everyValue...)
	for _, zone := range []string{"+00:00", "+05:30"} {
		tab, want := f.snapshot(t, "a", map[string]string{"serverTimezone": zone})
		loc, err := Zone(zone)
		if err != nil {
			t.Fatal(err)
		}
		b := builder(tab)
		f.eachRows(t, f.open(t, Options{From: from}), "a", func(r Rows) {
			d, err := NewDecoder(r.Map, f.columns(t, "a"), tab, DecoderOptions{Zone: loc})
			if err != nil {
				t.Fatal(err)
			}
			d.Bind(b)
			if err := d.Open(r); err != nil {
				t.Fatal(err)
			}
			if _, err := d.AppendAll(); err != nil {
				t.Error(err)
			}
		})
		got := printed(b)
		if len(got) != len(want) {
			t.Fatalf("%d rows, want %d", len(got), len(want))
		}
		for i := range want {
			a, b := strings.Split(want[i], "|"), strings.Split(got[i], "|")
			for j := range a {
				if a[j] != b[j] {
					t.Errorf("row %d, column %s: %.60q, want %.60q", i, append([]string{"kind"}, tab.Names()...)[j], b[j], a[j])
				}
			}
		}
	}
}
