package transform

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/culvertdata/culvert/plugin"
)

// SQLOptions are the options of Sql.
type SQLOptions struct {
	Query  string `opt:"query" required:"true" help:"SELECT columns FROM table. Columns may have aliases, * stands for all. The name of the table does not matter."`
	Engine string `opt:"engine" default:"ZETA" enum:"ZETA,INTERNAL" help:"Accepted; there is one engine."`
}

func newSQL(_ context.Context, o SQLOptions, _ plugin.Env) (*selector, error) {
	items, err := parseQuery(o.Query)
	if err != nil {
		return nil, &plugin.Error{Code: plugin.CodeConfig, Err: fmt.Errorf("query: %w", err),
			Fix: "only SELECT with columns, aliases and *, and FROM one table, can be read"}
	}
	choose := func(in *plugin.Table) (selection, error) {
		var s selection
		for _, item := range items {
			if item.key == allColumns {
				for i, c := range in.Columns {
					s.columns, s.names = append(s.columns, i), append(s.names, c.Name)
				}
				continue
			}
			at, err := fieldIndex(in, "query", item.key)
			if err != nil {
				return selection{}, err
			}
			s.columns, s.names = append(s.columns, at), append(s.names, item.value)
		}
		return s, nil
	}
	return &selector{choose, memo[selection]{}}, nil
}

// allColumns is the key of an item that stands for all columns.
const allColumns = ""

// parseQuery returns the columns of a query with the names that they get.
func parseQuery(query string) ([]pair, error) {
	q := queryReader{rest: query}
	q.next()
	if !q.keyword("SELECT") {
		return nil, q.unexpected("SELECT")
	}
	var items []pair
	for {
		item, err := q.item()
		if err != nil {
			return nil, err
		}
		items = append(items, item)
		if q.text != "," || q.quoted {
			break
		}
		q.next()
	}
	if !q.keyword("FROM") {
		return nil, q.unexpected("a comma or FROM")
	}
	if _, ok := q.name(); !ok {
		return nil, q.unexpected("the name of a table")
	}
	if q.text == ";" {
		q.next()
	}
	if q.text != "" || q.quoted {
		return nil, q.unexpected("the end")
	}
	return items, nil
}

// queryReader reads the words of a query.
type queryReader struct {
	rest   string
	text   string // the word; empty behind the last one
	quoted bool   // it is a quoted name
	broken bool   // its quote does not end
}

// next goes to the next word: a name, which may be quoted, or a single character.
func (q *queryReader) next() {
	q.rest = strings.TrimLeftFunc(q.rest, unicode.IsSpace)
	q.text, q.quoted = "", false
	if q.rest == "" {
		return
	}
	if quote := q.rest[0]; quote == '`' || quote == '"' {
		q.text, q.rest, q.quoted = q.rest[1:], "", true
		end := strings.IndexByte(q.text, quote)
		if q.broken = end < 0; !q.broken {
			q.text, q.rest = q.text[:end], q.text[end+1:]
		}
		return
	}
	end := strings.IndexFunc(q.rest, func(r rune) bool { return !inName(r) })
	switch end {
	case -1:
		end = len(q.rest)
	case 0:
		_, end = utf8.DecodeRuneInString(q.rest)
	}
	q.text, q.rest = q.rest[:end], q.rest[end:]
}

func inName(r rune) bool { return r == '_' || r == '$' || unicode.IsLetter(r) || unicode.IsDigit(r) }

// keyword passes a word of the language, if it is the next one.
func (q *queryReader) keyword(word string) bool {
	if q.quoted || !strings.EqualFold(q.text, word) {
		return false
	}
	q.next()
	return true
}

// item reads a column and its alias.
func (q *queryReader) item() (pair, error) {
	if q.text == "*" && !q.quoted {
		q.next()
		return pair{key: allColumns}, nil
	}
	column, ok := q.name()
	if !ok {
		return pair{}, q.unexpected("a column")
	}
	alias := column
	if as := q.keyword("AS"); as || q.quoted || !strings.EqualFold(q.text, "FROM") {
		name, ok := q.name()
		switch {
		case ok:
			alias = name
		case as:
			return pair{}, q.unexpected("an alias")
		}
	}
	return pair{key: column, value: alias}, nil
}

// name reads a name that is no word of the language.
func (q *queryReader) name() (string, bool) {
	first, _ := utf8.DecodeRuneInString(q.text)
	reserved := []string{"SELECT", "DISTINCT", "AS", "FROM", "WHERE", "CASE"}
	switch {
	case q.broken || q.text == "":
		return "", false
	case !q.quoted && (!inName(first) || unicode.IsDigit(first) || slices.Contains(reserved, strings.ToUpper(q.text))):
		return "", false
	}
	name := q.text
	q.next()
	return name, true
}

// unexpected says what stands where something else should.
func (q *queryReader) unexpected(want string) error {
	switch {
	case q.broken:
		return fmt.Errorf("the quote before %.40q does not end", q.text)
	case q.text == "" && !q.quoted:
		return fmt.Errorf("it ends where %s is expected", want)
	default:
		return fmt.Errorf("%.40q stands where %s is expected", q.text, want)
	}
}
