package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
)

const (
	comQuit      = 0x01
	comQuery     = 0x03
	comPing      = 0x0e
	comPrepare   = 0x16
	comExecute   = 0x17
	comCloseStmt = 0x19
)

// Ping asks whether the server is there.
func (c *Conn) Ping() error {
	c.begin(comPing)
	if err := c.send(); err != nil {
		return err
	}
	_, err := c.result(nil)
	return err
}

// Exec runs a statement whose rows, if it returns any, are dropped.
func (c *Conn) Exec(sql string) (Result, error) { return c.Load(sql, nil) }

// ExecBytes is Exec for a statement that was built as bytes.
func (c *Conn) ExecBytes(sql []byte) (Result, error) {
	c.begin(comQuery)
	c.out = append(c.out, sql...)
	if err := c.send(); err != nil {
		return Result{}, err
	}
	return c.result(nil)
}

// Load runs a LOAD DATA LOCAL INFILE statement. Whatever its file is called, the file is what next returns until it
// returns nothing: so the server works on one part while the next is made. next may reuse its memory.
func (c *Conn) Load(sql string, next func() []byte) (Result, error) {
	c.begin(comQuery)
	c.out = append(c.out, sql...)
	if err := c.send(); err != nil {
		return Result{}, err
	}
	return c.result(next)
}

// result reads the answer to a command without rows; next makes the file that the server may ask for.
func (c *Conn) result(next func() []byte) (Result, error) {
	answer, err := c.next()
	if err != nil {
		return Result{}, err
	}
	switch {
	case len(answer) == 0:
		return Result{}, errProtocol
	case answer[0] == headOK:
		return parseOK(answer)
	case answer[0] == headErr:
		return Result{}, serverError(answer)
	case answer[0] == headLocal:
		if err := c.sendFile(next); err != nil {
			return Result{}, err
		}
		return c.result(nil)
	}
	return Result{}, c.discard(answer)
}

// sendFile sends a file in packets, and an empty one behind them.
func (c *Conn) sendFile(next func() []byte) error {
	var data []byte
	if next != nil {
		data = next()
	}
	for len(data) > 0 {
		if err := c.sendPart(data); err != nil {
			return err
		}
		data = next()
	}
	return c.sendPart(nil)
}

// filePacket is the largest packet of a file: servers refuse packets of more than their max_allowed_packet.
const filePacket = 512 << 10

func (c *Conn) sendPart(data []byte) error {
	var head [4]byte
	for {
		n := min(len(data), filePacket)
		c.putHeader(head[:], n)
		parts := net.Buffers{head[:], data[:n]}
		if _, err := parts.WriteTo(c.nc); err != nil {
			return lost(err)
		}
		if data = data[n:]; len(data) == 0 {
			return nil
		}
	}
}

// discard reads the rows that a statement returned although nobody wants them.
func (c *Conn) discard(answer []byte) error {
	n, size := Uint(answer)
	if size == 0 {
		return errProtocol
	}
	if _, err := c.columns(int(n)); err != nil {
		return err
	}
	for {
		data, err := c.next()
		if err != nil {
			return err
		}
		if len(data) > 0 && data[0] == headErr {
			return serverError(data)
		}
		if len(data) > 0 && len(data) < 9 && data[0] == headEOF {
			return nil
		}
	}
}

// Column describes a column of a result.
type Column struct {
	Name string
	// Type is the protocol's number of the type, Flags its bits, Charset the collation; 63 means bytes.
	Type    byte
	Flags   uint16
	Charset uint16
	// Length is the largest width in bytes, Decimals the digits behind the point.
	Length   uint32
	Decimals byte
}

// The flags that matter.
const (
	FlagNotNull  = 1
	FlagUnsigned = 32
	FlagEnum     = 256
	FlagSet      = 2048
)

// Binary is the Charset of columns that hold bytes.
const Binary = 63

// columns reads n column definitions and the mark behind them.
func (c *Conn) columns(n int) ([]Column, error) {
	if n == 0 {
		return nil, nil
	}
	list := make([]Column, n)
	for i := range list {
		data, err := c.next()
		if err != nil {
			return nil, err
		}
		if list[i], err = parseColumn(data); err != nil {
			return nil, err
		}
	}
	data, err := c.next()
	if err == nil && (len(data) == 0 || data[0] != headEOF) {
		err = errProtocol
	}
	return list, err
}

func parseColumn(data []byte) (Column, error) {
	var texts [6]string
	for i := range texts {
		text, n := Text(data)
		if n == 0 {
			return Column{}, errProtocol
		}
		texts[i], data = string(text), data[n:]
	}
	if len(data) < 13 {
		return Column{}, errProtocol
	}
	return Column{
		Name: texts[4], Charset: binary.LittleEndian.Uint16(data[1:]), Length: binary.LittleEndian.Uint32(data[3:]),
		Type: data[7], Flags: binary.LittleEndian.Uint16(data[8:]), Decimals: data[10],
	}, nil
}

// Stmt is a prepared statement.
type Stmt struct {
	c       *Conn
	id      uint32
	Params  int
	Columns []Column
}

