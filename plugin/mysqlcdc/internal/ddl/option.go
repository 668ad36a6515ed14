package ddl

import "strings"

// partitionWords begin what is done to partitions, which is always the last clause; those that are true move rows of
// which no event tells.
var partitionWords = map[string]bool{
	"PARTITION": false, "REMOVE": false, "COALESCE": false, "REORGANIZE": false, "REBUILD": false, "OPTIMIZE": false,
	"ANALYZE": false, "CHECK": false, "REPAIR": false, "TRUNCATE": true, "EXCHANGE": true, "DISCARD": true,
	"IMPORT": true,
}

// optionWords begin options of a table and other clauses that change no columns.
var optionWords = []string{
	"ENGINE", "TYPE", "AUTO_INCREMENT", "AVG_ROW_LENGTH", "CHECKSUM", "COMMENT", "COMPRESSION", "CONNECTION", "DATA",
	"DELAY_KEY_WRITE", "ENCRYPTION", "ENCRYPTED", "ENCRYPTION_KEY_ID", "INDEX", "INSERT_METHOD", "KEY_BLOCK_SIZE",
	"MAX_ROWS", "MIN_ROWS", "PACK_KEYS", "PASSWORD", "ROW_FORMAT", "STATS_AUTO_RECALC", "STATS_PERSISTENT",
	"STATS_SAMPLE_PAGES", "TABLESPACE", "STORAGE", "UNION", "ALGORITHM", "LOCK", "FORCE", "DISABLE", "ENABLE", "WITH",
	"WITHOUT", "PAGE_CHECKSUM", "PAGE_COMPRESSED", "PAGE_COMPRESSION_LEVEL", "TRANSACTIONAL", "SEQUENCE",
	"ENGINE_ATTRIBUTE",
	"SECONDARY_ENGINE", "SECONDARY_ENGINE_ATTRIBUTE", "SECONDARY_LOAD", "SECONDARY_UNLOAD", "AUTOEXTEND_SIZE", "NODEGROUP",
	"ITEF_QUOTES", "IETF_QUOTES",
}

// option reads what is none of the other clauses: options of the table, which need no commas between them, and
// partitions.
func (p *parser) option(s *Statement) error {
	if unlogged, ok := partitionWords[strings.ToUpper(p.next().text)]; ok && p.next().kind == wordToken {
		s.Unlogged = s.Unlogged || unlogged
		p.rest()
		return nil
	}
	if p.word("CONVERT") {
		return notUnderstood("CONVERT may change the types of columns")
	}
	if p.words("WITH", "SYSTEM") {
		return notUnderstood("system versioning adds columns of its own")
	}
	for !p.end() {
		t := p.next()
		if t.kind == signToken && (t.text == "," || t.text == ";") {
			return nil
		}
		found, err := p.tableCharset(s)
		switch {
		case err != nil:
			return err
		case found:
		case p.wordOf(optionWords):
			if err := p.optionValue(); err != nil {
				return err
			}
		default:
			if unlogged, ok := partitionWords[strings.ToUpper(t.text)]; ok && t.kind == wordToken {
				s.Unlogged = s.Unlogged || unlogged
				p.rest()
				return nil
			}
			return p.unexpected()
		}
	}
	return nil
}

// optionValue steps over the value of an option. Further words of the clause, such as KEYS and DIRECTORY, go too.
func (p *parser) optionValue() error {
	for !p.end() {
		t := p.next()
		if t.kind == signToken && (t.text == "," || t.text == ";") || p.atCharset() ||
			t.kind == wordToken && p.nextIsOption() {
			return nil
		}
		if t.kind == wordToken {
			if _, ok := partitionWords[strings.ToUpper(t.text)]; ok && p.peek(1).is("BY") {
				return nil
			}
		}
		if t.kind == signToken && t.text == ")" {
			return p.unexpected()
		}
		if err := p.skipOne(); err != nil {
			return err
		}
	}
	return nil
}

// nextIsOption reports whether the next word is an option with its sign, so that it is no value.
func (p *parser) nextIsOption() bool {
	next := p.peek(1)
	return next.kind == signToken && next.text == "="
}

func (p *parser) atCharset() bool {
	t, n := p.next(), p.peek(1)
	switch {
	case t.is("DEFAULT"):
		return n.is("CHARACTER") || n.is("CHARSET") || n.is("COLLATE") || n.is("CHAR")
	case t.is("CHARACTER"), t.is("CHAR"):
		return n.is("SET")
	}
	return t.is("CHARSET") || t.is("COLLATE")
}

// tableCharset reads [DEFAULT] CHARACTER SET and COLLATE of a table.
func (p *parser) tableCharset(s *Statement) (bool, error) {
	if !p.atCharset() {
		return false, nil
	}
	p.word("DEFAULT")
	collate := p.word("COLLATE")
	if !collate {
		_ = p.words("CHARACTER", "SET") || p.words("CHAR", "SET") || p.word("CHARSET")
	}
	p.sign("=")
	name, err := p.charsetName()
	if err != nil {
		return false, err
	}
	c := Change{kind: setCharset, charset: name}
	if collate {
		c.charset, c.collation = charsetOf(name), name
	}
	s.Changes = append(s.Changes, c)
	return true, nil
}

// charsetName reads the name of a character set or a collation.
func (p *parser) charsetName() (string, error) {
	if t := p.next(); t.kind == textToken {
		p.at++
		return canonicalCharset(t.text), nil
	}
	name, err := p.name()
	return canonicalCharset(name), err
}

// rest steps to the end.
func (p *parser) rest() { p.at = len(p.tokens) - 1 }

// tableOf reads a table's name whose database is that of another one, if it is not told.
func (p *parser) tableOf(database string) (Name, error) {
	session := p.o.Database
	if session == "" {
		p.o.Database = database
	}
	name, err := p.table()
	p.o.Database = session
	return name, err
}
