package main

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"time"
)

// writeOrders writes rows made-up orders, the same ones each time.
func writeOrders(path string, rows int64) (err error) {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() {
		if closed := f.Close(); err == nil {
			err = closed
		}
	}()
	w := bufio.NewWriterSize(f, 1<<20)
	fmt.Fprintln(w, "id,customer,country,items,price,rating,ordered_at,internal_note")
	countries := []string{"DE", "FR", "IT", "NL", "PL", "PT", "SE"}
	random := rand.New(rand.NewPCG(1, 2))
	day := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	line := make([]byte, 0, 128)
	for id := int64(1); id <= rows; id++ {
		ordered := day.Add(time.Duration(id) * 20 * time.Second)
		line = fmt.Appendf(line[:0], "%d,customer-%06d,%s,%d,%d.%02d,%.1f,%s,note %d\n", id, random.IntN(200_000),
			countries[random.IntN(len(countries))], 1+random.IntN(9), 1+random.IntN(500), random.IntN(100),
			1+4*random.Float64(), ordered.Format(time.DateTime), id%97)
		if _, err := w.Write(line); err != nil {
			return err
		}
	}
	return w.Flush()
}
