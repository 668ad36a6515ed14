package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// clickhouse is a ClickHouse server, by its HTTP interface. It is only written to.
type clickhouse struct {
	*databases
	address string
}

// The column changed is a DateTime64, or a String on servers that have no such type.
const clickhouseColumns = ` (id Int32, account Nullable(Int64), name Nullable(String), city Nullable(String),
	ratio Nullable(Float64), amount Nullable(Decimal(12,2)), changed Nullable(%s), active Nullable(UInt8))
	ENGINE = MergeTree ORDER BY id`

func (c *clickhouse) setUp(ctx context.Context) error {
	if c.address != "" {
		return nil
	}
	address, err := c.services.address(ctx, "clickhouse")
	if err != nil {
		return err
	}
	c.address = address
	if err := c.exec(ctx, "DROP TABLE IF EXISTS "+targetTable); err != nil {
		return err
	}
	timestamp := "DateTime64(6)"
	if err := c.exec(ctx, "SELECT CAST('2026-01-01 00:00:00' AS "+timestamp+")"); err != nil {
		timestamp = "String"
	}
	return c.exec(ctx, "CREATE TABLE "+targetTable+fmt.Sprintf(clickhouseColumns, timestamp))
}

// post runs a statement with data, which may be nil, and copies what it returns.
func (c *clickhouse) post(ctx context.Context, sql string, data io.Reader, to io.Writer) error {
	target := "http://" + c.address + "/?query=" + url.QueryEscape(sql)
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, target, data)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(response.Body, 1000))
		return fmt.Errorf("%s: %s", sql, text)
	}
	_, err = io.Copy(to, response.Body)
	return err
}

func (c *clickhouse) exec(ctx context.Context, sql string) error {
	return c.post(ctx, sql, nil, io.Discard)
}

func (c *clickhouse) source() string { return "" }

func (c *clickhouse) sink() string {
	return fmt.Sprintf("  Clickhouse {\n    host = %q, database = default, table = %s\n  }",
		c.address, targetTable)
}

// empty empties the target by making it anew, which old servers know, too.
func (c *clickhouse) empty(ctx context.Context) error {
	spare := targetTable + "_new"
	for _, sql := range []string{
		"DROP TABLE IF EXISTS " + spare, "CREATE TABLE " + spare + " AS " + targetTable, "DROP TABLE " + targetTable,
		"RENAME TABLE " + spare + " TO " + targetTable,
	} {
		if err := c.exec(ctx, sql); err != nil {
			return err
		}
	}
	return nil
}

func (c *clickhouse) count(ctx context.Context) (int64, error) {
	var text strings.Builder
	if err := c.post(ctx, "SELECT count() FROM "+targetTable, nil, &text); err != nil {
		return 0, err
	}
	return strconv.ParseInt(strings.TrimSpace(text.String()), 10, 64)
}

func (c *clickhouse) prepared() string { return filepath.Join(c.flags.dir, "clickhouse.native") }

func (c *clickhouse) prepare(ctx context.Context) error {
	f, err := os.Create(c.prepared())
	if err != nil {
		return err
	}
	return errors.Join(c.post(ctx, "SELECT * FROM "+targetTable+" FORMAT Native", nil, f), f.Close())
}

var errNoSource = errors.New("ClickHouse is only written to")

func (c *clickhouse) read(context.Context) error { return errNoSource }

func (c *clickhouse) write(ctx context.Context) error {
	f, err := os.Open(c.prepared())
	if err != nil {
		return err
	}
	defer f.Close()
	return c.post(ctx, "INSERT INTO "+targetTable+" FORMAT Native", f, io.Discard)
}

func (c *clickhouse) close(ctx context.Context) error {
	if c.address == "" {
		return nil
	}
	return errors.Join(c.exec(ctx, "DROP TABLE IF EXISTS "+targetTable), removeIfThere(c.prepared()))
}
