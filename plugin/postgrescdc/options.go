package postgrescdc

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/config"
	"github.com/culvertdata/culvert/plugin/internal/cdc"
)

// Options are the options of the Postgres-CDC source.
type Options struct {
	URL      string `opt:"base-url,url" required:"true" help:"Where the database is: jdbc:postgresql://host:port/database, with the driver's properties."`
	User     string `opt:"username" required:"true" help:"User name. The user needs the attribute REPLICATION, SELECT on the tables, and must own them unless the publication exists."`
	Password string `opt:"password" required:"true" secret:"true" help:"Password."`

	Databases       []string       `opt:"database-names" help:"The database to connect to, where base-url names none; the first one counts."`
	DatabasePattern string         `opt:"database-pattern" help:"Accepted; a replication slot belongs to one database."`
	Schemas         []string       `opt:"schema-names,schema-name" help:"Schemas that table-pattern looks into. Default: all."`
	TableNames      []string       `opt:"table-names" help:"Tables: database.schema.table or schema.table."`
	TablePattern    string         `opt:"table-pattern" help:"Regular expression for all tables whose database.schema.table, or schema.table, it matches wholly."`
	TableConfig     []TableOptions `opt:"table-names-config" help:"What is special about single tables."`

	Startup  string `opt:"startup.mode" default:"initial" enum:"initial,earliest,latest" help:"initial: all rows, then all changes; latest: changes from now on; earliest: changes from where the slot stands. Without effect on a restored job."`
	Stop     string `opt:"stop.mode" default:"never" enum:"never" help:"The stream never ends by itself."`
	Slot     string `opt:"slot.name" default:"seatunnel" help:"Replication slot, made if it is missing. Each job needs one of its own. It stays when the job ends."`
	Decoding string `opt:"decoding.plugin.name" default:"pgoutput" help:"Accepted; pgoutput is used whatever it says."`

	cdc.ChunkOptions
	SplitSize   int64 `opt:"snapshot.split.size" default:"0" min:"0" help:"Rows of a chunk of the snapshot. 0 lets the table's size decide: 8096 rows at least and 131072 at most."`
	FetchSize   int   `opt:"snapshot.fetch.size" default:"1024" help:"Accepted; rows are streamed."`
	Parallelism int   `opt:"incremental.parallelism" default:"1" min:"1" help:"Accepted; a replication slot has one reader."`

	Timeout    time.Duration `opt:"connect.timeout.ms,connect.timeout" unit:"ms" default:"30000" min:"1" help:"How long to wait for a connection, and for a slot that another connection holds."`
	MaxRetries int           `opt:"connect.max-retries" default:"3" min:"0" help:"How often in a row a lost connection is made again before the job's own retries count."`
	PoolSize   int           `opt:"connection.pool.size" default:"20" help:"Accepted; each lane has one connection."`
	ServerZone string        `opt:"server-time-zone" help:"Accepted; times with a zone are read in UTC."`

	ExactlyOnce bool         `opt:"exactly_once" default:"false" help:"Refuses tables without a key, as SeaTunnel does. Each change is delivered once in any case."`
	Format      string       `opt:"format" default:"DEFAULT" enum:"DEFAULT,COMPATIBLE_DEBEZIUM_JSON" help:"COMPATIBLE_DEBEZIUM_JSON: rows are topic, key and value texts, as Debezium writes them."`
	Debezium    config.Value `opt:"debezium" help:"Of Debezium's properties: include.schema.changes sends changes of columns to the sinks; truncate.handling.mode says what becomes of TRUNCATE: skip, include empties the target, fail; publication.name names the publication, by default that of the slot; database.server.name or topic.prefix is the first part of topics, and decimal.handling.mode, key.converter.schemas.enable and value.converter.schemas.enable say how messages are written."`
	Specials    string       `opt:"special_values" default:"ERROR" enum:"ERROR,NULL" help:"What happens to values that have no counterpart, such as the date infinity or the number NaN."`
}

// TableOptions is one element of table-names-config.
type TableOptions struct {
	Table string   `opt:"table" required:"true" help:"The table, as in table-names."`
	Keys  []string `opt:"primaryKeys" help:"Columns that identify a row, in place of the table's primary key."`
	Split string   `opt:"snapshotSplitColumn" help:"Column to cut the snapshot by. Default: the first column of the key."`
}

