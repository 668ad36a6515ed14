package metrics

import (
	"os"
	"path/filepath"
	"testing"
)

func TestCgroupLimits(t *testing.T) {
	for _, c := range []struct {
		name, groups string
		files        map[string]string
		want         uint64
		ok           bool
	}{
		{"none", "0::/\n", nil, 0, false},
		{"no limit", "0::/\n", map[string]string{"memory.max": "max\n"}, 0, false},
		{"own root", "0::/\n", map[string]string{"memory.max": "1000\n"}, 1000, true},
		{"nested", "0::/system.slice/a.service\n", map[string]string{"system.slice/a.service/memory.max": "2000\n",
			"system.slice/memory.max": "max\n"}, 2000, true},
		{"the parent has less", "0::/a/b\n", map[string]string{"a/b/memory.max": "2000", "a/memory.max": "500"}, 500, true},
		{"version 1", "4:memory:/x\n", map[string]string{"memory/memory.limit_in_bytes": "3000\n"}, 3000, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			root := t.TempDir()
			for name, text := range c.files {
				path := filepath.Join(root, name)
				if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if got, ok := cgroupLimitBelow(root, c.groups); got != c.want || ok != c.ok {
				t.Errorf("limit = %d, %v; want %d, %v", got, ok, c.want, c.ok)
			}
		})
	}
}
