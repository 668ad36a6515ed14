package file

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/file/internal/codec"
)

const idName = "schema { table = db.people, fields { id = int, name = string } }\n"

func TestDiscovery(t *testing.T) {
	dir := t.TempDir()
	for name, content := range map[string]string{
		"b.csv": "2,b\n", "a.csv": "1,a\n", "deep/er/c.csv": "3,c\n", "_SUCCESS": "x", ".hidden.csv": "9,h\n",
		".dir/d.csv": "9,d\n", "empty.csv": "", "day=1/e.txt": "4,e\n", "day=2/f.csv": "5,f\n",
	} {
		put(t, dir, name, content)
	}
	if err := os.Symlink(filepath.Join(dir, "a.csv"), filepath.Join(dir, "link.csv")); err != nil {
		t.Log(err)
	}
	for _, tc := range []struct {
		name, options string
		want          []string
	}{
		{"all", ``, []string{"1|a", "2|b", "4|e", "5|f", "3|c", "1|a"}},
		{"filter", `file_filter_pattern = "[a-c].csv"`, []string{"1|a", "2|b", "3|c"}},
		{"the whole name", `file_filter_pattern = "[a-c]"`, nil},
		{"partitions", `read_partitions = ["day=1", "deep"]`, []string{"4|e", "3|c"}},
	} {
		got, err := read(t, fmt.Sprintf("path = %q, file_format_type = csv, parse_partition_from_path = false, %s\n%s",
			dir, tc.options, idName))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tc.want, got); diff != "" {
			t.Errorf("%s: %s", tc.name, diff)
		}
	}
}

