package lzo

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/adler32"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
)

// samples are contents that reach every kind of instruction.
func samples() map[string][]byte {
	rnd := rand.New(rand.NewPCG(1, 2))
	noise := make([]byte, 300_000)
	for i := range noise {
		noise[i] = byte(rnd.Uint32())
	}
	words := make([]byte, 0, 300_000)
	for len(words) < 299_000 {
		words = fmt.Appendf(words, "%d,name-%d,%x\n", len(words), rnd.IntN(50), rnd.IntN(1<<20))
	}
	far := bytes.Clone(noise[:100_000])
	copy(far[60_000:], far[15_000:15_040])
	copy(far[90_000:], far[60_001:60_010])
	s := map[string][]byte{
		"empty": {}, "one": {'x'}, "short": []byte("abc"), "same": bytes.Repeat([]byte{7}, 100_000),
		"noise": noise, "words": words, "far": far, "period": bytes.Repeat([]byte("abcde"), 9000),
	}
	for _, n := range []int{2, 3, 4, 5, 17, 18, 19, 237, 238, 239, 240, 272, 273, 274, 528, 529} {
		s[fmt.Sprintf("literals-%d", n)] = noise[:n]
		s[fmt.Sprintf("match-%d", n)] = append(append(bytes.Clone(noise[:n]), noise[:n]...), noise[n:n+n%4]...)
	}
	return s
}

func TestBlockRoundTrip(t *testing.T) {
	var c Compressor
	for name, want := range samples() {
		packed := c.Compress([]byte("head"), want)
		got, err := Decompress([]byte("kept"), packed[4:], len(want))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if string(got[:4]) != "kept" || !bytes.Equal(got[4:], want) {
			t.Errorf("%s: content differs", name)
		}
	}
}

func TestCompressesText(t *testing.T) {
	var c Compressor
	words := samples()["words"]
	if n := len(c.Compress(nil, words)); n > len(words)*2/3 {
		t.Errorf("%d bytes of text became %d", len(words), n)
	}
}

func TestDecompressInstructions(t *testing.T) {
	long := strings.Repeat("x", 300)
	for _, tc := range []struct{ name, hex, want string }{
		{"first run", "14616263110000", "abc"},
		{"short match after a run", "1561626364" + "000c" + "110000", ""}, // before the block
		{"two byte match after few literals", "13" + "6162" + "0400" + "110000", "abab"},
		{"near match", "15" + "61626364" + "6000" + "110000", "abcddddd"},
		{"mid match", "15" + "61626364" + "210c00" + "110000", "abcdabc"},
		{"mid match with literal", "15" + "61626364" + "210d0065" + "110000", "abcdabce"},
		{"long mid match", "1278" + "20000c0000" + "110000", "x" + long[:255+31+12+2]},
	} {
		src, err := hex.DecodeString(tc.hex)
		if err != nil {
			t.Fatal(err)
		}
		got, err := Decompress(nil, src, 1000)
		switch {
		case tc.want == "" && !errors.Is(err, ErrCorrupt):
			t.Errorf("%s: error %v, want ErrCorrupt", tc.name, err)
		case tc.want != "" && (err != nil || string(got) != tc.want):
			t.Errorf("%s: %q, %v; want %q", tc.name, got, err, tc.want)
		}
	}
}

func TestDecompressDamaged(t *testing.T) {
	var c Compressor
	want := samples()["words"][:5000]
	packed := c.Compress(nil, want)
	for n := range packed {
		if _, err := Decompress(nil, packed[:n], len(want)); !errors.Is(err, ErrCorrupt) {
			t.Fatalf("cut at %d: error %v", n, err)
		}
	}
	if _, err := Decompress(nil, packed, len(want)-1); !errors.Is(err, ErrCorrupt) {
		t.Errorf("too long: error %v", err)
	}
	if _, err := Decompress(nil, append(packed, 0), len(want)); !errors.Is(err, ErrCorrupt) {
		t.Errorf("bytes behind the end: error %v", err)
	}
}

func TestContainerRoundTrip(t *testing.T) {
	for name, want := range samples() {
		var file bytes.Buffer
		w := NewWriter(&file)
		for part := want; len(part) > 0; {
			n := min(len(part), 77_777)
			if _, err := w.Write(part[:n]); err != nil {
				t.Fatal(err)
			}
			part = part[n:]
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(NewReader(&file))
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: %d bytes of %d, %v", name, len(got), len(want), err)
		}
	}
}

