// Command server mounts the REST API on a port of its own:
//
//	go run ./examples/server -listen 127.0.0.1:5801 -data culvert-data
//	curl -X POST --data-binary @job.conf 'http://127.0.0.1:5801/hazelcast/rest/maps/submit-job?format=hocon'
//
// With -hazelcast FILE it listens where a hazelcast.yaml of SeaTunnel says, and serves the endpoint groups that are
// enabled there. With -seatunnel FILE it takes the engine's options of a seatunnel.yaml. Options that mean nothing here
// are named in one warning each.
//
// SIGINT and SIGTERM stop it: no more jobs are taken, running ones are checkpointed and go on at the next start.
package main

import (
	"context"
	"errors"
	"flag"
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
	headerTimeout = 10 * time.Second
	readTimeout   = time.Minute
	writeTimeout  = 5 * time.Minute
	idleTimeout   = 2 * time.Minute
	drainTimeout  = 5 * time.Second
	closeTimeout  = 30 * time.Second
	maxHeader     = 64 << 10
)

func main() {
	logger := hclog.New(&hclog.LoggerOptions{Level: hclog.Info, Output: os.Stderr})
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], logger); err != nil {
		if !errors.Is(err, flag.ErrHelp) {
			logger.Error("server stopped", "error", err)
		}
		os.Exit(1)
	}
}

// settings are what the command line and the files say.
type settings struct {
	// listen are the addresses; the first is that of V1.
	listen  []address
	engine  engine.Options
	handler rest.Options
	quiet   bool
}

func run(ctx context.Context, args []string, logger hclog.Logger) error {
	s, err := readSettings(args, logger)
	if err != nil {
		return err
	}
	return serve(ctx, s, logger)
}

func readSettings(args []string, logger hclog.Logger) (*settings, error) {
	flags := flag.NewFlagSet("server", flag.ContinueOnError)
	listen := flags.String("listen", "", "address to listen on; 127.0.0.1:5801, or the port in the hazelcast file")
	data := flags.String("data", "culvert-data", "directory of the store; empty keeps everything in memory")
	hazelcast := flags.String("hazelcast", "", "hazelcast.yaml to read: port, rest-api, endpoint groups")
	seatunnel := flags.String("seatunnel", "", "seatunnel.yaml to read: checkpoints, history, http")
	quiet := flags.Bool("quiet", false, "log no requests")
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	s := &settings{quiet: *quiet, listen: []address{{host: "127.0.0.1", port: defaultPort, tries: 1}}}
	s.engine = engine.Options{Dir: *data, Plugins: plugin.NewRegistry(all.Plugins), Logger: logger}
	s.handler = rest.Options{Logger: logger}
	for _, file := range []struct {
		path string
		read func(path string, s *settings, logger hclog.Logger) error
	}{{*hazelcast, readHazelcast}, {*seatunnel, readSeaTunnel}} {
		if file.path == "" {
			continue
		}
		if err := file.read(file.path, s, logger); err != nil {
			return nil, err
		}
	}
	if *listen != "" {
		a, err := parseAddress(*listen)
		if err != nil {
			return nil, err
		}
		s.listen[0] = a
		for i := range s.listen {
			s.listen[i].host = a.host
		}
	}
	return s, nil
}

// serve runs until ctx ends. Then it closes the ports, so that no job is taken any more, lets requests come to their
// end, and closes the engine, which checkpoints the running jobs.
func serve(ctx context.Context, s *settings, logger hclog.Logger) (err error) {
	eng, err := engine.Open(s.engine)
	if err != nil {
		return err
	}
	defer func() {
		closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
		defer cancel()
		err = errors.Join(err, eng.Close(closing))
	}()
	listeners, err := listenAll(s.listen)
	if err != nil {
		return err
	}
	handler := rest.Handler(eng, s.handler)
	if !s.quiet {
		handler = logRequests(handler, logger)
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: headerTimeout, ReadTimeout: readTimeout,
		WriteTimeout: writeTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeader,
		ErrorLog: logger.StandardLogger(&hclog.StandardLoggerOptions{ForceLevel: hclog.Warn})}
	ended := make(chan error, len(listeners))
	for _, l := range listeners {
		logger.Info("listening", "address", l.Addr().String(), "data", s.engine.Dir)
		go func() { ended <- server.Serve(l) }()
	}
	running := len(listeners)
	select {
	case err = <-ended:
		running--
	case <-ctx.Done():
		logger.Info("stopping; running jobs go on at the next start")
	}
	draining, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTimeout)
	defer cancel()
	if shut := server.Shutdown(draining); shut != nil {
		err = errors.Join(err, server.Close())
	}
	for range running {
		<-ended
	}
	return err
}
