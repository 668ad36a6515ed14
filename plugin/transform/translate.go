package transform

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf16"
)

const (
	lineBreaks = `\n\x0b\f\r\x{85}\x{2028}\x{2029}`
	blanks     = ` \t\x{a0}\x{1680}\x{180e}\x{2000}-\x{200a}\x{202f}\x{205f}\x{3000}`
	spaces     = `\s\x0b`
)

// posix maps Java's names of ASCII classes to those of package regexp.
var posix = map[string]string{
	"Lower": "lower", "Upper": "upper", "ASCII": "ascii", "Alpha": "alpha", "Digit": "digit", "Alnum": "alnum",
	"Punct": "punct", "Graph": "graph", "Print": "print", "Blank": "blank", "Cntrl": "cntrl", "XDigit": "xdigit",
	"Space": "space",
}

// translator rewrites a regular expression of Java for package regexp.
type translator struct {
	src     string
	at      int
	out     strings.Builder
	dotAll  bool // a flag s is set somewhere
	inClass bool
}

func translate(java string) (string, error) {
	t := &translator{src: java, dotAll: hasFlag(java, 's')}
	for t.at < len(t.src) {
		if err := t.step(); err != nil {
			return "", err
		}
	}
	return t.out.String(), nil
}

// hasFlag reports whether the expression sets a flag, as in (?i).
func hasFlag(java string, flag byte) bool {
	for {
		_, after, ok := strings.Cut(java, "(?")
		if !ok {
			return false
		}
		flags, _, _ := strings.Cut(after, ")")
		flags, _, _ = strings.Cut(flags, ":")
		if strings.Trim(flags, "imsdxuU-") == "" && strings.IndexByte(flags, flag) >= 0 {
			return true
		}
		java = after
	}
}

func (t *translator) rest() string { return t.src[t.at:] }

// copy copies n bytes.
func (t *translator) copy(n int) {
	t.out.WriteString(t.src[t.at : t.at+n])
	t.at += n
}

// replace writes text for n bytes.
func (t *translator) replace(n int, text string) {
	t.out.WriteString(text)
	t.at += n
}

// step translates what comes next.
func (t *translator) step() error {
	c := t.src[t.at]
	switch {
	case c == '\\':
		return t.escape()
	case t.inClass:
		return t.class()
	case c == '[':
		t.openClass()
	case c == '(':
		return t.group()
	case c == '.' && !t.dotAll:
		t.replace(1, `[^\n\r\x{85}\x{2028}\x{2029}]`)
	default:
		t.copy(1)
	}
	return nil
}

// openClass copies [ or [^ and a bracket right behind it, which stands for itself.
func (t *translator) openClass() {
	t.inClass = true
	t.copy(1)
	if strings.HasPrefix(t.rest(), "^") {
		t.copy(1)
	}
	if strings.HasPrefix(t.rest(), "]") {
		t.copy(1)
	}
}

func (t *translator) class() error {
	switch {
	case strings.HasPrefix(t.rest(), "&&"):
		return errors.New("intersections of character classes are not supported")
	case t.src[t.at] == '[':
		return errors.New(`unions of character classes are not supported; write \[ for the sign itself`)
	case t.src[t.at] == ']':
		t.inClass = false
	}
	t.copy(1)
	return nil
}

func (t *translator) group() error {
	rest := t.rest()
	for _, look := range []string{"(?=", "(?!", "(?<=", "(?<!"} {
		if strings.HasPrefix(rest, look) {
			return fmt.Errorf("lookahead and lookbehind, here %s, are not supported", look)
		}
	}
	if strings.HasPrefix(rest, "(?>") {
		return errors.New("atomic groups, here (?>, are not supported")
	}
	if strings.HasPrefix(rest, "(?") && !strings.HasPrefix(rest, "(?<") {
		flags := rest[2:]
		if i := strings.IndexAny(flags, ":)"); i >= 0 {
			flags = flags[:i]
		}
		if i := strings.IndexAny(flags, "dxuU"); i >= 0 {
			return fmt.Errorf("the flag %c is not supported", flags[i])
		}
	}
	t.copy(1)
	return nil
}

