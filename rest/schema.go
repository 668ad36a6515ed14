package rest

// schema is a JSON Schema as OpenAPI 3.1 has it.
type schema map[string]any

// The simple ones.
var (
	text    = schema{"type": "string"}
	integer = schema{"type": "integer"}
	boolean = schema{"type": "boolean"}
	digits  = schema{"type": "string", "pattern": "^-?[0-9]+$"}
	rate    = schema{"type": "string", "pattern": "^[0-9]+\\.[0-9]+(E-?[0-9]+)?$"}
)

// object is an object that has all of the members, given as names and schemas, and no others.
func object(members ...any) schema {
	properties := schema{}
	var required []string
	for i := 0; i < len(members); i += 2 {
		name := members[i].(string)
		properties[name] = members[i+1]
		required = append(required, name)
	}
	return schema{"type": "object", "properties": properties, "required": required, "additionalProperties": false}
}

func array(items schema) schema { return schema{"type": "array", "items": items} }

// mapOf is an object whose members are all alike.
func mapOf(values schema) schema { return schema{"type": "object", "additionalProperties": values} }

func oneOf(choices ...schema) schema { return schema{"oneOf": choices} }

func enum(values ...string) schema { return schema{"enum": values} }

func ref(name string) schema { return schema{"$ref": "#/components/schemas/" + name} }

// bySurface gives an answer's schema for a version of the API.
type bySurface func(s surface) schema

func same(s schema) bySurface { return func(surface) schema { return s } }

func listOf(item bySurface) bySurface { return func(s surface) schema { return array(item(s)) } }

func runningJob(s surface) schema { return ref("RunningJob" + version(s)) }

func finishedJob(s surface) schema { return ref("FinishedJob" + version(s)) }

func anyJob(s surface) schema {
	return oneOf(runningJob(s), finishedJob(s), object("jobId", text))
}

func version(s surface) string {
	if s == v2 {
		return "V2"
	}
	return "V1"
}

// components are the schemas that several endpoints share.
func components() schema {
	all := schema{
		"Failure": object("status", schema{"const": "fail"}, "message", text),
	}
	for _, s := range []surface{v1, v2} {
		all["RunningJob"+version(s)] = runningSchema(s)
		all["FinishedJob"+version(s)] = finishedSchema(s)
		all["Metrics"+version(s)] = metricsSchema(s)
	}
	return all
}

func runningSchema(s surface) schema {
	dag := dagSchema()
	if s == v1 {
		dag = object("vertices", array(object("id", integer, "name", text, "parallelism", integer)),
			"edges", array(object("inputVertex", text, "targetVertex", text)))
	}
	return object("jobId", digits, "jobName", text,
		"jobStatus", enum("CREATED", "SCHEDULED", "RUNNING", "FAILING", "DOING_SAVEPOINT", "CANCELING"),
		"envOptions", mapOf(text), "createTime", text, "jobDag", dag, "pluginJarsUrls", array(text),
		"isStartWithSavePoint", boolean, "metrics", ref("Metrics"+version(s)))
}

func finishedSchema(s surface) schema {
	members := []any{"jobId", digits, "jobName", text,
		"jobStatus", enum("FAILED", "SAVEPOINT_DONE", "CANCELED", "FINISHED", unknowable),
		"errorMsg", schema{"type": []string{"string", "null"}}, "createTime", text, "finishTime", text,
		"metrics", ref("Metrics" + version(s))}
	if s == v2 {
		return object(append(members, "jobDag", dagSchema(), "pluginJarsUrls", array(text))...)
	}
	dag := object("jobId", integer,
		"pipelineEdges", mapOf(array(object("inputVertexId", integer, "targetVertexId", integer))),
		"vertexInfoMap", mapOf(object("vertexId", integer, "type", enum("SOURCE", "TRANSFORM", "SINK"),
			"connectorType", text)))
	return object(append(members, "jobDag", dag)...)
}

func dagSchema() schema {
	return object("jobId", digits,
		"pipelineEdges", mapOf(array(object("inputVertexId", digits, "targetVertexId", digits))),
		"envOptions", mapOf(text),
		"vertexInfoMap", array(object("vertexId", integer, "type", enum("source", "transform", "sink"),
			"vertexName", text, "tablePaths", array(text))))
}

func metricsSchema(s surface) schema {
	var members []any
	for _, x := range [...][2]string{{"SourceReceived", "sourceReceivedCount"}, {"SinkWrite", "sinkWriteCount"}} {
		if s == v1 {
			members = append(members, x[1], digits)
		}
		members = append(members, x[0]+"Count", digits, x[0]+"Bytes", digits, x[0]+"QPS", rate,
			x[0]+"BytesPerSeconds", rate, "Table"+x[0]+"Count", mapOf(digits), "Table"+x[0]+"Bytes", mapOf(digits),
			"Table"+x[0]+"QPS", mapOf(rate), "Table"+x[0]+"BytesPerSeconds", mapOf(rate))
	}
	return object(members...)
}

func overviewSchema() schema {
	return object("projectVersion", text, "gitCommitAbbrev", text, "totalSlot", digits, "unassignedSlot", digits,
		"runningJobs", digits, "finishedJobs", digits, "failedJobs", digits, "cancelledJobs", digits, "workers", digits)
}

func submittedSchema(s surface) schema {
	if s == v2 {
		return submittedText()
	}
	return object("jobId", integer, "jobName", text)
}

func submittedText() schema { return object("jobId", digits, "jobName", text) }

func idNumber() schema { return object("jobId", integer) }

func stoppedSchema(s surface) schema {
	if s == v2 {
		return object("jobId", digits)
	}
	return idNumber()
}

func stopSchema() schema {
	return schema{"type": "object", "required": []string{"jobId"}, "properties": schema{
		"jobId":               oneOf(integer, digits),
		"isStopWithSavePoint": oneOf(boolean, enum("true", "false"))}}
}

func tagsSchema(s surface) schema {
	if s == v2 {
		return object("status", text)
	}
	return object("status", text, "message", text)
}

func jobFile() schema {
	block := schema{"type": "object", "required": []string{"plugin_name"}, "properties": schema{"plugin_name": text}}
	return schema{"type": "object", "required": []string{"source", "sink"}, "properties": schema{
		"env":       schema{"type": "object"},
		"source":    schema{"type": "array", "minItems": 1, "items": block},
		"transform": array(block),
		"sink":      schema{"type": "array", "minItems": 1, "items": block}}}
}

func monitoringSchema(s surface) schema {
	required := []string{"processors", "physical.memory.total", "heap.memory.used", "load.process", "thread.count"}
	if s == v2 {
		required = append([]string{"isMaster", "host", "port"}, required...)
	}
	return array(schema{"type": "object", "required": required, "additionalProperties": text})
}

func clusterSchema() schema {
	return object("members", array(object("address", text, "liteMember", boolean, "localMember", boolean, "uuid", text,
		"memberVersion", text)), "connectionCount", integer, "allConnectionCount", integer)
}

func healthSchema() schema {
	return object("nodeState", text, "clusterState", text, "clusterSafe", boolean, "migrationQueueSize", integer,
		"clusterSize", integer)
}
