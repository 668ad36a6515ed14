// Package engine runs data-integration jobs inside a Go program.
//
// A host opens an [Engine] with the plugins it wants to link, submits job files in Apache SeaTunnel's job language,
// and waits for them, stops them, lists them or listens to their events:
//
//	reg := plugin.NewRegistry(fake.Plugins, console.Plugins)
//	eng, err := engine.Open(engine.Options{Dir: "data", Plugins: reg})
//	...
//	defer eng.Close(ctx)
//	job, err := eng.Submit(ctx, text, engine.SubmitOptions{})
//	result, err := job.Wait(ctx)
//
// # Life of a job
//
// Submit parses the text, checks every option of every block, opens the plugins and asks the sources for their tables;
// what is wrong comes back at once as a [*ConfigError]. Then the job is recorded in the store and started. From there
// its [State] follows SeaTunnel's: CREATED, SCHEDULED, RUNNING, then FINISHED, FAILED, CANCELED or SAVEPOINT_DONE. A
// state is recorded before the engine acts on it, so a crash of the process at any instruction leaves jobs that go on
// at the next Open where their last checkpoint was, or end as they were told to.
//
// # What is kept
//
// The store in Options.Dir holds the configs as they were submitted, the jobs' records, their last checkpoints and the
// history of ended jobs, which is bounded in age, number and bytes. Two engines in one process share nothing; two
// engines on one directory are refused.
package engine
