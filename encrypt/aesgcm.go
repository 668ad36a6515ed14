package encrypt

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"strings"
)

// KeySize is the size of a [Key] in bytes: AES-256.
const KeySize = 32

// Key is one key of an [AESGCM].
type Key struct {
	// ID names the key in encrypted values, so that old values can be read after a rotation. It holds no colon.
	ID string
	// Secret is KeySize bytes.
	Secret []byte
}

// AESGCM encrypts with AES-256-GCM: a value that was changed, or encrypted with another key, is refused. Encrypted
// values have the form ID:BASE64. Identifier is aes-gcm.
type AESGCM struct {
	primary string
	ciphers map[string]cipher.AEAD
}

// NewAESGCM encrypts with the first key and decrypts with any: to rotate, put the new key first and drop the old one
// when no job file uses it any more.
func NewAESGCM(keys ...Key) (*AESGCM, error) {
	if len(keys) == 0 {
		return nil, errors.New("aes-gcm needs a key")
	}
	a := &AESGCM{primary: keys[0].ID, ciphers: make(map[string]cipher.AEAD, len(keys))}
	for _, k := range keys {
		if k.ID == "" || strings.Contains(k.ID, ":") {
			return nil, fmt.Errorf("key id %q must not be empty or hold a colon", k.ID)
		}
		if _, twice := a.ciphers[k.ID]; twice {
			return nil, fmt.Errorf("two keys have the id %q", k.ID)
		}
		if len(k.Secret) != KeySize {
			return nil, fmt.Errorf("key %s has %d bytes, AES-256 needs %d", k.ID, len(k.Secret), KeySize)
		}
		block, err := aes.NewCipher(k.Secret)
		if err != nil {
			return nil, fmt.Errorf("key %s: %w", k.ID, err)
		}
		if a.ciphers[k.ID], err = cipher.NewGCMWithRandomNonce(block); err != nil {
			return nil, fmt.Errorf("key %s: %w", k.ID, err)
		}
	}
	return a, nil
}

// Identifier returns aes-gcm.
func (a *AESGCM) Identifier() string { return "aes-gcm" }

// Encrypt encrypts with the first key and a random nonce: the same value gives another text each time.
func (a *AESGCM) Encrypt(plain string) (string, error) {
	sealed := a.ciphers[a.primary].Seal(nil, nil, []byte(plain), nil)
	return a.primary + ":" + base64.StdEncoding.EncodeToString(sealed), nil
}

// Decrypt decrypts with the key that the text names.
func (a *AESGCM) Decrypt(text string) (string, error) {
	id, encoded, ok := strings.Cut(text, ":")
	if !ok {
		return "", errors.New("the value is not encrypted with aes-gcm; encrypt it with encrypt-config")
	}
	aead, ok := a.ciphers[id]
	if !ok {
		return "", fmt.Errorf("the value is encrypted with a key that this program does not have (%d keys known)",
			len(a.ciphers))
	}
	sealed, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return "", errors.New("the encrypted value is damaged: no base64")
	}
	plain, err := aead.Open(nil, nil, sealed, nil)
	if err != nil {
		return "", fmt.Errorf("the encrypted value is damaged, or key %s is another one than it was encrypted with", id)
	}
	return string(plain), nil
}

// NewKey makes a random key.
func NewKey(id string) Key {
	k := Key{ID: id, Secret: make([]byte, KeySize)}
	rand.Read(k.Secret) // never fails
	return k
}

// text returns the key as ParseKeys reads it: the secret itself.
func (k Key) text() string { return k.ID + ":" + base64.StdEncoding.EncodeToString(k.Secret) }

// FormatKeys writes keys as ParseKeys reads them, one a line. The text is secret.
func FormatKeys(keys ...Key) string {
	var b strings.Builder
	for _, k := range keys {
		b.WriteString(k.text() + "\n")
	}
	return b.String()
}

// ParseKeys reads keys of the form ID:BASE64, separated by white space or commas. Lines that start with # are
// comments.
func ParseKeys(text string) ([]Key, error) {
	var keys []Key
	for line := range strings.Lines(text) {
		if strings.HasPrefix(strings.TrimSpace(line), "#") {
			continue
		}
		for _, field := range strings.FieldsFunc(line, func(r rune) bool { return strings.ContainsRune(" \t\r\n,", r) }) {
			id, encoded, ok := strings.Cut(field, ":")
			secret, err := base64.StdEncoding.DecodeString(encoded)
			if !ok || err != nil {
				return nil, fmt.Errorf("key %d is not of the form ID:BASE64", len(keys)+1)
			}
			keys = append(keys, Key{ID: id, Secret: secret})
		}
	}
	return keys, nil
}

// KeysFromEnv reads keys from an environment variable.
func KeysFromEnv(name string) ([]Key, error) {
	text, ok := os.LookupEnv(name)
	if !ok {
		return nil, fmt.Errorf("the environment variable %s with the keys is not set", name)
	}
	keys, err := ParseKeys(text)
	if err != nil {
		return nil, fmt.Errorf("environment variable %s: %w", name, err)
	}
	return keys, nil
}

// KeysFromFile reads keys from a file.
func KeysFromFile(path string) ([]Key, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading the keys: %w", err)
	}
	keys, err := ParseKeys(string(text))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return keys, nil
}
