package jdbc

import (
	"strings"
	"time"

	"github.com/culvertdata/culvert/plugin/config"
)

// Access is the options that source and sink have in common.
type Access struct {
	URL        string            `opt:"url" required:"true" help:"Where the database is, for example jdbc:sqlite:data.db; it decides which kind of database this is."`
	Driver     string            `opt:"driver" help:"Name of SeaTunnel's driver class; accepted and not needed: the url says it."`
	User       string            `opt:"user,username" help:"User name."`
	Password   string            `opt:"password" secret:"true" help:"Password."`
	Properties map[string]string `opt:"properties" help:"Driver properties; they win over those in the url."`
	Timeout    time.Duration     `opt:"connection_check_timeout_sec" unit:"s" default:"30" min:"0" help:"How long to wait for a connection or for a lock."`
	AutoCommit bool              `opt:"auto_commit" default:"true" help:"Accepted; transactions are the connector's own affair."`
	Compatible string            `opt:"compatible_mode" help:"Dialect of a database that understands another's, where its url does not tell."`

	Kerberos     bool   `opt:"use_kerberos" default:"false" help:"Not supported."`
	Principal    string `opt:"kerberos_principal" help:"Not supported."`
	Keytab       string `opt:"kerberos_keytab_path" help:"Not supported."`
	KerberosConf string `opt:"krb5_path" help:"Not supported."`
}

// SourceOptions are the options of the Jdbc source. One of query, table_path and table_list says what is read.
//
// With a top-level query and a partition_column, the range of the column is cut into partition_num equal parts. In all
// other cases chunks of about split.size rows are made (SeaTunnel's default is 8096; here a large table is cut into
// larger chunks unless the job says otherwise, since each costs a query): by equal steps where an integer key is filled
// evenly enough, else by looking each boundary up.
type SourceOptions struct {
	Access

	Query     string        `opt:"query" help:"SELECT statement to read. With table_path too, the query gives the columns and the table its keys."`
	TablePath string        `opt:"table_path" help:"Table to read: table, or with its database or schema in front."`
	TableList []TableOption `opt:"table_list" help:"Several tables or queries."`
	Where     string        `opt:"where_condition" help:"Condition for the rows of every table, beginning with WHERE."`

	PartitionColumn string `opt:"partition_column" help:"Column to cut into splits by. Default: the row id, the first column of the primary key or of a unique key."`
	PartitionNum    int    `opt:"partition_num" default:"10" min:"1" help:"Number of splits of a query with partition_column."`
	Lower           string `opt:"partition_lower_bound" help:"Smallest value of partition_column that is read; only with query and partition_column."`
	Upper           string `opt:"partition_upper_bound" help:"Largest value of partition_column that is read; only with query and partition_column."`

	SplitSize       int64   `opt:"split.size" default:"0" min:"0" help:"Rows of a split. 0 lets the table's size decide: several splits for each lane, of 8096 rows at least and 131072 at most."`
	EvenUpper       float64 `opt:"split.even-distribution.factor.upper-bound" default:"100" min:"0" help:"Up to this many key values for each row, integer keys are cut by equal steps."`
	EvenLower       float64 `opt:"split.even-distribution.factor.lower-bound" default:"0.05" min:"0" help:"From this many key values for each row on, integer keys are cut by equal steps."`
	SampleThreshold int     `opt:"split.sample-sharding.threshold" default:"1000" help:"Number of splits above which boundaries are found from a sample, where the database knows no faster way."`
	SampleRate      int     `opt:"split.inverse-sampling.rate" default:"1000" help:"One of so many keys is sampled."`

	FetchSize  int  `opt:"fetch_size" default:"0" min:"0" help:"Rows that the server sends at once; 0 leaves it to the connector."`
	MaxRetries int  `opt:"max_retries" default:"0" help:"Accepted; the job's own retries do it."`
	Narrowing  bool `opt:"decimal_type_narrowing" default:"true" help:"Whether decimals without a fraction become integers where they fit (Oracle)."`
	Count      bool `opt:"use_select_count" default:"false" help:"Count rows exactly where the database would give an estimate."`
	NoAnalyze  bool `opt:"skip_analyze" default:"false" help:"Do not refresh the estimate of the number of rows."`

	Snapshot bool   `opt:"snapshot.consistent" default:"false" help:"Whether all lanes read the same snapshot (PostgreSQL). A job that starts again after a crash takes a new one for what is left."`
	Specials string `opt:"special_values" default:"ERROR" enum:"ERROR,NULL" help:"What happens to values that have no counterpart, such as the date infinity or the number NaN."`
}

// TableOption is one element of table_list.
type TableOption struct {
	TablePath       string `opt:"table_path" help:"Table to read."`
	Query           string `opt:"query" help:"SELECT statement to read."`
	PartitionColumn string `opt:"partition_column" help:"Column to cut into splits by."`
	PartitionNum    int    `opt:"partition_num" help:"Accepted; split.size decides."`
	Lower           string `opt:"partition_lower_bound" help:"Accepted; without effect in a list."`
	Upper           string `opt:"partition_upper_bound" help:"Accepted; without effect in a list."`
	Count           bool   `opt:"use_select_count" default:"false" help:"Count rows exactly."`
	NoAnalyze       bool   `opt:"skip_analyze" default:"false" help:"Do not refresh the estimate of the number of rows."`
}

