package wire

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"
)

// Config says how to reach a server.
type Config struct {
	// Addr is host:port.
	Addr                     string
	User, Password, Database string
	// TLS asks for a secure connection; nil: in clear text.
	TLS *tls.Config
	// Optional lets a connection go on in clear text if the server knows no TLS.
	Optional bool
	// Dial makes the network connection.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
}

// Conn is a connection to a server, for one goroutine.
type Conn struct {
	packets
	secure bool
	// Version is the server's version text, MariaDB whether it is one.
	Version string
	MariaDB bool
	// ID is the connection's number on the server.
	ID uint32
}

// Error is an answer of the server that says no.
type Error struct {
	Number  uint16
	State   string
	Message string
}

// Error returns the server's text with its number.
func (e *Error) Error() string { return fmt.Sprintf("%s (error %d)", e.Message, e.Number) }

var errProtocol = lost(errors.New("the server's answer is not understood"))

const (
	headOK    = 0x00
	headMore  = 0x01
	headLocal = 0xfb
	headEOF   = 0xfe
	headErr   = 0xff
)

// The capabilities that this client has.
const (
	capLongPassword   = 1 << 0
	capFoundRows      = 1 << 1
	capLongFlag       = 1 << 2
	capConnectWithDB  = 1 << 3
	capLocalFiles     = 1 << 7
	capProtocol41     = 1 << 9
	capSSL            = 1 << 11
	capTransactions   = 1 << 13
	capSecure         = 1 << 15
	capPluginAuth     = 1 << 19
	capPluginAuthData = 1 << 21
	utf8mb4GeneralCI  = 45
	wanted            = capLongPassword | capFoundRows | capLongFlag | capLocalFiles | capProtocol41 | capTransactions |
		capSecure | capPluginAuth | capPluginAuthData
	maxAllowedByClient = 1 << 30
)

// Connect makes a connection. Its context bounds that, not what comes after.
func Connect(ctx context.Context, cfg Config) (*Conn, error) {
	nc, err := cfg.Dial(ctx, "tcp", cfg.Addr)
	if err != nil {
		return nil, lost(err)
	}
	c := &Conn{packets: packets{nc: nc, buf: make([]byte, readBuffer)}}
	stop := c.Watch(ctx)
	err = c.handshake(cfg)
	stop()
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return nil, errors.Join(err, c.nc.Close())
	}
	return c, nil
}

func (c *Conn) handshake(cfg Config) error {
	data, err := c.next()
	if err != nil {
		return err
	}
	if len(data) > 0 && data[0] == headErr {
		return serverError(data)
	}
	hello, err := parseHello(data)
	if err != nil {
		return err
	}
	c.Version, c.ID = hello.version, hello.id
	c.MariaDB = strings.Contains(hello.version, "MariaDB")
	caps := uint32(wanted)
	if cfg.Database != "" {
		caps |= capConnectWithDB
	}
	if cfg.TLS != nil {
		if hello.caps&capSSL == 0 {
			if !cfg.Optional {
				return errors.New("the server does not offer TLS")
			}
		} else if err := c.upgrade(caps|capSSL, cfg.TLS); err != nil {
			return err
		} else {
			caps |= capSSL
		}
	}
	answer, err := proof(hello.method, cfg.Password, hello.salt, c.secure)
	if err != nil { // the server may agree to another method
		hello.method = nativePassword
		answer = nativeProof(cfg.Password, hello.salt)
	}
	c.hello(caps)
	c.out = append(append(c.out, cfg.User...), 0)
	c.out = append(appendUint(c.out, uint64(len(answer))), answer...)
	if cfg.Database != "" {
		c.out = append(append(c.out, cfg.Database...), 0)
	}
	c.out = append(append(c.out, hello.method...), 0)
	if err := c.send(); err != nil {
		return err
	}
	return c.authenticate(hello.method, cfg.Password, hello.salt)
}

// hello starts the client's first packet.
func (c *Conn) hello(caps uint32) {
	c.out = append(c.out[:0], 0, 0, 0, 0)
	c.out = binary.LittleEndian.AppendUint32(c.out, caps)
	c.out = binary.LittleEndian.AppendUint32(c.out, maxAllowedByClient)
	c.out = append(c.out, utf8mb4GeneralCI)
	c.out = append(c.out, make([]byte, 23)...)
}

func (c *Conn) upgrade(caps uint32, config *tls.Config) error {
	c.hello(caps)
	if err := c.send(); err != nil {
		return err
	}
	return c.startTLS(config)
}

// hello is the server's first packet.
type hello struct {
	version string
	id      uint32
	caps    uint32
	salt    []byte
	method  string
}

func parseHello(data []byte) (hello, error) {
	var h hello
	if len(data) < 1 || data[0] != 10 {
		return h, errors.New("this is no MySQL or MariaDB server, or a very old one")
	}
	var rest []byte
	h.version, rest = cString(data[1:])
	if len(rest) < 4+8+1+2 {
		return h, errProtocol
	}
	h.id = binary.LittleEndian.Uint32(rest)
	h.salt = append(h.salt, rest[4:12]...)
	h.caps = uint32(binary.LittleEndian.Uint16(rest[13:]))
	h.method = nativePassword
	rest = rest[15:]
	if len(rest) < 1+2+2+1+10 {
		return h, nil
	}
	h.caps |= uint32(binary.LittleEndian.Uint16(rest[3:])) << 16
	n := max(13, int(rest[5])-8)
	rest = rest[16:]
	n = min(n, len(rest))
	h.salt = append(h.salt, trimZero(rest[:n])...)
	if name, _ := cString(rest[n:]); name != "" {
		h.method = name
	}
	return h, nil
}

// Watch makes every command of the connection fail when the context ends. Call the function that it returns when the
// commands are done.
func (c *Conn) Watch(ctx context.Context) (stop func()) {
	nc := c.nc
	unwatch := context.AfterFunc(ctx, func() { _ = nc.SetDeadline(time.Unix(1, 0)) })
	return func() { unwatch() }
}

// Close ends the connection, whatever it is doing.
func (c *Conn) Close() error {
	p := packets{nc: c.nc}
	p.begin(comQuit)
	_ = c.nc.SetWriteDeadline(time.Now().Add(time.Second))
	_ = p.send() // a server that is gone needs no farewell
	return c.nc.Close()
}

// Result tells what a command did.
type Result struct {
	// Rows is the number of rows that were found or changed, LastID the first generated key.
	Rows, LastID uint64
	Warnings     int
}

// ok reads an OK packet.
func (c *Conn) ok(data []byte) error {
	_, err := parseOK(data)
	return err
}

func parseOK(data []byte) (Result, error) {
	var r Result
	rows, n := Uint(data[1:])
	id, m := Uint(data[1+n:])
	rest := data[1+n+m:]
	if n == 0 || m == 0 || len(rest) < 4 {
		return r, errProtocol
	}
	return Result{Rows: rows, LastID: id, Warnings: int(binary.LittleEndian.Uint16(rest[2:]))}, nil
}

func serverError(data []byte) error {
	if len(data) < 3 {
		return errProtocol
	}
	e := &Error{Number: binary.LittleEndian.Uint16(data[1:])}
	text := data[3:]
	if len(text) >= 6 && text[0] == '#' {
		e.State, text = string(text[1:6]), text[6:]
	}
	e.Message = string(text)
	return e
}
