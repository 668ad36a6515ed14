package rest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/culvertdata/culvert/encrypt"
	"github.com/culvertdata/culvert/engine"
	"github.com/culvertdata/culvert/rest"
)

// locked is a buffer that several goroutines write to.
type locked struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *locked) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *locked) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// secretMaker makes values that occur nowhere by accident.
type secretMaker struct {
	random *rand.Rand
	all    []string
}

const secretRunes = `abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 !#$%&'()*+,-./:;<=>?@[]^_{|}~"\äß測`

func (m *secretMaker) secret() string {
	runes := []rune(secretRunes)
	var b strings.Builder
	b.WriteString(fmt.Sprintf("S%dx", len(m.all)))
	for range 6 + m.random.IntN(30) {
		b.WriteRune(runes[m.random.IntN(len(runes))])
	}
	b.WriteString("Q")
	m.all = append(m.all, b.String())
	return b.String()
}

// job makes a random job whose sink fails, or not, with its secrets on its lips.
func (m *secretMaker) job(shade string) string {
	sink := map[string]any{"plugin_name": "Vault"}
	for _, name := range [][]string{{"api_key", "apikey"}, {"password"}, {"username"}, {"auth"}, {"token"}} {
		if m.random.IntN(3) > 0 {
			sink[name[m.random.IntN(len(name))]] = m.secret()
		}
	}
	if _, ok := sink["username"]; ok && shade == "" { // the name of a user is a secret only where it is encrypted
		sink["username"] = "default"
	}
	if shade == "" && m.random.IntN(2) == 0 { // only options at the top are encrypted
		sink["login"] = map[string]any{"pin": m.secret()}
	}
	fails := []string{"", "", "open", "prepare", "write", "data", "nowhere"}
	if at := fails[m.random.IntN(len(fails))]; at != "" {
		sink["fail"] = at
	}
	if shade == "" && m.random.IntN(10) == 0 {
		sink["password"] = map[string]any{"nested": m.secret()}
	}
	source := map[string]any{"plugin_name": "FakeSource", "row.num": 1 + m.random.IntN(3),
		"schema": map[string]any{"fields": map[string]any{"id": "bigint"}}, "password": m.secret()}
	env := map[string]any{"job.mode": "BATCH", "job.retry.times": m.random.IntN(2), "job.retry.interval.seconds": 0}
	if shade != "" {
		env["shade.identifier"] = shade
	}
	text, err := json.Marshal(map[string]any{"env": env, "source": []any{source}, "sink": []any{sink}})
	if err != nil {
		panic(err)
	}
	return string(text)
}

// TestSecretsShowNowhere runs 1,000 random jobs, half of them encrypted, many of which fail with their secrets in the
// message. No secret may be in an answer, the host's log, a job's log, an event or an error. Those that came encrypted
// may not be in the store either: it holds what was submitted.
func TestSecretsShowNowhere(t *testing.T) {
	const jobs = 1000
	key := encrypt.NewKey("k")
	shade, err := encrypt.NewAESGCM(key)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	log := &locked{}
	s := serve(t, engine.Options{Dir: dir, Shades: encrypt.NewShades(shade),
		Logger: hclog.New(&hclog.LoggerOptions{Output: log, Level: hclog.Trace})}, rest.Options{}, vault(nil))
	events := s.eng.Subscribe(t.Context())
	var shown strings.Builder
	gathered := make(chan struct{})
	go func() {
		defer close(gathered)
		for e := range events {
			fmt.Fprintf(&shown, "%+v\n", e)
		}
	}()
	var answers strings.Builder
	show := func(a answer) string { answers.WriteString(a.body); return a.body }
	clear := &secretMaker{random: rand.New(rand.NewPCG(1, 2))}
	sealed := &secretMaker{random: rand.New(rand.NewPCG(3, 4))}
	failures := 0
	for n := range jobs {
		text := clear.job("")
		if n%2 == 1 {
			encrypted := s.post(v1+"/encrypt-config", sealed.job("aes-gcm"))
			s.ok(encrypted)
			text = show(encrypted)
		}
		a := s.post(v1+"/submit-job", text)
		show(a)
		if a.StatusCode != 200 {
			failures++
			continue
		}
		id := fmt.Sprint(at(t, decode(t, a.body), "jobId"))
		if s.waitForEnd(id) != "FINISHED" {
			failures++
		}
		show(s.get("/job-info/" + id))
		show(s.get("/logs/job-" + id + ".log"))
	}
	for _, path := range []string{"/finished-jobs", v1 + "/finished-jobs", "/running-jobs", "/logs", "/thread-dump",
		"/hazelcast/rest/instance/metrics", "/overview"} {
		show(s.get(path))
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := s.eng.Close(ctx); err != nil {
		t.Fatal(err)
	}
	<-gathered
	if failures < jobs/4 || failures > jobs*9/10 {
		t.Errorf("%d of %d jobs failed: the test has lost its point", failures, jobs)
	}
	everywhere := map[string]string{"an answer": answers.String(), "the log": log.String(), "an event": shown.String()}
	for where, text := range everywhere {
		if len(text) < 1000 {
			t.Errorf("%s holds %d bytes", where, len(text))
		}
		lookFor(t, []*secretMaker{clear, sealed}, where, text)
	}
	lookFor(t, []*secretMaker{sealed}, "the store", readAll(t, dir))
}

// lookFor fails if a text holds a secret, as it is or escaped as JSON or Go write it.
func lookFor(t *testing.T, makers []*secretMaker, where, text string) {
	t.Helper()
	for _, at := range regexp.MustCompile(`S[0-9]+x`).FindAllStringIndex(text, -1) {
		n, _ := strconv.Atoi(text[at[0]+1 : at[1]-1])
		for _, m := range makers {
			if n >= len(m.all) {
				continue
			}
			secret := m.all[n]
			json, _ := json.Marshal(secret)
			quoted := strconv.Quote(secret)
			for _, form := range []string{secret, string(json[1 : len(json)-1]), quoted[1 : len(quoted)-1]} {
				if strings.HasPrefix(text[at[0]:], form) {
					t.Errorf("a secret is in %s: %s", where, text[max(0, at[0]-200):min(len(text), at[1]+100)])
					return
				}
			}
		}
	}
}

func readAll(t *testing.T, dir string) string {
	t.Helper()
	var b strings.Builder
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		b.Write(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func (s *server) waitForEnd(id string) string {
	s.t.Helper()
	timeout := time.After(30 * time.Second)
	for {
		state := s.ok(s.get("/job-info/" + id)).(map[string]any)["jobStatus"].(string)
		switch state {
		case "FINISHED", "FAILED", "CANCELED", "SAVEPOINT_DONE":
			return state
		}
		select {
		case <-timeout:
			s.t.Fatalf("job %s is %s after 30 s", id, state)
		case <-time.After(200 * time.Microsecond):
		}
	}
}
