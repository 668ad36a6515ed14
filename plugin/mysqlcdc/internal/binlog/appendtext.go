package binlog

import (
	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/column"
	"github.com/culvertdata/culvert/plugin/internal/mysql/wire"
)

// texts appends texts and bytes.
func (f *field) texts(c *column.Text, t plugin.Type) appendFunc {
	switch {
	case f.log.Type == wire.TypeEnum && t.Kind == plugin.String:
		return f.enums(c)
	case f.log.Type == wire.TypeSet && t.Kind == plugin.String:
		return f.sets(c)
	case f.log.Type == wire.TypeBit && t.Kind == plugin.Bytes:
		size := bitSize(f.log.Meta)
		return eachOf(func(b []byte) (int, error) {
			if len(b) < size {
				return 0, errShort
			}
			c.Append(b[:size])
			return size, nil
		})
	case f.log.head == 0 || f.typ.isBytes() != (t.Kind == plugin.Bytes):
		return nil
	case f.log.Type == wire.TypeJSON:
		return f.built(c, appendJSON)
	case f.charset != nil || f.pad > 0 || !f.plain():
		return f.built(c, f.appendText)
	}
	return plainTexts(c, f.log.head, t.Kind == plugin.String)
}

// plainTexts appends texts and bytes that are in the log as they are.
func plainTexts(c *column.Text, head int, check bool) appendFunc {
	return func(data []byte, at []int) error {
		for i, p := range at {
			from := p + head
			if from > len(data) {
				return errShort
			}
			to := from + lengthOf(data[p:from])
			if to > len(data) {
				return errShort
			}
			v := data[from:to]
			if check && !isASCII(v) {
				if err := column.ValidText(v); err != nil {
					return err
				}
			}
			c.Append(v)
			at[i] = to
		}
		return nil
	}
}

// plain reports whether texts are in the log as they are.
func (f *field) plain() bool {
	switch f.typ.name {
	case "uuid", "inet4", "inet6":
		return false
	}
	return f.log.Type != typeBlobPacked && f.log.Type != typeVarCharPacked
}

// built appends texts that are made from the bytes in the log, in the column's memory.
func (f *field) built(c *column.Text, build func(dst, b []byte) ([]byte, error)) appendFunc {
	return eachOf(func(b []byte) (int, error) {
		v, n, ok := lengthText(f.log.head, b)
		if !ok {
			return 0, errShort
		}
		made, err := build(c.Buffer(), v)
		if err != nil {
			return n, err
		}
		c.SetBuffer(made)
		return n, nil
	})
}

func (f *field) enums(c *column.Text) appendFunc {
	size := int(f.log.Meta)
	return eachOf(func(b []byte) (int, error) {
		if len(b) < size {
			return 0, errShort
		}
		name, err := f.enum(little(b[:size]))
		if err != nil {
			return size, err
		}
		c.AppendString(name)
		return size, nil
	})
}

func (f *field) sets(c *column.Text) appendFunc {
	size := int(f.log.Meta)
	return eachOf(func(b []byte) (int, error) {
		if len(b) < size {
			return 0, errShort
		}
		made, err := f.appendSet(c.Buffer(), little(b[:size]))
		if err != nil {
			return size, err
		}
		c.SetBuffer(made)
		return size, nil
	})
}
