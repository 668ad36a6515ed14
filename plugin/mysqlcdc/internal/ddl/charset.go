package ddl

import "strings"

// canonicalCharset gives a character set or a collation the name that servers show today.
func canonicalCharset(name string) string {
	name = strings.ToLower(name)
	if name == "utf8" {
		return "utf8mb3"
	}
	if rest, ok := strings.CutPrefix(name, "utf8_"); ok {
		return "utf8mb3_" + rest
	}
	return name
}

// charsetOf returns the character set of a collation; "" for those of MariaDB that go with several.
func charsetOf(collation string) string {
	charset, _, _ := strings.Cut(collation, "_")
	if charset == "uca1400" {
		return ""
	}
	return charset
}

// widest is how many bytes a character takes at most in character sets where it is more than one.
func widest(charset string) (int, bool) {
	switch charset {
	case "utf8mb4", "utf16", "utf16le", "utf32", "gb18030":
		return 4, true
	case "utf8mb3", "ujis", "eucjpms":
		return 3, true
	case "gbk", "gb2312", "big5", "sjis", "cp932", "euckr", "ucs2":
		return 2, true
	case "latin1", "latin2", "latin5", "latin7", "ascii", "binary", "cp850", "cp852", "cp866", "cp1250", "cp1251",
		"cp1256", "cp1257", "koi8r", "koi8u", "greek", "hebrew", "macce", "macroman", "tis620", "dec8", "hp8", "swe7",
		"armscii8", "geostd8", "keybcs2":
		return 1, true
	}
	return 0, false
}

// characters returns the character set and, if it is named, the collation.
func (t dataType) characters(table *Table) (charset, collation string) {
	charset, collation = t.charset, t.collation
	if charset == "" && collation != "" {
		charset = charsetOf(collation)
	}
	if charset == "" {
		charset = canonicalCharset(table.Charset)
		if collation == "" && !t.binary {
			collation = table.Collation
		}
	}
	if t.binary && collation == "" && charset != "binary" {
		collation = charset + "_bin"
	}
	return charset, collation
}
