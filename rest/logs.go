package rest

import (
	"context"
	"errors"
	"html"
	"net/http"
	"strconv"
	"strings"

	"github.com/culvertdata/culvert/engine"
)

// The logs are the last lines of each job, kept by the engine under names of SeaTunnel's form, job-ID.log. They are no
// files: a name is either of this form or not found, so no path leads out.

const (
	logPrefix = "job-"
	logSuffix = ".log"
)

func logName(id int64) string { return logPrefix + strconv.FormatInt(id, 10) + logSuffix }

// logs answers the list of all logs, of those whose name holds a text, or one log.
func (h *handler) logs(c *call) error { return h.serveLogs(c, true) }

// log is like logs, with links of this node.
func (h *handler) log(c *call) error { return h.serveLogs(c, false) }

func (h *handler) serveLogs(c *call, cluster bool) error {
	query, err := c.query()
	if err != nil {
		return err
	}
	if strings.HasSuffix(c.param, logSuffix) {
		return h.oneLog(c)
	}
	if c.param != "" && !cluster {
		return badRequest("there is no log %.80q; a log's name has the form job-733584788375666689.log", c.param)
	}
	switch format := strings.ToLower(query.Get("format")); format {
	case "json":
		return h.listLogs(c)
	case "", "html":
		return h.pageOfLogs(c, cluster)
	default:
		return badRequest("the format %.40q is not known; use json or html", format)
	}
}

func (h *handler) oneLog(c *call) error {
	digits, ok := strings.CutPrefix(strings.TrimSuffix(c.param, logSuffix), logPrefix)
	id, err := strconv.ParseInt(digits, 10, 64)
	if !ok || err != nil || logName(id) != c.param {
		return badRequest("there is no log %.80q; a log's name has the form job-733584788375666689.log", c.param)
	}
	job, err := h.eng.Job(c.r.Context(), id)
	if errors.Is(err, engine.ErrJobNotFound) {
		return badRequest("there is no log %s: the job is not known; logs lists those that are there", c.param)
	}
	if err != nil {
		return err
	}
	text, err := job.Log(c.r.Context())
	if err != nil {
		return err
	}
	c.write(http.StatusOK, "text/plain; charset=utf-8", text)
	return nil
}

// eachJob calls f with the ids of all jobs, those included whose record cannot be read.
func (h *handler) eachJob(ctx context.Context, f func(id int64) bool) error {
	for info, err := range h.eng.List(ctx, engine.Filter{}) {
		if err != nil && info.ID == 0 {
			return err
		}
		if !f(info.ID) {
			return nil
		}
	}
	return nil
}

func (h *handler) logLink(c *call, name string) string {
	list, _, _ := strings.Cut(c.route.path, "/{")
	return "http://" + c.r.Host + list + "/" + name
}

func (h *handler) listLogs(c *call) error {
	host, port := localAddress(c.r)
	return c.stream(func(add func(func(*jsonText)) bool) error {
		return h.eachJob(c.r.Context(), func(id int64) bool {
			name := logName(id)
			if !strings.Contains(name, c.param) {
				return true
			}
			return add(func(j *jsonText) {
				j.open('{')
				j.member("node", host+":"+port)
				j.member("logLink", h.logLink(c, name))
				j.member("logName", name)
				j.close('}')
			})
		})
	})
}

func (h *handler) pageOfLogs(c *call, cluster bool) error {
	host, port := localAddress(c.r)
	var b strings.Builder
	b.WriteString("<html><head><meta charset=\"utf-8\"><title>Seatunnel log</title></head>\n" +
		"<body><h2>Seatunnel log</h2>\n<ul>\n")
	err := h.eachJob(c.r.Context(), func(id int64) bool {
		name := logName(id)
		if !strings.Contains(name, c.param) {
			return true
		}
		link, label := "log/"+name, name
		if cluster {
			link, label = h.logLink(c, name), host+":"+port+"-"+name
		}
		b.WriteString("<li><a href=\"" + html.EscapeString(link) + "\">" + html.EscapeString(label) + "</a></li>\n")
		return true
	})
	if err != nil {
		return err
	}
	b.WriteString("</ul></body></html>\n")
	c.write(http.StatusOK, "text/html; charset=utf-8", []byte(b.String()))
	return nil
}

func (h *handler) allLogNames(c *call) error {
	return c.stream(func(add func(func(*jsonText)) bool) error {
		return h.eachJob(c.r.Context(), func(id int64) bool {
			return add(func(j *jsonText) { j.text(logName(id)) })
		})
	})
}
