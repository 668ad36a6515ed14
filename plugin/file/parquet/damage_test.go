package parquet_test

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/file/format"
	"github.com/culvertdata/culvert/plugin/file/parquet"
)

// readAny reads a file that may be damaged, by the columns that it says it has.
func readAny(t *testing.T, data []byte) error {
	cols, err := parquet.Format().Columns(t.Context(), input(data))
	if err != nil {
		return err
	}
	tab, err := plugin.NewTable(plugin.Table{Columns: cols})
	if err != nil {
		return err
	}
	r, err := parquet.Format().NewReader(format.ReadOptions{Table: tab})
	if err != nil {
		return err
	}
	defer r.Close()
	if err := r.Open(t.Context(), input(data), format.Range{End: -1}, nil); err != nil {
		return err
	}
	for {
		b, err := r.Next(t.Context())
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		b.Release()
	}
}

// TestDamagedFiles flips bits all over a file: reading it must end, with an error or without one.
func TestDamagedFiles(t *testing.T) {
	tab := everyType(t)
	good := write(t, format.WriteOptions{Table: tab}, build(t, tab, everyRow()...))
	errs := 0
	for at := 0; at < len(good); at += 31 {
		for _, flip := range []byte{0x01, 0x80, 0xff} {
			data := bytes.Clone(good)
			data[at] ^= flip
			if readAny(t, data) != nil {
				errs++
			}
		}
	}
	for n := range len(good) / 50 {
		if readAny(t, good[:n*50]) == nil {
			t.Errorf("the first %d bytes are a file", n*50)
		}
	}
	if errs == 0 {
		t.Error("no damage was found")
	}
}

// FuzzRead checks that broken files are read to an end, whatever is broken.
func FuzzRead(f *testing.F) {
	tab := everyType(f)
	f.Add(write(f, format.WriteOptions{Table: tab}, build(f, tab, everyRow()...)), 100, byte(7))
	f.Fuzz(func(t *testing.T, data []byte, at int, flip byte) {
		if len(data) == 0 {
			return
		}
		data = bytes.Clone(data)
		data[uint(at)%uint(len(data))] ^= flip
		_ = readAny(t, data)
	})
}
