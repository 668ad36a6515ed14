package mysqlcdc

import (
	"fmt"
	"net"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/config"
	"github.com/culvertdata/culvert/plugin/internal/cdc"
)

// Options are the options of MySQL-CDC. Either base-url or hostname says where the server is; table-names and
// table-pattern say what is captured.
type Options struct {
	URL        string            `opt:"base-url,url" help:"Where the server is: jdbc:mysql://host:port/database, or jdbc:mariadb:. Several hosts separated by commas are tried in order."`
	Host       string            `opt:"hostname" help:"Where the server is, instead of base-url."`
	Port       int               `opt:"port" default:"3306" min:"1" max:"65535" help:"The server's port; with hostname only."`
	User       string            `opt:"username,user" required:"true" help:"User name. The user needs SELECT on the tables, REPLICATION SLAVE and REPLICATION CLIENT."`
	Password   string            `opt:"password" required:"true" secret:"true" help:"Password."`
	Properties map[string]string `opt:"connect.properties,properties" help:"Driver properties; they win over those in the url."`

	DatabaseNames   []string      `opt:"database-names" help:"Databases to look for tables in. Default: those of table-names, else that of base-url, else all."`
	DatabasePattern string        `opt:"database-pattern" default:".*" help:"Regular expression for the names of databases, whole names."`
	TableNames      []string      `opt:"table-names" help:"Tables to capture: database.table."`
	TablePattern    string        `opt:"table-pattern" help:"Regular expression for the tables to capture, for whole names of the form database.table."`
	TablesConfig    []TableConfig `opt:"table-names-config" help:"Keys of single tables."`

	StartMode      string `opt:"startup.mode" default:"initial" enum:"initial,earliest,latest,specific,timestamp" help:"Where a job starts: initial reads what is in the tables first; the others only changes, from the oldest in the log, from now, from a place in the log, or from a time on."`
	StartFile      string `opt:"startup.specific-offset.file" help:"File of the log to start in, for startup.mode = specific."`
	StartPos       int64  `opt:"startup.specific-offset.pos" min:"0" help:"Offset to start at, for startup.mode = specific."`
	StartTimestamp int64  `opt:"startup.timestamp" min:"0" help:"Time to start from in milliseconds since 1970, for startup.mode = timestamp."`
	StopMode       string `opt:"stop.mode" default:"never" enum:"never,latest,specific,timestamp" help:"Where a job ends: never, at the end that the log has when the job starts, at a place in the log, or at a time."`
	StopFile       string `opt:"stop.specific-offset.file" help:"File of the log to stop in, for stop.mode = specific."`
	StopPos        int64  `opt:"stop.specific-offset.pos" min:"0" help:"Offset to stop at, for stop.mode = specific."`
	StopTimestamp  int64  `opt:"stop.timestamp" min:"0" help:"Time to stop at in milliseconds since 1970, for stop.mode = timestamp."`

	cdc.ChunkOptions
	SplitSize int64 `opt:"snapshot.split.size" default:"8096" min:"1" help:"Rows of a chunk of the snapshot."`
	FetchSize int   `opt:"snapshot.fetch.size" default:"1024" min:"0" help:"Accepted; rows come as the server sends them."`

	Parallelism int      `opt:"incremental.parallelism" default:"1" min:"1" max:"1024" help:"Readers of the log; the tables are dealt among them."`
	ServerID    serverID `opt:"server-id" help:"Number, or range such as 5400-5408, that this job has as a replica; each reader of the log needs its own, unique among all replicas. Default: a random one."`
	Zone        string   `opt:"server-time-zone" help:"Time zone in which TIMESTAMP values are shown, such as Asia/Shanghai or +02:00. Default: the server's."`

	ConnectTimeout time.Duration `opt:"connect.timeout.ms,connect.timeout" unit:"ms" default:"30000" min:"0" help:"How long to wait for a connection."`
	MaxRetries     int           `opt:"connect.max-retries" default:"3" min:"0" help:"How often to connect again before the reader fails."`
	PoolSize       int           `opt:"connection.pool.size" default:"20" min:"1" help:"Accepted; each lane has one connection."`

	ExactlyOnce bool         `opt:"exactly_once" default:"false" help:"Whether each chunk of the snapshot must fit the log exactly. On MariaDB it always does; on MySQL a chunk is tried again until no transaction was committed while its view was opened. Tables need a primary or unique key."`
	Format      string       `opt:"format" default:"DEFAULT" enum:"DEFAULT,COMPATIBLE_DEBEZIUM_JSON" help:"COMPATIBLE_DEBEZIUM_JSON: rows are topic, key and value texts, as Debezium writes them."`
	Debezium    config.Value `opt:"debezium" help:"Debezium's properties. include.schema.changes = true sends changes of the columns to the sink; truncate.handling.mode says what becomes of TRUNCATE: skip, include empties the target, fail; database.server.name or topic.prefix is the first part of topics. Others have no effect."`
}

