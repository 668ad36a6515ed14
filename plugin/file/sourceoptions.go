package file

import (
	"fmt"
	"regexp"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/config"
)

// SourceOptions are the options of the LocalFile source: those of one table, or a list of tables.
type SourceOptions struct {
	TableOptions
	Tables []TableOptions `opt:"tables_configs" help:"Several tables, each with all options of its own."`
}

// Rules implements config.Ruled.
func (SourceOptions) Rules() []config.Rule {
	return []config.Rule{config.ExactlyOne("path", "tables_configs")}
}

// CheckOptions implements config.Checked.
func (o SourceOptions) CheckOptions() config.Problems {
	if o.Tables == nil {
		return o.TableOptions.CheckOptions()
	}
	var ps config.Problems
	seen := map[plugin.TableID]bool{}
	for i, t := range o.Tables {
		if id := t.tableID(); seen[id] {
			ps.Errorf(fmt.Sprintf("tables_configs[%d].schema.table", i), config.Pos{},
				"two tables are named %q; give each a name of its own", id)
		} else {
			seen[id] = true
		}
	}
	return ps
}

// TableOptions are the options of one table of the source. The names are SeaTunnel's, except those with a dot.
type TableOptions struct {
	Path    string         `opt:"path" help:"File or directory; directories are read with all below them."`
	Format  string         `opt:"file_format_type" enum:"text,csv,json,parquet,orc,excel,xml,binary" help:"Format of the files."`
	Schema  *plugin.Schema `opt:"schema" help:"Columns of the files; needed for csv and json."`
	Columns []string       `opt:"read_columns" help:"Columns to read, by name; all if not given. Not looked at for json."`

	Delimiter  string `opt:"field_delimiter,delimiter" help:"Between fields: a regular expression in text, one character in csv."`
	SkipHeader int64  `opt:"skip_header_row_number" default:"0" min:"0" help:"Lines to skip at the start of each text or csv file."`
	Encoding   string `opt:"encoding" default:"UTF-8" help:"Encoding of text, csv and json files."`
	Newlines   bool   `opt:"quoted.newlines" default:"false" help:"Whether quoted csv fields may hold line breaks; such files are not cut."`

	Partitions      []string `opt:"read_partitions" help:"Read only files whose path contains one of these texts."`
	ParsePartitions bool     `opt:"parse_partition_from_path" default:"true" help:"Whether directories named k=v become string columns."`
	Filter          string   `opt:"file_filter_pattern" help:"Regular expression that a file's whole name must match."`

	Codec   string `opt:"compress_codec" enum:"none,lzo,gzip,zstd" help:"Compression of the files; if not given, told by endings such as .gz."`
	Archive string `opt:"archive_compress_codec" default:"none" enum:"none,zip,tar,tar_gz" help:"Archives whose entries are read."`

	SplitSize int64 `opt:"split.size" default:"67108864" min:"0" help:"Bytes of a file that one lane reads at a time; 0 does not cut files."`
	MaxRecord int   `opt:"max.record.size" default:"67108864" min:"1024" max:"1073741824" help:"Bytes of the longest line."`

	// Options of SeaTunnel for formats that are not there yet, or without effect on those that are.
	DateFormat     string `opt:"date_format" help:"No effect: dates are read in any of the usual forms."`
	DatetimeFormat string `opt:"datetime_format" help:"No effect: timestamps are read in any of the usual forms."`
	TimeFormat     string `opt:"time_format" help:"No effect: times are read in ISO form."`
	SheetName      string `opt:"sheet_name" help:"Sheet of an excel file."`
	XMLRowTag      string `opt:"xml_row_tag" help:"Element of an xml file that is a row."`
	XMLAttributes  bool   `opt:"xml_use_attr_format" help:"Whether values of an xml file are attributes."`
}

// CheckOptions implements config.Checked.
func (o TableOptions) CheckOptions() (ps config.Problems) {
	if o.Path == "" {
		ps.Errorf("path", config.Pos{}, "is required: file or directory")
	}
	if o.Format == "" {
		ps.Errorf("file_format_type", config.Pos{}, "is required: format of the files")
	}
	if _, err := o.filter(); err != nil {
		ps.Errorf("file_filter_pattern", config.Pos{}, "%v", err)
	}
	return ps
}

// filter compiles file_filter_pattern, nil if there is none.
func (o TableOptions) filter() (*regexp.Regexp, error) {
	if o.Filter == "" {
		return nil, nil
	}
	return regexp.Compile("^(?:" + o.Filter + ")$")
}

func (o TableOptions) tableID() plugin.TableID {
	if o.Schema == nil {
		return plugin.TableID{}
	}
	return o.Schema.ID
}
