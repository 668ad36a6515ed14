package plan

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/culvertdata/culvert/engine/internal/jobspec"
	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/config"
	"github.com/culvertdata/culvert/plugin/config/hocon"
)

// The plugins of these tests. Sources are described by their options: tables = ["db.t: id bigint, name string"].

type sourceOptions struct {
	Tables []string `opt:"tables" help:"Tables, each as path: column type, ..."`
	Count  int      `opt:"row.num" default:"5" min:"1" help:"Rows."`
	Fail   string   `opt:"fail" help:"Text of an error of Tables."`
}

type source struct {
	plugin.Source
	options sourceOptions
	env     plugin.Env
	closed  func(vertex string) error
}

func (s *source) Tables(context.Context) ([]*plugin.Table, error) {
	if s.options.Fail != "" {
		return nil, &plugin.Error{Code: plugin.CodeUnavailable, Retry: true, Err: errors.New(s.options.Fail)}
	}
	var tables []*plugin.Table
	for _, text := range s.options.Tables {
		t, err := table(text, s.env.TableID())
		if err != nil {
			return nil, err
		}
		tables = append(tables, t)
	}
	return tables, nil
}

func (s *source) Close() error { return s.closed(s.env.Vertex) }

// table reads "path: name type, name type"; the first column is the key.
func table(text string, unnamed plugin.TableID) (*plugin.Table, error) {
	path, columns, _ := strings.Cut(text, ":")
	t := plugin.Table{ID: unnamed, Key: []int{0}}
	if path != "" {
		id, err := plugin.ParseTableID(path, false)
		if err != nil {
			return nil, err
		}
		t.ID = id
	}
	kinds := map[string]plugin.Kind{"bigint": plugin.BigInt, "string": plugin.String, "int": plugin.Int}
	for column := range strings.SplitSeq(columns, ",") {
		name, kind, _ := strings.Cut(strings.TrimSpace(column), " ")
		t.Columns = append(t.Columns, plugin.Column{Name: name, Type: plugin.TypeOf(kinds[kind])})
	}
	return plugin.NewTable(t)
}

type transformOptions struct {
	Add    string `opt:"add" help:"Name of a string column to add."`
	Need   string `opt:"need" help:"Name of a column that must be there."`
	Drop   string `opt:"drop" help:"Name of a table to drop, or all."`
	Rename string `opt:"rename" help:"New name of every table."`
}

type transform struct {
	plugin.Transform
	options transformOptions
	closed  func() error
}

func (t *transform) Derive(in *plugin.Table) (*plugin.Table, error) {
	if t.options.Drop == in.ID.Name || t.options.Drop == "all" {
		return nil, nil
	}
	if t.options.Need != "" && in.Index(t.options.Need) < 0 {
		return nil, fmt.Errorf("cannot find input field %s", t.options.Need)
	}
	if t.options.Add == "" && t.options.Rename == "" {
		return in, nil
	}
	out := *in
	if t.options.Add != "" {
		out.Columns = append(append([]plugin.Column{}, in.Columns...),
			plugin.Column{Name: t.options.Add, Type: plugin.TypeOf(plugin.String)})
	}
	if t.options.Rename != "" {
		out.ID.Name = t.options.Rename
	}
	return plugin.NewTable(out)
}

func (t *transform) Close() error { return t.closed() }

type sinkOptions struct {
	Path   string   `opt:"path" required:"true" help:"Where to write."`
	Keys   []string `opt:"primary_keys" help:"Key columns."`
	Limit  int      `opt:"limit" default:"10" help:"Rows of a batch."`
	Nested struct {
		Path string `opt:"path" help:"Not a placeholder's place."`
	} `opt:"nested" help:"An object."`
	Fail bool `opt:"fail" help:"Whether opening fails."`
}

// CheckOptions sees paths with the placeholders filled in.
func (o sinkOptions) CheckOptions() config.Problems {
	var ps config.Problems
	switch {
	case strings.HasPrefix(o.Path, "${table"):
		ps.Errorf("path", config.Pos{}, "%q still has its placeholder", o.Path)
	case o.Path[0] >= '0' && o.Path[0] <= '9':
		ps.Errorf("path", config.Pos{}, "%q begins with a digit", o.Path)
	}
	return ps
}

type sink struct {
	plugin.Sink
	options sinkOptions
	env     plugin.Env
	closed  func(vertex string) error
}

func (s *sink) Close() error { return s.closed(s.env.Vertex) }

// keyedSink can do more with keys.
type keyedSink struct{ *sink }

