// Package lzo reads and writes lzop files: the container of the lzop tool around LZO1X blocks, which is what
// compress_codec = lzo means for SeaTunnel's text, csv and json files.
//
// A block is a row of instructions. Each begins with a byte whose value says what it is: a run of literal bytes, or a
// match, which repeats bytes that were written before. The two low bits of a match say how many literals, 0 to 3,
// follow right after it; longer runs are an instruction of their own. Long lengths go on in further bytes, where each
// zero byte stands for 255. A match at distance 0x4000 and length 3 that would point nowhere ends the block.
package lzo

import "errors"

// ErrCorrupt says that a block or a container is damaged.
var ErrCorrupt = errors.New("lzo: damaged data")

// The longest distances of the three kinds of matches, and the end mark.
const (
	nearDistance = 0x0800
	midDistance  = 0x4000
	farDistance  = 0xbfff
	endMark      = 17
)
