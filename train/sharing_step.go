package train

import (
	"time"

	"gorgonia.org/tensor"

	"tinygpt/model/kernel"
)

// begin makes ready for the gradients of a step.
func (s *sharing) begin() {
	s.sent, s.waited = 0, 0
	for _, b := range s.buckets {
		b.missing = len(b.numbers)
	}
}

// ready takes the gradient of the last part that a parameter gets in this process.
func (t *Trainer) ready(grad *tensor.Dense) {
	i, ok := t.sharing.number[grad]
	if !ok {
		return
	}
	t.taken[grad] = true
	_, g := t.sharing.parameters[i].Trained()
	x, y := t.tree.add(t.tree.parts-1, t.sharing.inPhase[i], g)
	t.sharing.put(i, x, y)
}

// put writes the gradient of a parameter, which is the sum x + y, or x if y is nil, into
// its bucket, and sends the buckets that are full, in their order.
func (s *sharing) put(number int, x, y []float32) {
	b := s.bucketOf[number]
	j := b.numbers[0] - number
	for r, to := range b.place[j] {
		if to.len() == 0 {
			continue
		}
		from := s.bounds(len(x), s.position[number], r)
		if y == nil {
			kernel.Copy(b.data[to.from:to.to], x[from.from:from.to])
		} else {
			kernel.Add(b.data[to.from:to.to], x[from.from:from.to], y[from.from:from.to])
		}
	}
	b.missing--
	for s.sent < len(s.buckets) && s.buckets[s.sent].missing == 0 {
		b := s.buckets[s.sent]
		b.wait = s.peers.Scatter(b.data, b.lengths, b.received, b.in)
		s.sent++
	}
}

// receive waits for the gradients, and adds up those of this process' pieces.
func (s *sharing) receive() error {
	size := s.peers.Size()
	pieces := make([][]float32, size)
	for _, b := range s.buckets {
		if err := s.waiting(b.wait); err != nil {
			return err
		}
		n := b.in[0]
		for r := range pieces {
			pieces[r] = b.received[r*n : (r+1)*n]
		}
		if n > 0 {
			addUp(pieces)
		}
	}
	return nil
}

// waiting calls wait and counts the time it takes.
func (s *sharing) waiting(wait func() error) error {
	start := time.Now()
	err := wait()
	s.waited += time.Since(start)
	return err
}

// agree tells all processes the squares of the gradient's blocks, of which each has those
// of its pieces; the losses of the batches, of which each has its own and 0 for the others;
// and whether one of them is to stop. norm2 is the square of the gradient's norm.
func (s *sharing) agree(losses []float64, stop bool) (norm2 float64, stopped bool, err error) {
	var grads [][]float32
	blocks := 0
	for _, o := range s.own {
		grads = append(grads, o.parameter.Grad.Float32s())
		blocks += (o.at.len() + kernel.SquareBlock - 1) / kernel.SquareBlock
	}
	own := make([]float64, blocks)
	kernel.SquareSums(own, grads...)
	clear(s.squares)
	for _, o := range s.own {
		n := (o.at.len() + kernel.SquareBlock - 1) / kernel.SquareBlock
		copy(s.squares[s.firstBlock[o.number]+o.at.from/kernel.SquareBlock:], own[:n])
		own = own[n:]
	}
	s.numbers = append(append(s.numbers[:0], s.squares...), losses...)
	s.numbers = append(s.numbers, 0)
	flag := &s.numbers[len(s.numbers)-1]
	if stop {
		*flag = 1
	}
	if err := s.waiting(func() error { return s.peers.Sum(s.numbers) }); err != nil {
		return 0, false, err
	}
	for _, x := range s.numbers[:s.blocks] {
		norm2 += x
	}
	copy(losses, s.numbers[s.blocks:])
	return norm2, *flag > 0, nil
}

// update updates this process' pieces and sends them to all, those first that the next
// forward pass reads first.
func (s *sharing) update(u Update) error {
	s.optimiser.Update(s.groups, u)
	rank := s.peers.Rank()
	for i := len(s.buckets) - 1; i >= 0; i-- {
		b := s.buckets[i]
		s.values(b, func(r int, sent, values []float32) {
			if r == rank {
				kernel.Copy(sent, values)
			}
		})
		b.wait = s.peers.Gather(b.data, b.lengths)
	}
	for i := len(s.buckets) - 1; i >= 0; i-- {
		b := s.buckets[i]
		if err := s.waiting(b.wait); err != nil {
			return err
		}
		s.values(b, func(r int, sent, values []float32) {
			if r != rank {
				kernel.Copy(values, sent)
			}
		})
	}
	return nil
}

// values calls f for each process' piece of each parameter of a bucket, with its places in
// the bucket and in the parameter.
func (s *sharing) values(b *bucket, f func(r int, sent, values []float32)) {
	for j, i := range b.numbers {
		value, _ := s.parameters[i].Trained()
		for r, in := range b.place[j] {
			at := s.bounds(len(value), s.position[i], r)
			f(r, b.data[in.from:in.to], value[at.from:at.to])
		}
	}
}
