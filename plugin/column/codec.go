package column

import (
	"database/sql"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"time"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/culvertdata/culvert/plugin"
)

// codec moves values between a Go type and a column.
type codec struct {
	goType   reflect.Type
	typ      plugin.Type
	nullable bool // the Go type's zero value stands for null
	// append appends the value at p to a column of type typ.
	append func(c Column, p unsafe.Pointer) error
	// read stores a value that is not null at p, where a zero value is. The array's type may differ from typ.
	read func(a arrow.Array, t plugin.Type, i int, p unsafe.Pointer) error
}

// codecOf compiles the codec of a Go type. outer are the types around it, to find endless ones.
func codecOf(typ reflect.Type, o tagOptions, outer []reflect.Type) (codec, error) {
	if slices.Contains(outer, typ) {
		return codec{}, fmt.Errorf("%s contains itself", typ)
	}
	if o.typ.Kind != plugin.Null && !tagFits(typ, o.typ) {
		return codec{}, fmt.Errorf("a %s cannot be a %s", typ, o.typ)
	}
	outer = append(slices.Clone(outer), typ)
	switch typ {
	case reflect.TypeFor[time.Time]():
		return generic(typ, orType(o.typ, plugin.TypeOf(plugin.Timestamp))), nil
	case reflect.TypeFor[time.Duration]():
		return generic(typ, orType(o.typ, plugin.TypeOf(plugin.Time))), nil
	case reflect.TypeFor[Decimal]():
		return generic(typ, orType(o.typ, plugin.DecimalOf(plugin.MaxPrecision, 18))), nil
	}
	if c, ok := scalarCodec(typ); ok {
		return c, nil
	}
	switch typ.Kind() {
	case reflect.Pointer:
		return pointerCodec(typ, o, outer)
	case reflect.Struct:
		if isSQLNull(typ) {
			return nullCodec(typ, o, outer)
		}
		return rowCodec(typ, outer)
	case reflect.Slice:
		return sliceCodec(typ, o, outer)
	case reflect.Map:
		return mapCodec(typ, o, outer)
	case reflect.Array:
		if typ.Elem().Kind() == reflect.Uint8 {
			return generic(typ, plugin.TypeOf(plugin.Bytes)), nil
		}
	}
	return codec{}, fmt.Errorf("a %s does not map to a column", typ)
}

func orType(t, fallback plugin.Type) plugin.Type {
	if t.Kind == plugin.Null {
		return fallback
	}
	return t
}

// tagFits reports whether the type of a tag may be asked of a Go type, looking into those that hold another.
func tagFits(typ reflect.Type, t plugin.Type) bool {
	for typ.Kind() == reflect.Pointer || typ.Kind() == reflect.Slice || typ.Kind() == reflect.Map {
		typ = typ.Elem()
	}
	if isSQLNull(typ) {
		typ = typ.Field(0).Type
	}
	switch typ {
	case reflect.TypeFor[time.Time]():
		return t.Kind == plugin.Timestamp || t.Kind == plugin.Date || t.Kind == plugin.Time
	case reflect.TypeFor[time.Duration]():
		return t.Kind == plugin.Time
	case reflect.TypeFor[Decimal]():
		return t.Kind == plugin.Decimal
	}
	return false
}

// isPlainStruct reports whether a struct is one of columns, and not a value of its own.
func isPlainStruct(typ reflect.Type) bool {
	return typ != reflect.TypeFor[time.Time]() && typ != reflect.TypeFor[Decimal]() && !isSQLNull(typ)
}

// isSQLNull reports whether typ is one of database/sql's null types: a value and whether it is valid.
func isSQLNull(typ reflect.Type) bool {
	return typ.Kind() == reflect.Struct && typ.PkgPath() == reflect.TypeFor[sql.NullString]().PkgPath() &&
		typ.NumField() == 2 && typ.Field(1).Name == "Valid"
}

