package wire

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestNumbersAndTexts(t *testing.T) {
	for _, v := range []uint64{0, 250, 251, 1<<16 - 1, 1 << 16, 1<<24 - 1, 1 << 24, 1<<64 - 1} {
		b := appendUint(nil, v)
		if got, n := Uint(b); got != v || n != len(b) {
			t.Errorf("%d came back as %d in %d of %d bytes", v, got, n, len(b))
		}
		if _, n := Uint(b[:len(b)-1]); n != 0 {
			t.Errorf("a part of %d was read", v)
		}
	}
	if _, n := Text([]byte{5, 'a', 'b'}); n != 0 {
		t.Error("a part of a text was read")
	}
	if v, n := Text([]byte{2, 'a', 'b', 'c'}); string(v) != "ab" || n != 3 {
		t.Errorf("text %q in %d bytes", v, n)
	}
}

// TestPackets sends payloads of all kinds of lengths, with small and large ones in turn.
func TestPackets(t *testing.T) {
	client, server := net.Pipe()
	defer client.Close()
	sizes := []int{0, 1, readBuffer - 5, readBuffer - 4, readBuffer, 3, maxPacket - 1, maxPacket, 7, maxPacket + 1}
	sent := make(chan error, 1)
	go func() {
		defer server.Close()
		p := packets{nc: server}
		for i, n := range sizes {
			p.out = append(make([]byte, 4), bytes.Repeat([]byte{byte(i)}, n)...)
			if err := p.send(); err != nil {
				sent <- err
				return
			}
		}
		sent <- nil
	}()
	p := packets{nc: client, buf: make([]byte, readBuffer)}
	for i, n := range sizes {
		data, err := p.next()
		if err != nil {
			t.Fatal(err)
		}
		if len(data) != n || bytes.Count(data, []byte{byte(i)}) != n {
			t.Errorf("packet %d has %d bytes, want %d", i, len(data), n)
		}
	}
	if _, err := p.next(); !errors.Is(err, ErrLost) || errors.Is(err, io.EOF) {
		t.Errorf("error %v at the end", err)
	}
	if err := <-sent; err != nil {
		t.Error(err)
	}
}

// TestProofs checks the proofs as a server does, which knows a hash of the password only.
func TestProofs(t *testing.T) {
	salt := []byte("12345678901234567890")
	once := sha1.Sum([]byte("secret"))
	twice := sha1.Sum(once[:])
	mask := sha1.Sum(append(append([]byte{}, salt...), twice[:]...))
	back := sha1.Sum(xor(nativeProof("secret", salt), mask[:]))
	if d := cmp.Diff(twice[:], back[:]); d != "" {
		t.Errorf("%s: %s", nativePassword, d)
	}
	once2 := sha256.Sum256([]byte("secret"))
	stored := sha256.Sum256(once2[:])
	digest := sha256.Sum256(append(stored[:], salt...))
	back2 := xor(sha2Proof("secret", salt), digest[:])
	if d := cmp.Diff(once2[:], back2); d != "" {
		t.Errorf("%s: %s", cachingSHA2, d)
	}
	if p, err := proof(clearPassword, "secret", salt, false); err == nil {
		t.Errorf("a password in clear text without TLS: %q", p)
	}
	if _, err := proof("sphinx", "secret", salt, true); err == nil || !strings.Contains(err.Error(), "sphinx") {
		t.Errorf("error %v", err)
	}
	for _, method := range []string{nativePassword, cachingSHA2} {
		if p, err := proof(method, "", salt, false); err != nil || len(p) != 0 {
			t.Errorf("%s: an empty password gives %q, %v", method, p, err)
		}
	}
}

// TestSHA2WithoutCache plays a server that asks for the password itself.
func TestSHA2WithoutCache(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	public := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	salt := []byte("12345678901234567890")
	client, server := net.Pipe()
	defer client.Close()
	defer server.Close()
	password := make(chan string, 1)
	go func() {
		p := packets{nc: server, buf: make([]byte, readBuffer)}
		say := func(b ...byte) {
			p.out = append(make([]byte, 4), b...)
			_ = p.send()
		}
		say(headMore, 4)
		_, _ = p.next()
		say(append([]byte{headMore}, public...)...)
		secret, _ := p.next()
		plain, err := rsa.DecryptOAEP(sha1.New(), nil, key, secret, nil)
		if err != nil {
			password <- err.Error()
		} else {
			password <- string(xor(plain, salt))
		}
		say(headOK, 0, 0, 2, 0, 0, 0)
	}()
	c := &Conn{packets: packets{nc: client, buf: make([]byte, readBuffer)}}
	if err := c.authenticate(cachingSHA2, "a long password, longer than the salt", salt); err != nil {
		t.Fatal(err)
	}
	if got := <-password; got != "a long password, longer than the salt\x00" {
		t.Errorf("the server read %q", got)
	}
}

func TestTimes(t *testing.T) {
	for want, b := range map[string][]byte{
		"00:00:00.000000":   {},
		"-25:02:03.000000":  {1, 1, 0, 0, 0, 1, 2, 3},
		"838:59:59.000004":  {0, 34, 0, 0, 0, 22, 59, 59, 4, 0, 0, 0},
		"-00:00:00.000001":  {1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0},
		"2048:00:00.000000": {0, 85, 0, 0, 0, 8, 0, 0},
	} {
		if got := string(AppendTime(nil, b)); got != want {
			t.Errorf("%v is %s, want %s", b, got, want)
		}
	}
}

// FuzzValues decodes damaged rows: it must not panic.
func FuzzValues(f *testing.F) {
	columns := []Column{{Type: TypeInt}, {Type: TypeVarString}, {Type: TypeDateTime}, {Type: TypeTime},
		{Type: TypeNewDecimal}, {Type: TypeTiny}}
	f.Add([]byte{0, 0, 1, 0, 0, 0, 1, 'a', 4, 232, 7, 1, 1, 0, 1, '5', 9})
	f.Add([]byte{0, 0xff})
	f.Fuzz(func(_ *testing.T, row []byte) {
		_, _ = Values(row, columns)
		_, _ = parseColumn(row)
		_, _ = parseHello(row)
		_ = serverError(row)
	})
}
