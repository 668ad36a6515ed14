package engine

// ExpireHistory runs what the engine does once a minute.
func ExpireHistory(e *Engine) { e.expire() }

// CloseStore makes every later write fail.
func CloseStore(e *Engine) error { return e.store.Close() }
