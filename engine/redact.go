package engine

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/hashicorp/go-hclog"

	"github.com/culvertdata/culvert/encrypt"
	"github.com/culvertdata/culvert/engine/internal/jobspec"
	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/config"
)

// mask stands where a secret was.
const mask = "******"

// Secrets shorter than wordSecret are hidden only where they stand as a word of their own, and those shorter than
// minSecret not at all: hiding each "a" of a message would tell more than the message.
const (
	minSecret  = 3
	wordSecret = 8
)

// redactor hides the values of a job's secret options in what the job logs and reports. Plugins keep secrets out of
// their messages; this is for what drivers and servers say. A nil redactor hides nothing.
type redactor struct {
	// secrets are the longest first, so that one which holds another goes as a whole.
	secrets []string
}

// secretsIn collects the secret values of a job: the options that SeaTunnel protects and those that the plugins
// declare, at any depth, in clear. The name of a user counts only if the file has it encrypted: else it is no secret,
// and hiding a word like "default" would make messages unreadable.
func (e *Engine) secretsIn(spec *jobspec.Spec) *redactor {
	r := &redactor{}
	names := encrypt.Options()
	if spec.Env.ShadeIdentifier == encrypt.DefaultIdentifier {
		names = slices.DeleteFunc(names, func(name string) bool { return name == "username" })
	}
	for _, b := range spec.Blocks() {
		for _, name := range names {
			if v, ok := b.Config.Lookup(name); ok {
				r.add(v)
			}
		}
		if p, ok := e.options.Plugins.Lookup(b.Role, b.Plugin); ok && p.Spec() != nil {
			r.addMasked(b.Config, p.Spec().Mask(b.Config))
		}
	}
	slices.SortFunc(r.secrets, func(a, b string) int { return cmp.Or(len(b)-len(a), strings.Compare(a, b)) })
	r.secrets = slices.Compact(r.secrets)
	return r
}

// add takes all scalars below v, as they are and as messages quote and escape them.
func (r *redactor) add(v config.Value) {
	v.Map(func(scalar config.Value) config.Value {
		if s := scalar.Text; len(s) >= minSecret && scalar.Scalar() && scalar.Kind != config.Bool {
			quoted, json := strconv.Quote(s), scalar.JSON()
			r.secrets = append(r.secrets, s, quoted[1:len(quoted)-1], strings.Trim(json, `"`), url.QueryEscape(s),
				url.PathEscape(s), strings.TrimPrefix(url.UserPassword("", s).String(), ":"))
		}
		return scalar
	})
}

// addMasked takes the values of a block that are others in its masked copy.
func (r *redactor) addMasked(v, masked config.Value) {
	switch {
	case masked.Kind == config.String && masked.Text == mask:
		r.add(v)
	case v.Kind == config.Object:
		for i, m := range v.Members {
			r.addMasked(m.Value, masked.Members[i].Value)
		}
	case v.Kind == config.List && len(v.Items) == len(masked.Items):
		for i, item := range v.Items {
			r.addMasked(item, masked.Items[i])
		}
	}
}

// text returns s without the secrets.
func (r *redactor) text(s string) string {
	if r == nil {
		return s
	}
	for _, secret := range r.secrets {
		if len(secret) >= wordSecret {
			s = strings.ReplaceAll(s, secret, mask)
		} else if strings.Contains(s, secret) {
			s = replaceWords(s, secret)
		}
	}
	return s
}

// replaceWords masks a secret where no letter or digit stands beside it.
func replaceWords(s, secret string) string {
	var b strings.Builder
	for {
		i := strings.Index(s, secret)
		if i < 0 {
			b.WriteString(s)
			return b.String()
		}
		before, _ := utf8.DecodeLastRuneInString(s[:i])
		after, _ := utf8.DecodeRuneInString(s[i+len(secret):])
		b.WriteString(s[:i])
		if inWord(before) || inWord(after) {
			b.WriteString(secret)
		} else {
			b.WriteString(mask)
		}
		s = s[i+len(secret):]
	}
}

