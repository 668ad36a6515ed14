package rest

import (
	"cmp"
	"runtime"
	"slices"
	"strconv"
	"strings"
)

// thread is a goroutine in the words of a JVM.
type thread struct {
	name  string
	id    int64
	state string
	stack string
}

func (h *handler) threadDump(c *call) error {
	threads := goroutines()
	return c.json(func(j *jsonText) {
		j.open('[')
		for _, t := range threads {
			j.open('{')
			j.member("threadName", t.name)
			j.numberMember("threadId", t.id)
			j.member("threadState", t.state)
			j.member("stackTrace", t.stack)
			j.close('}')
		}
		j.close(']')
	})
}

// runningThreads lists goroutines by name. A Go program has no class loaders.
func (h *handler) runningThreads(c *call) error {
	threads := goroutines()
	slices.SortStableFunc(threads, func(a, b thread) int { return cmp.Compare(a.name, b.name) })
	return c.json(func(j *jsonText) {
		j.open('[')
		for _, t := range threads {
			j.open('{')
			j.member("threadName", t.name)
			j.member("classLoader", "none")
			j.close('}')
		}
		j.close(']')
	})
}

// maxStacks bounds the text of all stacks.
const maxStacks = 32 << 20

// goroutines reads the stacks of all goroutines. Stacks show code and addresses, never values.
func goroutines() []thread {
	buf := make([]byte, 256<<10)
	n := runtime.Stack(buf, true)
	for n == len(buf) && len(buf) < maxStacks {
		buf = make([]byte, 2*len(buf))
		n = runtime.Stack(buf, true)
	}
	var threads []thread
	for text := range strings.SplitSeq(strings.TrimSpace(string(buf[:n])), "\n\n") {
		if t, ok := parseGoroutine(text); ok {
			threads = append(threads, t)
		}
	}
	return threads
}

// parseGoroutine reads "goroutine 7 [select, 3 minutes]:" and the lines below.
func parseGoroutine(text string) (t thread, ok bool) {
	head, stack, _ := strings.Cut(text, "\n")
	head, ok = strings.CutPrefix(head, "goroutine ")
	if !ok {
		return t, false
	}
	id, rest, _ := strings.Cut(head, " ")
	n, err := strconv.ParseInt(id, 10, 64)
	if err != nil {
		return t, false
	}
	_, state, _ := strings.Cut(rest, "[")
	state, _, _ = strings.Cut(state, "]")
	state, _, _ = strings.Cut(state, ",")
	return thread{name: entryOf(stack) + "-" + id, id: n, state: threadState(state), stack: stack}, true
}

// entryOf returns the function that a goroutine began with.
func entryOf(stack string) string {
	if _, created, ok := strings.Cut(stack, "created by "); ok {
		name, _, _ := strings.Cut(created, "\n")
		name, _, _ = strings.Cut(name, " in goroutine ")
		return name
	}
	return "main"
}

func threadState(state string) string {
	state = strings.TrimSuffix(state, " (scan)")
	switch state {
	case "running", "runnable", "syscall", "idle", "copystack", "preempted":
		return "RUNNABLE"
	case "sleep":
		return "TIMED_WAITING"
	case "sync.Mutex.Lock", "sync.RWMutex.Lock", "sync.RWMutex.RLock", "semacquire":
		return "BLOCKED"
	case "dead":
		return "TERMINATED"
	default:
		return "WAITING"
	}
}
