package train

import (
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"slices"
	"time"

	"gorgonia.org/tensor"

	"tinygpt/model"
	"tinygpt/model/kernel"
	"tinygpt/model/safetensors"
)

// sharing is how a trainer shares its steps with its peers. Each process computes the
// gradients of some parts of a step, and owns a piece of each parameter (as in ZeRO-1,
// Rajbhandari et al. 2020, section 5.1), or all of some parameters that the optimiser can't
// divide: it gets that piece of every process' gradient, adds them up in the order of the
// parts, updates the piece with the optimiser's state, which it alone has, and sends it to
// all. Gradients are sent in buckets while the backward pass goes on.
type sharing struct {
	peers     Peers
	optimiser Optimiser // its parameters are pieces, named as the parameters they are of
	owners    []int     // of each parameter of the model that isn't divided; else divided
	pieces    map[*model.Parameter]span
	layouts   map[int]*layout // by phase
	*layout                   // of the present phase

	numbers []float64 // what all processes learn of a step: squares, losses, whether to stop
	waited  time.Duration
	// transfer is memory for sending one piece after another.
	transfer [2][]float32
}

// span is a part of a slice.
type span struct{ from, to int }

func (s span) len() int { return s.to - s.from }

const divided = -1

// shareOut returns the owners of the parameters that the optimiser doesn't divide. Each goes
// to the process that has the fewest elements so far, so that the first layers, which a
// training in stages begins with, are shared evenly too.
func shareOut(params []*model.Parameter, o Optimiser, processes int) (owners []int) {
	elements := make([]int, processes)
	for _, p := range params {
		owner := divided
		if !o.Divides(p) {
			owner = slices.Index(elements, slices.Min(elements))
			elements[owner] += p.Value.Shape().TotalSize()
		}
		owners = append(owners, owner)
	}
	return owners
}

// bounds returns the piece of a process, of the n trained elements of the parameter with that
// number. Pieces begin at a block of kernel.SquareSums. The numbers of the processes
// rotate, so that small parameters aren't all the first one's.
func (s *sharing) bounds(n, number, rank int) span {
	if owner := s.owners[number]; owner == rank {
		return span{0, n}
	} else if owner != divided {
		return span{}
	}
	size := s.peers.Size()
	k, blocks := (rank+number)%size, (n+kernel.SquareBlock-1)/kernel.SquareBlock
	return span{min(blocks*k/size*kernel.SquareBlock, n), min(blocks*(k+1)/size*kernel.SquareBlock, n)}
}

// layout is where the gradients of a phase's parameters are in buckets.
type layout struct {
	parameters []*model.Parameter
	position   []int                 // of each in the whole model
	inPhase    []int                 // of each among all parameters of the phase's model
	number     map[*tensor.Dense]int // of parameters, by their gradients
	buckets    []*bucket             // the last parameters first, whose gradients are ready first
	bucketOf   []*bucket             // by parameter
	firstBlock []int                 // by parameter
	blocks     int                   // of all parameters
	own        []ownPiece
	squares    []float64
	groups     []Group
	sent       int // buckets that are on their way
}

// ownPiece is the piece of a parameter that this process updates.
type ownPiece struct {
	number    int
	parameter *model.Parameter
	at        span
}

// bucket is the gradients of some parameters that follow one another. After the update it
// is their values.
type bucket struct {
	numbers []int // of the parameters
	missing int   // gradients that aren't ready yet
	// data holds the pieces of process 0, of all parameters, then those of process 1, and
	// so on: lengths of them. received holds this process' pieces from each process.
	data, received []float32
	lengths, in    []int
	place          [][]span // by position in numbers and process: where a piece is in data
	wait           func() error
}

// bucketFloats is how many gradients are added up together, at least: 25 MiB of them, as in
// PyTorch's DistributedDataParallel.
const bucketFloats = 25 << 20 / 4

