package cdc

import (
	"strings"
	"testing"

	"github.com/hashicorp/go-hclog"

	"github.com/culvertdata/culvert/plugin"
)

// TestTruncated goes through what a job can want and what its snapshot can hold.
func TestTruncated(t *testing.T) {
	table, err := plugin.NewTable(plugin.Table{
		ID: plugin.TableID{Database: "d", Name: "t"}, Version: 3,
		Columns: []plugin.Column{{Name: "id", Type: plugin.TypeOf(plugin.Int)}},
	})
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		mode          string
		before, after bool
		change        bool
		warning, err  string
	}{
		{mode: "", warning: "d.t"},
		{mode: "skip", before: true, warning: "d.t"},
		{mode: "skip", before: true, after: true, warning: "truncate.handling.mode = include"},
		{mode: "Include", change: true},
		{mode: "include", before: true, change: true},
		{mode: "include", after: true},
		{mode: "include", before: true, after: true, err: "while it was copied"},
		{mode: "fail", err: "the table was truncated"},
		{mode: "fail", after: true},
	}
	for _, test := range tests {
		mode, err := ParseTruncation(test.mode)
		if err != nil {
			t.Fatal(err)
		}
		var warning strings.Builder
		log := hclog.New(&hclog.LoggerOptions{Output: &warning})
		change, err := Truncated{Table: table, At: "here", Before: test.before, After: test.after}.Change(mode, log)
		switch {
		case test.err != "" && (err == nil || !strings.Contains(err.Error(), test.err)), test.err == "" && err != nil:
			t.Errorf("%+v: error %v", test, err)
		case test.change != (change != nil):
			t.Errorf("%+v: change %v", test, change)
		case change != nil && (!change.Truncated || change.New.Version != 4 || !change.New.SameColumns(table)):
			t.Errorf("%+v: change %+v", test, change)
		case !strings.Contains(warning.String(), test.warning), test.warning == "" && warning.Len() > 0:
			t.Errorf("%+v: log %q", test, warning.String())
		}
	}
	if _, err := ParseTruncation("maybe"); err == nil {
		t.Error("an unknown mode passes")
	}
}
