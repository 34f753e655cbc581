package pytorch

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strings"

	"tinygpt/model/safetensors"
)

// machine follows a pickle's instructions (Python's pickletools.py documents them). Values are
// nil, bool, int64, float64, string, tuple, *list, *dict, global, *storage and *tensor. What it
// allocates is bounded by the bytes that it reads.
type machine struct {
	in    []byte
	at    int
	stack []any
	marks []int // lengths of the stack
	memo  map[uint32]any
}

type (
	tuple  []any
	list   struct{ items []any }
	dict   struct{ keys, values []any }
	global string // a Python object by its module and name
)

func (d *dict) get(key string) any {
	for i, k := range d.keys {
		if k == key {
			return d.values[i]
		}
	}
	return nil
}

// The Python objects that a dictionary of tensors needs.
const (
	orderedDict      global = "collections.OrderedDict"
	rebuildTensor    global = "torch._utils._rebuild_tensor_v2"
	rebuildParameter global = "torch._utils._rebuild_parameter"
)

// storages are PyTorch's kinds of memory.
var storages = map[global]safetensors.Dtype{
	"torch.FloatStorage": safetensors.F32, "torch.HalfStorage": safetensors.F16, "torch.BFloat16Storage": safetensors.BF16,
	"torch.DoubleStorage": safetensors.F64, "torch.LongStorage": safetensors.I64, "torch.IntStorage": safetensors.I32,
	"torch.ShortStorage": safetensors.I16, "torch.CharStorage": safetensors.I8, "torch.ByteStorage": safetensors.U8,
	"torch.BoolStorage": safetensors.Bool,
}

// refused are the names of instructions that aren't followed, for messages.
var refused = map[byte]string{
	'0': "POP", '1': "POP_MARK", '2': "DUP", 'F': "FLOAT", 'I': "INT", 'L': "LONG", 'P': "PERSID", 'S': "STRING", 'T': "BINSTRING", 'U': "SHORT_BINSTRING",
	'V': "UNICODE", 'd': "DICT", 'g': "GET", 'i': "INST", 'l': "LIST", 'o': "OBJ", 'p': "PUT", 'B': "BINBYTES", 'C': "SHORT_BINBYTES",
	0x81: "NEWOBJ", 0x82: "EXT1", 0x83: "EXT2", 0x84: "EXT4", 0x8b: "LONG4", 0x8d: "BINUNICODE8", 0x8e: "BINBYTES8", 0x8f: "EMPTY_SET",
	0x90: "ADDITEMS", 0x91: "FROZENSET", 0x92: "NEWOBJ_EX", 0x96: "BYTEARRAY8", 0x97: "NEXT_BUFFER", 0x98: "READONLY_BUFFER",
}

// dictionary runs a pickle that is a dictionary and nothing after it.
func (m *machine) dictionary() (*dict, error) {
	v, err := m.run()
	if err != nil {
		return nil, err
	}
	d, ok := v.(*dict)
	switch {
	case !ok:
		return nil, fmt.Errorf("it holds %s, expected a model's state_dict, a dictionary of tensors by name", kindOf(v))
	case m.at != len(m.in):
		return nil, fmt.Errorf("%d bytes after the pickle's end", len(m.in)-m.at)
	}
	return d, nil
}

// malformed is raised within run.
type malformed struct{ error }

func fail(format string, args ...any) { panic(malformed{fmt.Errorf(format, args...)}) }

// run follows the instructions up to the end and returns the value that is left.
func (m *machine) run() (v any, err error) {
	defer func() {
		if r := recover(); r != nil {
			bad, ok := r.(malformed)
			if !ok {
				panic(r)
			}
			err = fmt.Errorf("at byte %d: %w", m.at, bad.error)
		}
	}()
	m.memo = map[uint32]any{}
	for {
		code := m.bytes(1)[0]
		if code == '.' {
			v = m.pop()
			if len(m.stack) > 0 || len(m.marks) > 0 {
				fail("values are left over")
			}
			return v, nil
		}
		m.step(code)
	}
}

