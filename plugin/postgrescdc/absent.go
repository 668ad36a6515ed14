package postgrescdc

import (
	"strings"

	"github.com/culvertdata/culvert/plugin"
)

// absent returns the value, as SQL, that a row gets in a column of the sinks which its table does not have any more:
// null, or something that the sinks take where they refuse null and are going to hear that the column is gone.
func (s *Source) absent(c plugin.Column) string {
	if text, ok := filler(c); ok && c.NotNull && s.options.schemaChanges() {
		return "'" + text + "'::" + c.SourceType
	}
	return "NULL::" + c.SourceType
}

// filler returns the text of some value of a column's type; ok is false if none is known.
func filler(c plugin.Column) (text string, ok bool) {
	switch c.Type.Kind {
	case plugin.Boolean, plugin.TinyInt, plugin.SmallInt, plugin.Int, plugin.BigInt, plugin.Float, plugin.Double,
		plugin.Decimal:
		return "0", true
	case plugin.Date, plugin.Timestamp:
		return "epoch", true
	case plugin.Time:
		return "00:00", true
	case plugin.Bytes:
		return "", true
	case plugin.Array:
		return "{}", true
	case plugin.String:
		return textFiller(c.SourceType)
	}
	return "", false
}

// textFiller is filler for the types that are read as texts.
func textFiller(declared string) (text string, ok bool) {
	switch {
	case declared == "uuid":
		return "00000000-0000-0000-0000-000000000000", true
	case declared == "json", declared == "jsonb":
		return "null", true
	case strings.HasPrefix(declared, "interval"):
		return "0", true
	case declared == "text", declared == "name", strings.HasPrefix(declared, "character"):
		return "", true
	}
	return "", false
}
