package engine

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/hashicorp/go-hclog"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/config"
)

func TestRedactedText(t *testing.T) {
	r := &redactor{}
	for _, s := range []string{"hunter2", "root", "correct horse", "ab", `q"uote\d pass`} {
		r.add(config.TextValue(s))
	}
	for text, want := range map[string]string{
		"root:hunter2@host":                "******:******@host",
		"rootless hunter22 x_root":         "rootless hunter22 x_root",
		"xcorrect horsey":                  "x******y",
		"correct+horse":                    "******",
		"cab ab":                           "cab ab",
		fmt.Sprintf("%q", `q"uote\d pass`): `"******"`,
		"":                                 "",
	} {
		if got := r.text(text); got != want {
			t.Errorf("text(%q) = %q, want %q", text, got, want)
		}
	}
	if got := (*redactor)(nil).text("root"); got != "root" {
		t.Errorf("a nil redactor made %q", got)
	}
}

func TestRedactedErrorsStayWhatTheyAre(t *testing.T) {
	r := &redactor{}
	r.add(config.TextValue("correct horse"))
	inner := &plugin.Error{Code: plugin.CodeDenied, Retry: true, Row: "correct horse",
		Err: fmt.Errorf("as correct horse: %w", ErrClosed)}
	err := r.err(fmt.Errorf("sink: %w", inner))
	var out *plugin.Error
	if !errors.As(err, &out) || out.Code != plugin.CodeDenied || !out.Retry || !errors.Is(err, ErrClosed) {
		t.Errorf("err = %v, as plugin error %+v", err, out)
	}
	for _, text := range []string{err.Error(), out.Error(), fmt.Sprintf("%+v", err), fmt.Sprint(errors.Unwrap(err))} {
		if strings.Contains(text, "correct horse") {
			t.Errorf("the secret is in %q", text)
		}
	}
	ps := config.Problems{{Path: "a", Text: "not correct horse"}, {Path: "b", Text: "fine"}}
	var problems *ConfigError
	if !errors.As(r.err(ps.Err()), &problems) || problems.Error() != "a: not ******\nb: fine" ||
		ps[0].Text != "not correct horse" {
		t.Errorf("problems = %v", problems)
	}
	plain := errors.New("plain")
	if r.err(plain) != plain || r.err(nil) != nil {
		t.Error("an error without secrets was changed")
	}
}

func TestRedactedLog(t *testing.T) {
	r := &redactor{}
	r.add(config.TextValue("correct horse"))
	var b strings.Builder
	l := r.logger(hclog.New(&hclog.LoggerOptions{Output: &b, Level: hclog.Trace}))
	l = l.Named("x").With("key", "correct horse").ResetNamed("y")
	l.Info("a correct horse", "err", errors.New("no correct horse"), "n", 5, "f", hclog.Fmt("%s!", "correct horse"))
	l.Trace("t", "b", []byte("x"))
	l.Debug("d", "s", struct{ P string }{"correct horse"})
	l.Warn("correct horse")
	l.Error("e", "p", "correct horse")
	if strings.Contains(b.String(), "horse") || strings.Count(b.String(), mask) < 9 ||
		!strings.Contains(b.String(), "n=5") {
		t.Errorf("log = %s", b.String())
	}
}
