package rest_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/culvertdata/culvert/engine"
	"github.com/culvertdata/culvert/rest"
)

// document is the served OpenAPI document.
type document struct {
	t   *testing.T
	all map[string]any
}

func (s *server) document(t *testing.T) document {
	return document{t, s.ok(s.get("/hazelcast/rest/openapi.json")).(map[string]any)}
}

// check returns what is wrong with a value, judged by a JSON Schema. It knows the words that the document uses and
// fails on others.
func (d document) check(schema map[string]any, v any, path string) []string {
	var wrong []string
	say := func(format string, args ...any) { wrong = append(wrong, path+": "+fmt.Sprintf(format, args...)) }
	for word, want := range schema {
		switch word {
		case "$ref":
			name := strings.TrimPrefix(want.(string), "#/components/schemas/")
			wrong = append(wrong, d.check(at(d.t, d.all, "components", "schemas", name).(map[string]any), v, path)...)
		case "type":
			if !hasType(want, v) {
				say("%v is no %v", v, want)
			}
		case "const":
			if v != want {
				say("%v, want %v", v, want)
			}
		case "enum":
			if !slices.Contains(want.([]any), v) {
				say("%v is none of %v", v, want)
			}
		case "pattern":
			if text, ok := v.(string); ok && !regexp.MustCompile(want.(string)).MatchString(text) {
				say("%q does not match %s", text, want)
			}
		case "required":
			for _, name := range want.([]any) {
				if m, ok := v.(map[string]any); ok && m[name.(string)] == nil {
					if _, there := m[name.(string)]; !there {
						say("%s is missing", name)
					}
				}
			}
		case "properties":
			for name, s := range want.(map[string]any) {
				if m, ok := v.(map[string]any); ok && m[name] != nil {
					wrong = append(wrong, d.check(s.(map[string]any), m[name], path+"."+name)...)
				}
			}
		case "additionalProperties":
			wrong = append(wrong, d.checkRest(schema, want, v, path)...)
		case "items":
			list, _ := v.([]any)
			for i, item := range list {
				wrong = append(wrong, d.check(want.(map[string]any), item, fmt.Sprintf("%s[%d]", path, i))...)
			}
		case "oneOf":
			matches := 0
			for _, s := range want.([]any) {
				if len(d.check(s.(map[string]any), v, path)) == 0 {
					matches++
				}
			}
			if matches != 1 {
				say("%v fits %d of %d choices", v, matches, len(want.([]any)))
			}
		case "format", "minimum", "minLength", "minItems":
		default:
			say("the word %s is not known to this test", word)
		}
	}
	return wrong
}

func (d document) checkRest(schema map[string]any, want, v any, path string) (wrong []string) {
	m, _ := v.(map[string]any)
	named, _ := schema["properties"].(map[string]any)
	for name, value := range m {
		if _, ok := named[name]; ok {
			continue
		}
		if s, ok := want.(map[string]any); ok {
			wrong = append(wrong, d.check(s, value, path+"."+name)...)
		} else if want == false {
			wrong = append(wrong, path+": "+name+" is not documented")
		}
	}
	return wrong
}

func hasType(want, v any) bool {
	if list, ok := want.([]any); ok {
		return slices.ContainsFunc(list, func(w any) bool { return hasType(w, v) })
	}
	switch v := v.(type) {
	case nil:
		return want == "null"
	case string:
		return want == "string"
	case bool:
		return want == "boolean"
	case json.Number:
		return want == "number" || want == "integer" && !strings.ContainsAny(v.String(), ".eE")
	case []any:
		return want == "array"
	default:
		return want == "object"
	}
}

// judge compares an answer with the document.
func (d document) judge(operation any, a answer) {
	d.t.Helper()
	responses := at(d.t, operation, "responses").(map[string]any)
	request := a.Request.Method + " " + a.Request.URL.String()
	response, ok := responses[fmt.Sprint(a.StatusCode)]
	if !ok {
		d.t.Errorf("%s = %d, which is not documented: %.300s", request, a.StatusCode, a.body)
		return
	}
	content := at(d.t, response, "content").(map[string]any)
	media, ok := content[a.Header.Get("Content-Type")].(map[string]any)
	if !ok {
		d.t.Errorf("%s: %d has the type %s, documented are %v", request, a.StatusCode, a.Header.Get("Content-Type"),
			slices.Collect(maps.Keys(content)))
		return
	}
	if a.Header.Get("Content-Type") != "application/json" {
		return
	}
	for _, wrong := range d.check(media["schema"].(map[string]any), decode(d.t, a.body), "body") {
		d.t.Errorf("%s: %d: %s", request, a.StatusCode, wrong)
	}
}

