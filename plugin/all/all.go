// Package all lists every connector and transform of this module, for hosts that want them all. A host that cares for
// its size lists the packages that it uses instead.
package all

import (
	"slices"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/assert"
	"github.com/culvertdata/culvert/plugin/blackhole"
	"github.com/culvertdata/culvert/plugin/clickhouse"
	"github.com/culvertdata/culvert/plugin/console"
	"github.com/culvertdata/culvert/plugin/fake"
	"github.com/culvertdata/culvert/plugin/file"
	"github.com/culvertdata/culvert/plugin/file/parquet"
	"github.com/culvertdata/culvert/plugin/jdbc"
	"github.com/culvertdata/culvert/plugin/jdbc/mysql"
	"github.com/culvertdata/culvert/plugin/jdbc/postgres"
	"github.com/culvertdata/culvert/plugin/jdbc/sqlite"
	"github.com/culvertdata/culvert/plugin/mysqlcdc"
	"github.com/culvertdata/culvert/plugin/postgrescdc"
	"github.com/culvertdata/culvert/plugin/transform"
)

// Plugins returns every plugin of this module.
func Plugins() []plugin.Plugin {
	databases := jdbc.Plugins(sqlite.Dialect(), postgres.Dialect(), mysql.Dialect(), mysql.MariaDB())
	return slices.Concat(fake.Plugins(), console.Plugins(), assert.Plugins(), blackhole.Plugins(),
		file.With(parquet.Format())(), databases(), clickhouse.Plugins(), mysqlcdc.Plugins(), postgrescdc.Plugins(),
		transform.Plugins())
}