func TestPartitionColumns(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "name=ignored/day=2024-01-01/hour=7/a.csv", "1,a\n2,b\n")
	put(t, dir, "name=ignored/day=2024-01-02/b.csv", "3,c\n")
	text := fmt.Sprintf("path = %q, file_format_type = csv\n%s", dir, idName)
	s, err := openSource(t, text)
	if err != nil {
		t.Fatal(err)
	}
	tables, err := s.Tables(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"id", "name", "day", "hour"}, tables[0].Names()); diff != "" {
		t.Error(diff)
	}
	if got := tables[0].ID.String(); got != "db.people" {
		t.Errorf("table %s", got)
	}
	got, err := readRows(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"1|a|2024-01-01|7", "2|b|2024-01-01|7", "3|c|2024-01-02|<nil>"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestNoFiles(t *testing.T) {
	dir := t.TempDir()
	for _, more := range []string{"file_format_type = csv, " + idName, "file_format_type = text"} {
		got, err := read(t, fmt.Sprintf("path = %q, %s", dir, more))
		if err != nil || len(got) != 0 {
			t.Errorf("%q, %v", got, err)
		}
	}
}

func TestTableNames(t *testing.T) {
	put(t, t.TempDir(), "a.txt", "x")
	for _, tc := range []struct{ output, schema, want string }{
		{"", "", "default.default.default"}, {"out", "", "out"}, {"out", "schema { table = a.b.c }", "a.b.c"},
	} {
		p, _ := plugin.NewRegistry(Plugins).Lookup(plugin.SourceRole, "localfile")
		env := testEnv()
		env.Output = tc.output
		s, err := p.Source(t.Context(), options(t, fmt.Sprintf("path = %q, file_format_type = text\n%s", t.TempDir(),
			tc.schema)), env)
		if err != nil {
			t.Fatal(err)
		}
		tables, err := s.Tables(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if got := tables[0].ID.String(); got != tc.want {
			t.Errorf("%v: %s", tc, got)
		}
	}
}

func TestSeveralTables(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "one/a.csv", "1,a\n")
	put(t, dir, "two/b.json", `{"n":5}`)
	s, err := openSource(t, fmt.Sprintf(`tables_configs = [
		{ path = "%[1]s/one", file_format_type = csv, schema { table = one, fields { id = int, name = string } } }
		{ path = "%[1]s/two", file_format_type = json, schema { table = two, fields { n = bigint } } } ]`, dir))
	if err != nil {
		t.Fatal(err)
	}
	tables, err := s.Tables(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(tables) != 2 || tables[0].ID.Name != "one" || tables[1].ID.Name != "two" {
		t.Errorf("tables %v", tables)
	}
	splits, err := splitsOf(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	if len(splits) != 2 || splits[0].Table != tables[0].ID || splits[1].Table != tables[1].ID {
		t.Errorf("splits %v", splits)
	}
	got, err := readRows(t.Context(), s)
	if diff := cmp.Diff([]string{"1|a", "5"}, got); err != nil || diff != "" {
		t.Errorf("%v %s", err, diff)
	}
}

func TestReadColumns(t *testing.T) {
	path := put(t, t.TempDir(), "a.json", `{"id":1,"name":"x"}`)
	csv := put(t, t.TempDir(), "a.csv", "1,x\n")
	for _, tc := range []struct{ path, format, want string }{{csv, "csv", "x|1"}, {path, "json", "1|x"}} {
		got, err := read(t, fmt.Sprintf("path = %q, file_format_type = %s, read_columns = [name, id]\n%s", tc.path,
			tc.format, idName))
		if diff := cmp.Diff([]string{tc.want}, got); err != nil || diff != "" {
			t.Errorf("%s: %v %s", tc.format, err, diff)
		}
	}
}

// pack compresses a text.
func pack(t testing.TB, name, text string) string {
	t.Helper()
	var b bytes.Buffer
	w, err := codec.NewWriter(name, &b)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestCompressedFiles(t *testing.T) {
	for _, tc := range []struct{ name, codec, option string }{
		{"a.csv", codec.LZO, "compress_codec = lzo"}, {"a.lzo.csv", codec.LZO, ""}, {"a.csv.gz", codec.Gzip, ""},
		{"b.csv", codec.Zstd, "compress_codec = zstd"}, {"c.csv.zst", codec.Zstd, ""},
		{"plain.csv.gz", codec.None, "compress_codec = none"},
	} {
		dir := t.TempDir()
		put(t, dir, tc.name, pack(t, tc.codec, "id,name\n1,a\n2,b\n"))
		got, err := read(t, fmt.Sprintf("path = %q, file_format_type = csv, split.size = 5, "+
			"skip_header_row_number = 1, %s\n%s",
			dir, tc.option, idName))
		if diff := cmp.Diff([]string{"1|a", "2|b"}, got); err != nil || diff != "" {
			t.Errorf("%s: %v %s", tc.name, err, diff)
		}
	}
	_, err := read(t, fmt.Sprintf("path = %q, file_format_type = csv\n%s", put(t, t.TempDir(), "a.csv.gz", "1,a\n"),
		idName))
	if err == nil || !strings.Contains(err.Error(), "as gzip") || !strings.Contains(err.Error(), "compress_codec") {
		t.Errorf("error %v", err)
	}
}

// bigFile has so many lines, a header in front of them.
func bigFile(lines int) string {
	var b strings.Builder
	b.WriteString("id,name\n")
	for i := range lines {
		fmt.Fprintf(&b, "%d,name of %d\n", i, i)
	}
	return b.String()
}

func bigRows(lines int) []string {
	rows := make([]string, lines)
	for i := range rows {
		rows[i] = fmt.Sprintf("%d|name of %d", i, i)
	}
	return rows
}

// TestStopAndResume reads splits in any order, stops each after any batch, and goes on with a new source, as after a
// crash. It covers files in ranges, compressed ones and archives.
func TestStopAndResume(t *testing.T) {
	const lines = 30_000
	dir := t.TempDir()
	content := bigFile(lines)
	put(t, dir, "plain/a.csv", content)
	put(t, dir, "packed/a.csv", pack(t, codec.Gzip, content))
	archived := tarOf(t, map[string]string{"a.csv": bigFile(10_000), "b.csv": bigFile(20_000), "c.csv": "id,name\n"})
	put(t, dir, "archive/a.tar", archived)
	for _, tc := range []struct {
		name, options string
		splits        int
		want          []string
	}{
		{"plain", "split.size = 100000", 6, bigRows(lines)},
		{"plain", "split.size = 0", 1, bigRows(lines)},
		{"packed", "compress_codec = gzip", 1, bigRows(lines)},
		{"archive", "archive_compress_codec = tar", 1, append(bigRows(10_000), bigRows(20_000)...)},
	} {
		text := fmt.Sprintf("path = %q, file_format_type = csv, skip_header_row_number = 1, %s\n%s",
			filepath.Join(dir, tc.name), tc.options, idName)
		got := stopAndGoOn(t, text, tc.splits)
		slices.Sort(got)
		slices.Sort(tc.want)
		if !slices.Equal(got, tc.want) {
			t.Errorf("%s, %s: %d rows, want %d", tc.name, tc.options, len(got), len(tc.want))
		}
	}
}

func stopAndGoOn(t *testing.T, text string, wantSplits int) []string {
	t.Helper()
	rnd := rand.New(rand.NewPCG(3, 4))
	out := &collector{stop: 1}
	var queue []plugin.Split
	var state []byte
	for started := false; !started || len(queue) > 0; {
		s, err := openSource(t, text)
		if err != nil {
			t.Fatal(err)
		}
		splitter, err := s.Splits(t.Context(), state)
		if err != nil {
			t.Fatal(err)
		}
		more, err := splitter.Next(t.Context())
		if started != (err == io.EOF) {
			t.Fatalf("Next: %v, %v", more, err)
		}
		if !started && len(more) != wantSplits {
			t.Errorf("%d splits, want %d", len(more), wantSplits)
		}
		queue, started = append(queue, more...), true
		if state, err = splitter.State(); err != nil {
			t.Fatal(err)
		}
		i := rnd.IntN(len(queue))
		out.batches = 0
		done := readOnce(t, s, &queue[i], out)
		if done {
			queue = slices.Delete(queue, i, i+1)
		}
	}
	return out.rows
}

// readOnce reads one batch of a split and keeps the position in it.
func readOnce(t *testing.T, s plugin.Source, split *plugin.Split, out *collector) (done bool) {
	t.Helper()
	r, err := s.Reader(t.Context(), plugin.Task{Env: testEnv()})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if err := r.Open(t.Context(), *split); err != nil {
		t.Fatal(err)
	}
	err = r.Read(t.Context(), out)
	if err != nil && err != io.EOF {
		t.Fatal(err)
	}
	if split.State, err = r.Position(); err != nil {
		t.Fatal(err)
	}
	return out.batches == 0
}

func TestSplitsAreTheSameEachTime(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "b.csv", bigFile(1000))
	put(t, dir, "a.csv", bigFile(500))
	text := fmt.Sprintf("path = %q, file_format_type = csv, split.size = 4000\n%s", dir, idName)
	var before []plugin.Split
	for range 2 {
		s, err := openSource(t, text)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Tables(t.Context()); err != nil {
			t.Fatal(err)
		}
		splits, err := splitsOf(t.Context(), s)
		if err != nil {
			t.Fatal(err)
		}
		if before != nil {
			if diff := cmp.Diff(before, splits); diff != "" {
				t.Error(diff)
			}
		}
		before = splits
	}
	if len(before) < 6 || !strings.Contains(before[0].ID, "a.csv") {
		t.Errorf("splits %v", before)
	}
}

func TestChangedFile(t *testing.T) {
	for name, change := range map[string]func(path string) error{
		"grown":     func(path string) error { return os.WriteFile(path, []byte("1,a\n2,b\n3,c\n"), 0o666) },
		"cut":       func(path string) error { return os.Truncate(path, 5) },
		"rewritten": func(path string) error { return os.Chtimes(path, time.Time{}, time.Unix(1, 0)) },
		"gone":      os.Remove,
	} {
		path := put(t, t.TempDir(), "a.csv", "1,a\n2,b\n")
		s, err := openSource(t, fmt.Sprintf("path = %q, file_format_type = csv\n%s", path, idName))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Tables(t.Context()); err != nil {
			t.Fatal(err)
		}
		splits, err := splitsOf(t.Context(), s)
		if err != nil {
			t.Fatal(err)
		}
		if err := change(path); err != nil {
			t.Fatal(err)
		}
		r, err := s.Reader(t.Context(), plugin.Task{Env: testEnv()})
		if err != nil {
			t.Fatal(err)
		}
		err = r.Open(t.Context(), splits[0])
		var known *plugin.Error
		if !errors.As(err, &known) || known.Retry || !strings.Contains(err.Error(), "a.csv") {
			t.Errorf("%s: error %v", name, err)
		}
		if name != "gone" && !strings.Contains(err.Error(), "has changed") {
			t.Errorf("%s: error %v", name, err)
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestSourceConfigProblems(t *testing.T) {
	dir := t.TempDir()
	for _, tc := range []struct{ options, want string }{
		{`file_format_type = csv`, "exactly one of path, tables_configs"},
		{`path = x`, "file_format_type: is required"},
		{`path = x, file_format_type = cvs`, `did you mean "csv"`},
		{`path = x, file_format_type = orc`, "orc is not supported yet; supported: csv, json, text"},
		{`path = x, file_format_type = parquet`, "file.With(parquet.Format())"},
		{`path = "` + dir + `", file_format_type = csv`, "schema: is required"},
		{`path = "` + dir + `", file_format_type = json, schema { table = t }`, "schema: is required"},
		{`path = x, file_format_type = text, file_filter_pattern = "("`, "file_filter_pattern"},
		{`path = x, file_format_type = text, compress_codec = rar`, "compress_codec"},
		{`path = "` + dir + `", file_format_type = text, encoding = klingon, ` + idName, `encoding "klingon"`},
		{`path = "` + dir + `", file_format_type = text, field_delimiter = "|", ` + idName, "field_delimiter"},
		{`path = "` + dir + `", file_format_type = csv, read_columns = [nane], ` + idName, `did you mean "name"`},
		{`path = "` + dir + `/none", file_format_type = text`, "no such file"},
		{`tables_configs = [{ path = x, file_format_type = text }, { path = y, file_format_type = text }]`, "two tables"},
		{`tables_configs = [{ path = x, file_format_type = text, schema { table = a } },
			{ file_format_type = text, schema { table = b } }]`,
			"tables_configs[1].path: is required"},
		{`tables_configs = [{ path = x, file_format_type = xml, schema { table = a } }]`,
			"tables_configs[0].file_format_type: xml is not"},
	} {
		_, err := read(t, tc.options)
		if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: error %v, want %q", tc.options, err, tc.want)
		}
	}
}
