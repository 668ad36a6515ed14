// Package encrypt keeps secrets out of job files: a [Shade] turns an option's value into a text that is safe to store
// and back, and [Shades] are those that a host knows. A job file names the one it uses in env's shade.identifier.
//
// Three come with the package: default leaves values as they are, base64 only hides them from a passing eye, and
// [AESGCM] encrypts and authenticates them with keys of the host. [Shades.EncryptJSON] edits a job file in place: key
// order, numbers and every byte that is no secret stay as they are.
package encrypt

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
)

// Shade encrypts and decrypts values. It is safe for concurrent use. Errors must not hold the value.
type Shade interface {
	// Identifier is the name that job files use, compared without regard to case.
	Identifier() string
	// Encrypt returns the text that stands in the job file for a plain value.
	Encrypt(plain string) (string, error)
	// Decrypt returns the plain value of what Encrypt returned.
	Decrypt(text string) (string, error)
}

// Sensitive is implemented by a [Shade] that protects options beyond the usual ones, as SeaTunnel's sensitiveOptions.
type Sensitive interface {
	SensitiveOptions() []string
}

// DefaultIdentifier is the identifier of a job file that names none.
const DefaultIdentifier = "default"

// Options returns the options that SeaTunnel protects in every source and sink.
func Options() []string { return []string{"password", "username", "auth", "token"} }

// Shades are the shades that a host knows. The zero value knows default and base64.
type Shades struct{ own []Shade }

// NewShades returns default, base64 and the host's own, which go before those of the same name.
func NewShades(own ...Shade) Shades { return Shades{own: own} }

// Find returns the shade of an identifier; empty means default. An unknown one is an error that names the known ones.
func (s Shades) Find(identifier string) (Shade, error) {
	if identifier == "" {
		identifier = DefaultIdentifier
	}
	all := append(slices.Clone(s.own), plain{}, Base64{})
	names := make([]string, len(all))
	for i, shade := range all {
		if strings.EqualFold(shade.Identifier(), identifier) {
			return shade, nil
		}
		names[i] = shade.Identifier()
	}
	return nil, fmt.Errorf("shade.identifier %q is not known; known are %s", identifier, strings.Join(names, ", "))
}

// plain is the shade default.
type plain struct{}

// Identifier returns default.
func (plain) Identifier() string { return DefaultIdentifier }

// Encrypt returns the value itself.
func (plain) Encrypt(value string) (string, error) { return value, nil }

// Decrypt returns the value itself.
func (plain) Decrypt(text string) (string, error) { return text, nil }

// Base64 is SeaTunnel's shade base64. It is an encoding, no encryption: whoever reads the text has the secret.
type Base64 struct{}

// Identifier returns base64.
func (Base64) Identifier() string { return "base64" }

// Encrypt encodes the value.
func (Base64) Encrypt(value string) (string, error) {
	return base64.StdEncoding.EncodeToString([]byte(value)), nil
}

// Decrypt decodes the text; what is no base64 is an error.
func (Base64) Decrypt(text string) (string, error) {
	value, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return "", fmt.Errorf("the value is not base64; encrypt it with encrypt-config, or take shade.identifier out of env")
	}
	return string(value), nil
}
