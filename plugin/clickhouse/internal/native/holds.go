package native

// digits are how many digits the integers of a type have at most.
var digits = map[string]int{
	"Int8": 3, "UInt8": 3, "Int16": 5, "UInt16": 5, "Int32": 10, "UInt32": 10, "Int64": 19, "UInt64": 20, "Bool": 1,
}

// integerRanks order the integers: a type holds those of a lower rank and of its own form.
var integerRanks = map[string]int{
	"Bool": 1, "Int8": 2, "UInt8": 2, "Int16": 4, "UInt16": 4, "Int32": 6, "UInt32": 6, "Int64": 8, "UInt64": 8,
}

// Holds reports whether every value of another type has its like in t, so that a column may be widened to t. Both are
// bare types. What is not known to fit does not.
func (t Type) Holds(o Type) bool {
	switch {
	case t.String() == o.String() || t.Name == "String":
		return true
	case integerRanks[t.Name] > 0 && integerRanks[o.Name] > 0:
		return integerRanks[t.Name] > integerRanks[o.Name] && (unsigned(o) || !unsigned(t))
	case t.Name == "Decimal" && digits[o.Name] > 0:
		return t.Precision-t.Scale >= digits[o.Name]
	case t.Name == "Decimal" && o.Name == "Decimal":
		return t.Scale >= o.Scale && t.Precision-t.Scale >= o.Precision-o.Scale
	case t.Name == "Float64":
		return o.Name == "Float32" || integerRanks[o.Name] > 0 && digits[o.Name] <= 10
	case t.Name == "Date32":
		return o.Name == "Date"
	case t.Name == "DateTime64" && t.Zone == o.Zone:
		return o.Name == "DateTime" || o.Name == "DateTime64" && t.Scale >= o.Scale
	case t.Name == "FixedString" && o.Name == "FixedString":
		return t.Scale >= o.Scale
	case (t.Name == "Enum8" || t.Name == "Enum16") && o.Name == "Enum8":
		return t.names(o)
	}
	return false
}

func unsigned(t Type) bool { return t.Name == "Bool" || t.Name[0] == 'U' }

// names reports whether an Enum has all values of another.
func (t Type) names(o Type) bool {
	for v, name := range o.Names {
		if t.Names[v] != name {
			return false
		}
	}
	return true
}
