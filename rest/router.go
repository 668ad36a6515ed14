package rest

import (
	"net/http"
	"net/url"
	"strings"
)

// maps is what stands before the V1 paths.
const maps = "/hazelcast/rest/maps"

// surface is the version of the API that a path belongs to.
type surface uint8

const (
	v1 surface = iota
	v2
	hazelcast // paths that have one version
)

// endpoint is one row of the table from which come the routing and the OpenAPI document.
type endpoint struct {
	// path is that below the surface's prefix; only its last part may be variable, as in /running-job/{jobId}.
	path     string
	method   string
	absolute bool
	group    Group
	// writes says that the endpoint needs ClusterWrite, too.
	writes bool
	doc    operation
	serve  func(h *handler, c *call) error
}

// route is an endpoint on a surface.
type route struct {
	*endpoint
	surface surface
	// path is the whole path, for documents and logs.
	path string
}

func (r route) groups() []Group {
	if r.writes {
		return []Group{r.group, ClusterWrite}
	}
	return []Group{r.group}
}

// methods returns what the route takes. V1 takes PUT for POST, as SeaTunnel's does.
func (r route) methods() []string {
	switch {
	case r.method == http.MethodGet:
		return []string{http.MethodGet, http.MethodHead}
	case r.surface == v1:
		return []string{http.MethodPost, http.MethodPut}
	default:
		return []string{r.method}
	}
}

// router finds routes by path. It compares whole parts of escaped paths, so that nothing inside a parameter can change
// where a request leads.
type router struct {
	routes []route
	fixed  map[string]int // by path
	param  map[string]int // by path without its last part
}

func newRouter(o Options) *router {
	r := &router{fixed: map[string]int{}, param: map[string]int{}}
	for _, e := range endpoints() {
		if e.absolute {
			r.add(route{e, hazelcast, o.BasePath + e.path})
			continue
		}
		r.add(route{e, v1, o.BasePath + maps + e.path})
		r.add(route{e, v2, o.BasePath + o.ContextPath + e.path})
	}
	return r
}

func (r *router) add(rt route) {
	if i := strings.LastIndexByte(rt.path, '/'); strings.HasPrefix(rt.path[i+1:], "{") {
		r.param[rt.path[:i]] = len(r.routes)
	} else {
		r.fixed[rt.path] = len(r.routes)
	}
	r.routes = append(r.routes, rt)
}

// find returns the route of a request and the value of its parameter. Slashes at the end don't count.
func (r *router) find(req *http.Request) (route, string, error) {
	path := strings.TrimRight(req.URL.EscapedPath(), "/")
	i, ok := r.fixed[path]
	param := ""
	if !ok {
		cut := max(strings.LastIndexByte(path, '/'), 0)
		if i, ok = r.param[path[:cut]]; ok {
			text, err := url.PathUnescape(path[cut+1:])
			if err != nil {
				return route{}, "", badRequest("the path is not well encoded: %v", err)
			}
			param = text
		}
	}
	if !ok {
		return route{}, "", fail(http.StatusNotFound, "there is no such path; the paths are listed at %s", r.documentPath())
	}
	rt := r.routes[i]
	for _, m := range rt.methods() {
		if m == req.Method {
			return rt, param, nil
		}
	}
	allow := strings.Join(rt.methods(), ", ")
	err := fail(http.StatusMethodNotAllowed, "the method %.20q is not allowed here; use %s", req.Method, allow).(*failure)
	err.allow = allow
	return route{}, "", err
}

func (r *router) documentPath() string {
	for _, rt := range r.routes {
		if rt.endpoint.path == documentPath && rt.surface == hazelcast {
			return rt.path
		}
	}
	return documentPath
}
