// Package postgrescdc is the Postgres-CDC source.
package postgrescdc
