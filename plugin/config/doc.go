// Package config holds what a job file says, as an ordered tree that knows lines and columns, and turns parts of it
// into option structs.
//
// A connector declares its options as one struct:
//
//	type Options struct {
//		Path   string        `opt:"path" required:"true" help:"File or directory to read."`
//		Format string        `opt:"file_format_type" required:"true" enum:"text,csv,json" help:"Format of the files."`
//		Size   int           `opt:"batch_size" default:"1000" min:"1" help:"Rows of one write."`
//		Wait   time.Duration `opt:"interval" unit:"ms" default:"500" help:"Pause between two reads."`
//		Key    string        `opt:"password,secret_key" secret:"true" help:"Password."`
//	}
//
// The first name of opt is the documented one, the others are accepted too. From the struct come decoding ([Decode]),
// checking with all problems at once ([Spec.Check]), masking ([Spec.Mask]), the list of secret keys ([Spec.Secrets]),
// the reference table ([Spec.Markdown]) and a JSON Schema ([Spec.JSONSchema]). A [Spec] is made once, by [SpecOf],
// which also refuses tags that would fail only when a job uses the option.
//
// Look-ups follow SeaTunnel: the exact key first, dots included, then the key split at its dots as a path into nested
// objects. Scalars are converted from their text, so 5 and "5" are the same number.
package config