// Prepare compiles a statement.
func (c *Conn) Prepare(sql string) (*Stmt, error) {
	c.begin(comPrepare)
	c.out = append(c.out, sql...)
	if err := c.send(); err != nil {
		return nil, err
	}
	data, err := c.next()
	switch {
	case err != nil:
		return nil, err
	case len(data) > 0 && data[0] == headErr:
		return nil, serverError(data)
	case len(data) < 9 || data[0] != headOK:
		return nil, errProtocol
	}
	s := &Stmt{c: c, id: binary.LittleEndian.Uint32(data[1:]), Params: int(binary.LittleEndian.Uint16(data[7:]))}
	columns := int(binary.LittleEndian.Uint16(data[5:]))
	if _, err := c.columns(s.Params); err != nil {
		return nil, err
	}
	s.Columns, err = c.columns(columns)
	return s, err
}

// Close forgets the statement. The server does not answer.
func (s *Stmt) Close() error {
	s.c.begin(comCloseStmt)
	s.c.out = binary.LittleEndian.AppendUint32(s.c.out, s.id)
	return s.c.send()
}

// Query runs the statement; the rows follow by [Conn.Row]. Parameters are nil, int64, float64, string or []byte.
func (s *Stmt) Query(args ...any) error {
	if err := s.execute(args); err != nil {
		return err
	}
	c := s.c
	data, err := c.next()
	switch {
	case err != nil:
		return err
	case len(data) > 0 && data[0] == headErr:
		return serverError(data)
	}
	n, size := Uint(data)
	if size == 0 || n == 0 {
		return errors.New("the statement returns no rows")
	}
	s.Columns, err = c.columns(int(n))
	return err
}

// execute sends the statement's parameters.
func (s *Stmt) execute(args []any) error {
	b := s.Begin()
	for _, arg := range args {
		switch v := arg.(type) {
		case nil:
			b.Null()
		case int64:
			b.Int(v)
		case float64:
			b.Float(v)
		case string:
			b.Text([]byte(v))
		case []byte:
			b.Bytes(v)
		default:
			return fmt.Errorf("parameters of type %T are not supported", arg)
		}
	}
	return b.Send()
}

// Binder collects the parameters of one execution.
type Binder struct {
	s     *Stmt
	n     int
	nulls int // position of the bitmap in the outgoing buffer
	types int
}

// Begin starts an execution.
func (s *Stmt) Begin() *Binder {
	c := s.c
	c.begin(comExecute)
	c.out = binary.LittleEndian.AppendUint32(c.out, s.id)
	c.out = append(c.out, 0, 1, 0, 0, 0)
	b := &Binder{s: s, nulls: len(c.out)}
	if s.Params > 0 {
		c.out = append(c.out, make([]byte, (s.Params+7)/8)...)
		c.out = append(c.out, 1)
		b.types = len(c.out)
		c.out = append(c.out, make([]byte, 2*s.Params)...)
	}
	return b
}

func (b *Binder) param(kind byte) {
	if b.n < b.s.Params {
		b.s.c.out[b.types+2*b.n] = kind
	}
	b.n++
}

// Null binds a null.
func (b *Binder) Null() {
	if b.n < b.s.Params {
		b.s.c.out[b.nulls+b.n/8] |= 1 << (b.n & 7)
	}
	b.param(TypeNull)
}

// Int binds an integer.
func (b *Binder) Int(v int64) {
	b.param(TypeBigInt)
	b.s.c.out = binary.LittleEndian.AppendUint64(b.s.c.out, uint64(v))
}

// Float binds a floating point number.
func (b *Binder) Float(v float64) {
	b.param(TypeDouble)
	b.s.c.out = binary.LittleEndian.AppendUint64(b.s.c.out, math.Float64bits(v))
}

// Text binds a text in UTF-8.
func (b *Binder) Text(v []byte) { b.bytes(TypeVarString, v) }

// Bytes binds bytes.
func (b *Binder) Bytes(v []byte) { b.bytes(TypeBlob, v) }

func (b *Binder) bytes(kind byte, v []byte) {
	b.param(kind)
	c := b.s.c
	c.out = append(appendUint(c.out, uint64(len(v))), v...)
}

// Send sends the execution. [Conn.Done] reads the answer of a statement without rows; several executions may be sent
// before the first answer is read.
func (b *Binder) Send() error {
	if b.n != b.s.Params {
		return fmt.Errorf("the statement has %d parameters, %d were given", b.s.Params, b.n)
	}
	return b.s.c.send()
}

// Done reads the answer to an execution that was sent.
func (c *Conn) Done() (Result, error) {
	c.seq = 1
	return c.result(nil)
}

// Row returns the next row of a prepared statement as it came, valid until the next call; io.EOF after the last.
func (c *Conn) Row() ([]byte, error) {
	data, err := c.next()
	if err != nil {
		return nil, err
	}
	if len(data) == 0 {
		return nil, errProtocol
	}
	switch data[0] {
	case headOK:
		return data, nil
	case headErr:
		return nil, serverError(data)
	}
	return nil, io.EOF
}

// Exec runs the statement, which returns no rows.
func (s *Stmt) Exec(args ...any) (Result, error) {
	if err := s.execute(args); err != nil {
		return Result{}, err
	}
	return s.c.Done()
}