// CheckOptions reports what the tags cannot say.
func (o SourceOptions) CheckOptions() config.Problems {
	var ps config.Problems
	single := o.Query != "" || o.TablePath != ""
	switch {
	case single && len(o.TableList) > 0:
		ps.Errorf("table_list", config.Pos{}, "cannot be set together with query or table_path")
	case !single && len(o.TableList) == 0:
		ps.Errorf("", config.Pos{}, "one of query, table_path and table_list is required: it says what is read")
	}
	for _, t := range o.TableList {
		if t.Query == "" && t.TablePath == "" {
			ps.Errorf("table_list", config.Pos{}, "each element needs a table_path, a query, or both")
		}
	}
	if o.Where != "" && !beginsWithWhere(o.Where) {
		ps.Errorf("where_condition", config.Pos{}, "must begin with WHERE, not %q", o.Where)
	}
	return append(ps, o.check()...)
}

func beginsWithWhere(s string) bool {
	word, _, _ := strings.Cut(strings.TrimSpace(s), " ")
	return strings.EqualFold(word, "where")
}

func (a Access) check() config.Problems {
	var ps config.Problems
	if a.Kerberos {
		ps.Errorf("use_kerberos", config.Pos{}, "is not supported; use user and password")
	}
	return ps
}

// SinkOptions are the options of the Jdbc sink.
type SinkOptions struct {
	Access

	Query    string `opt:"query" help:"Statement to run for each row, with ? for the columns in order or :name for columns by name. Without it statements are generated."`
	Generate bool   `opt:"generate_sink_sql" default:"false" help:"Generate statements; so it is without a query, too."`
	Database string `opt:"database" help:"Target database; placeholders allowed. Default: that of the incoming table."`
	Table    string `opt:"table" help:"Target table, with its schema in front if need be; placeholders allowed. Default: name of the incoming table."`
	Prefix   string `opt:"tablePrefix,table_prefix" help:"Put in front of the target table's name."`
	Suffix   string `opt:"tableSuffix,table_suffix" help:"Put behind the target table's name."`
	Schema   string `opt:"schema" help:"Target schema, where the database has schemas."`

	PrimaryKeys []string `opt:"primary_keys" help:"Columns that identify a row. Default: the incoming table's primary key, else its first unique key."`
	Upserts     bool     `opt:"enable_upsert" default:"true" help:"Whether +I and +U replace a row with the same key. Otherwise +I inserts and +U updates."`
	KeyUpdated  bool     `opt:"is_primary_key_updated" default:"true" help:"Whether updates set the key columns too."`
	InsertOnly  bool     `opt:"support_upsert_by_insert_only" default:"false" help:"Whether +I and +U are plain inserts: for targets that replace rows by themselves."`
	QueryExist  bool     `opt:"support_upsert_by_query_primary_key_exist" default:"false" help:"Accepted; the database's own upsert does it."`
	Copy        bool     `opt:"use_copy_statement" default:"false" help:"Accepted; the fastest way of loading is used anyhow."`

	BatchSize  int           `opt:"batch_size" default:"1000" min:"1" help:"Rows of a write; batches come as large as they arrive, which is more efficient."`
	Interval   time.Duration `opt:"batch_interval_ms" unit:"ms" default:"0" help:"Accepted; nothing waits in the sink."`
	MaxRetries int           `opt:"max_retries" default:"0" min:"0" help:"Accepted; locks are waited for, and a job that fails is restarted by its own retries."`

	ExactlyOnce bool   `opt:"is_exactly_once" default:"false" help:"Whether rows become visible with the checkpoint that they belong to, each exactly once."`
	XAClass     string `opt:"xa_data_source_class_name" help:"Accepted; not needed."`
	MaxCommits  int    `opt:"max_commit_attempts" default:"3" help:"Accepted; commits are repeated until they succeed."`
	XATimeout   int    `opt:"transaction_timeout_sec" default:"-1" help:"Accepted; not needed."`

	Case        string `opt:"field_ide" default:"ORIGINAL" enum:"ORIGINAL,UPPERCASE,LOWERCASE" help:"Spelling of table and column names in the target."`
	CreateIndex bool   `opt:"create_index" default:"true" help:"Whether a table that is made gets the incoming table's keys."`
	SchemaMode  string `opt:"schema_save_mode" default:"CREATE_SCHEMA_WHEN_NOT_EXIST" enum:"RECREATE_SCHEMA,CREATE_SCHEMA_WHEN_NOT_EXIST,ERROR_WHEN_SCHEMA_NOT_EXIST,IGNORE" help:"What happens to the target table before the job starts."`
	DataMode    string `opt:"data_save_mode" default:"APPEND_DATA" enum:"DROP_DATA,APPEND_DATA,CUSTOM_PROCESSING,ERROR_WHEN_DATA_EXISTS" help:"What happens to the target's rows before the job starts."`
	CustomSQL   string `opt:"custom_sql" help:"Statements for data_save_mode = CUSTOM_PROCESSING; placeholders allowed."`
}

// Rules are the demands on several options.
func (SinkOptions) Rules() []config.Rule {
	return []config.Rule{config.RequiredWhen("data_save_mode", "CUSTOM_PROCESSING", "custom_sql")}
}

// CheckOptions reports what the tags cannot say.
func (o SinkOptions) CheckOptions() config.Problems { return o.check() }