// step follows one instruction.
func (m *machine) step(code byte) {
	switch code {
	case 0x80: // PROTO
		if version := m.bytes(1)[0]; version > 5 {
			fail("pickle protocol %d: expected 2 to 5", version)
		}
	case 0x95: // FRAME
		m.bytes(8)
	case '(': // MARK
		m.marks = append(m.marks, len(m.stack))
	case '}': // EMPTY_DICT
		m.push(&dict{})
	case ']': // EMPTY_LIST
		m.push(&list{})
	case ')': // EMPTY_TUPLE
		m.push(tuple{})
	case 0x85, 0x86, 0x87: // TUPLE1 to TUPLE3
		m.push(tuple(m.popN(int(code - 0x84))))
	case 't': // TUPLE
		m.push(tuple(m.popMark()))
	case 'N': // NONE
		m.push(nil)
	case 0x88, 0x89: // NEWTRUE, NEWFALSE
		m.push(code == 0x88)
	case 'K': // BININT1
		m.push(int64(m.bytes(1)[0]))
	case 'M': // BININT2
		m.push(int64(binary.LittleEndian.Uint16(m.bytes(2))))
	case 'J': // BININT
		m.push(int64(int32(m.uint32())))
	case 0x8a: // LONG1
		m.push(m.long())
	case 'G': // BINFLOAT
		m.push(math.Float64frombits(binary.BigEndian.Uint64(m.bytes(8))))
	case 'X': // BINUNICODE
		m.push(string(m.bytes(int64(m.uint32()))))
	case 0x8c: // SHORT_BINUNICODE
		m.push(string(m.bytes(int64(m.bytes(1)[0]))))
	case 'q': // BINPUT
		m.memo[uint32(m.bytes(1)[0])] = m.top()
	case 'r': // LONG_BINPUT
		m.memo[m.uint32()] = m.top()
	case 0x94: // MEMOIZE
		m.memo[uint32(len(m.memo))] = m.top()
	case 'h': // BINGET
		m.push(m.recall(uint32(m.bytes(1)[0])))
	case 'j': // LONG_BINGET
		m.push(m.recall(m.uint32()))
	case 'a', 'e': // APPEND, APPENDS
		m.appendItems(code == 'e')
	case 's', 'u': // SETITEM, SETITEMS
		m.setItems(code == 'u')
	case 'c': // GLOBAL
		module := m.line()
		m.push(known(module, m.line()))
	case 0x93: // STACK_GLOBAL
		names := m.popN(2)
		module, ok := names[0].(string)
		name, ok2 := names[1].(string)
		if !ok || !ok2 {
			fail("a Python object without a name")
		}
		m.push(known(module, name))
	case 'Q': // BINPERSID
		m.push(m.storage(m.pop()))
	case 'R': // REDUCE
		m.reduce()
	case 'b': // BUILD
		m.build()
	default:
		name := refused[code]
		if name == "" {
			name = "that no pickle has"
		}
		fail("the instruction 0x%02x (%s) isn't followed: only dictionaries of tensors are read", code, name)
	}
}

// known returns the global of that name, if a dictionary of tensors needs it.
func known(module, name string) global {
	g := global(module + "." + name)
	if storages[g] == "" && g != orderedDict && g != rebuildTensor && g != rebuildParameter {
		fail("the file asks for the Python object %q: only tensors are read, nothing is executed", string(g))
	}
	return g
}

// storage reads what identifies a storage: ("storage", kind, key, device, count), in the older
// form with None after it.
func (m *machine) storage(id any) *storage {
	t, _ := id.(tuple)
	if len(t) == 6 && t[5] == nil {
		t = t[:5]
	}
	if len(t) != 5 || t[0] != "storage" {
		fail("a reference that isn't to a storage of its own")
	}
	kind, ok1 := t[1].(global)
	key, ok2 := t[2].(string)
	count, ok3 := t[4].(int64)
	dtype := storages[kind]
	if !ok1 || !ok2 || !ok3 || dtype == "" || count < 0 || count > math.MaxInt64/8 {
		fail("a storage without kind, key or size")
	}
	return &storage{dtype, key, count}
}

// reduce calls a Python function: of the known ones.
func (m *machine) reduce() {
	both := m.popN(2)
	f, isGlobal := both[0].(global)
	args, isTuple := both[1].(tuple)
	switch {
	case !isGlobal || !isTuple:
		fail("a call of %s", kindOf(both[0]))
	case f == orderedDict && len(args) == 0:
		m.push(&dict{})
	case f == rebuildParameter && len(args) > 0:
		t, ok := args[0].(*tensor)
		if !ok {
			fail("a parameter that is %s", kindOf(args[0]))
		}
		m.push(t)
	case f == rebuildTensor && len(args) >= 4:
		s, ok := args[0].(*storage)
		offset, ok2 := args[1].(int64)
		if !ok || !ok2 {
			fail("a tensor without a storage")
		}
		m.push(&tensor{s, offset, numbers(args[2]), numbers(args[3])})
	default:
		fail("a call of %s with %d arguments", string(f), len(args))
	}
}