// container builds a file with the given flags, as the tool would.
func container(version uint16, flags uint32, blocks ...string) []byte {
	u32 := binary.BigEndian.AppendUint32
	h := binary.BigEndian.AppendUint16(nil, version)
	h = binary.BigEndian.AppendUint16(h, 0x2080)
	if version >= levelVersion {
		h = append(binary.BigEndian.AppendUint16(h, levelVersion), 3, 9)
	} else {
		h = append(h, 1)
	}
	h = u32(u32(u32(h, flags), 0o644), 12345)
	if version >= levelVersion {
		h = u32(h, 0)
	}
	h = append(h, 5)
	h = append(h, "a.csv"...)
	sum := adler32.Checksum(h)
	if flags&flagCRCHeader != 0 {
		sum = crc32.ChecksumIEEE(h)
	}
	b := u32(append([]byte(Magic), h...), sum)
	if flags&flagExtra != 0 {
		b = u32(append(u32(b, 3), "abc"...), 0)
	}
	var c Compressor
	for _, block := range blocks {
		packed := c.Compress(nil, []byte(block))
		b = u32(u32(b, uint32(len(block))), uint32(len(packed)))
		for _, f := range []struct {
			flag uint32
			sum  uint32
		}{
			{flagAdlerData, adler32.Checksum([]byte(block))}, {flagCRCData, crc32.ChecksumIEEE([]byte(block))},
			{flagAdlerPacked, adler32.Checksum(packed)}, {flagCRCPacked, crc32.ChecksumIEEE(packed)},
		} {
			if flags&f.flag != 0 {
				b = u32(b, f.sum)
			}
		}
		b = append(b, packed...)
	}
	return u32(b, 0)
}

func TestContainerVariants(t *testing.T) {
	one, two := strings.Repeat("hello ", 50), strings.Repeat("world ", 60)
	for _, version := range []uint16{0x0900, 0x1030, 0x1040} {
		for _, flags := range []uint32{0, flagAdlerData, flagCRCData | flagCRCPacked, flagAdlerPacked | flagExtra,
			flagCRCHeader | flagAdlerData | flagAdlerPacked} {
			file := container(version, flags, one, two)
			got, err := io.ReadAll(NewReader(bytes.NewReader(file)))
			if err != nil || string(got) != one+two {
				t.Errorf("version %#x, flags %#x: %q, %v", version, flags, got, err)
			}
			for n := range file {
				if _, err := io.ReadAll(NewReader(bytes.NewReader(file[:n]))); !errors.Is(err, io.ErrUnexpectedEOF) {
					t.Fatalf("cut at %d of %d: error %v", n, len(file), err)
				}
			}
		}
	}
}

func TestContainerDamaged(t *testing.T) {
	good := container(0x1030, flagAdlerData, strings.Repeat("hello ", 50))
	for _, tc := range []struct {
		name string
		at   int
		want error
	}{
		{"magic", 1, ErrCorrupt}, {"header", 35, ErrCorrupt}, {"content", len(good) - 10, ErrCorrupt},
	} {
		bad := bytes.Clone(good)
		bad[tc.at] ^= 0x10
		if _, err := io.ReadAll(NewReader(bytes.NewReader(bad))); !errors.Is(err, tc.want) {
			t.Errorf("%s: error %v, want %v", tc.name, err, tc.want)
		}
	}
	if _, err := io.ReadAll(NewReader(bytes.NewReader(container(0x1030, flagFilter)))); err == nil {
		t.Error("a filter was accepted")
	}
	if _, err := io.ReadAll(NewReader(strings.NewReader("id,name\n1,a\nand so on and on"))); !errors.Is(err, ErrCorrupt) {
		t.Errorf("no container: error %v", err)
	}
}

func FuzzDecompress(f *testing.F) {
	var c Compressor
	for _, s := range samples() {
		if len(s) < 2000 {
			f.Add(c.Compress(nil, s))
		}
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		if out, err := Decompress(nil, src, 1<<16); err == nil && len(out) > 1<<16 {
			t.Errorf("%d bytes", len(out))
		}
		var c Compressor
		got, err := Decompress(nil, c.Compress(nil, src), len(src))
		if err != nil || !bytes.Equal(got, src) {
			t.Errorf("round trip: %v", err)
		}
	})
}

func BenchmarkReader(b *testing.B) {
	var file bytes.Buffer
	w := NewWriter(&file)
	words := bytes.Repeat(samples()["words"], 10)
	w.Write(words)
	w.Close()
	b.SetBytes(int64(len(words)))
	for b.Loop() {
		if _, err := io.Copy(io.Discard, NewReader(bytes.NewReader(file.Bytes()))); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkWriter(b *testing.B) {
	words := samples()["words"]
	w := NewWriter(io.Discard)
	b.SetBytes(int64(len(words)))
	for b.Loop() {
		if _, err := w.Write(words); err != nil {
			b.Fatal(err)
		}
	}
}
