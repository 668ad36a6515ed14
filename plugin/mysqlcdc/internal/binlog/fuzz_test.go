package binlog

import (
	"fmt"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/column"
	"github.com/culvertdata/culvert/plugin/internal/mysql/wire"
)

// FuzzEvents reads damaged events: it must not panic, and not ask for more memory than the bytes can mean.
func FuzzEvents(f *testing.F) {
	for _, seed := range []struct {
		t    Type
		body []byte
	}{
		{Query, query("shop", "BEGIN")}, {TableMapEvent, docTable()}, {GTIDEvent, gtid(testUUID, 1, 1<<55)},
		{WriteRowsV2, cat(rowsHead(1), 0, 1, 0, 0, 0, 0, doc(encodeJSON([]any{1})))},
		{UpdateRowsV1, cat(tableNumber, 1, 0, 3, 7, 7, 6, 1, 0, 0, 0, 6, 2, 0, 0, 0)},
		{PartialUpdateRows, cat(rowsHead(2), 6, 1, 0, 0, 0, 1, 1, 6, 2, 0, 0, 0, doc(cat(2, 3, "$.a")))},
		{PreviousGTIDs, cat(u64(1), testUUID[:], u64(1), u64(1), u64(6))}, {MariaGTIDList, cat(1, 0, 0, 0, u64(1), u64(1))},
		{MariaGTID, cat(u64(1), 0, 0, 0, 0, 1)}, {Rotate, append(u64(4), "binlog.000002"...)}, {RowsQuery, cat(3, "abc")},
		{queryCompressed, query("s", "\x81\x03junk")}, {writeCompressedV1, cat(tableNumber, 1, 0, 3, 7, 0x81, 3, "junk")},
		{TransactionPacked, cat(2, 3, 0xfc, 255, 0, 0, event(XID, 0, 0, u64(1)))},
	} {
		f.Add(byte(seed.t), seed.body)
	}
	f.Fuzz(func(_ *testing.T, kind byte, body []byte) {
		var s Stream
		s.last.GTIDs = nil
		if m, err := parseTableMap(docTable()[tableNumberSize:]); err == nil {
			s.tables.byNumber = map[uint64]*TableMap{0x6c: m}
		}
		e, err := s.event(event(Type(kind), 1, 0, body))
		if err != nil {
			return
		}
		if e.Type == TransactionPacked {
			for err = s.packed.start(e); err == nil && s.packed.open; {
				_, err = s.packed.next()
			}
		}
		if e, err = s.accept(e, err); err != nil {
			return
		}
		_, _ = ParseQuery(e)
		_, _ = ParseRowsQuery(e)
		_, _ = s.TableMap(e)
		if r, err := s.Rows(e); err == nil && r.Map != nil {
			_, _ = r.Count()
			walk(r)
		}
	})
}

// walk decodes rows whose columns are described by what the log says.
func walk(r Rows) {
	columns := make([]Column, len(r.Map.Columns))
	tab := plugin.Table{}
	for i, c := range r.Map.Columns {
		columns[i] = Column{Name: c.Name, Type: typeText(c), Out: i}
		if c.Name == "" {
			columns[i].Name = fmt.Sprint("c", i)
		}
		tab.Columns = append(tab.Columns, plugin.Column{Name: fmt.Sprint("c", i), Type: outType(c)})
	}
	out, err := plugin.NewTable(tab)
	if err != nil {
		return
	}
	d, err := NewDecoder(r.Map, columns, out, DecoderOptions{Missing: MissingIsOther})
	if err != nil {
		return
	}
	b := column.NewBuilder(out, memory.DefaultAllocator)
	defer b.Release()
	d.Bind(b)
	if d.Open(r) != nil {
		return
	}
	var v Value
	for n := 0; d.More() && n < 1000; n++ {
		for i := range columns {
			_ = d.Key(i, Before, &v)
			_ = d.Key(i, After, &v)
		}
		_ = d.Append()
	}
	b.Batch().Release()
}

