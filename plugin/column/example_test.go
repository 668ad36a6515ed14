package column_test

import (
	"fmt"
	"time"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/column"
)

func items() *plugin.Table {
	t, err := plugin.NewTable(plugin.Table{ID: plugin.TableID{Name: "items"}, Columns: []plugin.Column{
		{Name: "id", Type: plugin.TypeOf(plugin.BigInt)},
		{Name: "name", Type: plugin.TypeOf(plugin.String)},
		{Name: "price", Type: plugin.DecimalOf(10, 2)},
		{Name: "tags", Type: plugin.ArrayOf(plugin.TypeOf(plugin.String))},
	}})
	if err != nil {
		fmt.Println(err)
	}
	return t
}

// show prints a batch as JSON, a row in a line.
func show(b plugin.Batch) {
	for i := range b.Len() {
		line := []byte(b.Kind(i).String())
		for j, c := range b.Table.Columns {
			line = column.FormatJSON(append(line, ' '), b.Rows.Column(j), c.Type, i)
		}
		fmt.Println(string(line))
	}
}

// The typed way, for hot paths: no value is boxed.
func ExampleBuilder() {
	pool := column.NewPool()
	b := column.NewBuilder(items(), pool)
	id, name := b.Column(0).(*column.Fixed[int64]), b.Column(1).(*column.Text)
	tags := b.Column(3).(*column.Lists)
	for i := range int64(2) {
		id.Append(i)
		name.AppendString("pen")
		if err := column.AppendText(b.Column(2), b.Table().Columns[2].Type, []byte("1.50"), nil); err != nil {
			fmt.Println(err)
		}
		tags.Begin()
		tags.Elem().(*column.Text).AppendString("new")
		tags.End()
		b.EndRow(plugin.Insert)
	}
	batch := b.Batch()
	show(batch)
	batch.Release()
	fmt.Println(pool.Held(), "bytes held")
	// Output:
	// +I 0 "pen" 1.50 ["new"]
	// +I 1 "pen" 1.50 ["new"]
	// 0 bytes held
}

// The convenient way. A bad value leaves no trace in the batch.
func ExampleBuilder_AppendRow() {
	b := column.NewBuilder(items(), memory.DefaultAllocator)
	if err := b.AppendRow(plugin.Insert, 1, "pen", 1.5, []string{"new", "red"}); err != nil {
		fmt.Println(err)
	}
	if err := b.AppendRow(plugin.Insert, 2, "ink", "1.505", nil); err != nil {
		fmt.Println(err)
	}
	if err := b.AppendRow(plugin.Delete, 3, nil, nil, nil); err != nil {
		fmt.Println(err)
	}
	batch := b.Batch()
	defer batch.Release()
	show(batch)
	// Output:
	// column price: "1.505" cannot be a Decimal(10, 2): more than 2 digits behind the point
	// +I 1 "pen" 1.50 ["new","red"]
	// -D 3 null null null
}

func ExampleBuilder_AppendJSON() {
	b := column.NewBuilder(items(), memory.DefaultAllocator)
	if err := b.AppendJSON(plugin.Insert, []byte(`{"name": "pen", "id": "7", "more": {}, "tags": ["a"]}`)); err != nil {
		fmt.Println(err)
	}
	batch := b.Batch()
	defer batch.Release()
	show(batch)
	// Output: +I 7 "pen" null ["a"]
}

// Item is a row of the items table.
type Item struct {
	ID    int64 `culvert:",key"`
	Name  string
	Price column.Decimal `culvert:",decimal(10,2)"`
	Since *time.Time     `culvert:",date"`
}

// Rows of a struct, and back.
func ExampleMapper() {
	m, err := column.NewMapper[Item]()
	if err != nil {
		fmt.Println(err)
		return
	}
	table, err := m.Table(plugin.TableID{Name: "items"})
	if err != nil {
		fmt.Println(err)
		return
	}
	b := column.NewBuilder(table, memory.DefaultAllocator)
	day := time.Date(2024, 2, 29, 0, 0, 0, 0, time.UTC)
	if err := m.Append(b, Item{ID: 1, Name: "pen", Since: &day}, Item{ID: 2, Name: "ink"}); err != nil {
		fmt.Println(err)
	}
	batch := b.Batch()
	defer batch.Release()
	show(batch)

	binding, err := m.Bind(table)
	if err != nil {
		fmt.Println(err)
		return
	}
	list, err := binding.Read(nil, batch)
	fmt.Println(list[0].Name, list[0].Since.Year(), list[1].Since, err)
	// Output:
	// +I 1 "pen" 0.00 "2024-02-29"
	// +I 2 "ink" 0.00 null
	// pen 2024 <nil> <nil>
}

func ExampleTake() {
	b := column.NewBuilder(items(), memory.DefaultAllocator)
	for i := range 4 {
		if err := b.AppendRow(plugin.Insert, i, "pen", 1, nil); err != nil {
			fmt.Println(err)
		}
	}
	batch := b.Batch()
	defer batch.Release()
	taken := column.Take(batch, []int32{3, 1}, memory.DefaultAllocator)
	defer taken.Release()
	show(taken)
	// Output:
	// +I 3 "pen" 1.00 null
	// +I 1 "pen" 1.00 null
}

func ExampleFormatText() {
	b := column.NewBuilder(items(), memory.DefaultAllocator)
	if err := b.AppendRow(plugin.Insert, 1, "pen", 1, []string{"new", "red"}); err != nil {
		fmt.Println(err)
	}
	batch := b.Batch()
	defer batch.Release()
	f, err := column.NewTextFormat(column.TextOptions{Separators: [6]string{";"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	var line []byte
	for i, c := range batch.Table.Columns {
		if i > 0 {
			line = append(line, ',')
		}
		line = column.FormatText(line, batch.Rows.Column(i), c.Type, 0, f)
	}
	fmt.Println(string(line))
	// Output: 1,pen,1.00,new;red
}
