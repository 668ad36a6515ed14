package postgrescdc

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"time"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/column"
	"github.com/culvertdata/culvert/plugin/internal/cdc"
	"github.com/culvertdata/culvert/plugin/jdbc/postgres"
	"github.com/culvertdata/culvert/plugin/postgrescdc/internal/pgoutput"
)

const (
	// idleWait bounds a Read that nothing comes to.
	idleWait = 100 * time.Millisecond
	// linger is how long a row may wait for others to come to its batch.
	linger = 4 * time.Millisecond
	// gather is the pause between two looks for those others: to be woken for each of them costs more than to decode
	// it.
	gather = 300 * time.Microsecond
	// retryPause is the pause before a lost connection is made again, times the number of the attempt.
	retryPause = 500 * time.Millisecond
)

// stream reads the log from the slot. One goroutine calls it.
type stream struct {
	source *Source
	tables []*captured
	task   plugin.Task

	opened  []byte       // the split's state, where it ends at once
	state   streamState  // what was decoded; Tables and Views are those of encoded
	encoded []byte       // Tables and Views in JSON; nil if they have changed
	targets []*target    // of state.Tables
	durable pgoutput.LSN // of the last completed checkpoint
	highest pgoutput.LSN // the end of the last view; 0: the stream has passed all views
	seen    []bool       // for each view, whether it holds the transaction that is under way

	conn    *connection
	aux     *postgres.Session // for questions
	text    bool              // values come in text form
	lost    int               // connections lost in a row
	again   time.Time         // when to connect again
	busy    time.Time         // since when the slot is in use elsewhere
	end     pgoutput.LSN      // of the server's log, as far as known
	endSeen time.Time

	relations map[uint32]*relation
	last      *relation
	types     map[uint32]typeInfo
	begin     pgoutput.Begin
	inside    bool  // a transaction is under way
	old       bool  // it was put out before
	seq       int64 // its changes so far
	skip      int64 // those that were put out before
	rows      int   // decoded in this Read
	bytes     int
	touched   []*target // with rows in their builders

	messages *messages    // that rows become; nil in the usual format
	at       pgoutput.LSN // of the message that is being decoded

	oldValues, newValues []pgoutput.Value
	scratch              []byte
}

func newStream(s *Source, tables []*captured, t plugin.Task) *stream {
	return &stream{source: s, tables: tables, task: t, types: map[uint32]typeInfo{}}
}

// open starts the split. If the job has got more tables, it ends at once, so that the splitter can see to those.
func (s *stream) open(split plugin.Split) error {
	s.disconnect()
	st, err := cdc.Decode[streamState]("the stream", split.State)
	if err != nil {
		return err
	}
	for _, t := range s.tables {
		if st.table(t.table().ID) == nil {
			s.opened = split.State
			return nil
		}
	}
	st.Tables = slices.DeleteFunc(st.Tables, func(t tableState) bool { return find(s.tables, t.Out.ID) == nil })
	s.state, s.encoded, s.opened, s.durable = st, nil, nil, st.From
	s.release()
	s.targets = make([]*target, len(st.Tables))
	for i := range st.Tables {
		if s.targets[i], err = s.newTarget(&st.Tables[i]); err != nil {
			return err
		}
	}
	s.highest = 0
	for _, v := range st.Views {
		s.highest = max(s.highest, v.End)
	}
	s.seen = make([]bool, len(st.Views))
	return nil
}

// read puts out what comes within a few milliseconds.
func (s *stream) read(ctx context.Context, out plugin.Out) error {
	if s.opened != nil {
		return io.EOF
	}
	if s.conn == nil {
		if ok, err := s.connect(ctx, out); err != nil || !ok {
			return err
		}
	}
	s.rows, s.bytes = 0, 0
	err := s.receive(ctx, out)
	if errors.Is(err, errNothing) {
		err = nil
	}
	var e *plugin.Error
	lost := errors.Is(err, errReconnect) || errors.As(err, &e) && e.Retry && ctx.Err() == nil
	if err != nil && !lost {
		return err
	}
	if lost { // what was decoded is good
		s.dropped(err)
	}
	if failed := s.flush(ctx, out); failed != nil {
		return failed
	}
	if lost && s.lost > s.source.options.MaxRetries {
		return err
	}
	return s.lookAhead(ctx)
}

