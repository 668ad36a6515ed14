package file

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/culvertdata/culvert/plugin"
)

// layout is where a sink's files are, and how they are called.
type layout struct {
	target string // option path
	stage  string // <tmp_path>/seatunnel/<job>/<hash>
	prefix string // T_<job>_<hash>
	name   nameTemplate
	suffix string // of file names, that of the compression in front of that of the format
}

// newLayout fixes a sink's paths. The hash tells apart the sinks of a job and the tables of a sink, which may all
// write to one directory.
func newLayout(o SinkOptions, env plugin.Env, suffix string) (layout, error) {
	target, err := localPath(o.Path)
	if err != nil {
		return layout{}, problem("path", "%v", err)
	}
	tmp, err := localPath(o.TmpPath)
	if err != nil {
		return layout{}, problem("tmp_path", "%v", err)
	}
	name, err := parseName(o)
	if err != nil {
		return layout{}, problem("file_name_expression", "%v", err)
	}
	job := strconv.FormatInt(env.Job.ID, 10)
	sum := sha256.Sum256([]byte(strings.Join([]string{job, env.Vertex, env.Inputs[0].ID.String(), target}, "\x00")))
	hash := hex.EncodeToString(sum[:])[:10]
	return layout{
		target: target,
		stage:  filepath.Join(tmp, "seatunnel", job, hash),
		prefix: "T_" + job + "_" + hash,
		name:   name,
		suffix: suffix,
	}, nil
}

// transaction names what a lane writes from one checkpoint to the next. The number is the first that this checkpoint
// can have.
func (l layout) transaction(lane int, epoch uint64) string {
	return fmt.Sprintf("%s_%d_%d", l.prefix, lane, epoch)
}

// epochOf returns the number in a transaction's name.
func (l layout) epochOf(transaction string) (uint64, bool) {
	rest, ok := strings.CutPrefix(transaction, l.prefix+"_")
	if !ok {
		return 0, false
	}
	_, number, ok := strings.Cut(rest, "_")
	if !ok {
		return 0, false
	}
	epoch, err := strconv.ParseUint(number, 10, 64)
	return epoch, err == nil
}

// file returns the name of a part.
func (l layout) file(transaction string, part int, now time.Time) string {
	return fmt.Sprintf("%s_%d%s", l.name.expand(transaction, now), part, l.suffix)
}

var namePlaceholder = regexp.MustCompile(`\$\{([^}]*)\}`)

// nameTemplate is option file_name_expression.
type nameTemplate struct {
	expression string
	pattern    string // filename_time_format, which SeaTunnel also takes as another name of now
	now        javaTime
}

func parseName(o SinkOptions) (nameTemplate, error) {
	t := nameTemplate{expression: o.NameExpression, pattern: o.NameTime}
	for _, m := range namePlaceholder.FindAllStringSubmatch(t.expression, -1) {
		if !slices.Contains([]string{"now", "uuid", "transactionId", o.NameTime}, m[1]) {
			return t, fmt.Errorf("%s is not known; there are ${now}, ${uuid} and ${transactionId}", m[0])
		}
	}
	switch {
	case t.expression == "":
		return t, errors.New("must not be empty")
	case strings.ContainsAny(t.expression, "/\x00"):
		return t, errors.New("must be a name without directories; they come from path and partition_dir_expression")
	case strings.HasPrefix(t.expression, "."):
		return t, errors.New("must not begin with a point: such files count as hidden")
	case o.Transactional && !strings.Contains(t.expression, "${transactionId}"):
		return t, errors.New("must contain ${transactionId} while is_enable_transaction is true")
	}
	var err error
	if t.now, err = parseJavaTime(o.NameTime); err != nil {
		return t, err
	}
	if strings.Contains(t.expand("", time.Time{}), "/") {
		return t, errors.New("filename_time_format must not have a / when the name has the time")
	}
	return t, nil
}

func (t nameTemplate) expand(transaction string, now time.Time) string {
	return namePlaceholder.ReplaceAllStringFunc(t.expression, func(match string) string {
		switch match {
		case "${now}", "${" + t.pattern + "}":
			return t.now.Format(now)
		case "${uuid}":
			return newUUID()
		default:
			return transaction
		}
	})
}

// newUUID returns a random UUID, version 4.
func newUUID() string {
	var b [16]byte
	rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	s := hex.EncodeToString(b[:])
	return s[:8] + "-" + s[8:12] + "-" + s[12:16] + "-" + s[16:20] + "-" + s[20:]
}