// newSharing gives every process the state and the weights of process 0, and its own
// pieces of the optimiser's state.
func (t *Trainer) newSharing() (*sharing, error) {
	p := t.Peers
	if err := t.Config.CheckPeers(p.Size()); err != nil {
		return nil, err
	}
	switch t.Objective.(type) {
	case Preparer, Stateful:
		return nil, errors.New("batches that depend on the weights can't be shared by several processes")
	}
	if p.Rank() == 0 {
		if err := Send(p, t.state); err != nil {
			return nil, err
		}
	} else if err := Receive(p, &t.state); err != nil {
		return nil, err
	}
	if err := BroadcastWeights(p, t.Model); err != nil {
		return nil, err
	}
	full, o := t.optimiser(), NewOptimiser(t.Config)
	if reflect.TypeOf(full) != reflect.TypeOf(o) {
		return nil, fmt.Errorf("several processes share the optimiser of the configuration, which is %T, not %T", o, full)
	}
	t.Optimiser = nil // process 0 keeps its pieces alone
	s := &sharing{
		peers: p, optimiser: o, owners: shareOut(t.Model.Parameters, o, p.Size()),
		pieces: map[*model.Parameter]span{}, layouts: map[int]*layout{},
	}
	longest := 0
	for i, q := range t.Model.Parameters {
		n := q.Value.Shape().TotalSize() - q.Frozen
		s.pieces[q] = s.bounds(n, i, p.Rank())
		longest = max(longest, n)
	}
	s.transfer = [2][]float32{p.Floats(longest), p.Floats(longest)}
	if t.state.Step == 0 {
		return s, nil
	}
	return s, s.moveState(t.Model, full, false)
}

// BroadcastWeights gives every process the weights of process 0.
func BroadcastWeights(p Peers, m *model.Model) error {
	for _, q := range m.Parameters {
		if err := p.Broadcast(Bytes(q.Value.Float32s())); err != nil {
			return err
		}
	}
	return nil
}

// piece returns a parameter that is the piece of p this process owns, without a gradient.
func (s *sharing) piece(p *model.Parameter) *model.Parameter {
	at := s.pieces[p]
	values := p.Value.Float32s()[p.Frozen:][at.from:at.to]
	if s.optimiser.Divides(p) {
		return &model.Parameter{Name: p.Name, Value: dense(values)}
	}
	shape := p.Value.Shape().Clone()
	if at.len() == 0 {
		shape[0] = 0
	}
	return &model.Parameter{Name: p.Name, Value: dense(values, shape...)}
}

// dense returns a tensor over x, of one dimension unless there is a shape.
func dense(x []float32, shape ...int) *tensor.Dense {
	if shape == nil {
		shape = []int{len(x)}
	}
	return tensor.New(tensor.WithShape(shape...), tensor.WithBacking(x))
}

// moveState moves the optimiser's state of each parameter between process 0, where full has
// it whole, and the owners of the pieces: collecting says to process 0.
func (s *sharing) moveState(m *model.Model, full Optimiser, collecting bool) error {
	rank, size := s.peers.Rank(), s.peers.Size()
	for i, p := range m.Parameters {
		n, own := p.Value.Shape().TotalSize()-p.Frozen, s.pieces[p]
		if n == 0 {
			continue
		}
		var whole []safetensors.Tensor
		if rank == 0 {
			whole = full.State(p)
		}
		lengths, mine := make([]int, size), make([]int, size)
		for r := range size {
			lengths[r] = s.bounds(n, i, r).len()
		}
		mine[0] = own.len()
		for k, tensor := range s.optimiser.State(s.piece(p)) {
			all, part := s.transfer[0][:0], s.transfer[1][:own.len()]
			if rank == 0 {
				all = s.transfer[0][:n]
			}
			each := func(f func(all, there []float32)) {
				for r, at := 0, 0; rank == 0 && r < size; r++ {
					b := s.bounds(n, i, r)
					f(all[at:at+b.len()], whole[k].Data.([]float32)[p.Frozen:][b.from:b.to])
					at += b.len()
				}
			}
			fromFirst := make([]int, size)
			if rank == 0 {
				fromFirst = lengths
			}
			var wait func() error
			if collecting {
				copy(part, tensor.Data.([]float32))
				wait = s.peers.Scatter(part, mine, all, fromFirst)
			} else {
				each(func(all, there []float32) { copy(all, there) })
				wait = s.peers.Scatter(all, fromFirst, part, mine)
			}
			if err := wait(); err != nil {
				return err
			}
			if collecting {
				each(func(all, there []float32) { copy(there, all) })
			} else {
				copy(tensor.Data.([]float32), part)
			}
		}
	}
	return nil
}

