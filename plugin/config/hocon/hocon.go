// Package hocon reads job files: JSON and SeaTunnel's dialect of HOCON.
package hocon
