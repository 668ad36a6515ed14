package file

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestReadSmoke(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "k=v/a.csv", "id,name\n1,\"a,b\"\n2,\n\n3,x\r\n")
	got, err := read(t, `path = "`+dir+`", file_format_type = csv, skip_header_row_number = 1
		schema { fields { id = int, name = string } }`)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"1|a,b|v", "2|<nil>|v", "3|x|v"}, got); diff != "" {
		t.Error(diff)
	}
}
