package plugin

// Delivery is what a sink makes of rows that come again after a restart.
type Delivery uint8

// The deliveries, from weak to strong.
const (
	Repeats    Delivery = iota // rows written since the last checkpoint come twice
	Idempotent                 // keyed writes: a row that comes again replaces itself
	TwoPhase                   // staged writes become visible with the checkpoint
)

// Guarantee is what a source and a sink promise together.
type Guarantee uint8

// The guarantees, from weak to strong.
const (
	// BestEffort: a restart may lose or repeat rows, because the source cannot go back.
	BestEffort Guarantee = iota
	// AtLeastOnce: no row is lost; a restart may repeat some.
	AtLeastOnce
	// EffectivelyOnce: rows may be written again, with the same result.
	EffectivelyOnce
	// ExactlyOnce: each row becomes visible once.
	ExactlyOnce
)

// String returns the name in lower case, for example exactly-once.
func (g Guarantee) String() string {
	return [...]string{"best-effort", "at-least-once", "effectively-once", "exactly-once"}[g]
}

// GuaranteeOf computes the guarantee of a source that can or cannot go back to a position, and a sink.
func GuaranteeOf(replays bool, d Delivery) Guarantee {
	switch {
	case !replays:
		return BestEffort
	case d == TwoPhase:
		return ExactlyOnce
	case d == Idempotent:
		return EffectivelyOnce
	default:
		return AtLeastOnce
	}
}

// Deliverer is implemented by a [Sink] whose delivery depends on its options or on the tables' keys. Without it
// [Info.Delivery] holds.
type Deliverer interface {
	Delivery(tables []*Table) Delivery
}
