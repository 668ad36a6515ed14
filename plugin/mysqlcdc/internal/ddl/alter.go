package ddl

import "strings"

// alter reads ALTER TABLE behind its first word; other ALTERs change no columns.
func (p *parser) alter() ([]Statement, error) {
	p.word("ONLINE")
	p.word("IGNORE")
	if !p.word("TABLE") {
		return p.other()
	}
	s := &Statement{Kind: Alter, IfExists: p.words("IF", "EXISTS")}
	var err error
	if s.Table, err = p.table(); err != nil {
		return nil, err
	}
	if err := p.wait(); err != nil {
		return nil, err
	}
	for !p.end() && !p.sign(";") {
		if err := p.clause(s); err != nil {
			return nil, err
		}
		p.sign(",")
	}
	if !p.end() {
		return nil, p.unexpected()
	}
	if s.Changes == nil && s.To != (Name{}) {
		s.Kind = Rename
	}
	return []Statement{*s}, nil
}

// clause reads one clause of an ALTER TABLE.
func (p *parser) clause(s *Statement) error {
	switch {
	case p.word("ADD"):
		return p.add(s)
	case p.word("DROP"):
		return p.dropClause(s)
	case p.word("MODIFY"):
		return p.change(s, false)
	case p.word("CHANGE"):
		return p.change(s, true)
	case p.word("ALTER"):
		return p.alterClause(s)
	case p.word("RENAME"):
		return p.renameClause(s)
	case p.words("ORDER", "BY"):
		return p.orderBy()
	}
	return p.option(s)
}

// addKeys are the words that begin an index or a constraint, none of which may be a column's name without quotes.
var addKeys = []string{"INDEX", "KEY", "FULLTEXT", "SPATIAL", "UNIQUE", "FOREIGN", "CHECK"}

func (p *parser) add(s *Statement) error {
	switch {
	case p.word("PARTITION"):
		p.rest()
		return nil
	case p.words("PERIOD", "FOR"):
		return p.skipClause()
	case p.words("SYSTEM", "VERSIONING"):
		return notUnderstood("system versioning adds columns of its own")
	case p.words("VECTOR", "INDEX"), p.words("VECTOR", "KEY"):
		return p.skipClause()
	}
	column := p.word("COLUMN")
	soft := p.words("IF", "NOT", "EXISTS")
	if p.sign("(") {
		return p.addList(s, soft)
	}
	if !column {
		if done, err := p.addKey(s); done || err != nil {
			return err
		}
	}
	return p.addColumn(s, soft)
}

// addKey reads an index or a constraint; false if it is none.
func (p *parser) addKey(s *Statement) (bool, error) {
	if p.word("CONSTRAINT") {
		p.words("IF", "NOT", "EXISTS")
		if t := p.next(); !t.is("PRIMARY") && !t.is("UNIQUE") && !t.is("FOREIGN") && !t.is("CHECK") {
			if _, err := p.name(); err != nil {
				return false, err
			}
		}
	}
	if p.words("PRIMARY", "KEY") {
		return true, p.primaryKey(s)
	}
	if p.wordOf(addKeys) {
		return true, p.skipElement()
	}
	return false, nil
}

// primaryKey reads the columns of ADD PRIMARY KEY, which may have a name and a kind of index.
func (p *parser) primaryKey(s *Statement) error {
	p.words("IF", "NOT", "EXISTS")
	for !p.sign("(") {
		if t := p.next(); t.kind != wordToken && t.kind != nameToken {
			return p.unexpected()
		}
		p.at++
	}
	c := Change{kind: addKey}
	for {
		if p.next().kind == signToken {
			return p.unexpected() // an expression
		}
		name, err := p.name()
		if err != nil {
			return err
		}
		c.key = append(c.key, name)
		for !p.sign(",") { // a length, a direction
			if p.sign(")") {
				s.Changes = append(s.Changes, c)
				return p.skipElement()
			}
			if p.end() {
				return p.unexpected()
			}
			if err := p.skipOne(); err != nil {
				return err
			}
		}
	}
}

// skipElement steps to the comma or bracket behind an index.
func (p *parser) skipElement() error {
	for !p.end() {
		if t := p.next(); t.kind == signToken && (t.text == "," || t.text == ")" || t.text == ";") {
			return nil
		}
		if err := p.skipOne(); err != nil {
			return err
		}
	}
	return nil
}

// addList reads ADD (a INT, b INT, INDEX (a)) behind the first bracket.
func (p *parser) addList(s *Statement, soft bool) error {
	for {
		done, err := p.addKey(s)
		if err == nil && !done {
			err = p.addColumn(s, soft)
		}
		if err != nil {
			return err
		}
		if p.sign(")") {
			return nil
		}
		if !p.sign(",") {
			return p.unexpected()
		}
	}
}