// typeText returns a column type that the log's may be.
func typeText(c LogColumn) string {
	unsigned := ""
	if c.Unsigned {
		unsigned = " unsigned"
	}
	switch c.Type {
	case wire.TypeTiny:
		return "tinyint(1)" + unsigned
	case wire.TypeShort:
		return "smallint" + unsigned
	case wire.TypeMedium:
		return "mediumint" + unsigned
	case wire.TypeInt:
		return "int" + unsigned
	case wire.TypeBigInt:
		return "bigint" + unsigned
	case wire.TypeFloat:
		return "float" + unsigned
	case wire.TypeDouble:
		return "double" + unsigned
	case wire.TypeNewDecimal:
		return fmt.Sprintf("decimal(%d,%d)", c.Meta>>8, c.Meta&0xff) + unsigned
	case wire.TypeYear:
		return "year"
	case wire.TypeDate:
		return "date"
	case wire.TypeBit:
		return fmt.Sprintf("bit(%d)", c.Meta>>8*8+c.Meta&0xff)
	case typeTime2:
		return fmt.Sprintf("time(%d)", c.Meta)
	case typeDateTime2:
		return fmt.Sprintf("datetime(%d)", c.Meta)
	case typeTimestamp2:
		return fmt.Sprintf("timestamp(%d)", c.Meta)
	case wire.TypeEnum, wire.TypeSet:
		return map[byte]string{wire.TypeEnum: "enum", wire.TypeSet: "set"}[c.Type] + "('a','b')"
	case wire.TypeString:
		return "uuid"
	case wire.TypeVarChar, typeVarCharPacked:
		return "varchar(10)"
	case wire.TypeJSON:
		return "json"
	case wire.TypeGeometry:
		return "geometry"
	}
	return [...]string{"", "tinytext", "text", "mediumtext", "longtext"}[min(c.Meta, 4)]
}

func outType(c LogColumn) plugin.Type {
	switch c.Type {
	case wire.TypeTiny:
		return plugin.TypeOf(plugin.Boolean)
	case wire.TypeShort, wire.TypeMedium, wire.TypeInt, wire.TypeYear:
		return plugin.TypeOf(plugin.Int)
	case wire.TypeBigInt:
		return plugin.TypeOf(plugin.BigInt)
	case wire.TypeNewDecimal:
		return plugin.DecimalOf(38, min(int(c.Meta&0xff), 30))
	case wire.TypeDate:
		return plugin.TypeOf(plugin.Date)
	case typeTime2, wire.TypeTime:
		return plugin.TypeOf(plugin.Time)
	case typeDateTime2, typeTimestamp2, wire.TypeDateTime, wire.TypeTimestamp:
		return plugin.TypeOf(plugin.Timestamp)
	case wire.TypeGeometry, wire.TypeBit:
		return plugin.TypeOf(plugin.Bytes)
	}
	return plugin.TypeOf(plugin.String)
}

// FuzzRows decodes damaged rows of damaged tables.
func FuzzRows(f *testing.F) {
	types := []byte{wire.TypeTiny, wire.TypeNewDecimal, wire.TypeString, wire.TypeEnum, typeTime2, typeDateTime2,
		typeTimestamp2, wire.TypeBit, wire.TypeBlob, typeBlobPacked, wire.TypeYear, wire.TypeDate, wire.TypeJSON}
	metas := []byte{10, 2, 0xfe, 16, 0xf7, 1, 6, 6, 6, 1, 1, 2, 2, 4}
	f.Add(tableMap("a", "b", types, metas, meta(metaSigns, 0)),
		cat(tableNumber, 1, 0, len(types), 0xff, 0x1f, strings.Repeat("\x00", 80)))
	f.Add(docTable(), cat(tableNumber, 1, 0, 3, 7, 0, 1, 0, 0, 0, 1, "x", doc(encodeJSON(map[string]any{"a": 1.5}))))
	f.Fuzz(func(_ *testing.T, table, rows []byte) {
		var s Stream
		if _, err := s.TableMap(Event{Type: TableMapEvent, Body: table}); err != nil {
			return
		}
		for _, kind := range []Type{WriteRowsV1, UpdateRowsV1, DeleteRowsV2, PartialUpdateRows} {
			if r, err := s.Rows(Event{Type: kind, Body: rows}); err == nil && r.Map != nil {
				_, _ = r.Count()
				walk(r)
			}
		}
	})
}

// FuzzJSON prints and changes damaged JSON values.
func FuzzJSON(f *testing.F) {
	f.Add(encodeJSON(map[string]any{"a": []any{1, "x", 2.5, nil}, "b": map[string]any{}}), cat(0, 3, "$.a", 2, 4, 1))
	f.Add([]byte{jsonLargeArray, 1, 0, 0, 0, 13, 0, 0, 0, jsonInt32, 1, 0, 0, 0}, cat(1, 4, "$[0]", 2, 4, 1))
	f.Fuzz(func(t *testing.T, base, changes []byte) {
		text, err := appendJSON(nil, base)
		if err == nil && len(text) > textGrowth*len(base)+2*len(base)+100 {
			t.Errorf("%d bytes became %d", len(base), len(text))
		}
		_, _ = patchJSON(nil, base, changes)
	})
}
