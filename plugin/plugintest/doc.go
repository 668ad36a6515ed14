// Package plugintest is the suite that every connector passes. It needs no engine: a small driver plays one.
//
// [Source] reads a source in several ways: in one lane and in many, with splits in another order, with a restart after
// every few rows, with a stop in the middle. Each way must give the same rows, none lost and none twice. [Sink] writes
// rows of every type, their extremes and nulls, reads them back, and checks what must hold around flushes, commits,
// aborts and restarts for the delivery that the sink declares.
//
// Both check that batches are well formed, that memory and goroutines are given back, that a cancel ends every call
// within a second, and that secrets stay out of errors and logs.
//
//	func TestConformance(t *testing.T) {
//		plugintest.Source(t, plugintest.SourceCase{
//			Plugin:  fake.Source(),
//			Options: plugintest.Options("row.num", 100),
//		})
//	}
package plugintest
