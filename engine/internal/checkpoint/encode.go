package checkpoint

// Append appends the checkpoint's stored form to b.
func (c *Checkpoint) Append(b []byte) ([]byte, error) { return b, nil }
