package jobspec

import (
	"slices"
	"strings"
	"time"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/config"
)

// DefaultName is the name of a job that has none.
const DefaultName = "SeaTunnel_Job"

// Env is the env block of a job file.
type Env struct {
	// Name is job.name, or DefaultName.
	Name string
	// Mode is job.mode; BATCH if none was written.
	Mode plugin.Mode
	// Parallelism is the number of lanes of sources that name none; 1 if none was written. The name
	// execution.parallelism is understood too.
	Parallelism int
	// CheckpointInterval is the time between two periodic checkpoints; 0 if none was written: then a BATCH job takes
	// none and a STREAMING job has the engine's. Never between 0 and 10 ms.
	CheckpointInterval time.Duration
	// CheckpointTimeout is the longest a checkpoint may take; 0 if none was written: the engine's. It is ignored, and
	// 0, for a BATCH job without CheckpointInterval. Never between 0 and 10 ms.
	CheckpointTimeout time.Duration
	// RetryTimes is how often a failed pipeline is restarted, 3 if none was written, 0 for never. RetryInterval is the
	// pause before, 3 s if none was written.
	RetryTimes    int
	RetryInterval time.Duration
	// RowsPerSecond and BytesPerSecond limit each reader, that is each lane of each source; 0 means no limit.
	RowsPerSecond, BytesPerSecond int64
	// SaveModeLocation is CLUSTER or CLIENT; save modes run in the engine either way.
	SaveModeLocation string
	// TagFilter names the attributes that an engine must have to run the job; nil if it may run anywhere.
	TagFilter map[string]string
	// ShadeIdentifier names the way in which the secrets of the job file are encrypted; "default" means that they are
	// not.
	ShadeIdentifier string
	// RowErrors says what becomes of rows that a sink refuses.
	RowErrors RowErrors
	// Raw is the block as written: every key, the unknown ones too, in order.
	Raw config.Value
}

// RowErrors is what becomes of rows that a sink refuses. The options row.error.* are Culvert's own.
type RowErrors struct {
	// Skip drops refused rows and counts them (row.error.policy = skip); without it the first fails the job.
	Skip bool
	// MaxRows fails the job when more rows were refused (row.error.max.rows); -1 means no limit.
	MaxRows int64
	// MaxRatio fails the job when more than this part of all rows was refused (row.error.max.ratio, 0 to 1); 1 means
	// no limit.
	MaxRatio float64
}

// Periodic reports whether the job takes checkpoints while it runs. A BATCH job does only if it names an interval.
func (e Env) Periodic() bool { return e.Mode == plugin.Unbounded || e.CheckpointInterval > 0 }

// envOptions are the keys of env that have a meaning.
type envOptions struct {
	Name string `opt:"job.name" help:"Name of the job."`
	Mode string `opt:"job.mode" default:"BATCH" enum:"BATCH,STREAMING" help:"Whether the job ends by itself."`

	Parallelism int `opt:"parallelism,execution.parallelism" help:"Lanes of sources that name none."`

	CheckpointInterval time.Duration `opt:"checkpoint.interval" unit:"ms" help:"Time between two checkpoints."`
	CheckpointTimeout  time.Duration `opt:"checkpoint.timeout" unit:"ms" help:"Longest time of one checkpoint."`

	RetryTimes int `opt:"job.retry.times" default:"3" min:"0" help:"Restarts of a failed pipeline."`

	RetryInterval time.Duration `opt:"job.retry.interval.seconds" unit:"s" default:"3" min:"0" help:"Pause before each."`

	RowsPerSecond  int64 `opt:"read_limit.rows_per_second" min:"1" help:"Rows a second of each reader."`
	BytesPerSecond int64 `opt:"read_limit.bytes_per_second" min:"1" help:"Bytes a second of each reader."`

	SaveModeLocation string `opt:"savemode.execute.location" default:"CLUSTER" enum:"CLUSTER,CLIENT" help:"Unused."`

	TagFilter map[string]string `opt:"tag_filter" help:"Attributes that an engine must have to run the job."`

	ShadeIdentifier string `opt:"shade.identifier" default:"default" help:"How secrets in the file are encrypted."`

	Jars             config.Value `opt:"jars" help:"Ignored: there is no class path."`
	CustomParameters config.Value `opt:"custom_parameters" help:"Kept, unused."`

	ErrorPolicy   string  `opt:"row.error.policy" default:"fail" enum:"fail,skip" help:"Fate of refused rows."`
	ErrorMaxRows  int64   `opt:"row.error.max.rows" default:"-1" min:"-1" help:"Most rows that are skipped."`
	ErrorMaxRatio float64 `opt:"row.error.max.ratio" default:"1" min:"0" max:"1" help:"Most that is skipped, as a part."`

	Raw config.Value `opt:"*"`
}

