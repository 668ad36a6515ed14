package jobspec

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/config"
)

func parseEnv(t *testing.T, env string) *Spec {
	t.Helper()
	spec, _ := Parse(tree(t, "env {\n"+env+"\n}, source { A {} }, sink { B {} }"))
	return spec
}

func TestEnv(t *testing.T) {
	defaults := Env{
		Name: "SeaTunnel_Job", Parallelism: 1, RetryTimes: 3, RetryInterval: 3 * time.Second,
		SaveModeLocation: "CLUSTER", ShadeIdentifier: "default", RowErrors: RowErrors{MaxRows: -1, MaxRatio: 1},
	}
	for _, test := range []struct {
		name, text string
		want       func(e *Env)
	}{
		{"empty", ``, func(*Env) {}},
		{"name", `job.name = "orders"`, func(e *Env) { e.Name = "orders" }},
		{"empty name", `job.name = ""`, func(*Env) {}},
		{"mode in any case", `job.mode = streaming`, func(e *Env) { e.Mode = plugin.Unbounded }},
		{"nested keys", `job { mode = "STREAMING", name = n }`, func(e *Env) { e.Mode, e.Name = plugin.Unbounded, "n" }},
		{"exact key before nested", `job.name = a, job { name = b }`, func(e *Env) { e.Name = "a" }},
		{"parallelism", `parallelism = "4"`, func(e *Env) { e.Parallelism = 4 }},
		{"parallelism of other engines", `execution.parallelism = 4`, func(e *Env) { e.Parallelism = 4 }},
		{"null is nothing", `parallelism = null, job.name = null`, func(*Env) {}},
		{"checkpoints", `checkpoint.interval = 10, checkpoint.timeout = 60000`, func(e *Env) {
			e.CheckpointInterval, e.CheckpointTimeout = 10*time.Millisecond, time.Minute
		}},
		{"batch without an interval ignores the timeout", `checkpoint.timeout = 1`, func(*Env) {}},
		{"streaming without an interval heeds the timeout", `job.mode = STREAMING, checkpoint.timeout = 100`,
			func(e *Env) { e.Mode, e.CheckpointTimeout = plugin.Unbounded, 100*time.Millisecond }},
		{"retries", `job.retry.times = 0, job.retry.interval.seconds = 0`, func(e *Env) {
			e.RetryTimes, e.RetryInterval = 0, 0
		}},
		{"limits", `read_limit.rows_per_second = 400, read_limit.bytes_per_second = 7000`, func(e *Env) {
			e.RowsPerSecond, e.BytesPerSecond = 400, 7000
		}},
		{"save modes", `savemode.execute.location = client`, func(e *Env) { e.SaveModeLocation = "CLIENT" }},
		{"tags", `tag_filter { group = "platform", team = 1 }`, func(e *Env) {
			e.TagFilter = map[string]string{"group": "platform", "team": "1"}
		}},
		{"no tags", `tag_filter {}`, func(*Env) {}},
		{"shade", `shade.identifier = base64`, func(e *Env) { e.ShadeIdentifier = "base64" }},
		{"row errors", `row.error.policy = SKIP, row.error.max.rows = 10, row.error.max.ratio = 0.5`, func(e *Env) {
			e.RowErrors = RowErrors{Skip: true, MaxRows: 10, MaxRatio: 0.5}
		}},
		{"skip without a limit", `row.error.policy = skip`, func(e *Env) { e.RowErrors.Skip = true }},
		{"keys without a meaning", `jars = "file:/x.jar", custom_parameters { a = 1 }`, func(*Env) {}},
	} {
		t.Run(test.name, func(t *testing.T) {
			spec := parseEnv(t, test.text)
			want := defaults
			test.want(&want)
			if diff := cmp.Diff(want, spec.Env, cmpopts.IgnoreFields(Env{}, "Raw")); diff != "" {
				t.Errorf("env (-want +got):\n%s", diff)
			}
			if len(spec.Errors) > 0 || len(spec.Warnings) > 0 {
				t.Errorf("problems: %v %v", spec.Errors, spec.Warnings)
			}
		})
	}
}

