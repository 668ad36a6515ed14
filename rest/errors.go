package rest

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/culvertdata/culvert/engine"
	"github.com/culvertdata/culvert/plugin"
)

// failure is an error with a status of its own.
type failure struct {
	status int
	err    error
	// allow lists the methods of a path, for 405.
	allow string
}

// Error returns the reason.
func (f *failure) Error() string { return f.err.Error() }

// Unwrap returns the reason.
func (f *failure) Unwrap() error { return f.err }

func fail(status int, format string, args ...any) error {
	return &failure{status: status, err: fmt.Errorf(format, args...)}
}

func badRequest(format string, args ...any) error {
	return fail(http.StatusBadRequest, format, args...)
}

// statusOf returns the status that tells whose fault an error is.
func statusOf(err error) int {
	var f *failure
	var config *engine.ConfigError
	var connector *plugin.Error
	switch {
	case errors.As(err, &f):
		return f.status
	case errors.As(err, &config):
		return http.StatusBadRequest
	case errors.Is(err, engine.ErrJobNotFound):
		return http.StatusNotFound
	case errors.Is(err, engine.ErrJobExists):
		return http.StatusConflict
	case errors.Is(err, engine.ErrClosed), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return http.StatusServiceUnavailable
	case errors.As(err, &connector):
		return statusOfCode(connector.Code)
	default:
		return http.StatusInternalServerError
	}
}

// statusOfCode judges what a plugin said while the job was planned.
func statusOfCode(c plugin.Code) int {
	switch c {
	case plugin.CodeInternal:
		return http.StatusInternalServerError
	case plugin.CodeUnavailable:
		return http.StatusServiceUnavailable
	default:
		return http.StatusBadRequest
	}
}
