package client

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
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
		{"Code: 60, e.displayText() = DB::Exception: Table a.b doesn't exist., e.what() = DB::Exception\n", 60, plugin.CodeNotFound,
			false, "Table a.b doesn't exist."},
		{"Code: 516. DB::Exception: default: Authentication failed. (AUTHENTICATION_FAILED) (version 26.7.2.1)", 516, plugin.CodeDenied,
			false, "default: Authentication failed. (AUTHENTICATION_FAILED)"},
		{"Code: 252. DB::Exception: Too many parts", 252, plugin.CodeUnavailable, true, "Too many parts"},
		{"Code: 33, e.displayText() = DB::Exception: Cannot read all data", 33, plugin.CodeUnavailable, true, "Cannot read all data"},
		{"something else", 0, plugin.CodeData, false, "something else"},
	}
	for _, c := range cases {
		err := Refused(c.text)
		var e *plugin.Error
		var s *Error
		if !errors.As(err, &e) || !errors.As(err, &s) || s.Code != c.code || s.Text != c.want || e.Code != c.means || e.Retry != c.retry {
			t.Errorf("%s: got %v (%+v)", c.text, err, e)
		}
	}
}

func TestUnescape(t *testing.T) {
	if got := unescape(`a\tb\\n\'c\n`); got != "a\tb\\n'c\n" {
		t.Errorf("got %q", got)
	}
}

// TestEarlyAnswer: a server that says yes before it has all rows of a feed is not believed.
func TestEarlyAnswer(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer srv.Close()
	c := New(Options{Hosts: []string{srv.Listener.Addr().String()}})
	defer c.Close()
	feed := NewFeed(func([]byte) {})
	done := make(chan error)
	go func() { done <- c.Exec(t.Context(), Request{SQL: "INSERT INTO t FORMAT Native", Feed: feed}) }()
	for !feed.Over() {
		if err := feed.Put(t.Context(), make([]byte, 1<<20)); err != nil {
			t.Fatal(err)
		}
	}
	feed.End()
	var e *plugin.Error
	if err := <-done; !errors.As(err, &e) || e.Code != plugin.CodeUnavailable || !e.Retry {
		t.Errorf("got error %v, want that the server is unavailable", err)
	}
}

// TestFeedIsCanceled: a request ends with its context while it waits for rows.
func TestFeedIsCanceled(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
	}))
	defer srv.Close()
	c := New(Options{Hosts: []string{srv.Listener.Addr().String()}})
	defer c.Close()
	ctx, cancel := context.WithCancel(t.Context())
	sent := make(chan struct{}, 1)
	feed := NewFeed(func([]byte) { sent <- struct{}{} })
	done := make(chan error)
	go func() { done <- c.Exec(ctx, Request{SQL: "INSERT INTO t FORMAT Native", Feed: feed}) }()
	if err := feed.Put(ctx, []byte("rows")); err != nil {
		t.Fatal(err)
	}
	<-sent
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("got error %v, want that of the context", err)
	}
}