// scalarCodec returns the codec of types that a column holds as they are.
func scalarCodec(typ reflect.Type) (codec, bool) {
	switch typ.Kind() {
	case reflect.Bool:
		return boolCodec(typ), true
	case reflect.String:
		return stringCodec(typ), true
	case reflect.Int8:
		return fixedCodec[int8](typ, plugin.TinyInt), true
	case reflect.Int16:
		return fixedCodec[int16](typ, plugin.SmallInt), true
	case reflect.Int32:
		return fixedCodec[int32](typ, plugin.Int), true
	case reflect.Int64:
		return fixedCodec[int64](typ, plugin.BigInt), true
	case reflect.Float32:
		return fixedCodec[float32](typ, plugin.Float), true
	case reflect.Float64:
		return fixedCodec[float64](typ, plugin.Double), true
	case reflect.Int:
		return generic(typ, plugin.TypeOf(plugin.BigInt)), true
	case reflect.Uint8:
		return generic(typ, plugin.TypeOf(plugin.SmallInt)), true
	case reflect.Uint16:
		return generic(typ, plugin.TypeOf(plugin.Int)), true
	case reflect.Uint32:
		return generic(typ, plugin.TypeOf(plugin.BigInt)), true
	case reflect.Uint64, reflect.Uint:
		return generic(typ, plugin.DecimalOf(20, 0)), true
	}
	return codec{}, false
}

// generic returns a codec that converts by the rules of AppendValue.
func generic(typ reflect.Type, t plugin.Type) codec {
	return codec{goType: typ, typ: t,
		append: func(c Column, p unsafe.Pointer) error {
			return AppendValue(c, t, reflect.NewAt(typ, p).Elem().Interface())
		},
		read: func(a arrow.Array, t plugin.Type, i int, p unsafe.Pointer) error {
			return assign(reflect.NewAt(typ, p).Elem(), a, t, i)
		}}
}

func fixedCodec[T int8 | int16 | int32 | int64 | float32 | float64](typ reflect.Type, kind plugin.Kind) codec {
	c := generic(typ, plugin.TypeOf(kind))
	slow := c.read
	c.append = func(c Column, p unsafe.Pointer) error {
		c.(*Fixed[T]).Append(*(*T)(p))
		return nil
	}
	c.read = func(a arrow.Array, t plugin.Type, i int, p unsafe.Pointer) error {
		values, ok := a.(interface{ Value(int) T })
		if !ok {
			return slow(a, t, i, p)
		}
		*(*T)(p) = values.Value(i)
		return nil
	}
	return c
}

func boolCodec(typ reflect.Type) codec {
	c := generic(typ, plugin.TypeOf(plugin.Boolean))
	c.append = func(c Column, p unsafe.Pointer) error {
		c.(*Bools).Append(*(*bool)(p))
		return nil
	}
	return c
}

func stringCodec(typ reflect.Type) codec {
	c := generic(typ, plugin.TypeOf(plugin.String))
	c.append = func(c Column, p unsafe.Pointer) error {
		v := view(*(*string)(p))
		if err := ValidText(v); err != nil {
			return badText(v, plugin.TypeOf(plugin.String), err)
		}
		return c.(*Text).add(v)
	}
	return c
}

func pointerCodec(typ reflect.Type, o tagOptions, outer []reflect.Type) (codec, error) {
	inner, err := codecOf(typ.Elem(), o, outer)
	if err != nil {
		return codec{}, err
	}
	if inner.nullable {
		return codec{}, fmt.Errorf("a %s has two ways to be null", typ)
	}
	return codec{goType: typ, typ: inner.typ, nullable: true,
		append: func(c Column, p unsafe.Pointer) error {
			v := *(*unsafe.Pointer)(p)
			if v == nil {
				c.AppendNull()
				return nil
			}
			return inner.append(c, v)
		},
		read: func(a arrow.Array, t plugin.Type, i int, p unsafe.Pointer) error {
			v := reflect.New(typ.Elem())
			reflect.NewAt(typ, p).Elem().Set(v)
			return inner.read(a, t, i, v.UnsafePointer())
		}}, nil
}

