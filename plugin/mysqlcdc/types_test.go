package mysqlcdc_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/culvertdata/culvert/plugin/internal/dbtest"
)

// everyType is a table with a column of each type, and rows of ordinary, extreme and missing values.
const everyType = `CREATE TABLE %s (id INT PRIMARY KEY, t TINYINT, tu TINYINT UNSIGNED, b1 TINYINT(1), s SMALLINT,
	su SMALLINT UNSIGNED, m MEDIUMINT, mu MEDIUMINT UNSIGNED, i INT, iu INT UNSIGNED, b BIGINT, bu BIGINT UNSIGNED,
	d DECIMAL(10,2), d38 DECIMAL(38,10), du DECIMAL(12,3) UNSIGNED, f FLOAT, db DOUBLE, bt BIT, b9 BIT(9), b64 BIT(64), y YEAR,
	day DATE, tm TIME, tm3 TIME(3), dt DATETIME, dt6 DATETIME(6), ts TIMESTAMP NULL, ts4 TIMESTAMP(4) NULL,
	c CHAR(10), vc VARCHAR(300), l1 VARCHAR(20) CHARACTER SET latin1, u2 VARCHAR(20) CHARACTER SET ucs2,
	u3 TEXT CHARACTER SET utf8mb3, tt TINYTEXT, mt MEDIUMTEXT, lt LONGTEXT, bi BINARY(5), vb VARBINARY(300), bl BLOB,
	e ENUM('one','two','drei é'), st SET('a','b','c'), j JSON, ip INET6, uu UUID,
	gv INT AS (id * 2) VIRTUAL, gs VARCHAR(20) AS (CONCAT('g', id)) STORED)`

// insertTypes inserts rows of every type, numbered from an offset.
func insertTypes(table string, from int) string {
	const columns = `id, t, tu, b1, s, su, m, mu, i, iu, b, bu, d, d38, du, f, db, bt, b9, b64, y, day, tm, tm3, dt, dt6, ts, ts4,
		c, vc, l1, u2, u3, tt, mt, lt, bi, vb, bl, e, st, j, ip, uu`
	rows := []string{
		`127, 255, 1, 32767, 65535, 8388607, 16777215, 2147483647, 4294967295, 9223372036854775807, 18446744073709551615,
		99999999.99, 9999999999999999999999999999.9999999999, 999999999.999, 3.25, 1.7976931348623157e308, b'1', b'111111111',
		x'ffffffffffffffff', 2155, '9999-12-31', '23:59:59', '23:59:59.999', '9999-12-31 23:59:59',
		'9999-12-31 23:59:59.999999', '2038-01-19 03:14:07', '2038-01-19 03:14:07.9999', 'é', REPEAT('日本', 100), 'äöüß', 'ΑΒΓ',
		'ж', 't', 'm', REPEAT('x', 70000), x'0001020304', x'00ff00', x'deadbeef00', 'drei é', 'a,b,c',
		'{"a": [1, 2.5, null, "é", true], "b": {}}', '::1', '123e4567-e89b-12d3-a456-426655440000'`,
		`-128, 0, 0, -32768, 0, -8388608, 0, -2147483648, 0, -9223372036854775808, 0, -99999999.99,
		-9999999999999999999999999999.9999999999, 0, -0.5, -2.2250738585072014e-308, b'0', b'0', x'0000000000000000', 1901,
		'1000-01-01', '00:00:00', '00:00:00.001', '1000-01-01 00:00:00', '1000-01-01 00:00:00.000001', '1970-01-01 00:00:01',
		'1970-01-01 00:00:01.0001', '', '', '', '', '', '', '', '', '', '', '', 'one', '', '[]', 'ffff::', 
		'00000000-0000-0000-0000-000000000000'`,
		strings.TrimSuffix(strings.Repeat("NULL, ", 43), ", "),
		`1, 2, 1, 3, 4, 5, 6, 7, 8, 9, 10, 1.10, -0.0000000001, 0.001, 1e10, 0.1, b'1', b'101', b'1', 2024, '2024-02-29', '12:30:00',
		'12:30:00.5', '2024-06-30 12:00:00', '2024-06-30 12:00:00.123456', '2024-03-31 01:30:00', '2024-10-27 01:30:00.5',
		'pad  ', 'q''uote\\"', 'x', 'y', 'z', '😀', '😀', '😀', 'ab', 'a\0b', '', 'two', 'b', '"text"', '1::4',
		'ffffffff-ffff-ffff-ffff-ffffffffffff'`,
	}
	var values []string
	for n, row := range rows {
		values = append(values, fmt.Sprintf("(%d, %s)", from+n, row))
	}
	return fmt.Sprintf("INSERT INTO %s (%s) VALUES %s", table, columns, strings.Join(values, ", "))
}

// TestTypes reads every type by the snapshot and by the log: both give the same.
func TestTypes(t *testing.T) {
	for _, zone := range []string{"", "+05:30"} {
		t.Run("zone "+zone, func(t *testing.T) {
			f := newFixture(t, fmt.Sprintf(everyType, "a"), insertTypes("a", 1))
			options := f.names("a")
			if zone != "" {
				options += fmt.Sprintf(", server-time-zone = %q", zone)
			}
			text := f.job("", options)
			if zone != "" { // what is shown in a zone is a time of day there
				text = strings.Replace(text, "/"+f.to+`"`, "/"+f.to+`?serverTimezone=%2B05:30"`, 1)
			}
			job := start(t, text)
			same := func() string { return f.difference("a", "*", "id") }
			dbtest.Eventually(t, job, same)
			f.Exec(insertTypes("a", 101))
			dbtest.Eventually(t, job, same)
			f.Exec("UPDATE a SET id = id + 1000, d = d / 3, vc = REVERSE(vc), dt6 = NULL")
			dbtest.Eventually(t, job, same)
			f.Exec("DELETE FROM a WHERE id % 2 = 0")
			dbtest.Eventually(t, job, same)
		})
	}
}
