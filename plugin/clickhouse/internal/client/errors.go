package client

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/culvertdata/culvert/plugin"
)

// Error is what a server says about a statement.
type Error struct {
	// Code is ClickHouse's number, 0 if unknown.
	Code int
	// Text is its message.
	Text string
}

// Error returns the code and the message.
func (e *Error) Error() string {
	return fmt.Sprintf("ClickHouse refused (code %d): %s", e.Code, e.Text)
}

// The codes of ClickHouse that lead to advice of our own.
const (
	EndOfFile         = 3
	NoSuchColumn      = 16
	ReadAllData       = 33
	UnknownIdentifier = 47
	UnknownTable      = 60
	UnknownDatabase   = 81
	UnknownSetting    = 115
	ReadOnly          = 164
	UnknownUser       = 192
	WrongPassword     = 193
	RequiredPassword  = 194
	NotEnoughSpace    = 243
	NotImplemented    = 48
	TooManyParts      = 252
	MemoryLimit       = 241
	TooManyQueries    = 202
	SocketTimeout     = 209
	NetworkError      = 210
	Aborted           = 236
	TableReadOnly     = 242
	AccessDenied      = 497
	AuthFailed        = 516
)

var exception = regexp.MustCompile(
	`(?s)Code: (\d+)[.,] (?:e\.displayText\(\) = )?(?:DB::)?(?:NetException|Exception)?:? ?(.*)`)

// Parse reads the text of an exception.
func Parse(text string) *Error {
	text = strings.TrimSpace(text)
	m := exception.FindStringSubmatch(text)
	if m == nil {
		return &Error{Text: shorten(text)}
	}
	code, _ := strconv.Atoi(m[1])
	message := m[2]
	for _, tail := range []string{", e.what() =", " (version ", "\nStack trace"} {
		if i := strings.Index(message, tail); i > 0 {
			message = message[:i]
		}
	}
	return &Error{Code: code, Text: shorten(message)}
}

// shorten keeps a message readable: servers repeat whole statements, with their values.
func shorten(s string) string {
	const most = 500
	s = strings.ToValidUTF8(strings.TrimSpace(s), "?")
	if len(s) > most {
		s = s[:most] + "..."
	}
	return s
}

// advice is what a code means to us.
type advice struct {
	code  plugin.Code
	retry bool
	fix   string
}

// fullDisk is the advice where a write failed for want of room.
var fullDisk = advice{plugin.CodeUnavailable, true, "make room on the server's disk"}

func adviceOf(code int) advice {
	switch code {
	case UnknownUser, WrongPassword, RequiredPassword, AuthFailed:
		return advice{plugin.CodeDenied, false, "check username and password"}
	case AccessDenied, ReadOnly:
		return advice{plugin.CodeDenied, false, "give the user the rights that this needs"}
	case UnknownTable:
		return advice{plugin.CodeNotFound, false, "check the name of the table"}
	case UnknownDatabase:
		return advice{plugin.CodeNotFound, false, "check the database option"}
	case NoSuchColumn, UnknownIdentifier:
		return advice{plugin.CodeNotFound, false, "check the names of the columns"}
	case NotImplemented:
		return advice{plugin.CodeConfig, false,
			"use a table with an engine of the MergeTree family, or leave out primary_key"}
	case UnknownSetting:
		return advice{plugin.CodeConfig, false, "check the names in clickhouse.config"}
	case NotEnoughSpace:
		return fullDisk
	case MemoryLimit, TooManyQueries:
		return advice{plugin.CodeUnavailable, true, "free the resource that the server is short of"}
	case EndOfFile, ReadAllData, SocketTimeout, NetworkError, Aborted, TableReadOnly:
		return advice{plugin.CodeUnavailable, true, "check the server and the network between"}
	case TooManyParts:
		return advice{plugin.CodeUnavailable, true, "insert fewer and larger batches: raise bulk_size"}
	}
	return advice{code: plugin.CodeData}
}

// Refused makes the error of an exception's text.
func Refused(text string) error {
	e := Parse(text)
	a := adviceOf(e.Code)
	if strings.Contains(e.Text, "No space left on device") || strings.Contains(e.Text, "Cannot write file") {
		a = fullDisk // whatever code it goes by
	}
	return &plugin.Error{Code: a.code, Retry: a.retry, Fix: a.fix, Err: e}
}

func (c *Client) refused(status int, text string) error {
	if strings.TrimSpace(text) == "" {
		text = fmt.Sprintf("HTTP status %d without a message", status)
	}
	switch {
	case strings.Contains(text, "Code: "):
	case strings.Contains(text, "clickhouse-client"):
		return &plugin.Error{
			Code: plugin.CodeConfig,
			Fix:  "name the HTTP port in the host option: 8123, or 8443 with ssl = true in clickhouse.config",
			Err:  fmt.Errorf("%s is the port of ClickHouse's native protocol", c.host()),
		}
	case strings.Contains(text, "HTTPS"):
		return &plugin.Error{
			Code: plugin.CodeConfig, Fix: "set ssl = true in clickhouse.config",
			Err: fmt.Errorf("%s speaks HTTPS: %s", c.host(), shorten(text)),
		}
	default:
		return &plugin.Error{
			Code: plugin.CodeUnavailable, Retry: true, Fix: "check that the host option names ClickHouse's HTTP port",
			Err: fmt.Errorf("%s: HTTP status %d: %s", c.host(), status, shorten(text)),
		}
	}
	err := Refused(text)
	var e *plugin.Error
	if errors.As(err, &e) && e.Code == plugin.CodeDenied && c.options.User != "" {
		e.Fix += " of user " + c.options.User
	}
	return err
}

// unavailable is the error of a request that got no answer.
func (c *Client) unavailable(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var inner interface{ Unwrap() error }
	if errors.As(err, &inner) && inner.Unwrap() != nil {
		err = inner.Unwrap() // net/http puts the whole URL in front
	}
	return &plugin.Error{
		Code: plugin.CodeUnavailable, Retry: true,
		Fix: "check that the server runs, that host names its HTTP port, and that ssl in clickhouse.config is as the " +
			"port wants it",
		Err: fmt.Errorf("no answer from %s: %w", c.host(), err),
	}
}

// cut is the error of an answer that broke off.
func (c *Client) cut(err error) error {
	if err == nil || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return &plugin.Error{
		Code: plugin.CodeUnavailable, Retry: true, Fix: "check that the server is alive",
		Err: fmt.Errorf("the answer of %s broke off: %w", c.host(), err),
	}
}

// Is reports whether an error is an exception with this code.
func Is(err error, code int) bool {
	var e *Error
	return errors.As(err, &e) && e.Code == code
}
