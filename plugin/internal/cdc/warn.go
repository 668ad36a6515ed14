package cdc

import (
	"github.com/hashicorp/go-hclog"

	"github.com/culvertdata/culvert/plugin"
)

func WarnIgnored(log hclog.Logger, table plugin.TableID) {
	log.Warn("the columns of a table have changed; the target keeps its own: new ones are left out, those that are gone "+
		"are null", "table", table.String(), "to follow", "debezium { include.schema.changes = true }")
}

func WarnMadeUp(log hclog.Logger, table plugin.TableID) {
	log.Warn("the target gets the columns that changed while the job did not follow that; rows of that time have no "+
		"values in them", "table", table.String(), "to copy the table anew",
		"start the job from a savepoint without it, and once more with it")
}
