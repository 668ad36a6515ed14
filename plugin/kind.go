package plugin

import (
	"fmt"
	"strings"
)

// RowKind says what a row does to its table. The zero value is [Insert].
type RowKind uint8

// The row kinds, with SeaTunnel's byte values.
const (
	Insert       RowKind = iota // +I: a new row
	UpdateBefore                // -U: the row as it was before an update
	UpdateAfter                 // +U: the row as it is after an update
	Delete                      // -D: the row is gone
)

var rowKinds = [...]struct{ short, name string }{
	Insert: {"+I", "INSERT"}, UpdateBefore: {"-U", "UPDATE_BEFORE"},
	UpdateAfter: {"+U", "UPDATE_AFTER"}, Delete: {"-D", "DELETE"},
}

// String returns the short form: +I, -U, +U or -D.
func (k RowKind) String() string {
	if int(k) < len(rowKinds) {
		return rowKinds[k].short
	}
	return fmt.Sprintf("RowKind(%d)", uint8(k))
}

// Name returns the job language's spelling: INSERT, UPDATE_BEFORE, UPDATE_AFTER or DELETE.
func (k RowKind) Name() string {
	if int(k) < len(rowKinds) {
		return rowKinds[k].name
	}
	return k.String()
}

// ParseRowKind reads the long or the short form, in any case.
func ParseRowKind(s string) (RowKind, error) {
	for k, n := range rowKinds {
		if strings.EqualFold(s, n.name) || strings.EqualFold(s, n.short) {
			return RowKind(k), nil
		}
	}
	return 0, fmt.Errorf("row kind %q is none of INSERT, UPDATE_BEFORE, UPDATE_AFTER, DELETE", s)
}
