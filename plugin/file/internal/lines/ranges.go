package lines

import (
	"context"

	"github.com/culvertdata/culvert/plugin/file/format"
	"github.com/culvertdata/culvert/plugin/file/internal/charset"
)

// Ranges cuts a file into ranges of equal size, about o.SplitSize. Only plain UTF-8 files are cut: others can only be
// read front to back.
func Ranges(ctx context.Context, in format.Input, o format.ReadOptions) ([]format.Range, error) {
	cs, err := charset.Lookup(o.Encoding)
	if err != nil {
		return nil, err
	}
	if in.Size == 0 {
		return nil, nil
	}
	size := o.SplitSize
	if in.Size < 0 || !cs.UTF8() || o.QuotedNewlines || size <= 0 || in.Size < size+size/2 {
		return []format.Range{{End: -1, Rows: -1}}, nil
	}
	head, err := headerEnd(ctx, in, o)
	if err != nil {
		return nil, err
	}
	pieces := max(1, (in.Size-head+size-1)/size)
	step := (in.Size - head + pieces - 1) / pieces
	ranges := make([]format.Range, pieces)
	for i := range ranges {
		ranges[i] = format.Range{Start: head + int64(i)*step, End: head + int64(i+1)*step, Rows: -1}
	}
	ranges[0].Start = 0
	ranges[pieces-1].End = -1
	return ranges, nil
}

// headerEnd returns where a file's first row begins, so that the header lies in the first range as a whole.
func headerEnd(ctx context.Context, in format.Input, o format.ReadOptions) (int64, error) {
	if o.SkipHeader == 0 {
		return 0, nil
	}
	s := Scanner{MaxRecord: o.MaxRecord, Header: o.SkipHeader}
	defer s.Close()
	if err := s.Open(ctx, in, format.Range{End: -1}, nil); err != nil {
		return 0, err
	}
	return s.Position().At, nil
}
