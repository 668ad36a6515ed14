// Command server mounts the REST API on a port of its own:
//
//	go run ./examples/server -listen 127.0.0.1:5801 -data culvert-data
//	curl -X POST --data-binary @job.conf 'http://127.0.0.1:5801/hazelcast/rest/maps/submit-job?format=hocon'
//
// SIGINT and SIGTERM stop it: no more jobs are taken, running ones are checkpointed and go on at the next start.
package main

import (
	"context"
	"errors"
	"flag"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/culvertdata/culvert/engine"
	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/all"
	"github.com/culvertdata/culvert/rest"
)

const (
	readTimeout  = 30 * time.Second
	idleTimeout  = 2 * time.Minute
	drainTimeout = 5 * time.Second
	closeTimeout = 30 * time.Second
)

func main() {
	listen := flag.String("listen", "127.0.0.1:5801", "address to listen on")
	data := flag.String("data", "culvert-data", "directory of the store; empty keeps everything in memory")
	flag.Parse()
	logger := hclog.New(&hclog.LoggerOptions{Level: hclog.Info, Output: os.Stderr})
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := serve(ctx, *listen, *data, logger); err != nil {
		logger.Error("server stopped", "error", err)
		os.Exit(1)
	}
}

func serve(ctx context.Context, address, data string, logger hclog.Logger) (err error) {
	eng, err := engine.Open(engine.Options{Dir: data, Plugins: plugin.NewRegistry(all.Plugins), Logger: logger})
	if err != nil {
		return err
	}
	defer func() {
		closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
		defer cancel()
		err = errors.Join(err, eng.Close(closing))
	}()
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: rest.Handler(eng, rest.Options{Logger: logger}), ReadTimeout: readTimeout,
		IdleTimeout: idleTimeout}
	logger.Info("listening", "address", listener.Addr().String(), "data", data)
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	draining, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTimeout)
	defer cancel()
	err = server.Shutdown(draining)
	<-failed
	return err
}
