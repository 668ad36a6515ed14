package file

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/config"
	"github.com/culvertdata/culvert/plugin/file/format"
	"github.com/culvertdata/culvert/plugin/file/internal/delimited"
	"github.com/culvertdata/culvert/plugin/file/internal/jsonl"
)

// Name is the connector's name in job files.
const Name = "LocalFile"

// Plugins are the LocalFile source and sink with the formats text, csv and json.
func Plugins() []plugin.Plugin { return With()() }

// With returns a set of the LocalFile source and sink with the formats text, csv, json and those given. Of two with
// one name the last counts.
func With(more ...format.Format) plugin.Set {
	formats := linked(more...)
	return func() []plugin.Plugin {
		return []plugin.Plugin{
			plugin.NewSource(plugin.Info{
				Name:    Name,
				Summary: "Reads files of this machine: " + formats.names() + ".",
			}, formats.openSource),
			plugin.NewSink(plugin.Info{
				Name:       Name,
				Summary:    "Writes files on this machine: " + formats.names() + ".",
				MultiTable: true,
				PerTable:   true,
				Delivery:   plugin.TwoPhase,
				Commits:    true,
				Changes:    true,
			}, formats.openSink),
		}
	}
}

// formats are the formats that a program links, by name. It is never changed.
type formats map[string]format.Format

func linked(more ...format.Format) formats {
	fs := make(formats)
	for _, f := range append([]format.Format{delimited.Text(), delimited.CSV(), jsonl.JSON()}, more...) {
		fs[f.Info().Name] = f
	}
	return fs
}

func (fs formats) names() string {
	names := make([]string, 0, len(fs))
	for name := range fs {
		names = append(names, name)
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

// find returns a format, or what is wrong with file_format_type.
func (fs formats) find(name string) (format.Format, error) {
	f, ok := fs[name]
	if ok {
		return f, nil
	}
	text := fmt.Sprintf("%s is not supported yet; supported: %s", name, fs.names())
	if name == "parquet" {
		text = fmt.Sprintf("parquet is not part of this program, which has: %s; it is added by file.With(parquet.Format())",
			fs.names())
	}
	return nil, problem("file_format_type", "%s", text)
}

// problem is an error about an option that only the connector itself can find.
func problem(option, text string, args ...any) error {
	var ps config.Problems
	ps.Errorf(option, config.Pos{}, text, args...)
	return ps.Err()
}

func (fs formats) openSource(_ context.Context, o SourceOptions, env plugin.Env) (*source, error) {
	return newSource(o, env, fs)
}

func (fs formats) openSink(_ context.Context, o SinkOptions, env plugin.Env) (*sink, error) {
	return newSink(o, env, fs)
}
