package plugin

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/culvertdata/culvert/plugin/config/hocon"
)

type testOptions struct {
	Rows int    `opt:"row.num" default:"5" min:"0" help:"Rows."`
	Key  string `opt:"password" secret:"true" help:"Password."`
}

// The parts of a connector that do nothing: what counts here is their types.
type (
	testSource struct{ Source }
	pingSource struct{ Source }
	testMap    struct{ Transform }
	testSink   struct{ Sink }
	commitSink struct{ Sink }
	changeSink struct{ Sink }
	badTags    struct {
		A string `opt:"a"`
	}
)

func (pingSource) Ping(context.Context) error                      { return nil }
func (commitSink) Commit(context.Context, uint64, [][]byte) error  { return nil }
func (commitSink) Abort(context.Context, uint64) error             { return nil }
func (changeSink) ApplyChange(context.Context, SchemaChange) error { return nil }

func source[S Source](info Info, s S) Plugin {
	return NewSource(info, func(context.Context, testOptions, Env) (S, error) { return s, nil })
}

func sink[S Sink](info Info, s S) Plugin {
	return NewSink(info, func(context.Context, testOptions, Env) (S, error) { return s, nil })
}

func transform(name string) Plugin {
	return NewTransform(Info{Name: name}, func(context.Context, testOptions, Env) (testMap, error) {
		return testMap{},
			nil
	})
}

func set(plugins ...Plugin) Set { return func() []Plugin { return plugins } }

func TestRegistry(t *testing.T) {
	r := NewRegistry(
		set(source(Info{Name: "Jdbc"}, testSource{}), sink(Info{Name: "Jdbc"}, testSink{})),
		set(source(Info{Name: "FakeSource"}, pingSource{}), source(Info{Name: "hudi"}, testSource{}), transform("Copy")))
	if err := r.Err(); err == nil || !strings.Contains(err.Error(), "FakeSource declares Pinger = false") {
		t.Errorf("got %v", err)
	}
	if diff := cmp.Diff([]string{"FakeSource", "hudi", "Jdbc"}, r.Names(SourceRole)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"Jdbc"}, r.Names(SinkRole)); diff != "" {
		t.Error(diff)
	}
	if p, ok := r.Lookup(SourceRole, "jDBC"); !ok || p.Name != "Jdbc" || p.Role != SourceRole {
		t.Errorf("got %v, %v", p.Name, ok)
	}
	for role, name := range map[Role]string{SinkRole: "FakeSource", TransformRole: "Jdbc", SourceRole: "Nothing"} {
		if _, ok := r.Lookup(role, name); ok {
			t.Errorf("%s %s was found", role, name)
		}
	}
	if len(NewRegistry().All(SinkRole)) != 0 || NewRegistry().Err() != nil {
		t.Error("an empty registry is not empty")
	}
}

func TestRegistryErrors(t *testing.T) {
	tests := []struct {
		name   string
		plugin []Plugin
		want   string
	}{
		{"twice", []Plugin{sink(Info{Name: "Console"}, testSink{}), sink(Info{Name: "console"}, testSink{})},
			`two plugins are a sink named "console"`},
		{"no name", []Plugin{transform("")}, "a transform has no name"},
		{"tags", []Plugin{NewSource(Info{Name: "A"}, func(context.Context, badTags, Env) (testSource,
			error) {
			return testSource{}, nil
		})}, "has no help tag"},
		{"pings", []Plugin{source(Info{Name: "A", Pings: true}, testSource{})}, "source A declares Pinger = true"},
		{"commits", []Plugin{sink(Info{Name: "A", Commits: true}, testSink{})}, "sink A declares Committer = true"},
		{"undeclared commits", []Plugin{sink(Info{Name: "A"}, commitSink{})}, "sink A declares Committer = false"},
		{"changes", []Plugin{sink(Info{Name: "A"}, changeSink{})}, "sink A declares SchemaApplier = false"},
		{"two-phase", []Plugin{sink(Info{Name: "A", Delivery: TwoPhase}, testSink{})}, "two-phase delivery without Commits"},
		{"good", []Plugin{sink(Info{Name: "A", Delivery: TwoPhase, Commits: true}, commitSink{}),
			sink(Info{Name: "B", Changes: true}, changeSink{}), source(Info{Name: "A", Pings: true}, pingSource{}),
			// What the type does not tell cannot be checked.
			NewSink(Info{Name: "C", Commits: true}, func(context.Context, testOptions, Env) (Sink, error) {
				return nil,
					nil
			})}, ""},
	}
	for _, test := range tests {
		err := NewRegistry(set(test.plugin...)).Err()
		if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%s: got %v, want %s", test.name, err, test.want)
		}
	}
}

