package console

import (
	"testing"

	"github.com/culvertdata/culvert/plugin/plugintest"
)

func TestConformance(t *testing.T) {
	t.Run("log", func(t *testing.T) { plugintest.Sink(t, plugintest.SinkCase{Plugin: Plugins()[0]}) })
	t.Run("writer", func(t *testing.T) { plugintest.Sink(t, plugintest.SinkCase{Plugin: To(discard{})()[0]}) })
}
