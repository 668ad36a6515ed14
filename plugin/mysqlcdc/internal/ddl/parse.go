package ddl

import (
	"slices"
	"strconv"
	"strings"
)

// parser reads the tokens of one statement.
type parser struct {
	o      Options
	tokens []token
	at     int
}

// Parse reads one statement. It returns nil if the statement is known to change no table's columns or names: CREATE
// INDEX, GRANT, statements about views, triggers, users, temporary tables and so on.
func Parse(sql string, o Options) ([]Statement, error) {
	list, err := tokens(sql, o)
	if err != nil {
		return nil, err
	}
	p := &parser{o: o, tokens: list}
	statements, err := p.statement()
	if err != nil {
		return nil, err
	}
	return statements, nil
}

// harmless are the first words of statements that change no columns.
var harmless = []string{
	"GRANT", "REVOKE", "SET", "INSERT", "UPDATE", "DELETE", "REPLACE", "LOAD", "ANALYZE", "OPTIMIZE", "REPAIR", "CHECK",
	"CHECKSUM", "FLUSH", "USE", "BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE", "START", "XA", "CALL", "LOCK",
	"UNLOCK", "INSTALL", "UNINSTALL", "RESET", "PURGE", "CHANGE", "KILL", "DO", "SELECT", "WITH", "CACHE", "SHUTDOWN",
	"EXECUTE", "PREPARE", "DEALLOCATE", "HANDLER", "SHOW", "EXPLAIN", "BACKUP",
}

// objects are what CREATE, ALTER, DROP and RENAME may name besides tables; and words that come before such a name.
var objects = []string{
	"DATABASE", "SCHEMA", "VIEW", "TRIGGER", "PROCEDURE", "FUNCTION", "EVENT", "USER", "ROLE", "SERVER", "TABLESPACE",
	"LOGFILE", "SEQUENCE", "PACKAGE", "INDEX", "UNIQUE", "FULLTEXT", "SPATIAL", "VECTOR", "DEFINER", "ALGORITHM", "SQL",
	"AGGREGATE", "UNDO", "RESOURCE", "INSTANCE", "CATALOG", "PREPARE", "LIBRARY",
}

func (p *parser) statement() ([]Statement, error) {
	if p.words("SET", "STATEMENT") {
		if err := p.skipTo("FOR"); err != nil {
			return nil, err
		}
	}
	switch {
	case p.end():
		return nil, nil
	case p.word("ALTER"):
		return p.alter()
	case p.word("CREATE"):
		return p.create()
	case p.word("DROP"):
		return p.drop()
	case p.word("RENAME"):
		return p.rename()
	case p.word("TRUNCATE"):
		return p.truncate()
	case p.wordOf(harmless):
		return nil, nil
	}
	return nil, p.unexpected()
}

// other is for statements about other things than tables.
func (p *parser) other() ([]Statement, error) {
	if p.wordOf(objects) {
		return nil, nil
	}
	return nil, p.unexpected()
}

func (p *parser) create() ([]Statement, error) {
	p.words("OR", "REPLACE")
	if p.word("TEMPORARY") {
		return nil, nil
	}
	if !p.word("TABLE") {
		return p.other()
	}
	s := Statement{Kind: Create, IfExists: p.words("IF", "NOT", "EXISTS")}
	var err error
	if s.Table, err = p.table(); err != nil {
		return nil, err
	}
	start := p.at
	p.sign("(")
	if p.word("LIKE") {
		if s.Like, err = p.table(); err != nil {
			return nil, err
		}
	} else {
		p.at = start
	}
	return []Statement{s}, nil
}

func (p *parser) drop() ([]Statement, error) {
	if p.word("TEMPORARY") {
		return nil, nil
	}
	switch {
	case p.word("DATABASE"), p.word("SCHEMA"):
		s := Statement{Kind: DropDatabase, IfExists: p.words("IF", "EXISTS")}
		var err error
		s.Table.Database, err = p.name()
		return []Statement{s}, err
	case p.word("INDEX"):
		return p.dropIndex()
	case !p.word("TABLE") && !p.word("TABLES"):
		return p.other()
	}
	ifExists := p.words("IF", "EXISTS")
	var list []Statement
	for {
		name, err := p.table()
		if err != nil {
			return nil, err
		}
		list = append(list, Statement{Kind: Drop, Table: name, IfExists: ifExists})
		if !p.sign(",") {
			break
		}
	}
	if err := p.wait(); err != nil {
		return nil, err
	}
	_ = p.word("RESTRICT") || p.word("CASCADE")
	return list, p.finish()
}

// dropIndex reads DROP INDEX, which may drop the primary key by its name.
func (p *parser) dropIndex() ([]Statement, error) {
	p.words("IF", "EXISTS")
	index, err := p.name()
	if err != nil {
		return nil, err
	}
	if !strings.EqualFold(index, "PRIMARY") {
		return nil, nil
	}
	if !p.word("ON") {
		return nil, p.unexpected()
	}
	name, err := p.table()
	return []Statement{{Kind: Alter, Table: name, Changes: []Change{{kind: dropKey}}}}, err
}