func nullCodec(typ reflect.Type, o tagOptions, outer []reflect.Type) (codec, error) {
	inner, err := codecOf(typ.Field(0).Type, o, outer)
	if err != nil {
		return codec{}, err
	}
	valid := typ.Field(1).Offset
	return codec{goType: typ, typ: inner.typ, nullable: true,
		append: func(c Column, p unsafe.Pointer) error {
			if !*(*bool)(unsafe.Add(p, valid)) {
				c.AppendNull()
				return nil
			}
			return inner.append(c, p)
		},
		read: func(a arrow.Array, t plugin.Type, i int, p unsafe.Pointer) error {
			*(*bool)(unsafe.Add(p, valid)) = true
			return inner.read(a, t, i, p)
		}}, nil
}

func sliceCodec(typ reflect.Type, o tagOptions, outer []reflect.Type) (codec, error) {
	if typ.Elem().Kind() == reflect.Uint8 {
		c := generic(typ, plugin.TypeOf(plugin.Bytes))
		c.nullable = true
		return c, nil
	}
	elem, err := codecOf(typ.Elem(), o, outer)
	if err != nil {
		return codec{}, err
	}
	return codec{goType: typ, typ: plugin.ArrayOf(elem.typ), nullable: true,
		append: func(c Column, p unsafe.Pointer) error {
			v := reflect.NewAt(typ, p).Elem()
			if v.IsNil() {
				c.AppendNull()
				return nil
			}
			list := c.(*Lists)
			list.Begin()
			for i := range v.Len() {
				if err := elem.append(list.elem, v.Index(i).Addr().UnsafePointer()); err != nil {
					return fmt.Errorf("element %d: %w", i, err)
				}
			}
			list.End()
			return nil
		},
		read: func(a arrow.Array, t plugin.Type, i int, p unsafe.Pointer) error {
			list, ok := a.(*array.List)
			if !ok {
				return fmt.Errorf("a %s does not fit into a %s", t, typ)
			}
			from, to := list.ValueOffsets(i)
			v := reflect.MakeSlice(typ, int(to-from), int(to-from))
			reflect.NewAt(typ, p).Elem().Set(v)
			for j := range v.Len() {
				if err := elem.get(list.ListValues(), *t.Elem, int(from)+j, v.Index(j).Addr().UnsafePointer()); err != nil {
					return fmt.Errorf("element %d: %w", j, err)
				}
			}
			return nil
		}}, nil
}

func mapCodec(typ reflect.Type, o tagOptions, outer []reflect.Type) (codec, error) {
	key, err := codecOf(typ.Key(), tagOptions{}, outer)
	if err != nil {
		return codec{}, fmt.Errorf("map key: %w", err)
	}
	elem, err := codecOf(typ.Elem(), o, outer)
	if err != nil {
		return codec{}, err
	}
	if key.nullable {
		return codec{}, errors.New("map keys cannot be null")
	}
	return codec{goType: typ, typ: plugin.MapOf(key.typ, elem.typ), nullable: true,
		append: func(c Column, p unsafe.Pointer) error { return appendGoMap(c, key, elem, reflect.NewAt(typ, p).Elem()) },
		read: func(a arrow.Array, t plugin.Type, i int, p unsafe.Pointer) error {
			m, ok := a.(*array.Map)
			if !ok {
				return fmt.Errorf("a %s does not fit into a %s", t, typ)
			}
			return readGoMap(m, t, i, key, elem, reflect.NewAt(typ, p).Elem())
		}}, nil
}

