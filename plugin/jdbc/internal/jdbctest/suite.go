package jdbctest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/config"
	"github.com/culvertdata/culvert/plugin/internal/dbtest"
	"github.com/culvertdata/culvert/plugin/plugintest"
)

// Suite is what every dialect must do, told by what differs from one to the other. The package's TestMain must call
// [Main] with the same plugins.
type Suite struct {
	Kit
	// Open makes a database that one test has for itself.
	Open func(t testing.TB, sql ...string) *dbtest.Database
	// Variable is that of the server, and OpenAt is Open on the server at a url; empty and nil for files.
	Variable string
	OpenAt   func(t testing.TB, url string, sql ...string) *dbtest.Database
	// Quote writes a name so that any text may be one.
	Quote func(name string) string
	// Path is a table's name in table_path.
	Path func(d *dbtest.Database, table string) string
	// LeftOver returns what an exactly-once sink has staged and not cleared away.
	LeftOver func(d *dbtest.Database) []string

	// Sources are what the source's conformance is tested with, by name.
	Sources map[string]SourceCase
	// Types are what the sink's conformance is tested with; nil means all scalar types. Accept is that of
	// [plugintest.SinkCase].
	Types  []plugin.Type
	Accept func(t plugin.Type, v any) bool
	// SameKinds says that the source finds the types that the sink wrote, and no wider ones.
	SameKinds bool
	// Broken are options beside those that reach the database with which source and sink must fail.
	Broken [][]any

	// Mixed are the columns of a table of mixed types, the first of them id with PRIMARY KEY at its end; Fill returns
	// the statement that makes n rows of the table a.
	Mixed string
	Fill  func(n int) string
	// KillRows and KillRate make a job of ten to twenty seconds: the rows, and how many of them a lane moves in a second.
	KillRows, KillRate int
}

// SourceCase is something to read.
type SourceCase struct {
	SQL []string
	// Pairs are the options beside those that reach the database.
	Pairs func(d *dbtest.Database) []any
}

// Run runs all tests.
func (s Suite) Run(t *testing.T) {
	t.Run("source", s.testSource)
	t.Run("sink", s.testSink)
	t.Run("changes", s.testChanges)
	t.Run("save modes", s.testSaveModes)
	t.Run("kill writer", s.testKillWriter)
	t.Run("kill engine", s.testKillEngine)
	t.Run("kill server", s.testKillServer)
}

// secret is a password that must not show.
const secret = "geheim"

// broken returns options with which nothing can work.
func (s Suite) broken(d *dbtest.Database, pairs ...any) []config.Value {
	list := []config.Value{plugintest.Options(append([]any{"url", "jdbc:other:" + secret, "password", secret},
		pairs...)...)}
	for _, more := range s.Broken {
		list = append(list, d.Options(append(slices.Clone(pairs), more...)...).Set("password", config.TextValue(secret)))
	}
	return list
}

func (s Suite) testSource(t *testing.T) {
	for name, c := range s.Sources {
		t.Run(name, func(t *testing.T) {
			d := s.Open(t, c.SQL...)
			plugintest.Source(t, plugintest.SourceCase{
				Plugin: s.Lookup(t, plugin.SourceRole), Options: d.Options(c.Pairs(d)...), Secrets: []string{secret},
				Broken: append(s.broken(d, c.Pairs(d)...), d.Options("table_path", s.Path(d, "missing"))),
			})
		})
	}
}

// sinkWays are the ways of writing.
var sinkWays = []struct {
	name    string
	pairs   []any
	upserts bool
}{
	{"upserts", nil, true},
	{"exactly once", []any{"is_exactly_once", true}, true},
	{"inserts", []any{"enable_upsert", false, "create_index", false}, false},
}

func (s Suite) testSink(t *testing.T) {
	for _, way := range sinkWays {
		t.Run(way.name, func(t *testing.T) {
			d := s.Open(t)
			p := s.Lookup(t, plugin.SinkRole)
			p.Commits = way.name == "exactly once"
			types := s.Types
			if types == nil {
				types = plugintest.ScalarTypes()
			}
			plugintest.Sink(t, plugintest.SinkCase{
				Plugin: p, Options: d.Options(way.pairs...), Types: types, Accept: s.Accept, Upserts: way.upserts,
				Read: func(ctx context.Context, tab *plugin.Table) ([][]any, error) { return s.readBack(ctx, d, tab) },
				Before: func(context.Context) error {
					d.Exec("DROP TABLE IF EXISTS " + s.Quote("rows"))
					return nil
				},
				Secrets: []string{secret},
				Broken:  append(s.broken(d), d.Options("table", "a.b.c.d")),
			})
		})
	}
}

// readBack reads a target by the source.
func (s Suite) readBack(ctx context.Context, d *dbtest.Database, tab *plugin.Table) ([][]any, error) {
	out := &Collector{}
	if err := s.collect(ctx, d.Options("table_path", s.Path(d, tab.ID.Name)), out); err != nil {
		return nil, err
	}
	for i, c := range tab.Columns {
		if s.SameKinds && out.Table != nil && out.Table.Columns[i].Type.Kind != c.Type.Kind {
			return nil, fmt.Errorf("column %s came back as %s, not %s", c.Name, out.Table.Columns[i].Type, c.Type)
		}
	}
	return out.Values, nil
}

// people is a table that every database can hold; one of its names needs quotes.
func people(t testing.TB, key ...int) *plugin.Table { return Table(t, peopleTable(key...)) }

func peopleTable(key ...int) plugin.Table {
	return plugin.Table{
		ID: plugin.TableID{Name: "people"}, Key: key,
		Columns: []plugin.Column{
			{Name: "id", Type: plugin.TypeOf(plugin.Int)}, {Name: "Na`m\"e", Type: plugin.TypeOf(plugin.String), Length: 50},
			{Name: "n", Type: plugin.TypeOf(plugin.BigInt)},
		},
	}
}

func checkText(t testing.TB, err error, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(fmt.Sprint(err), part) {
			t.Errorf("error %q does not say %q", err, part)
		}
	}
}
