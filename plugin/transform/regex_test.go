package transform

import (
	"strings"
	"testing"
)

// TestReplaceLikeJava compares with what String.replaceAll and replaceFirst return.
func TestReplaceLikeJava(t *testing.T) {
	tests := []struct {
		text, pattern, replacement string
		all, first                 string
	}{
		{"a1b22", `\d`, "#", "a#b##", "a#b22"},
		{"a1b22", `(\w)(\d)`, "$2$1", "1a2b2", "1ab22"},
		{"abc", "x*", "-", "-a-b-c-", "-abc"},
		{"axc", "x*", "-", "-a--c-", "-axc"},
		{"abc", ".*", "x", "xx", "x"},
		{"", ".*", "x", "x", "x"},
		{"äöü", "ö*", "-", "-ä--ü-", "-äöü"},
		{"  a ", `^\s*|\s*$`, "-", "-a--", "-a "},
		{"ab ab", `\b`, "|", "|ab| |ab|", "|ab ab"},
		{"aab", "a*", "x", "xxbx", "xb"},
		{"one.two", `\.`, "$0$0", "one..two", "one..two"},
		{"one.two", `.`, "x", "xxxxxxx", "xne.two"},
		{"a\rb", ".+", "x", "x\rx", "x\rb"},
		{"a\nb", "(?s).+", "x", "x", "x"},
		{"a\x0bb c", `\s`, "_", "a_b_c", "a_b c"},
		{"a\x0bb c", `[\sc]`, "_", "a_b__", "a_b c"},
		{"a b", `\S`, "x", "x x", "x b"},
		{"a\tb\u00a0c\nd", `\h`, "_", "a_b_c\nd", "a_b\u00a0c\nd"},
		{"a\r\u2028b", `\v`, "_", "a__b", "a_\u2028b"},
		{"a.b", `\Q.\E`, "x", "axb", "axb"},
		{"a+b", `\Qa+b`, "x", "x", "x"},
		{"AbC", "(?i)b", "x", "AxC", "AxC"},
		{"AbC", `\p{Lower}`, "x", "AxC", "AxC"},
		{"AbC", `[\p{Upper}]`, "x", "xbx", "xbC"},
		{"AbC", `\P{Upper}`, "x", "AxC", "AxC"},
		{"aλb", `\p{IsGreek}`, "x", "axb", "axb"},
		{"a\u00e9b", `\u00e9`, "x", "axb", "axb"},
		{"a😀b", `\uD83D\uDE00`, "x", "axb", "axb"},
		{"a]b", "[]]", "x", "axb", "axb"},
		{"a^b", "[\\^]", "x", "axb", "axb"},
		{"key=val", "(?<k>\\w+)=(?<v>\\w+)", "${v}=${k}", "val=key", "val=key"},
		{"price 5", `\d`, `\$$0`, "price $5", "price $5"},
		{"a", "a", `\\`, `\`, `\`},
		{"ab", "(a)(b)", "$12", "a2", "a2"}, // two groups only: $1 and a 2
		{"b", "(a)?b", "[$1]", "[]", "[]"},
		{"a.b|c", "[.|]", "-", "a-b-c", "a-b|c"},
	}
	for _, test := range tests {
		p, err := compile(test.pattern)
		if err != nil {
			t.Error(err)
			continue
		}
		tmpl, err := parseTemplate(test.replacement, p.re)
		if err != nil {
			t.Error(err)
			continue
		}
		for first, want := range map[bool]string{false: test.all, true: test.first} {
			r := replacer{pattern: p, template: tmpl, firstOnly: first}
			if got, _ := r.append(nil, []byte(test.text)); string(got) != want {
				t.Errorf("%q, %q by %q, first only %v: %q, want %q", test.text, test.pattern, test.replacement, first, got, want)
			}
		}
	}
}

// TestSplitLikeJava compares with what String.split returns.
func TestSplitLikeJava(t *testing.T) {
	tests := []struct {
		text, pattern string
		limit         int
		want          string
	}{
		{"a,b,c", ",", 2, "a;b,c"},
		{"a,b,c", ",", 3, "a;b;c"},
		{"a,b,c", ",", 5, "a;b;c"},
		{",a", ",", 3, ";a"},
		{"a,,", ",", 5, "a;;"},
		{"", ",", 2, ""},
		{"abc", "", 2, "a;bc"},
		{"abc", "", 9, "a;b;c;"},
		{"axb", "x*", 9, "a;;b;"},
		{"a1b2c", `\d`, 2, "a;b2c"},
		{"a  b", " *", 9, "a;;b;"},
		{"boo:and:foo", "o", 5, "b;;:and:f;;"},
		{"aXbxc", "(?i)x", 3, "a;b;c"},
	}
	for _, test := range tests {
		p, err := compile(test.pattern)
		if err != nil {
			t.Error(err)
			continue
		}
		s := &splitter{options: SplitOptions{Outputs: make([]string, test.limit)}, separator: p}
		s.split([]byte(test.text))
		var parts []string
		for _, part := range s.parts {
			parts = append(parts, string(part))
		}
		if got := strings.Join(parts, ";"); got != test.want {
			t.Errorf("%q by %q, %d parts: %q, want %q", test.text, test.pattern, test.limit, got, test.want)
		}
	}
}

func TestRefusedPatterns(t *testing.T) {
	tests := []struct{ pattern, want string }{
		{"a(?=b)", "(?=, are not supported"},
		{"a(?!b)", "(?!, are not supported"},
		{"(?<=a)b", "(?<=, are not supported"},
		{"(?<!a)b", "(?<!, are not supported"},
		{"(?>a)b", "atomic groups"},
		{`(a)\1`, `back references, here \1`},
		{`(?<x>a)\k<x>`, `\k is not supported`},
		{"a++", "possessive quantifiers"},
		{"a{2}+", "possessive quantifiers"},
		{"[a-z&&[^b]]", "intersections"},
		{"[a[b]]", "unions"},
		{"(?x)a b", "the flag x"},
		{"(?iU)a", "the flag U"},
		{`a\Z`, `\Z is not supported`},
		{`[\H]`, `\H in a character class`},
		{`a\`, "ends in a backslash"},
		{`\uD83D`, "half a character"},
		{`\u12`, "four hexadecimal digits"},
		{`\c`, "lacks its letter"},
		{`\p{javaLowerCase}`, "javaLowerCase"},
		{"(a", "missing closing )"},
	}
	for _, test := range tests {
		if _, err := compile(test.pattern); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%q: error %v, want one with %q", test.pattern, err, test.want)
		}
	}
}

func TestRefusedReplacements(t *testing.T) {
	p, err := compile("(?<x>a)")
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct{ replacement, want string }{
		{"$2", "$2: the pattern has 1 groups"}, {"$", "must be followed by"}, {"$x", "must be followed by"},
		{"${y}", `no group named "y"`}, {"${x", "no group named"}, {`a\`, "ends in a backslash"},
	}
	for _, test := range tests {
		if _, err := parseTemplate(test.replacement, p.re); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%q: error %v, want one with %q", test.replacement, err, test.want)
		}
	}
}

// FuzzTranslate shows that no pattern makes the translation panic, and that plain texts mean themselves.
func FuzzTranslate(f *testing.F) {
	for _, seed := range []string{`a.b`, `[\s&&x]`, `\Qa\E`, `\u00e9`, `(?i)[^]a]`, `\p{Alpha}`, `a{2,3}?`} {
		f.Add(seed, "text")
	}
	f.Fuzz(func(t *testing.T, pattern, text string) {
		p, err := compile(pattern)
		if err != nil {
			return
		}
		end := 0
		for _, m := range p.matches([]byte(text), -1) {
			if m[0] < end || m[1] < m[0] || m[1] > len(text) {
				t.Fatalf("pattern %q: match %v behind %d in %q", pattern, m, end, text)
			}
			end = m[1]
		}
	})
}
