package rest

import (
	"bytes"
	"errors"
	"io"
	"net/http"

	"github.com/culvertdata/culvert/plugin/config"
	"github.com/culvertdata/culvert/plugin/config/hocon"
)

const (
	emptyBody   = "Request body is empty."
	invalidJSON = "Invalid JSON format in request body."
)

// body reads the request's body, which must not be empty.
func (h *handler) body(c *call) ([]byte, error) {
	limit := h.options.MaxBody
	if c.r.ContentLength > limit {
		return nil, tooLarge(limit)
	}
	text, err := io.ReadAll(http.MaxBytesReader(c.w, c.r.Body, limit))
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return nil, tooLarge(limit)
	case err != nil:
		return nil, badRequest("the request body could not be read: %w", err)
	case len(bytes.TrimSpace(text)) == 0:
		return nil, badRequest("%s Send a document as it is described at %s", emptyBody, h.routes.documentPath())
	}
	return text, nil
}

func tooLarge(limit int64) error {
	return fail(http.StatusRequestEntityTooLarge, "the request body is larger than %d bytes; send a smaller one", limit)
}

// parseObject reads a strict JSON object. Depth is bounded, and keys must not repeat.
func parseObject(text []byte) (config.Value, error) {
	v, err := hocon.Parse(text, hocon.Options{JSON: true})
	if err != nil {
		return v, badRequest("%s %w", invalidJSON, err)
	}
	return v, nil
}

// parseLoose reads a small document in HOCON, of which JSON is a part: the documented body of stop-job has a comment.
func parseLoose(text []byte) (config.Value, error) {
	v, err := hocon.ParseValue(text)
	if err != nil {
		return v, badRequest("%s %w", invalidJSON, err)
	}
	return v, nil
}
