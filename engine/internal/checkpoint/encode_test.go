package checkpoint

import (
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/culvertdata/culvert/plugin"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

var update = flag.Bool("update", false, "write the golden files of the present format anew")

// equal compares checkpoints; Arrow schemas follow from the columns.
var equal = cmp.Options{
	cmpopts.IgnoreFields(plugin.Table{}, "Schema"),
}

func mustTable(t testing.TB, table plugin.Table) *plugin.Table {
	t.Helper()
	made, err := plugin.NewTable(table)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// everyKind is a table with a column of each kind and everything else that a table can have.
func everyKind(t testing.TB) *plugin.Table {
	text, empty := "it's \"quoted\"", ""
	row := plugin.RowOf(
		plugin.Field{Name: "a", Type: plugin.TypeOf(plugin.Int)},
		plugin.Field{Name: "b", Type: plugin.ArrayOf(plugin.MapOf(plugin.TypeOf(plugin.String), plugin.DecimalOf(38, 38)))},
	)
	table := plugin.Table{
		ID:      plugin.TableID{Database: "shop", Schema: "public", Name: "örders.2"},
		Version: 7,
		Key:     []int{1, 0},
		KeyName: "pk",
		Constraints: []plugin.Constraint{
			{Name: "u", Kind: plugin.UniqueKey, Columns: []plugin.ConstraintColumn{{Name: "c1"}, {Name: "c2", Desc: true}}},
			{Name: "v", Kind: plugin.VectorIndexKey},
		},
		Comment: "all kinds",
		Catalog: "MySQL-CDC",
	}
	types := []plugin.Type{plugin.DecimalOf(10, 2), {Kind: plugin.Timestamp, Scale: 9}, row}
	for kind := plugin.Null; kind <= plugin.Timestamp; kind++ {
		if kind != plugin.Decimal {
			types = append(types, plugin.TypeOf(kind))
		}
	}
	for i, typ := range types {
		table.Columns = append(table.Columns, plugin.Column{Name: "c" + string(rune('a'+i)), Type: typ})
	}
	table.Columns[0].Default, table.Columns[1].Default = &text, &empty
	table.Columns[2].NotNull, table.Columns[2].Length = true, 255
	table.Columns[3].Comment, table.Columns[3].SourceType = "a note", "mediumtext"
	return mustTable(t, table)
}

func full(t testing.TB) *Checkpoint {
	orders := plugin.TableID{Database: "shop", Name: "orders"}
	return &Checkpoint{
		Pipeline: 2, Epoch: 1 << 40, Type: Savepoint, State: Complete,
		Time: time.Date(2026, 3, 4, 5, 6, 7, 891011121, time.UTC),
		Sources: []Source{
			{
				Vertex: "Source[0]-Jdbc", Splitter: []byte{}, Exhausted: true,
				Splits: []Split{
					{Split: plugin.Split{ID: "orders-0", Table: orders, State: []byte("at 17"), Rows: 1000}, Started: true},
					{Split: plugin.Split{ID: "orders-1", Table: orders, State: []byte{}, Rows: -1}, Finished: true},
					{Split: plugin.Split{ID: "orders-2"}},
				},
				Tables: []plugin.TableID{orders, {Name: "t"}},
			},
			{Vertex: "Source[1]-FakeSource"},
		},
		Sinks: []Sink{
			{
				Vertex:  "Sink[0]-LocalFile",
				Tokens:  [][][]byte{{[]byte("rename a"), nil, {}}, nil, {[]byte("rename b")}},
				Writers: [][][]byte{nil, {[]byte("open file")}},
				Tables:  [][]plugin.TableID{{orders}, nil, {orders, {Schema: "s", Name: "t"}}},
			},
			{Vertex: "Sink[1]-Console"},
		},
		Tables:   []Table{{everyKind(t)}},
		Counters: []Counter{{Vertex: "Source[0]-Jdbc", Table: "shop.orders", Rows: 1 << 62, Bytes: -1, Rejected: 3}, {}},
	}
}

// cases are checkpoints that must keep their form for ever.
func cases(t testing.TB) map[string]*Checkpoint {
	return map[string]*Checkpoint{
		"empty": {},
		"small": {
			Pipeline: 1, Epoch: 3, Time: time.UnixMilli(1_790_000_000_123).UTC(),
			Sources: []Source{{Vertex: "Source[0]-FakeSource", Splitter: []byte("s"), Splits: []Split{
				{Split: plugin.Split{ID: "0", State: []byte{9}, Rows: 5}, Started: true},
			}}},
			Sinks:    []Sink{{Vertex: "Sink[0]-Console", Tokens: [][][]byte{nil}}},
			Counters: []Counter{{Vertex: "Source[0]-FakeSource", Table: "fake", Rows: 5, Bytes: 80}},
		},
		"full": full(t),
	}
}

func encoded(t testing.TB, c *Checkpoint) []byte {
	t.Helper()
	b, err := c.Append(nil)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestRoundTrip(t *testing.T) {
	for name, want := range cases(t) {
		t.Run(name, func(t *testing.T) {
			got, err := Decode(encoded(t, want))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got, equal); diff != "" {
				t.Errorf("decoded checkpoint differs (-want +got):\n%s", diff)
			}
		})
	}
}

func TestDecodeMakesSchema(t *testing.T) {
	want := everyKind(t)
	got, err := Decode(encoded(t, &Checkpoint{Tables: []Table{{want}}}))
	if err != nil {
		t.Fatal(err)
	}
	if schema := got.Tables[0].Table.Schema; !schema.Equal(want.Schema) {
		t.Errorf("schema is %v, want %v", schema, want.Schema)
	}
}

// A nil state starts a splitter afresh, an empty one does not.
func TestNilIsNotEmpty(t *testing.T) {
	c := &Checkpoint{Sources: []Source{{Splitter: nil}, {Splitter: []byte{}}}}
	got, err := Decode(encoded(t, c))
	if err != nil {
		t.Fatal(err)
	}
	if got.Sources[0].Splitter != nil || got.Sources[1].Splitter == nil {
		t.Errorf("splitter states are %#v and %#v, want nil and empty", got.Sources[0].Splitter, got.Sources[1].Splitter)
	}
}

func TestAppendKeepsWhatIsThere(t *testing.T) {
	c := cases(t)["small"]
	b, err := c.Append([]byte("before"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff("before"+string(encoded(t, c)), string(b)); diff != "" {
		t.Error(diff)
	}
}

// TestGolden reads what each format that was ever released wrote. Files of past formats are never written again.
func TestGolden(t *testing.T) {
	for name, want := range cases(t) {
		file := filepath.Join("testdata", fmt.Sprintf("v%d-%s.checkpoint", formatVersion, name))
		if *update {
			if err := os.WriteFile(file, encoded(t, want), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		got, err := Decode(b)
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		if diff := cmp.Diff(want, got, equal); diff != "" {
			t.Errorf("%s reads differently (-want +got):\n%s", file, diff)
		}
		if again := encoded(t, got); string(again) != string(b) {
			t.Errorf("%s is written differently now; a changed form needs a new version", file)
		}
	}
}

// TestGoldenOfFormat1 reads checkpoints that did not tell the tables of sources and sinks.
func TestGoldenOfFormat1(t *testing.T) {
	for name, want := range cases(t) {
		for i := range want.Sources {
			want.Sources[i].Tables = nil
		}
		for i := range want.Sinks {
			want.Sinks[i].Tables = nil
		}
		b, err := os.ReadFile(filepath.Join("testdata", "v1-"+name+".checkpoint"))
		if err != nil {
			t.Fatal(err)
		}
		got, err := Decode(b)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if diff := cmp.Diff(want, got, equal); diff != "" {
			t.Errorf("%s reads differently (-want +got):\n%s", name, diff)
		}
	}
}

func TestNewerFormatIsRefused(t *testing.T) {
	b := encoded(t, full(t))
	b[0] = formatVersion + 1
	_, err := Decode(b)
	var newer *VersionError
	if !errors.As(err, &newer) {
		t.Fatalf("error is %v, want a *VersionError", err)
	}
	if diff := cmp.Diff(&VersionError{Found: 3, Known: 2}, newer); diff != "" {
		t.Error(diff)
	}
	if !strings.Contains(err.Error(), "format 3, this version reads up to 2") {
		t.Errorf("error is %q", err)
	}
}

func TestAppendRefuses(t *testing.T) {
	deep := plugin.TypeOf(plugin.Int)
	for range maxDepth + 1 {
		deep = plugin.ArrayOf(deep)
	}
	tests := map[string]struct {
		checkpoint Checkpoint
		want       string
	}{
		"negative pipeline": {Checkpoint{Pipeline: -1}, "pipelines count from 1"},
		"nil table":         {Checkpoint{Tables: make([]Table, 1)}, "table is nil"},
		"deep type": {
			Checkpoint{Tables: []Table{{mustTable(t, plugin.Table{Columns: []plugin.Column{{Name: "x", Type: deep}}})}}},
			"nested deeper than 64",
		},
	}
	for name, tt := range tests {
		if b, err := tt.checkpoint.Append(nil); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %d bytes, error %v; want an error with %q", name, len(b), err, tt.want)
		}
	}
}

// Every cut and every flipped bit is noticed.
func TestDamageIsNoticed(t *testing.T) {
	b := encoded(t, full(t))
	for n := range b {
		if _, err := Decode(b[:n:n]); !errors.Is(err, ErrDamaged) {
			t.Fatalf("cut to %d of %d bytes: error %v", n, len(b), err)
		}
		for bit := range 8 {
			b[n] ^= 1 << bit
			if c, err := Decode(b); err == nil {
				t.Fatalf("bit %d of byte %d flipped: no error but %v", bit, n, c)
			}
			b[n] ^= 1 << bit
		}
	}
}

// withChecksum makes bytes pass the checksum, so that what lies behind it is reached.
func withChecksum(b []byte) []byte {
	b = append([]byte{formatVersion}, b...)
	return binary.BigEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
}

func TestDamageBehindChecksum(t *testing.T) {
	head := []byte{1, 1, 0, 0, 0, 0} // pipeline, epoch, type, state, time
	tests := map[string]struct {
		body []byte
		want string
	}{
		"nothing":           {nil, "a number is broken"},
		"pipeline":          {binary.AppendUvarint(nil, 1<<40), "pipeline 1099511627776 is out of range"},
		"type":              {[]byte{1, 1, 3}, "type 3 is unknown"},
		"state":             {[]byte{1, 1, 0, 2}, "state 2 is unknown"},
		"time":              {binary.AppendUvarint([]byte{1, 1, 0, 0, 0}, 1e9), "more than a second"},
		"sources announced": {binary.AppendUvarint(head, 1<<62), "4611686018427387904 elements announced, 0 bytes left"},
		"vertex announced":  {append(head, 1, 200, 1, 0), "elements announced"},
		"string announced":  {append(head, 1, 50, 0, 0, 0), "50 bytes announced, 3 left"},
		"truth value":       {append(head, 1, 0, 0, 2, 0), "truth value 2 is unknown"},
		"too long":          {append(head, 0, 0, 0, 0, 9), "1 bytes too many"},
		"table":             {append(head, 0, 0, 1, 0, 0, 1, 't', 0, 0, 0, 0, 0, 0, 0, 0), "table t has no columns"},
		"ends early":        {append(head, 0, 0, 0), "a number is broken"},
	}
	for name, tt := range tests {
		_, err := Decode(withChecksum(tt.body))
		if !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: error is %v, want ErrDamaged with %q", name, err, tt.want)
		}
	}
}

// FuzzDecode hands Decode bytes with a right checksum. Whatever it accepts must come out the same after another turn.
func FuzzDecode(f *testing.F) {
	for _, c := range cases(f) {
		b := encoded(f, c)
		f.Add(b[1 : len(b)-checksumBytes])
	}
	f.Add([]byte{})
	f.Add(binary.AppendUvarint([]byte{1, 1, 0, 0, 0, 0}, 1<<62))
	f.Fuzz(func(t *testing.T, body []byte) {
		c, err := Decode(withChecksum(body))
		if err != nil {
			if !errors.Is(err, ErrDamaged) {
				t.Fatalf("error doesn't say that the checkpoint is damaged: %v", err)
			}
			return
		}
		again, err := Decode(encoded(t, c))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c, again, equal); diff != "" {
			t.Error(diff)
		}
	})
}

// FuzzDecodeRaw hands Decode any bytes.
func FuzzDecodeRaw(f *testing.F) {
	for _, c := range cases(f) {
		f.Add(encoded(f, c))
	}
	f.Add([]byte{formatVersion + 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		if c, err := Decode(b); (c == nil) == (err == nil) {
			t.Errorf("Decode returned %v and error %v", c, err)
		}
	})
}

func BenchmarkAppend(b *testing.B) {
	c := full(b)
	buf := encoded(b, c)
	b.SetBytes(int64(len(buf)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Append(buf[:0]); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecode(b *testing.B) {
	buf := encoded(b, cases(b)["small"])
	b.SetBytes(int64(len(buf)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Decode(buf); err != nil {
			b.Fatal(err)
		}
	}
}
