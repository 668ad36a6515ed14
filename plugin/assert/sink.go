package assert

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/hashicorp/go-hclog"

	"github.com/culvertdata/culvert/plugin"
)

// CodeRule is the code of errors about rules that do not hold.
const CodeRule plugin.Code = "RULE_VALIDATION_FAILED"

// Plugins returns the sink Assert, with [Options].
func Plugins() []plugin.Plugin {
	return []plugin.Plugin{plugin.NewSink(plugin.Info{
		Name: "Assert", Summary: "Fails the job if rows, counts or tables break a rule.",
		MultiTable: true, Delivery: plugin.Idempotent,
	}, open)}
}

// sink is an opened Assert.
type sink struct {
	rules  Rules
	inputs []*plugin.Table
}

// open checks the rules that need no row.
func open(_ context.Context, o Options, env plugin.Env) (*sink, error) {
	s := &sink{rules: o.Rules, inputs: env.Inputs}
	for _, t := range env.Inputs {
		if rules := s.catalogRule(t); rules != nil {
			if err := rules.check(t); err != nil {
				return nil, err
			}
		}
		if _, err := fieldTests(t, s.fieldRules(t)); err != nil {
			return nil, err
		}
	}
	s.warnOfPaths(env.Logger)
	return s, nil
}

// warnOfPaths says which entries of tables_configs belong to no table of the job: rows are counted for none of them.
func (s *sink) warnOfPaths(log hclog.Logger) {
	var paths []string
	for _, t := range s.inputs {
		paths = append(paths, t.ID.String())
	}
	for _, e := range s.rules.Tables {
		if !slices.Contains(paths, e.Path) {
			log.Warn("tables_configs has rules for a table that does not come here", "table_path", e.Path, "tables", paths)
		}
	}
}

// entry returns the rules of the table's path, nil if there are none.
func (s *sink) entry(t *plugin.Table) *TableRules {
	if len(s.rules.Tables) == 0 {
		return &s.rules.TableRules
	}
	for i := range s.rules.Tables {
		if s.rules.Tables[i].Path == t.ID.String() {
			return &s.rules.Tables[i].TableRules
		}
	}
	return nil
}

func (s *sink) catalogRule(t *plugin.Table) *CatalogRule {
	if e := s.entry(t); e != nil {
		return e.Catalog
	}
	return nil
}

// fieldRules returns the rules about a table's fields. If only one entry has any, they hold for all rows.
func (s *sink) fieldRules(t *plugin.Table) []FieldRule {
	var only *NamedRules
	count := 0
	for i := range s.rules.Tables {
		if e := &s.rules.Tables[i]; len(e.Fields) > 0 {
			only = e
			count++
		}
	}
	if count == 1 {
		return only.Fields
	}
	if e := s.entry(t); e != nil {
		return e.Fields
	}
	return nil
}

// Prepare does nothing.
func (s *sink) Prepare(context.Context, []*plugin.Table) error { return nil }

// Writer makes the writer of one lane.
func (s *sink) Writer(context.Context, plugin.Task) (plugin.Writer, error) {
	return &writer{sink: s, tables: map[*plugin.Table]*tableTests{}, counts: counts{}}, nil
}

// Finish checks the number of rows and the set of tables.
func (s *sink) Finish(_ context.Context, states [][]byte) error {
	total := counts{}
	if err := total.add(states); err != nil {
		return err
	}
	if len(s.rules.Tables) == 0 {
		for _, t := range s.inputs {
			if err := checkRows(t.ID.String(), total, s.rules.Rows); err != nil {
				return err
			}
		}
	}
	for _, e := range s.rules.Tables {
		if err := checkRows(e.Path, total, e.Rows); err != nil {
			return err
		}
	}
	return s.checkNames(total)
}

func checkRows(table string, total counts, rules []RowRule) error {
	n := total[table]
	for _, r := range rules {
		if r.Type == "MIN_ROW" && float64(n) < r.Value || r.Type == "MAX_ROW" && float64(n) > r.Value {
			return &plugin.Error{Code: CodeRule,
				Err: fmt.Errorf("table %s: row num :%d fail rule: %s %v", table, n, r.Type, r.Value)}
		}
	}
	return nil
}

func (s *sink) checkNames(total counts) error {
	if len(s.rules.TableNames) == 0 {
		return nil
	}
	var seen []string
	for name := range total {
		seen = append(seen, name)
	}
	slices.Sort(seen)
	if want := slices.Compact(slices.Sorted(slices.Values(s.rules.TableNames))); !slices.Equal(seen, want) {
		return &plugin.Error{Code: CodeRule, Err: fmt.Errorf("table names: %s is not equal to %s", seen, want)}
	}
	return nil
}

// counts is the number of rows by table path; a table of which no row has come is not in it. Its JSON form is the state
// of a writer.
type counts map[string]int64

// add adds the counts of states.
func (c counts) add(states [][]byte) error {
	for _, state := range states {
		if len(state) == 0 {
			continue
		}
		var some counts
		if err := json.Unmarshal(state, &some); err != nil {
			return fmt.Errorf("counts of rows: %w", err)
		}
		for table, n := range some {
			c[table] += n
		}
	}
	return nil
}
