package postgrescdc

import (
	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/internal/cdc"
	"github.com/culvertdata/culvert/plugin/jdbc"
	"github.com/culvertdata/culvert/plugin/postgrescdc/internal/pgoutput"
)

// splitterState is the splitter's part of a checkpoint.
type splitterState struct {
	// Ready says that the slot and the publication are made.
	Ready bool `json:"ready,omitempty"`
	// Noted says that a checkpoint holds that.
	Noted bool `json:"noted,omitempty"`
	// Stream is where the stream starts; the tables' pieces come to it when they are read.
	Stream streamState `json:"stream"`
	// Cuts are the tables whose snapshot is not cut to its end, in order.
	Cuts []cdc.Cut `json:"cuts,omitempty"`
	// Open is the number of chunks that were handed out and are not done.
	Open int `json:"open,omitempty"`
	// Streams counts the stream splits that were handed out; Streaming says that the last of them is being read.
	Streams   int  `json:"streams,omitempty"`
	Streaming bool `json:"streaming,omitempty"`
}

// streamState is the position of the stream.
type streamState struct {
	// From is behind the commit of the last transaction that was put out wholly.
	From pgoutput.LSN `json:"from"`
	// Final is the commit of the transaction that is put out in part, Rows the number of its changes that were.
	Final pgoutput.LSN `json:"final,omitempty"`
	Rows  int64        `json:"rows,omitempty"`
	// Tables are the captured tables.
	Tables []tableState `json:"tables"`
	// Views are those that pieces were read in.
	Views []viewState `json:"views,omitempty"`
}

// viewState is a view of the snapshot.
type viewState struct {
	Snapshot string       `json:"snapshot"`
	End      pgoutput.LSN `json:"end"`
}

// tableState is a captured table.
type tableState struct {
	// Out is the table as the sinks know it.
	Out tableForm `json:"out"`
	// Log are the columns that the log had last, Number the highest number that any column of the table had by then.
	Log    []pgoutput.Column `json:"log,omitempty"`
	Number int               `json:"number,omitempty"`
	// Missed says that the log's columns have changed while the job did not follow that.
	Missed bool `json:"missed,omitempty"`
	// Numbers are those of Out's columns, which they keep when they are renamed; 0: not known.
	Numbers []int `json:"numbers,omitempty"`
	// Pieces tell which view the rows of the snapshot came from; none: the stream has passed all views.
	Pieces []piece `json:"pieces,omitempty"`
}

// piece is a range of a table's rows that was read in one view.
type piece struct {
	cdc.Span
	View int `json:"view"` // position in the list of views
}

// slotState is the state of the split without rows.
type slotState struct {
	// Tables are the captured tables as the first rows come with them.
	Tables []tableState `json:"slot"`
}

// chunkState is a chunk of the snapshot: before it is read, in the middle, and as a result.
type chunkState struct {
	// Out is the table as the sinks know it, Numbers are those of its columns in the database.
	Out     tableForm  `json:"out"`
	Numbers []int      `json:"numbers,omitempty"`
	Range   jdbc.Range `json:"range"`
	// Export names the snapshot that the slot was made with.
	Export string `json:"export,omitempty"`
	// Pieces were read before, in Views.
	Pieces []piece     `json:"pieces,omitempty"`
	Views  []viewState `json:"views,omitempty"`
}

// tableForm is a [plugin.Table] in JSON.
type tableForm struct {
	ID          plugin.TableID      `json:"id"`
	Version     uint32              `json:"version,omitempty"`
	Columns     []plugin.Column     `json:"columns"`
	Key         []int               `json:"key,omitempty"`
	KeyName     string              `json:"keyName,omitempty"`
	Constraints []plugin.Constraint `json:"constraints,omitempty"`
	Comment     string              `json:"comment,omitempty"`
	Catalog     string              `json:"catalog,omitempty"`
}

func formOf(t *plugin.Table) tableForm {
	return tableForm{t.ID, t.Version, t.Columns, t.Key, t.KeyName, t.Constraints, t.Comment, t.Catalog}
}

// make returns the table. If it is as planned, it is the planned one itself.
func (f tableForm) make(planned *plugin.Table) (*plugin.Table, error) {
	t, err := plugin.NewTable(plugin.Table{
		ID: f.ID, Version: f.Version, Columns: f.Columns, Key: f.Key, KeyName: f.KeyName,
		Constraints: f.Constraints, Comment: f.Comment, Catalog: f.Catalog,
	})
	if err == nil && planned != nil && t.Version == planned.Version && t.SameColumns(planned) {
		return planned, nil
	}
	return t, err
}

// addView returns the position of a view in a list, to which it is added if it is new.
func addView(views []viewState, v viewState) ([]viewState, int) {
	for i, have := range views {
		if have.Snapshot == v.Snapshot {
			views[i].End = max(have.End, v.End) // the same view, looked at later
			return views, i
		}
	}
	return append(views, v), len(views)
}

// addPiece adds a piece, joined with a neighbour of the same view if there is one.
func addPiece(pieces []piece, p piece) []piece {
	for i, have := range pieces {
		if have.View != p.View {
			continue
		}
		joined, ok := have.Join(p.Span)
		if !ok {
			joined, ok = p.Join(have.Span)
		}
		if ok {
			pieces[i].Span = joined
			return pieces
		}
	}
	return append(pieces, p)
}
