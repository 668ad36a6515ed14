package client

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/culvertdata/culvert/plugin"
)

// Options say where a server is.
type Options struct {
	// Hosts are host:port of the HTTP interface; any of them will do.
	Hosts []string
	// Database is the default one of all statements.
	Database string
	// User and Password may be empty.
	User, Password string
	// TLS makes the connections HTTPS; nil: HTTP.
	TLS *tls.Config
	// Compression is that of rows on their way, in both directions.
	Compression Compression
	// Settings are sent with every request.
	Settings map[string]string
	// Timeout bounds the wait for a connection; 0 means 10 seconds.
	Timeout time.Duration
	// Dial is the way to the network.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Retries is how often a request is made again whose body never left, after all hosts were tried; waits are 100 ms
	// times the attempt.
	Retries int
}

// patience is how much more often an insert is made that may be made again, for a server to be restarted meanwhile.
const patience = 5

// Client is a session-less connection to a server. It may be used by several goroutines.
type Client struct {
	options   Options
	http      *http.Client
	transport *http.Transport
	turn      atomic.Uint32 // counts the hosts that did not answer
}

// host is the one that answered last.
func (c *Client) host() string { return c.options.Hosts[c.turn.Load()%uint32(len(c.options.Hosts))] }

// New returns a client, which has connected to nothing yet.
func New(o Options) *Client {
	if o.Timeout == 0 {
		o.Timeout = 10 * time.Second
	}
	dial := o.Dial
	if dial == nil {
		dial = (&net.Dialer{}).DialContext
	}
	t := &http.Transport{
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			ctx, cancel := context.WithTimeout(ctx, o.Timeout)
			defer cancel()
			return dial(ctx, network, address)
		},
		DisableCompression: true, MaxIdleConnsPerHost: 8, IdleConnTimeout: 2 * time.Second,
		WriteBufferSize: 256 << 10, ReadBufferSize: 64 << 10,
	}
	if o.TLS != nil {
		t.TLSClientConfig = o.TLS.Clone()
	}
	return &Client{options: o, transport: t, http: &http.Client{Transport: t}}
}

// Close drops idle connections.
func (c *Client) Close() { c.transport.CloseIdleConnections() }

// Request is one statement.
type Request struct {
	// SQL is the statement; with rows it is sent in the URL.
	SQL string
	// Body holds the rows of an insert; nil if there are none.
	Body []byte
	// Feed gives the rows of an insert that is not made again, in place of Body.
	Feed *Feed
	// Rows says that the result is rows by the many, worth to be compressed.
	Rows bool
	// Settings are sent with this request only.
	Settings map[string]string
	// Again says that the request may be made once more though the server may have taken it already.
	Again bool
}

func (r Request) inserts() bool { return r.Body != nil || r.Feed != nil }

var errEarly = errors.New("it came before all rows were sent")

// Exec runs a statement and drops its result.
func (c *Client) Exec(ctx context.Context, r Request) error {
	if r.Feed != nil {
		defer close(r.Feed.over)
	}
	_, err := c.try(ctx, r, func(ctx context.Context, r Request) (io.ReadCloser, bool, error) {
		body, sent, err := c.once(ctx, r)
		if err != nil {
			return nil, sent, err
		}
		text, err := io.ReadAll(body)
		if err := errors.Join(err, body.Close()); err != nil {
			return nil, true, c.cut(err)
		}
		if failed := string(plainText(text)); strings.Contains(failed, "DB::") && strings.Contains(failed, "Code: ") {
			return nil, true, c.refused(http.StatusOK, failed) // it was too late for another status
		}
		if r.Feed != nil && !r.Feed.whole.Load() {
			return nil, true, c.cut(errEarly)
		}
		return nil, true, nil
	})
	return err
}

// Rows runs a query and returns its result as text: rows of cells.
func (c *Client) Rows(ctx context.Context, sql string) ([][]string, error) {
	body, err := c.Open(ctx, Request{SQL: sql + " FORMAT TabSeparated", Again: true})
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(body)
	if err := errors.Join(err, body.Close()); err != nil {
		return nil, c.cut(err)
	}
	var rows [][]string
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		for i, cell := range cells {
			cells[i] = unescape(cell)
		}
		rows = append(rows, cells)
	}
	return rows, nil
}

