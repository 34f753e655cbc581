package glove

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"os"

	"tinygpt/embedding/corpus"
	"tinygpt/model/kernel"
)

const (
	minClasses = 8         // of rows, and of columns: so many blocks are trained at the same time
	cellBytes  = 12        // size of a kernel.Cell
	maxInClass = 1<<16 - 1 // rows of a class, and columns
)

// cells is a matrix of co-occurrences, cut into blocks by the classes of row and column. Blocks
// that don't fit into memory go to a temporary file.
type cells struct {
	classes int
	memory  int             // bytes that all blocks together may take
	blocks  [][]kernel.Cell // [classes·classes]: cells to train on that aren't in the file
	sizes   []int           // [classes·classes]: cells to train on, in the file or not
	held    int             // cells in blocks
	heldOut [][]kernel.Cell // [classes·classes]: cells to evaluate on only
	sample  [][]kernel.Cell // [classes·classes]: copies of some cells that are trained on
	file    *os.File        // nil while all is in memory
	end     int64           // of the file, in bytes
	extents [][]extent      // [classes·classes]: where a block is in the file
	buffer  []byte
}

// extent is where some cells of a block are in the file.
type extent struct {
	at    int64
	cells int
}

func newCells(words, memory int) *cells {
	p := minClasses
	for (words+p-1)/p > maxInClass {
		p *= 2
	}
	return &cells{classes: p, memory: memory, blocks: make([][]kernel.Cell, p*p), sizes: make([]int, p*p),
		heldOut: make([][]kernel.Cell, p*p), sample: make([][]kernel.Cell, p*p), extents: make([][]extent, p*p)}
}

// add adds a cell: to those held out, or to those trained on and, if sampled, to their sample.
func (c *cells) add(row, column int, x kernel.Cell, heldOut, sampled bool) error {
	b := row%c.classes*c.classes + column%c.classes
	x.I, x.J = uint16(row/c.classes), uint16(column/c.classes)
	if heldOut {
		c.heldOut[b] = append(c.heldOut[b], x)
		return nil
	}
	if sampled {
		c.sample[b] = append(c.sample[b], x)
	}
	c.blocks[b] = append(c.blocks[b], x)
	c.sizes[b]++
	if c.held++; c.held*cellBytes > c.memory {
		return c.spill()
	}
	return nil
}

// spill moves the blocks in memory to the file.
func (c *cells) spill() (err error) {
	if c.file == nil {
		if c.file, err = os.CreateTemp("", "cooccurrences-*"); err != nil {
			return err
		}
	}
	for b, list := range c.blocks {
		if len(list) == 0 {
			continue
		}
		c.buffer = c.buffer[:0]
		for _, x := range list {
			c.buffer = binary.LittleEndian.AppendUint16(c.buffer, x.I)
			c.buffer = binary.LittleEndian.AppendUint16(c.buffer, x.J)
			c.buffer = binary.LittleEndian.AppendUint32(c.buffer, math.Float32bits(x.F))
			c.buffer = binary.LittleEndian.AppendUint32(c.buffer, math.Float32bits(x.Log))
		}
		if _, err := c.file.WriteAt(c.buffer, c.end); err != nil {
			return fmt.Errorf("%s, which holds co-occurrences beyond vectors.memory_mb: %w", c.file.Name(), err)
		}
		c.extents[b] = append(c.extents[b], extent{c.end, len(list)})
		c.end += int64(len(c.buffer))
		c.blocks[b] = list[:0]
	}
	c.held = 0
	return nil
}

// complete is called after the last add. Then all blocks are in memory, shuffled, or all of
// them are in the file.
func (c *cells) complete(seed uint64) error {
	if c.file != nil {
		c.buffer = nil
		err := c.spill()
		clear(c.blocks)
		return err
	}
	kernel.Each(len(c.blocks), func(b int) { shuffle(c.blocks[b], seed, b) })
	return nil
}

// load returns block b in the order of training. A block from the file is read into list.
func (c *cells) load(b int, list []kernel.Cell, seed uint64) ([]kernel.Cell, error) {
	if c.file == nil {
		return c.blocks[b], nil
	}
	list = list[:0]
	for _, e := range c.extents[b] {
		raw := make([]byte, e.cells*cellBytes)
		if _, err := c.file.ReadAt(raw, e.at); err != nil && err != io.EOF {
			return nil, fmt.Errorf("%s, which holds co-occurrences: %w", c.file.Name(), err)
		}
		for ; len(raw) > 0; raw = raw[cellBytes:] {
			list = append(list, kernel.Cell{
				I: binary.LittleEndian.Uint16(raw), J: binary.LittleEndian.Uint16(raw[2:]),
				F: math.Float32frombits(binary.LittleEndian.Uint32(raw[4:])), Log: math.Float32frombits(binary.LittleEndian.Uint32(raw[8:])),
			})
		}
	}
	shuffle(list, seed, b)
	return list, nil
}

// shuffle brings a block into a random order that depends on the seed and its number alone.
func shuffle(list []kernel.Cell, seed uint64, block int) {
	r := corpus.NewRandom(seed, shuffleDraws, uint64(block))
	for n := len(list) - 1; n > 0; n-- {
		m := r.Below(n + 1)
		list[n], list[m] = list[m], list[n]
	}
}

// close removes the file.
func (c *cells) close() {
	if c.file != nil {
		c.file.Close()
		os.Remove(c.file.Name())
		c.file = nil
	}
}
