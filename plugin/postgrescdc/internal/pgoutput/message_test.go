package pgoutput

import (
	"encoding/binary"
	"encoding/hex"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// wire builds messages.
type wire []byte

func (w wire) byte(b ...byte) wire   { return append(w, b...) }
func (w wire) u16(n uint16) wire     { return binary.BigEndian.AppendUint16(w, n) }
func (w wire) u32(n uint32) wire     { return binary.BigEndian.AppendUint32(w, n) }
func (w wire) u64(n uint64) wire     { return binary.BigEndian.AppendUint64(w, n) }
func (w wire) text(s string) wire    { return append(append(w, s...), 0) }
func (w wire) bytes(s string) wire   { return append(w.u32(uint32(len(s))), s...) }
func (w wire) value(s string) wire   { return w.byte('b').bytes(s) }
func (w wire) with(other wire) wire  { return append(w, other...) }
func tuple(n uint16, w wire) wire    { return wire{}.u16(n).with(w) }
func message(kind byte, w wire) wire { return wire{kind}.with(w) }

var (
	begin    = message('B', wire{}.u64(0x1_6B374D848).u64(1000000).u32(77))
	commit   = message('C', wire{0}.u64(1).u64(0x2_00000001).u64(3))
	relation = message('R', wire{}.u32(16385).text("public").text("a").byte('d').u16(2).
			byte(1).text("id").u32(23).u32(0xffffffff).byte(0).text("v").u32(25).u32(0xffffffff))
	insert = message('I', wire{}.u32(16385).byte('N').with(tuple(2, wire{}.value("\x00\x00\x00\x07").byte('n'))))
	update = message('U', wire{}.u32(16385).byte('O').with(tuple(2,
		wire{}.value("a").value("b"))).byte('N').with(tuple(2, wire{}.value("c").byte('u'))))
	plain    = message('U', wire{}.u32(16385).byte('N').with(tuple(1, wire{}.byte('t').bytes("x"))))
	remove   = message('D', wire{}.u32(16385).byte('K').with(tuple(2, wire{}.value("k").byte('n'))))
	truncate = message('T', wire{}.u32(2).byte(1).u32(16385).u32(16390))
)

func TestParse(t *testing.T) {
	b, err := ParseBegin(begin)
	want := Begin{Final: 0x16B374D848, Time: 946684801000000, XID: 77}
	if err != nil || b != want {
		t.Errorf("begin: %+v, %v", b, err)
	}
	if end, err := ParseCommit(commit); err != nil || end.String() != "2/1" {
		t.Errorf("commit: %v, %v", end, err)
	}
	r, err := ParseRelation(relation)
	wantRelation := &Relation{OID: 16385, Schema: "public", Name: "a", Identity: IdentityDefault,
		Columns: []Column{{Name: "id", Key: true, Type: 23, Mod: -1}, {Name: "v", Type: 25, Mod: -1}}}
	if d := cmp.Diff(wantRelation, r); d != "" || err != nil {
		t.Errorf("relation: %s, %v", d, err)
	}
	if tables, err := ParseTruncate(truncate); err != nil || !cmp.Equal(tables, []uint32{16385, 16390}) {
		t.Errorf("truncate: %v, %v", tables, err)
	}
}

func TestParseChange(t *testing.T) {
	null, text := Value{Form: Null}, func(s string) Value { return Value{Binary, []byte(s)} }
	tests := []struct {
		name     string
		m        []byte
		old, new []Value
		keyOnly  bool
	}{
		{"insert", insert, nil, []Value{text("\x00\x00\x00\x07"), null}, false},
		{"update", update, []Value{text("a"), text("b")}, []Value{text("c"), {Form: Unchanged}}, false},
		{"plain update", plain, nil, []Value{{Text, []byte("x")}}, false},
		{"delete", remove, []Value{text("k"), null}, nil, true},
	}
	for _, test := range tests {
		c, err := ParseChange(test.m)
		if err != nil || c.Relation != 16385 || c.KeyOnly != test.keyOnly || c.Kind != test.m[0] {
			t.Errorf("%s: %+v, %v", test.name, c, err)
			continue
		}
		for _, part := range []struct {
			tuple Tuple
			want  []Value
		}{{c.Old, test.old}, {c.New, test.new}} {
			if part.tuple == nil && part.want == nil {
				continue
			}
			got, err := part.tuple.Values(nil)
			if d := cmp.Diff(part.want, got); d != "" || err != nil {
				t.Errorf("%s: %s, %v", test.name, d, err)
			}
		}
	}
}

// parseAll parses a message of any kind to its end.
func parseAll(m []byte) error {
	if len(m) == 0 {
		return nil
	}
	var err error
	switch m[0] {
	case KindBegin:
		_, err = ParseBegin(m)
	case KindCommit:
		_, err = ParseCommit(m)
	case KindRelation:
		_, err = ParseRelation(m)
	case KindTruncate:
		_, err = ParseTruncate(m)
	case KindInsert, KindUpdate, KindDelete:
		var c Change
		if c, err = ParseChange(m); err != nil {
			return err
		}
		for _, tuple := range []Tuple{c.Old, c.New} {
			if tuple != nil {
				if _, err := tuple.Values(nil); err != nil {
					return err
				}
			}
		}
	}
	return err
}

// TestDamaged cuts every message at every place: each is an error.
func TestDamaged(t *testing.T) {
	for _, m := range []wire{begin, commit, relation, insert, update, plain, remove, truncate} {
		if err := parseAll(m); err != nil {
			t.Fatalf("%c: %v", m[0], err)
		}
		for n := 1; n < len(m); n++ {
			if err := parseAll(m[:n:n]); err == nil {
				t.Errorf("%c cut at %d of %d is no error", m[0], n, len(m))
			}
		}
	}
}

func FuzzMessage(f *testing.F) {
	for _, m := range []wire{begin, commit, relation, insert, update, plain, remove, truncate} {
		f.Add([]byte(m))
	}
	f.Fuzz(func(_ *testing.T, m []byte) { _ = parseAll(m) })
}

func TestFrames(t *testing.T) {
	f, err := ParseFrame(wire{'w'}.u64(1).u64(2).u64(3).byte('B'))
	if d := cmp.Diff(Frame{Kind: Data, Start: 1, End: 2, Message: []byte{'B'}}, f); d != "" || err != nil {
		t.Error(d, err)
	}
	f, err = ParseFrame(wire{'k'}.u64(7).u64(3).byte(1))
	if d := cmp.Diff(Frame{Kind: Keepalive, End: 7, Reply: true}, f); d != "" || err != nil {
		t.Error(d, err)
	}
	for _, bad := range [][]byte{nil, {'w'}, {'k', 1}, {'x', 0, 0}} {
		if _, err := ParseFrame(bad); err == nil {
			t.Errorf("%q is no error", bad)
		}
	}
	status := AppendStatus(nil, 0x10, 0x0f, time.UnixMicro(epochMicros+5))
	const want = "64" + "00000026" + "72" + "0000000000000010" + "000000000000000f" + "000000000000000f" +
		"0000000000000005" + "00"
	if got := hex.EncodeToString(status); got != want {
		t.Errorf("status %s, want %s", got, want)
	}
}

func TestLSN(t *testing.T) {
	for _, text := range []string{"0/0", "16/B374D848", "FFFFFFFF/FFFFFFFF"} {
		l, err := ParseLSN(text)
		if err != nil || l.String() != text {
			t.Errorf("%s became %v, %v", text, l, err)
		}
	}
	for _, text := range []string{"", "16", "x/1", "1/100000000"} {
		if _, err := ParseLSN(text); err == nil {
			t.Errorf("%q is no error", text)
		}
	}
}

func TestSnapshot(t *testing.T) {
	tests := []struct {
		snapshot  string
		sees, not []uint32
	}{
		{"700:700:", []uint32{3, 699}, []uint32{700, 701}},
		{"700:705:700,703", []uint32{699, 701, 702, 704}, []uint32{700, 703, 705}},
		{"4294967300:4294967302:4294967300", []uint32{5, 4294967295, 3}, []uint32{4, 6, 7}}, // the second epoch
		{"4294967290:4294967290:", []uint32{4294967289}, []uint32{4294967290, 5}},           // its end
	}
	for _, test := range tests {
		s, err := ParseSnapshot(test.snapshot)
		if err != nil {
			t.Fatal(err)
		}
		for _, xid := range test.sees {
			if !s.Sees(xid) {
				t.Errorf("%s does not see %d", test.snapshot, xid)
			}
		}
		for _, xid := range test.not {
			if s.Sees(xid) {
				t.Errorf("%s sees %d", test.snapshot, xid)
			}
		}
	}
	for _, bad := range []string{"", "1:2", "a:2:", "1:2:x"} {
		if _, err := ParseSnapshot(bad); err == nil {
			t.Errorf("%q is no error", bad)
		}
	}
}

// TestBadTexts checks texts that are none of their type.
func TestBadTexts(t *testing.T) {
	tests := []struct {
		oid, elem uint32
		text      string
	}{
		{oidInt2, 0, "40000"}, {oidInt4, 0, "x"}, {oidInt8, 0, ""}, {oidFloat8, 0, "one"}, {oidNumeric, 0, "1e5"},
		{oidBytea, 0, "abc"}, {oidBytea, 0, `\xf`}, {oidUUID, 0, "short"}, {oidDate, 0, "2024-01"}, {oidDate, 0, "a-b-c"},
		{oidTime, 0, "10:00"}, {oidTimestamp, 0, "2024-01-01"}, {oidTimestamptz, 0, "2024-01-01 10:00:00+02"},
		{1007, oidInt4, "1,2"}, {1007, oidInt4, "{1,x}"}, {1009, 25, `{"open}`}, {1009, 25, `{"a"b}`},
		{1007, oidInt4, "{1,}"},
	}
	for _, test := range tests {
		if b, err := AppendBinary(nil, test.oid, test.elem, []byte(test.text)); err == nil {
			t.Errorf("type %d, %q became %x", test.oid, test.text, b)
		}
	}
	if b, err := AppendMoney(nil, []byte("nothing")); err == nil {
		t.Errorf("money became %x", b)
	}
}
