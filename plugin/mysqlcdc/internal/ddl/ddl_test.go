package ddl

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var base = Table{
	Columns: []Column{
		{Name: "id", Type: "int", NotNull: true}, {Name: "name", Type: "varchar(20)", Charset: "utf8mb4"},
		{Name: "price", Type: "decimal(10,2)"},
	},
	Key: []string{"id"}, Charset: "utf8mb4", Collation: "utf8mb4_general_ci",
}

// shape prints a table: name type, with the key behind a bar.
func shape(t Table) string {
	parts := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		parts[i] = c.Name + " " + c.Type
	}
	return strings.Join(parts, ", ") + " | " + strings.Join(t.Key, ", ")
}

// TestApply checks what ALTERs do, in the words of MySQL 8.
func TestApply(t *testing.T) {
	for sql, want := range map[string]string{
		"ADD a INT": "id int, name varchar(20), price decimal(10,2), a int | id",
		"ADD a TINYINT(1), ADD b TINYINT(2) UNSIGNED, ADD c INT(5) ZEROFILL, ADD d YEAR(4)": "id int, name varchar(20), " +
			"price decimal(10,2), a tinyint(1), b tinyint unsigned, c int(5) unsigned zerofill, d year | id",
		"ADD a JSON FIRST":                                   "a json, id int, name varchar(20), price decimal(10,2) | id",
		"ADD a SERIAL AFTER ID":                              "id int, a bigint unsigned, name varchar(20), price decimal(10,2) | id",
		"ADD a INT AFTER b, CHANGE name b CHAR(3)":           "id int, b char(3), a int, price decimal(10,2) | id",
		"DROP name, ADD name BLOB FIRST":                     "name blob, id int, price decimal(10,2) | id",
		"RENAME COLUMN id TO name, RENAME COLUMN name TO id": "name int, id varchar(20), price decimal(10,2) | name",
		"CHANGE id `the key` BIGINT NOT NULL":                "the key bigint, name varchar(20), price decimal(10,2) | the key",
		"MODIFY id BIGINT AFTER price, DROP name":            "price decimal(10,2), id bigint | id",
		"DROP id": "name varchar(20), price decimal(10,2) | ",
		"DROP PRIMARY KEY, ADD CONSTRAINT k PRIMARY KEY USING BTREE (name(5) DESC, `id`) COMMENT 'x'": "id int, name " +
			"varchar(20), price decimal(10,2) | name, id",
		"DROP CONSTRAINT `PRIMARY`": "id int, name varchar(20), price decimal(10,2) | ",
		"ADD a INT KEY, DROP id":    "name varchar(20), price decimal(10,2), a int | a",
		"PARTITION BY RANGE (id) (PARTITION p0 VALUES LESS THAN (10), PARTITION p1 VALUES LESS THAN MAXVALUE)": shape(base),
		"ENGINE = InnoDB PARTITION BY HASH (id) PARTITIONS 4":                                                  shape(base),
		"ADD a VARCHAR(5) CHARACTER SET latin1 COLLATE latin1_bin, COMMENT='ADD b INT, DROP id'": "id int, name " +
			"varchar(20), price decimal(10,2), a varchar(5) | id",
		"ADD a POINT NOT NULL SRID 4326, ADD SPATIAL INDEX (a)": "id int, name varchar(20), price decimal(10,2), a point | id",
		"ADD a INT DEFAULT (FLOOR(RAND() * (5, 3))), ADD b VARCHAR(36) DEFAULT (UUID())": "id int, name varchar(20), " +
			"price decimal(10,2), a int, b varchar(36) | id",
		"ALTER name SET DEFAULT 'x', ALTER INDEX i INVISIBLE, ALTER price SET INVISIBLE":                       shape(base),
		"ADD FULLTEXT INDEX f (name) WITH PARSER ngram, DROP FOREIGN KEY f, DROP CHECK c, RENAME INDEX a TO b": shape(base),
		"ADD INDEX ((CAST(name AS CHAR(3)))), ALGORITHM=INPLACE, LOCK=NONE":                                    shape(base),
		"ADD a TEXT(5), ADD b TEXT(63), ADD c TEXT(64), ADD d BLOB(255), ADD e BLOB(256)": "id int, name varchar(20), " +
			"price decimal(10,2), a tinytext, b tinytext, c text, d tinyblob, e blob | id",
		"ADD a INT VISIBLE COLUMN_FORMAT DYNAMIC STORAGE DISK ENGINE_ATTRIBUTE='{}' CHECK (a > 0) NOT ENFORCED": "id int, " +
			"name varchar(20), price decimal(10,2), a int | id",
		"DISABLE KEYS": shape(base), "FORCE": shape(base), "AUTO_INCREMENT 5": shape(base), "": shape(base),
		"ORDER BY name, id DESC, price": shape(base), "ORDER BY name, ADD a INT": strings.Replace(shape(base), " |", ", a int |", 1),
		"DATA DIRECTORY '/x', MAX_ROWS = 5, UNION = (a, b)": shape(base),
	} {
		list, err := Parse("ALTER TABLE shop.t "+sql, Options{Version: 80032})
		if err != nil {
			t.Errorf("%s: %v", sql, err)
			continue
		}
		before := shape(base)
		got, err := base.Apply(list[0])
		if err != nil || shape(got) != want {
			t.Errorf("%s:\n%s, %v, want\n%s", sql, shape(got), err, want)
		}
		if shape(base) != before {
			t.Fatalf("%s has changed the table it was applied to", sql)
		}
	}
}