// TableConfig is one element of table-names-config.
type TableConfig struct {
	Table string   `opt:"table" required:"true" help:"The table: database.table."`
	Keys  []string `opt:"primaryKeys,primary-keys" help:"Columns that identify a row, instead of the table's primary key."`
	Split string   `opt:"snapshotSplitColumn,snapshot.split.column" help:"Column to cut the table by. Default: the first one of the key."`
}

// Rules are the demands on several options.
func (Options) Rules() []config.Rule {
	return []config.Rule{
		config.ExactlyOne("base-url", "hostname"),
		config.RequiredWhen("startup.mode", "specific", "startup.specific-offset.file", "startup.specific-offset.pos"),
		config.RequiredWhen("startup.mode", "timestamp", "startup.timestamp"),
		config.RequiredWhen("stop.mode", "specific", "stop.specific-offset.file", "stop.specific-offset.pos"),
		config.RequiredWhen("stop.mode", "timestamp", "stop.timestamp"),
	}
}

// CheckOptions reports what the tags cannot say.
func (o Options) CheckOptions() config.Problems {
	var ps config.Problems
	if len(o.TableNames) == 0 && o.TablePattern == "" {
		ps.Errorf("", config.Pos{}, "table-names or table-pattern is required: it says what is captured")
	}
	for _, name := range o.TableNames {
		if id, err := plugin.ParseTableID(name, false); err != nil || id.Schema != "" {
			ps.Errorf("table-names", config.Pos{}, "%q is not of the form database.table", name)
		}
	}
	for _, p := range [][2]string{{"table-pattern", o.TablePattern}, {"database-pattern", o.DatabasePattern}} {
		if _, err := whole(p[1]); err != nil {
			ps.Errorf(p[0], config.Pos{}, "%v", err)
		}
	}
	o.checkTablesConfig(&ps)
	if n := o.ServerID.size(); n > 0 && n < o.Parallelism {
		ps.Errorf("server-id", config.Pos{}, "is too small a range: incremental.parallelism is %d", o.Parallelism)
	}
	if _, err := loadZone(o.Zone); err != nil {
		ps.Errorf("server-time-zone", config.Pos{}, "%v", err)
	}
	if _, err := cdc.ParseTruncation(o.debezium(cdc.TruncationProperty)); err != nil {
		ps.Errorf("debezium."+cdc.TruncationProperty, config.Pos{}, "%v", err)
	}
	return ps
}

// truncation says what becomes of TRUNCATE TABLE.
func (o Options) truncation() cdc.Truncation {
	mode, _ := cdc.ParseTruncation(o.debezium(cdc.TruncationProperty)) // CheckOptions has seen it
	return mode
}

