// Package dbtest is what tests that need database servers share.
//
// A server for tests is one that a script in .ci/services starts; the script prints variables that say where it is. A
// [Database] is what one test has for itself on it, made by [MariaDB] or [Postgres]. A [Service] is a server that one
// test has for itself and may kill. A [Child] is a process that runs a job and may be killed; the package's TestMain
// calls [Main] for it. [Eventually] and [Until] wait, since tests never sleep for a result.
package dbtest
