package engine

import (
	"fmt"
	"maps"
)

// Tags returns the tags that describe this engine to jobs with a tag_filter.
func (e *Engine) Tags() map[string]string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return maps.Clone(e.options.Tags)
}

// SetTags replaces the tags of Options.Tags. Jobs that run already stay.
func (e *Engine) SetTags(tags map[string]string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.options.Tags = maps.Clone(tags)
}

// checkTags refuses a job that asks for tags which this engine does not have.
func (e *Engine) checkTags(filter map[string]string) error {
	tags := e.Tags()
	for k, v := range filter {
		if tags[k] != v {
			return fmt.Errorf("NoEnoughResourceException: can't apply resource request: the job asks for the tag %s = %s, "+
				"this engine has %v; change env.tag_filter or the engine's tags", k, v, tags)
		}
	}
	return nil
}
