package plugin

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/culvertdata/culvert/plugin/config"
)

// Role is what a plugin is.
type Role uint8

// The roles.
const (
	SourceRole Role = iota
	TransformRole
	SinkRole
)

// String returns source, transform or sink.
func (r Role) String() string { return [...]string{"source", "transform", "sink"}[r] }

// Info describes a plugin beside its options.
type Info struct {
	// Name is the factory identifier, matched without regard to case.
	Name string
	// Summary is one line for reference pages and error messages.
	Summary string

	// Batch and Streaming say in which job modes a source works. Both false means both.
	Batch, Streaming bool
	// Volatile says that a source cannot go back to a position: a restart may lose or repeat rows.
	Volatile bool

	// MultiTable says that a sink takes several tables and fills placeholders in its options itself with [Expand].
	// For other sinks the engine makes one sink for each table and fills the placeholders before.
	MultiTable bool
	// PerTable says that a sink takes several tables, but that the engine makes one instance for each, as for a sink
	// that takes one. It goes with MultiTable, which then only decides how the vertex is named.
	PerTable bool
	// Delivery is the strongest a sink can do; see [Deliverer].
	Delivery Delivery
	// Commits says that a sink implements [Committer], Changes that it implements [SchemaApplier], Pings that a source
	// or sink implements [Pinger]. Registration checks them against the type.
	Commits, Changes, Pings bool
}

// Plugin is one source, transform or sink that a host can use. [NewSource], [NewTransform] and [NewSink] make it.
type Plugin struct {
	Info
	Role Role

	spec      *config.Spec
	typ       reflect.Type
	source    func(ctx context.Context, v config.Value, env Env) (Source, error)
	transform func(ctx context.Context, v config.Value, env Env) (Transform, error)
	sink      func(ctx context.Context, v config.Value, env Env) (Sink, error)
	err       error
}

// NewSource describes a source whose options are the struct O. open gets decoded and checked options and connects to
// nothing. A mistake in the tags of O is reported by the registry that the plugin is put into.
func NewSource[O any, S Source](info Info, open func(ctx context.Context, options O, env Env) (S, error)) Plugin {
	p := describe[O](info, SourceRole, reflect.TypeFor[S]())
	p.source = func(ctx context.Context, v config.Value, env Env) (Source, error) {
		return build(ctx, p, v, env, open)
	}
	return p
}

// NewTransform describes a transform whose options are the struct O.
func NewTransform[O any, T Transform](info Info, open func(ctx context.Context, options O, env Env) (T, error)) Plugin {
	p := describe[O](info, TransformRole, reflect.TypeFor[T]())
	p.transform = func(ctx context.Context, v config.Value, env Env) (Transform, error) {
		return build(ctx, p, v, env, open)
	}
	return p
}

// NewSink describes a sink whose options are the struct O.
func NewSink[O any, S Sink](info Info, open func(ctx context.Context, options O, env Env) (S, error)) Plugin {
	p := describe[O](info, SinkRole, reflect.TypeFor[S]())
	p.sink = func(ctx context.Context, v config.Value, env Env) (Sink, error) {
		return build(ctx, p, v, env, open)
	}
	return p
}

func describe[O any](info Info, role Role, typ reflect.Type) Plugin {
	spec, err := config.SpecOf[O]()
	p := Plugin{Info: info, Role: role, spec: spec, typ: typ}
	p.err = errors.Join(err, p.checkAbilities())
	return p
}

func build[O, T any](ctx context.Context, p Plugin, v config.Value, env Env,
	open func(context.Context, O, Env) (T, error)) (T, error) {
	var options O
	var none T
	if p.err != nil {
		return none, p.err
	}
	if problems := p.spec.Decode(v, &options); problems.Err() != nil {
		return none, problems.Err()
	}
	return open(ctx, options, env)
}