// Open runs a statement and returns its result, which the caller closes.
func (c *Client) Open(ctx context.Context, r Request) (io.ReadCloser, error) {
	return c.try(ctx, r, c.once)
}

// try makes a request until it succeeds, or should not be made again. once says whether the server may have got some
// of it.
func (c *Client) try(
	ctx context.Context, r Request, once func(context.Context, Request) (io.ReadCloser, bool, error),
) (io.ReadCloser, error) {
	attempts := len(c.options.Hosts) * (1 + c.options.Retries)
	if r.Body != nil && r.Again {
		attempts *= patience
	}
	for i := 0; ; i++ {
		turn := c.turn.Load()
		body, sent, err := once(ctx, r)
		if err == nil {
			return body, nil
		}
		var e *plugin.Error
		retry := errors.As(err, &e) && e.Code == plugin.CodeUnavailable && (!sent || r.Again)
		if !retry || i+1 >= attempts || ctx.Err() != nil {
			return nil, err
		}
		c.turn.CompareAndSwap(turn, turn+1)
		if (i+1)%len(c.options.Hosts) == 0 {
			if err := pause(ctx, time.Duration(i+1)*100*time.Millisecond); err != nil {
				return nil, err
			}
		}
	}
}

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// once makes a request. sent says that the server may have got some of it.
func (c *Client) once(ctx context.Context, r Request) (_ io.ReadCloser, sent bool, _ error) {
	var started atomic.Bool
	trace := &httptrace.ClientTrace{WroteHeaders: func() { started.Store(true) }}
	req, err := c.request(httptrace.WithClientTrace(ctx, trace), r)
	if err != nil {
		return nil, false, &plugin.Error{Code: plugin.CodeConfig, Err: err, Fix: "check the host option"}
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, started.Load(), c.unavailable(ctx, err)
	}
	if resp.StatusCode == http.StatusOK && resp.Header.Get("X-ClickHouse-Exception-Code") == "" {
		if r.Rows && c.options.Compression != None {
			return &decompressor{src: resp.Body}, true, nil
		}
		return resp.Body, true, nil
	}
	text, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	text = plainText(text)
	if err := errors.Join(err, resp.Body.Close()); err != nil && len(text) == 0 {
		return nil, true, c.cut(err)
	}
	return nil, true, c.refused(resp.StatusCode, string(text))
}

func (c *Client) request(ctx context.Context, r Request) (*http.Request, error) {
	query := url.Values{}
	if c.options.Database != "" {
		query.Set("database", c.options.Database)
	}
	for _, settings := range []map[string]string{c.options.Settings, r.Settings} {
		for name, value := range settings {
			query.Set(name, value)
		}
	}
	var body io.Reader
	switch {
	case r.Feed != nil:
		body = r.Feed.body(ctx, c.options.Compression)
	case r.Body != nil:
		body = bytes.NewReader(c.options.Compression.pack(r.Body))
	default:
		body = strings.NewReader(r.SQL)
	}
	if r.inserts() {
		query.Set("query", r.SQL)
	}
	c.options.Compression.announce(query, r)
	scheme := "http"
	if c.options.TLS != nil {
		scheme = "https"
	}
	address := url.URL{Scheme: scheme, Host: c.host(), Path: "/", RawQuery: query.Encode()}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address.String(), body)
	if err != nil {
		return nil, err
	}
	req.GetBody = nil // net/http must not send a body again by itself
	if c.options.User != "" {
		req.Header.Set("X-ClickHouse-User", c.options.User)
		req.Header.Set("X-ClickHouse-Key", c.options.Password)
	}
	return req, nil
}

var tsv = strings.NewReplacer(`\\`, `\`, `\n`, "\n", `\t`, "\t", `\r`, "\r", `\'`, "'", `\0`, "\x00", `\b`, "\b",
	`\f`, "\f")

func unescape(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	return tsv.Replace(s)
}
