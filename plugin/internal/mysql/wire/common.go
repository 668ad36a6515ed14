package wire

import "strings"

// Days counts the days from 1970-01-01 to a day of the Gregorian calendar. The year starts in March, so that leap
// days come last.
func Days(year, month, day int) int64 {
	y, m := int64(year), int64(month)
	if m <= 2 {
		y--
		m += 12
	}
	era := y / 400
	if y < 0 {
		era = (y - 399) / 400
	}
	ofEra := y - era*400
	ofYear := (153*(m-3)+2)/5 + int64(day) - 1
	return era*146097 + ofEra*365 + ofEra/4 - ofEra/100 + ofYear - 719468
}

// Default returns the value of a default in information_schema.columns, nil for expressions. MariaDB shows SQL text,
// MySQL the bare value.
func Default(text string, mariaDB bool) *string {
	if !mariaDB {
		return &text
	}
	if strings.EqualFold(text, "null") {
		return nil
	}
	if n := len(text); n >= 2 && text[0] == '\'' && text[n-1] == '\'' {
		value := strings.NewReplacer("''", "'", `\\`, `\`, `\'`, "'").Replace(text[1 : n-1])
		return &value
	}
	for _, r := range text {
		if (r < '0' || r > '9') && !strings.ContainsRune(".-+e", r) {
			return nil
		}
	}
	return &text
}
