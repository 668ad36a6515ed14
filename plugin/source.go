package plugin

import "context"

// Source reads tables. A source is made from its options when a job is planned; nothing is connected before Tables.
type Source interface {
	// Tables returns what the source reads, in a fixed order. It is called at plan time and reads no row.
	Tables(ctx context.Context) ([]*Table, error)
	// Splits starts cutting the work into splits. state is nil at a fresh start, else what Splitter.State returned
	// when the checkpoint was taken.
	Splits(ctx context.Context, state []byte) (Splitter, error)
	// Reader makes the reader of one lane.
	Reader(ctx context.Context, t Task) (Reader, error)
}

// Splitter cuts a source's work into splits. There is one for each source of a running job.
type Splitter interface {
	// Next returns splits to hand out. io.EOF itself says that no more will ever come; an error that wraps it is a
	// failure. No splits and no error say that none are ready: the engine asks again after the next Done, or after a
	// second. Next may block while discovering; when its context ends, which happens whenever the engine needs the
	// splitter for something else, it returns the context's error, loses nothing, and is called again.
	Next(ctx context.Context) ([]Split, error)
	// Done says that the rows of a split are part of a completed checkpoint. result is what the reader's Position
	// returned after the split's last row.
	Done(s Split, result []byte) error
	// State returns the splitter's own state. Splits that were handed out are not part of it: the engine keeps those.
	State() ([]byte, error)
	// Close ends it.
	Close() error
}

// Split is a piece of a source's work that one reader reads from start to end.
type Split struct {
	// ID is unique within the source and the same at every discovery of the same piece.
	ID string
	// Table is what the split belongs to; the zero value if it spans several tables.
	Table TableID
	// State is where to start; only the connector understands it.
	State []byte
	// Rows is an estimate for progress displays, -1 if unknown.
	Rows int64
}

// Reader reads splits, one after the other.
type Reader interface {
	// Open starts a split, which may be half read: then State is what Position returned.
	Open(ctx context.Context, s Split) error
	// Read puts rows out and returns soon: when out.Full() turns true, or when no row has come for a few
	// milliseconds. It returns io.EOF when the split is read to its end; rows put out before that count. An error that
	// only wraps io.EOF, as that of a lost connection may, is a failure. A reader that waits for data waits for
	// out.Wake() and ctx.Done() too.
	Read(ctx context.Context, out Out) error
	// Position returns what Split.State must be to go on right after the last row put out. It is called between
	// calls of Read, once more after the split's end, and from inside [Out.Change].
	Position() ([]byte, error)
	// Close ends the reader; it may come in the middle of a split.
	Close() error
}

// Out takes the rows of a [Reader]. It belongs to one lane and is not safe for several goroutines.
type Out interface {
	// Batch hands over ready columns and one reference to them, also when it fails.
	Batch(b Batch) error
	// Row adds one row from Go values, converted to the columns' types by the rules of package plugin/column; their
	// number must be that of the columns. It is the convenient way, several times slower than Batch.
	Row(t *Table, k RowKind, values ...any) error
	// Change announces a schema change. It comes after the last row of the old version and before the first of the
	// new one, in order with the rows. It returns when the sinks have the new columns, and takes as long as that does.
	// Before they get them, a checkpoint makes all rows of the old version durable, so no restart writes those into the
	// new columns. For it the engine calls the reader's Position from inside Change, which must return what starts a
	// reader right before the change: a reader moves past the change only when Change has returned nil. After a crash
	// the change comes once more.
	Change(c SchemaChange) error
	// Full reports that Read should return: rows enough have come, or a barrier waits, or the job stops.
	Full() bool
	// Wake returns a channel that is closed while a barrier or a stop waits. Ask for it anew in each Read.
	Wake() <-chan struct{}
}

// Acker is implemented by a [Reader] that wants to know when a position is safe, for example to advance a
// replication slot or to commit a consumer offset.
type Acker interface {
	// Ack says that a completed checkpoint holds position, as the reader's Position returned it. It is called on the
	// reader's goroutine, between calls of Read.
	Ack(ctx context.Context, position []byte) error
}

// Resumer is implemented by a [Source] whose tables may get other columns while a job runs. The engine keeps the
// columns that the sinks know in every checkpoint of such a job, and takes one before anything else is done.
type Resumer interface {
	// Resume tells the tables as the sinks know them, with their versions. It is called before Splits and Reader, at the
	// start of a job that takes checkpoints and whenever it goes on. Where the source finds other columns by then, rows
	// still come with these here, until [Out.Change] announces the new ones. A table that is new in the job's
	// configuration may not be among them.
	Resume(tables []*Table)
}

// Lagger is implemented by a [Reader] that follows a log and knows how far behind its end it is.
type Lagger interface {
	// Lag returns how far behind the reader is. It is called on the reader's goroutine, between calls of Read, about
	// once a second; it must not wait for the server, but may tell what was learnt last.
	Lag() Lag
}

// Lag is the distance between what a [Lagger] has put out and the end of the log that it follows.
type Lag struct {
	// Bytes of the log that are still to be read, for example a difference of LSNs; -1 if unknown.
	Bytes int64
	// At and End are where the reader and the log's end are, as the server writes such positions: an LSN, a file and
	// offset, a GTID set. Empty if unknown.
	At, End string
}

// Pinger is implemented by a [Source] or a [Sink] that can tell whether its system answers, without reading or
// writing data.
type Pinger interface {
	Ping(ctx context.Context) error
}
