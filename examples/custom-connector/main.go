// Command custom-connector shows a source of one's own: it lists the files below a directory, and after a restart it
// goes on behind the last path of the checkpoint. The connector is the struct, the options and the function walk.
//
//	go run ./examples/custom-connector -root .
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"iter"
	"log"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/culvertdata/culvert/engine"
	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/console"
	"github.com/culvertdata/culvert/plugin/rows"
)

// File is a row.
type File struct {
	Path     string `culvert:",key"`
	Size     int64
	Modified time.Time
}

// Options are what a job file says.
type Options struct {
	Root string `opt:"root" required:"true" help:"Directory to list."`
}

// walk yields the files below the root in the order of their paths, those behind the last one of the checkpoint.
func walk(ctx context.Context, o Options, after *string) iter.Seq2[File, error] {
	return func(yield func(File, error) bool) {
		err := fs.WalkDir(os.DirFS(o.Root), ".", func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || after != nil && !behind(path, *after) {
				return errors.Join(err, ctx.Err())
			}
			info, err := d.Info()
			if err != nil {
				return err
			}
			if !yield(File{Path: path, Size: info.Size(), Modified: info.ModTime().Truncate(time.Second)}, nil) {
				return fs.SkipAll
			}
			return nil
		})
		if err != nil {
			yield(File{}, err)
		}
	}
}

// behind reports whether a walk comes to path after it has come to last: it goes by the names of each directory.
func behind(path, last string) bool {
	return slices.Compare(strings.Split(path, "/"), strings.Split(last, "/")) > 0
}

// Plugins is what a host puts into its registry.
func Plugins() []plugin.Plugin {
	info := plugin.Info{Name: "Files", Summary: "files below a directory", Batch: true}
	return []plugin.Plugin{rows.Cursor(info, walk, func(f File) string { return f.Path })}
}

const job = `
source { Files { root = "${root}", result_table_name = "files" } }
sink { Console { } }
`

func main() {
	root := flag.String("root", ".", "directory to list")
	flag.Parse()
	ctx := context.Background()
	eng, err := engine.Open(engine.Options{Plugins: plugin.NewRegistry(Plugins, console.To(os.Stdout))})
	if err != nil {
		log.Fatal(err)
	}
	defer eng.Close(ctx)
	running, err := eng.Submit(ctx, []byte(job), engine.SubmitOptions{Variables: map[string]string{"root": *root}})
	if err != nil {
		log.Fatal(err)
	}
	result, err := running.Wait(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(result.State, result.RowsOut, "files")
}
