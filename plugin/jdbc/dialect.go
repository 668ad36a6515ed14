package jdbc

import (
	"context"
	"time"

	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/hashicorp/go-hclog"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/column"
)

// Dialect is one kind of database.
type Dialect interface {
	// Name is what people call it, for example SQLite.
	Name() string
	// Prefix is what its urls begin with, for example jdbc:sqlite:.
	Prefix() string
	// Open checks the options of a connection and returns the database behind it. It connects to nothing.
	Open(c Connection) (Database, error)
}

// Connection is what a job says about how to reach a database.
type Connection struct {
	// URL is the whole url, with its prefix.
	URL            string
	User, Password string
	// Properties are driver properties; they win over those in the url.
	Properties map[string]string
	// Snapshot asks that everything a source reads is of one moment, where the database can.
	Snapshot bool
	// NullSpecials asks that values without a counterpart, such as the date infinity, are read as null.
	NullSpecials bool
	// Timeout bounds connecting and waiting for locks.
	Timeout time.Duration
	Logger  hclog.Logger
}

// Database makes sessions. Its methods may be called from several goroutines; each session belongs to one.
type Database interface {
	// Ping connects and returns.
	Ping(ctx context.Context) error
	// Catalog starts a session that looks at tables. It does not write.
	Catalog(ctx context.Context) (Catalog, error)
	// Scanner starts the session of one lane of a source.
	Scanner(ctx context.Context, alloc memory.Allocator) (Scanner, error)
	// Admin starts a session that makes and empties tables.
	Admin(ctx context.Context) (Admin, error)
	// Loader starts the session of one lane of a sink.
	Loader(ctx context.Context, o Owner, lane int) (Loader, error)
	// Commit and Abort are those of [plugin.Committer], for an owner's exactly-once writes.
	Commit(ctx context.Context, o Owner, epoch uint64, tokens [][]byte) error
	Abort(ctx context.Context, o Owner, after uint64) error
}

// Owner names the sink that writes.
type Owner struct {
	Job    int64
	Vertex string
	// ExactlyOnce asks for writes that become visible with the checkpoint.
	ExactlyOnce bool
}

// Catalog describes what a source reads. It belongs to one goroutine.
type Catalog interface {
	// Describe returns the columns and keys of a table or query, and how to cut it.
	Describe(ctx context.Context, r Request) (*Relation, error)
	// Extent counts rows and finds the ends of the relation's key.
	Extent(ctx context.Context, r *Relation) (Extent, error)
	// Advance returns the key n rows after the first key that is not below from, in key order; nil if there are not so
	// many. The answer is larger than from.
	Advance(ctx context.Context, r *Relation, from Key, n int64) (*Key, error)
	Close() error
}

// Request is one table of a source, as the job names it.
type Request struct {
	// Query is SQL text, or empty.
	Query string
	// Path is a table's path, or empty. With a query too, the query gives the columns, the path the keys.
	Path string
	// Where is a condition with its leading WHERE, or empty.
	Where string
	// Key is the column to cut by; empty lets the dialect choose.
	Key string
	// ID names the rows' table where no path does.
	ID plugin.TableID
}

// Relation is what a source reads as one table. It is never changed after Describe has made it.
type Relation struct {
	Request
	Table *plugin.Table
	// Key is the column to cut by; empty: the relation cannot be cut.
	Key string
	// Unique says that no two rows have the same key and that none is null.
	Unique bool
	// Hidden says that the key is none of the table's columns, such as a row id.
	Hidden bool
	// From is the SQL text that comes after FROM.
	From string
}

// Extent is the size of a relation.
type Extent struct {
	Rows int64
	// Nulls counts the rows whose key is null.
	Nulls int64
	// Min and Max are the ends of the key; nil if there is no row with a key.
	Min, Max *Key
}

// Range is the rows of a relation with From <= key < To, after those that were read already.
type Range struct {
	From *Key `json:"from,omitempty"`
	To   *Key `json:"to,omitempty"`
	// Nulls asks for the rows whose key is null instead.
	Nulls bool `json:"nulls,omitempty"`
	// After is the last key that was read, of a unique key.
	After *Key `json:"after,omitempty"`
	// Skip is the number of rows that were read, where the key is not unique.
	Skip int64 `json:"skip,omitempty"`
	// Done says that all rows were read.
	Done bool `json:"done,omitempty"`
	// By is the column that the ends are keys of. It guards against a relation that is cut by another one later.
	By string `json:"by,omitempty"`
}

// FullRows and FullBytes are what a batch of a source holds: whichever is reached first. They are larger than those of
// package column, since a batch costs a transaction in most targets.
const (
	FullRows  = 4 * column.FullRows
	FullBytes = 4 * column.FullBytes
)

// Scanner reads ranges, one after the other.
type Scanner interface {
	// Open starts reading a range. It ends the range before.
	Open(ctx context.Context, r *Relation, at Range) error
	// Read appends up to max rows, or until the builder holds FullBytes, and returns their number; io.EOF with the last
	// of them, or after it.
	Read(ctx context.Context, b *column.Builder, max int) (int, error)
	// Last returns the key of the last row that was read. It is asked after a Read that returned rows and no error, and
	// for unique keys only.
	Last() Key
	Close() error
}

// Admin makes the targets of a sink fit its save modes.
type Admin interface {
	// Columns returns the column names of a table; nil if there is no such table.
	Columns(ctx context.Context, id plugin.TableID) ([]string, error)
	// Create makes a table, and its database if that is missing.
	Create(ctx context.Context, t *Target, indexes bool) error
	// Alter makes the steps of a change of t's columns, in their order, if possible all or none. Their names are the
	// target's, t is the new version. A modification may be one that was made before. A column that may not be null and
	// has no default gets the value of [FillDefault] in the rows that are there.
	Alter(ctx context.Context, t *Target, steps []plugin.ColumnChange) error
	// Drop drops a table.
	Drop(ctx context.Context, id plugin.TableID) error
	// Clear deletes all rows.
	Clear(ctx context.Context, id plugin.TableID) error
	// HasRows reports whether there is a row.
	HasRows(ctx context.Context, id plugin.TableID) (bool, error)
	// Exec runs SQL text of the job's author.
	Exec(ctx context.Context, sql string) error
	Close() error
}

// Loader writes the batches of one lane.
type Loader interface {
	// Load applies runs of a batch's rows to a target, in order, all or, except for those in a *plugin.RowErrors, none.
	Load(ctx context.Context, t *Target, b plugin.Batch, runs []Run) error
	// Flush is that of [plugin.Writer].
	Flush(ctx context.Context, epoch uint64) ([]byte, error)
	Close() error
}

// Op is what happens to rows.
type Op uint8

// The operations.
const (
	Insert Op = iota // insert; a key that is there is an error
	Upsert           // insert, or replace the row with the key
	Update           // replace the row with the key, if there is one
	Delete           // delete the row with the key, if there is one
	Exec             // run the job's own statement
)

// Run is consecutive rows of a batch that the same happens to.
type Run struct {
	Op       Op
	From, To int // half open
}
