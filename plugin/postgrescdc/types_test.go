package postgrescdc_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/culvertdata/culvert/engine"
)

// binaryTypes are columns whose values come in binary form, with values as SQL.
var binaryTypes = [][]string{
	{"boolean", "true", "false"},
	{"smallint", "-32768", "32767"},
	{"integer", "-2147483648", "2147483647"},
	{"bigint", "-9223372036854775808", "9223372036854775807"},
	{"real", "1.5", "-3.4e38", "'NaN'", "'Infinity'"},
	{"double precision", "0.1", "-1e308", "'NaN'"},
	{"numeric(10,5)", "12345.67891", "-0.00001", "0"},
	{"numeric(38,0)", "99999999999999999999999999999999999999", "-1"},
	{"numeric", "1.5", "12345678901234567890.123456789012345678", "-0.000000000000000001"},
	{"numeric(5,-2)", "12300"},
	{"text", "'ä€𝄞'", "''", "'NULL'", "repeat('x', 5000)"},
	{"varchar(20)", "'a,b\"c{}'"},
	{"char(5)", "'ab'"},
	{"name", "'n'"},
	{"bytea", `'\x00ff10'`, "''"},
	{"date", "'2024-02-29'", "'0001-01-01'", "'0044-03-15 BC'", "'9999-12-31'"},
	{"time", "'00:00:00'", "'23:59:59.999999'"},
	{"time(0)", "'12:34:56'"},
	{"timetz", "'12:34:56.5+02'", "'01:02:03-08:30'"},
	{"timestamp", "'2024-01-02 03:04:05.678901'", "'0044-03-15 12:00:00 BC'", "'1969-12-31 23:59:59.999999'"},
	{"timestamp(3)", "'2024-01-02 03:04:05.678'"},
	{"timestamptz", "'2024-01-02 03:04:05.678901+02'", "'1900-01-01 00:00:00+00'"},
	{"uuid", "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'"},
	{"json", `'{"a": [1, 2, "x"]}'`},
	{"jsonb", `'{"b": null}'`},
	{"int[]", "'{1,NULL,3}'", "'{}'", "'[5:6]={7,8}'"},
	{"bigint[]", "'{9223372036854775807}'"},
	{"text[]", `'{a,"b,c",NULL,"NULL","q\"uote","back\\slash",""}'`},
	{"numeric[]", "'{1.5,-2}'"},
	{"boolean[]", "'{t,f}'"},
	{"float8[]", "'{1.25,-0.5}'"},
	{"color", "'red'", "'dark blue'"},
	{"positive", "7"},
	{"amount", "12.34"},
}

// textTypes make the whole stream come in text form.
var textTypes = [][]string{
	{"inet", "'192.168.1.1'", "'10.0.0.0/8'", "'::1'"},
	{"cidr", "'10.1.0.0/16'"},
	{"macaddr", "'08:00:2b:01:02:03'"},
	{"interval", "'1 year 2 days 03:04:05.6'", "'-1 day'"},
	{"bit(5)", "B'10101'"},
	{"varbit", "B'1'"},
	{"xml", "'<a>x</a>'"},
	{"money", "'$1,234.56'", "'-0.05'"},
	{"point", "'(1,2)'"},
	{"int4range", "'[1,5)'"},
	{"\"char\"", "'x'"},
	{"pair", "'(1,two)'"},
	{"inet[]", "'{10.0.0.1}'"},
	{"color[]", "'{red,\"dark blue\"}'"},
	{"tsvector", "'a fat cat'"},
	{"oid", "42"},
}

// TestTypes compares every type's values of the snapshot, which come as the Jdbc source reads them, with those of the
// stream: the same rows are read by both.
func TestTypes(t *testing.T) {
	for name, types := range map[string][][]string{"binary": binaryTypes, "text": append(textTypes, binaryTypes...)} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t, "CREATE TYPE color AS ENUM ('red', 'dark blue')",
				"CREATE DOMAIN positive AS int CHECK (VALUE > 0)",
				"CREATE DOMAIN base AS numeric(8,2)", "CREATE DOMAIN amount AS base", "CREATE TYPE pair AS (a int, b text)")
			columns, longest := []string{"id int PRIMARY KEY"}, 0
			for i, typ := range types {
				columns = append(columns, fmt.Sprintf("c%d %s", i, typ[0]))
				longest = max(longest, len(typ))
			}
			s.exec("CREATE TABLE a (" + strings.Join(columns, ", ") + ")")
			insert := func(from int) {
				for n := range longest {
					values := []string{fmt.Sprint(from + n)}
					for _, typ := range types {
						value := "NULL"
						if n+1 < len(typ) {
							value = typ[n+1]
						}
						values = append(values, value)
					}
					s.exec("INSERT INTO a VALUES (" + strings.Join(values, ", ") + ")")
				}
			}
			insert(0)
			job := newEngine(t, "").submit(s.toTables("", "", "a"), engine.SubmitOptions{})
			s.waitFor("the snapshot", func() bool { return s.count("dst.a") == longest })
			insert(100)
			s.exec("UPDATE a SET id = id + 1000 WHERE id >= 100", "INSERT INTO a SELECT * FROM a LIMIT 0")
			s.waitFor("the stream", func() bool { return s.count("dst.a WHERE id >= 1000") == longest })
			for i, typ := range types {
				rows := s.query(
					fmt.Sprintf(`SELECT a.id, a.c%d::text, b.c%d::text FROM dst.a a FULL JOIN dst.a b ON b.id = a.id + 1100
					WHERE a.id < 100 AND a.c%d::text IS DISTINCT FROM b.c%d::text`, i, i, i, i))
				if len(rows) > 0 {
					t.Errorf("%s: the stream differs from the snapshot: %q", typ[0], rows)
				}
			}
			_ = job
		})
	}
}
