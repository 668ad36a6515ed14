package wire

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"

	"filippo.io/edwards25519"
)

// The ways to prove a password that this client knows.
const (
	nativePassword = "mysql_native_password"
	cachingSHA2    = "caching_sha2_password"
	ed25519        = "client_ed25519"
	clearPassword  = "mysql_clear_password"
)

// proof answers a server's challenge.
func proof(method, password string, salt []byte, secure bool) ([]byte, error) {
	switch method {
	case nativePassword:
		return nativeProof(password, salt), nil
	case cachingSHA2:
		return sha2Proof(password, salt), nil
	case ed25519:
		return ed25519Proof(password, salt)
	case clearPassword:
		if !secure {
			return nil,
				errors.New("the server asks for the password in clear text, which only TLS would protect; set sslMode = REQUIRED")
		}
		return append([]byte(password), 0), nil
	default:
		return nil, fmt.Errorf("the server wants the unknown authentication method %q", method)
	}
}

func nativeProof(password string, salt []byte) []byte {
	if password == "" {
		return nil
	}
	once := sha1.Sum([]byte(password))
	twice := sha1.Sum(once[:])
	mask := sha1.Sum(append(append([]byte{}, salt...), twice[:]...))
	return xor(once[:], mask[:])
}

func sha2Proof(password string, salt []byte) []byte {
	if password == "" {
		return nil
	}
	once := sha256.Sum256([]byte(password))
	twice := sha256.Sum256(once[:])
	mask := sha256.Sum256(append(twice[:], salt...))
	return xor(once[:], mask[:])
}

func xor(a, b []byte) []byte {
	c := make([]byte, len(a))
	for i := range a {
		c[i] = a[i] ^ b[i%len(b)]
	}
	return c
}

// ed25519Proof signs the challenge as MariaDB does: with a key whose seed may be of any length.
func ed25519Proof(password string, salt []byte) ([]byte, error) {
	h := sha512.Sum512([]byte(password))
	s, err := edwards25519.NewScalar().SetBytesWithClamping(h[:32])
	if err != nil {
		return nil, err
	}
	public := (&edwards25519.Point{}).ScalarBaseMult(s).Bytes()
	digest := sha512.Sum512(append(append([]byte{}, h[32:]...), salt...))
	r, err := edwards25519.NewScalar().SetUniformBytes(digest[:])
	if err != nil {
		return nil, err
	}
	commitment := (&edwards25519.Point{}).ScalarBaseMult(r).Bytes()
	digest = sha512.Sum512(append(append(append([]byte{}, commitment...), public...), salt...))
	k, err := edwards25519.NewScalar().SetUniformBytes(digest[:])
	if err != nil {
		return nil, err
	}
	return append(commitment, k.MultiplyAdd(k, s, r).Bytes()...), nil
}

// authenticate talks until the server lets the client in.
func (c *Conn) authenticate(method, password string, salt []byte) error {
	for {
		data, err := c.next()
		if err != nil {
			return err
		}
		switch {
		case len(data) == 0:
			return errProtocol
		case data[0] == headOK:
			return c.ok(data)
		case data[0] == headErr:
			return serverError(data)
		case data[0] == headEOF && len(data) == 1:
			return errors.New("the server wants the password hash of MySQL before 4.1, which is not safe")
		case data[0] == headEOF:
			var rest []byte
			method, rest = cString(data[1:])
			salt = append([]byte{}, trimZero(rest)...)
			err = c.answer(method, password, salt)
		case data[0] == headMore && method == cachingSHA2 && len(data) > 1:
			err = c.moreSHA2(data[1], password, salt)
		default:
			return errProtocol
		}
		if err != nil {
			return err
		}
	}
}

func (c *Conn) answer(method, password string, salt []byte) error {
	answer, err := proof(method, password, salt, c.secure)
	if err != nil {
		return err
	}
	c.out = append(append(c.out[:0], 0, 0, 0, 0), answer...)
	return c.send()
}

// moreSHA2 goes on where the server did not find the password in its cache: it gets the password itself, encrypted.
func (c *Conn) moreSHA2(step byte, password string, salt []byte) error {
	const found, wanted, askKey = 3, 4, 2
	if step == found {
		return nil
	}
	if step != wanted {
		return errProtocol
	}
	secret := append([]byte(password), 0)
	if !c.secure {
		c.out = append(c.out[:0], 0, 0, 0, 0, askKey)
		if err := c.send(); err != nil {
			return err
		}
		data, err := c.next()
		if err != nil {
			return err
		}
		if len(data) == 0 || data[0] != headMore {
			return errProtocol
		}
		if secret, err = encrypt(data[1:], xor(secret, salt)); err != nil {
			return err
		}
	}
	c.out = append(append(c.out[:0], 0, 0, 0, 0), secret...)
	return c.send()
}

func encrypt(key, secret []byte) ([]byte, error) {
	block, _ := pem.Decode(key)
	if block == nil {
		return nil, errors.New("the server's public key is not in PEM form")
	}
	public, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("the server's public key: %w", err)
	}
	rsaKey, ok := public.(*rsa.PublicKey)
	if !ok {
		return nil, errors.New("the server's public key is no RSA key")
	}
	return rsa.EncryptOAEP(sha1.New(), rand.Reader, rsaKey, secret, nil)
}

// startTLS makes the connection a secure one.
func (c *Conn) startTLS(config *tls.Config) error {
	t := tls.Client(c.nc, config)
	if err := t.Handshake(); err != nil {
		return fmt.Errorf("TLS: %w", err)
	}
	c.nc, c.secure = t, true
	return nil
}

func cString(b []byte) (string, []byte) {
	for i, c := range b {
		if c == 0 {
			return string(b[:i]), b[i+1:]
		}
	}
	return string(b), nil
}

func trimZero(b []byte) []byte {
	if n := len(b); n > 0 && b[n-1] == 0 {
		return b[:n-1]
	}
	return b
}
