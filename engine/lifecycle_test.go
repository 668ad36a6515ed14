package engine_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/culvertdata/culvert/engine"
)

// stop stops a job and waits for its end.
func stop(t *testing.T, eng *engine.Engine, job *engine.Job, o engine.StopOptions) engine.State {
	t.Helper()
	if err := eng.Stop(t.Context(), job.ID(), o); err != nil {
		t.Fatal(err)
	}
	return ended(t, job)
}

// ended waits for a job's end and returns its state.
func ended(t *testing.T, job *engine.Job) engine.State {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	result, err := job.Wait(ctx)
	if result == nil {
		t.Fatalf("job %d: %v", job.ID(), err)
	}
	return result.State
}

func TestStopRightAfterSubmit(t *testing.T) {
	eng := open(t, engine.Options{Dir: t.TempDir()})
	for _, o := range []engine.StopOptions{{}, {Savepoint: true}} {
		want := engine.Canceled
		if o.Savepoint {
			want = engine.SavepointDone
		}
		for range 20 {
			if got := stop(t, eng, submit(t, eng, streamingJob, engine.SubmitOptions{}), o); got != want {
				t.Fatalf("%+v: state = %s, want %s", o, got, want)
			}
		}
	}
}

func TestSavepointTwiceIsOne(t *testing.T) {
	eng := open(t, engine.Options{Dir: t.TempDir()})
	job := submit(t, eng, streamingJob, engine.SubmitOptions{})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			err := eng.Stop(t.Context(), job.ID(), engine.StopOptions{Savepoint: true})
			if err != nil && !errors.Is(err, engine.ErrJobEnded) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if got := ended(t, job); got != engine.SavepointDone {
		t.Errorf("state = %s", got)
	}
}

func TestCancelEndsASavepointThatHangs(t *testing.T) {
	o := &odd{read: func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }} // sees no barrier
	eng := open(t, engine.Options{Plugins: o.plugins()})
	job := submit(t, eng, oddJob, engine.SubmitOptions{})
	if err := eng.Stop(t.Context(), job.ID(), engine.StopOptions{Savepoint: true}); err != nil {
		t.Fatal(err)
	}
	if got := job.Info().State; got != engine.DoingSavepoint {
		t.Errorf("state = %s", got)
	}
	if got := stop(t, eng, job, engine.StopOptions{}); got != engine.Canceled {
		t.Errorf("state = %s, want CANCELED", got)
	}
}

