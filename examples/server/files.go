package main

import (
	"fmt"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/culvertdata/culvert/rest"
)

// defaultPortCount is Hazelcast's number of ports to try.
const defaultPortCount = 100

// readHazelcast takes the port and the endpoint groups of a hazelcast.yaml. Members are accepted: one engine needs
// none. As in Hazelcast, the groups DATA and CLUSTER_WRITE are off unless the file switches them on.
func readHazelcast(path string, s *settings, logger hclog.Logger) error {
	o, err := readYAML(path)
	if err != nil {
		return err
	}
	o.root("hazelcast")
	if !o.boolean("network.rest-api.enabled", false) {
		return fmt.Errorf("%s: network.rest-api.enabled is not true, so there is nothing to serve; set it to true", path)
	}
	for _, g := range rest.Groups() {
		on := g == rest.ClusterRead || g == rest.HealthCheck
		if !o.boolean("network.rest-api.endpoint-groups."+string(g)+".enabled", on) {
			s.handler.Disabled = append(s.handler.Disabled, g)
		}
	}
	a := &s.listen[0]
	a.port = o.integer("network.port.port", a.port, 0, 65535)
	tries := o.integer("network.port.port-count", defaultPortCount, 1, 65535)
	if o.boolean("network.port.auto-increment", true) {
		a.tries = tries
	}
	if name, ok := o.take("cluster-name"); ok {
		s.handler.Cluster = name
	}
	o.ignore("network.join.tcp-ip.", "network.join.multicast.", "properties.")
	return o.finish(logger)
}

// readSeaTunnel takes those engine options of a seatunnel.yaml that mean something here.
func readSeaTunnel(path string, s *settings, logger hclog.Logger) error {
	o, err := readYAML(path)
	if err != nil {
		return err
	}
	o.root("seatunnel")
	o.root("engine")
	o.duration("checkpoint.interval", time.Millisecond, &s.engine.CheckpointInterval)
	o.duration("checkpoint.timeout", time.Millisecond, &s.engine.CheckpointTimeout)
	const maxKept = 200
	s.engine.CheckpointsKept = o.integer("checkpoint.storage.max-retained", 0, 1, maxKept)
	o.duration("history-job-expire-minutes", time.Minute, &s.engine.HistoryAge)
	if o.boolean("http.enable-http", false) {
		v2 := address{host: s.listen[0].host, port: o.integer("http.port", 8080, 0, 65535), tries: 1}
		v2Range := o.integer("http.port-range", defaultPortCount, 1, 65535)
		if o.boolean("http.enable-dynamic-port", false) {
			v2.tries = v2Range
		}
		s.listen = append(s.listen, v2)
	}
	if prefix, ok := o.take("http.context-path"); ok {
		s.handler.ContextPath = prefix
	}
	return o.finish(logger)
}

// finish warns of what was not understood and returns what was wrong.
func (o *options) finish(logger hclog.Logger) error {
	for _, name := range o.left() {
		logger.Warn("option has no effect here", "file", o.file, "option", name)
	}
	return o.err
}
