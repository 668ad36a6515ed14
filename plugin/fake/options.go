package fake

import (
	"time"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/config"
)

// Options are the options of FakeSource: those of one table, or a list of tables.
type Options struct {
	TableOptions
	Tables []TableOptions `opt:"tables_configs" help:"Several tables, each with its own schema and options; the options beside the list then have no effect."`
}

// TableOptions are the options of one table.
type TableOptions struct {
	Schema *plugin.Schema `opt:"schema" help:"Name, columns and keys of the table."`
	Rows   []RowOptions   `opt:"rows" help:"The rows to put out, instead of random ones."`

	RowNum       int           `opt:"row.num" default:"5" min:"0" max:"2147483647" help:"Rows that each parallel reader makes."`
	SplitNum     int           `opt:"split.num" default:"1" min:"1" max:"2147483647" help:"Splits of each parallel reader."`
	ReadInterval time.Duration `opt:"split.read-interval" unit:"ms" min:"0" help:"Wait between two splits of a reader; none unless set."`

	MapSize      int `opt:"map.size" default:"5" min:"0" max:"1000000" help:"Entries of a map; fewer if random keys are equal."`
	ArraySize    int `opt:"array.size" default:"5" min:"0" max:"1000000" help:"Elements of an array."`
	BytesLength  int `opt:"bytes.length" default:"5" min:"0" max:"134217728" help:"Length of bytes."`
	StringLength int `opt:"string.length" default:"5" min:"0" max:"134217728" help:"Length of strings; columns of the long schema form have their columnLength instead."`

	StringMode     string    `opt:"string.fake.mode" default:"RANGE" enum:"RANGE,TEMPLATE" help:"TEMPLATE demands a template; a template is used in either mode."`
	StringTemplate []string  `opt:"string.template" help:"Strings to choose from."`
	TinyIntMode    string    `opt:"tinyint.fake.mode" default:"RANGE" enum:"RANGE,TEMPLATE" help:"TEMPLATE demands a template; a template is used in either mode."`
	TinyInts       []int8    `opt:"tinyint.template" help:"Tinyints to choose from."`
	TinyIntMin     int8      `opt:"tinyint.min" default:"0" min:"0" max:"127" help:"Least tinyint."`
	TinyIntMax     int8      `opt:"tinyint.max" default:"127" min:"0" max:"127" help:"Bound above all tinyints."`
	SmallIntMode   string    `opt:"smallint.fake.mode" default:"RANGE" enum:"RANGE,TEMPLATE" help:"TEMPLATE demands a template; a template is used in either mode."`
	SmallInts      []int16   `opt:"smallint.template" help:"Smallints to choose from."`
	SmallIntMin    int16     `opt:"smallint.min" default:"0" min:"0" max:"32767" help:"Least smallint."`
	SmallIntMax    int16     `opt:"smallint.max" default:"32767" min:"0" max:"32767" help:"Bound above all smallints."`
	IntMode        string    `opt:"int.fake.mode" default:"RANGE" enum:"RANGE,TEMPLATE" help:"TEMPLATE demands a template; a template is used in either mode."`
	Ints           []int32   `opt:"int.template" help:"Ints to choose from."`
	IntMin         int32     `opt:"int.min" default:"0" min:"0" max:"2147483647" help:"Least int."`
	IntMax         int32     `opt:"int.max" default:"2147483647" min:"0" max:"2147483647" help:"Bound above all ints."`
	BigIntMode     string    `opt:"bigint.fake.mode" default:"RANGE" enum:"RANGE,TEMPLATE" help:"TEMPLATE demands a template; a template is used in either mode."`
	BigInts        []int64   `opt:"bigint.template" help:"Bigints to choose from."`
	BigIntMin      int64     `opt:"bigint.min" default:"0" min:"0" help:"Least bigint."`
	BigIntMax      int64     `opt:"bigint.max" default:"9223372036854775807" min:"0" help:"Bound above all bigints."`
	FloatMode      string    `opt:"float.fake.mode" default:"RANGE" enum:"RANGE,TEMPLATE" help:"TEMPLATE demands a template; a template is used in either mode."`
	Floats         []float32 `opt:"float.template" help:"Floats to choose from."`
	FloatMin       float32   `opt:"float.min" default:"0" min:"0" max:"3.4028235E38" help:"Least float."`
	FloatMax       float32   `opt:"float.max" default:"3.4028235E38" min:"0" max:"3.4028235E38" help:"Bound above all floats."`
	DoubleMode     string    `opt:"double.fake.mode" default:"RANGE" enum:"RANGE,TEMPLATE" help:"TEMPLATE demands a template; a template is used in either mode."`
	Doubles        []float64 `opt:"double.template" help:"Doubles to choose from."`
	DoubleMin      float64   `opt:"double.min" default:"0" min:"0" max:"1.7976931348623157E308" help:"Least double."`
	DoubleMax      float64   `opt:"double.max" default:"1.7976931348623157E308" min:"0" max:"1.7976931348623157E308" help:"Bound above all doubles."`

	Years   []int `opt:"date.year.template" help:"Years to choose from, for dates and timestamps; this year unless set."`
	Months  []int `opt:"date.month.template" help:"Months to choose from, 1 to 12."`
	Days    []int `opt:"date.day.template" help:"Days of the month to choose from, 1 to 31; 1 to 28 unless set."`
	Hours   []int `opt:"time.hour.template" help:"Hours to choose from, for times and timestamps, 0 to 23."`
	Minutes []int `opt:"time.minute.template" help:"Minutes to choose from, 0 to 59."`
	Seconds []int `opt:"time.second.template" help:"Seconds to choose from, 0 to 59."`

	VectorOptions
}