// numbers returns a tuple's numbers: of a shape, which has few. A recalled tuple takes a few bytes
// of the pickle and its copy as many as it is long.
func numbers(v any) []int64 {
	t, ok := v.(tuple)
	switch {
	case !ok:
		fail("a shape that is %s", kindOf(v))
	case len(t) > mostDimensions:
		fail("a shape of %d dimensions", len(t))
	}
	list := make([]int64, len(t))
	for i, v := range t {
		if list[i], ok = v.(int64); !ok {
			fail("a size that is %s", kindOf(v))
		}
	}
	return list
}

// build would set a Python object's attributes. Dictionaries of PyTorch's have one with
// versions, which says nothing of the tensors.
func (m *machine) build() {
	m.pop()
	if _, ok := m.top().(*dict); !ok {
		fail("attributes for %s", kindOf(m.top()))
	}
}

func (m *machine) appendItems(many bool) {
	items := m.items(many, 1)
	l, ok := m.top().(*list)
	if !ok {
		fail("items for %s", kindOf(m.top()))
	}
	l.items = append(l.items, items...)
}

func (m *machine) setItems(many bool) {
	items := m.items(many, 2)
	d, ok := m.top().(*dict)
	if !ok || len(items)%2 != 0 {
		fail("entries for %s", kindOf(m.top()))
	}
	for i := 0; i < len(items); i += 2 {
		d.keys, d.values = append(d.keys, items[i]), append(d.values, items[i+1])
	}
}

// items are the values from the mark on, or else the last n.
func (m *machine) items(many bool, n int) []any {
	if many {
		return m.popMark()
	}
	return m.popN(n)
}

// bytes reads n bytes.
func (m *machine) bytes(n int64) []byte {
	if n > int64(len(m.in)-m.at) {
		panic(malformed{errors.New("the pickle ends too early")})
	}
	b := m.in[m.at : m.at+int(n)]
	m.at += int(n)
	return b
}

func (m *machine) uint32() uint32 { return binary.LittleEndian.Uint32(m.bytes(4)) }

// long reads a number of up to 8 bytes.
func (m *machine) long() (v int64) {
	b := m.bytes(int64(m.bytes(1)[0]))
	if len(b) > 8 {
		fail("a number of %d bytes", len(b))
	}
	for i, digit := range b {
		v |= int64(digit) << (8 * i)
	}
	unused := 64 - 8*len(b) // bits, which get the sign's
	return v << unused >> unused
}

// line reads a name up to its line end.
func (m *machine) line() string {
	name, _, found := strings.Cut(string(m.in[m.at:min(len(m.in), m.at+256)]), "\n")
	if !found {
		fail("a name without a line end")
	}
	m.at += len(name) + 1
	return name
}

func (m *machine) push(v any) { m.stack = append(m.stack, v) }

// top is the last value, after the last mark.
func (m *machine) top() any {
	m.room(1)
	return m.stack[len(m.stack)-1]
}

// room makes sure that n values are after the last mark.
func (m *machine) room(n int) {
	floor := 0
	if len(m.marks) > 0 {
		floor = m.marks[len(m.marks)-1]
	}
	if len(m.stack)-floor < n {
		fail("a value is missing")
	}
}

func (m *machine) pop() any { return m.popN(1)[0] }

func (m *machine) popN(n int) []any {
	m.room(n)
	at := len(m.stack) - n
	values := append([]any(nil), m.stack[at:]...)
	m.stack = m.stack[:at]
	return values
}

// popMark takes the values after the last mark, and the mark.
func (m *machine) popMark() []any {
	if len(m.marks) == 0 {
		fail("a mark is missing")
	}
	at := m.marks[len(m.marks)-1]
	m.marks = m.marks[:len(m.marks)-1]
	values := append([]any(nil), m.stack[at:]...)
	m.stack = m.stack[:at]
	return values
}

func (m *machine) recall(at uint32) any {
	v, ok := m.memo[at]
	if !ok {
		fail("value %d isn't there", at)
	}
	return v
}
