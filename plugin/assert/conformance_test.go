package assert

import (
	"testing"

	"github.com/culvertdata/culvert/plugin/config"
	"github.com/culvertdata/culvert/plugin/plugintest"
)

func TestConformance(t *testing.T) {
	plugintest.Sink(t, plugintest.SinkCase{
		Plugin: Plugins()[0],
		Options: parse(t, `rules {
			row_rules = [ { rule_type = MIN_ROW, rule_value = 1 } ]
			field_rules = [ { field_name = id, field_type = bigint, field_value = [ { rule_type = MIN, rule_value = 0 } ] } ]
		}`),
		Broken: []config.Value{
			parse(t, "rules { }"),
			parse(t, `rules { field_rules = [
				{ field_name = id, field_type = bigint, field_value = [ { rule_type = MAX, rule_value = -1 } ] }
			] }`),
		},
	})
}
