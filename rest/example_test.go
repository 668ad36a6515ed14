package rest_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/culvertdata/culvert/engine"
	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/blackhole"
	"github.com/culvertdata/culvert/plugin/fake"
	"github.com/culvertdata/culvert/rest"
)

func ExampleHandler() {
	eng, err := engine.Open(engine.Options{Plugins: plugin.NewRegistry(fake.Plugins, blackhole.Plugins)})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer eng.Close(context.Background())
	mux := http.NewServeMux()
	mux.Handle("/hazelcast/", rest.Handler(eng, rest.Options{}))
	server := httptest.NewServer(mux)
	defer server.Close()

	const job = `{"env": {"job.mode": "batch"}, "sink": [{"plugin_name": "Blackhole"}],
		"source": [{"plugin_name": "FakeSource", "schema": {"fields": {"id": "bigint"}}}]}`
	resp, err := http.Post(server.URL+"/hazelcast/rest/maps/submit-job?jobId=733584788375666689&jobName=rest_api_test",
		"application/json", strings.NewReader(job))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	fmt.Println(string(body), err)
	// Output: {"jobId":733584788375666689,"jobName":"rest_api_test"} <nil>
}

// Only those with the password may call, and they may only read.
func ExampleOptions() {
	eng, err := engine.Open(engine.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer eng.Close(context.Background())
	handler := rest.Handler(eng, rest.Options{
		Auth:     rest.Basic(map[string]string{"ops": "correct horse"}),
		Disabled: []rest.Group{rest.ClusterWrite},
	})
	request := httptest.NewRequest("POST", "/hazelcast/rest/maps/submit-job", strings.NewReader("{}"))
	request.SetBasicAuth("ops", "correct horse")
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, request)
	fmt.Println(w.Code)
	// Output: 403
}
