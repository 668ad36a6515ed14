package file

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/column"
	"github.com/culvertdata/culvert/plugin/config"
)

// defaultPartitionDir is how SeaTunnel writes that no expression is given.
const defaultPartitionDir = "${k0}=${v0}/${k1}=${v1}/.../${kn}=${vn}/"

// nullPartition is the directory value of a null, as Hive, Spark and others write and read it. SeaTunnel fails on nulls
// here; an empty value would be read back as an empty text.
const nullPartition = "__HIVE_DEFAULT_PARTITION__"

var partitionPlaceholder = regexp.MustCompile(`\$\{([^}]*)\}`)

// partitionDir is option partition_dir_expression: literal text, names (even) and values (odd) by turns.
type partitionDir struct {
	texts []string
	refs  []partitionRef // one behind each text but the last
}

type partitionRef struct {
	value  bool
	column int
}

func parsePartitionDir(expression string, columns int) (d partitionDir, err error) {
	if expression == "" || expression == defaultPartitionDir {
		var b strings.Builder
		for i := range columns {
			fmt.Fprintf(&b, "${k%d}=${v%d}/", i, i)
		}
		expression = b.String()
	}
	if columns == 0 {
		return d, nil
	}
	last := 0
	for _, m := range partitionPlaceholder.FindAllStringSubmatchIndex(expression, -1) {
		name := expression[m[2]:m[3]]
		if name == "" || name[0] != 'k' && name[0] != 'v' {
			return d, fmt.Errorf("${%s} is not known; there are ${k0}, ${v0} and so on", name)
		}
		n, err := strconv.Atoi(name[1:])
		if err != nil || n < 0 || n >= columns {
			return d, fmt.Errorf("${%s}: partition_by has %d columns, counted from 0", name, columns)
		}
		d.texts = append(d.texts, expression[last:m[0]])
		d.refs = append(d.refs, partitionRef{value: name[0] == 'v', column: n})
		last = m[1]
	}
	d.texts = append(d.texts, expression[last:])
	return d, nil
}

// expand returns the directory of a partition, relative to the target. Values may hold slashes, which make
// directories, as long as they lead nowhere else.
func (d partitionDir) expand(names, values []string) (string, error) {
	var b strings.Builder
	for i, text := range d.texts {
		b.WriteString(text)
		switch {
		case i == len(d.refs):
		case d.refs[i].value:
			b.WriteString(values[d.refs[i].column])
		default:
			b.WriteString(names[d.refs[i].column])
		}
	}
	dir := strings.TrimSuffix(b.String(), "/")
	if strings.Contains(dir, "\x00") {
		return "", fmt.Errorf("partition directory %q: a name cannot hold a NUL", dir)
	}
	for part := range strings.SplitSeq(dir, "/") {
		if part == "" || part == "." || part == ".." {
			return "", fmt.Errorf("partition directory %q: %q is no name", dir, part)
		}
	}
	return dir, nil
}

// partitioner sorts the rows of batches by the directories that they go to.
type partitioner struct {
	dir     partitionDir
	names   []string
	columns []int // in the sink's input
	types   []plugin.Type

	groups map[string]*group
	order  []*group
	key    []byte
	ends   []int
	values []string
}

// group is the rows of a batch that go to one directory.
type group struct {
	key  string
	dir  string
	rows []int32
}

func newPartitioner(o SinkOptions, in *plugin.Table) (*partitioner, error) {
	dir, err := parsePartitionDir(o.PartitionDir, len(o.PartitionBy))
	if err != nil {
		return nil, problem("partition_dir_expression", "%v", err)
	}
	p := &partitioner{dir: dir, names: o.PartitionBy, groups: map[string]*group{}}
	for _, name := range o.PartitionBy {
		i, err := columnOf(in, name)
		if err != nil {
			return nil, problem("partition_by", "%v", err)
		}
		p.columns = append(p.columns, i)
		p.types = append(p.types, in.Columns[i].Type)
	}
	return p, nil
}

// keptGroups is the number of directories that are remembered from batch to batch.
const keptGroups = 4096

// split returns the groups of a batch, in the order of their first rows. They are valid until the next call.
func (p *partitioner) split(b plugin.Batch) ([]*group, error) {
	if len(p.groups) > keptGroups {
		clear(p.groups)
	}
	for _, g := range p.order {
		g.rows = g.rows[:0]
	}
	p.order = p.order[:0]
	var last *group
	for i := range b.Len() {
		p.format(b, i)
		if last == nil || last.key != string(p.key) {
			var err error
			if last, err = p.group(); err != nil {
				return nil, &plugin.Error{Code: plugin.CodeData, Table: b.Table.ID, Err: err,
					Fix: "use columns in partition_by whose values can be names of directories"}
			}
		}
		if len(last.rows) == 0 {
			p.order = append(p.order, last)
		}
		last.rows = append(last.rows, int32(i))
	}
	return p.order, nil
}

// format makes the key of row i: the partition values one after the other, with their ends.
func (p *partitioner) format(b plugin.Batch, i int) {
	p.key, p.ends = p.key[:0], p.ends[:0]
	for k, c := range p.columns {
		if values := b.Rows.Column(c); values.IsNull(i) {
			p.key = append(p.key, nullPartition...)
		} else {
			p.key = column.FormatJava(p.key, values, p.types[k], i)
		}
		p.ends = append(p.ends, len(p.key))
		p.key = append(p.key, 0)
	}
}

// group returns the group of the key that was formatted last.
func (p *partitioner) group() (*group, error) {
	if g, ok := p.groups[string(p.key)]; ok {
		return g, nil
	}
	p.values = p.values[:0]
	from := 0
	for _, end := range p.ends {
		p.values = append(p.values, string(p.key[from:end]))
		from = end + 1
	}
	dir, err := p.dir.expand(p.names, p.values)
	if err != nil {
		return nil, err
	}
	g := &group{key: string(p.key), dir: dir}
	p.groups[g.key] = g
	return g, nil
}

// columnOf finds a column by name.
func columnOf(t *plugin.Table, name string) (int, error) {
	if i := t.Index(name); i >= 0 {
		return i, nil
	}
	return 0, noColumn(t, name)
}

// noColumn says that a column is missing, and which one was meant.
func noColumn(t *plugin.Table, name string) error {
	if near, ok := config.Nearest(name, t.Names()); ok {
		return fmt.Errorf("there is no column %q; did you mean %q?", name, near)
	}
	return fmt.Errorf("there is no column %q; there are: %s", name, strings.Join(t.Names(), ", "))
}
