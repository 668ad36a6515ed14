package config_test

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/culvertdata/culvert/plugin/config"
)

type column struct {
	Name string `opt:"name" required:"true" help:"Name."`
	Type string `opt:"type,kind" required:"true" help:"Type."`
}

type target struct {
	URL      string            `opt:"url" required:"true" help:"Address, a|b."`
	Password string            `opt:"password,secret_key" secret:"true" help:"Password."`
	Mode     string            `opt:"mode" default:"append" enum:"append,replace" help:"What to do with old rows."`
	Key      []string          `opt:"key" default:"id, at" help:"Key columns."`
	Wait     time.Duration     `opt:"wait" unit:"ms" default:"500" min:"1" max:"1000" help:"Pause."`
	Retry    *int              `opt:"retry" min:"0" help:"Attempts."`
	Exact    bool              `opt:"exact" default:"false" help:"Exactly once."`
	Props    map[string]string `opt:"props" help:"More."`
	Extra    config.Value      `opt:"extra" help:"Anything."`
	Columns  []column          `opt:"columns" help:"Columns."`
}

func (target) Rules() []config.Rule {
	return []config.Rule{
		config.ExactlyOne("props", "extra"), config.AtMostOne("retry", "wait"),
		config.Together("key", "columns"), config.RequiredWhen("mode", "replace", "key"),
	}
}

func TestMarkdown(t *testing.T) {
	spec, err := config.SpecOf[target]()
	if err != nil {
		t.Fatal(err)
	}
	want := `| Option | Type | Unit | Default | Required | Allowed | Description |
|---|---|---|---|---|---|---|
| ` + "`url`" + ` | string |  |  | yes |  | Address, a\|b. |
| ` + "`password`" + ` | string |  |  |  |  | Password. Secret. Also: secret_key. |
| ` + "`mode`" + ` | string |  | ` + "`append`" + ` |  | append, replace | What to do with old rows. |
| ` + "`key`" + ` | list of string |  | ` + "`id, at`" + ` |  |  | Key columns. |
| ` + "`wait`" + ` | duration | ms | ` + "`500`" + ` |  | 1 to 1000 | Pause. |
| ` + "`retry`" + ` | int |  |  |  | at least 0 | Attempts. |
| ` + "`exact`" + ` | boolean |  | ` + "`false`" + ` |  |  | Exactly once. |
| ` + "`props`" + ` | map |  |  |  |  | More. |
| ` + "`extra`" + ` | any |  |  |  |  | Anything. |
| ` + "`columns`" + ` | list of object |  |  |  |  | Columns. |
| ` + "`columns[].name`" + ` | string |  |  | yes |  | Name. |
| ` + "`columns[].type`" + ` | string |  |  | yes |  | Type. Also: kind. |

Rules:

- exactly one of props, extra
- at most one of retry, wait
- all of key, columns, or none
- key required when mode = replace
`
	if diff := cmp.Diff(want, spec.Markdown()); diff != "" {
		t.Error(diff)
	}
}

func TestJSONSchema(t *testing.T) {
	spec, err := config.SpecOf[target]()
	if err != nil {
		t.Fatal(err)
	}
	schema, err := spec.JSONSchema()
	if err != nil {
		t.Fatal(err)
	}
	var got bytes.Buffer
	if err := json.Indent(&got, schema, "", " "); err != nil {
		t.Fatal(err)
	}
	var want bytes.Buffer
	if err := json.Indent(&want, []byte(wantSchema), "", " "); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want.String(), got.String()); diff != "" {
		t.Error(diff)
	}
}

const wantSchema = `{
"$schema": "https://json-schema.org/draft/2020-12/schema",
"type": "object",
"properties": {
 "url": {"description": "Address, a|b.", "type": "string"},
 "password": {"description": "Password.", "type": "string", "writeOnly": true, "x-aliases": ["secret_key"]},
 "mode": {"description": "What to do with old rows.", "type": "string", "enum": ["append", "replace"],
 	"default": "append"},
 "key": {"description": "Key columns.", "type": "array", "items": {"type": "string"}, "default": ["id", "at"]},
 "wait": {"description": "Pause.", "type": ["number", "string"], "minimum": 1, "maximum": 1000, "default": 500,
 	"x-unit": "ms"},
 "retry": {"description": "Attempts.", "type": "integer", "minimum": 0},
 "exact": {"description": "Exactly once.", "type": "boolean", "default": false},
 "props": {"description": "More.", "type": "object", "additionalProperties": {"type": "string"}},
 "extra": {"description": "Anything."},
 "columns": {"description": "Columns.", "type": "array", "items": {
  "type": "object",
  "properties": {
   "name": {"description": "Name.", "type": "string"},
   "type": {"description": "Type.", "type": "string", "x-aliases": ["kind"]}
  },
  "required": ["name"],
  "allOf": [{"anyOf": [{"required": ["type"]}, {"required": ["kind"]}]}]
 }}
},
"required": ["url"],
"allOf": [
 {"oneOf": [{"required": ["props"]}, {"required": ["extra"]}]},
 {"not": {"allOf": [{"required": ["retry"]}, {"required": ["wait"]}]}},
 {"anyOf": [
  {"allOf": [{"required": ["key"]}, {"required": ["columns"]}]},
  {"not": {"anyOf": [{"required": ["key"]}, {"required": ["columns"]}]}}
 ]},
 {"if": {"properties": {"mode": {"const": "replace"}}, "required": ["mode"]},
 	"then": {"allOf": [{"required": ["key"]}]}}
]}`
