package postgrescdc

import (
	"encoding/json"
	"fmt"

	"github.com/culvertdata/culvert/plugin"
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
	Cuts []cutState `json:"cuts,omitempty"`
	// Open is the number of chunks that were handed out and are not done.
	Open int `json:"open,omitempty"`
	// Streams counts the stream splits that were handed out; Streaming says that the last of them is being read.
	Streams   int  `json:"streams,omitempty"`
	Streaming bool `json:"streaming,omitempty"`
}

// cutState is how far a table is cut.
type cutState struct {
	Table plugin.TableID  `json:"table"`
	State json.RawMessage `json:"state,omitempty"` // of the Jdbc splitter
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
	// Numbers are those of Out's columns, which they keep when they are renamed; 0: not known.
	Numbers []int `json:"numbers,omitempty"`
	// Pieces tell which view the rows of the snapshot came from; none: the stream has passed all views.
	Pieces []piece `json:"pieces,omitempty"`
}

// piece is a range of a table's rows that was read in one view.
type piece struct {
	From  *jdbc.Key `json:"from,omitempty"`
	To    *jdbc.Key `json:"to,omitempty"`
	Nulls bool      `json:"nulls,omitempty"`
	// After says that the row of From itself is not part of the piece.
	After bool `json:"after,omitempty"`
	// Through says that the row of To is part of the piece.
	Through bool `json:"through,omitempty"`
	View    int  `json:"view"` // position in the list of views
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

// decode reads a state that encoding/json has written.
func decode[T any](what string, data []byte) (T, error) {
	var v T
	if err := json.Unmarshal(data, &v); err != nil {
		return v, fmt.Errorf("state of %s: %w", what, err)
	}
	return v, nil
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
		if have.View != p.View || have.Nulls || p.Nulls {
			continue
		}
		switch {
		case sameKey(have.To, p.From) && have.Through == p.After:
			pieces[i].To, pieces[i].Through = p.To, p.Through
			return pieces
		case sameKey(p.To, have.From) && p.Through == have.After:
			pieces[i].From, pieces[i].After = p.From, p.After
			return pieces
		}
	}
	return append(pieces, p)
}

func sameKey(a, b *jdbc.Key) bool { return a != nil && b != nil && a.Value == b.Value }
