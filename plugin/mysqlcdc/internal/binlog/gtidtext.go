package binlog

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
)

// ParseGTIDs reads a set as MySQL's gtid_executed and MariaDB's gtid_binlog_pos have it. White space does not matter.
func ParseGTIDs(text string) (*GTIDs, error) {
	s := &GTIDs{}
	for part := range strings.SplitSeq(text, ",") {
		part = strings.Join(strings.Fields(part), "")
		if part == "" {
			continue
		}
		var err error
		if strings.Contains(part, ":") {
			err = s.parseMySQL(part)
		} else {
			err = s.parseMariaDB(part)
		}
		if err != nil {
			return nil, fmt.Errorf("GTID set %q: %w", text, err)
		}
	}
	return s, nil
}

func (s *GTIDs) parseMariaDB(part string) error {
	texts := strings.Split(part, "-")
	if len(texts) != 3 {
		return fmt.Errorf("%q is not domain-server-number", part)
	}
	domain, err1 := strconv.ParseUint(texts[0], 10, 32)
	server, err2 := strconv.ParseUint(texts[1], 10, 32)
	number, err3 := strconv.ParseUint(texts[2], 10, 64)
	if err1 != nil || err2 != nil || err3 != nil {
		return fmt.Errorf("%q is not domain-server-number", part)
	}
	return s.Add(GTID{Flavour: MariaDB, Domain: uint32(domain), Server: uint32(server), Number: number})
}

// parseMySQL reads uuid:1-5:7 and, as of MySQL 8.3, uuid:1-5:tag:1-3.
func (s *GTIDs) parseMySQL(part string) error {
	if s.Flavour() == MariaDB {
		return errFlavours
	}
	texts := strings.Split(part, ":")
	id, err := parseUUID(texts[0])
	if err != nil {
		return err
	}
	tag := ""
	for _, text := range texts[1:] {
		if text == "" {
			return fmt.Errorf("%q has an empty interval", part)
		}
		if c := text[0]; c < '0' || c > '9' {
			tag = strings.ToLower(text)
			continue
		}
		first, last, isRange := strings.Cut(text, "-")
		if !isRange {
			last = first
		}
		p := span{}
		if p.first, err = strconv.ParseUint(first, 10, 63); err == nil {
			p.last, err = strconv.ParseUint(last, 10, 63)
		}
		if err != nil || p.first == 0 || p.last < p.first {
			return fmt.Errorf("%q is no interval of transactions", text)
		}
		s.addSpan(id, tag, p)
	}
	return nil
}

func parseUUID(text string) (id [16]byte, err error) {
	digits := strings.ReplaceAll(text, "-", "")
	if len(digits) != 32 {
		return id, fmt.Errorf("%q is no server's uuid", text)
	}
	if _, err := hex.Decode(id[:], []byte(digits)); err != nil {
		return id, fmt.Errorf("%q is no server's uuid", text)
	}
	return id, nil
}

// String returns the set in the order of its sources, without white space.
func (s *GTIDs) String() string {
	if s == nil {
		return ""
	}
	var dst []byte
	for i, g := range s.maria {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = g.appendTo(dst)
	}
	for i, src := range s.mysql {
		switch {
		case i == 0:
			dst = appendUUID(dst, src.uuid)
		case s.mysql[i-1].uuid != src.uuid:
			dst = appendUUID(append(dst, ','), src.uuid)
		}
		if src.tag != "" {
			dst = append(append(dst, ':'), src.tag...)
		}
		for _, p := range src.spans {
			dst = strconv.AppendUint(append(dst, ':'), p.first, 10)
			if p.last > p.first {
				dst = strconv.AppendUint(append(dst, '-'), p.last, 10)
			}
		}
	}
	return string(dst)
}

// MarshalText implements encoding.TextMarshaler.
func (s *GTIDs) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (s *GTIDs) UnmarshalText(text []byte) error {
	set, err := ParseGTIDs(string(text))
	if err == nil {
		*s = *set
	}
	return err
}

// encode returns the set in the form of MySQL's protocol. Tags came with MySQL 8.3, whose form of a set with tags
// marks the number of sources and gives each its tag.
func (s *GTIDs) encode() []byte {
	tagged := false
	for _, src := range s.mysql {
		tagged = tagged || src.tag != ""
	}
	count := uint64(len(s.mysql))
	if tagged {
		count = 1<<56 | count<<8 | 1
	}
	b := binary.LittleEndian.AppendUint64(nil, count)
	for _, src := range s.mysql {
		b = append(b, src.uuid[:]...)
		if tagged {
			b = append(append(b, byte(len(src.tag)<<1)), src.tag...)
		}
		b = binary.LittleEndian.AppendUint64(b, uint64(len(src.spans)))
		for _, p := range src.spans {
			b = binary.LittleEndian.AppendUint64(b, p.first)
			b = binary.LittleEndian.AppendUint64(b, p.last+1)
		}
	}
	return b
}