// Rules are the demands on several options.
func (Options) Rules() []config.Rule {
	return []config.Rule{config.ExactlyOne("table-names", "table-pattern")}
}

// slotName is what the server allows.
var slotName = regexp.MustCompile(`^[a-z0-9_]{1,63}$`)

// CheckOptions reports what the tags cannot say.
func (o Options) CheckOptions() config.Problems {
	var ps config.Problems
	if !slotName.MatchString(o.Slot) {
		ps.Errorf("slot.name", config.Pos{}, "%q is no name of a slot: up to 63 lower case letters, digits and underscores",
			o.Slot)
	}
	if _, err := o.pattern(); err != nil {
		ps.Errorf("table-pattern", config.Pos{}, "%v", err)
	}
	for _, name := range o.TableNames {
		if _, err := o.tableID("", name); err != nil {
			ps.Errorf("table-names", config.Pos{}, "%v", err)
		}
	}
	for _, t := range o.TableConfig {
		if _, err := o.tableID("", t.Table); err != nil {
			ps.Errorf("table-names-config", config.Pos{}, "%v", err)
		}
	}
	if v := o.property("include.schema.changes"); v != "" && v != "true" && v != "false" {
		ps.Errorf("debezium.include.schema.changes", config.Pos{}, "must be true or false, not %q", v)
	}
	if _, err := cdc.ParseTruncation(o.property(cdc.TruncationProperty)); err != nil {
		ps.Errorf("debezium."+cdc.TruncationProperty, config.Pos{}, "%v", err)
	}
	return ps
}

// pattern returns the expression that tables must match wholly.
func (o Options) pattern() (*regexp.Regexp, error) {
	return regexp.Compile("^(?:" + o.TablePattern + ")$")
}

// tableID reads the name of a table; the database's name may be left out.
func (o Options) tableID(database, name string) (plugin.TableID, error) {
	id, err := plugin.ParseTableID(name, true)
	if err != nil {
		return id, err
	}
	if id.Schema == "" {
		return id, fmt.Errorf("%q names no schema: write database.schema.table or schema.table", name)
	}
	if database != "" && id.Database != "" && id.Database != database {
		return id, fmt.Errorf("%q is not in the database %s, to which the job connects: a slot belongs to one database",
			name, database)
	}
	id.Database = database
	return id, nil
}

// schemaChanges reports whether changes of columns travel to the sinks.
func (o Options) schemaChanges() bool { return o.property("include.schema.changes") == "true" }

// truncation says what becomes of TRUNCATE TABLE.
func (o Options) truncation() cdc.Truncation {
	mode, _ := cdc.ParseTruncation(o.property(cdc.TruncationProperty)) // CheckOptions has seen it
	return mode
}

// nullSpecials reports whether values without a counterpart are read as null.
func (o Options) nullSpecials() bool { return strings.EqualFold(o.Specials, "NULL") }

// property returns a property of Debezium, empty if it is not set.
func (o Options) property(name string) string {
	v, _ := o.Debezium.Lookup(name)
	return v.Text
}

// publication returns the publication's name.
func (o Options) publication() string {
	return cmp.Or(o.property("publication.name"), o.Slot)
}

// of returns what is special about a table.
func (o Options) of(id plugin.TableID) TableOptions {
	i := slices.IndexFunc(o.TableConfig, func(t TableOptions) bool {
		named, err := o.tableID(id.Database, t.Table)
		return err == nil && named == id
	})
	if i < 0 {
		return TableOptions{}
	}
	return o.TableConfig[i]
}

// url returns base-url with a database.
func (o Options) url() string {
	if len(o.Databases) == 0 {
		return o.URL
	}
	head, query, _ := strings.Cut(o.URL, "?")
	rest, ok := strings.CutPrefix(head, "jdbc:postgresql://")
	if !ok || strings.Contains(strings.TrimSuffix(rest, "/"), "/") {
		return o.URL
	}
	url := strings.TrimSuffix(head, "/") + "/" + o.Databases[0]
	if query != "" {
		url += "?" + query
	}
	return url
}
