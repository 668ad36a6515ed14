package mysqlcdc

import (
	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/internal/cdc"
)

// truncate does what the job wants of a table that was emptied. Places of the snapshot's views tell whether they show
// that; parts that are still to be read will.
func (l *logReader) truncate(out plugin.Out, t *followed, text string) error {
	truncated := cdc.Truncated{Table: t.out, At: l.start.String(), Text: text}
	for _, p := range t.Pieces {
		after := l.start.Compare(p.At) < 0
		truncated.After, truncated.Before = truncated.After || after, truncated.Before || !after
	}
	change, err := truncated.Change(l.source.options.truncation(), l.source.env.Logger)
	if err != nil || change == nil {
		return err
	}
	l.locate()
	change.New = l.source.shared(change.New)
	return l.interrupt(out, t, *change)
}
