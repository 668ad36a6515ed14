package ddl

import (
	"fmt"
	"strconv"
	"strings"
)

// dataType is a type as a definition writes it.
type dataType struct {
	name     string   // canonical, in lower case; text and blob with a length are resolved later
	args     []string // lengths, digits
	values   []string // of an enum or a set
	unsigned bool
	zerofill bool
	serial   bool
	packed   bool // MariaDB's COMPRESSED
	binary   bool // the binary collation of the character set

	charset, collation string
	maria              bool
	widths             bool // integers show a width
}

// synonyms are the types' other names, and what they stand for.
var synonyms = map[string]string{
	"integer": "int", "int4": "int", "int1": "tinyint", "int2": "smallint", "int3": "mediumint", "middleint": "mediumint",
	"int8": "bigint", "dec": "decimal", "numeric": "decimal", "fixed": "decimal", "number": "decimal", "float4": "float",
	"float8": "double", "real": "double", "character": "char", "geomcollection": "geometrycollection",
	"varchar2": "varchar", "raw": "varbinary", "clob": "longtext", "bool": "tinyint", "boolean": "tinyint",
}

// plainTypes are the types that need no more than their name and what stands in brackets.
var plainTypes = map[string]bool{
	"tinyint": true, "smallint": true, "mediumint": true, "int": true, "bigint": true, "decimal": true, "float": true,
	"double": true, "bit": true, "date": true, "time": true, "datetime": true, "timestamp": true, "year": true,
	"char": true, "varchar": true, "binary": true, "varbinary": true, "tinytext": true, "text": true, "mediumtext": true,
	"longtext": true, "tinyblob": true, "blob": true, "mediumblob": true, "longblob": true, "enum": true, "set": true,
	"json": true, "geometry": true, "point": true, "linestring": true, "polygon": true, "multipoint": true,
	"multilinestring": true, "multipolygon": true, "geometrycollection": true, "uuid": true, "inet4": true, "inet6": true,
	"vector": true,
}

// dataType reads a type with what stands in brackets.
func (p *parser) dataType() (dataType, error) {
	word := strings.ToLower(p.next().text)
	if p.next().kind != wordToken {
		return dataType{}, p.unexpected()
	}
	start := p.at
	p.at++
	t := dataType{name: word, maria: p.o.MariaDB, widths: p.showsWidths()}
	switch word {
	case "bool", "boolean":
		t.args = []string{"1"}
	case "serial":
		t.name, t.unsigned, t.serial = "bigint", true, true
		return t, nil
	case "double":
		p.word("PRECISION")
	case "long":
		return p.longType(t)
	case "national", "nchar", "nvarchar":
		return p.nationalType(t, word)
	case "char", "character":
		if p.word("VARYING") {
			t.name = "varchar"
		}
	}
	if name, ok := synonyms[t.name]; ok {
		t.name = name
	}
	if !plainTypes[t.name] {
		p.at = start
		return t, p.unexpected()
	}
	return t, p.typeArgs(&t)
}

// showsWidths reports whether the server writes int(11): MySQL no longer does as of 8.0.19.
func (p *parser) showsWidths() bool {
	return p.o.MariaDB || p.o.Version > 0 && p.o.Version < 80019
}

func (p *parser) longType(t dataType) (dataType, error) {
	switch {
	case p.word("VARBINARY"):
		t.name = "mediumblob"
	case p.word("VARCHAR"), p.words("CHAR", "VARYING"), p.words("CHARACTER", "VARYING"):
		t.name = "mediumtext"
	default:
		t.name = "mediumtext"
	}
	return t, nil
}

func (p *parser) nationalType(t dataType, word string) (dataType, error) {
	t.charset = "utf8mb3"
	t.name = "char"
	varying := word == "nvarchar"
	if word == "national" {
		switch {
		case p.word("VARCHAR"):
			varying = true
		case p.word("CHAR"), p.word("CHARACTER"):
		default:
			return t, p.unexpected()
		}
	}
	if word == "nchar" && p.word("VARCHAR") || p.word("VARYING") || varying {
		t.name = "varchar"
	}
	return t, p.typeArgs(&t)
}

// typeArgs reads what stands in brackets behind a type.
func (p *parser) typeArgs(t *dataType) error {
	if !p.sign("(") {
		return nil
	}
	for !p.sign(")") {
		switch n := p.next(); n.kind {
		case numberToken:
			t.args = append(t.args, n.text)
		case textToken:
			t.values = append(t.values, n.text)
		case signToken:
			if n.text != "," {
				return p.unexpected()
			}
		default:
			return p.unexpected()
		}
		p.at++
	}
	return nil
}

// typeAttribute reads an attribute that belongs to the type.
func (p *parser) typeAttribute(t *dataType) (bool, error) {
	var err error
	switch {
	case p.word("UNSIGNED"):
		t.unsigned = true
	case p.word("SIGNED"):
	case p.word("ZEROFILL"):
		t.unsigned, t.zerofill = true, true
	case p.words("CHARACTER", "SET"), p.words("CHAR", "SET"), p.word("CHARSET"):
		p.sign("=")
		t.charset, err = p.charsetName()
	case p.word("COLLATE"):
		p.sign("=")
		t.collation, err = p.charsetName()
	case p.word("BINARY"):
		t.binary = true
	case p.word("ASCII"):
		t.charset = "latin1"
	case p.word("UNICODE"):
		t.charset = "ucs2"
	case p.word("BYTE"):
		t.charset = "binary"
	case p.word("COMPRESSED"):
		t.packed = true
		if p.sign("=") {
			_, err = p.name()
		}
	default:
		return false, nil
	}
	return true, err
}

