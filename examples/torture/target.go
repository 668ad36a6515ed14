package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
)

// columnsOf returns the columns of a table, in any order; none if it does not exist.
func (d *database) columnsOf(ctx context.Context, table string) ([]string, error) {
	c, err := d.query(ctx, fmt.Sprintf(`SELECT column_name FROM information_schema.columns WHERE table_name = '%s' AND
		table_schema = '%s'`, table, d.namespace))
	if err != nil {
		return nil, err
	}
	defer c.close()
	var names []string
	for {
		row, err := c.next()
		if err != nil || row == "" {
			return names, err
		}
		names = append(names, strings.TrimPrefix(row, "|"))
	}
}

// readColumns reads columns of a table in the order of its key.
func (d *database) readColumns(ctx context.Context, table string, columns []string) (*cursor, error) {
	texts := slices.Clone(columns)
	for i, name := range columns {
		if known := slices.Index(columnNames[:], name); known >= 0 {
			texts[i] = d.texts[known]
		}
	}
	return d.query(ctx, "SELECT "+strings.Join(texts, ", ")+" FROM "+table+" ORDER BY id")
}

// jdbcTarget takes changes by the Jdbc sink.
type jdbcTarget struct{ *database }

func postgresTarget(s *server) target { return jdbcTarget{&database{kind: postgresKind(), server: s}} }

func (t jdbcTarget) sink(exact bool) string {
	return fmt.Sprintf(`  Jdbc {
    %s, database = postgres, table = "public.${table_name}", generate_sink_sql = true, primary_keys = [id]
    is_exactly_once = %t, multi_table_sink_replica = 1
  }`, t.access(), exact)
}

func (t jdbcTarget) clear(ctx context.Context, tables []string) error {
	return t.exec(ctx, "DROP TABLE IF EXISTS "+strings.Join(tables, ", "))
}

func (t jdbcTarget) columns(ctx context.Context, table string) ([]string, error) {
	return t.columnsOf(ctx, table)
}

func (t jdbcTarget) read(ctx context.Context, table string, columns []string) (rowReader, error) {
	return t.readColumns(ctx, table, columns)
}

// clickhouseTarget takes changes by the Clickhouse sink, into the tables that it makes.
type clickhouseTarget struct{ *server }

func newClickhouseTarget(s *server) target { return clickhouseTarget{s} }

func (t clickhouseTarget) sink(bool) string {
	return fmt.Sprintf(`  Clickhouse { host = "%s", database = default, table = "${table_name}" }`, t.url.Host)
}

func (t clickhouseTarget) clear(ctx context.Context, tables []string) error {
	for _, table := range tables {
		if _, err := t.ask(ctx, "DROP TABLE IF EXISTS "+table); err != nil {
			return err
		}
	}
	return nil
}

func (t clickhouseTarget) columns(ctx context.Context, table string) ([]string, error) {
	text, err := t.ask(ctx, fmt.Sprintf("SELECT name FROM system.columns WHERE database = 'default' AND table = '%s' AND "+
		"substring(name, 1, 1) != '_'", table))
	return strings.Fields(text), err
}

// clickhouseTexts are the columns as text, in the order of columnNames.
var clickhouseTexts = [8]string{"id", "n", "name", "note", "score", "amount", "toString(at)", "toInt8(ok)"}

func (t clickhouseTarget) read(ctx context.Context, table string, columns []string) (rowReader, error) {
	texts := slices.Clone(columns)
	for i, name := range columns {
		if known := slices.Index(columnNames[:], name); known >= 0 {
			texts[i] = clickhouseTexts[known]
		}
	}
	body, err := t.open(ctx, "SELECT "+strings.Join(texts, ", ")+" FROM "+table+" FINAL WHERE _deleted = 0 ORDER BY id")
	if err != nil {
		return nil, err
	}
	return &lineReader{body: body, lines: bufio.NewScanner(body)}, nil
}

func (t clickhouseTarget) open(ctx context.Context, query string) (io.ReadCloser, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, t.url.String(), strings.NewReader(query))
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		return nil, fmt.Errorf("clickhouse: %.80s: %s", query, text)
	}
	return resp.Body, nil
}

func (t clickhouseTarget) ask(ctx context.Context, query string) (string, error) {
	body, err := t.open(ctx, query)
	if err != nil {
		return "", err
	}
	defer body.Close()
	text, err := io.ReadAll(body)
	return string(text), err
}

// lineReader reads rows of tab-separated values.
type lineReader struct {
	body  io.ReadCloser
	lines *bufio.Scanner
}

var unescape = strings.NewReplacer(`\\`, `\`, `\t`, "\t", `\n`, "\n", `\'`, "'", `\N`, "NULL")

func (r *lineReader) next() (string, error) {
	if !r.lines.Scan() {
		return "", r.lines.Err()
	}
	text := ""
	for field := range strings.SplitSeq(r.lines.Text(), "\t") {
		text += "|" + unescape.Replace(field)
	}
	return text, nil
}

func (r *lineReader) close() error { return r.body.Close() }