func TestOneIDIsTakenOnce(t *testing.T) {
	eng := open(t, engine.Options{Dir: t.TempDir()})
	var taken, refused atomic.Int64
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			switch _, err := eng.Submit(t.Context(), []byte(streamingJob), engine.SubmitOptions{ID: 7}); {
			case err == nil:
				taken.Add(1)
			case errors.Is(err, engine.ErrJobRunning):
				refused.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if taken.Load() != 1 || refused.Load() != 15 {
		t.Errorf("%d submits succeeded, %d were refused", taken.Load(), refused.Load())
	}
}

func TestStuckConnector(t *testing.T) {
	release := make(chan struct{})
	var closed atomic.Bool
	o := &odd{read: func(context.Context) error { <-release; return nil }, close: func() { closed.Store(true) }}
	eng, err := engine.Open(engine.Options{Plugins: o.plugins()})
	if err != nil {
		t.Fatal(err)
	}
	job := submit(t, eng, oddJob, engine.SubmitOptions{})
	eventually(t, "the job runs", func() bool { return o.splits.Load() > 0 && job.Info().State == engine.Running })
	if got := stop(t, eng, job, engine.StopOptions{}); got != engine.Canceled {
		t.Errorf("state = %s, want CANCELED", got)
	}
	if closed.Load() {
		t.Error("the source was closed under a call of its reader")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := eng.Close(ctx); err == nil || !strings.Contains(err.Error(), "connectors have not returned") {
		t.Errorf("close = %v, want an error that says what was left behind", err)
	}
	close(release)
}

func TestStuckConnectorThatComesBack(t *testing.T) {
	release := make(chan struct{})
	var closed atomic.Bool
	o := &odd{read: func(context.Context) error { <-release; return nil }, close: func() { closed.Store(true) }}
	eng := open(t, engine.Options{Plugins: o.plugins()})
	job := submit(t, eng, oddJob, engine.SubmitOptions{})
	eventually(t, "the job runs", func() bool { return o.splits.Load() > 0 && job.Info().State == engine.Running })
	stop(t, eng, job, engine.StopOptions{})
	close(release)
	eventually(t, "the source is closed", closed.Load)
}

func TestPanicsFailTheJobOnly(t *testing.T) {
	panics := func(context.Context) error { panic("out of cheese") }
	o := &odd{tables: panics}
	eng := open(t, engine.Options{Plugins: o.plugins()})
	for name, use := range map[string]func() error{
		"submit":  func() error { _, err := eng.Submit(t.Context(), []byte(oddJob), engine.SubmitOptions{}); return err },
		"explain": func() error { _, err := eng.Explain(t.Context(), []byte(oddJob), engine.SubmitOptions{}); return err },
	} {
		if err := use(); err == nil || !strings.Contains(err.Error(), "out of cheese") {
			t.Errorf("%s = %v, want the panic as an error", name, err)
		}
	}
	o.tables, o.next = nil, panics
	if _, err := eng.Explain(t.Context(), []byte(oddJob), engine.SubmitOptions{}); err == nil {
		t.Error("the splitter's panic was lost")
	}
	o.next, o.close = nil, func() { panic("out of cheese") }
	wait(t, submit(t, eng, oddJob, engine.SubmitOptions{}))
}

func TestExplainDoesNotWaitForSplitsThatMayCome(t *testing.T) {
	o := &odd{next: func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }}
	eng := open(t, engine.Options{Plugins: o.plugins()})
	x, err := eng.Explain(t.Context(), []byte(oddJob), engine.SubmitOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if s := x.Splits[0]; len(s.IDs) != 1 || !s.More {
		t.Errorf("splits = %+v, want one and more", s)
	}
}

func TestErrorsOfExplainHideSecrets(t *testing.T) {
	o := &odd{next: func(context.Context) error { return errors.New("login with sesame-open failed") }}
	eng := open(t, engine.Options{Plugins: o.plugins()})
	_, err := eng.Explain(t.Context(), []byte(oddJob), engine.SubmitOptions{})
	if err == nil || strings.Contains(err.Error(), "sesame") {
		t.Errorf("explain = %v", err)
	}
}

func TestCloseEndsSubmit(t *testing.T) {
	inTables := make(chan struct{})
	o := &odd{tables: func(ctx context.Context) error { close(inTables); <-ctx.Done(); return ctx.Err() }}
	eng, err := engine.Open(engine.Options{Plugins: o.plugins()})
	if err != nil {
		t.Fatal(err)
	}
	submitted := make(chan error)
	go func() {
		_, err := eng.Submit(t.Context(), []byte(oddJob), engine.SubmitOptions{})
		submitted <- err
	}()
	<-inTables
	closeEngine(t, eng)
	if err := <-submitted; !errors.Is(err, engine.ErrClosed) {
		t.Errorf("submit = %v, want ErrClosed", err)
	}
	for name, err := range map[string]error{
		"submit":  second(eng.Submit(t.Context(), []byte(oddJob), engine.SubmitOptions{})),
		"explain": second(eng.Explain(t.Context(), []byte(oddJob), engine.SubmitOptions{})),
	} {
		if !errors.Is(err, engine.ErrClosed) {
			t.Errorf("%s of a closed engine = %v, want ErrClosed", name, err)
		}
	}
}

func second[T any](_ T, err error) error { return err }

// TestCloseDuringSubmits checks that a job which Submit has taken is there at the next Open, whenever Close comes, and
// that one which it has refused is not.
func TestCloseDuringSubmits(t *testing.T) {
	for round := range 5 {
		dir := t.TempDir()
		eng, err := engine.Open(engine.Options{Dir: dir, Plugins: registry()})
		if err != nil {
			t.Fatal(err)
		}
		taken := make([]bool, 40)
		var wg sync.WaitGroup
		var done atomic.Int64
		for i := range taken {
			wg.Go(func() {
				_, err := eng.Submit(t.Context(), []byte(streamingJob), engine.SubmitOptions{ID: int64(i + 1)})
				taken[i] = err == nil
				done.Add(1)
				if err != nil && !errors.Is(err, engine.ErrClosed) {
					t.Error(err)
				}
			})
		}
		eventually(t, "some are submitted", func() bool { return done.Load() > int64(4*round) })
		closeEngine(t, eng)
		wg.Wait()
		eng = open(t, engine.Options{Dir: dir})
		for i, want := range taken {
			if _, err := eng.Job(t.Context(), int64(i+1)); (err == nil) != want {
				t.Errorf("job %d: taken %v, at the next open %v", i+1, want, err)
			}
		}
		closeEngine(t, eng)
	}
}

func TestASecondCloseWaitsForTheFirst(t *testing.T) {
	eng, err := engine.Open(engine.Options{Dir: t.TempDir(), Plugins: registry()})
	if err != nil {
		t.Fatal(err)
	}
	for range 5 {
		submit(t, eng, streamingJob, engine.SubmitOptions{})
	}
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			closeEngine(t, eng)
			if _, err := eng.Config(t.Context(), 1); err == nil || !strings.Contains(err.Error(), "closed") {
				t.Errorf("the store is open after Close: %v", err)
			}
		})
	}
	wg.Wait()
}

