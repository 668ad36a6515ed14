package mysqlcdc

import (
	"context"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/mysqlcdc/internal/binlog"
)

// rows takes an event of changed rows.
func (l *logReader) rows(ctx context.Context, out plugin.Out, e binlog.Event) error {
	rows, err := l.stream.Rows(e)
	if err != nil || rows.Map == nil {
		return err
	}
	b, err := l.bind(ctx, out, rows.Map)
	if err != nil || b.table == nil {
		return err
	}
	if b.decoder == nil {
		n, err := rows.Count()
		l.taken += int64(n)
		return err
	}
	if err := b.decoder.Open(rows); err != nil {
		return err
	}
	t := b.table
	if t.builder.Len() == 0 {
		t.event = l.stream.CommitTime() / 1000
	}
	for b.decoder.More() {
		before := t.builder.Len()
		if l.taken < l.skip || t.filter != nil || rows.Change == binlog.Update && len(t.keys) > 0 {
			err = l.row(ctx, b, rows.Change)
		} else {
			var n int
			n, err = b.decoder.AppendAll()
			l.taken += int64(n)
		}
		l.held += int64(t.builder.Len() - before)
		if err != nil {
			return err
		}
		if t.builder.Full() {
			if err := l.flush(out, t); err != nil {
				return err
			}
		}
	}
	return nil
}

// row takes the next row.
func (l *logReader) row(ctx context.Context, b *binding, change binlog.Change) error {
	d, t := b.decoder, b.table
	l.taken++
	if l.taken <= l.skip {
		return d.Skip()
	}
	before, after := counts, counts
	if t.filter != nil {
		var err error
		if change != binlog.Insert {
			if before, err = t.filter.judge(ctx, d, binlog.Before, l.start); err != nil {
				return err
			}
		}
		if change != binlog.Delete {
			if after, err = t.filter.judge(ctx, d, binlog.After, l.start); err != nil {
				return err
			}
		}
	}
	gone := before == counts || before == unread && t.Stale
	switch change {
	case binlog.Insert:
		if after == counts {
			return d.Append()
		}
	case binlog.Delete:
		if gone {
			return d.Append()
		}
	default:
		return l.update(b, before == counts, gone, after == counts)
	}
	return d.Skip()
}

// update takes an update. One that changes the key is a deletion and an insertion: sinks know rows by their keys. So is
// one of which the snapshot has one side.
func (l *logReader) update(b *binding, before, gone, after bool) error {
	d := b.decoder
	if before && after {
		moved, err := d.Changed(b.table.keys)
		if err != nil {
			return err
		}
		if !moved {
			return d.Append()
		}
	}
	if gone {
		if err := d.AppendImage(binlog.Before, plugin.Delete); err != nil {
			return err
		}
	}
	if after {
		if err := d.AppendImage(binlog.After, plugin.Insert); err != nil {
			return err
		}
	}
	return d.Skip()
}
