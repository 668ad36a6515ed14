package rest

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// Auth decides whether a request may pass. An error refuses it: a [*Denied] with its own words, any other as 401. It is
// called before anything of the request is looked at, by several goroutines.
type Auth func(r *http.Request) error

// Denied is a refusal by an [Auth].
type Denied struct {
	// Challenge is the header WWW-Authenticate, for example Basic realm="culvert". Empty answers 403 instead of 401.
	Challenge string
	// Reason is told to the caller; it holds no secret.
	Reason string
}

// Error returns the reason.
func (d *Denied) Error() string { return d.Reason }

// Basic lets pass who knows the password of a user. It takes the same time for every wrong answer.
func Basic(users map[string]string) Auth {
	known := make([][sha256.Size]byte, 0, len(users))
	for user, password := range users {
		known = append(known, digest(user, password))
	}
	return func(r *http.Request) error {
		user, password, ok := r.BasicAuth()
		if ok && holds(known, digest(user, password)) {
			return nil
		}
		return &Denied{`Basic realm="culvert", charset="UTF-8"`, "user name and password are needed, as basic authentication"}
	}
}

// Bearer lets pass who knows one of the tokens. It takes the same time for every wrong answer. Empty tokens never pass.
func Bearer(tokens ...string) Auth {
	known := make([][sha256.Size]byte, 0, len(tokens))
	for _, token := range tokens {
		if token != "" {
			known = append(known, digest("", token))
		}
	}
	return func(r *http.Request) error {
		scheme, token, ok := strings.Cut(r.Header.Get("Authorization"), " ")
		if ok && strings.EqualFold(scheme, "Bearer") && holds(known, digest("", strings.TrimSpace(token))) {
			return nil
		}
		return &Denied{`Bearer realm="culvert"`, "a valid token is needed, as Authorization: Bearer TOKEN"}
	}
}

// digest makes all credentials equally long, with the parts kept apart.
func digest(user, secret string) [sha256.Size]byte {
	return sha256.Sum256(fmt.Appendf(nil, "%d:%s:%s", len(user), user, secret))
}

func holds(known [][sha256.Size]byte, got [sha256.Size]byte) bool {
	found := 0
	for i := range known {
		found |= subtle.ConstantTimeCompare(known[i][:], got[:])
	}
	return found == 1
}

// denied turns a refusal into an answer.
func denied(w http.ResponseWriter, err error) error {
	var d *Denied
	switch {
	case !errors.As(err, &d):
		return &failure{status: http.StatusUnauthorized, err: err}
	case d.Challenge == "":
		return &failure{status: http.StatusForbidden, err: err}
	}
	w.Header().Set("WWW-Authenticate", d.Challenge)
	return &failure{status: http.StatusUnauthorized, err: err}
}

// newUUID makes the name of a node.
func newUUID() string {
	var b [16]byte
	rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	text := hex.EncodeToString(b[:])
	return text[:8] + "-" + text[8:12] + "-" + text[12:16] + "-" + text[16:20] + "-" + text[20:]
}
