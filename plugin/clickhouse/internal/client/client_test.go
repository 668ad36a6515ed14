package client

import (
	"errors"
	"testing"

	"github.com/culvertdata/culvert/plugin"
)

func TestRefused(t *testing.T) {
	cases := []struct {
		text  string
		code  int
		means plugin.Code
		retry bool
		want  string
	}{
		{"Code: 60, e.displayText() = DB::Exception: Table a.b doesn't exist., e.what() = DB::Exception\n", 60,
			plugin.CodeNotFound,
			false, "Table a.b doesn't exist."},
		{"Code: 516. DB::Exception: default: Authentication failed. (AUTHENTICATION_FAILED) (version 26.7.2.1)", 516,
			plugin.CodeDenied,
			false, "default: Authentication failed. (AUTHENTICATION_FAILED)"},
		{"Code: 252. DB::Exception: Too many parts", 252, plugin.CodeUnavailable, true, "Too many parts"},
		{"Code: 33, e.displayText() = DB::Exception: Cannot read all data", 33, plugin.CodeUnavailable, true,
			"Cannot read all data"},
		{"something else", 0, plugin.CodeData, false, "something else"},
	}
	for _, c := range cases {
		err := Refused(c.text)
		var e *plugin.Error
		var s *Error
		if !errors.As(err, &e) || !errors.As(err, &s) || s.Code != c.code || s.Text != c.want || e.Code != c.means ||
			e.Retry != c.retry {
			t.Errorf("%s: got %v (%+v)", c.text, err, e)
		}
	}
}

func TestUnescape(t *testing.T) {
	if got := unescape(`a\tb\\n\'c\n`); got != "a\tb\\n'c\n" {
		t.Errorf("got %q", got)
	}
}
