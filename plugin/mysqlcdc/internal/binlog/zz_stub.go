package binlog
import "github.com/culvertdata/culvert/plugin"
func (d *Decoder) AppendImage(from Image, kind plugin.RowKind) error { return nil }
func (d *Decoder) Changed(columns []int) (bool, error) { return false, nil }
