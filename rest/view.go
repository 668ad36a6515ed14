package rest

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/culvertdata/culvert/engine"
)

const timeLayout = "2006-01-02 15:04:05"

// runningJob is a job that has not ended, in the shape and order of SeaTunnel 2.3.4.
type runningJob struct {
	JobID                string     `json:"jobId"`
	JobName              string     `json:"jobName"`
	JobStatus            string     `json:"jobStatus"`
	EnvOptions           object     `json:"envOptions"`
	CreateTime           string     `json:"createTime"`
	JobDag               logicalDag `json:"jobDag"`
	PluginJarsURLs       []string   `json:"pluginJarsUrls"`
	IsStartWithSavePoint bool       `json:"isStartWithSavePoint"`
	Metrics              object     `json:"metrics"`
}

type logicalDag struct {
	Vertices []logicalVertex `json:"vertices"`
	Edges    []logicalEdge   `json:"edges"`
}

type logicalVertex struct {
	ID          int    `json:"id"`
	Name        string `json:"name"`
	Parallelism int    `json:"parallelism"`
}

type logicalEdge struct {
	Input  string `json:"inputVertex"`
	Target string `json:"targetVertex"`
}

// finishedJob is an ended job, in the shape and order of SeaTunnel 2.3.4.
type finishedJob struct {
	JobID      string      `json:"jobId"`
	JobName    string      `json:"jobName"`
	JobStatus  string      `json:"jobStatus"`
	ErrorMsg   *string     `json:"errorMsg"`
	CreateTime string      `json:"createTime"`
	FinishTime string      `json:"finishTime"`
	JobDag     physicalDag `json:"jobDag"`
	Metrics    object      `json:"metrics"`
}

type physicalDag struct {
	JobID         int64  `json:"jobId"`
	PipelineEdges object `json:"pipelineEdges"`
	VertexInfoMap object `json:"vertexInfoMap"`
}

type physicalEdge struct {
	Input  int `json:"inputVertexId"`
	Target int `json:"targetVertexId"`
}

type physicalVertex struct {
	VertexID      int    `json:"vertexId"`
	Type          string `json:"type"`
	ConnectorType string `json:"connectorType"`
}

// view returns the object of a job.
func view(info engine.Info) any {
	if info.State.Ended() {
		return viewFinished(info)
	}
	return viewRunning(info)
}

func viewRunning(info engine.Info) runningJob {
	job := runningJob{
		JobID:                strconv.FormatInt(info.ID, 10),
		JobName:              info.Name,
		JobStatus:            info.State.String(),
		CreateTime:           formatTime(info.Created),
		PluginJarsURLs:       []string{},
		IsStartWithSavePoint: info.FromSavepoint,
		Metrics:              viewMetrics(info, time.Since(info.Created)),
		JobDag:               logicalDag{Vertices: []logicalVertex{}, Edges: []logicalEdge{}},
	}
	for _, o := range info.Env {
		job.EnvOptions.add(o.Key, o.Value)
	}
	for _, v := range info.Graph.Logical.Vertices {
		job.JobDag.Vertices = append(job.JobDag.Vertices,
			logicalVertex{v.ID, fmt.Sprintf("%s(id=%d)", v.Name, v.ID), v.Parallelism})
	}
	for _, e := range info.Graph.Logical.Edges {
		job.JobDag.Edges = append(job.JobDag.Edges, logicalEdge{e.Input, e.Target})
	}
	return job
}

func viewFinished(info engine.Info) finishedJob {
	job := finishedJob{
		JobID:      strconv.FormatInt(info.ID, 10),
		JobName:    info.Name,
		JobStatus:  info.State.String(),
		CreateTime: formatTime(info.Created),
		FinishTime: formatTime(info.Finished),
		JobDag:     physicalDag{JobID: info.ID},
		Metrics:    viewMetrics(info, info.Finished.Sub(info.Created)),
	}
	if info.Error != "" {
		job.ErrorMsg = &info.Error
	}
	for _, p := range info.Graph.Physical {
		edges := []physicalEdge{}
		for _, e := range p.Edges {
			edges = append(edges, physicalEdge{e.Input, e.Target})
		}
		job.JobDag.PipelineEdges.add(strconv.Itoa(p.ID), edges)
		for _, v := range p.Vertices {
			job.JobDag.VertexInfoMap.add(strconv.Itoa(v.ID), physicalVertex{v.ID, strings.ToUpper(v.Role), v.Name})
		}
	}
	return job
}

func formatTime(t time.Time) string { return t.Local().Format(timeLayout) }

// javaDouble writes a number as Java's Double.toString does: at least one digit behind the point, and an exponent from
// ten million on and below a thousandth.
func javaDouble(f float64) string {
	abs := math.Abs(f)
	if abs != 0 && (abs >= 1e7 || abs < 1e-3) {
		mantissa, exponent, _ := strings.Cut(strconv.FormatFloat(f, 'E', -1, 64), "E")
		if !strings.Contains(mantissa, ".") {
			mantissa += ".0"
		}
		n, _ := strconv.Atoi(exponent)
		return mantissa + "E" + strconv.Itoa(n)
	}
	text := strconv.FormatFloat(f, 'f', -1, 64)
	if !strings.Contains(text, ".") {
		text += ".0"
	}
	return text
}