// enter makes the layout of a phase the present one. groups are the parameters of the
// phase.
func (s *sharing) enter(phase int, m *model.Model, all []*model.Parameter, groups []Group) {
	if s.layout = s.layouts[phase]; s.layout == nil {
		s.layout = s.newLayout(m, all)
		s.layouts[phase] = s.layout
	}
	byParameter := map[*model.Parameter]*model.Parameter{}
	for _, o := range s.own {
		byParameter[s.parameters[o.number]] = o.parameter
	}
	s.groups = nil
	for _, g := range groups {
		pieces := g
		pieces.Parameters = nil
		for _, p := range g.Parameters {
			if o := byParameter[p]; o != nil {
				pieces.Parameters = append(pieces.Parameters, o)
			}
		}
		s.groups = append(s.groups, pieces)
	}
}

// newLayout lays out the trained parameters of m, the model of a phase. all are those of
// the whole model.
func (s *sharing) newLayout(m *model.Model, all []*model.Parameter) *layout {
	l := &layout{number: map[*tensor.Dense]int{}}
	position := map[*model.Parameter]int{}
	for i, p := range all {
		position[p] = i
	}
	for i, p := range m.Parameters {
		_, grad := p.Trained()
		if grad == nil {
			continue
		}
		l.inPhase = append(l.inPhase, i)
		l.number[p.Grad] = len(l.parameters)
		l.parameters = append(l.parameters, p)
		l.position = append(l.position, position[p])
		l.firstBlock = append(l.firstBlock, l.blocks)
		l.blocks += (len(grad) + kernel.SquareBlock - 1) / kernel.SquareBlock
	}
	l.bucketOf = make([]*bucket, len(l.parameters))
	b, floats := &bucket{}, 0
	for i := len(l.parameters) - 1; i >= 0; i-- {
		_, grad := l.parameters[i].Trained()
		b.numbers, floats = append(b.numbers, i), floats+len(grad)
		l.bucketOf[i] = b
		if floats >= bucketFloats || i == 0 {
			s.fillIn(l, b)
			l.buckets = append(l.buckets, b)
			b, floats = &bucket{}, 0
		}
	}
	l.squares = make([]float64, l.blocks)
	return l
}

// fillIn gives a bucket its memory.
func (s *sharing) fillIn(l *layout, b *bucket) {
	rank, size := s.peers.Rank(), s.peers.Size()
	b.place = make([][]span, len(b.numbers))
	at := 0
	for r := range size {
		begin := at
		for j, i := range b.numbers {
			_, grad := l.parameters[i].Trained()
			n := s.bounds(len(grad), l.position[i], r).len()
			b.place[j] = append(b.place[j], span{at, at + n})
			at += n
		}
		b.lengths = append(b.lengths, at-begin)
	}
	b.data, b.received = s.peers.Floats(at), s.peers.Floats(size*b.lengths[rank])
	for range size {
		b.in = append(b.in, b.lengths[rank])
	}
	for j, i := range b.numbers {
		here := b.place[j][rank]
		if here.len() == 0 {
			continue
		}
		piece, first := s.piece(l.parameters[i]), b.place[0][rank].from
		piece.Grad = dense(b.received[here.from-first : here.to-first]) // where addUp leaves the sums
		l.own = append(l.own, ownPiece{i, piece, s.pieces[l.parameters[i]]})
	}
}

// saveShared collects the optimiser's state on process 0, which writes the checkpoint.
func (t *Trainer) saveShared() error {
	full := NewOptimiser(t.Config)
	if err := t.sharing.moveState(t.Model, full, true); err != nil || !t.first() {
		return err
	}
	var kept []safetensors.Tensor
	for _, p := range t.Model.Parameters {
		kept = append(kept, full.State(p)...)
	}
	return SaveCheckpoint(filepath.Join(t.Dir, LastCheckpoint), t.Model, t.state, kept...)
}
