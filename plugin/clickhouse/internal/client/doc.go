// Package client talks to ClickHouse's HTTP interface: statements, streams of results, and inserts of prepared bytes.
//
// The port of the native protocol is not spoken: an error names the HTTP port. A [Client] belongs to one lane. It knows
// several hosts and goes on to the next one while nothing of a request was sent. Every failure is a *plugin.Error that
// says whether the server can have taken something: see [Error].
package client