// VectorOptions are accepted and checked; no vector type can be written in a schema yet.
type VectorOptions struct {
	VectorDimension       int     `opt:"vector.dimension" default:"4" min:"1" help:"Numbers of a float vector."`
	BinaryVectorDimension int     `opt:"binary.vector.dimension" default:"8" min:"8" help:"Bits of a binary vector, a multiple of 8."`
	VectorFloatMin        float32 `opt:"vector.float.min" default:"0" min:"0" max:"3.4028235E38" help:"Least number of a vector."`
	VectorFloatMax        float32 `opt:"vector.float.max" default:"3.4028235E38" min:"0" max:"3.4028235E38" help:"Bound above all numbers of a vector."`
}

// RowOptions are one row of the job file.
type RowOptions struct {
	Kind   string       `opt:"kind" required:"true" enum:"INSERT,UPDATE_BEFORE,UPDATE_AFTER,DELETE" help:"Kind of the row."`
	Fields config.Value `opt:"fields" required:"true" help:"The values: a list in the order of the columns, or an object by their names."`
}

// Rules demand a template for each type in TEMPLATE mode.
func (o *TableOptions) Rules() []config.Rule {
	var rules []config.Rule
	for _, t := range []string{"string", "tinyint", "smallint", "int", "bigint", "float", "double"} {
		rules = append(rules, config.RequiredWhen(t+".fake.mode", "TEMPLATE", t+".template"))
	}
	return rules
}

// tables returns the options of each table.
func (o *Options) tables() []TableOptions {
	if len(o.Tables) > 0 {
		return o.Tables
	}
	return []TableOptions{o.TableOptions}
}

// CheckOptions finds what tags cannot say.
func (o *Options) CheckOptions() config.Problems {
	var ps config.Problems
	if len(o.Tables) == 0 {
		return o.TableOptions.CheckOptions()
	}
	if o.Schema != nil {
		ps.Warnf("schema", config.Pos{}, "has no effect beside tables_configs")
	}
	return ps
}

// CheckOptions finds what tags cannot say about one table.
func (o *TableOptions) CheckOptions() config.Problems {
	var ps config.Problems
	if o.Schema == nil {
		ps.Errorf("schema", config.Pos{}, "is required: the columns of the rows to make")
	}
	checkMode(&ps, "string", o.StringMode, o.StringTemplate)
	checkMode(&ps, "tinyint", o.TinyIntMode, o.TinyInts)
	checkMode(&ps, "smallint", o.SmallIntMode, o.SmallInts)
	checkMode(&ps, "int", o.IntMode, o.Ints)
	checkMode(&ps, "bigint", o.BigIntMode, o.BigInts)
	checkMode(&ps, "float", o.FloatMode, o.Floats)
	checkMode(&ps, "double", o.DoubleMode, o.Doubles)
	checkBounds(&ps, "tinyint", o.TinyIntMin, o.TinyIntMax)
	checkBounds(&ps, "smallint", o.SmallIntMin, o.SmallIntMax)
	checkBounds(&ps, "int", o.IntMin, o.IntMax)
	checkBounds(&ps, "bigint", o.BigIntMin, o.BigIntMax)
	checkBounds(&ps, "float", o.FloatMin, o.FloatMax)
	checkBounds(&ps, "double", o.DoubleMin, o.DoubleMax)
	checkBounds(&ps, "vector.float", o.VectorFloatMin, o.VectorFloatMax)
	if o.BinaryVectorDimension%8 != 0 {
		ps.Errorf("binary.vector.dimension", config.Pos{}, "must be a multiple of 8, not %d", o.BinaryVectorDimension)
	}
	checkTemplate(&ps, "date.year", o.Years, 1, 9999)
	checkTemplate(&ps, "date.month", o.Months, 1, 12)
	checkTemplate(&ps, "date.day", o.Days, 1, 31)
	checkTemplate(&ps, "time.hour", o.Hours, 0, 23)
	checkTemplate(&ps, "time.minute", o.Minutes, 0, 59)
	checkTemplate(&ps, "time.second", o.Seconds, 0, 59)
	return ps
}

// checkMode refuses an empty template where one is demanded; that it is there at all is one of the rules.
func checkMode[T any](ps *config.Problems, name, mode string, template []T) {
	if mode == "TEMPLATE" && len(template) == 0 {
		ps.Errorf(name+".template", config.Pos{}, "must not be empty when %s.fake.mode = TEMPLATE", name)
	}
}

func checkBounds[T int8 | int16 | int32 | int64 | float32 | float64](ps *config.Problems, name string, low, high T) {
	if low > high {
		ps.Errorf(name+".min", config.Pos{}, "%v is more than %s.max, %v", low, name, high)
	}
}

func checkTemplate(ps *config.Problems, name string, template []int, least, most int) {
	for _, v := range template {
		if v < least || v > most {
			ps.Errorf(name+".template", config.Pos{}, "%d is out of range: %d to %d", v, least, most)
		}
	}
}
