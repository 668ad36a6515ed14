// Package jdbctest holds what the tests of all Jdbc dialects share, on the databases of package dbtest.
//
// A [Kit] makes sources and sinks of the plugins under test, drives them without an engine, and runs whole jobs. A
// [Suite] is what every dialect must do, told by what is different from one to the other; [Suite.Run] runs it.
package jdbctest