// escape translates a backslash and what follows.
func (t *translator) escape() error {
	if t.at+1 == len(t.src) {
		return errors.New("ends in a backslash")
	}
	switch c := t.src[t.at+1]; c {
	case 'Q':
		return t.quote()
	case 's', 'h', 'v':
		t.members(map[byte]string{'s': spaces, 'h': blanks, 'v': lineBreaks}[c])
	case 'S', 'H', 'V':
		return t.others(c, map[byte]string{'S': spaces, 'H': blanks, 'V': lineBreaks}[c])
	case 'u':
		return t.unicode()
	case 'e':
		t.replace(2, `\x1b`)
	case 'c':
		if t.at+2 == len(t.src) {
			return errors.New(`\c lacks its letter`)
		}
		t.replace(3, fmt.Sprintf(`\x%02x`, t.src[t.at+2]^64))
	case 'p', 'P':
		t.property(c == 'P')
	case 'Z', 'G', 'R', 'X', 'N', 'k':
		return fmt.Errorf(`\%c is not supported`, c)
	default:
		if c >= '1' && c <= '9' {
			return fmt.Errorf(`back references, here \%c, are not supported`, c)
		}
		t.copy(2)
	}
	return nil
}

// members writes a class of the given members.
func (t *translator) members(members string) {
	if !t.inClass {
		members = "[" + members + "]"
	}
	t.replace(2, members)
}

// others writes the class of everything else.
func (t *translator) others(c byte, members string) error {
	switch {
	case !t.inClass:
		t.replace(2, "[^"+members+"]")
	case c == 'S':
		t.copy(2) // differs by one control character, U+000B
	default:
		return fmt.Errorf(`\%c in a character class is not supported`, c)
	}
	return nil
}

// quote copies \Q...\E as single escaped characters.
func (t *translator) quote() error {
	text, _, closed := strings.Cut(t.src[t.at+2:], `\E`)
	t.at += 2 + len(text)
	if closed {
		t.at += 2
	}
	for _, r := range text {
		if strings.ContainsRune(`\.+*?()|[]{}^$-&`, r) {
			t.out.WriteByte('\\')
		}
		t.out.WriteRune(r)
	}
	return nil
}

// unicode translates \uhhhh, and two of them that make one character.
func (t *translator) unicode() error {
	r, ok := hexUnit(t.rest())
	if !ok {
		return errors.New(`\u must be followed by four hexadecimal digits`)
	}
	n := 6
	if utf16.IsSurrogate(r) {
		low, ok := hexUnit(t.src[t.at+n:])
		if r = utf16.DecodeRune(r, low); !ok || r == '\uFFFD' {
			return errors.New(`\u names half a character`)
		}
		n = 12
	}
	t.replace(n, fmt.Sprintf(`\x{%x}`, r))
	return nil
}

func hexUnit(text string) (rune, bool) {
	if len(text) < 6 || text[:2] != `\u` {
		return 0, false
	}
	n, err := strconv.ParseUint(text[2:6], 16, 16)
	return rune(n), err == nil
}

// property translates \p{Name}. Names that package regexp does not know are left to it to refuse.
func (t *translator) property(not bool) {
	name, _, ok := strings.Cut(t.src[t.at+2:], "}")
	if !ok || !strings.HasPrefix(name, "{") {
		t.copy(2)
		return
	}
	n := len(name) + 3
	name = name[1:]
	class, known := posix[name]
	switch {
	case known && not:
		class = "[:^" + class + ":]"
	case known:
		class = "[:" + class + ":]"
	default:
		t.replace(n, t.src[t.at:t.at+2]+"{"+strings.TrimPrefix(name, "Is")+"}")
		return
	}
	if !t.inClass {
		class = "[" + class + "]"
	}
	t.replace(n, class)
}
