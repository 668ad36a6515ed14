package encrypt_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/culvertdata/culvert/encrypt"
)

func TestEncryptJSONTouchesNothingElse(t *testing.T) {
	job := `{
  "env": {"shade.identifier":"base64", "parallelism": 1.0},
  "source": [ {"plugin_name": "MySQL-CDC", "password": "seatunnel_password", "schema": {"b": "int", "a": "int"},
      "username": "seatunnel", "port": 3306, "token": null, "nested": {"password": "kept"}} ],
  "transform": [],
  "sink": [ {"plugin_name": "Clickhouse", "auth": 12345678901234567890, "secret.key": "s", "bulk_size": 1e3} ]
}`
	got, err := encrypt.Shades{}.EncryptJSON([]byte(job), func(role, plugin string) []string {
		if role == "sink" && plugin == "Clickhouse" {
			return []string{"secret.key"}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	want := strings.NewReplacer(
		`"seatunnel_password"`, `"c2VhdHVubmVsX3Bhc3N3b3Jk"`, `"username": "seatunnel"`, `"username": "c2VhdHVubmVs"`,
		`12345678901234567890`, `"MTIzNDU2Nzg5MDEyMzQ1Njc4OTA="`, `"secret.key": "s"`, `"secret.key": "cw=="`).Replace(job)
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("encrypted job (-want +got):\n%s", diff)
	}
}

func TestEncryptJSONRefusals(t *testing.T) {
	for name, c := range map[string]struct{ job, want string }{
		"broken":          {`{"env"`, "Invalid JSON"},
		"no object":       {`[]`, "must be a JSON object"},
		"empty source":    {`{"env":{},"source":[],"sink":[{}]}`, "Miss <Source> config!"},
		"empty sink":      {`{"env":{},"source":[{}],"sink":[]}`, "Miss <Sink> config!"},
		"source object":   {`{"env":{},"source":{},"sink":[{}]}`, "source must be an array"},
		"unknown shade":   {`{"env":{"shade.identifier":"rot13"},"source":[{}],"sink":[{}]}`, "known are default, base64"},
		"secret twice":    {`{"env":{},"source":[{"password":"a","password":"b"}],"sink":[{}]}`, "source[0].password is there twice"},
		"missing sources": {`{"env":{},"sink":[{}]}`, "source must be an array"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := encrypt.Shades{}.EncryptJSON([]byte(c.job), nil)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error = %v, want %q", err, c.want)
			}
		})
	}
}

func TestBase64RefusesPlainTextWithoutShowingIt(t *testing.T) {
	_, err := encrypt.Base64{}.Decrypt("pass word!")
	if err == nil || strings.Contains(err.Error(), "pass") {
		t.Errorf("error = %v", err)
	}
}

func TestAESGCMRotation(t *testing.T) {
	old, fresh := encrypt.NewKey("2025"), encrypt.NewKey("2026")
	before, err := encrypt.NewAESGCM(old)
	if err != nil {
		t.Fatal(err)
	}
	text, err := before.Encrypt("s3cret ü")
	if err != nil || strings.Contains(text, "s3cret") || !strings.HasPrefix(text, "2025:") {
		t.Fatalf("Encrypt = %q, %v", text, err)
	}
	after, err := encrypt.NewAESGCM(fresh, old)
	if err != nil {
		t.Fatal(err)
	}
	if plain, err := after.Decrypt(text); err != nil || plain != "s3cret ü" {
		t.Errorf("after rotation Decrypt = %q, %v", plain, err)
	}
	again, err := after.Encrypt("s3cret ü")
	if err != nil || !strings.HasPrefix(again, "2026:") {
		t.Errorf("after rotation Encrypt = %q, %v", again, err)
	}
	if _, err := before.Decrypt(again); err == nil {
		t.Error("a value was read without its key")
	}
}

func TestAESGCMNoticesDamage(t *testing.T) {
	shade, err := encrypt.NewAESGCM(encrypt.NewKey("k"))
	if err != nil {
		t.Fatal(err)
	}
	text, err := shade.Encrypt("value")
	if err != nil {
		t.Fatal(err)
	}
	other, err := encrypt.NewAESGCM(encrypt.NewKey("k"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.Decrypt(text); err == nil {
		t.Error("another key of the same id read the value")
	}
	for _, damaged := range []string{"", "value", "k:", "k:!!", text[:len(text)-8], "x" + text} {
		if _, err := shade.Decrypt(damaged); err == nil {
			t.Errorf("Decrypt(%q) gave no error", damaged)
		}
	}
}

func TestKeys(t *testing.T) {
	keys := []encrypt.Key{encrypt.NewKey("a"), encrypt.NewKey("b")}
	path := filepath.Join(t.TempDir(), "keys")
	if err := os.WriteFile(path, []byte("# newest first\n"+encrypt.FormatKeys(keys...)), 0o600); err != nil {
		t.Fatal(err)
	}
	fromFile, err := encrypt.KeysFromFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(keys, fromFile); diff != "" {
		t.Errorf("keys (-want +got):\n%s", diff)
	}
	t.Setenv("TEST_KEYS", strings.ReplaceAll(encrypt.FormatKeys(keys...), "\n", ","))
	fromEnv, err := encrypt.KeysFromEnv("TEST_KEYS")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(keys, fromEnv); diff != "" {
		t.Errorf("keys (-want +got):\n%s", diff)
	}
	for _, bad := range [][]encrypt.Key{nil, {{ID: "", Secret: keys[0].Secret}}, {{ID: "a:b", Secret: keys[0].Secret}},
		{{ID: "short", Secret: []byte("x")}}, {keys[0], keys[0]}} {
		if _, err := encrypt.NewAESGCM(bad...); err == nil {
			t.Errorf("NewAESGCM(%d keys) gave no error", len(bad))
		}
	}
}

func ExampleShades_EncryptJSON() {
	job := `{"env":{"shade.identifier":"base64"},"source":[{"plugin_name":"Jdbc","username":"seatunnel"}],"sink":[{"plugin_name":"Console"}]}`
	encrypted, err := encrypt.Shades{}.EncryptJSON([]byte(job), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(string(encrypted))
	// Output: {"env":{"shade.identifier":"base64"},"source":[{"plugin_name":"Jdbc","username":"c2VhdHVubmVs"}],"sink":[{"plugin_name":"Console"}]}
}
