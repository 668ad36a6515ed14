package encrypt

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"
	"github.com/tidwall/sjson"
)

// SecretsOf returns the options of a plugin that are secret beyond [Options]; nil for an unknown plugin. role is source
// or sink.
type SecretsOf func(role, plugin string) []string

// EncryptJSON encrypts the secret options of every source and sink of a job file in JSON with the shade that its env
// names. Nothing else changes, not a byte. A number becomes a text; null and objects stay. more may be nil.
func (s Shades) EncryptJSON(job []byte, more SecretsOf) ([]byte, error) {
	if !gjson.ValidBytes(job) {
		//lint:ignore ST1005 the text is SeaTunnel's
		return nil, errors.New("Invalid JSON format in request body.")
	}
	root := gjson.ParseBytes(job)
	if !root.IsObject() {
		return nil, errors.New("the body must be a JSON object with env, source and sink")
	}
	shade, err := s.Find(root.Get(`env.shade\.identifier`).String())
	if err != nil {
		return nil, err
	}
	for _, role := range []string{"source", "sink"} {
		if err := checkBlocks(root, role); err != nil {
			return nil, err
		}
		if job, err = encryptBlocks(job, root, role, shade, more); err != nil {
			return nil, err
		}
	}
	return job, nil
}

// checkBlocks follows SeaTunnel, which looks at the blocks before it encrypts them.
func checkBlocks(root gjson.Result, role string) error {
	blocks := root.Get(role)
	title := strings.ToUpper(role[:1]) + role[1:]
	switch {
	case !blocks.IsArray():
		return fmt.Errorf("%s must be an array of objects with plugin_name", role)
	case len(blocks.Array()) == 0:
		//lint:ignore ST1005 the text is SeaTunnel's
		return fmt.Errorf("Miss <%s> config! Please check the config file.", title)
	}
	return nil
}

func encryptBlocks(job []byte, root gjson.Result, role string, shade Shade, more SecretsOf) ([]byte, error) {
	for i, block := range root.Get(role).Array() {
		secrets := secretNames(role, block.Get("plugin_name").String(), shade, more)
		var failed error
		seen := map[string]bool{}
		block.ForEach(func(key, value gjson.Result) bool {
			if seen[key.String()] { // the second would stay as it is
				failed = fmt.Errorf("%s[%d].%s is there twice; remove one", role, i, key.String())
				return false
			}
			seen[key.String()] = true
			if !slices.Contains(secrets, key.String()) || !isScalar(value) {
				return true
			}
			text, err := shade.Encrypt(value.String())
			if err == nil {
				job, err = sjson.SetBytes(job, role+"."+strconv.Itoa(i)+"."+escape(key.String()), text)
			}
			if err != nil {
				failed = fmt.Errorf("%s[%d].%s: %w", role, i, key.String(), err)
			}
			return failed == nil
		})
		if failed != nil {
			return nil, failed
		}
	}
	return job, nil
}

func secretNames(role, plugin string, shade Shade, more SecretsOf) []string {
	names := Options()
	if s, ok := shade.(Sensitive); ok {
		names = append(names, s.SensitiveOptions()...)
	}
	if more != nil {
		names = append(names, more(role, plugin)...)
	}
	return names
}

func isScalar(v gjson.Result) bool {
	return v.Type == gjson.String || v.Type == gjson.Number || v.Type == gjson.True || v.Type == gjson.False
}

// escape makes a literal key of a path.
func escape(key string) string {
	return strings.NewReplacer(
		`\`, `\\`, `.`, `\.`, `*`, `\*`, `?`, `\?`, `|`, `\|`, `#`, `\#`, `@`, `\@`, `:`, `\:`).Replace(key)
}
