package rest

import (
	"encoding/json"
	"net/http"
	"strings"
)

// operation is what the OpenAPI document says of an endpoint.
type operation struct {
	summary string
	params  []param
	body    schema
	// hocon says that the body may be HOCON.
	hocon bool
	reply bySurface
	// media are the content types of the answer; JSON if there are none.
	media []string
	// refuses says that there is bad input, conflicts that ids may be in use, unavailable that it may be too late.
	refuses, conflicts, unavailable bool
	// never says that the answer is never 200.
	never bool
}

// param is a part of the path or of the query.
type param struct {
	in, name, about string
	schema          schema
}

var (
	id       = schema{"type": "integer", "format": "int64"}
	nonEmpty = schema{"type": "string", "minLength": 1}

	pathID    = param{"path", "jobId", "Id of a job.", id}
	pathState = param{"path", "state", "State of ended jobs; an unknown one gives an empty list.", nonEmpty}
	pathLog   = param{"path", "name", "Name of a log, or part of one.", nonEmpty}
	tagFilter = param{"query", "tags", "Tags that the engine must have, name=value.", mapOf(nonEmpty)}
	logFormat = param{"query", "format", "Form of the list; html if it is left out.", enum("html", "json")}

	submitParams = []param{
		{"query", paramID, "Id of the job, above 0; made if it is left out.", id},
		{"query", paramName, "Name of the job; wins over job.name in env.", nonEmpty},
		{"query", paramSavepoint, "Start where the last job of this id stopped.", boolean},
		{"query", paramFormat, "Language of the body; json if it is left out.", enum("json", "hocon")},
	}
)

// openAPI describes the routes in OpenAPI 3.1.
func openAPI(r *router, o Options) []byte {
	paths := schema{}
	for _, rt := range r.routes {
		item, ok := paths[rt.path].(schema)
		if !ok {
			item = schema{}
			paths[rt.path] = item
		}
		for _, m := range rt.methods() {
			if m != http.MethodHead {
				item[strings.ToLower(m)] = describe(rt, m, o)
			}
		}
	}
	document := schema{
		"openapi": "3.1.0",
		"info": schema{"title": "Culvert", "version": "1",
			"description": "The REST API of SeaTunnel 2.3.4 below " + maps + " and that of later versions beside it."},
		"paths":      paths,
		"components": schema{"schemas": components()},
	}
	text, err := json.Marshal(document)
	if err != nil { // the document is made of texts, lists and maps
		return []byte("{}")
	}
	return text
}

func describe(rt route, method string, o Options) schema {
	d := rt.doc
	out := schema{"summary": d.summary, "operationId": operationID(rt, method), "tags": rt.groups(),
		"responses": responses(rt, o)}
	var params []schema
	for _, p := range d.params {
		one := schema{"in": p.in, "name": p.name, "description": p.about, "schema": p.schema, "required": p.in == "path"}
		if p.schema["type"] == "object" {
			one["style"], one["explode"] = "form", true
		}
		params = append(params, one)
	}
	if params != nil {
		out["parameters"] = params
	}
	if d.body != nil {
		content := schema{"application/json": schema{"schema": d.body}}
		if d.hocon {
			content["text/plain"] = schema{"schema": text}
		}
		out["requestBody"] = schema{"required": true, "content": content}
	}
	return out
}

// operationID is unique: method, version and the letters of the path.
func operationID(rt route, method string) string {
	name := strings.NewReplacer("/", "_", "{", "", "}", "", "-", "_", ".", "_").Replace(rt.endpoint.path)
	return strings.ToLower(method) + [...]string{"_v1", "_v2", ""}[rt.surface] + name
}

func responses(rt route, o Options) schema {
	d := rt.doc
	out := schema{}
	if !d.never {
		out["200"] = schema{"description": "Done.", "content": d.content(rt.surface)}
	}
	add := func(status, about string) {
		out[status] = schema{"description": about, "content": schema{"application/json": schema{"schema": ref("Failure")}}}
	}
	add("403", "The endpoint group is disabled.")
	add("500", "A failure of the engine.")
	if d.refuses {
		add("400", "Bad input; the message says what to do.")
	}
	if rt.method == http.MethodPost {
		add("413", "The body is too large.")
		add("503", "The engine is closing, or a system that the job needs does not answer.")
	}
	if d.conflicts {
		add("409", "The job id is used.")
	}
	if d.unavailable {
		add("503", "The engine is closing.")
	}
	if o.Auth != nil {
		add("401", "Credentials are needed.")
	}
	return out
}

func (d operation) content(s surface) schema {
	media := d.media
	if len(media) == 0 {
		media = []string{"application/json"}
	}
	content := schema{}
	for _, m := range media {
		content[m] = schema{"schema": text}
		if m == "application/json" {
			content[m] = schema{"schema": d.reply(s)}
		}
	}
	return content
}
