package assert

import (
	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/config"
)

// Options are the options of Assert.
type Options struct {
	Rules Rules `opt:"rules" required:"true" help:"What must hold."`
}

// Rules are all rules of a sink.
type Rules struct {
	TableRules
	TableNames []string     `opt:"table-names" help:"The tables of which rows must have come, all of them and no others."`
	Tables     []NamedRules `opt:"tables_configs" help:"Rules by table; the rules beside the list are ignored then, but for table-names."`
}

// NamedRules are the rules of one table.
type NamedRules struct {
	Path string `opt:"table_path" required:"true" help:"Path of the table."`
	TableRules
}

// TableRules are rules about one table.
type TableRules struct {
	Rows    []RowRule    `opt:"row_rules" help:"Rules about the number of rows."`
	Fields  []FieldRule  `opt:"field_rules" help:"Rules about the values of fields."`
	Catalog *CatalogRule `opt:"catalog_table_rule" help:"Rules about the declaration of the table."`
}

func (r *TableRules) empty() bool { return len(r.Rows) == 0 && len(r.Fields) == 0 && r.Catalog == nil }

// RowRule bounds the number of rows of a table.
type RowRule struct {
	Type  string  `opt:"rule_type" required:"true" enum:"MIN_ROW,MAX_ROW" help:"MIN_ROW or MAX_ROW."`
	Value float64 `opt:"rule_value" required:"true" help:"The bound, which is allowed itself."`
}

// FieldRule is about one field.
type FieldRule struct {
	Name   string      `opt:"field_name" required:"true" help:"Name of the field."`
	Type   TypeOption  `opt:"field_type" required:"true" help:"Type that each value must have. A null has none but null."`
	Values []ValueRule `opt:"field_value" required:"true" help:"Rules that each value must meet."`
}

// ValueRule is about the values of a field.
type ValueRule struct {
	Type   string       `opt:"rule_type" enum:"NULL,NOT_NULL,MIN,MAX,MIN_LENGTH,MAX_LENGTH" help:"MIN and MAX are for numbers; lengths are those of the text form."`
	Value  *float64     `opt:"rule_value" help:"The bound of MIN, MAX, MIN_LENGTH and MAX_LENGTH, which is allowed itself."`
	Equals config.Value `opt:"equals_to" help:"What the value must be, unless it is null."`
}

// Rules demand a bound where the type of the rule has one.
func (ValueRule) Rules() []config.Rule {
	var rules []config.Rule
	for _, t := range []string{"MIN", "MAX", "MIN_LENGTH", "MAX_LENGTH"} {
		rules = append(rules, config.RequiredWhen("rule_type", t, "rule_value"))
	}
	return rules
}

// TypeOption is a type as schemas write it, a row also as an object.
type TypeOption struct{ plugin.Type }

// DecodeConfig implements [config.Decoder].
func (t *TypeOption) DecodeConfig(v config.Value) (err error) {
	t.Type, err = plugin.TypeFromConfig(v)
	return err
}

// CatalogRule is about the declaration of a table. Parts that are missing are not checked.
type CatalogRule struct {
	PrimaryKey  *PrimaryKeyRule  `opt:"primary_key_rule" help:"The primary key."`
	Constraints []ConstraintRule `opt:"constraint_key_rule" help:"All other keys."`
	Columns     []ColumnRule     `opt:"column_rule" help:"All columns."`
	Table       *IdentifierRule  `opt:"table_identifier_rule" help:"The name of the table."`
}

// PrimaryKeyRule is what a primary key must be.
type PrimaryKeyRule struct {
	Name    string   `opt:"primary_key_name" required:"true" help:"Name of the key."`
	Columns []string `opt:"primary_key_columns" required:"true" help:"Its columns, in any order."`
}

// ConstraintRule is what a key beside the primary key must be.
type ConstraintRule struct {
	Name    string                 `opt:"constraint_key_name" required:"true" help:"Name of the key."`
	Kind    string                 `opt:"constraint_key_type" required:"true" enum:"INDEX_KEY,UNIQUE_KEY,FOREIGN_KEY,VECTOR_INDEX_KEY" help:"Kind of the key."`
	Columns []ConstraintColumnRule `opt:"constraint_key_columns" required:"true" help:"Its columns, in order."`
}

// ConstraintColumnRule is one column of a [ConstraintRule].
type ConstraintColumnRule struct {
	Name string `opt:"constraint_key_column_name" required:"true" help:"Name of the column."`
	Sort string `opt:"constraint_key_sort_type" default:"ASC" enum:"ASC,DESC" help:"Order of the key."`
}

// ColumnRule is what a column must be.
type ColumnRule struct {
	Name     string       `opt:"name" required:"true" help:"Name of the column."`
	Type     TypeOption   `opt:"type" required:"true" help:"Its type."`
	Length   int64        `opt:"column_length" default:"0" help:"Its declared length; 0: none."`
	Nullable bool         `opt:"nullable" default:"true" help:"Whether it may be null."`
	Default  config.Value `opt:"default_value" help:"Its default."`
	Comment  string       `opt:"comment" help:"Its comment."`
}

// IdentifierRule is what a table must be called.
type IdentifierRule struct {
	Catalog string `opt:"catalog_name" required:"true" help:"What the table comes from, usually the name of the source."`
	Table   string `opt:"table" required:"true" help:"Path of the table."`
}

// CheckOptions refuses an empty set of rules.
func (r *Rules) CheckOptions() config.Problems {
	var ps config.Problems
	empty := r.empty()
	if len(r.Tables) > 0 {
		if !empty {
			ps.Warnf("tables_configs", config.Pos{}, "makes the rules beside it ineffective")
		}
		empty = true
		for i := range r.Tables {
			empty = empty && r.Tables[i].empty()
		}
	}
	if empty && len(r.TableNames) == 0 {
		ps.Errorf("", config.Pos{}, "Assert rule config is empty, please add rule config.")
	}
	return ps
}