func (o Options) checkTablesConfig(ps *config.Problems) {
	for i, t := range o.TablesConfig {
		path := fmt.Sprintf("table-names-config[%d].table", i)
		switch {
		case slices.ContainsFunc(o.TablesConfig[:i], func(c TableConfig) bool { return c.Table == t.Table }):
			ps.Errorf(path, config.Pos{}, "%s is named twice", t.Table)
		case len(o.TableNames) > 0 && o.TablePattern == "" && !slices.Contains(o.TableNames, t.Table):
			text := fmt.Sprintf("%s is none of table-names", t.Table)
			if near, ok := config.Nearest(t.Table, o.TableNames); ok {
				text += fmt.Sprintf("; did you mean %s?", near)
			}
			ps.Errorf(path, config.Pos{}, "%s", text)
		}
	}
}

// url returns base-url, or the one that hostname and port stand for.
func (o Options) url() string {
	if o.URL != "" {
		return strings.TrimSpace(o.URL)
	}
	return "jdbc:mysql://" + net.JoinHostPort(strings.Trim(o.Host, "[]"), strconv.Itoa(o.Port)) + "/"
}

// schemaChanges reports whether changes of the columns go to the sink.
func (o Options) schemaChanges() bool {
	return strings.EqualFold(o.debezium("include.schema.changes"), "true")
}

// debezium returns one of Debezium's properties, "" if it is not set.
func (o Options) debezium(name string) string {
	if v, ok := o.Debezium.Lookup(name); ok && v.Scalar() {
		return strings.TrimSpace(v.String())
	}
	return ""
}

// tableConfig returns what the job says about a table.
func (o Options) tableConfig(id plugin.TableID) TableConfig {
	for _, c := range o.TablesConfig {
		if c.Table == id.String() {
			return c
		}
	}
	return TableConfig{}
}

// whole compiles a pattern for whole names.
func whole(pattern string) (*regexp.Regexp, error) {
	re, err := regexp.Compile("^(?:" + pattern + ")$")
	if err != nil {
		return nil, fmt.Errorf("is no regular expression: %w", err)
	}
	return re, nil
}

// serverID is a number or a range of them; the zero value is neither.
type serverID struct{ first, last uint32 }

// DecodeConfig implements config.Decoder.
func (s *serverID) DecodeConfig(v config.Value) error {
	text := strings.TrimSpace(v.String())
	low, high, ranged := strings.Cut(text, "-")
	if !ranged {
		high = low
	}
	first, err := strconv.ParseUint(strings.TrimSpace(low), 10, 32)
	last, err2 := strconv.ParseUint(strings.TrimSpace(high), 10, 32)
	if err != nil || err2 != nil || first == 0 || last < first {
		return fmt.Errorf("%q is neither a number above 0 nor a range such as 5400-5408", text)
	}
	*s = serverID{uint32(first), uint32(last)}
	return nil
}

// size returns how many numbers there are; 0: none was given.
func (s serverID) size() int {
	if s.first == 0 {
		return 0
	}
	return int(s.last-s.first) + 1
}

// loadZone finds a time zone by its name or its offset; nil for no name.
func loadZone(name string) (*time.Location, error) {
	name = strings.TrimSpace(name)
	offset := strings.TrimPrefix(strings.TrimPrefix(name, "GMT"), "UTC")
	switch {
	case name == "":
		return nil, nil
	case strings.EqualFold(name, "utc"), strings.EqualFold(name, "gmt"), strings.EqualFold(name, "z"):
		return time.UTC, nil
	case offset != "" && (offset[0] == '+' || offset[0] == '-'):
		var hours, minutes int
		if _, err := fmt.Sscanf(offset[1:]+":00", "%d:%d", &hours, &minutes); err != nil || hours > 14 || minutes > 59 {
			return nil, fmt.Errorf("%q is no offset such as +02:00", name)
		}
		seconds := hours*3600 + minutes*60
		if seconds == 0 {
			return time.UTC, nil
		}
		if offset[0] == '-' {
			seconds = -seconds
		}
		return time.FixedZone(fmt.Sprintf("%c%02d:%02d", offset[0], hours, minutes), seconds), nil
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return nil, fmt.Errorf("the time zone %q is not known; use a name such as Europe/Berlin or an offset such as +02:00",
			name)
	}
	return zone, nil
}
