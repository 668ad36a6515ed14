package column

import (
	"encoding/json"
	"testing"
)

// FuzzAppendQuoted compares with the standard library's reading.
func FuzzAppendQuoted(f *testing.F) {
	for _, seed := range []string{"", "plain", "a\"b\\c", "\n\r\t\x00\x1f", "é😀"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var got string
		if err := json.Unmarshal(AppendQuoted(nil, text), &got); err != nil {
			t.Fatal(err)
		}
		want, _ := json.Marshal(text) // replaces what is not UTF-8, as reading does
		var same string
		_ = json.Unmarshal(want, &same)
		if got != same {
			t.Errorf("%q was read as %q", text, got)
		}
	})
}
