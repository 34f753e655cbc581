package train

import (
	"bytes"
	"encoding/gob"
	"errors"
	"fmt"
	"math"
	"strconv"
	"unsafe"

	"tinygpt/internal/suggest"
)

// Peers are the processes that train one model together, each with a copy of the weights.
// All of them call the same methods in the same order; what a method is called with may
// differ between them where that is said.
type Peers interface {
	// Rank is the number of this process, from 0, and Size how many there are.
	Rank() int
	Size() int
	// Floats returns n zeros in memory that Scatter and Gather can send from and receive
	// into. It lives as long as the process.
	Floats(n int) []float32
	// Scatter begins to send process r the numbers that are r's of sent, which has out[r]
	// for each r, one after another; and to receive those that process r has for this one
	// into received, in[r] for each r. wait returns when both are done. Until then neither
	// may be touched.
	Scatter(sent []float32, out []int, received []float32, in []int) (wait func() error)
	// Gather begins to send the numbers that are this process' of all, which has
	// lengths[r] for each process r, one after another, to every other process, and to
	// receive theirs. wait is as for Scatter.
	Gather(all []float32, lengths []int) (wait func() error)
	// Sum adds up x over all processes. Of each number all processes but one have 0, so
	// that the sum is exact.
	Sum(x []float64) error
	// Broadcast makes x on each process what it is on process 0.
	Broadcast(x []byte) error
}

// Agreed says whether every process of a shared training has returned the same error, such
// as ErrInterrupted or a loss that isn't finite. After any other error the other processes
// are still at work.
func Agreed(err error) bool {
	var a agreed
	return errors.Is(err, ErrInterrupted) || errors.As(err, &a)
}

type agreed struct{ error }

func (a agreed) Unwrap() error { return a.error }

// Send gives the other processes v, as gob writes it; they call Receive. Only process 0
// may send.
func Send(p Peers, v any) error {
	var b bytes.Buffer
	if err := gob.NewEncoder(&b).Encode(v); err != nil {
		return err
	}
	size := []int64{int64(b.Len())}
	return errors.Join(p.Broadcast(Bytes(size)), p.Broadcast(b.Bytes()))
}

// Receive decodes what process 0 sends into v, a pointer.
func Receive(p Peers, v any) error {
	size := []int64{0}
	if err := p.Broadcast(Bytes(size)); err != nil {
		return err
	}
	text := make([]byte, size[0])
	if err := p.Broadcast(text); err != nil {
		return err
	}
	return gob.NewDecoder(bytes.NewReader(text)).Decode(v)
}

// Bytes returns the memory of x.
func Bytes[T float32 | int32 | int64](x []T) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(x))), len(x)*int(unsafe.Sizeof(*new(T))))
}

// ExchangeTexts returns the text of each process.
func ExchangeTexts(p Peers, text string) ([]string, error) {
	lengths := make([]float64, p.Size())
	lengths[p.Rank()] = float64(len(text))
	if err := p.Sum(lengths); err != nil {
		return nil, err
	}
	all, from := []float64{}, 0
	for r, n := range lengths {
		if r == p.Rank() {
			from = len(all)
		}
		all = append(all, make([]float64, int(n))...)
	}
	for i, b := range []byte(text) {
		all[from+i] = float64(b)
	}
	if err := p.Sum(all); err != nil {
		return nil, err
	}
	texts := make([]string, p.Size())
	for r, n := range lengths {
		b := make([]byte, int(n))
		for i := range b {
			b[i] = byte(all[i])
		}
		texts[r], all = string(b), all[len(b):]
	}
	return texts, nil
}

// parts is the number of parts of a step; see Config.GradientParts.
func (c Config) parts() int { return max(1, c.GradientParts) }

// CheckPeers returns an error unless that many processes can share a step: each has equally
// many parts, and their sums are whole branches of the tree that adds up all parts.
func (c Config) CheckPeers(processes int) error {
	each := c.parts() / processes
	if processes == 1 || c.parts()%processes == 0 && each&(each-1) == 0 {
		return nil
	}
	can := []string{"1"}
	for n := 2; n <= c.parts(); n++ {
		if each := c.parts() / n; c.parts()%n == 0 && each&(each-1) == 0 {
			can = append(can, strconv.Itoa(n))
		}
	}
	return fmt.Errorf("%d processes can't share a step of %d parts (train.gradient_parts): start %s", processes, c.parts(), suggest.List(can))
}

// ForPeers returns c for a new run that is shared by that many processes. If c leaves
// gradient_parts open it becomes the number of processes, and batches are divided if they
// are too few for that; note says so.
func (c Config) ForPeers(processes int) (_ Config, note string, err error) {
	if processes == 1 || c.GradientParts > 0 {
		return c, "", c.CheckPeers(processes)
	}
	c.GradientParts = processes
	before, accumulation := c.BatchSize, c.GradientAccumulationSteps
	if accumulation%processes == 0 {
		return c, "", nil
	}
	all := before * accumulation
	for n := accumulation + 1; n <= all; n++ {
		if n%processes == 0 && all%n == 0 && before%(all/n) == 0 {
			c.BatchSize, c.GradientAccumulationSteps = all/n, n
			return c, fmt.Sprintf("train.batch_size is %d instead of %d, and train.gradient_accumulation_steps %d instead of %d: so %d processes share the same %d sequences of a step", c.BatchSize, before, n, accumulation, processes, all), nil
		}
	}
	return c, "", fmt.Errorf("%d processes can't share the %d sequences of a step evenly (train.batch_size %d · train.gradient_accumulation_steps %d): for instance --set train.batch_size=%d --set train.gradient_accumulation_steps=%d",
		processes, all, before, accumulation, max(1, int(math.Round(float64(all)/float64(processes)))), processes)
}
