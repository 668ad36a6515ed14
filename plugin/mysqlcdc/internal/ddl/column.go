package ddl

import "strings"

// definition reads a column's definition and its place: name type attributes [FIRST | AFTER name].
func (p *parser) definition(c *Change) error {
	var err error
	if c.column.Name, err = p.name(); err != nil {
		return err
	}
	t, err := p.dataType()
	if err != nil {
		return err
	}
	for {
		more, err := p.attribute(c, &t)
		if err != nil {
			return err
		}
		if !more {
			break
		}
	}
	c.column.AutoIncrement = c.column.AutoIncrement || t.serial
	c.column.NotNull = c.column.NotNull || c.column.AutoIncrement || c.primary
	c.column.typ = t
	switch {
	case p.word("FIRST"):
		c.place.first = true
	case p.word("AFTER"):
		c.place.after, err = p.name()
	}
	return err
}

// attribute reads one attribute of a column; false if none follows.
func (p *parser) attribute(c *Change, t *dataType) (bool, error) {
	if found, err := p.typeAttribute(t); found || err != nil {
		return found, err
	}
	col := &c.column
	switch {
	case p.words("NOT", "NULL"):
		col.NotNull = true
	case p.word("NULL"):
		col.NotNull = false
	case p.words("SERIAL", "DEFAULT", "VALUE"):
		t.serial = true
	case p.word("DEFAULT"):
		var err error
		col.Default, err = p.value()
		return true, err
	case p.word("AUTO_INCREMENT"):
		col.AutoIncrement = true
	case p.word("UNIQUE"):
		p.word("KEY")
	case p.word("PRIMARY"):
		if !p.word("KEY") {
			return false, p.unexpected()
		}
		c.primary = true
	case p.word("KEY"):
		c.primary = true
	case p.word("COMMENT"):
		p.sign("=")
		return true, p.comment(col)
	case p.words("ON", "UPDATE"):
		return true, p.call()
	case p.words("GENERATED", "ALWAYS", "AS"), p.word("AS"):
		return true, p.generated(col)
	case p.word("INVISIBLE"):
		col.Invisible = true
	case p.word("VISIBLE"), p.words("NOT", "ENFORCED"), p.word("ENFORCED"), p.words("NOT", "SECONDARY"),
		p.words("WITHOUT", "SYSTEM", "VERSIONING"), p.words("WITH", "SYSTEM", "VERSIONING"):
	default:
		return p.lesser()
	}
	return true, nil
}

// lesser reads attributes that do not matter.
func (p *parser) lesser() (bool, error) {
	switch {
	case p.word("REFERENCES"):
		return true, p.references()
	case p.word("CONSTRAINT"):
		if !p.next().is("CHECK") {
			if _, err := p.name(); err != nil {
				return false, err
			}
		}
	case p.word("CHECK"):
		return true, p.bracket()
	case p.word("COLUMN_FORMAT"), p.word("STORAGE"), p.word("SRID"), p.word("REF_SYSTEM_ID"),
		p.word("ENGINE_ATTRIBUTE"), p.word("SECONDARY_ENGINE_ATTRIBUTE"):
		p.sign("=")
		if p.end() {
			return false, p.unexpected()
		}
		p.at++
	default:
		return false, p.definitionEnds()
	}
	return true, nil
}

// definitionEnds makes sure that nothing follows a definition that belongs to it.
func (p *parser) definitionEnds() error {
	t := p.next()
	if t.kind == endToken || t.kind == signToken && (t.text == "," || t.text == ")" || t.text == ";") ||
		t.is("FIRST") || t.is("AFTER") {
		return nil
	}
	return p.unexpected()
}

func (p *parser) comment(col *Column) error {
	t := p.next()
	if t.kind != textToken {
		return p.unexpected()
	}
	p.at++
	col.Comment = t.text
	for p.next().kind == textToken { // texts side by side are one
		col.Comment += p.next().text
		p.at++
	}
	return nil
}

// generated reads the expression of a generated column.
func (p *parser) generated(col *Column) error {
	if p.word("ROW") {
		return notUnderstood("the column is of system versioning")
	}
	if err := p.bracket(); err != nil {
		return err
	}
	_ = p.word("VIRTUAL") || p.word("PERSISTENT") || p.word("STORED")
	col.Generated = true
	return nil
}

// bracket steps over an expression in brackets.
func (p *parser) bracket() error {
	if t := p.next(); t.kind != signToken || t.text != "(" {
		return p.unexpected()
	}
	return p.skipOne()
}

// references steps over a foreign key.
func (p *parser) references() error {
	if _, err := p.tableOf("-"); err != nil {
		return err
	}
	if t := p.next(); t.kind == signToken && t.text == "(" {
		if err := p.skipOne(); err != nil {
			return err
		}
	}
	for {
		switch {
		case p.word("MATCH"):
			p.at++
		case p.words("ON", "DELETE"), p.words("ON", "UPDATE"):
			if !p.words("SET", "NULL") && !p.words("SET", "DEFAULT") && !p.words("NO", "ACTION") && !p.word("RESTRICT") &&
				!p.word("CASCADE") {
				return p.unexpected()
			}
		default:
			return nil
		}
	}
}

// call steps over a function with or without brackets.
func (p *parser) call() error {
	if _, err := p.name(); err != nil {
		return err
	}
	if t := p.next(); t.kind == signToken && t.text == "(" {
		return p.skipOne()
	}
	return nil
}

// value reads a default: the text of a literal, nil for null and for expressions.
func (p *parser) value() (*string, error) {
	if t := p.next(); t.kind == signToken && t.text == "(" {
		return nil, p.skipOne()
	}
	sign := ""
	if p.sign("-") {
		sign = "-"
	} else {
		p.sign("+")
	}
	t := p.next()
	switch t.kind {
	case numberToken:
		p.at++
		text := sign + t.text
		if strings.HasPrefix(t.text, "0x") || strings.HasPrefix(t.text, "0b") {
			return nil, p.valueEnds()
		}
		return &text, p.valueEnds()
	case textToken:
		var c Column
		err := p.comment(&c)
		if err != nil {
			return nil, err
		}
		return &c.Comment, p.valueEnds()
	case wordToken:
	default:
		return nil, p.unexpected()
	}
	return p.wordValue(t)
}

// wordValue reads a default that begins with a word.
func (p *parser) wordValue(t token) (*string, error) {
	literal := func(text string) (*string, error) {
		p.at++
		return &text, p.valueEnds()
	}
	switch {
	case t.is("NULL"):
		p.at++
		return nil, p.valueEnds()
	case t.is("TRUE"):
		return literal("1")
	case t.is("FALSE"):
		return literal("0")
	case p.words("NEXT", "VALUE", "FOR"):
		_, err := p.tableOf("-")
		return nil, err
	case p.peek(1).kind == textToken && (t.text[0] == '_' || t.is("N")):
		p.at++
		return literal(p.next().text)
	case p.peek(1).kind == textToken && (t.is("X") || t.is("B")):
		p.at += 2
		return nil, p.valueEnds()
	}
	err := p.call()
	if err == nil {
		err = p.valueEnds()
	}
	return nil, err
}

// valueEnds makes sure that a default is no longer expression.
func (p *parser) valueEnds() error {
	t := p.next()
	if t.kind == signToken && t.text != "," && t.text != ")" && t.text != ";" {
		return p.unexpected()
	}
	return nil
}