// receive decodes messages until the batch is full, a barrier waits, or nothing more comes.
func (s *stream) receive(ctx context.Context, out plugin.Out) error {
	conn := s.conn.conn
	if err := conn.SetReadDeadline(time.Now().Add(idleWait)); err != nil {
		return s.conn.session.Explain(ctx, err)
	}
	if !s.conn.session.Buffered() {
		wake, stop, watched := out.Wake(), make(chan struct{}), make(chan struct{})
		go func() {
			defer close(watched)
			select {
			case <-wake:
			case <-ctx.Done():
			case <-stop:
				return
			}
			_ = conn.SetReadDeadline(time.Unix(1, 0))
		}()
		defer func() { close(stop); <-watched }()
	}
	var first time.Time // when the first row had come
	for s.rows < column.FullRows && s.bytes < column.FullBytes {
		if s.rows > 0 && !s.conn.session.Buffered() {
			now := time.Now()
			if first.IsZero() {
				first = now
			}
			if now.Sub(first) > linger {
				return nil
			}
			if err := s.gather(ctx); err != nil {
				return err
			}
		}
		body, err := s.conn.receive(ctx)
		if err != nil {
			return err
		}
		if err := s.frame(ctx, out, body); err != nil {
			return err
		}
		if out.Full() {
			return nil
		}
	}
	return nil
}

// gather lets some messages come, and gives those that come after that no time.
func (s *stream) gather(ctx context.Context) error {
	if err := plugin.Sleep(ctx, gather); err != nil {
		return err
	}
	return s.conn.session.Explain(ctx, s.conn.conn.SetReadDeadline(time.Now().Add(gather)))
}

// frame takes one message of the server.
func (s *stream) frame(ctx context.Context, out plugin.Out, body []byte) error {
	f, err := pgoutput.ParseFrame(body)
	if err != nil {
		return err
	}
	s.lost, s.busy = 0, time.Time{}
	if f.Kind == pgoutput.Data {
		s.bytes += len(body)
		s.at = f.Start
		return s.message(ctx, out, f.Message)
	}
	s.end = max(s.end, f.End)
	s.conn.note(f.End)
	s.idle(f.End)
	if f.Reply {
		s.conn.status(0)
	}
	return nil
}

// idle moves the position to where the server has read its log, if no transaction is under way. One that was put out in
// part before the connection was made is still to come.
func (s *stream) idle(at pgoutput.LSN) {
	switch {
	case s.inside || at <= s.state.From:
	case s.state.Final != 0 && at <= s.state.Final:
		s.state.From = at
	default:
		s.advance(at)
	}
}

// advance moves the position to where no transaction is under way.
func (s *stream) advance(to pgoutput.LSN) {
	s.state.From, s.state.Final, s.state.Rows = to, 0, 0
}

// flush puts out what was decoded.
func (s *stream) flush(ctx context.Context, out plugin.Out) error {
	for i, t := range s.touched {
		if err := s.put(ctx, out, t); err != nil {
			s.touched = s.touched[i:]
			return err
		}
	}
	s.touched = s.touched[:0]
	return nil
}

// put puts out the rows of one table.
func (s *stream) put(ctx context.Context, out plugin.Out, t *target) error {
	if t.builder.Len() == 0 {
		return nil
	}
	b := t.builder.Batch()
	b.EventTime = t.eventTime
	if len(t.patches) > 0 {
		patched, err := s.patch(ctx, t, b)
		if err != nil {
			return err
		}
		b = patched
	}
	if s.messages != nil {
		s.messages.changes(s, t.places)
		t.places = t.places[:0]
	}
	return out.Batch(b)
}

// position returns where the stream stands. Everything that was decoded has been put out.
func (s *stream) position() ([]byte, error) {
	if s.opened != nil {
		return s.opened, nil
	}
	type tail struct {
		Tables []tableState `json:"tables"`
		Views  []viewState  `json:"views,omitempty"`
	}
	if s.encoded == nil {
		for i, t := range s.targets {
			s.state.Tables[i] = t.state()
		}
		var err error
		if s.encoded, err = json.Marshal(tail{s.state.Tables, s.state.Views}); err != nil {
			return nil, err
		}
	}
	head, err := json.Marshal(struct {
		From  pgoutput.LSN `json:"from"`
		Final pgoutput.LSN `json:"final,omitempty"`
		Rows  int64        `json:"rows,omitempty"`
	}{s.state.From, s.state.Final, s.state.Rows})
	if err != nil {
		return nil, err
	}
	return append(append(head[:len(head)-1], ','), s.encoded[1:]...), nil
}

// ack tells the server that a checkpoint holds everything before a position.
func (s *stream) ack(at pgoutput.LSN) {
	s.durable = max(s.durable, at)
	if s.conn != nil {
		s.conn.status(s.durable)
	}
}

func (s *stream) lag() plugin.Lag {
	if s.end == 0 {
		return plugin.Lag{Bytes: -1}
	}
	return plugin.Lag{
		Bytes: int64(max(s.end, s.state.From) - s.state.From), At: s.state.From.String(),
		End: max(s.end, s.state.From).String(),
	}
}

func (s *stream) release() {
	for _, t := range s.targets {
		t.builder.Release()
	}
	s.targets, s.touched = nil, nil
}

func (s *stream) disconnect() {
	if s.conn != nil {
		s.conn.close()
		s.conn = nil
	}
}

func (s *stream) close() error {
	s.disconnect()
	s.release()
	if s.aux != nil {
		return s.aux.Close()
	}
	return nil
}