// TestDefinitions checks what a definition says beside the type.
func TestDefinitions(t *testing.T) {
	text := func(s string) *string { return &s }
	for sql, want := range map[string]Column{
		"INT NOT NULL DEFAULT 5 COMMENT 'it''s'": {Type: "int", NotNull: true, Default: text("5"), Comment: "it's"},
		`VARCHAR(5) DEFAULT 'a\n' 'b' COMMENT "c\\"`: {Type: "varchar(5)", Charset: "utf8mb4", Collation: "utf8mb4_general_ci",
			Default: text("a\nb"), Comment: `c\`},
		"INT DEFAULT NULL":                                 {Type: "int"},
		"DECIMAL(5,2) DEFAULT -1.50":                       {Type: "decimal(5,2)", Default: text("-1.50")},
		"BOOL DEFAULT FALSE":                               {Type: "tinyint(1)", Default: text("0")},
		"DATETIME(3) DEFAULT NOW(3) ON UPDATE NOW(3)":      {Type: "datetime(3)"},
		"INT AUTO_INCREMENT":                               {Type: "int", NotNull: true, AutoIncrement: true},
		"INT GENERATED ALWAYS AS (id * 2) STORED NOT NULL": {Type: "int", Generated: true, NotNull: true},
		"INT INVISIBLE":                                    {Type: "int", Invisible: true},
		"CHAR CHARSET utf8":                                {Type: "char(1)", Charset: "utf8mb3"},
		"TEXT COLLATE latin1_bin":                          {Type: "text", Charset: "latin1", Collation: "latin1_bin"},
		"TEXT BINARY":                                      {Type: "text", Charset: "utf8mb4", Collation: "utf8mb4_bin"},
		"VARCHAR(5) CHARACTER SET binary":                  {Type: "varbinary(5)"},
		"ENUM('a','b''c') CHARACTER SET latin1":            {Type: "enum('a','b''c')", Charset: "latin1"},
		"BIT DEFAULT b'1'":                                 {Type: "bit(1)"},
		"FLOAT(24)":                                        {Type: "float"},
		"FLOAT(25) UNSIGNED":                               {Type: "double unsigned"},
		"NVARCHAR(5)":                                      {Type: "varchar(5)", Charset: "utf8mb3"},
		"VARCHAR(5) DEFAULT _utf8mb4'é'": {Type: "varchar(5)", Charset: "utf8mb4", Collation: "utf8mb4_general_ci",
			Default: text("é")},
	} {
		list, err := Parse("ALTER TABLE t ADD c "+sql, Options{Database: "shop"})
		if err != nil {
			t.Errorf("%s: %v", sql, err)
			continue
		}
		got, err := base.Apply(list[0])
		if err != nil {
			t.Errorf("%s: %v", sql, err)
			continue
		}
		want.Name = "c"
		if d := cmp.Diff(want, got.Columns[3], cmp.AllowUnexported(Column{}, dataType{})); d != "" {
			t.Errorf("%s: %s", sql, d)
		}
	}
}

// TestStatements checks what other statements do.
func TestStatements(t *testing.T) {
	for sql, want := range map[string]string{
		"RENAME TABLE a TO b, `x`.`y z` TO x.w":                                    "1 db.a -> db.b; 1 x.y z -> x.w",
		"rename tables if exists a wait 5 to b":                                    "1 db.a -> db.b ?",
		"ALTER TABLE a RENAME b":                                                   "1 db.a -> db.b",
		"ALTER TABLE IF EXISTS x.a RENAME TO y.b":                                  "1 x.a -> y.b ?",
		"ALTER TABLE a RENAME = b, ADD c INT":                                      "0 db.a -> db.b 1",
		"ALTER TABLE a DROP PARTITION p0, p1":                                      "0 db.a !",
		"ALTER TABLE a TRUNCATE PARTITION ALL":                                     "0 db.a !",
		"ALTER TABLE a EXCHANGE PARTITION p WITH TABLE b":                          "0 db.a !",
		"ALTER TABLE a REORGANIZE PARTITION p, q INTO (PARTITION r VALUES IN (1))": "0 db.a",
		"CREATE TABLE IF NOT EXISTS a (id INT)":                                    "2 db.a ?",
		"CREATE OR REPLACE TABLE a LIKE x.b":                                       "2 db.a like x.b",
		"CREATE TABLE a (LIKE b)":                                                  "2 db.a like db.b",
		"CREATE TABLE a SELECT 1":                                                  "2 db.a",
		"DROP TABLE IF EXISTS `a`,`x`.`b` /* generated by server */":               "3 db.a ?; 3 x.b ?",
		"DROP TABLES a CASCADE":                                                    "3 db.a",
		"DROP SCHEMA IF EXISTS shop":                                               "4 shop. ?",
		"TRUNCATE a":                                                               "5 db.a",
		"TRUNCATE TABLE x.a;":                                                      "5 x.a",
		"SET STATEMENT max_statement_time=0 FOR ALTER TABLE a ADD b INT":           "0 db.a 1",
		"DROP INDEX `PRIMARY` ON a":                                                "0 db.a 1",
		"CREATE TEMPORARY TABLE a (id INT)":                                        "", "DROP TEMPORARY TABLE a": "",
		"CREATE INDEX i ON a (id)": "", "DROP INDEX i ON a": "", "GRANT ALL ON *.* TO x": "", "CREATE DATABASE x": "",
		"ALTER DATABASE x CHARACTER SET latin1": "", "CREATE DEFINER=`a`@`b` VIEW v AS SELECT 1": "", "": "",
		"# only a comment": "", "BEGIN": "", "FLUSH TABLES": "", "CREATE USER x": "", "RENAME USER a TO b": "",
		"insert into a values (1)": "", "CREATE OR REPLACE PROCEDURE p() SELECT 1": "", "/*!40000 ALTER TABLE a DISABLE KEYS */": "0 db.a",
		"/*!99999 ALTER TABLE a ADD b INT */": "",
	} {
		list, err := Parse(sql, Options{Database: "db", MariaDB: true, Version: 101100})
		if err != nil {
			t.Errorf("%s: %v", sql, err)
			continue
		}
		var parts []string
		for _, s := range list {
			text := fmt.Sprintf("%d %s", s.Kind, s.Table)
			if s.To != (Name{}) {
				text += " -> " + s.To.String()
			}
			if s.Like != (Name{}) {
				text += " like " + s.Like.String()
			}
			if s.Changes != nil {
				text += fmt.Sprint(" ", len(s.Changes))
			}
			if s.IfExists {
				text += " ?"
			}
			if s.Unlogged {
				text += " !"
			}
			parts = append(parts, text)
		}
		if got := strings.Join(parts, "; "); got != want {
			t.Errorf("%s: %q, want %q", sql, got, want)
		}
	}
}

// TestNotUnderstood has statements that must not be guessed.
func TestNotUnderstood(t *testing.T) {
	for _, sql := range []string{
		"ALTER TABLE t CONVERT TO CHARACTER SET latin1", "ALTER TABLE t ADD SYSTEM VERSIONING",
		"ALTER TABLE t DROP SYSTEM VERSIONING", "ALTER TABLE t ADD a HOLOGRAM", "ALTER TABLE t ADD a INT SOMEHOW",
		"ALTER TABLE t EXPLODE", "ALTER TABLE t ADD a INT DEFAULT 1 + 2", "ALTER TABLE t ADD (a INT, b INT",
		"ALTER TABLE t ADD a VARCHAR", "ALTER TABLE t ADD a VARCHAR(70000)", "ALTER TABLE t ADD a CHAR(256)",
		"ALTER TABLE t ADD a TEXT CHARACTER SET klingon, ADD b VARCHAR(3) CHARSET klingon", "ALTER TABLE t DROP nothing",
		"ALTER TABLE t MODIFY nothing INT", "ALTER TABLE t ADD name INT", "ALTER TABLE t ADD a INT AFTER nothing",
		"ALTER TABLE t RENAME COLUMN id TO name", "ALTER TABLE t ADD PRIMARY KEY (nothing)", "ALTER TABLE t DROP id, MODIFY id INT",
		"ALTER TABLE t DROP id, DROP name, DROP price", "ALTER TABLE t ADD a INT COMMENT 'open", "ALTER TABLE t ADD /* open",
		"ALTER TABLE t ADD a TIMESTAMP GENERATED ALWAYS AS ROW START", "ALTER TABLE", "EXPLODE t", "CREATE HOLOGRAM x",
		"ALTER TABLE t ADD a FLOAT(60)", "ALTER TABLE t ADD PRIMARY KEY ((id + 1))", "ALTER TABLE t ADD a ENUM('x'",
		"RENAME TABLE a b", "ALTER TABLE t ADD a INT)", "DROP TABLE a b",
	} {
		list, err := Parse(sql, Options{Database: "db"})
		for i := 0; err == nil && i < len(list); i++ {
			_, err = base.Apply(list[i])
		}
		if !errors.Is(err, ErrNotUnderstood) {
			t.Errorf("%s: %v, %v", sql, list, err)
		}
	}
	if list, err := Parse("DROP TABLE a", Options{}); !errors.Is(err, ErrNotUnderstood) {
		t.Errorf("without a database: %v, %v", list, err)
	}
}

// TestModes reads quotes as the session's sql_mode has them.
func TestModes(t *testing.T) {
	list, err := Parse(`ALTER TABLE "a""b" ADD "c d" INT COMMENT 'x\'`, Options{Database: "db", ANSIQuotes: true, NoBackslash: true})
	if err != nil {
		t.Fatal(err)
	}
	got, err := base.Apply(list[0])
	if err != nil {
		t.Fatal(err)
	}
	c := got.Columns[3]
	if list[0].Table.Table != `a"b` || c.Name != "c d" || c.Comment != `x\` {
		t.Errorf("table %s, column %s, comment %s", list[0].Table, c.Name, c.Comment)
	}
}

// TestTableCharset changes what later columns get.
func TestTableCharset(t *testing.T) {
	table := base
	for _, sql := range []string{"DEFAULT CHARSET=latin1, ADD a TEXT", "COLLATE = utf8mb4_bin ENGINE=InnoDB", "ADD b TEXT"} {
		list, err := Parse("ALTER TABLE t "+sql, Options{Database: "db"})
		if err == nil {
			table, err = table.Apply(list[0])
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	a, b := table.Columns[3], table.Columns[4]
	if a.Charset != "latin1" || b.Charset != "utf8mb4" || b.Collation != "utf8mb4_bin" {
		t.Errorf("a is %s, b %s %s", a.Charset, b.Charset, b.Collation)
	}
}

// FuzzParse reads statements of any kind: it must not panic, and it must end.
func FuzzParse(f *testing.F) {
	for _, sql := range alters {
		f.Add(strings.ReplaceAll(sql, "$", "t"), true)
	}
	for _, sql := range []string{"RENAME TABLE a TO b", "DROP TABLE IF EXISTS a,b", "CREATE TABLE a (LIKE b)", "TRUNCATE a",
		"/*!50000 ALTER TABLE a */ ADD b INT DEFAULT 0x1f"} {
		f.Add(sql, false)
	}
	f.Fuzz(func(_ *testing.T, sql string, mariaDB bool) {
		list, err := Parse(sql, Options{Database: "db", MariaDB: mariaDB})
		if err != nil {
			return
		}
		for _, s := range list {
			_, _ = base.Apply(s)
		}
	})
}