func TestEnvErrors(t *testing.T) {
	for _, test := range []struct{ text, want string }{
		{`job.mode = "xx"`, `env.job.mode: "xx" is not allowed; allowed: BATCH, STREAMING`},
		{`job.mode = "BACH"`, `env.job.mode: "BACH" is not allowed; did you mean "BATCH"? Allowed: BATCH, STREAMING`},
		{`parallelism = two`, `env.parallelism: must be a whole number of at most 64 bits, not "two"`},
		{`checkpoint.interval = 9`, `env.checkpoint.interval: The minimum checkpoint interval is 10 mills.`},
		{`checkpoint.interval = 0`, `env.checkpoint.interval: The minimum checkpoint interval is 10 mills.`},
		{`checkpoint.interval = -1`, `env.checkpoint.interval: The minimum checkpoint interval is 10 mills.`},
		{`checkpoint.interval = soon`, `env.checkpoint.interval: must be a number of ms, not "soon"`},
		{`job.mode = STREAMING, checkpoint.timeout = 9`,
			`env.checkpoint.timeout: The minimum checkpoint timeout is 10 mills.`},
		{`job.retry.times = -1`, `env.job.retry.times: -1 is too small, the least is 0`},
		{`read_limit.rows_per_second = 0`, `env.read_limit.rows_per_second: 0 is too small, the least is 1`},
		{`savemode.execute.location = MOON`,
			`env.savemode.execute.location: "MOON" is not allowed; allowed: CLUSTER, CLIENT`},
		{`tag_filter = x`, `env.tag_filter: must be an object, not a text`},
		{`row.error.policy = drop`, `env.row.error.policy: "drop" is not allowed; allowed: fail, skip`},
		{`row.error.policy = skip, row.error.max.ratio = 2`, `env.row.error.max.ratio: 2 is too large, the most is 1`},
	} {
		spec := parseEnv(t, test.text)
		if diff := cmp.Diff([]string{test.want}, texts(spec.Errors)); diff != "" {
			t.Errorf("%s: errors (-want +got):\n%s", test.text, diff)
		}
	}
}

func TestEnvErrorsHavePlaces(t *testing.T) {
	spec := parseEnv(t, "  job.mode = xx\n  checkpoint.interval = 1\n  parallelism = 99999")
	for i, line := range []string{"2:", "3:", "4:"} {
		if i >= len(spec.Errors) {
			t.Fatalf("errors: %v", spec.Errors)
		}
		found := false
		for _, p := range spec.Errors {
			found = found || strings.HasPrefix(p.String(), line)
		}
		if !found {
			t.Errorf("no error at line %s %v", line, lines(spec.Errors))
		}
	}
}

func TestEnvNearMisses(t *testing.T) {
	for _, test := range []struct{ text, want string }{
		{`job.mod = BATCH`, `env.job.mod: is not an option and has no effect; did you mean "job.mode"?`},
		{`checkpoint.intervall = 1`,
			`env.checkpoint.intervall: is not an option and has no effect; did you mean "checkpoint.interval"?`},
		{`job_name = x`, `env.job_name: is not an option and has no effect; did you mean "job.name"?`},
		{`job { mod = x }`, `env.job.mod: is not an option and has no effect; did you mean "job.mode"?`},
		{`row.error.max.rows = 1`, `env.row.error.max.rows: has no effect without row.error.policy = skip`},
		{`spark.app.name = x`, ``},
		{`spark { app.name = x }`, ``},
		{`flink.execution.checkpointing.mode = x`, ``},
		{`execution.checkpoint.interval = 5000`, ``},
		{`execution.planner = blink`, ``},
		{`my.own.setting.of.mine = x`, ``},
		{`tag_filter { jobmode = x }`, ``},
	} {
		spec := parseEnv(t, test.text)
		var want []string
		if test.want != "" {
			want = []string{test.want}
		}
		if diff := cmp.Diff(want, texts(spec.Warnings)); diff != "" {
			t.Errorf("%s: warnings (-want +got):\n%s", test.text, diff)
		}
		if len(spec.Errors) > 0 {
			t.Errorf("%s: errors: %v", test.text, spec.Errors)
		}
	}
}

func TestEnvRawKeepsEverything(t *testing.T) {
	spec := parseEnv(t, `spark.app.name = "x", job.mode = "batch", unknown = [1, {a = b}], parallelism = 2`)
	want := `{"spark.app.name":"x","job.mode":"batch","unknown":[1,{"a":"b"}],"parallelism":2}`
	if got := spec.Env.Raw.JSON(); got != want {
		t.Errorf("raw = %s, want %s", got, want)
	}
}

func TestPeriodic(t *testing.T) {
	for _, test := range []struct {
		env  Env
		want bool
	}{
		{Env{}, false},
		{Env{CheckpointInterval: time.Second}, true},
		{Env{Mode: plugin.Unbounded}, true},
	} {
		if got := test.env.Periodic(); got != test.want {
			t.Errorf("Periodic() of %s every %s = %v", test.env.Mode, test.env.CheckpointInterval, got)
		}
	}
}

func TestEnvOptionsAreWellFormed(t *testing.T) {
	if _, err := config.SpecOf[envOptions](); err != nil {
		t.Error(err)
	}
	if _, err := config.SpecOf[common](); err != nil {
		t.Error(err)
	}
}