func (s keyedSink) Delivery(tables []*plugin.Table) plugin.Delivery {
	for _, t := range tables {
		if t.Key == nil || t.ID.Name == "log" {
			return plugin.Repeats
		}
	}
	return plugin.Idempotent
}

type commitSink struct{ *sink }

func (commitSink) Commit(context.Context, uint64, [][]byte) error { return nil }
func (commitSink) Abort(context.Context, uint64) error            { return nil }

// world keeps what the plugins of one test did.
type world struct {
	mu     sync.Mutex
	opened []string
	closed []string
}

func (w *world) open(vertex string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.opened = append(w.opened, vertex)
}

func (w *world) close(vertex string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = append(w.closed, vertex)
	return nil
}

func (w *world) plugins() []plugin.Plugin {
	newSource := func(_ context.Context, o sourceOptions, env plugin.Env) (*source, error) {
		w.open(env.Vertex)
		return &source{options: o, env: env, closed: w.close}, nil
	}
	newSink := func(_ context.Context, o sinkOptions, env plugin.Env) (*sink, error) {
		if o.Fail {
			return nil, errors.New("no luck")
		}
		w.open(env.Vertex)
		return &sink{options: o, env: env, closed: w.close}, nil
	}
	return []plugin.Plugin{
		plugin.NewSource(plugin.Info{Name: "Tables"}, newSource),
		plugin.NewSource(plugin.Info{Name: "Stream", Streaming: true, Volatile: true}, newSource),
		plugin.NewTransform(plugin.Info{Name: "Shape"},
			func(_ context.Context, o transformOptions, env plugin.Env) (*transform, error) {
				w.open(env.Vertex)
				return &transform{options: o, closed: func() error { return w.close(env.Vertex) }}, nil
			}),
		plugin.NewSink(plugin.Info{Name: "Multi", MultiTable: true}, newSink),
		plugin.NewSink(plugin.Info{Name: "Single"}, newSink),
		plugin.NewSink(plugin.Info{Name: "Keyed"},
			func(ctx context.Context, o sinkOptions, env plugin.Env) (keyedSink, error) {
				s, err := newSink(ctx, o, env)
				return keyedSink{s}, err
			}),
		plugin.NewSink(plugin.Info{Name: "Commits", MultiTable: true, Commits: true, Delivery: plugin.TwoPhase},
			func(ctx context.Context, o sinkOptions, env plugin.Env) (commitSink, error) {
				s, err := newSink(ctx, o, env)
				return commitSink{s}, err
			}),
	}
}

// tryBuild builds the plan of a job text without its env block, which is empty unless the text has one.
func tryBuild(t *testing.T, w *world, text string) (*Plan, error) {
	t.Helper()
	if !strings.Contains(text, "env {") {
		text = "env {}\n" + text
	}
	root, err := hocon.Parse([]byte(text), hocon.Options{})
	if err != nil {
		t.Fatalf("the test's job file: %v", err)
	}
	spec, _ := jobspec.Parse(root) // Build reports what is wrong with it
	registry := plugin.NewRegistry(w.plugins)
	if err := registry.Err(); err != nil {
		t.Fatal(err)
	}
	return Build(t.Context(), Options{
		Spec: spec, Registry: registry, Job: plugin.Job{ID: 7, Name: spec.Env.Name, Mode: spec.Env.Mode},
	})
}

func build(t *testing.T, text string) *Plan {
	t.Helper()
	p, err := tryBuild(t, &world{}, text)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

// vertices returns the plan's vertices by name.
func vertices(p *Plan) map[string]*Vertex {
	all := map[string]*Vertex{}
	for _, pipeline := range p.Pipelines {
		for _, v := range pipeline.Vertices {
			all[v.Name] = v
		}
	}
	return all
}

// paths renders tables as their paths and columns: db.t(id,name).
func paths(tables []*plugin.Table) string {
	var all []string
	for _, t := range tables {
		all = append(all, fmt.Sprintf("%s(%s)", t.ID, strings.Join(t.Names(), ",")))
	}
	return strings.Join(all, " ")
}

// render renders the plan: one line for each vertex, with its inputs.
func render(p *Plan) []string {
	var lines []string
	for _, pipeline := range p.Pipelines {
		for _, v := range pipeline.Vertices {
			var inputs []string
			for _, in := range v.Inputs {
				inputs = append(inputs, fmt.Sprint(in.ID))
			}
			lines = append(lines, fmt.Sprintf("%d/%d %s x%d <-[%s] %s", pipeline.ID, v.ID, v.Name, v.Parallelism,
				strings.Join(inputs, " "), paths(v.Tables)))
		}
	}
	return lines
}
