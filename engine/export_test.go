package engine

// ExpireHistory runs what the engine does once a minute.
func ExpireHistory(e *Engine) { e.expire() }
