package plan

import (
	"fmt"
	"runtime/debug"

	"github.com/hashicorp/go-hclog"
)

// Catch calls a plugin and turns its panic into an error: a plugin's mistake fails its job, not the host. The stack
// goes to the logger.
func Catch(logger hclog.Logger, call func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			logger.Error("a connector panicked", "value", fmt.Sprint(v), "stack", string(debug.Stack()))
			err = fmt.Errorf("panic: %v", v)
		}
	}()
	return call()
}
