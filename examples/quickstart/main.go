// Command quickstart moves real data with nothing installed: it makes a CSV file of a million orders, once, and runs
// a job that reads it in two lanes, drops and renames columns, and loads a SQLite database.
//
//	go run ./examples/quickstart
//
// Everything is below the directory of -dir; delete it to start over.
package main

import (
	"context"
	"database/sql"
	_ "embed"
	"flag"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"time"

	"github.com/culvertdata/culvert/engine"
	"github.com/culvertdata/culvert/examples/internal/progress"
	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/file"
	"github.com/culvertdata/culvert/plugin/jdbc/sqlite"
	"github.com/culvertdata/culvert/plugin/transform"
)

//go:embed job.conf
var job []byte

func main() {
	dir := flag.String("dir", "quickstart-data", "directory of the data")
	rows := flag.Int64("rows", 1_000_000, "rows of the CSV file")
	flag.Parse()
	if err := run(context.Background(), *dir, *rows); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, dir string, rows int64) error {
	orders := filepath.Join(dir, "orders.csv")
	if err := makeOrders(orders, rows); err != nil {
		return err
	}
	database := filepath.Join(dir, "orders.db")
	result, err := load(ctx, dir, orders, database, rows)
	if err != nil {
		return err
	}
	fmt.Printf("\njob %d: %s, %s rows in %.2f s\n\n", result.ID, result.State, progress.Thousands(result.RowsOut),
		result.Duration.Seconds())
	return show(ctx, database)
}

// load runs the job: this is all that a host program needs.
func load(ctx context.Context, dir, orders, database string, rows int64) (*engine.Result, error) {
	eng, err := engine.Open(engine.Options{
		Dir:     filepath.Join(dir, "store"),
		Plugins: plugin.NewRegistry(file.Plugins, transform.Plugins, sqlite.Plugins),
	})
	if err != nil {
		return nil, err
	}
	defer eng.Close(ctx)
	running, err := eng.Submit(ctx, job, engine.SubmitOptions{
		Variables: map[string]string{"orders": orders, "database": database},
	})
	if err != nil {
		return nil, err
	}
	return progress.Watch(ctx, os.Stdout, running, rows)
}

// show prints what arrived.
func show(ctx context.Context, database string) error {
	db, err := sql.Open("sqlite", database)
	if err != nil {
		return err
	}
	defer db.Close()
	rows, err := db.QueryContext(ctx, `SELECT country, COUNT(*), SUM(items), ROUND(AVG(rating), 3), MAX(ordered)
		FROM orders GROUP BY country ORDER BY 2 DESC, 1`)
	if err != nil {
		return err
	}
	defer rows.Close()
	fmt.Printf("%-8s %10s %10s %8s  %s\n", "country", "orders", "items", "rating", "last order")
	for rows.Next() {
		var country, last string
		var orders, items int64
		var rating float64
		if err := rows.Scan(&country, &orders, &items, &rating, &last); err != nil {
			return err
		}
		fmt.Printf("%-8s %10s %10s %8.3f  %s\n", country, progress.Thousands(orders), progress.Thousands(items), rating,
			last)
	}
	return rows.Err()
}

// makeOrders writes the CSV file if it is not there with the right number of rows.
func makeOrders(path string, rows int64) error {
	name := fmt.Sprintf("%s.%d", path, rows)
	if _, err := os.Stat(name); err == nil {
		return nil
	}
	begun := time.Now()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	if err := writeOrders(path, rows); err != nil {
		return fmt.Errorf("making %s: %w", path, err)
	}
	fmt.Printf("made %s with %s rows in %.2f s\n", path, progress.Thousands(rows), time.Since(begun).Seconds())
	return os.WriteFile(name, nil, 0o644)
}