func TestOpen(t *testing.T) {
	ctx := t.Context()
	refused := errors.New("refused")
	var got testOptions
	p := NewSource(Info{Name: "A"}, func(_ context.Context, o testOptions, e Env) (testSource, error) {
		if got = o; e.Vertex != "v" {
			return testSource{}, refused
		}
		return testSource{}, nil
	})
	v, err := hocon.ParseValue([]byte(`{plugin_name = A, row_num = 1, row { num = "7" }, password = p}`))
	if err != nil {
		t.Fatal(err)
	}
	if s, err := p.Source(ctx, v, Env{Vertex: "v"}); err != nil || s == nil || got != (testOptions{7, "p"}) {
		t.Errorf("%v, %v, %+v", s, err, got)
	}
	if _, err := p.Source(ctx, v, Env{}); !errors.Is(err, refused) {
		t.Errorf("got %v", err)
	}
	if ps := p.Check(v); len(ps) != 1 || !ps[0].Warning || !strings.Contains(ps[0].Text, `did you mean "row.num"?`) {
		t.Errorf("got %v", ps)
	}
	if diff := cmp.Diff([]string{"row.num", "password"}, p.Spec().Names()); diff != "" {
		t.Error(diff)
	}
	bad, err := hocon.ParseValue([]byte(`{row.num = -1}`))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Source(ctx, bad, Env{Vertex: "v"}); err == nil ||
		err.Error() != "1:12: row.num: -1 is too small, the least is 0" {
		t.Errorf("got %v", err)
	}
	if _, err := p.Sink(ctx, v, Env{}); err == nil || err.Error() != "plugin A is a source, not a sink" {
		t.Errorf("got %v", err)
	}
	if _, err := p.Transform(ctx, v, Env{}); err == nil {
		t.Error("a source is a transform")
	}
	if _, err := transform("T").Source(ctx, v, Env{}); err == nil {
		t.Error("a transform is a source")
	}
	if s, err := transform("T").Transform(ctx, v, Env{}); err != nil || s == nil {
		t.Errorf("got %v, %v", s, err)
	}
	if s, err := sink(Info{Name: "S"}, testSink{}).Sink(ctx, v, Env{}); err != nil || s == nil {
		t.Errorf("got %v, %v", s, err)
	}
}

// A plugin with wrong tags can be asked, and says what is wrong.
func TestOpenWithBadTags(t *testing.T) {
	p := NewSource(Info{Name: "A"}, func(context.Context, badTags, Env) (testSource, error) { return testSource{}, nil })
	v, err := hocon.ParseValue([]byte(`{}`))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Source(t.Context(), v, Env{}); err == nil || !strings.Contains(err.Error(), "no help tag") {
		t.Errorf("got %v", err)
	}
	if ps := p.Check(v); ps.Err() == nil {
		t.Error("Check finds nothing wrong")
	}
}

func TestSupports(t *testing.T) {
	for _, test := range []struct {
		batch, streaming   bool
		bounded, unbounded bool
	}{{false, false, true, true}, {true, false, true, false}, {false, true, false, true}, {true, true, true, true}} {
		p := source(Info{Name: "A", Batch: test.batch, Streaming: test.streaming}, testSource{})
		if p.Supports(Bounded) != test.bounded || p.Supports(Unbounded) != test.unbounded {
			t.Errorf("%+v: %v, %v", test, p.Supports(Bounded), p.Supports(Unbounded))
		}
	}
	if s := Bounded.String() + Unbounded.String() + SourceRole.String() + TransformRole.String() +
		SinkRole.String(); s != "BATCHSTREAMINGsourcetransformsink" {
		t.Errorf("got %s", s)
	}
}
