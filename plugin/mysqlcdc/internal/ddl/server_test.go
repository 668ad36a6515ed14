package ddl

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/culvertdata/culvert/plugin/internal/dbtest"
	"github.com/culvertdata/culvert/plugin/internal/mysql/wire"
)

// connect returns a connection to the test server, in a database of its own.
func connect(t *testing.T) (*wire.Conn, string) {
	t.Helper()
	d := dbtest.MariaDB(t)
	d.Exec("ALTER DATABASE " + d.Name + " CHARACTER SET latin1")
	return dbtest.Wire(t, d.Name), d.Name
}

func run(t *testing.T, c *wire.Conn, statements ...string) {
	t.Helper()
	for _, s := range statements {
		if _, err := c.Exec(s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
}

// describe returns a table as the server describes it, without what this package does not tell.
func describe(t *testing.T, c *wire.Conn, database, name string) Table {
	t.Helper()
	query := func(sql string) [][]any {
		rows, err := c.Rows(sql, database, name)
		if err != nil {
			t.Fatal(err)
		}
		return rows
	}
	var table Table
	for _, row := range query(`SELECT column_name, column_type, character_set_name, is_nullable, column_comment, extra,
		column_key FROM information_schema.columns WHERE table_schema = ? AND table_name = ? ORDER BY ordinal_position`) {
		extra := strings.ToLower(wire.String(row[5]))
		table.Columns = append(table.Columns, Column{
			Name: wire.String(row[0]), Type: wire.String(row[1]), Charset: wire.String(row[2]), NotNull: wire.String(row[3]) == "NO",
			Comment: wire.String(row[4]), Generated: strings.Contains(extra, "generated"),
			AutoIncrement: strings.Contains(extra, "auto_increment"), Invisible: strings.Contains(extra, "invisible"),
		})
	}
	for _, row := range query(`SELECT column_name FROM information_schema.statistics WHERE table_schema = ?
		AND table_name = ? AND index_name = 'PRIMARY' ORDER BY seq_in_index`) {
		table.Key = append(table.Key, wire.String(row[0]))
	}
	for _, row := range query(`SELECT character_set_name FROM information_schema.tables, information_schema.collations
		WHERE table_schema = ? AND table_name = ? AND table_collation = collation_name`) {
		table.Charset = wire.String(row[0])
	}
	return table
}

// comparable leaves out what the server does not tell in the same form.
func comparable(t Table) Table {
	t.Collation = ""
	columns := make([]Column, len(t.Columns))
	for i, c := range t.Columns {
		c.Collation, c.Default = "", nil
		columns[i] = c
	}
	t.Columns = columns
	return t
}

// alters are run one after the other. $ is the table.
var alters = []string{
	"ALTER TABLE $ ADD a1 BOOL",
	"ALTER TABLE $ ADD COLUMN a2 INTEGER(5) FIRST, ADD a3 INT UNSIGNED ZEROFILL AFTER id",
	"ALTER TABLE $ ADD (a4 DOUBLE PRECISION, a5 NUMERIC(10), INDEX (a4), a6 DEC(5,2) UNSIGNED)",
	"ALTER TABLE $ ADD IF NOT EXISTS a1 INT, ADD IF NOT EXISTS a7 FIXED COMMENT 'it''s \\'new\\''",
	"ALTER TABLE $ ADD b1 REAL, ADD b2 CHAR, ADD b3 CHAR(5) CHARACTER SET utf8mb4, ADD b4 NCHAR(5), ADD b5 NATIONAL VARCHAR(5)",
	"ALTER TABLE $ ADD c1 LONG VARCHAR, ADD c2 LONG VARBINARY, ADD c3 TEXT(100), ADD c4 TEXT(70000), ADD c5 BLOB(300)",
	"ALTER TABLE $ ADD c6 JSON, ADD c7 YEAR, ADD c8 BIT, ADD c9 INT4, ADD d1 FLOAT(30), ADD d2 FLOAT(10,3), ADD d3 FLOAT(20)",
	"ALTER TABLE $ ADD d4 CHARACTER VARYING(10), ADD d5 CHAR(3) BYTE, ADD d6 VARCHAR(10) BINARY",
	"ALTER TABLE $ ADD e1 ENUM('a ','b''c', \"d\\\"e\") DEFAULT 'a', ADD e2 SET('x','y') DEFAULT 'x,y' NOT NULL",
	"ALTER TABLE $ ADD e3 TIMESTAMP NULL, ADD e4 DATETIME(3) DEFAULT CURRENT_TIMESTAMP(3) ON UPDATE CURRENT_TIMESTAMP(3)",
	"ALTER TABLE $ ADD e5 MIDDLEINT, ADD e6 BOOLEAN DEFAULT TRUE, ADD e7 BINARY, ADD e8 VARCHAR(10) UNICODE, ADD e9 INT SIGNED",
	"ALTER TABLE $ ADD f1 BIGINT(20) NOT NULL DEFAULT -5 COMMENT 'x', ADD f2 VARCHAR(100) COMPRESSED, ADD f3 TEXT CHARSET utf8",
	"ALTER TABLE $ ADD f4 INT AS (a2 + 1) VIRTUAL, ADD f5 INT GENERATED ALWAYS AS (length(old) * (2 + 1)) STORED COMMENT 'g'",
	"ALTER TABLE $ ADD f6 VARCHAR(10) COLLATE utf8mb4_bin, ADD f7 UUID, ADD f8 INET6, ADD f9 POINT, ADD g1 DOUBLE(5,2)",
	"ALTER TABLE $ ADD g2 FLOAT UNSIGNED, ADD g3 INT DEFAULT (1+2), ADD g4 TIME(2), ADD g5 TINYINT UNSIGNED DEFAULT NULL",
	"ALTER TABLE $ ADD g6 INT INVISIBLE, ADD g7 DATE DEFAULT curdate(), ADD g8 VARCHAR(9) NOT NULL DEFAULT _latin1'x'",
	"ALTER TABLE $ ADD g9 INT REFERENCES other (id) ON DELETE SET NULL ON UPDATE CASCADE, ADD h1 INT CHECK (h1 > 0)",
	"ALTER TABLE $ ADD h2 INT UNIQUE, ADD h3 SMALLINT UNSIGNED UNIQUE KEY NOT NULL DEFAULT 3, ADD h4 DATETIME(0)",
	"ALTER TABLE $ MODIFY a1 BIGINT NOT NULL FIRST, MODIFY COLUMN a2 INT AFTER a1, MODIFY IF EXISTS nothing INT",
	"ALTER TABLE $ CHANGE a1 a2 VARCHAR(20), CHANGE COLUMN a2 a1 TEXT",
	"ALTER TABLE $ CHANGE a3 z3 INT AFTER a4, ADD y3 INT AFTER z3",
	"ALTER TABLE $ DROP z3, DROP COLUMN y3, DROP IF EXISTS nothing, ADD z3 DATE",
	"ALTER TABLE $ RENAME COLUMN z3 TO `Z 3`, RENAME COLUMN a4 TO a44",
	"ALTER TABLE $ DROP PRIMARY KEY, ADD PRIMARY KEY (f1, id)",
	"ALTER TABLE $ DROP PRIMARY KEY",
	"ALTER TABLE $ MODIFY id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY",
	"ALTER TABLE $ CHANGE id `key` BIGINT NOT NULL",
	"ALTER TABLE $ CHANGE `key` id INT AUTO_INCREMENT FIRST",
	"ALTER TABLE $ DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin, ADD i1 TEXT, ADD i2 VARCHAR(5) CHARSET latin1, ADD i3 TEXT(20000)",
	"ALTER TABLE $ ENGINE=InnoDB ROW_FORMAT=DYNAMIC COMMENT 'a, b' CHARSET latin1, ADD i4 CHAR(3)",
	"ALTER TABLE $ AUTO_INCREMENT = 100, ADD INDEX i (i4), ADD UNIQUE KEY (id, i4), DROP INDEX a4", "ALTER ONLINE TABLE $ COMMENT = 'x'",
	"ALTER TABLE $ ALTER f1 SET DEFAULT 7, ALTER COLUMN i4 DROP DEFAULT, ALTER a5 SET DEFAULT (1 + 1)",
	"ALTER TABLE $ WAIT 5 ADD j1 INT, ALGORITHM=COPY",
	"ALTER IGNORE TABLE $ ADD j2 INT, LOCK=SHARED, ORDER BY old, j1 DESC",
	"/* first */ ALTER /*!50000 TABLE */ $ -- second\n ADD j3 INT /*!99998 UNSIGNED */ /*M!100100 NOT NULL */ # third\n, DROP j2;",
	"ALTER TABLE $ ADD CONSTRAINT c1 CHECK (j1 > 0)", "ALTER TABLE $ DROP CONSTRAINT c1, ADD CONSTRAINT UNIQUE u2 (j1)",
	"ALTER TABLE $ ADD `we``ird ``name` INT, ADD `select` INT, ADD période INT",
	"ALTER TABLE $ DROP `we``ird ``name`, DROP `select`, MODIFY PÉRIODE BIGINT",
	"ALTER TABLE $ ADD k1 VARCHAR(10) CHARACTER SET binary, ADD k2 TEXT CHARSET binary, ADD k3 SERIAL DEFAULT VALUE",
	"ALTER TABLE $ FORCE",
}

// TestAlters runs statements on the server and compares the columns that Apply finds with the server's.
func TestAlters(t *testing.T) {
	c, database := connect(t)
	run(t, c, "CREATE TABLE other (id INT PRIMARY KEY)", "CREATE TABLE t (id INT PRIMARY KEY, old VARCHAR(20))")
	table := describe(t, c, database, "t")
	for _, text := range alters {
		sql := strings.ReplaceAll(text, "$", "t")
		if strings.Contains(sql, "SERIAL") {
			run(t, c, "ALTER TABLE t MODIFY id INT")
			sql = strings.ReplaceAll(sql, ", ADD k3 SERIAL DEFAULT VALUE", ", ADD k3 SERIAL")
			table = describe(t, c, database, "t")
		}
		run(t, c, sql)
		list, err := Parse(sql, Options{Database: database, MariaDB: true, Version: 101100})
		if err != nil || len(list) != 1 {
			t.Fatalf("%s: %d statements, %v", sql, len(list), err)
		}
		if list[0].Table != (Name{database, "t"}) {
			t.Errorf("%s: table %s", sql, list[0].Table)
		}
		got, err := table.Apply(list[0])
		if err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
		table = describe(t, c, database, "t")
		if d := cmp.Diff(comparable(table), comparable(got), cmp.AllowUnexported(Column{}, dataType{})); d != "" {
			t.Errorf("%s: %s", sql, d)
		}
	}
}