func inWord(r rune) bool { return r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r) }

// err returns an error whose text has no secrets; the kinds that callers tell apart stay.
func (r *redactor) err(err error) error {
	if err == nil || r == nil {
		return err
	}
	if c, ok := err.(*ConfigError); ok {
		clean := &ConfigError{Problems: slices.Clone(c.Problems)}
		for i := range clean.Problems {
			clean.Problems[i].Text = r.text(clean.Problems[i].Text)
		}
		return clean
	}
	if text := err.Error(); r.text(text) != text {
		return &redacted{text: r.text(text), err: err}
	}
	return err
}

// redacted is an error whose text was cleaned.
type redacted struct {
	text string
	err  error
}

// Error returns the clean text.
func (e *redacted) Error() string { return e.text }

// Is looks for a sentinel in the error's chain.
func (e *redacted) Is(target error) bool { return errors.Is(e.err, target) }

// As finds a *plugin.Error in the chain and gives out a copy with the clean text. No other error leaves, since its text
// may hold a secret.
func (e *redacted) As(target any) bool {
	out, ok := target.(**plugin.Error)
	var inner *plugin.Error
	if !ok || !errors.As(e.err, &inner) {
		return false
	}
	*out = &plugin.Error{Code: inner.Code, Vertex: inner.Vertex, Table: inner.Table, Retry: inner.Retry,
		Err: errors.New(e.text)}
	return true
}

// redactLogger keeps a job's secrets out of its log.
type redactLogger struct {
	hclog.Logger
	secrets *redactor
}

func (r *redactor) logger(l hclog.Logger) hclog.Logger {
	if r == nil || len(r.secrets) == 0 {
		return l
	}
	return &redactLogger{Logger: l, secrets: r}
}

// Log implements hclog.Logger, as the other methods do.
func (l *redactLogger) Log(level hclog.Level, msg string, args ...any) {
	l.Logger.Log(level, l.secrets.text(msg), l.secrets.values(args)...)
}

func (l *redactLogger) Trace(msg string, args ...any) { l.Log(hclog.Trace, msg, args...) }
func (l *redactLogger) Debug(msg string, args ...any) { l.Log(hclog.Debug, msg, args...) }
func (l *redactLogger) Info(msg string, args ...any)  { l.Log(hclog.Info, msg, args...) }
func (l *redactLogger) Warn(msg string, args ...any)  { l.Log(hclog.Warn, msg, args...) }
func (l *redactLogger) Error(msg string, args ...any) { l.Log(hclog.Error, msg, args...) }

// With returns a logger that cleans what it adds to each line.
func (l *redactLogger) With(args ...any) hclog.Logger {
	return l.secrets.logger(l.Logger.With(l.secrets.values(args)...))
}

// Named returns a logger of a longer name.
func (l *redactLogger) Named(name string) hclog.Logger { return l.secrets.logger(l.Logger.Named(name)) }

// ResetNamed returns a logger of another name.
func (l *redactLogger) ResetNamed(name string) hclog.Logger {
	return l.secrets.logger(l.Logger.ResetNamed(name))
}

func (r *redactor) values(args []any) []any {
	clean := make([]any, len(args))
	for i, a := range args {
		clean[i] = r.value(a)
	}
	return clean
}

// value cleans one argument of a log line. Numbers and the like stay as they are.
func (r *redactor) value(v any) any {
	switch v := v.(type) {
	case nil, bool, int, int32, int64, uint32, uint64, float64:
		return v
	case string:
		return r.text(v)
	case hclog.Format:
		return r.text(fmt.Sprintf(fmt.Sprint(v[0]), v[1:]...))
	}
	text := fmt.Sprintf("%v", v)
	if clean := r.text(text); clean != text {
		return clean
	}
	return v
}