func (p *parser) addColumn(s *Statement, soft bool) error {
	c := Change{kind: addColumn, soft: soft}
	if err := p.definition(&c); err != nil {
		return err
	}
	s.Changes = append(s.Changes, c)
	return nil
}

// change reads MODIFY, or CHANGE, which names the column before its definition.
func (p *parser) change(s *Statement, named bool) error {
	p.word("COLUMN")
	c := Change{kind: changeColumn, soft: p.words("IF", "EXISTS")}
	if named {
		var err error
		if c.name, err = p.name(); err != nil {
			return err
		}
	}
	if err := p.definition(&c); err != nil {
		return err
	}
	if !named {
		c.name = c.column.Name
	}
	s.Changes = append(s.Changes, c)
	return nil
}

func (p *parser) dropClause(s *Statement) error {
	switch {
	case p.words("PRIMARY", "KEY"):
		s.Changes = append(s.Changes, Change{kind: dropKey})
		return nil
	case p.word("PARTITION"):
		s.Unlogged = true
		p.rest()
		return nil
	case p.words("PERIOD", "FOR"):
		return p.skipClause()
	case p.words("SYSTEM", "VERSIONING"):
		return notUnderstood("system versioning drops columns of its own")
	case p.words("FOREIGN", "KEY"), p.word("CHECK"):
		return p.skipClause()
	case p.word("INDEX"), p.word("KEY"), p.word("CONSTRAINT"):
		p.words("IF", "EXISTS")
		name, err := p.name()
		if strings.EqualFold(name, "PRIMARY") {
			s.Changes = append(s.Changes, Change{kind: dropKey})
		}
		return err
	}
	p.word("COLUMN")
	c := Change{kind: dropColumn, soft: p.words("IF", "EXISTS")}
	var err error
	if c.name, err = p.name(); err != nil {
		return err
	}
	_ = p.word("RESTRICT") || p.word("CASCADE")
	s.Changes = append(s.Changes, c)
	return nil
}

// alterClause reads ALTER COLUMN; ALTER INDEX, CHECK and CONSTRAINT change no columns.
func (p *parser) alterClause(s *Statement) error {
	if p.word("INDEX") || p.word("KEY") || p.word("CHECK") || p.word("CONSTRAINT") {
		return p.skipClause()
	}
	p.word("COLUMN")
	c := Change{kind: setDefault, soft: p.words("IF", "EXISTS")}
	var err error
	if c.name, err = p.name(); err != nil {
		return err
	}
	switch {
	case p.words("DROP", "DEFAULT"):
	case p.words("SET", "DEFAULT"):
		c.column.Default, err = p.value()
	case p.words("SET", "VISIBLE"):
		c.kind = setVisible
	case p.words("SET", "INVISIBLE"):
		c.kind, c.column.Invisible = setVisible, true
	default:
		err = p.unexpected()
	}
	s.Changes = append(s.Changes, c)
	return err
}

func (p *parser) renameClause(s *Statement) error {
	switch {
	case p.word("INDEX"), p.word("KEY"):
		return p.skipClause()
	case p.word("COLUMN"):
		c := Change{kind: renameColumn, soft: p.words("IF", "EXISTS")}
		var err error
		if c.name, err = p.name(); err != nil {
			return err
		}
		if !p.word("TO") {
			return p.unexpected()
		}
		c.column.Name, err = p.name()
		s.Changes = append(s.Changes, c)
		return err
	}
	_ = p.word("TO") || p.word("AS") || p.sign("=")
	var err error
	s.To, err = p.tableOf(s.Table.Database)
	return err
}

// orderBy steps over a list of columns, whose commas do not end the clause.
func (p *parser) orderBy() error {
	for {
		if _, err := p.name(); err != nil {
			return err
		}
		for p.sign(".") {
			if _, err := p.name(); err != nil {
				return err
			}
		}
		_ = p.word("ASC") || p.word("DESC")
		next := p.peek(1)
		if t := p.next(); t.kind != signToken || t.text != "," || next.kind != wordToken && next.kind != nameToken ||
			next.kind == wordToken && clauseWord(next) {
			return nil
		}
		p.at++
	}
}

// clauseWord reports whether a word begins a clause and is no column's name in an ORDER BY.
func clauseWord(t token) bool {
	for _, w := range []string{"ADD", "DROP", "CHANGE", "ALTER", "RENAME", "CONVERT", "FORCE", "MODIFY"} {
		if t.is(w) {
			return true
		}
	}
	return false
}
