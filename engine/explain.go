package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/culvertdata/culvert/engine/internal/plan"
	"github.com/culvertdata/culvert/plugin"
)

// Explanation is what a job would do.
type Explanation struct {
	plan.Explanation
	// Splits are the pieces that each source would read, the first of them if there are many.
	Splits []SourceSplits `json:"splits"`
}

// SourceSplits are the splits of one source.
type SourceSplits struct {
	Source string `json:"source"`
	// IDs are the first splits' ids, at most 1,000.
	IDs []string `json:"ids"`
	// More says that there are more, or that more may be discovered while the job runs.
	More bool `json:"more,omitempty"`
	// Rows is the estimated number of rows of the splits named, -1 if unknown.
	Rows int64 `json:"rows"`
}

// explainPatience is how long Explain waits for a source's splits.
const explainPatience = 2 * time.Second

// maxExplained is the number of splits that Explain looks at.
const maxExplained = 1000

// Explain checks a job text like Submit and tells what the job would do: the plan, the columns on every edge, the
// splits and the guarantee of each source-sink pair. It opens the sources and asks them for tables and splits, which
// may take a query or two; it reads no row, prepares no sink and records nothing.
func (e *Engine) Explain(ctx context.Context, text []byte, o SubmitOptions) (*Explanation, error) {
	if !e.enter() {
		return nil, ErrClosed
	}
	defer e.wg.Done()
	ctx, cancel := e.whileOpen(ctx)
	defer cancel()
	spec, err := e.parse(text, o)
	if err != nil {
		return nil, err
	}
	j := e.newJob(spec, o)
	planned, err := e.plan(ctx, j, spec)
	if err != nil {
		return nil, e.closedOr(err)
	}
	defer planned.Close()
	explanation := &Explanation{Explanation: planned.Explain()}
	for _, p := range planned.Pipelines {
		for _, v := range p.Sources() {
			var splits SourceSplits
			err := plan.Catch(v.Env.Logger, func() (err error) {
				splits, err = splitsOf(ctx, v)
				return err
			})
			if err != nil {
				return nil, j.secrets.err(fmt.Errorf("%s: splits: %w", v.Name, e.closedOr(err)))
			}
			explanation.Splits = append(explanation.Splits, splits)
		}
	}
	return explanation, nil
}

func splitsOf(ctx context.Context, v *plan.Vertex) (s SourceSplits, err error) {
	splitter, err := v.Source.Splits(ctx, nil)
	if err != nil {
		return s, err
	}
	defer func() { err = errors.Join(err, splitter.Close()) }()
	s = SourceSplits{Source: v.Name, More: true}
	patience, cancel := context.WithTimeout(ctx, explainPatience)
	defer cancel()
	for len(s.IDs) < maxExplained {
		splits, err := splitter.Next(patience)
		for _, split := range splits {
			s.add(split)
		}
		if err == io.EOF {
			s.More = false
			return s, nil
		}
		if patience.Err() != nil && ctx.Err() == nil {
			return s, nil // it waits for splits that may come while the job runs
		}
		if err != nil || len(splits) == 0 {
			return s, err
		}
	}
	return s, nil
}

func (s *SourceSplits) add(split plugin.Split) {
	s.IDs = append(s.IDs, split.ID)
	if split.Rows < 0 || s.Rows < 0 {
		s.Rows = -1
		return
	}
	s.Rows += split.Rows
}

// String draws the plan as text.
func (x *Explanation) String() string {
	var b strings.Builder
	for _, p := range x.Pipelines {
		fmt.Fprintf(&b, "pipeline %d (%s)\n", p.ID, x.Mode)
		names := map[int]string{}
		for _, v := range p.Vertices {
			names[v.ID] = v.Name
			fmt.Fprintf(&b, "  %s, %d lanes\n", v.Name, v.Parallelism)
		}
		for _, edge := range p.Edges {
			fmt.Fprintf(&b, "  %s -> %s\n", names[edge.From], names[edge.To])
			for _, t := range edge.Tables {
				fmt.Fprintf(&b, "      %s\n", tableText(t))
			}
		}
	}
	for _, s := range x.Splits {
		fmt.Fprintf(&b, "%s: %s\n", s.Source, s.text())
	}
	for _, g := range x.Guarantees {
		fmt.Fprintf(&b, "%s -> %s: %s\n", g.Source, g.Sink, g.Guarantee)
	}
	for _, w := range x.Warnings {
		fmt.Fprintf(&b, "warning: %s\n", w)
	}
	return b.String()
}

func (s SourceSplits) text() string {
	text := fmt.Sprintf("%d splits", len(s.IDs))
	if s.More {
		text += " or more"
	}
	if s.Rows > 0 {
		text += fmt.Sprintf(", about %d rows", s.Rows)
	}
	return text
}

func tableText(t plan.ExplainTable) string {
	columns := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		columns[i] = c.Name + " " + c.Type
	}
	text := t.Path + " (" + strings.Join(columns, ", ") + ")"
	if len(t.Key) > 0 {
		text += " key " + strings.Join(t.Key, ", ")
	}
	return text
}
