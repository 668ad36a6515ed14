package mysqlcdc

import (
	"encoding/json"
	"slices"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/internal/cdc"
	"github.com/culvertdata/culvert/plugin/jdbc"
	"github.com/culvertdata/culvert/plugin/mysqlcdc/internal/binlog"
	"github.com/culvertdata/culvert/plugin/mysqlcdc/internal/ddl"
)

// place is a position in the log that names its file and offset, between two transactions.
type place = binlog.Position

// piece is a part of a table that the snapshot has read, and the place of its view: a transaction that starts before
// that place is in the rows already.
type piece struct {
	cdc.Span
	At place `json:"at"`
}

// table is what is known of a captured table at one place of the log.
type table struct {
	ID plugin.TableID `json:"id"`
	// Out is the table in force downstream, nil for the one that is planned, which it is as long as changes of the
	// columns are not followed.
	Out *outTable `json:"out,omitempty"`
	// Log is the table's columns as the log has them from Since on.
	Log ddl.Table `json:"log"`
	// Since is where the table's part of the log starts: transactions that start before it are of no interest.
	Since place `json:"since"`
	// Key is the column that pieces are ranges of.
	Key string `json:"key,omitempty"`
	// Pieces are what the snapshot has read; nil: every change counts.
	Pieces []piece `json:"pieces,omitempty"`
	// Open are parts that the snapshot has still to read, since the table was altered meanwhile. Their changes are of
	// no interest yet.
	Open []jdbc.Range `json:"open,omitempty"`
	// Stale says that an attempt that died may have put rows of open parts out: their deletions count.
	Stale bool `json:"stale,omitempty"`
	// Suspect says that the table was altered in a way that is not known: see logReader.adopt.
	Suspect bool `json:"suspect,omitempty"`
	// Missed says that the columns have changed while the job did not follow that.
	Missed bool `json:"missed,omitempty"`
	// Seen is what the columns were when an open part was given up, at the place Until.
	Seen  *ddl.Table `json:"seen,omitempty"`
	Until *place     `json:"until,omitempty"`
}

// high returns the place from which on every change counts.
func (t *table) high() place {
	high := t.Since
	for _, p := range t.Pieces {
		if high.Compare(p.At) < 0 {
			high = p.At
		}
	}
	return high
}

// chunk is the state of a split of the snapshot.
type chunk struct {
	Range jdbc.Range `json:"range"`
	// Low is a place before the view of any attempt to read the chunk.
	Low place `json:"low"`
	// Run is the checkpoint that the run started from in which the chunk was cut. In another run, one that died may
	// have read it before: see chunkReader.
	Run uint64 `json:"run,omitempty"`
	// Again says that the chunk may have been read in a round before: Low is where the log was followed to then.
	Again bool `json:"again,omitempty"`
	// Log is the columns that the table had at Low.
	Log ddl.Table `json:"log"`
	// Out is the table in force downstream, nil for the planned one.
	Out *outTable `json:"out,omitempty"`
	// Key is the column that the table was cut by, as Log has it.
	Key string `json:"key,omitempty"`
	// Pieces are the parts that were read, in order.
	Pieces []piece `json:"pieces,omitempty"`
	// Columns are the table's in the view of the first of Pieces, nil if they are Log.
	Columns *ddl.Table `json:"columns,omitempty"`

	// Left is the part that was given up because the table had been altered: it then had the columns Seen, at Until.
	Left  *jdbc.Range `json:"left,omitempty"`
	Seen  *ddl.Table  `json:"seen,omitempty"`
	Until *place      `json:"until,omitempty"`
	Stale bool        `json:"stale,omitempty"`
	Done  bool        `json:"done,omitempty"`
}

// origin is the state of the split that finds out where the log stands before anything is read.
type origin struct {
	Tables []plugin.TableID `json:"tables"`
	// At is where the log stood, and Log the tables' columns there; nil until that is known.
	At  *place      `json:"at,omitempty"`
	Log []ddl.Table `json:"log,omitempty"`
	// Seen are the columns at At of tables that were altered since the job was planned: Log has those of the plan then.
	Seen []*ddl.Table `json:"seen,omitempty"`
	// Out are the planned tables, where changes of the columns are followed: a later plan may have others.
	Out []*outTable `json:"out,omitempty"`
	// Server names the server that At belongs to, Run the checkpoint that the run started from.
	Server string `json:"server,omitempty"`
	Run    uint64 `json:"run,omitempty"`
	// Stop is where the job ends, for stop.mode = latest.
	Stop *place `json:"stop,omitempty"`
}

