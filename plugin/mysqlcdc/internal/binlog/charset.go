package binlog

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/encoding/unicode/utf32"
)

// converter turns texts of a character set into UTF-8. It is for one goroutine.
type converter struct {
	name string
	// bytes has the UTF-8 form of each byte of a character set of single bytes; nil for the others.
	bytes *[256]string
	// ascii says that bytes below 128 are what they are in ASCII, wherever they stand alone.
	ascii bool
	multi *encoding.Decoder
}

// newConverter returns the converter of a character set; nil if its texts are UTF-8 already.
func newConverter(name string) (*converter, error) {
	name = strings.ToLower(name)
	switch name {
	case "", "utf8", "utf8mb3", "utf8mb4", "ascii", "binary":
		return nil, nil
	}
	e := charsetEncoding(name)
	if e == nil {
		return nil, fmt.Errorf("the character set %s is not known; convert the column to utf8mb4", name)
	}
	c := &converter{name: name}
	table, single := e.(*charmap.Charmap)
	if !single {
		c.multi = e.NewDecoder()
		c.ascii = !strings.HasPrefix(name, "utf") && name != "ucs2"
		return c, nil
	}
	c.bytes = &[256]string{}
	for i := range c.bytes {
		c.bytes[i] = string(table.DecodeByte(byte(i)))
	}
	c.ascii = true
	return c, nil
}

const replacement = "\uFFFD"

// append appends a text as UTF-8. A text that its character set does not have is an error.
func (c *converter) append(dst, text []byte) ([]byte, error) {
	if c.ascii && isASCII(text) {
		return append(dst, text...), nil
	}
	from := len(dst)
	if c.bytes == nil {
		decoded, err := c.multi.Bytes(text)
		if err != nil {
			return dst, fmt.Errorf("a text in %s: %w", c.name, err)
		}
		dst = append(dst, decoded...)
	} else {
		for _, b := range text {
			dst = append(dst, c.bytes[b]...)
		}
	}
	if c.ascii && bytes.Contains(dst[from:], []byte(replacement)) {
		return dst[:from], fmt.Errorf("the text is not valid in its character set %s", c.name)
	}
	return dst, nil
}

func isASCII(text []byte) bool {
	const high = 0x8080808080808080
	n := len(text) - 8
	if n < 0 {
		for _, c := range text {
			if c >= 0x80 {
				return false
			}
		}
		return true
	}
	for i := 0; i < n; i += 8 {
		if binary.LittleEndian.Uint64(text[i:])&high != 0 {
			return false
		}
	}
	return binary.LittleEndian.Uint64(text[n:])&high == 0
}

// charsetEncoding returns the encoding of a character set; nil if it is not known. MySQL's latin1 is Windows' cp1252.
func charsetEncoding(name string) encoding.Encoding {
	switch name {
	case "latin1":
		return charmap.Windows1252
	case "latin2":
		return charmap.ISO8859_2
	case "latin5":
		return charmap.ISO8859_9
	case "latin7":
		return charmap.ISO8859_13
	case "greek":
		return charmap.ISO8859_7
	case "hebrew":
		return charmap.ISO8859_8
	case "cp1250":
		return charmap.Windows1250
	case "cp1251":
		return charmap.Windows1251
	case "cp1256":
		return charmap.Windows1256
	case "cp1257":
		return charmap.Windows1257
	case "cp850":
		return charmap.CodePage850
	case "cp852":
		return charmap.CodePage852
	case "cp866":
		return charmap.CodePage866
	case "koi8r":
		return charmap.KOI8R
	case "koi8u":
		return charmap.KOI8U
	case "macroman":
		return charmap.Macintosh
	case "tis620":
		return charmap.Windows874
	case "gbk", "gb2312":
		return simplifiedchinese.GBK
	case "gb18030":
		return simplifiedchinese.GB18030
	case "big5":
		return traditionalchinese.Big5
	case "sjis", "cp932":
		return japanese.ShiftJIS
	case "ujis", "eucjpms":
		return japanese.EUCJP
	case "euckr":
		return korean.EUCKR
	case "ucs2", "utf16":
		return unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM)
	case "utf16le":
		return unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM)
	case "utf32":
		return utf32.UTF32(utf32.BigEndian, utf32.IgnoreBOM)
	}
	return nil
}

// charsetOf returns the character set of a collation that a client's session may have; "" if it is UTF-8 or unknown.
func charsetOf(collation uint16) string {
	switch collation {
	case 1, 84:
		return "big5"
	case 2, 9, 21, 27, 77:
		return "latin2"
	case 4, 80:
		return "cp850"
	case 5, 8, 15, 31, 47, 48, 49, 94:
		return "latin1"
	case 7, 74:
		return "koi8r"
	case 12, 91:
		return "ujis"
	case 13, 88:
		return "sjis"
	case 14, 23, 50, 51, 52:
		return "cp1251"
	case 16, 71:
		return "hebrew"
	case 18, 89:
		return "tis620"
	case 19, 85:
		return "euckr"
	case 20, 41, 42, 79:
		return "latin7"
	case 22, 75:
		return "koi8u"
	case 24, 86:
		return "gb2312"
	case 25, 70:
		return "greek"
	case 26, 34, 44, 66, 99:
		return "cp1250"
	case 28, 87:
		return "gbk"
	case 29, 58, 59:
		return "cp1257"
	case 30, 78:
		return "latin5"
	case 36, 68:
		return "cp866"
	case 39, 53:
		return "macroman"
	case 40, 81:
		return "cp852"
	case 57, 67:
		return "cp1256"
	case 95, 96:
		return "cp932"
	case 97, 98:
		return "eucjpms"
	case 248, 249, 250:
		return "gb18030"
	}
	return ""
}