func TestWaitOfAnEndedJobAlwaysAnswers(t *testing.T) {
	eng := open(t, engine.Options{})
	job := submit(t, eng, batchJob, engine.SubmitOptions{})
	wait(t, job)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 50 {
		if result, err := job.Wait(ctx); err != nil || result.State != engine.Finished {
			t.Fatalf("wait = %v, %v", result, err)
		}
	}
}

func TestNoLogIsKept(t *testing.T) {
	eng := open(t, engine.Options{LogBytes: -1})
	job := submit(t, eng, batchJob, engine.SubmitOptions{})
	wait(t, job)
	if log, err := job.Log(t.Context()); err != nil || len(log) > 0 {
		t.Errorf("log = %q, %v", log, err)
	}
}

func TestHoconInBraces(t *testing.T) {
	eng := open(t, engine.Options{})
	wait(t, submit(t, eng, "{"+batchJob+"}", engine.SubmitOptions{}))
	if _, err := eng.Submit(t.Context(), []byte("{"+batchJob+"}"), engine.SubmitOptions{Format: engine.JSON}); err == nil {
		t.Error("strict JSON took HOCON")
	}
}

// TestCancelWhileAResumedJobWaits checks that a job whose source cannot be reached at Open can be canceled.
func TestCancelWhileAResumedJobWaits(t *testing.T) {
	for _, blocked := range []bool{false, true} {
		t.Run(fmt.Sprintf("blocked=%v", blocked), func(t *testing.T) {
			dir := t.TempDir()
			var down atomic.Bool
			asked := make(chan struct{}, 10)
			o := &odd{
				tables: func(ctx context.Context) error {
					if !down.Load() {
						return nil
					}
					asked <- struct{}{}
					if blocked {
						<-ctx.Done()
						return ctx.Err()
					}
					return errors.New("connection refused")
				},
				read: func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() },
			}
			eng, err := engine.Open(engine.Options{Dir: dir, Plugins: o.plugins()})
			if err != nil {
				t.Fatal(err)
			}
			job := submit(t, eng, strings.Replace(oddJob, "job.retry.times = 0", "job.retry.interval.seconds = 3600", 1),
				engine.SubmitOptions{})
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			if err := eng.Close(ctx); err != nil {
				t.Fatal(err)
			}
			down.Store(true)
			eng = open(t, engine.Options{Dir: dir, Plugins: o.plugins()})
			<-asked
			if job, err = eng.Job(t.Context(), job.ID()); err != nil {
				t.Fatal(err)
			}
			if got := stop(t, eng, job, engine.StopOptions{}); got != engine.Canceled {
				t.Errorf("state = %s, want CANCELED", got)
			}
		})
	}
}

func TestAJobWhosePluginIsGoneFailsAtOpen(t *testing.T) {
	dir := t.TempDir()
	eng, err := engine.Open(engine.Options{Dir: dir, Plugins: registry()})
	if err != nil {
		t.Fatal(err)
	}
	job := submit(t, eng, streamingJob, engine.SubmitOptions{})
	waitForRows(t, job, 10)
	closeEngine(t, eng)
	eng = open(t, engine.Options{Dir: dir, Plugins: (&odd{}).plugins()})
	if job, err = eng.Job(t.Context(), job.ID()); err != nil {
		t.Fatal(err)
	}
	if got := ended(t, job); got != engine.Failed || !strings.Contains(job.Info().Error, "FakeSource") {
		t.Errorf("state = %s, error %q; want FAILED for the missing FakeSource", got, job.Info().Error)
	}
	closeEngine(t, eng)
	eng = open(t, engine.Options{Dir: dir})
	again := submit(t, eng, streamingJob, engine.SubmitOptions{ID: job.ID(), FromSavepoint: true})
	waitForRows(t, again, rowsOf(job)+10) // its checkpoint was kept
	stop(t, eng, again, engine.StopOptions{})
}

