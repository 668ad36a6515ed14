package file

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/column"
	"github.com/culvertdata/culvert/plugin/file/internal/fsys"
)

// paths returns the options path and tmp_path below a new directory.
func paths(t testing.TB) (dir, text string) {
	t.Helper()
	dir = t.TempDir()
	return dir, fmt.Sprintf("path = \"%[1]s/out\", tmp_path = \"%[1]s/tmp\"\n", dir)
}

// tree returns the files below a directory by their relative paths, with the random part of names replaced.
func tree(t testing.TB, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	hash := regexp.MustCompile(`T_42_[0-9a-f]{10}_`)
	for _, path := range visible(t, dir) {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			t.Fatal(err)
		}
		files[hash.ReplaceAllString(filepath.ToSlash(rel), "T_42_#_")] = string(text)
	}
	return files
}

// writeAll writes batches in one lane, with a checkpoint after each.
func writeAll(t testing.TB, s *sink, batches ...plugin.Batch) {
	t.Helper()
	if err := s.Prepare(t.Context(), s.env.Inputs); err != nil {
		t.Fatal(err)
	}
	w, err := s.Writer(t.Context(), plugin.Task{Env: s.env, Index: 3})
	if err != nil {
		t.Fatal(err)
	}
	for i, b := range batches {
		if err := w.Write(t.Context(), b); err != nil {
			t.Fatal(err)
		}
		token, err := w.Flush(t.Context(), uint64(i+1))
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Commit(t.Context(), uint64(i+1), [][]byte{token, nil}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestSinkLayout(t *testing.T) {
	table := numberedTable(t)
	for _, tc := range []struct {
		name, options string
		want          map[string]string
	}{
		{"plain", `file_format_type = csv`, map[string]string{
			"T_42_#_3_1_0.csv": "0,p0,text of 0\n1,p1,text of 1", "T_42_#_3_2_1.csv": "2,p2,text of 2\n3,p0,text of 3"}},
		{"default format", ``, map[string]string{
			"T_42_#_3_1_0.txt": "0\x01p0\x01text of 0\n1\x01p1\x01text of 1",
			"T_42_#_3_2_1.txt": "2\x01p2\x01text of 2\n3\x01p0\x01text of 3"}},
		{"json", `file_format_type = json, sink_columns = [text, n]`, map[string]string{
			"T_42_#_3_1_0.json": `{"text":"text of 0","n":0}` + "\n" + `{"text":"text of 1","n":1}`,
			"T_42_#_3_2_1.json": `{"text":"text of 2","n":2}` + "\n" + `{"text":"text of 3","n":3}`}},
		{"partitions", `file_format_type = csv, partition_by = [part], enable_header_write = true`, map[string]string{
			"part=p0/T_42_#_3_1_0.csv": "n,text\n0,text of 0", "part=p1/T_42_#_3_1_1.csv": "n,text\n1,text of 1",
			"part=p2/T_42_#_3_2_2.csv": "n,text\n2,text of 2", "part=p0/T_42_#_3_2_3.csv": "n,text\n3,text of 3"}},
		{"partition expression", `file_format_type = csv, partition_by = [part, n],
			partition_dir_expression = "x/${v1}-${k0}", is_partition_field_write_in_file = true, sink_columns = [n]`,
			map[string]string{
				"x/0-part/T_42_#_3_1_0.csv": "0", "x/1-part/T_42_#_3_1_1.csv": "1",
				"x/2-part/T_42_#_3_2_2.csv": "2", "x/3-part/T_42_#_3_2_3.csv": "3"}},
		{"rows", `file_format_type = text, batch_size = 1, field_delimiter = "|", row_delimiter = "#"`, map[string]string{
			"T_42_#_3_1_0.txt": "0|p0|text of 0", "T_42_#_3_1_1.txt": "1|p1|text of 1",
			"T_42_#_3_2_2.txt": "2|p2|text of 2", "T_42_#_3_2_3.txt": "3|p0|text of 3"}},
		{"names", `file_format_type = csv, file_name_expression = "${now}-${transactionId}",
			filename_time_format = "yyyyMMdd_HHmm"`,
			map[string]string{"20240506_0708-T_42_#_3_1_0.csv": "0,p0,text of 0\n1,p1,text of 1",
				"20240506_0708-T_42_#_3_2_1.csv": "2,p2,text of 2\n3,p0,text of 3"}},
		{"time by its pattern", `file_format_type = csv, file_name_expression = "${yyyy.MM}-${transactionId}",
			filename_time_format = "yyyy.MM"`,
			map[string]string{"2024.05-T_42_#_3_1_0.csv": "0,p0,text of 0\n1,p1,text of 1",
				"2024.05-T_42_#_3_2_1.csv": "2,p2,text of 2\n3,p0,text of 3"}},
		{"no transactions", `file_format_type = csv, is_enable_transaction = false, file_name_expression = rows`,
			map[string]string{"rows_0.csv": "0,p0,text of 0\n1,p1,text of 1", "rows_1.csv": "2,p2,text of 2\n3,p0,text of 3"}},
		{"few open files", `file_format_type = csv, partition_by = [part], max.open.files = 1`, map[string]string{
			"part=p0/T_42_#_3_1_0.csv": "0,text of 0", "part=p1/T_42_#_3_1_1.csv": "1,text of 1",
			"part=p2/T_42_#_3_2_2.csv": "2,text of 2", "part=p0/T_42_#_3_2_3.csv": "3,text of 3"}},
	} {
		dir, text := paths(t)
		s, err := openTestSink(t, text+tc.options, table)
		if err != nil {
			t.Errorf("%s: %v", tc.name, err)
			continue
		}
		writeAll(t, s, numbered(table, 0, 2), numbered(table, 2, 4))
		if diff := cmp.Diff(tc.want, tree(t, filepath.Join(dir, "out"))); diff != "" {
			t.Errorf("%s: %s", tc.name, diff)
		}
		if left := visible(t, filepath.Join(dir, "tmp")); len(left) > 0 {
			t.Errorf("%s: staged files are left: %v", tc.name, left)
		}
	}
}

func TestNothingIsVisibleBeforeCommit(t *testing.T) {
	dir, text := paths(t)
	table := numberedTable(t)
	s, err := openTestSink(t, text+"file_format_type = csv, batch_size = 2", table)
	if err != nil {
		t.Fatal(err)
	}
	w, err := s.Writer(t.Context(), plugin.Task{Env: s.env, Epoch: 6})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Write(t.Context(), numbered(table, 0, 5)); err != nil {
		t.Fatal(err)
	}
	token, err := w.Flush(t.Context(), 9)
	if err != nil {
		t.Fatal(err)
	}
	if got := visible(t, filepath.Join(dir, "out")); len(got) > 0 {
		t.Errorf("visible before the commit: %v", got)
	}
	for range 2 { // a commit may come again
		if err := s.Commit(t.Context(), 9, [][]byte{token}); err != nil {
			t.Fatal(err)
		}
	}
	checkNumbers(t, filepath.Join(dir, "out"), 5, "after the commit")
	if token, err := w.Flush(t.Context(), 10); err != nil || token != nil {
		t.Errorf("nothing written: token %s, %v", token, err)
	}
	if err := w.Write(t.Context(), numbered(table, 5, 6)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Error(err)
	}
	if err := errors.Join(s.Abort(t.Context(), 10), s.Abort(t.Context(), 10)); err != nil {
		t.Error(err)
	}
	if left := visible(t, filepath.Join(dir, "tmp")); len(left) > 0 {
		t.Errorf("left after abort: %v", left)
	}
	checkNumbers(t, filepath.Join(dir, "out"), 5, "after the abort")
}

func TestAbortKeepsWhatIsDurable(t *testing.T) {
	dir, text := paths(t)
	table := numberedTable(t)
	s, err := openTestSink(t, text+"file_format_type = csv", table)
	if err != nil {
		t.Fatal(err)
	}
	w, err := s.Writer(t.Context(), plugin.Task{Env: s.env})
	if err != nil {
		t.Fatal(err)
	}
	var tokens [][]byte
	for epoch := uint64(1); epoch <= 3; epoch++ {
		if err := w.Write(t.Context(), numbered(table, int(epoch)-1, int(epoch))); err != nil {
			t.Fatal(err)
		}
		token, err := w.Flush(t.Context(), epoch)
		if err != nil {
			t.Fatal(err)
		}
		tokens = append(tokens, token)
	}
	if err := s.Abort(t.Context(), 2); err != nil {
		t.Fatal(err)
	}
	if err := s.Commit(t.Context(), 2, tokens[:2]); err != nil {
		t.Fatal(err)
	}
	checkNumbers(t, filepath.Join(dir, "out"), 2, "after the abort")
	err = s.Commit(t.Context(), 3, tokens[2:])
	if err == nil || !strings.Contains(err.Error(), "rows are lost") {
		t.Errorf("commit of what was dropped: %v", err)
	}
}

func TestOtherFilesAreNeverReplaced(t *testing.T) {
	dir, text := paths(t)
	table := numberedTable(t)
	s, err := openTestSink(t, text+"file_format_type = csv", table)
	if err != nil {
		t.Fatal(err)
	}
	w, err := s.Writer(t.Context(), plugin.Task{Env: s.env})
	if err != nil {
		t.Fatal(err)
	}
	name := s.layout.file(s.layout.transaction(0, 1), 0, s.env.Now())
	put(t, dir, "out/"+name, "not ours")
	if err := w.Write(t.Context(), numbered(table, 0, 1)); err != nil {
		t.Fatal(err)
	}
	token, err := w.Flush(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	taken := put(t, dir, "out/"+s.layout.file(s.layout.transaction(0, 1), 1, s.env.Now()), "not ours either")
	err = s.Commit(t.Context(), 1, [][]byte{token})
	var known *plugin.Error
	if !errors.As(err, &known) || known.Code != plugin.CodeExists || !known.Retry {
		t.Fatalf("error %v", err)
	}
	if err := os.Remove(taken); err != nil {
		t.Fatal(err)
	}
	if err := s.Commit(t.Context(), 1, [][]byte{token}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"0,p0,text of 0", "not ours"}, committed(t, filepath.Join(dir, "out"))); diff != "" {
		t.Error(diff)
	}
}

func TestSaveModes(t *testing.T) {
	table := numberedTable(t)
	for _, tc := range []struct {
		options string
		exists  bool
		want    string // error
		left    int
	}{
		{"", false, "", 0}, {"", true, "", 2},
		{"schema_save_mode = RECREATE_SCHEMA", true, "", 0}, {"schema_save_mode = RECREATE_SCHEMA", false, "", 0},
		{"schema_save_mode = ERROR_WHEN_SCHEMA_NOT_EXIST", true, "", 2},
		{"schema_save_mode = ERROR_WHEN_SCHEMA_NOT_EXIST", false, "make the directory", 0},
		{"schema_save_mode = IGNORE", false, "", -1},
		{"data_save_mode = DROP_DATA", true, "", 0},
		{"data_save_mode = ERROR_WHEN_DATA_EXISTS", true, "holds data", 2},
		{"data_save_mode = ERROR_WHEN_DATA_EXISTS", false, "", 0},
		{"data_save_mode = ERROR_WHEN_DATA_EXISTS, schema_save_mode = IGNORE", false, "", -1},
	} {
		dir, text := paths(t)
		if tc.exists {
			put(t, dir, "out/a.csv", "x")
			put(t, dir, "out/deep/b.csv", "x")
		}
		s, err := openTestSink(t, text+tc.options, table)
		if err != nil {
			t.Fatal(err)
		}
		err = s.Prepare(t.Context(), []*plugin.Table{table})
		if (tc.want == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: error %v, want %q", tc.options, err, tc.want)
		}
		if n := len(visible(t, filepath.Join(dir, "out"))); n != max(tc.left, 0) {
			t.Errorf("%s: %d files left, want %d", tc.options, n, tc.left)
		}
		if _, err := os.Stat(filepath.Join(dir, "out")); (err == nil) != (tc.left >= 0 && tc.want != "make the directory") {
			t.Errorf("%s: directory: %v", tc.options, err)
		}
	}
}

func TestWorkDirectoryIsNotEmptied(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "kept", "x")
	s, err := openTestSink(t, fmt.Sprintf("path = %[1]q, tmp_path = %[1]q, data_save_mode = DROP_DATA", dir),
		numberedTable(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Prepare(t.Context(), s.env.Inputs); err == nil || !strings.Contains(err.Error(), "work directory") {
		t.Errorf("error %v", err)
	}
	if len(visible(t, dir)) != 1 {
		t.Error("the file is gone")
	}
}

func TestSinkConfigProblems(t *testing.T) {
	table := numberedTable(t)
	for _, tc := range []struct{ options, want string }{
		{`file_name_expression = rows`, "must contain ${transactionId}"},
		{`file_name_expression = "${transactionID}"`, "${transactionID} is not known"},
		{`file_name_expression = "a/${transactionId}"`, "without directories"},
		{`filename_time_format = "yyyy-ww"`, "ww is not supported"},
		{`tmp_path = "s3a://bucket/dir"`, "tmp_path: \"s3a://bucket/dir\" is no local path"},
		{`file_format_type = excel`, "excel is not supported yet"},
		{`file_format_type = csv, compress_codec = snappy`, "none, lzo, gzip, zstd, not snappy"},
		{`sink_columns = [n, tekst]`, `did you mean "text"`},
		{`partition_by = [parts]`, `did you mean "part"`},
		{`partition_by = [n, part, text]`, "no column is left"},
		{`partition_by = [part], partition_dir_expression = "${v1}"`, "counted from 0"},
		{`partition_by = [part], partition_dir_expression = "${part}"`, "${part} is not known"},
		{`date_format = "dd/MM"`, "dd/MM"},
		{`encoding = klingon`, "klingon"},
		{`batch_size = 0`, "too small"},
		{`data_save_mode = CUSTOM_PROCESSING`, "not allowed"},
	} {
		_, text := paths(t)
		_, err := openTestSink(t, text+tc.options, table)
		if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: error %v, want %q", tc.options, err, tc.want)
		}
	}
}

func TestDelivery(t *testing.T) {
	_, text := paths(t)
	for more, want := range map[string]plugin.Delivery{"": plugin.TwoPhase,
		"is_enable_transaction = false": plugin.Repeats} {
		s, err := openTestSink(t, text+more, numberedTable(t))
		if err != nil {
			t.Fatal(err)
		}
		if got := s.Delivery(nil); got != want {
			t.Errorf("%q: %v", more, got)
		}
	}
	if err := plugin.NewRegistry(Plugins).Err(); err != nil {
		t.Error(err)
	}
}

func TestPartitionValuesStayInside(t *testing.T) {
	table := numberedTable(t)
	for _, value := range []string{"..", "../../etc", "a/../b", ".", "a//b", "/", "x\x00y"} {
		_, text := paths(t)
		s, err := openTestSink(t, text+`partition_by = [part], partition_dir_expression = "${v0}"`, table)
		if err != nil {
			t.Fatal(err)
		}
		w, err := s.Writer(t.Context(), plugin.Task{Env: s.env})
		if err != nil {
			t.Fatal(err)
		}
		build := column.NewBuilder(table, column.NewPool())
		if err := build.AppendRow(plugin.Insert, 1, value, "x"); err != nil {
			t.Fatal(err)
		}
		b := build.Batch()
		err = w.Write(t.Context(), b)
		b.Release()
		var known *plugin.Error
		if !errors.As(err, &known) || known.Code != plugin.CodeData || known.Retry {
			t.Errorf("%q: error %v", value, err)
		}
		if _, flushErr := w.Flush(t.Context(), 1); flushErr == nil {
			t.Errorf("%q: the flush after a failed write succeeded", value)
		}
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestNullPartition(t *testing.T) {
	table := numberedTable(t)
	dir, text := paths(t)
	s, err := openTestSink(t, text+"file_format_type = csv, partition_by = [part]", table)
	if err != nil {
		t.Fatal(err)
	}
	build := column.NewBuilder(table, column.NewPool())
	for i, part := range []any{nil, "", "p"} {
		if err := build.AppendRow(plugin.Insert, i, part, "x"); err != nil {
			t.Fatal(err)
		}
	}
	b := build.Batch()
	defer b.Release()
	writeAll(t, s, b)
	want := map[string]string{"part=__HIVE_DEFAULT_PARTITION__/T_42_#_3_1_0.csv": "0,x", "part=/T_42_#_3_1_1.csv": "1,x",
		"part=p/T_42_#_3_1_2.csv": "2,x"}
	if diff := cmp.Diff(want, tree(t, filepath.Join(dir, "out"))); diff != "" {
		t.Error(diff)
	}
}

func TestRolling(t *testing.T) {
	table := numberedTable(t)
	dir, text := paths(t)
	s, err := openTestSink(t, text+"file_format_type = csv, file.roll.size = 40, file.roll.interval = 60000", table)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	s.env.Now = func() time.Time { return now }
	w, err := s.Writer(t.Context(), plugin.Task{Env: s.env})
	if err != nil {
		t.Fatal(err)
	}
	for i, pause := range []time.Duration{0, 0, time.Minute, 0, 59 * time.Second, time.Second} {
		now = now.Add(pause)
		if err := w.Write(t.Context(), numbered(table, i, i+1)); err != nil {
			t.Fatal(err)
		}
	}
	token, err := w.Flush(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Commit(t.Context(), 1, [][]byte{token}); err != nil {
		t.Fatal(err)
	}
	var rows []int
	for _, name := range slices.Sorted(func(yield func(string) bool) {
		for name := range tree(t, filepath.Join(dir, "out")) {
			if !yield(name) {
				return
			}
		}
	}) {
		rows = append(rows, strings.Count(tree(t, filepath.Join(dir, "out"))[name], "\n")+1)
	}
	if diff := cmp.Diff([]int{2, 3, 1}, rows); diff != "" {
		t.Errorf("rows of the files: %s", diff)
	}
	checkNumbers(t, filepath.Join(dir, "out"), 6, "rolled")
}

// brokenFS fails in ways that disks do.
type brokenFS struct {
	fsys.OS
	full   bool
	device bool
}

func (b *brokenFS) Create(name string) (fsys.File, error) {
	f, err := b.OS.Create(name)
	return &fullFile{f, b, name}, err
}

func (b *brokenFS) Rename(from, to string) error {
	if b.device && filepath.Dir(from) != filepath.Dir(to) {
		return &os.LinkError{Op: "rename", Old: from, New: to, Err: syscall.EXDEV}
	}
	return b.OS.Rename(from, to)
}

type fullFile struct {
	fsys.File
	fs   *brokenFS
	name string
}

func (f *fullFile) Write(p []byte) (int, error) {
	if f.fs.full {
		n, _ := f.File.Write(p[:len(p)/2])
		return n, &fs.PathError{Op: "write", Path: f.name, Err: syscall.ENOSPC}
	}
	return f.File.Write(p)
}

func TestDiskFull(t *testing.T) {
	dir, text := paths(t)
	table := numberedTable(t)
	broken := &brokenFS{full: true}
	run := func() error {
		s, err := openTestSink(t, text+"file_format_type = csv", table)
		if err != nil {
			return err
		}
		s.fs = broken
		if err := s.Abort(t.Context(), 0); err != nil {
			return err
		}
		w, err := s.Writer(t.Context(), plugin.Task{Env: s.env})
		if err != nil {
			return err
		}
		defer w.Close()
		if err := w.Write(t.Context(), numbered(table, 0, 20)); err != nil {
			return err
		}
		token, err := w.Flush(t.Context(), 1)
		if err != nil {
			return err
		}
		return s.Commit(t.Context(), 1, [][]byte{token})
	}
	err := run()
	var known *plugin.Error
	if !errors.As(err, &known) || !known.Retry || !strings.Contains(err.Error(), "disk is full") ||
		!strings.Contains(err.Error(), ".csv") {
		t.Errorf("error %v", err)
	}
	broken.full = false
	if err := run(); err != nil {
		t.Fatal(err)
	}
	checkNumbers(t, filepath.Join(dir, "out"), 20, "after the retry")
}

func TestOtherFileSystem(t *testing.T) {
	dir, text := paths(t)
	table := numberedTable(t)
	s, err := openTestSink(t, text+"file_format_type = csv", table)
	if err != nil {
		t.Fatal(err)
	}
	s.fs = &brokenFS{device: true}
	put(t, dir, "out/."+s.layout.file(s.layout.transaction(3, 1), 0, s.env.Now())+".part", "half of an earlier copy")
	writeAll(t, s, numbered(table, 0, 20), numbered(table, 20, 30))
	checkNumbers(t, filepath.Join(dir, "out"), 30, "copied")
	if left := append(visible(t, filepath.Join(dir, "tmp")), visible(t, filepath.Join(dir, "out"))...); len(left) != 2 {
		t.Errorf("files: %v", left)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	token := []byte(`{"moves":[{"from":"/a","to":"` + dir + `/b"}]}`)
	if err := s.Commit(ctx, 9, [][]byte{token}); !errors.Is(err, context.Canceled) {
		t.Errorf("canceled: %v", err)
	}
}

func TestSinksOfOneJobDoNotMeet(t *testing.T) {
	_, text := paths(t)
	seen := map[string]bool{}
	for _, vertex := range []string{"Sink[0]-LocalFile", "Sink[1]-LocalFile"} {
		for _, name := range []string{"a", "b"} {
			env := testEnv(&plugin.Table{ID: plugin.TableID{Name: name}})
			env.Vertex = vertex
			var o SinkOptions
			o.Path, o.TmpPath, o.NameExpression, o.Transactional = text, "/tmp", "${transactionId}", true
			l, err := newLayout(o, env, ".csv")
			if err != nil {
				t.Fatal(err)
			}
			if seen[l.stage] {
				t.Errorf("%s is used twice", l.stage)
			}
			seen[l.stage] = true
		}
	}
}

func TestCompressedSink(t *testing.T) {
	table := numberedTable(t)
	for _, name := range []string{"lzo", "gzip", "zstd"} {
		dir, text := paths(t)
		s, err := openTestSink(t, text+"file_format_type = csv, compress_codec = "+name, table)
		if err != nil {
			t.Fatal(err)
		}
		writeAll(t, s, numbered(table, 0, 3000))
		got, err := read(t, fmt.Sprintf("path = \"%s/out\", file_format_type = csv, parse_partition_from_path = false\n"+
			"schema { fields { n = int, part = string, text = string } }", dir))
		if err != nil || len(got) != 3000 || got[2999] != "2999|p2|text of 2999" {
			t.Errorf("%s: %d rows, %v", name, len(got), err)
		}
		for path := range tree(t, filepath.Join(dir, "out")) {
			if !regexp.MustCompile(`^T_42_#_3_1_0\.(lzo|gz|zst)\.csv$`).MatchString(path) {
				t.Errorf("%s: file %s", name, path)
			}
		}
	}
}

// TestWithoutTransactions: rows that were flushed stay through a crash and a restart, which may repeat later ones.
func TestWithoutTransactions(t *testing.T) {
	dir, text := paths(t)
	table := numberedTable(t)
	start := func(epoch uint64) (*sink, plugin.Writer) {
		s, err := openTestSink(t, text+"file_format_type = csv, is_enable_transaction = false", table)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Abort(t.Context(), epoch); err != nil {
			t.Fatal(err)
		}
		w, err := s.Writer(t.Context(), plugin.Task{Env: s.env, Epoch: epoch})
		if err != nil {
			t.Fatal(err)
		}
		return s, w
	}
	write := func(w plugin.Writer, from, to int) {
		b := numbered(table, from, to)
		defer b.Release()
		if err := w.Write(t.Context(), b); err != nil {
			t.Fatal(err)
		}
	}
	_, w := start(0)
	write(w, 0, 10)
	if token, err := w.Flush(t.Context(), 1); err != nil || token != nil {
		t.Fatalf("token %s, %v", token, err)
	}
	checkNumbers(t, filepath.Join(dir, "out"), 10, "after the flush")
	write(w, 10, 15)
	if err := w.Close(); err != nil { // canceled: the rows are kept
		t.Fatal(err)
	}
	checkNumbers(t, filepath.Join(dir, "out"), 15, "after the end")

	_, w = start(1)
	write(w, 10, 20)
	if _, err := w.Flush(t.Context(), 2); err != nil {
		t.Fatal(err)
	}
	got := slices.Compact(committed(t, filepath.Join(dir, "out")))
	if len(got) != 20 {
		t.Errorf("%d different rows, want 20", len(got))
	}
	if err := w.Close(); err != nil {
		t.Error(err)
	}
}

// TestCommitWhileWriting: the coordinator commits an epoch while lanes write the next one, and removes directories that
// are empty for a moment.
func TestCommitWhileWriting(t *testing.T) {
	const epochs = 60
	dir, text := paths(t)
	table := numberedTable(t)
	s, err := openTestSink(t, text+"file_format_type = csv, partition_by = [part], "+
		"is_partition_field_write_in_file = true", table)
	if err != nil {
		t.Fatal(err)
	}
	tokens := make(chan []byte, epochs)
	done := make(chan error, 1)
	go func() {
		defer close(done)
		for token := range tokens {
			if err := s.Commit(t.Context(), 1, [][]byte{token}); err != nil {
				done <- err
				return
			}
		}
	}()
	w, err := s.Writer(t.Context(), plugin.Task{Env: s.env})
	if err != nil {
		t.Fatal(err)
	}
	for epoch := range epochs {
		b := numbered(table, epoch*3, epoch*3+3)
		err := w.Write(t.Context(), b)
		b.Release()
		if err != nil {
			t.Fatal(err)
		}
		token, err := w.Flush(t.Context(), uint64(epoch+1))
		if err != nil {
			t.Fatal(err)
		}
		tokens <- token
	}
	close(tokens)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	checkNumbers(t, filepath.Join(dir, "out"), 3*epochs, "after all commits")
	if err := w.Close(); err != nil {
		t.Error(err)
	}
}