// each calls f for every documented path and method, in order.
func (d document) each(f func(path, method string, operation any)) {
	paths := at(d.t, d.all, "paths").(map[string]any)
	for _, path := range slices.Sorted(maps.Keys(paths)) {
		for _, method := range slices.Sorted(maps.Keys(paths[path].(map[string]any))) {
			f(path, strings.ToUpper(method), at(d.t, paths, path, method))
		}
	}
}

// TestDocumentIsTrue calls every documented operation with good and with bad values and compares each answer with the
// document: the status, the content type and the body, of which nothing may be undocumented.
func TestDocumentIsTrue(t *testing.T) {
	s := serve(t, engine.Options{}, rest.Options{})
	ended := s.submit("", batchJob)
	s.waitFor(ended, "FINISHED")
	failed := s.submit("", edit(t, `"plugin_name": "Console"`,
		`"plugin_name": "Assert", "rules": {"row_rules": [{"rule_type": "MAX_ROW", "rule_value": 1}]}`))
	s.waitFor(failed, "FAILED")
	running := s.submit("", streamingJob)
	s.waitFor(running, "RUNNING")
	d := s.document(t)
	ids := map[string]bool{}
	random := rand.New(rand.NewPCG(1, 2))
	d.each(func(path, method string, operation any) {
		id := at(t, operation, "operationId").(string)
		if ids[id] {
			t.Errorf("two operations have the id %s", id)
		}
		ids[id] = true
		for _, last := range []string{ended, failed, running, "job-" + ended + ".log", "FAILED", "123", "abc", "%2e%2e%2fx",
			"-1"} {
			for _, query := range queries(t, operation, random) {
				target := path
				if i := strings.IndexByte(path, '{'); i >= 0 {
					target = path[:i] + last
				}
				for _, body := range bodies(operation, running) {
					d.judge(operation, s.do(method, target+query, body))
				}
			}
			if !strings.Contains(path, "{") {
				break
			}
		}
	})
}

// queries makes queries of documented parameters, with values that fit and values that don't.
func queries(t *testing.T, operation any, random *rand.Rand) []string {
	all := []string{""}
	params, _ := at(t, operation, "parameters").([]any)
	for _, p := range params {
		if at(t, p, "in") != "query" {
			continue
		}
		name := at(t, p, "name").(string)
		values := []string{"", "true", "false", "-1", "0", "99999999999999999999", "json", "html", "hocon", "x y", "%",
			"null",
			fmt.Sprint(random.Int64()), "\x00", "測試"}
		for _, v := range values {
			all = append(all, "?"+url.QueryEscape(name)+"="+url.QueryEscape(v))
		}
		all = append(all, "?"+name, "?"+name+"=%zz")
	}
	return all
}

func bodies(operation any, running string) []string {
	if operation.(map[string]any)["requestBody"] == nil {
		return []string{""}
	}
	return []string{"", "{}", "[]", "null", "5", `{"jobId": ` + running + `0}`, `[{"jobId": ` + running + `1}]`,
		batchJob, "[" + batchJob + "]",
		strings.Replace(batchJob, "FakeSource", "Nothing", 1), strings.Replace(batchJob, "100", `"x"`, 1), "{", `{"a": "b"}`}
}

func TestEveryPathIsDocumented(t *testing.T) {
	s := serve(t, engine.Options{}, rest.Options{})
	d := s.document(t)
	paths := at(t, d.all, "paths").(map[string]any)
	for _, path := range strings.Fields(`running-jobs running-job/{jobId} job-info/{jobId} finished-jobs
finished-jobs/{state}
system-monitoring-information submit-job submit-jobs stop-job stop-jobs encrypt-config overview
running-threads thread-dump update-tags logs logs/{name} log log/{name} get-all-log-name`) {
		for _, prefix := range []string{v1 + "/", "/"} {
			if paths[prefix+path] == nil {
				t.Errorf("%s%s is missing", prefix, path)
			}
		}
	}
	for path := range paths {
		if path == v1+"/running-job" || path == v1+"/job-info" {
			continue
		}
		target := strings.NewReplacer("{jobId}", "1", "{state}", "FAILED", "{name}", "x").Replace(path)
		if a := s.do("PATCH", target, ""); a.StatusCode != 405 {
			t.Errorf("%s is documented, but PATCH = %d", path, a.StatusCode)
		}
	}
}
