// Package rest answers SeaTunnel's REST API for an engine, as one http.Handler that a host mounts where it likes:
//
//	mux.Handle("/hazelcast/", rest.Handler(eng, rest.Options{}))
//
// It opens no port and starts no goroutine. The paths are those of SeaTunnel 2.3.4 below /hazelcast/rest/maps. Errors
// are {"status":"fail","message":...} with a message that says what to do.
package rest