func TestCloseWithManyJobs(t *testing.T) {
	dir := t.TempDir()
	eng, err := engine.Open(engine.Options{Dir: dir, Plugins: registry()})
	if err != nil {
		t.Fatal(err)
	}
	jobs := map[int64]int64{}
	for range 200 {
		job := submit(t, eng, streamingJob, engine.SubmitOptions{})
		jobs[job.ID()] = 0
	}
	closeEngine(t, eng)
	eng = open(t, engine.Options{Dir: dir})
	n := 0
	for info, err := range eng.List(t.Context(), engine.Active()) {
		if _, ok := jobs[info.ID]; !ok || err != nil {
			t.Errorf("job %d is active, %v", info.ID, err)
		}
		n++
	}
	if n != len(jobs) {
		t.Errorf("%d of %d jobs go on", n, len(jobs))
	}
}

func TestAnEndThatTheStoreDoesNotTake(t *testing.T) {
	release := make(chan struct{})
	reading := make(chan struct{})
	o := &odd{read: func(context.Context) error { close(reading); <-release; return nil }}
	eng := open(t, engine.Options{Dir: t.TempDir(), Plugins: o.plugins()})
	job := submit(t, eng, oddJob, engine.SubmitOptions{})
	<-reading
	if err := engine.CloseStore(eng); err != nil {
		t.Fatal(err)
	}
	close(release)
	wait(t, job)
	again, err := eng.Job(t.Context(), job.ID())
	if err != nil || again.Info().State != engine.Finished {
		t.Fatalf("job = %v, %v; want FINISHED", again, err)
	}
	if err := eng.Stop(t.Context(), job.ID(), engine.StopOptions{}); !errors.Is(err, engine.ErrJobEnded) {
		t.Errorf("stop = %v, want ErrJobEnded", err)
	}
}

func TestNegativeIDs(t *testing.T) {
	dir := t.TempDir()
	eng := open(t, engine.Options{Dir: dir})
	wait(t, submit(t, eng, batchJob, engine.SubmitOptions{ID: -5}))
	running := submit(t, eng, streamingJob, engine.SubmitOptions{ID: -6})
	waitForRows(t, running, 10)
	closeEngine(t, eng)
	eng = open(t, engine.Options{Dir: dir})
	var ids []int64
	for info, err := range eng.List(t.Context(), engine.Filter{}) {
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, info.ID)
	}
	if fmt.Sprint(ids) != "[-6 -5]" {
		t.Errorf("jobs = %v", ids)
	}
}

func TestResumeWithOtherParallelism(t *testing.T) {
	eng := open(t, engine.Options{Dir: t.TempDir()})
	job := submit(t, eng, streamingJob, engine.SubmitOptions{})
	for _, lanes := range []int{4, 1, 3} {
		waitForRows(t, job, rowsOf(job)+50)
		if got := stop(t, eng, job, engine.StopOptions{Savepoint: true}); got != engine.SavepointDone {
			t.Fatalf("state = %s", got)
		}
		text := fmt.Sprintf("env { parallelism = %d }\n%s", lanes, streamingJob)
		job = submit(t, eng, text, engine.SubmitOptions{ID: job.ID(), FromSavepoint: true})
	}
	stop(t, eng, job, engine.StopOptions{})
}

func TestHistoryAge(t *testing.T) {
	now := time.Now()
	eng := open(t, engine.Options{HistoryAge: time.Hour, Now: func() time.Time { return now }})
	job := submit(t, eng, batchJob, engine.SubmitOptions{})
	wait(t, job)
	engine.ExpireHistory(eng)
	if _, err := eng.Job(t.Context(), job.ID()); err != nil {
		t.Fatalf("the job went too early: %v", err)
	}
	now = now.Add(61 * time.Minute)
	engine.ExpireHistory(eng)
	if _, err := eng.Job(t.Context(), job.ID()); !errors.Is(err, engine.ErrJobNotFound) {
		t.Errorf("the job is still there: %v", err)
	}
	now = now.Add(-24 * time.Hour) // the clock goes back
	job = submit(t, eng, batchJob, engine.SubmitOptions{})
	wait(t, job)
	if result := wait(t, job); result.Duration < 0 {
		t.Errorf("duration = %s", result.Duration)
	}
}

func TestAnUnknownShadeIsPlaced(t *testing.T) {
	eng := open(t, engine.Options{})
	_, err := eng.Submit(t.Context(), []byte("env {\n shade.identifier = rot13\n}\n"+batchJob), engine.SubmitOptions{})
	if err == nil || !strings.HasPrefix(err.Error(), "2:") || !strings.Contains(err.Error(), "rot13") {
		t.Errorf("submit = %v, want an error in line 2", err)
	}
}