func (p Plugin) checkAbilities() error {
	var errs []error
	check := func(declared bool, iface reflect.Type) {
		if p.typ.Kind() != reflect.Interface && declared != p.typ.Implements(iface) {
			errs = append(errs, fmt.Errorf("%s %s declares %s = %v, but %s says otherwise",
				p.Role, p.Name, iface.Name(), declared, p.typ))
		}
	}
	check(p.Pings, reflect.TypeFor[Pinger]())
	check(p.Commits, reflect.TypeFor[Committer]())
	check(p.Changes, reflect.TypeFor[SchemaApplier]())
	if p.Delivery == TwoPhase && !p.Commits {
		errs = append(errs, fmt.Errorf("sink %s declares two-phase delivery without Commits", p.Name))
	}
	return errors.Join(errs...)
}

// Spec describes the plugin's options; nil if their tags are wrong.
func (p Plugin) Spec() *config.Spec { return p.spec }

// Check returns all problems of a plugin's block in a job file: errors and warnings, unknown options included.
func (p Plugin) Check(v config.Value) config.Problems {
	if p.spec == nil {
		return config.Problems{{Text: p.err.Error()}}
	}
	return p.spec.Check(v)
}

// Source makes the source from its block. It fails for other roles.
func (p Plugin) Source(ctx context.Context, v config.Value, env Env) (Source, error) {
	if p.source == nil {
		return nil, fmt.Errorf("plugin %s is a %s, not a source", p.Name, p.Role)
	}
	return p.source(ctx, v, env)
}

// Transform makes the transform from its block. It fails for other roles.
func (p Plugin) Transform(ctx context.Context, v config.Value, env Env) (Transform, error) {
	if p.transform == nil {
		return nil, fmt.Errorf("plugin %s is a %s, not a transform", p.Name, p.Role)
	}
	return p.transform(ctx, v, env)
}

// Sink makes the sink from its block. It fails for other roles.
func (p Plugin) Sink(ctx context.Context, v config.Value, env Env) (Sink, error) {
	if p.sink == nil {
		return nil, fmt.Errorf("plugin %s is a %s, not a sink", p.Name, p.Role)
	}
	return p.sink(ctx, v, env)
}

// Supports reports whether a source works in jobs of mode m.
func (p Plugin) Supports(m Mode) bool {
	if !p.Batch && !p.Streaming {
		return true
	}
	return m == Bounded && p.Batch || m == Unbounded && p.Streaming
}

// Set is the list of plugins of one package, for example fake.Plugins.
type Set func() []Plugin

// Registry is the plugins that a host links. It is never changed after NewRegistry.
type Registry struct {
	plugins []Plugin
	err     error
}

// NewRegistry collects the plugins of the sets. Mistakes in them (two of one role and name, abilities that are
// declared but missing, bad option tags) are kept for Err.
func NewRegistry(sets ...Set) *Registry {
	r := &Registry{}
	for _, set := range sets {
		for _, p := range set() {
			if _, ok := r.Lookup(p.Role, p.Name); ok {
				r.err = errors.Join(r.err, fmt.Errorf("two plugins are a %s named %q", p.Role, p.Name))
			}
			if p.Name == "" {
				r.err = errors.Join(r.err, fmt.Errorf("a %s has no name", p.Role))
			}
			r.err = errors.Join(r.err, p.err)
			r.plugins = append(r.plugins, p)
		}
	}
	slices.SortStableFunc(r.plugins, func(a, b Plugin) int {
		return strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name))
	})
	return r
}

// Err returns what is wrong with the registered plugins, nil if nothing is.
func (r *Registry) Err() error { return r.err }

// Lookup finds a plugin by role and name, without regard to case.
func (r *Registry) Lookup(role Role, name string) (Plugin, bool) {
	i := slices.IndexFunc(r.plugins, func(p Plugin) bool { return p.Role == role && strings.EqualFold(p.Name, name) })
	if i < 0 {
		return Plugin{}, false
	}
	return r.plugins[i], true
}

// All returns the plugins of one role, sorted by name.
func (r *Registry) All(role Role) []Plugin {
	var all []Plugin
	for _, p := range r.plugins {
		if p.Role == role {
			all = append(all, p)
		}
	}
	return all
}

// Names returns the names of the plugins of one role, sorted.
func (r *Registry) Names(role Role) []string {
	var names []string
	for _, p := range r.All(role) {
		names = append(names, p.Name)
	}
	return names
}
