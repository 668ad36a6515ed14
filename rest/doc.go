// Package rest answers SeaTunnel's REST API for an engine, as one http.Handler that a host mounts where it likes:
//
//	mux.Handle("/hazelcast/", rest.Handler(eng, rest.Options{}))
//
// It opens no port and starts no goroutine.
//
// # Paths
//
// One table of endpoints gives the routes and the OpenAPI document at /hazelcast/rest/openapi.json. Each endpoint
// is there twice: as V1, below /hazelcast/rest/maps, in the shapes of SeaTunnel 2.3.4's documentation, and as V2, such
// as /running-jobs, in those of later versions. A host that wants V2 mounts the handler at / or at its context path.
// Beside them are the paths of Hazelcast that operators and scripts rely on: cluster, health and metrics.
//
// Paths are compared part by part as they are escaped, slashes at the end don't count, and V1 takes PUT for POST.
//
// # Answers
//
// Errors are {"status":"fail","message":...} with a message that says what to do, and start nothing. Some of
// SeaTunnel's successes do nothing: submitting the id of a running job, stopping one that does not run, listing a state
// that no ended job has. They are answered as SeaTunnel does, and the header Warning says why nothing happened.
//
// Lists are streamed while the engine is asked, and written without reflection. A job whose record cannot be read is
// listed as UNKNOWABLE. A list that breaks off is cut, so that nobody takes it for whole.
//
// # Safety
//
// Bodies are bounded in size and depth, and repeated keys are refused. No config of a job is shown but that which
// encrypt-config got; values in env that look like secrets are masked, and the engine hides those of secret options in
// errors and logs. Logs are those that the engine keeps of each job: no file is opened.
package rest
