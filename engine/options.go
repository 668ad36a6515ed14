package engine

import (
	"context"
	"net"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/culvertdata/culvert/encrypt"
	"github.com/culvertdata/culvert/plugin"
)

// Options say how an engine works. Only Plugins is needed.
type Options struct {
	// Dir is the directory of the store, made if it is missing. Empty keeps everything in memory: jobs then end with
	// the process.
	Dir string
	// Plugins are the sources, transforms and sinks that jobs may use.
	Plugins *plugin.Registry
	// Logger takes what the engine and its jobs log; nil is silent. Each job's own lines are also kept, see Job.Log.
	Logger hclog.Logger

	// CheckpointInterval is the time between two checkpoints of a streaming job whose env names none. 0 means 10
	// seconds. Batch jobs take periodic checkpoints only if their env asks for them.
	CheckpointInterval time.Duration
	// CheckpointTimeout bounds one checkpoint of a job whose env names none. 0 means one minute.
	CheckpointTimeout time.Duration
	// CheckpointsKept is the number of checkpoints kept for each pipeline. 0 means 3.
	CheckpointsKept int
	// FlushInterval is the longest time that a buffering sink without two-phase commit keeps rows while more come.
	// 0 means 100 milliseconds.
	FlushInterval time.Duration

	// HistoryAge is how long an ended job is kept. 0 means one day (SeaTunnel's 1440 minutes), -1 for ever.
	HistoryAge time.Duration
	// HistoryJobs is the number of ended jobs kept. 0 means 100,000, -1 any number.
	HistoryJobs int
	// HistoryBytes is the size of the records of ended jobs. 0 means 1 GiB, -1 any size.
	HistoryBytes int64
	// LogBytes bounds the log lines kept for each job; older lines go. 0 means 64 KiB, -1 keeps none.
	LogBytes int

	// Shades decrypt the secrets of job files whose env names a shade.identifier. The zero value knows default and
	// base64.
	Shades encrypt.Shades
	// Tags describe this engine to jobs with a tag_filter.
	Tags map[string]string
	// Env resolves ${NAME} in job files that no variable resolves. nil resolves none; os.LookupEnv is what
	// SeaTunnel's command line does.
	Env func(name string) (string, bool)
	// Now is the clock; nil means time.Now.
	Now func() time.Time
	// Dial connects to the network for connectors; nil means a net.Dialer.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

const (
	defaultInterval     = 10 * time.Second
	defaultTimeout      = time.Minute
	defaultKept         = 3
	defaultFlush        = 100 * time.Millisecond
	defaultHistoryAge   = 24 * time.Hour
	defaultHistoryJobs  = 100_000
	defaultHistoryBytes = 1 << 30
	defaultLogBytes     = 64 << 10
)

func (o Options) withDefaults() Options {
	setDefault(&o.CheckpointInterval, defaultInterval)
	setDefault(&o.CheckpointTimeout, defaultTimeout)
	setDefault(&o.CheckpointsKept, defaultKept)
	setDefault(&o.FlushInterval, defaultFlush)
	setDefault(&o.HistoryAge, defaultHistoryAge)
	setDefault(&o.HistoryJobs, defaultHistoryJobs)
	setDefault(&o.HistoryBytes, defaultHistoryBytes)
	setDefault(&o.LogBytes, defaultLogBytes)
	if o.Logger == nil {
		o.Logger = hclog.NewNullLogger()
	}
	if o.Plugins == nil {
		o.Plugins = plugin.NewRegistry()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Dial == nil {
		o.Dial = (&net.Dialer{Timeout: 30 * time.Second}).DialContext
	}
	return o
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// Format is the language of a job text.
type Format uint8

// The formats.
const (
	Auto Format = iota // JSON if the text is that, else HOCON
	HOCON
	JSON
)

// SubmitOptions say how a job starts. The zero value starts a new job under a new id.
type SubmitOptions struct {
	// ID is the job's id; 0 makes one. An id may be used again only to start from its savepoint.
	ID int64
	// Name is the job's name; it wins over env's job.name.
	Name string
	// Format is the language of the text.
	Format Format
	// Variables replace ${name} in the text.
	Variables map[string]string
	// FromSavepoint starts the job where the last job of this ID stopped. If nothing is stored for the id, it starts
	// from scratch, as SeaTunnel does.
	FromSavepoint bool
}

// StopOptions say how a job stops.
type StopOptions struct {
	// Savepoint takes a last checkpoint, from which the job can be started again under its id. Without it the job is
	// canceled, and what came after its last checkpoint is not committed.
	Savepoint bool
}
