package plugin

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/culvertdata/culvert/plugin/config"
	"github.com/culvertdata/culvert/plugin/config/hocon"
)

func TestParseType(t *testing.T) {
	tests := map[string]Type{
		"string": TypeOf(String), "BOOLEAN": TypeOf(Boolean), " tinyint ": TypeOf(TinyInt), "SmallInt": TypeOf(SmallInt),
		"int": TypeOf(Int), "bigint": TypeOf(BigInt), "float": TypeOf(Float), "double": TypeOf(Double),
		"null": TypeOf(Null), "bytes": TypeOf(Bytes), "date": TypeOf(Date), "time": TypeOf(Time),
		"timestamp": TypeOf(Timestamp), "byte": TypeOf(TinyInt), "short": TypeOf(SmallInt), "LONG": TypeOf(BigInt),
		"decimal(10,2)":        DecimalOf(10, 2),
		"Decimal ( 38 , 38 )":  DecimalOf(38, 38),
		"time(0)":              {Kind: Time},
		"TIMESTAMP( 9 )":       {Kind: Timestamp, Scale: 9},
		"array<int>":           ArrayOf(TypeOf(Int)),
		"ARRAY < Array<byte>>": ArrayOf(ArrayOf(TypeOf(TinyInt))),
		"array<decimal(3,1)>":  ArrayOf(DecimalOf(3, 1)),
		"array<{a = int}>":     ArrayOf(RowOf(Field{"a", TypeOf(Int)})),
		"map<string,int>":      MapOf(TypeOf(String), TypeOf(Int)),
		"map<decimal(10, 2), map<string, decimal(4,2)>>": MapOf(DecimalOf(10, 2), MapOf(TypeOf(String), DecimalOf(4, 2))),
		"map<string, {a = int, b = string}>": MapOf(TypeOf(String), RowOf(Field{"a", TypeOf(Int)}, Field{"b",
			TypeOf(String)})),
		"map<array<int>, null>": MapOf(ArrayOf(TypeOf(Int)), TypeOf(Null)),
		`{a = int, B = {c = "map<string, int>"}, d = "{e = long}"}`: RowOf(
			Field{"a", TypeOf(Int)},
			Field{"B", RowOf(Field{"c", MapOf(TypeOf(String), TypeOf(Int))})},
			Field{"d", RowOf(Field{"e", TypeOf(BigInt)})}),
		"{z = int\n a.b = string}": RowOf(Field{"z", TypeOf(Int)}, Field{"a.b", TypeOf(String)}),
	}
	for text, want := range tests {
		got, err := ParseType(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
		} else if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", text, diff)
		}
	}
}

func TestParseTypeErrors(t *testing.T) {
	tests := map[string]string{
		"":                         `type "" is not known; the types are string, boolean`,
		"integer":                  `type "integer" is not known; did you mean "int"?`,
		"varchar(20)":              `type "varchar(20)" is not known; did you mean "string"?`,
		"strng":                    `did you mean "string"?`,
		"datetime":                 `did you mean "timestamp"?`,
		"decimal":                  `did you mean "decimal(10,2)"?`,
		"decimal(10)":              `"decimal(10)" must have two numbers, as in decimal(10,2)`,
		"decimal(a,b)":             `must have two numbers`,
		"decimal(39,0)":            `decimal(39,0) is out of range`,
		"decimal(2,3)":             `decimal(2,3) is out of range`,
		"decimal(10,2":             `type "decimal(10,2" is not known`,
		"timestamp(10)":            `"timestamp(10)" must have 0 to 9 fractional second digits`,
		"time(-1)":                 `must have 0 to 9`,
		"array":                    `did you mean "array<int>"?`,
		"array<>":                  `"array<>": type "" is not known`,
		"array<foo>":               `"array<foo>": type "foo" is not known`,
		"map<string>":              `"map<string>" must have a key and a value type`,
		"map<foo,int>":             `key of "map<foo,int>": type "foo" is not known`,
		"map<int,foo>":             `value of "map<int,foo>": type "foo" is not known`,
		"map<map<int,int>,int>":    `the key of a map can be neither a map nor a row`,
		"map<{a = int},int>":       `the key of a map can be neither a map nor a row`,
		"float_vector":             `there are no vector types`,
		"{}":                       `a row must have at least one field`,
		"{a = int":                 `is no row type: 1:1: the '{' has no matching '}'`,
		"{a = foo, b = {c = bar}}": `b.c: type "bar" is not known`,
		"{a = [int]}":              `a: a type must be a text or an object, not a list`,
		"foo<int>":                 `type "foo<int>" is not known`,
		strings.Repeat("array<", 200) + "int" + strings.Repeat(">", 200): `nests more than 100 levels`,
		strings.Repeat("{a = ", 200) + "int" + strings.Repeat("}", 200):  `nests more than 100 levels`,
	}
	for text, want := range tests {
		got, err := ParseType(text)
		switch {
		case err == nil:
			t.Errorf("%s is %v", text, got)
		case !strings.Contains(err.Error(), want):
			t.Errorf("%.80s: got %.300v, want %s", text, err, want)
		}
	}
}

func TestTypeFromConfig(t *testing.T) {
	v, err := hocon.ParseValue([]byte("{\n a = \"{b = int}\"\n c { d = null, e = strin }\n f = []\n}"))
	if err != nil {
		t.Fatal(err)
	}
	_, err = TypeFromConfig(v)
	want := "3:20: c.e: type \"strin\" is not known; did you mean \"string\"?\n4:6: f: a type must be a text or an " +
		"object, not a list"
	if _, ok := err.(*config.Error); !ok || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	a, _ := v.Get("a")
	if got, err := TypeFromConfig(a); err != nil || got.String() != "ROW<b INT>" {
		t.Errorf("got %v, %v", got, err)
	}
}

// Whatever the text, reading ends; what is read is a type that a table can have.
func FuzzParseType(f *testing.F) {
	for _, seed := range []string{"int", "decimal(10, 2)", "map<decimal(1,1), {a = [b]}>", "array<array<time(3)>>",
		"{a = int, b {}}", "<", "a>", "map<,>"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		typ, err := ParseType(text)
		if err != nil {
			return
		}
		if _, err := NewTable(Table{Columns: []Column{{Name: "c", Type: typ}}}); err != nil {
			t.Fatalf("%q: %v", text, err)
		}
	})
}
