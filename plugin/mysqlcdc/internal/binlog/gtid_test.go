package binlog

import (
	"encoding/json"
	"testing"
)

func set(t testing.TB, text string) *GTIDs {
	t.Helper()
	s, err := ParseGTIDs(text)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

const otherUUID = "00000000-0000-0000-0000-000000000001"

func TestGTIDSets(t *testing.T) {
	for text, want := range map[string]string{
		"":                            "",
		"0-1-5":                       "0-1-5",
		" 3-1-5 ,\n0-2-7":             "0-2-7,3-1-5",
		"0-1-5,0-2-9":                 "0-2-9",
		testUUIDText + ":1-5:8":       testUUIDText + ":1-5:8",
		testUUIDText + ":8:1-5:6-7":   testUUIDText + ":1-8",
		testUUIDText + ":1-5:3-9":     testUUIDText + ":1-9",
		testUUIDText + ":5:1":         testUUIDText + ":1:5",
		testUUIDText + ":1-3:Tag:5":   testUUIDText + ":1-3:tag:5",
		testUUIDText + ":1:9:3:7:2-8": testUUIDText + ":1-9",
		"3E11FA4771CA11E19E33C80AA9429562:1,\n " + otherUUID + ":2-4": otherUUID + ":2-4," + testUUIDText + ":1",
	} {
		s := set(t, text)
		if s.String() != want {
			t.Errorf("%q is %q, want %q", text, s, want)
		}
		if again := set(t, s.String()); !again.Equal(s) || s.Empty() != (want == "") {
			t.Errorf("%q comes back as %q", s, again)
		}
		c := cursor{b: s.encode()}
		back := &GTIDs{}
		if readMySQLSet(&c, back); s.Flavour() == MySQL && (c.bad || len(c.b) > 0 || !back.Equal(s)) {
			t.Errorf("%q comes back from its bytes as %q", s, back)
		}
	}
	for _, text := range []string{"0-1", "a-b-c", "0-1-x", "x:1", testUUIDText + ":", testUUIDText + ":5-3",
		testUUIDText + ":0",
		testUUIDText + ":1-x", "0-1-1," + testUUIDText + ":1", testUUIDText + ":1,0-1-1",
		"zz11fa4771ca11e19e33c80aa9429562:1"} {
		if s, err := ParseGTIDs(text); err == nil {
			t.Errorf("%q is %q", text, s)
		}
	}
}

func TestContains(t *testing.T) {
	for _, c := range []struct {
		a, b      string
		ab, equal bool
	}{
		{"", "", true, true},
		{"0-1-5", "", true, false},
		{"", "0-1-5", false, false},
		{"0-1-5,1-1-1", "0-2-5", true, false},
		{"0-1-5", "0-1-6", false, false},
		{"0-1-5", "0-2-5", true, true},
		{testUUIDText + ":1-9", testUUIDText + ":2-3:9", true, false},
		{testUUIDText + ":1-5:7-9", testUUIDText + ":5-7", false, false},
		{testUUIDText + ":1-9", otherUUID + ":1", false, false},
		{testUUIDText + ":1-9", testUUIDText + ":tag:1", false, false},
		{testUUIDText + ":1-9", "0-1-1", false, false},
	} {
		a, b := set(t, c.a), set(t, c.b)
		if got := a.Contains(b); got != c.ab {
			t.Errorf("%q contains %q: %v", c.a, c.b, got)
		}
		if got := a.Equal(b); got != c.equal {
			t.Errorf("%q equals %q: %v", c.a, c.b, got)
		}
	}
}

func TestAdd(t *testing.T) {
	s := &GTIDs{}
	for _, n := range []uint64{1, 2, 5, 3, 3, 4, 9} {
		if err := s.Add(GTID{Flavour: MySQL, UUID: testUUID, Number: n}); err != nil {
			t.Fatal(err)
		}
	}
	kept := s.Clone()
	diff(t, testUUIDText+":1-5:9", s.String())
	allocs := testing.AllocsPerRun(100, func() {
		s.mysql[0].spans[1].last++
		if err := s.Add(GTID{Flavour: MySQL, UUID: testUUID, Number: s.mysql[0].spans[1].last + 1}); err != nil {
			t.Fatal(err)
		}
	})
	if allocs > 0 {
		t.Errorf("%v allocations", allocs)
	}
	diff(t, testUUIDText+":1-5:9", kept.String())
	if err := s.Add(GTID{Flavour: MariaDB, Number: 1}); err == nil {
		t.Error("MariaDB's GTID went into MySQL's set")
	}
	if err := s.Add(GTID{}); err != nil || s.Has(GTID{}) {
		t.Errorf("no GTID: %v", err)
	}
	m := &GTIDs{}
	for _, g := range []GTID{{MariaDB, 5, 3, 1, [16]byte{}, ""}, {MariaDB, 7, 0, 2, [16]byte{}, ""},
		{MariaDB, 4, 3, 1, [16]byte{}, ""}} {
		if err := m.Add(g); err != nil {
			t.Fatal(err)
		}
	}
	diff(t, "0-2-7,3-1-5", m.String())
	if !m.Has(GTID{Flavour: MariaDB, Domain: 3, Number: 5}) || m.Has(GTID{Flavour: MariaDB, Domain: 3, Number: 6}) {
		t.Error("the set has the wrong transactions")
	}
}

func TestPositionJSON(t *testing.T) {
	for _, p := range []Position{{}, {File: "b.01", Pos: 4}, {GTIDs: set(t, "0-1-5")},
		{File: "b", Pos: 1 << 40, GTIDs: &GTIDs{}}} {
		text, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		var back Position
		if err := json.Unmarshal(text, &back); err != nil || back.String() != p.String() ||
			(back.GTIDs == nil) != (p.GTIDs == nil) {
			t.Errorf("%s comes back from %s as %s, %v", p, text, back, err)
		}
	}
}

func TestComparePositions(t *testing.T) {
	ordered := []Position{{}, {File: "b.000009", Pos: 4}, {File: "b.000009", Pos: 5}, {File: "b.000010", Pos: 4},
		{File: "b.1000000"}}
	for i, a := range ordered {
		for j, b := range ordered {
			want := min(max(i-j, -1), 1)
			if got := a.Compare(b); got != want {
				t.Errorf("%s to %s: %d, want %d", a, b, got, want)
			}
		}
	}
}