// following is the state of a split of the log.
type following struct {
	// At is where to go on: a place between two transactions, with its GTIDs if they are known.
	At place `json:"at"`
	// Skip is the number of changed rows behind At, in captured tables, that are done with: so a transaction of any
	// size does not hold checkpoints up.
	Skip int64 `json:"skip,omitempty"`
	// Server names the server that the places belong to.
	Server string `json:"server,omitempty"`
	// Number tells the readers of the log apart.
	Number int `json:"number,omitempty"`
	// Stop is where the job ends; nil if it does not, or by time.
	Stop *place `json:"stop,omitempty"`
	// Until is where to end so that the rest of tables that were altered can be read; nil if there is none.
	Until *place `json:"until,omitempty"`
	// Known are all tables of the job, whichever reader has them. Others are new in its configuration.
	Known []plugin.TableID `json:"known"`
	// Ended says why the split came to its end.
	Ended ending `json:"ended,omitempty"`
	// Tables is a []table in JSON. It is large and seldom changes.
	Tables json.RawMessage `json:"tables"`
}

// ending is why a reader of the log has stopped.
type ending string

const (
	// reachedStop: the job ends here.
	reachedStop ending = "stop"
	// wantsSnapshot: parts of tables, or new ones, are to be read first.
	wantsSnapshot ending = "snapshot"
)

// outTable is the JSON form of a table.
type outTable struct {
	Version     uint32              `json:"version"`
	Columns     []outColumn         `json:"columns"`
	Key         []int               `json:"key,omitempty"`
	KeyName     string              `json:"keyName,omitempty"`
	Constraints []plugin.Constraint `json:"constraints,omitempty"`
	Comment     string              `json:"comment,omitempty"`
}

type outColumn struct {
	Name    string      `json:"name"`
	Kind    plugin.Kind `json:"kind"`
	Digits  [2]int      `json:"digits,omitzero"` // precision and scale
	NotNull bool        `json:"notNull,omitempty"`
	Length  int64       `json:"length,omitempty"`
	Default *string     `json:"default,omitempty"`
	Comment string      `json:"comment,omitempty"`
	Source  string      `json:"source,omitempty"`
}

func formOf(t *plugin.Table) *outTable {
	f := &outTable{Version: t.Version, Key: t.Key, KeyName: t.KeyName, Constraints: t.Constraints, Comment: t.Comment}
	for _, c := range t.Columns {
		f.Columns = append(f.Columns, outColumn{
			Name: c.Name, Kind: c.Type.Kind, Digits: [2]int{c.Type.Precision, c.Type.Scale}, NotNull: c.NotNull,
			Length: c.Length, Default: c.Default, Comment: c.Comment, Source: c.SourceType,
		})
	}
	return f
}

// table returns the table of a form.
func (f *outTable) table(id plugin.TableID) (*plugin.Table, error) {
	t := plugin.Table{
		ID: id, Version: f.Version, Key: f.Key, KeyName: f.KeyName, Constraints: f.Constraints, Comment: f.Comment,
		Catalog: catalogName,
	}
	for _, c := range f.Columns {
		t.Columns = append(t.Columns, plugin.Column{
			Name: c.Name, Type: plugin.Type{Kind: c.Kind, Precision: c.Digits[0], Scale: c.Digits[1]}, NotNull: c.NotNull,
			Length: c.Length, Default: c.Default, Comment: c.Comment, SourceType: c.Source,
		})
	}
	return plugin.NewTable(t)
}

// merged joins pieces that follow each other and have the same place.
func merged(pieces []piece) []piece {
	var out []piece
	for _, p := range pieces {
		if last := len(out) - 1; last >= 0 && out[last].At.Compare(p.At) == 0 {
			if joined, ok := out[last].Join(p.Span); ok {
				out[last].Span = joined
				continue
			}
		}
		out = append(out, p)
	}
	return slices.Clip(out)
}
