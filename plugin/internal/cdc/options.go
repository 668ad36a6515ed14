package cdc

import "github.com/culvertdata/culvert/plugin/jdbc"

// ChunkOptions are options of all sources, part of their own, that say how the snapshot is cut.
type ChunkOptions struct {
	EvenUpper       float64 `opt:"chunk-key.even-distribution.factor.upper-bound" default:"100" min:"0" help:"Up to this many key values for each row, integer keys are cut by equal steps."`
	EvenLower       float64 `opt:"chunk-key.even-distribution.factor.lower-bound" default:"0.05" min:"0" help:"From this many key values for each row on, integer keys are cut by equal steps."`
	SampleThreshold int     `opt:"sample-sharding.threshold" default:"1000" help:"Accepted; boundaries are looked up."`
	SampleRate      int     `opt:"inverse-sampling.rate" default:"1000" help:"Accepted; boundaries are looked up."`
}

// Cutting returns the options of a [Cutter] whose chunks have a number of rows; 0 lets the table's size decide.
func (o ChunkOptions) Cutting(rows int64) jdbc.SourceOptions {
	return jdbc.SourceOptions{SplitSize: rows, EvenUpper: o.EvenUpper, EvenLower: o.EvenLower}
}
