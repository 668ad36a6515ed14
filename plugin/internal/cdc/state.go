package cdc

import (
	"encoding/json"
	"fmt"
)

// Decode reads a state that encoding/json has written; what names it in the error.
func Decode[T any](what string, data []byte) (T, error) {
	var v T
	if err := json.Unmarshal(data, &v); err != nil {
		return v, fmt.Errorf("state of %s: %w", what, err)
	}
	return v, nil
}