func (p *parser) rename() ([]Statement, error) {
	if !p.word("TABLE") && !p.word("TABLES") {
		return p.other()
	}
	ifExists := p.words("IF", "EXISTS")
	var list []Statement
	for {
		s := Statement{Kind: Rename, IfExists: ifExists}
		var err error
		if s.Table, err = p.table(); err != nil {
			return nil, err
		}
		if err := p.wait(); err != nil {
			return nil, err
		}
		if !p.word("TO") {
			return nil, p.unexpected()
		}
		if s.To, err = p.table(); err != nil {
			return nil, err
		}
		list = append(list, s)
		if !p.sign(",") {
			return list, p.finish()
		}
	}
}

func (p *parser) truncate() ([]Statement, error) {
	p.word("TABLE")
	name, err := p.table()
	if err == nil {
		err = p.wait()
	}
	if err != nil {
		return nil, err
	}
	return []Statement{{Kind: Truncate, Table: name}}, p.finish()
}

// wait steps over WAIT n and NOWAIT.
func (p *parser) wait() error {
	if p.word("NOWAIT") || !p.word("WAIT") {
		return nil
	}
	if p.next().kind != numberToken {
		return p.unexpected()
	}
	p.at++
	return nil
}

// finish expects the end of the statement.
func (p *parser) finish() error {
	p.sign(";")
	if !p.end() {
		return p.unexpected()
	}
	return nil
}

// table reads a table's name.
func (p *parser) table() (Name, error) {
	p.sign(".") // of the session's database
	first, err := p.name()
	if err != nil {
		return Name{}, err
	}
	if !p.sign(".") {
		if p.o.Database == "" {
			return Name{}, notUnderstood("the table %s has no database", first)
		}
		return Name{p.o.Database, first}, nil
	}
	second, err := p.name()
	return Name{first, second}, err
}

// name reads a name, with or without quotes.
func (p *parser) name() (string, error) {
	t := p.next()
	if t.kind != wordToken && t.kind != nameToken {
		return "", p.unexpected()
	}
	p.at++
	return t.text, nil
}

func (p *parser) next() token { return p.tokens[p.at] }

func (p *parser) peek(n int) token { return p.tokens[min(p.at+n, len(p.tokens)-1)] }

func (p *parser) end() bool { return p.next().kind == endToken }

// is reports whether a token is a keyword.
func (t token) is(word string) bool { return t.kind == wordToken && strings.EqualFold(t.text, word) }

// word takes a keyword if it comes next.
func (p *parser) word(word string) bool { return p.words(word) }

// words takes several keywords if they come next.
func (p *parser) words(list ...string) bool {
	for i, word := range list {
		if !p.peek(i).is(word) {
			return false
		}
	}
	p.at += len(list)
	return true
}

// wordOf takes one of some keywords if it comes next.
func (p *parser) wordOf(list []string) bool {
	t := p.next()
	if t.kind != wordToken || !slices.ContainsFunc(list, t.is) {
		return false
	}
	p.at++
	return true
}

// sign takes a character if it comes next.
func (p *parser) sign(text string) bool {
	if t := p.next(); t.kind != signToken || t.text != text {
		return false
	}
	p.at++
	return true
}

// skipTo steps behind the next keyword of that text outside of brackets.
func (p *parser) skipTo(word string) error {
	for !p.end() {
		if p.word(word) {
			return nil
		}
		if err := p.skipOne(); err != nil {
			return err
		}
	}
	return p.unexpected()
}

// skipOne steps over a token, or over all of a bracket.
func (p *parser) skipOne() error {
	if !p.sign("(") {
		p.at++
		return nil
	}
	for depth := 1; depth > 0; {
		switch {
		case p.end():
			return notUnderstood("a bracket is missing")
		case p.sign("("):
			depth++
		case p.sign(")"):
			depth--
		default:
			p.at++
		}
	}
	return nil
}

// skipClause steps to the next comma outside of brackets, or to the end.
func (p *parser) skipClause() error {
	for !p.end() && !(p.next().kind == signToken && (p.next().text == "," || p.next().text == ";")) {
		if p.next().kind == signToken && p.next().text == ")" {
			return p.unexpected()
		}
		if err := p.skipOne(); err != nil {
			return err
		}
	}
	return nil
}

// unexpected is the error of a token that fits nowhere.
func (p *parser) unexpected() error {
	t := p.next()
	if t.kind == endToken {
		return notUnderstood("it ends too soon")
	}
	text := t.text
	const most = 40
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "..."
	}
	return notUnderstood("%s at character %d is not expected", strconv.Quote(text), t.at+1)
}
