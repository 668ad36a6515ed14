package parquet

import (
	"errors"
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/schema"

	"github.com/culvertdata/culvert/plugin"
)

// columnsOf returns the columns of a file. All columns of unknown types are reported together.
func columnsOf(name string, file *schema.Schema, sc *arrow.Schema) ([]plugin.Column, error) {
	columns := make([]plugin.Column, sc.NumFields())
	var errs []error
	for i, f := range sc.Fields() {
		t, err := typeOf(f.Type)
		if err != nil {
			errs = append(errs, &plugin.Error{
				Code: plugin.CodeType, Fix: "leave it out with read_columns",
				Err: fmt.Errorf("%s: column %s: %w", name, f.Name, err),
			})
		}
		columns[i] = plugin.Column{
			Name: f.Name, Type: t, NotNull: !f.Nullable, SourceType: sourceType(file.Root().Field(i)),
		}
	}
	return columns, errors.Join(errs...)
}

// sourceType returns the name of a column's type in the file.
func sourceType(n schema.Node) string {
	if logical := n.LogicalType(); logical != nil && !logical.IsNone() {
		return logical.String()
	}
	if p, ok := n.(*schema.PrimitiveNode); ok {
		if p.PhysicalType() == parquet.Types.FixedLenByteArray {
			return fmt.Sprintf("%s(%d)", p.PhysicalType(), p.TypeLength())
		}
		return p.PhysicalType().String()
	}
	return ""
}

// typeOf returns the column type for values that come as an Arrow type, which adapt may have to convert.
func typeOf(dt arrow.DataType) (plugin.Type, error) {
	switch dt := dt.(type) {
	case *arrow.Uint8Type:
		return plugin.TypeOf(plugin.SmallInt), nil
	case *arrow.Uint16Type:
		return plugin.TypeOf(plugin.Int), nil
	case *arrow.Uint32Type:
		return plugin.TypeOf(plugin.BigInt), nil
	case *arrow.Uint64Type:
		return plugin.DecimalOf(20, 0), nil
	case *arrow.Float16Type:
		return plugin.TypeOf(plugin.Float), nil
	case *arrow.FixedSizeBinaryType:
		return plugin.TypeOf(plugin.Bytes), nil
	case *arrow.Time32Type:
		return plugin.Type{Kind: plugin.Time, Scale: 3}, nil
	case *arrow.TimestampType:
		return timestampType(dt), nil
	case *arrow.Decimal128Type:
		if dt.Scale < 0 || dt.Scale > dt.Precision {
			return plugin.Type{}, fmt.Errorf("%s has an unusual scale", dt)
		}
	case arrow.ExtensionType:
		if dt.ExtensionName() == uuidName {
			return plugin.TypeOf(plugin.String), nil
		}
		return typeOf(dt.StorageType())
	case *arrow.MapType:
		key, err := typeOf(dt.KeyType())
		if err != nil {
			return key, err
		}
		item, err := typeOf(dt.ItemType())
		return plugin.MapOf(key, item), err
	case arrow.ListLikeType:
		elem, err := typeOf(dt.Elem())
		return plugin.ArrayOf(elem), err
	case *arrow.StructType:
		return rowType(dt)
	}
	return plugin.FromArrow(dt)
}

// uuidName is the name of Arrow's extension type for UUIDs.
const uuidName = "arrow.uuid"

func timestampType(dt *arrow.TimestampType) plugin.Type {
	digits := map[arrow.TimeUnit]int{arrow.Second: 0, arrow.Millisecond: 3, arrow.Microsecond: 6, arrow.Nanosecond: 9}
	return plugin.Type{Kind: plugin.Timestamp, Scale: digits[dt.Unit]}
}

func rowType(dt *arrow.StructType) (plugin.Type, error) {
	row := plugin.Type{Kind: plugin.Row}
	for _, f := range dt.Fields() {
		t, err := typeOf(f.Type)
		if err != nil {
			return row, fmt.Errorf("field %s: %w", f.Name, err)
		}
		row.Fields = append(row.Fields, plugin.Field{Name: f.Name, Type: t})
	}
	return row, nil
}
