package rest

import (
	"strconv"
	"unicode/utf8"
)

// jsonText builds JSON in order. Lists hold thousands of jobs, so no value goes through reflection.
type jsonText struct {
	b []byte
	// last is the byte before b, if some was taken away; see taken.
	last byte
}

// separate puts a comma where one is needed.
func (j *jsonText) separate() {
	last := j.last
	if n := len(j.b); n > 0 {
		last = j.b[n-1]
	}
	switch last {
	case 0, '{', '[', ':':
		return
	}
	j.b = append(j.b, ',')
}

// taken empties the text after somebody has written it.
func (j *jsonText) taken() {
	if n := len(j.b); n > 0 {
		j.last = j.b[n-1]
	}
	j.b = j.b[:0]
}

// open starts an object or a list.
func (j *jsonText) open(bracket byte) {
	j.separate()
	j.b = append(j.b, bracket)
}

// close ends one.
func (j *jsonText) close(bracket byte) { j.b = append(j.b, bracket) }

// key starts a member whose name needs no escapes, as those do that are written in this package.
func (j *jsonText) key(name string) {
	j.separate()
	j.b = append(append(append(j.b, '"'), name...), '"', ':')
}

// anyKey starts a member of any name.
func (j *jsonText) anyKey(name string) {
	j.separate()
	j.b = append(appendQuoted(j.b, name), ':')
}

func (j *jsonText) text(value string) {
	j.separate()
	j.b = appendQuoted(j.b, value)
}

func (j *jsonText) number(value int64) {
	j.separate()
	j.b = strconv.AppendInt(j.b, value, 10)
}

func (j *jsonText) boolean(value bool) {
	j.separate()
	j.b = strconv.AppendBool(j.b, value)
}

// raw appends a value that is JSON already.
func (j *jsonText) raw(value string) {
	j.separate()
	j.b = append(j.b, value...)
}

// openKey starts an object or a list that is a member.
func (j *jsonText) openKey(name string, bracket byte) {
	j.key(name)
	j.open(bracket)
}

// member adds a text that is a member, as most are.
func (j *jsonText) member(name, value string) {
	j.key(name)
	j.text(value)
}

func (j *jsonText) numberMember(name string, value int64) {
	j.key(name)
	j.number(value)
}

// digits adds a number as a text.
func (j *jsonText) digits(name string, value int64) {
	j.key(name)
	j.quotedNumber(value)
}

func (j *jsonText) quotedNumber(value int64) {
	j.separate()
	j.b = append(strconv.AppendInt(append(j.b, '"'), value, 10), '"')
}

// appendQuoted appends a text as JSON. What is not UTF-8 becomes U+FFFD.
func appendQuoted(b []byte, s string) []byte {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < ' ' || c == '"' || c == '\\' || c >= utf8.RuneSelf {
			return appendEscaped(b, s)
		}
	}
	return append(append(append(b, '"'), s...), '"')
}

func appendEscaped(b []byte, s string) []byte {
	b = append(b, '"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b = append(b, '\\', byte(r))
		case r == '\n':
			b = append(b, '\\', 'n')
		case r == '\t':
			b = append(b, '\\', 't')
		case r < ' ' || r == '\u2028' || r == '\u2029':
			b = append(b, `\u`...)
			b = append(b, hexDigits[r>>12&15], hexDigits[r>>8&15], hexDigits[r>>4&15], hexDigits[r&15])
		default:
			b = utf8.AppendRune(b, r)
		}
	}
	return append(b, '"')
}

const hexDigits = "0123456789abcdef"
