package file

import (
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestJavaTime(t *testing.T) {
	at := time.Date(2024, 5, 6, 17, 8, 9, 123456789, time.UTC)
	for pattern, want := range map[string]string{
		"yyyy.MM.dd": "2024.05.06", "yyyyMMddHHmmss": "20240506170809", "yy-M-d": "24-5-6", "uuuu": "2024", "y": "2024",
		"hh a": "05 PM", "h": "5", "H:m:s": "17:8:9", "ss.SSS": "09.123", "SSSSSSSSS": "123456789", "MMM MMMM": "May May",
		"E EEEE": "Mon Monday", "yyyy'T'HH": "2024T17", "''yyyy''": "'2024'", "'it''s' dd": "it's 06", "": "", "_": "_",
		"yyyy年MM月": "2024年05月",
	} {
		j, err := parseJavaTime(pattern)
		if err != nil {
			t.Errorf("%s: %v", pattern, err)
		} else if got := j.Format(at); got != want {
			t.Errorf("%s: %s, want %s", pattern, got, want)
		}
	}
	for _, pattern := range []string{"ww", "yyyyy", "ddd", "'open", "z", "XXX", "HHH", "SSSSSSSSSS"} {
		if _, err := parseJavaTime(pattern); err == nil || !strings.Contains(err.Error(), pattern) {
			t.Errorf("%s: error %v", pattern, err)
		}
	}
	midnight, err := parseJavaTime("hh")
	if err != nil {
		t.Fatal(err)
	}
	if got := midnight.Format(time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)); got != "12" {
		t.Errorf("midnight is %s on a clock of twelve hours", got)
	}
}

func TestLocalPath(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	for path, want := range map[string]string{
		"/a/b": "/a/b", "file:///a/b": "/a/b", "file:/a/b/": "/a/b", "a/b": filepath.Join(dir, "a/b"),
		"file:a": filepath.Join(dir, "file:a"), "/": "/",
	} {
		if got, err := localPath(path); err != nil || got != want {
			t.Errorf("%s: %s, %v; want %s", path, got, err, want)
		}
	}
	for _, path := range []string{"hdfs://host/a", "s3a://bucket/a", "file://host/a"} {
		if got, err := localPath(path); err == nil || !strings.Contains(err.Error(), "no local path") {
			t.Errorf("%s: %s, %v", path, got, err)
		}
	}
}

func TestPartitionDir(t *testing.T) {
	names, values := []string{"day", "hour"}, []string{"2024-01-02", "7"}
	for expression, want := range map[string]string{
		"": "day=2024-01-02/hour=7", defaultPartitionDir: "day=2024-01-02/hour=7", "${k0}=${v0}": "day=2024-01-02",
		"${v1}/x/${v0}/": "7/x/2024-01-02", "fixed": "fixed",
	} {
		d, err := parsePartitionDir(expression, 2)
		if err != nil {
			t.Errorf("%q: %v", expression, err)
			continue
		}
		if got, err := d.expand(names, values); err != nil || got != want {
			t.Errorf("%q: %s, %v; want %s", expression, got, err, want)
		}
	}
	d, err := parsePartitionDir("${v0}", 1)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := d.expand([]string{"day"}, []string{"2024/01/02"}); err != nil || got != "2024/01/02" {
		t.Errorf("a value with slashes: %s, %v", got, err)
	}
}

func TestTransactionNames(t *testing.T) {
	l := layout{prefix: "T_42_abc"}
	if epoch, ok := l.epochOf(l.transaction(7, 123)); !ok || epoch != 123 {
		t.Errorf("%d, %v", epoch, ok)
	}
	for _, name := range []string{"T_42_abc", "T_42_abd_1_2", "T_42_abc_1", "T_42_abc_1_x", "other"} {
		if epoch, ok := l.epochOf(name); ok {
			t.Errorf("%s: %d", name, epoch)
		}
	}
}

func TestUUID(t *testing.T) {
	a, b := newUUID(), newUUID()
	if a == b || len(a) != 36 || a[14] != '4' || strings.Count(a, "-") != 4 {
		t.Errorf("%s, %s", a, b)
	}
}
