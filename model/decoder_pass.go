package model

import "tinygpt/model/kernel"

// span is the part of a sequence that a pass reads: positions from to to. Position i is in row
// row+i−from.
type span struct {
	sequence, from, to, row int
	unread                  int       // first rows that nothing is predicted from
	logProbs                []float32 // of the sequence's last tokens, see Input
}

// pass is the working memory of a pass through the layers, of n rows.
type pass struct {
	ids            []int32   // [n]
	x, y, attended []float32 // [n, D]
	qkv            []float32 // [n, 3·D]
	hidden         []float32 // [n, F]
	mean, rstd     []float32 // [n]
	cached         []kernel.CachedRows

	predictions
}

// resize sets the number of rows.
func (p *pass) resize(n int, c Config) {
	resize(&p.ids, n)
	for _, s := range []*[]float32{&p.x, &p.y, &p.attended} {
		resize(s, n*c.Width)
	}
	resize(&p.qkv, n*3*c.Width)
	resize(&p.hidden, n*c.Inner())
	resize(&p.mean, n)
	resize(&p.rstd, n)
}

// resize sets the length of s. If it has to grow, its contents are lost.
func resize[T any](s *[]T, n int) {
	if cap(*s) < n {
		*s = make([]T, n)
	}
	*s = (*s)[:n]
}

// forward reads the spans: it adds their keys and values to the caches, and computes the
// logits of sequences that have been read to their end, and log-probabilities.
func (d *Decoder) forward() {
	w, p := d.weights, &d.pass
	c := w.config
	last := d.spans[len(d.spans)-1]
	n := last.row + last.to - last.from
	p.resize(n, c)
	for _, s := range d.spans {
		copy(p.ids[s.row:], d.sequences[s.sequence].tokens[s.from:s.to])
	}
	kernel.Embedding(p.x, w.tokens, p.ids, c.Width)
	for _, s := range d.spans {
		rows := s.to - s.from
		kernel.EmbeddingAdd(p.x[s.row*c.Width:], w.positions[s.from*c.Width:], rows, rows, c.Width)
	}
	for i := range w.layers {
		d.trace.stream(p.x)
		n = d.layer(i, n)
	}
	d.trace.stream(p.x)
	for _, s := range d.spans {
		d.sequences[s.sequence].cached = s.to
	}
	d.predict()
}

// layer is a block of the model; see Graph.block. After the last layer only rows are left
// that something is predicted from; layer returns how many there are.
func (d *Decoder) layer(i, n int) (left int) {
	w, p := &d.weights.layers[i], &d.pass
	if d.weights.config.Arch == GPT2 {
		d.norm(p.y, p.x, w.norm1, n)
		n = d.attention(p.y, p.y, i, n)
		kernel.Add(p.x, p.x, p.y)
		d.norm(p.y, p.x, w.norm2, n)
		d.feedForward(p.y, p.y, w, n)
		kernel.Add(p.x, p.x, p.y)
		return n
	}
	n = d.attention(p.y, p.x, i, n)
	kernel.Add(p.x, p.x, p.y)
	d.norm(p.x, p.x, w.norm1, n)
	d.feedForward(p.y, p.x, w, n)
	kernel.Add(p.x, p.x, p.y)
	d.norm(p.x, p.x, w.norm2, n)
	return n
}

func (d *Decoder) norm(y, x []float32, w affine, n int) {
	d.weights.norm(y, x, w, d.pass.mean, d.pass.rstd, n)
}

// norm is LayerNorm of n rows; mean and rstd [n] are working memory.
func (w *Weights) norm(y, x []float32, by affine, mean, rstd []float32, n int) {
	kernel.LayerNorm(y, mean, rstd, x, by.gain, by.bias, n, w.config.Width, w.config.epsilon())
}

// attention sets y to the attention of x[n,D] in a layer, and returns how many rows are left:
// in the last layer it drops the unread ones, also from the stream.
func (d *Decoder) attention(y, x []float32, layer, n int) (left int) {
	w, p, c := &d.weights.layers[layer], &d.pass, d.weights.config
	w.qkv.apply(p.qkv, x, n)
	d.trace.attention(p.qkv)
	p.cached = p.cached[:0]
	last := layer == c.Layers-1
	for _, s := range d.spans {
		q := &d.sequences[s.sequence]
		rows := kernel.CachedRows{Keys: q.keys[layer], Values: q.values[layer], Capacity: q.capacity, Past: s.from, Rows: s.to - s.from}
		if last {
			rows.Unread = s.unread
		}
		p.cached = append(p.cached, rows)
	}
	kernel.CachedAttention(p.attended, p.qkv, p.cached, c.Heads, c.Width/c.Heads)
	if last {
		n = d.dropUnread()
	}
	w.attnOut.apply(y, p.attended, n)
	return n
}

// dropUnread moves the rows of the stream, and of what was attended to, that something is
// predicted from to the front, and returns their number.
func (d *Decoder) dropUnread() (rows int) {
	p, w := &d.pass, d.weights.config.Width
	for i := range d.spans {
		s := &d.spans[i]
		from, to := (s.row+s.unread)*w, (s.row+s.to-s.from)*w
		copy(p.x[rows*w:], p.x[from:to])
		copy(p.attended[rows*w:], p.attended[from:to])
		s.row = rows - s.unread
		rows += s.to - s.from - s.unread
	}
	p.resize(rows, d.weights.config)
	return rows
}

func (d *Decoder) feedForward(y, x []float32, w *layerWeights, n int) {
	p := &d.pass
	w.hidden.apply(p.hidden, x, n)
	activations[d.weights.config.Activation].Apply(p.hidden, p.hidden)
	w.out.apply(y, p.hidden, n)
}
