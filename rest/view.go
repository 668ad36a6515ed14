package rest

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/culvertdata/culvert/engine"
)

// masked stands where a secret was.
const masked = "******"

// view writes the object of a job in the shape of a surface: V1 that of SeaTunnel 2.3.4, V2 that of later versions.
func view(j *jsonText, info engine.Info, s surface, now time.Time) {
	if info.State.Ended() {
		viewFinished(j, info, s, now)
	} else {
		viewRunning(j, info, s, now)
	}
}

func viewRunning(j *jsonText, info engine.Info, s surface, now time.Time) {
	j.open('{')
	j.digits("jobId", info.ID)
	j.member("jobName", info.Name)
	j.member("jobStatus", info.State.String())
	viewEnv(j, info)
	viewTime(j, "createTime", info.Created)
	j.key("jobDag")
	if s == v2 {
		viewDAG(j, info)
	} else {
		viewLogical(j, info)
	}
	j.openKey("pluginJarsUrls", '[')
	j.close(']')
	j.key("isStartWithSavePoint")
	j.boolean(info.FromSavepoint)
	viewMetrics(j, info.Counters(), s, now)
	j.close('}')
}

func viewFinished(j *jsonText, info engine.Info, s surface, now time.Time) {
	j.open('{')
	j.digits("jobId", info.ID)
	j.member("jobName", info.Name)
	j.member("jobStatus", info.State.String())
	j.key("errorMsg")
	if info.Error == "" {
		j.raw("null")
	} else {
		j.text(info.Error)
	}
	viewTime(j, "createTime", info.Created)
	viewTime(j, "finishTime", info.Finished)
	j.key("jobDag")
	if s == v2 {
		viewDAG(j, info)
		j.openKey("pluginJarsUrls", '[')
		j.close(']')
	} else {
		viewPhysical(j, info)
	}
	viewMetrics(j, info.Counters(), s, now)
	j.close('}')
}

// unknowable is SeaTunnel's state of a job whose record is lost.
const unknowable = "UNKNOWABLE"

// viewBroken writes the object of an ended job whose record cannot be read, so that the others can be listed.
func viewBroken(j *jsonText, id int64, err error) {
	j.open('{')
	j.digits("jobId", id)
	j.member("jobName", "")
	j.member("jobStatus", unknowable)
	j.member("errorMsg", err.Error())
	j.member("createTime", "")
	j.member("finishTime", "")
	j.key("jobDag")
	j.raw("{}")
	j.key("metrics")
	j.raw("{}")
	j.close('}')
}

// viewEnv writes the env block, with what looks like a secret masked: env has no list of secret options.
func viewEnv(j *jsonText, info engine.Info) {
	j.openKey("envOptions", '{')
	for _, o := range info.Env {
		value := o.Value
		if looksSecret(o.Key) || strings.HasPrefix(value, "{") && looksSecret(value) {
			value = masked
		}
		j.anyKey(o.Key)
		j.text(value)
	}
	j.close('}')
}

var secretWords = []string{"password", "passwd", "secret", "token", "credential", "auth", "access_key", "access.key",
	"private"}

func looksSecret(text string) bool {
	text = strings.ToLower(text)
	return slices.ContainsFunc(secretWords, func(w string) bool { return strings.Contains(text, w) })
}

const timeLayout = "2006-01-02 15:04:05"

func viewTime(j *jsonText, name string, t time.Time) {
	j.key(name)
	j.separate()
	j.b = append(t.Local().AppendFormat(append(j.b, '"'), timeLayout), '"')
}

// viewLogical writes the graph of a running job as 2.3.4 does.
func viewLogical(j *jsonText, info engine.Info) {
	j.open('{')
	j.openKey("vertices", '[')
	for _, v := range info.Graph.Logical.Vertices {
		j.open('{')
		j.numberMember("id", int64(v.ID))
		j.member("name", v.Name+"(id="+strconv.Itoa(v.ID)+")")
		j.numberMember("parallelism", int64(v.Parallelism))
		j.close('}')
	}
	j.close(']')
	j.openKey("edges", '[')
	for _, e := range info.Graph.Logical.Edges {
		j.open('{')
		j.member("inputVertex", e.Input)
		j.member("targetVertex", e.Target)
		j.close('}')
	}
	j.close(']')
	j.close('}')
}

// viewPhysical writes the graph of an ended job as 2.3.4 does, with numbers for ids.
func viewPhysical(j *jsonText, info engine.Info) {
	j.open('{')
	j.numberMember("jobId", info.ID)
	j.openKey("pipelineEdges", '{')
	for _, p := range info.Graph.Physical {
		j.openKey(strconv.Itoa(p.ID), '[')
		for _, e := range p.Edges {
			j.open('{')
			j.numberMember("inputVertexId", int64(e.Input))
			j.numberMember("targetVertexId", int64(e.Target))
			j.close('}')
		}
		j.close(']')
	}
	j.close('}')
	j.openKey("vertexInfoMap", '{')
	for _, p := range info.Graph.Physical {
		for _, v := range p.Vertices {
			j.openKey(strconv.Itoa(v.ID), '{')
			j.numberMember("vertexId", int64(v.ID))
			j.member("type", strings.ToUpper(v.Role))
			j.member("connectorType", v.Name)
			j.close('}')
		}
	}
	j.close('}')
	j.close('}')
}

// viewDAG writes the graph as versions after 2.3.4 do: ids of edges are texts, and vertexInfoMap is a list.
func viewDAG(j *jsonText, info engine.Info) {
	j.open('{')
	j.digits("jobId", info.ID)
	j.openKey("pipelineEdges", '{')
	for _, p := range info.Graph.Physical {
		j.openKey(strconv.Itoa(p.ID), '[')
		for _, e := range p.Edges {
			j.open('{')
			j.digits("inputVertexId", int64(e.Input))
			j.digits("targetVertexId", int64(e.Target))
			j.close('}')
		}
		j.close(']')
	}
	j.close('}')
	viewEnv(j, info)
	j.openKey("vertexInfoMap", '[')
	for _, p := range info.Graph.Physical {
		for _, v := range p.Vertices {
			j.open('{')
			j.numberMember("vertexId", int64(v.ID))
			j.member("type", v.Role)
			j.member("vertexName", v.Name)
			j.openKey("tablePaths", '[')
			for _, t := range v.Tables {
				j.text(t)
			}
			j.close(']')
			j.close('}')
		}
	}
	j.close(']')
	j.close('}')
}