func appendGoMap(c Column, key, elem codec, v reflect.Value) error {
	if v.IsNil() {
		c.AppendNull()
		return nil
	}
	m := c.(*Maps)
	m.Begin()
	keys := v.MapKeys()
	slices.SortFunc(keys, compareKeys)
	for _, k := range keys {
		if err := key.append(m.key, addressOf(k)); err != nil {
			return fmt.Errorf("map key: %w", err)
		}
		if err := elem.append(m.elem, addressOf(v.MapIndex(k))); err != nil {
			return fmt.Errorf("map value of %v: %w", k.Interface(), err)
		}
	}
	m.End()
	return nil
}

// addressOf returns where a copy of v is.
func addressOf(v reflect.Value) unsafe.Pointer {
	p := reflect.New(v.Type())
	p.Elem().Set(v)
	return p.UnsafePointer()
}

func readGoMap(a *array.Map, t plugin.Type, i int, key, elem codec, v reflect.Value) error {
	keys, items := mapParts(a)
	from, to := a.ValueOffsets(i)
	v.Set(reflect.MakeMapWithSize(v.Type(), int(to-from)))
	for j := int(from); j < int(to); j++ {
		k, e := reflect.New(v.Type().Key()), reflect.New(v.Type().Elem())
		if err := key.get(keys, *t.Key, j, k.UnsafePointer()); err != nil {
			return fmt.Errorf("map key: %w", err)
		}
		if err := elem.get(items, *t.Elem, j, e.UnsafePointer()); err != nil {
			return fmt.Errorf("map value of %v: %w", k.Elem().Interface(), err)
		}
		if v.MapIndex(k.Elem()).IsValid() {
			return fmt.Errorf("two map entries have the key %v, a Go map holds one", k.Elem().Interface())
		}
		v.SetMapIndex(k.Elem(), e.Elem())
	}
	return nil
}

func rowCodec(typ reflect.Type, outer []reflect.Type) (codec, error) {
	c := codec{goType: typ, typ: plugin.Type{Kind: plugin.Row}}
	var fields []mapped
	for i := range typ.NumField() {
		f := typ.Field(i)
		tag := f.Tag.Get("culvert")
		if tag == "-" || !f.IsExported() {
			continue
		}
		o, err := parseTag(f.Name, tag)
		if err != nil {
			return c, fmt.Errorf("field %s: %w", f.Name, err)
		}
		inner, err := codecOf(f.Type, o, outer)
		if err != nil {
			return c, fmt.Errorf("field %s: %w", f.Name, err)
		}
		c.typ.Fields = append(c.typ.Fields, plugin.Field{Name: o.name, Type: inner.typ})
		fields = append(fields, mapped{offset: f.Offset, codec: inner})
	}
	if len(fields) == 0 {
		return c, fmt.Errorf("%s has no exported fields", typ)
	}
	names := c.typ.Fields
	c.append = func(c Column, p unsafe.Pointer) error {
		row := c.(*Rows)
		row.Begin()
		for i := range fields {
			if err := fields[i].codec.append(row.fields[i], unsafe.Add(p, fields[i].offset)); err != nil {
				return fmt.Errorf("field %s: %w", names[i].Name, err)
			}
		}
		row.End()
		return nil
	}
	c.read = func(a arrow.Array, t plugin.Type, i int, p unsafe.Pointer) error {
		return readStruct(a, t, i, typ, names, fields, p)
	}
	return c, nil
}

func readStruct(a arrow.Array, t plugin.Type, i int, typ reflect.Type, names []plugin.Field, fields []mapped,
	p unsafe.Pointer) error {
	row, ok := a.(*array.Struct)
	if !ok {
		return fmt.Errorf("a %s does not fit into a %s", t, typ)
	}
	for j := range fields {
		at := slices.IndexFunc(t.Fields, func(f plugin.Field) bool { return f.Name == names[j].Name })
		if at < 0 {
			return fmt.Errorf("field %s is missing in %s", names[j].Name, t)
		}
		err := fields[j].codec.get(row.Field(at), t.Fields[at].Type, i, unsafe.Add(p, fields[j].offset))
		if err != nil {
			return fmt.Errorf("field %s: %w", names[j].Name, err)
		}
	}
	return nil
}
