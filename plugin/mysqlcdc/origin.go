package mysqlcdc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/internal/cdc"
	"github.com/culvertdata/culvert/plugin/internal/mysql/wire"
	"github.com/culvertdata/culvert/plugin/jdbc/mysql"
	"github.com/culvertdata/culvert/plugin/mysqlcdc/internal/binlog"
	"github.com/culvertdata/culvert/plugin/mysqlcdc/internal/ddl"
)

// originReader finds out where the log stands, and which columns the tables have there. It reads no rows: its result
// is part of a checkpoint before any row is read, so what a run that dies leaves behind can be put right.
type originReader struct {
	reader *reader
	split  string
	state  origin
}

func openOrigin(r *reader, s plugin.Split) (*originReader, error) {
	state, err := cdc.Decode[origin]("split "+s.ID, s.State)
	return &originReader{reader: r, split: s.ID, state: state}, err
}

func (o *originReader) read(ctx context.Context, out plugin.Out) error {
	if o.state.At != nil {
		return io.EOF
	}
	if err := o.announce(out); err != nil {
		return err
	}
	source := o.reader.source
	session, err := source.connect(ctx)
	if err != nil {
		return err
	}
	if err := errors.Join(o.find(ctx, session), session.Close()); err != nil {
		return err
	}
	return io.EOF
}

// announce tells the sinks of tables that were altered after they were told of them and before anything was read.
func (o *originReader) announce(out plugin.Out) error {
	source := o.reader.source
	if !source.options.schemaChanges() {
		return nil
	}
	for _, id := range o.state.Tables {
		r, known := source.relation(id), source.current(id)
		if r == nil || known.SameColumns(r.Table) {
			continue
		}
		altered := *r.Table
		altered.Version = known.Version + 1
		next, err := plugin.NewTable(altered)
		if err != nil {
			return err
		}
		if err := out.Change(plugin.SchemaChange{Old: known, New: next}); err != nil {
			return err
		}
		source.known.Note(next)
	}
	return nil
}

func (o *originReader) find(ctx context.Context, session *mysql.Session) error {
	source := o.reader.source
	o.state.Run = o.reader.task.Epoch
	o.state.Server = source.facts.identity
	now, columns, err := o.standing(ctx, session)
	if err != nil {
		return err
	}
	switch strings.ToLower(source.options.StopMode) {
	case "latest":
		o.state.Stop = &now
	case "specific":
		o.state.Stop = &place{File: source.options.StopFile, Pos: uint64(source.options.StopPos)}
	}
	at, err := source.start(ctx, session, now)
	if err != nil {
		return err
	}
	o.state.At, o.state.Log = &at, o.planned(columns)
	return nil
}

// standing returns the place where the log ends and the columns of the tables there.
func (o *originReader) standing(ctx context.Context, session *mysql.Session) (place, []ddl.Table, error) {
	for range viewTries {
		var at place
		var before, after []ddl.Table
		err := session.Run(ctx, func(c *wire.Conn) (err error) {
			if before, err = o.columns(c); err != nil {
				return err
			}
			if at, err = binlog.Current(c); err != nil {
				return err
			}
			after, err = o.columns(c)
			return err
		})
		if err != nil {
			return at, nil, err
		}
		same := true
		for i := range before {
			same = same && sameColumns(&before[i], &after[i])
		}
		if same {
			return at, after, nil
		}
	}
	return place{}, nil, &plugin.Error{
		Code: plugin.CodeUnavailable, Retry: true,
		Err: errors.New("the tables are altered again and again while the job starts"),
	}
}

func (o *originReader) columns(c *wire.Conn) ([]ddl.Table, error) {
	var tables []ddl.Table
	for _, id := range o.state.Tables {
		if o.reader.source.relation(id) == nil { // it is not captured any more
			tables = append(tables, ddl.Table{})
			continue
		}
		t, err := readTable(c, id)
		if err != nil {
			return nil, err
		}
		tables = append(tables, t)
	}
	return tables, nil
}

