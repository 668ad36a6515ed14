package file

import (
	"slices"
	"strings"
	"time"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/config"
	"github.com/culvertdata/culvert/plugin/file/format"
	"github.com/culvertdata/culvert/plugin/file/internal/codec"
)

// SinkOptions are the options of the LocalFile sink. The names are SeaTunnel's, except those with a dot.
type SinkOptions struct {
	Path    string `opt:"path" required:"true" help:"Directory to write to."`
	TmpPath string `opt:"tmp_path" default:"/tmp/seatunnel" help:"Directory for files that are not committed, on the file system of path."`
	Format  string `opt:"file_format_type" default:"text" enum:"text,csv,json,parquet,orc,excel,xml,binary" help:"Format of the files."`

	NameExpression string `opt:"file_name_expression" default:"${transactionId}" help:"File name; knows ${now}, ${uuid}, ${transactionId}."`
	CustomName     bool   `opt:"custom_filename" default:"false" help:"No effect: file_name_expression always counts."`
	NameTime       string `opt:"filename_time_format" default:"yyyy.MM.dd" help:"Form of ${now}."`

	FieldDelimiter string `opt:"field_delimiter,delimiter" help:"Between fields of text; U+0001 if not given. csv always has a comma."`
	RowDelimiter   string `opt:"row_delimiter" help:"Between rows of text, csv and json; a newline if not given."`
	Header         bool   `opt:"enable_header_write" default:"false" help:"Whether the first line of each text or csv file has the column names."`
	Encoding       string `opt:"encoding" default:"UTF-8" help:"Encoding of text, csv and json files."`
	DateFormat     string `opt:"date_format" help:"Form of dates in text and csv: yyyy-MM-dd, yyyy.MM.dd, yyyy/MM/dd."`
	DatetimeFormat string `opt:"datetime_format" help:"Form of timestamps in text and csv; with the digits they have if not given."`
	TimeFormat     string `opt:"time_format" help:"Form of times in text and csv: HH:mm:ss, HH:mm:ss.SSS."`
	Codec          string `opt:"compress_codec" default:"none" enum:"none,lzo,gzip,zstd,snappy,lz4,brotli,zlib" help:"Compression."`

	Columns              []string `opt:"sink_columns" help:"Columns to write, in this order; all if not given."`
	HavePartition        bool     `opt:"have_partition" default:"false" help:"No effect: partition_by switches partitions on."`
	PartitionBy          []string `opt:"partition_by" help:"Columns whose values name the directories that rows go to."`
	PartitionDir         string   `opt:"partition_dir_expression" help:"Directory of a partition; ${k0}=${v0}/${k1}=${v1}... if not given."`
	WritePartitionFields bool     `opt:"is_partition_field_write_in_file" default:"false" help:"Whether files hold the partition columns too."`

	Transactional bool          `opt:"is_enable_transaction" default:"true" help:"Whether files appear with checkpoints, each row once."`
	BatchSize     int64         `opt:"batch_size" default:"1000000" min:"1" help:"Rows of a file, at most."`
	RollBytes     int64         `opt:"file.roll.size" default:"0" min:"0" help:"Bytes of a file before compression, about; 0 is no bound."`
	RollInterval  time.Duration `opt:"file.roll.interval" unit:"ms" default:"0" min:"0" help:"How long a file takes rows; 0 is no bound."`
	MaxOpen       int           `opt:"max.open.files" default:"64" min:"1" help:"Files that a lane writes at a time; one more closes the longest unused."`

	SchemaSaveMode string `opt:"schema_save_mode" default:"CREATE_SCHEMA_WHEN_NOT_EXIST" enum:"RECREATE_SCHEMA,CREATE_SCHEMA_WHEN_NOT_EXIST,ERROR_WHEN_SCHEMA_NOT_EXIST,IGNORE" help:"What becomes of the directory path."`
	DataSaveMode   string `opt:"data_save_mode" default:"APPEND_DATA" enum:"DROP_DATA,APPEND_DATA,ERROR_WHEN_DATA_EXISTS" help:"What becomes of files in it."`

	TimestampAsInt96 bool     `opt:"parquet_avro_write_timestamp_as_int96" default:"false" help:"Whether parquet timestamps are INT96."`
	FixedAsInt96     []string `opt:"parquet_avro_write_fixed_as_int96" help:"12 byte parquet columns that are INT96."`

	// Options of SeaTunnel for formats that are not there yet.
	MaxRowsInMemory int    `opt:"max_rows_in_memory" help:"Rows of an excel file that are held in memory."`
	SheetName       string `opt:"sheet_name" help:"Sheet of an excel file."`
	XMLRootTag      string `opt:"xml_root_tag" default:"RECORDS" help:"Outer element of an xml file."`
	XMLRowTag       string `opt:"xml_row_tag" default:"RECORD" help:"Element of an xml file that is a row."`
	XMLAttributes   bool   `opt:"xml_use_attr_format" help:"Whether values of an xml file are attributes."`
}

// CheckOptions implements config.Checked.
func (o SinkOptions) CheckOptions() (ps config.Problems) {
	check := func(name string, err error) {
		if err != nil {
			ps.Errorf(name, config.Pos{}, "%v", err)
		}
	}
	_, err := parseJavaTime(o.NameTime)
	check("filename_time_format", err)
	_, err = parseName(o)
	check("file_name_expression", err)
	_, err = parsePartitionDir(o.PartitionDir, len(o.PartitionBy))
	check("partition_dir_expression", err)
	return ps
}

// checkCodec checks compress_codec against the format.
func (o SinkOptions) checkCodec(info format.Info) error {
	names := info.Codecs
	if info.Streams {
		names = codec.Names()
	}
	if o.Codec == codec.None || slices.Contains(names, o.Codec) {
		return nil
	}
	return problem("compress_codec", "%s files are compressed by none, %s, not %s", info.Name,
		strings.Join(names, ", "), o.Codec)
}

// writeOptions are what formats see of the options.
func (o SinkOptions) writeOptions(t *plugin.Table, env plugin.Env) format.WriteOptions {
	w := format.WriteOptions{
		Table: t, Codec: o.Codec, Alloc: env.Alloc,
		FieldDelimiter: o.FieldDelimiter, RowDelimiter: o.RowDelimiter, Header: o.Header, Encoding: o.Encoding,
		DateFormat: o.DateFormat, DatetimeFormat: o.DatetimeFormat, TimeFormat: o.TimeFormat,
		TimestampAsInt96: o.TimestampAsInt96, FixedAsInt96: o.FixedAsInt96,
	}
	return w
}
