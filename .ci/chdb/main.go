// Command chdb serves the part of ClickHouse's HTTP interface that the tests need, on top of its engine as a library.
//
//	chdb libchdb.so data-directory 127.0.0.1:8123
//
// A statement comes as the body, or as the parameter query with rows as the body; other parameters are settings. The
// whole result is held in memory. Users and passwords are not looked at.
package main

import (
	"errors"
	"fmt"
	"io"
	"log"
	"maps"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"unsafe"

	"github.com/ebitengine/purego"
)

func main() {
	if len(os.Args) != 4 {
		log.Fatal("usage: chdb libchdb.so data-directory address")
	}
	e, err := open(os.Args[1], os.Args[2])
	if err != nil {
		log.Fatal(err)
	}
	log.Fatal(http.ListenAndServe(os.Args[3], e))
}

// engine is the library with its one connection, which runs one statement at a time.
type engine struct {
	mu   sync.Mutex
	conn *unsafe.Pointer

	query       func(c unsafe.Pointer, sql *byte, n uint64, format *byte, m uint64) unsafe.Pointer
	buffer      func(result unsafe.Pointer) *byte
	length      func(result unsafe.Pointer) uint64
	failure     func(result unsafe.Pointer) string
	free        func(result unsafe.Pointer)
	insert      func(c unsafe.Pointer, sql *byte, n uint64, format *byte, m uint64) unsafe.Pointer
	append      func(stream unsafe.Pointer, rows *byte, n uint64) int32
	finish      func(stream unsafe.Pointer) unsafe.Pointer
	streamError func(stream unsafe.Pointer) string
	freeStream  func(stream unsafe.Pointer)
}

func open(library, dir string) (*engine, error) {
	h, err := purego.Dlopen(library, purego.RTLD_NOW|purego.RTLD_GLOBAL)
	if err != nil {
		return nil, err
	}
	e := &engine{}
	var connect func(argc int32, argv **byte) *unsafe.Pointer
	var handleSignals func(int32)
	for name, f := range map[string]any{
		"chdb_connect": &connect, "chdb_set_signal_handlers_enabled": &handleSignals, "chdb_query_n": &e.query,
		"chdb_result_buffer": &e.buffer, "chdb_result_length": &e.length, "chdb_result_error": &e.failure,
		"chdb_destroy_query_result": &e.free, "chdb_stream_insert_n": &e.insert, "chdb_stream_append": &e.append,
		"chdb_stream_done": &e.finish, "chdb_stream_insert_error": &e.streamError,
		"chdb_destroy_insert_stream": &e.freeStream,
	} {
		purego.RegisterLibFunc(f, h, name)
	}
	handleSignals(0) // they are Go's
	program, path := []byte("clickhouse\x00"), []byte("--path="+dir+"\x00")
	argv := []*byte{&program[0], &path[0]}
	if e.conn = connect(2, &argv[0]); e.conn == nil {
		return nil, errors.New("the engine does not open " + dir)
	}
	return e, nil
}

var (
	insertInto = regexp.MustCompile(`(?is)^\s*(INSERT\s+INTO\s.*?)\s+FORMAT\s+(\w+)\s*;?\s*$`)
	code       = regexp.MustCompile(`Code: (\d+)`)
)

// ServeHTTP runs one statement.
func (e *engine) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, "Code: 33. DB::Exception: the body broke off", http.StatusBadRequest)
		return
	}
	parameters := r.URL.Query()
	sql := parameters.Get("query")
	if sql == "" && len(body) == 0 {
		fmt.Fprintln(w, "Ok.")
		return
	}
	out, err := e.run(sql, body, parameters)
	if err != nil {
		if m := code.FindStringSubmatch(err.Error()); m != nil {
			w.Header().Set("X-ClickHouse-Exception-Code", m[1])
		}
		w.WriteHeader(http.StatusInternalServerError)
		out = []byte(err.Error())
	}
	_, _ = w.Write(out) // a client that is gone needs no answer
}

// run returns before the result is sent: a client may take it slowly, and send other statements meanwhile.
func (e *engine) run(sql string, body []byte, parameters map[string][]string) ([]byte, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	defer e.reset(parameters)
	if err := e.prepare(parameters); err != nil {
		return nil, err
	}
	if sql == "" {
		return e.ask(string(body))
	}
	if m := insertInto.FindStringSubmatch(sql); m != nil {
		return nil, e.rows(m[1], m[2], body)
	}
	return e.ask(sql)
}

// prepare sets the database and settings of a request.
func (e *engine) prepare(parameters map[string][]string) error {
	for _, name := range slices.Sorted(maps.Keys(parameters)) {
		value := parameters[name][0]
		var err error
		switch name {
		case "query", "default_format":
		case "database":
			if _, err = e.ask("USE `" + value + "`"); err != nil && strings.Contains(err.Error(), "Code: 81") {
				_, err = e.ask("USE default") // the statement may be about to make it
			}
		default:
			_, err = e.ask("SET " + name + " = '" + strings.ReplaceAll(value, "'", `\'`) + "'")
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// reset takes the settings of a request back.
func (e *engine) reset(parameters map[string][]string) {
	for name := range parameters {
		switch name {
		case "query", "default_format", "database":
		default:
			_, _ = e.ask("SET " + name + " = DEFAULT") // an unknown one was refused before
		}
	}
}

func (e *engine) ask(sql string) ([]byte, error) {
	format := []byte("TabSeparated")
	text := []byte(sql)
	return e.result(e.query(*e.conn, &text[0], uint64(len(text)), &format[0], uint64(len(format))))
}

// result copies a result of the library and frees it.
func (e *engine) result(r unsafe.Pointer) ([]byte, error) {
	if r == nil {
		return nil, nil
	}
	defer e.free(r)
	if text := e.failure(r); text != "" {
		return nil, errors.New(text)
	}
	if n := e.length(r); n > 0 {
		return slices.Clone(unsafe.Slice(e.buffer(r), n)), nil
	}
	return nil, nil
}

// rows inserts rows in a format.
func (e *engine) rows(sql, format string, body []byte) error {
	s, f := []byte(sql), []byte(format)
	stream := e.insert(*e.conn, &s[0], uint64(len(s)), &f[0], uint64(len(f)))
	defer e.freeStream(stream)
	failed := func() error {
		if text := e.streamError(stream); text != "" {
			return errors.New(text)
		}
		return nil
	}
	if err := failed(); err != nil {
		return err
	}
	if len(body) > 0 && e.append(stream, &body[0], uint64(len(body))) != 0 {
		return errors.Join(errors.New("the rows were not taken"), failed())
	}
	_, err := e.result(e.finish(stream))
	return errors.Join(failed(), err)
}
