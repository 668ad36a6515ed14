package blackhole_test

import (
	"testing"

	"github.com/culvertdata/culvert/plugin/blackhole"
	"github.com/culvertdata/culvert/plugin/plugintest"
)

func TestConformance(t *testing.T) {
	var counter blackhole.Counter
	plugintest.Sink(t, plugintest.SinkCase{Plugin: blackhole.Into(&counter)()[0]})
	if counter.Total() == 0 {
		t.Error("nothing was counted")
	}
}
