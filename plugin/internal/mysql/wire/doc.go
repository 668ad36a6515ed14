// Package wire is a small client of the protocol of MySQL and MariaDB, made for bulk data: rows of prepared statements
// come as the bytes that the server sent, to be decoded straight into columns, and LOAD DATA LOCAL sends bytes that are
// ready. Every command tells the number of warnings, without which a silent change of data could not be found.
//
// It knows what a connector needs: TLS, the usual ways to prove a password, statements with and without parameters.
// It does not know compression, Unix sockets, or several results of one statement.
//
// A connection belongs to one goroutine. Contexts work by [Conn.Watch]; one that ends leaves the connection unusable.
package wire