// planned returns the tables' columns as they were when the job was planned, where those are what is downstream. If a
// table was altered since, its new columns and the place become what the reader of the log has to come to first.
func (o *originReader) planned(now []ddl.Table) []ddl.Table {
	source := o.reader.source
	if !source.options.schemaChanges() {
		return now
	}
	log := slices.Clone(now)
	o.state.Seen = make([]*ddl.Table, len(now))
	o.state.Out = make([]*outTable, len(now))
	for i, id := range o.state.Tables {
		if t := source.current(id); t != nil {
			o.state.Out[i] = formOf(t)
		}
		if planned, ok := source.columns[id]; ok && !sameColumns(&planned, &now[i]) {
			log[i], o.state.Seen[i] = planned, &now[i]
		}
	}
	return log
}

// start returns where the log is followed from by startup.mode; now is where it ends.
func (s *Source) start(ctx context.Context, session *mysql.Session, now place) (at place, err error) {
	switch mode := strings.ToLower(s.options.StartMode); mode {
	case "earliest":
		err = session.Run(ctx, func(c *wire.Conn) (err error) { at, err = binlog.Oldest(c); return err })
	case "specific":
		return place{File: s.options.StartFile, Pos: uint64(s.options.StartPos)}, nil
	case "timestamp":
		return s.placeOf(ctx, session, s.options.StartTimestamp, now)
	default:
		at = now
	}
	return at, err
}

// placeOf finds the place before the first transaction that was committed at a time, in milliseconds since 1970, or
// later.
func (s *Source) placeOf(ctx context.Context, session *mysql.Session, millis int64, now place) (place, error) {
	var files []string
	err := session.Run(ctx, func(c *wire.Conn) (err error) {
		files, err = binlog.Files(c)
		return err
	})
	if err != nil {
		return place{}, err
	}
	// The files are in order of time: the last one that begins before the time holds the place.
	for i := len(files) - 1; i >= 0; i-- {
		at, found, err := s.scan(ctx, binlog.StartOf(files[i]), millis, now)
		if err != nil {
			return place{}, err
		}
		if found {
			return at, nil
		}
	}
	return place{}, &plugin.Error{
		Code: plugin.CodeNotFound,
		Err:  fmt.Errorf("startup.timestamp: the server has no log that reaches back to %d", millis),
		Fix:  "choose a later time, or startup.mode = initial",
	}
}

// scan looks for the place of a time in the log from a file's start on. found is false if the file begins later.
func (s *Source) scan(ctx context.Context, from place, millis int64, now place) (at place, found bool, err error) {
	session, err := s.connect(ctx)
	if err != nil {
		return at, false, err
	}
	stream, err := binlog.Open(ctx, session.Conn(), binlog.Options{
		ServerID: s.serverID(0), From: from, NonBlocking: true,
	})
	if err != nil {
		return at, false, errors.Join(s.explain(err), session.Close())
	}
	defer func() { err = errors.Join(err, stream.Close()) }()
	for {
		e, err := stream.Next(ctx)
		if err == io.EOF {
			return now, true, nil
		}
		if errors.Is(err, binlog.ErrTorn) { // the next file begins late
			file, _ := stream.File()
			at, err := s.after(ctx, file)
			return at, err == nil, err
		}
		if err != nil {
			return at, false, s.explain(err)
		}
		late := int64(e.Seconds)*1000 >= millis
		switch {
		case e.Type == binlog.FormatDescription && !e.Artificial() && late && !found:
			return at, false, nil
		case e.Type == binlog.FormatDescription && !e.Artificial():
			found = true
		case isStart(e.Type) && late:
			return stream.Boundary(), true, nil
		}
		if file, end := stream.File(); now.Compare(place{File: file, Pos: end}) <= 0 && !stream.InTransaction() {
			return now, true, nil
		}
	}
}

// isStart reports whether an event is the first of a transaction.
func isStart(t binlog.Type) bool {
	switch t {
	case binlog.MariaGTID, binlog.GTIDEvent, binlog.AnonymousGTID, binlog.GTIDTagged:
		return true
	}
	return false
}

func (o *originReader) position() ([]byte, error) { return json.Marshal(o.state) }

func (o *originReader) close() error { return nil }
