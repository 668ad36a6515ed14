package file

import (
	"context"
	"errors"
	"io"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/column"
	"github.com/culvertdata/culvert/plugin/file/format"
)

// reader reads the splits of one lane.
type reader struct {
	source  *source
	env     plugin.Env
	formats map[*table]format.Reader // kept from split to split

	file   *opened
	rows   format.Reader // of file's table, with an open range
	parts  []arrow.Array // a column for each partition, as long as a batch may be
	values []string      // of the partitions
	has    []bool        // whether the path has the partition
	ended  bool          // there is no piece behind the one of rows
}

// Open starts a split, or goes on where Position was.
func (r *reader) Open(ctx context.Context, s plugin.Split) error {
	st, err := decodeSplit(s)
	if err != nil {
		return err
	}
	if st.Table >= len(r.source.tables) {
		return &plugin.Error{Code: plugin.CodeConfig, Split: s.ID,
			Err: errors.New("its table is no longer in tables_configs")}
	}
	if err := r.closeFile(); err != nil {
		return err
	}
	t := r.source.tables[st.Table]
	rows, err := r.format(t)
	if err != nil {
		return err
	}
	if r.file, err = t.open(st); err != nil {
		return err
	}
	r.rows = rows
	r.partitionValues(t, st.Path)
	r.ended = false
	err = r.nextPiece(ctx, st.Entry, st.From)
	if err == io.EOF {
		r.ended = true
		return nil
	}
	return err
}

// format returns the reader of a table's format.
func (r *reader) format(t *table) (format.Reader, error) {
	if f, ok := r.formats[t]; ok {
		return f, nil
	}
	f, err := t.format.NewReader(t.readOptions(r.env))
	if err == nil {
		r.formats[t] = f
	}
	return f, err
}

// nextPiece opens the file, or the next entry of an archive.
func (r *reader) nextPiece(ctx context.Context, index int, from *format.Position) error {
	in, err := r.file.next(index)
	if err != nil {
		return err
	}
	if from != nil && r.file.archive != nil && r.file.entry.Index != index {
		from = nil // the entry before was read to its end
	}
	return r.rows.Open(ctx, in, r.file.state.Range, from)
}

// Read puts batches out until out is full or the split ends.
func (r *reader) Read(ctx context.Context, out plugin.Out) error {
	for !out.Full() {
		if r.ended {
			return io.EOF
		}
		b, err := r.rows.Next(ctx)
		if err == io.EOF {
			if err := r.advance(ctx); err != nil {
				return err
			}
			continue
		}
		if err != nil {
			return err
		}
		if err := out.Batch(r.withPartitions(b)); err != nil {
			return err
		}
	}
	return nil
}

// advance goes from the end of a piece to the next one.
func (r *reader) advance(ctx context.Context) error {
	if r.file.archive == nil {
		r.ended = true
		return nil
	}
	if err := r.rows.Close(); err != nil {
		return err
	}
	err := r.nextPiece(ctx, r.file.entry.Index+1, nil)
	if err == io.EOF {
		r.ended = true
		return nil
	}
	return err
}

// Position is the split's state with the place after the last row.
func (r *reader) Position() ([]byte, error) {
	st := r.file.state
	at := r.rows.Position()
	st.From, st.Entry = &at, r.file.entry.Index
	return st.encode()
}

// partitionValues takes the values of the partition columns from a file's path.
func (r *reader) partitionValues(t *table, path string) {
	keys, values := partitions(path)
	r.dropPartitions()
	r.values, r.has = r.values[:0], r.has[:0]
	for _, key := range t.keys {
		i := slices.Index(keys, key)
		r.has = append(r.has, i >= 0)
		r.values = append(r.values, "")
		if i >= 0 {
			r.values[len(r.values)-1] = values[i]
		}
	}
}

func (r *reader) dropPartitions() {
	for _, a := range r.parts {
		a.Release()
	}
	r.parts = nil
}

// withPartitions adds the partition columns to a batch.
func (r *reader) withPartitions(b plugin.Batch) plugin.Batch {
	t := r.file.table
	if len(t.keys) == 0 {
		return b
	}
	n := b.Len()
	if len(r.parts) == 0 || r.parts[0].Len() < n {
		r.makePartitions(n + n/4)
	}
	columns := make([]arrow.Array, 0, len(t.out.Columns))
	columns = append(columns, b.Rows.Columns()...)
	for _, a := range r.parts {
		columns = append(columns, array.NewSlice(a, 0, int64(n)))
	}
	full := column.Assemble(t.out, columns, b.Kinds)
	for _, a := range columns[len(columns)-len(r.parts):] {
		a.Release()
	}
	b.Release()
	return full
}

// makePartitions fills the partition columns: the same value n times.
func (r *reader) makePartitions(n int) {
	r.dropPartitions()
	t := r.file.table
	only := *t.out
	only.Columns, only.Key = t.out.Columns[len(t.read.Columns):], nil
	table, err := plugin.NewTable(only)
	if err != nil {
		return // cannot be: the columns are a part of a valid table
	}
	build := column.NewBuilder(table, r.env.Alloc)
	for i, value := range r.values {
		c := build.Column(i).(*column.Text)
		for range n {
			if r.has[i] {
				c.AppendString(value)
			} else {
				c.AppendNull()
			}
		}
	}
	build.EndRows(n)
	b := build.Batch()
	for _, a := range b.Rows.Columns() {
		a.Retain()
		r.parts = append(r.parts, a)
	}
	b.Release()
}

func (r *reader) closeFile() error {
	if r.file == nil {
		return nil
	}
	err := r.file.close()
	if r.rows != nil {
		err = errors.Join(r.rows.Close(), err)
	}
	r.file, r.rows = nil, nil
	r.dropPartitions()
	return err
}

// Close ends the reader, also in the middle of a split.
func (r *reader) Close() error {
	err := r.closeFile()
	for _, f := range r.formats {
		err = errors.Join(err, f.Close())
	}
	return err
}
