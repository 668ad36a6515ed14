package mysqlcdc

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/go-hclog"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/internal/dbtest"
	"github.com/culvertdata/culvert/plugin/jdbc"
	"github.com/culvertdata/culvert/plugin/jdbc/mysql"
)

// everyColumn declares a column of each type in several ways.
const everyColumn = `t TINYINT, tu TINYINT UNSIGNED, b1 TINYINT(1), s SMALLINT, su SMALLINT UNSIGNED, m MEDIUMINT,
	mu MEDIUMINT UNSIGNED, i INT, iz INT ZEROFILL, iu INT UNSIGNED, b BIGINT, bu BIGINT UNSIGNED, d DECIMAL(10,2), d0 DECIMAL,
	d65 DECIMAL(65,30), du DECIMAL(12,3) UNSIGNED, f FLOAT, fu FLOAT UNSIGNED, db DOUBLE, r REAL, bt BIT, b9 BIT(9), y YEAR, day DATE,
	tm TIME, tm3 TIME(3), dt DATETIME, dt6 DATETIME(6), ts TIMESTAMP NULL, ts4 TIMESTAMP(4) NULL, c CHAR(10), c1 CHAR,
	vc VARCHAR(300), l1 VARCHAR(20) CHARACTER SET latin1, u2 VARCHAR(20) CHARACTER SET ucs2, u3 TEXT CHARACTER SET utf8mb3,
	tt TINYTEXT, tx TEXT, mt MEDIUMTEXT, lt LONGTEXT, bi BINARY(5), bi1 BINARY, vb VARBINARY(300), tb TINYBLOB, bl BLOB, mb MEDIUMBLOB,
	lb LONGBLOB, e ENUM('one','two'), st SET('a','b','c'), j JSON, ip INET6, uu UUID, n INT NOT NULL DEFAULT 5,
	w VARCHAR(10) NOT NULL DEFAULT 'it''s' COMMENT 'about', g POINT`

// TestColumnsAgree compares what follows from a type's text with what the Jdbc source makes of the same column: a
// column that an ALTER TABLE adds must be the one that a fresh start would find.
func TestColumnsAgree(t *testing.T) {
	d := dbtest.MariaDB(t, "CREATE TABLE t ("+everyColumn+")")
	id := plugin.TableID{Database: d.Name, Name: "t"}
	log, err := readTable(dbtest.Wire(t, d.Name), id)
	if err != nil {
		t.Fatal(err)
	}
	for _, tinyBool := range []bool{true, false} {
		server, err := mysql.Open(jdbc.Connection{
			URL: d.URL, User: d.User, Password: d.Password, Logger: hclog.NewNullLogger(),
			Properties: map[string]string{"tinyInt1isBit": fmt.Sprint(tinyBool)},
		})
		if err != nil {
			t.Fatal(err)
		}
		catalog, err := server.Catalog(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		r, err := catalog.Describe(t.Context(), jdbc.Request{Path: id.String()})
		if err != nil {
			t.Fatal(err)
		}
		for i, c := range log.Columns {
			got, err := outColumnOf(c, tinyBool)
			if err != nil {
				t.Error(err)
			} else if d := cmp.Diff(r.Table.Columns[i], got); d != "" {
				t.Errorf("column %s: %s", c.Name, d)
			}
		}
		if log.Charset != "utf8mb4" {
			t.Errorf("the table's character set is %q", log.Charset)
		}
		if err := catalog.Close(); err != nil {
			t.Error(err)
		}
	}
}
