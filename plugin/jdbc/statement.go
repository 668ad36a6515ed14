package jdbc

import (
	"errors"
	"fmt"
	"strings"

	"github.com/culvertdata/culvert/plugin"
)

// Statement is the job's own statement for a row.
type Statement struct {
	// SQL has numbered parameters: each ? of the job, or each :name, is one.
	Parts []string
	// Columns holds the position of the column for each parameter; a parameter stands between two of Parts.
	Columns []int
}

// Render puts the statement together; param writes the parameter of number n, from 1.
func (s *Statement) Render(param func(n int) string) string {
	var b strings.Builder
	for i, part := range s.Parts {
		b.WriteString(part)
		if i < len(s.Columns) {
			b.WriteString(param(i + 1))
		}
	}
	return b.String()
}

// parseStatement finds the parameters of a statement. With a ? they stand for the columns in order; otherwise :name
// stands for a column. Texts in quotes, comments, and casts such as ::int hold no parameters.
func parseStatement(sql string, t *plugin.Table) (*Statement, error) {
	s := &Statement{}
	var names []string
	start := 0
	cut := func(from, to int) {
		s.Parts = append(s.Parts, sql[start:from])
		names = append(names, sql[from:to])
		start = to
	}
	for i := 0; i < len(sql); {
		end := skip(sql, i)
		switch {
		case end > i:
		case sql[i] == '?':
			end = i + 1
			cut(i, end)
		case sql[i] == ':' && i+1 < len(sql) && isWord(sql[i+1]):
			for end = i + 1; end < len(sql) && isWord(sql[end]); {
				end++
			}
			cut(i, end)
		default:
			end = i + 1
		}
		i = end
	}
	s.Parts = append(s.Parts, sql[start:])
	if len(names) == 0 {
		return nil, &plugin.Error{
			Code: plugin.CodeConfig, Table: t.ID, Err: errors.New("query: the statement has no parameters"),
			Fix: "write ? for the columns in order, or :name for a column by its name",
		}
	}
	return s, s.bindColumns(names, t)
}

// bindColumns finds the columns of the parameters.
func (s *Statement) bindColumns(names []string, t *plugin.Table) error {
	marks := 0
	for _, name := range names {
		if name == "?" {
			s.Columns = append(s.Columns, marks)
			marks++
			continue
		}
		i := t.Index(name[1:])
		if i < 0 {
			return unknownColumn("query", name[1:], t)
		}
		s.Columns = append(s.Columns, i)
	}
	switch {
	case marks > 0 && marks < len(names):
		return &plugin.Error{
			Code: plugin.CodeConfig, Table: t.ID, Err: errors.New("query: both ? and :name are used"), Fix: "use one of them",
		}
	case marks > len(t.Columns):
		return &plugin.Error{
			Code: plugin.CodeConfig, Table: t.ID,
			Err: fmt.Errorf("query: %d parameters for %d columns", marks, len(t.Columns)),
			Fix: "the columns are " + strings.Join(t.Names(), ", "),
		}
	}
	return nil
}

// skip returns the end of a quoted text, a comment or a cast that begins at i, else i.
func skip(sql string, i int) int {
	rest := sql[i:]
	switch {
	case sql[i] == '\'' || sql[i] == '"' || sql[i] == '`':
		return past(sql, i+1, sql[i:i+1])
	case strings.HasPrefix(rest, "--"):
		return past(sql, i, "\n")
	case strings.HasPrefix(rest, "/*"):
		return past(sql, i+2, "*/")
	case strings.HasPrefix(rest, "::"):
		return i + 2
	}
	return i
}

// past returns the position behind the next end mark, or the end of the text.
func past(sql string, from int, mark string) int {
	at := strings.Index(sql[from:], mark)
	if at < 0 {
		return len(sql)
	}
	return from + at + len(mark)
}

func isWord(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}
