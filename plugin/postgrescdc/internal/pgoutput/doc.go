// Package pgoutput reads the messages of PostgreSQL's logical replication: the frames of the replication protocol, the
// messages that the output plugin pgoutput (protocol version 1) puts into them, and values in text form.
//
// Nothing is copied: messages, tuples and values point into the buffer that they were read from. What does not have the
// form that the protocol lays down is an error, never a panic.
package pgoutput