func (p *parser) env(root config.Value) {
	v, ok := root.Get("env")
	if !ok || v.Kind == config.Null {
		v = config.Value{Kind: config.Object} // all defaults; SeaTunnel refuses a job without the block
	}
	var o envOptions
	p.problems = append(p.problems, config.Decode(v, &o).Under("env")...)
	p.envNearMisses(v, "")
	e := Env{
		Name: strings.TrimSpace(o.Name), Raw: v,
		Parallelism: max(1, p.parallelism("env", v, o.Parallelism, "parallelism", "execution.parallelism")),
		RetryTimes:  o.RetryTimes, RetryInterval: o.RetryInterval,
		RowsPerSecond: o.RowsPerSecond, BytesPerSecond: o.BytesPerSecond,
		SaveModeLocation: o.SaveModeLocation, ShadeIdentifier: o.ShadeIdentifier,
	}
	if e.Name == "" {
		e.Name = DefaultName
	}
	if o.Mode == plugin.Unbounded.String() {
		e.Mode = plugin.Unbounded
	}
	if len(o.TagFilter) > 0 {
		e.TagFilter = o.TagFilter
	}
	e.CheckpointInterval = p.checkpointTime(v, "interval", o.CheckpointInterval)
	if e.Periodic() {
		e.CheckpointTimeout = p.checkpointTime(v, "timeout", o.CheckpointTimeout)
	}
	e.RowErrors = p.rowErrors(v, o)
	p.spec.Env = e
}

// minCheckpointTime is the least interval and timeout that SeaTunnel accepts.
const minCheckpointTime = 10 * time.Millisecond

func (p *parser) checkpointTime(v config.Value, what string, d time.Duration) time.Duration {
	key := "checkpoint." + what
	if _, written := p.written("env", v, key); !written || d >= minCheckpointTime {
		return d
	}
	p.problems.Errorf("env."+key, at(v, key), "The minimum checkpoint %s is 10 mills.", what)
	return 0
}

func (p *parser) rowErrors(v config.Value, o envOptions) RowErrors {
	r := RowErrors{Skip: o.ErrorPolicy == "skip", MaxRows: o.ErrorMaxRows, MaxRatio: o.ErrorMaxRatio}
	if r.Skip {
		return r
	}
	for _, key := range []string{"row.error.max.rows", "row.error.max.ratio"} {
		if _, ok := v.Lookup(key); ok {
			p.problems.Warnf("env."+key, at(v, key), "has no effect without row.error.policy = skip")
		}
	}
	return r
}

// foreign are the beginnings of keys that belong to other engines; SeaTunnel's job files are full of them.
var foreign = []string{"spark.", "flink.", "execution."}

// envNearMisses warns of keys that look like a slip of the pen. All other unknown keys are kept without a word.
func (p *parser) envNearMisses(v config.Value, prefix string) {
	spec, err := config.SpecOf[envOptions]()
	if err != nil {
		return // Decode has said so
	}
	known := spec.Names()
	for _, m := range v.Members {
		key := prefix + m.Key
		switch {
		case slices.Contains(known, key), isForeign(key):
		case m.Value.Kind == config.Object && begins(known, key+"."):
			p.envNearMisses(m.Value, key+".")
		default:
			if near, ok := config.Nearest(key, known); ok {
				p.problems.Warnf("env."+key, m.Pos, "is not an option and has no effect; did you mean %q?", near)
			}
		}
	}
}

func begins(keys []string, prefix string) bool {
	return slices.ContainsFunc(keys, func(k string) bool { return strings.HasPrefix(k, prefix) })
}

func isForeign(key string) bool {
	return slices.ContainsFunc(foreign, func(f string) bool { return strings.HasPrefix(key+".", f) })
}
