package rest

import (
	"github.com/culvertdata/culvert/plugin/config"
)

// encryptConfig answers the job file of the body with its secrets encrypted. Everything else stays, byte for byte.
func (h *handler) encryptConfig(c *call) error {
	text, err := h.body(c)
	if err != nil {
		return err
	}
	s := submission{text: text}
	if err := s.check(); err != nil {
		return err
	}
	encrypted, err := h.eng.EncryptConfig(text)
	if err != nil {
		return badRequest("%w", err)
	}
	c.write(200, "application/json", encrypted)
	return nil
}

// updateTags replaces the engine's tags by the members of the body; {} removes all.
func (h *handler) updateTags(c *call) error {
	text, err := h.body(c)
	if err != nil {
		return err
	}
	root, err := parseObject(text)
	if err != nil {
		return err
	}
	tags := make(map[string]string, len(root.Members))
	for _, m := range root.Members {
		if m.Value.Kind == config.Null {
			tags[m.Key] = ""
			continue
		}
		tags[m.Key] = m.Value.String()
	}
	h.eng.SetTags(tags)
	return c.json(func(j *jsonText) {
		j.open('{')
		j.member("status", "success")
		if c.route.surface == v1 {
			j.member("message", "update node tags done.")
		}
		j.close('}')
	})
}