// resolve returns the type as information_schema shows it, and the column's character set, in a table with defaults.
func (t dataType) resolve(table *Table) (text, charset, collation string, err error) {
	switch t.name {
	case "char", "varchar", "tinytext", "text", "mediumtext", "longtext", "enum", "set":
		charset, collation = t.characters(table)
		if charset == "" {
			return "", "", "", notUnderstood("the character set is not known")
		}
		if charset == "binary" && t.name != "enum" && t.name != "set" {
			t.name = map[string]string{"char": "binary", "varchar": "varbinary", "tinytext": "tinyblob", "text": "blob",
				"mediumtext": "mediumblob", "longtext": "longblob"}[t.name]
			charset, collation = "", ""
		}
	case "json":
		if t.maria {
			return "longtext", "utf8mb4", "utf8mb4_bin", nil
		}
	}
	text, err = t.text(charset)
	return text, charset, collation, err
}

// text returns the type as information_schema shows it.
func (t dataType) text(charset string) (string, error) {
	switch t.name {
	case "tinyint", "smallint", "mediumint", "int", "bigint":
		return t.integer(), nil
	case "decimal":
		if len(t.args) == 0 {
			t.args = []string{"10"}
		}
		if len(t.args) == 1 {
			t.args = append(t.args, "0")
		}
		if t.args[0] == "0" {
			t.args[0] = "10"
		}
	case "float":
		if err := t.float(); err != nil {
			return "", err
		}
	case "year":
		if t.args == nil && t.widths {
			t.args = []string{"4"}
		}
		if !t.widths {
			t.args = nil
		}
	case "bit", "char", "binary":
		if t.args == nil || t.name == "bit" && t.args[0] == "0" {
			t.args = []string{"1"}
		}
	case "text", "blob":
		if err := t.blob(charset); err != nil {
			return "", err
		}
	case "time", "datetime", "timestamp":
		if len(t.args) == 1 && t.args[0] == "0" {
			t.args = nil
		}
	case "enum", "set":
		return t.list(), nil
	}
	if err := t.tooLong(charset); err != nil {
		return "", err
	}
	return t.printed(), nil
}

func (t dataType) printed() string {
	text := t.name
	if len(t.args) > 0 {
		text += "(" + strings.Join(t.args, ",") + ")"
	}
	if t.unsigned {
		text += " unsigned"
	}
	if t.zerofill {
		text += " zerofill"
	}
	if t.packed {
		text += " /*M!100301 COMPRESSED*/"
	}
	return text
}

// integer prints an integer type with the width that the server shows.
func (t dataType) integer() string {
	widths := map[string][2]string{"tinyint": {"4", "3"}, "smallint": {"6", "5"}, "mediumint": {"9", "8"},
		"int": {"11", "10"}, "bigint": {"20", "20"}}[t.name]
	if t.args == nil {
		t.args = []string{widths[0]}
		if t.unsigned {
			t.args = []string{widths[1]}
		}
	}
	keeps := t.zerofill || t.name == "tinyint" && t.args[0] == "1" && !t.unsigned
	if !t.widths && !keeps {
		t.args = nil
	}
	return t.printed()
}

// float turns FLOAT(n) into what it means: from 25 bits on a double.
func (t *dataType) float() error {
	if len(t.args) != 1 {
		return nil
	}
	bits, err := strconv.Atoi(t.args[0])
	if err != nil || bits > 53 {
		return notUnderstood("FLOAT(%s)", t.args[0])
	}
	if bits > 24 {
		t.name = "double"
	}
	t.args = nil
	return nil
}

const (
	tinySize   = 1 << 8
	smallSize  = 1 << 16
	mediumSize = 1 << 24
	rowSize    = 65535
	charLength = 255
)

// blob turns TEXT(n) and BLOB(n) into the smallest type that holds n characters.
func (t *dataType) blob(charset string) error {
	if len(t.args) == 0 {
		return nil
	}
	n, err := strconv.Atoi(t.args[0])
	width := 1
	if t.name == "text" {
		var ok bool
		if width, ok = widest(charset); !ok {
			return notUnderstood("the character set %s is not known", charset)
		}
	}
	if err != nil || n > 1<<32 {
		return notUnderstood("%s(%s)", t.name, t.args[0])
	}
	switch n *= width; {
	case n == 0:
	case n < tinySize:
		t.name = "tiny" + t.name
	case n < smallSize:
	case n < mediumSize:
		t.name = "medium" + t.name
	default:
		t.name = "long" + t.name
	}
	t.args = nil
	return nil
}

// tooLong refuses lengths that a server that is not strict turns into another type.
func (t dataType) tooLong(charset string) error {
	most, width := 0, 1
	switch t.name {
	case "varchar", "varbinary":
		most = rowSize
	case "char", "binary":
		most = charLength
	default:
		return nil
	}
	if t.name == "varchar" {
		var ok bool
		if width, ok = widest(charset); !ok {
			return notUnderstood("the character set %s is not known", charset)
		}
	}
	if len(t.args) != 1 {
		return notUnderstood("%s without a length", t.name)
	}
	n, err := strconv.Atoi(t.args[0])
	if err != nil || n*width > most {
		return notUnderstood("%s(%s) in %s becomes another type", t.name, t.args[0], charset)
	}
	return nil
}

// list prints an enum or a set. Names lose the spaces at their ends.
func (t dataType) list() string {
	quoted := make([]string, len(t.values))
	for i, v := range t.values {
		quoted[i] = "'" + strings.ReplaceAll(strings.TrimRight(v, " "), "'", "''") + "'"
	}
	return fmt.Sprintf("%s(%s)", t.name, strings.Join(quoted, ","))
}
