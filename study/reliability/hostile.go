//go:build linux

package reliability

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"tinygpt/internal/atomicfile"
	"tinygpt/model/safetensors"
	"tinygpt/train"
)

// attempt is a command with input that no program should trust: enormous numbers, files that
// grow when they are read, pipes in place of files.
type attempt struct {
	// fault names the sort of attempt, line is the command; see Kind.Begin.
	fault, line string
	// shell is a line of shell before the command; it may set limits.
	shell    string
	expected expected
}

// expected is how an attempt must end.
type expected int

const (
	refused expected = iota // in one line
	works
	either // such as a plan for what no computer can do
)

// sizes are settings of a model that no computer has room for.
var sizes = []string{
	"model.width=10000000", "model.width=1000000000", "model.width=1000000000000000000", "model.width=9223372036854775807",
	"model.layers=1000000000", "model.heads=9223372036854775807", "model.context=9223372036854775807",
	"train.batch_size=100000000", "tokenizer.vocab_size=9223372036854775807", "data.stories_bytes=1000000000000",
}

// attempts returns all attempts. In their lines DIR is the folder of hostileFiles.
func attempts() (list []attempt) {
	add := func(o expected, fault string, lines ...string) {
		for _, line := range lines {
			list = append(list, attempt{fault: fault, line: line, expected: o})
		}
	}
	for i, set := range []string{"sample.temperature=5e-1", "sample.temperature=0.000001", "sample.top_p=5e-1", "sample.min_p=1e-7", "sample.repetition_penalty=1e0"} {
		dir := fmt.Sprintf("DIR/number-%d", i)
		add(works, "numbers with exponents", "train --config tiny.yaml --set train.steps=5 --set "+set+" --run "+dir, "sample --run "+dir+" -n 2 --prompt Mia")
	}
	for _, set := range sizes {
		add(refused, "sizes in settings", "train --config tiny.yaml --run DIR/new --set "+set)
		add(either, "sizes in settings", "plan --config tiny.yaml --set "+set)
		// A batch is at most all examples; all else is that of the run that it starts from.
		add(either, "sizes in settings", "finetune --run DIR/new"+finetuning+" --set "+set)
	}
	add(refused, "sizes in a run's configuration", "eval --run DIR/wide", "sample --run DIR/wide -n 2", "train --resume --run DIR/wide", "finetune --run DIR/new --data train.tsv --from DIR/wide")
	add(refused, "sizes in a configuration of others", "import DIR/exported-wide --run DIR/new")
	add(refused, "numbers in flags", "fewshot run --layers 1 --shots 9223372036854775807 --to DIR/new", "scaling run --seeds 1000000000 --to DIR/new",
		"scaling run --layers 1000000000 --to DIR/new", "sample --run base -n 9223372036854775807", "sample --run base --prompts 9223372036854775807",
		"vectors train --set data.stories_bytes=20000 --dim 1000000000000 --run DIR/new", "align best-of -n 9223372036854775807 --from sft",
		"ablate --to DIR/new --seeds 1000000000"+finetuning)
	for _, file := range []string{"nested.yaml", "braces.yaml", "anchors.yaml", "percents.yaml", "long.yaml", "/dev/zero", "pipe"} {
		path := "DIR/" + file
		if strings.HasPrefix(file, "/") {
			path = file
		}
		add(refused, "bombs and devices as configurations", "train --config "+path+" --run DIR/new", "plan --config "+path, "align sft --config "+path+" --from base --run DIR/new")
	}
	add(refused, "texts that grow a hundredfold", "train --config tiny.yaml --data DIR/text.gz --run DIR/new", "finetune --run DIR/new --from base --data DIR/rows.tsv.gz --test test.tsv",
		"vectors train --data DIR/text.gz --run DIR/new", "align sft --from base --data DIR/text.jsonl.gz --run DIR/new")
	add(refused, "devices as texts", "finetune --run DIR/new --from base --data /dev/zero --test test.tsv")
	add(refused, "pipes where files are meant", "eval --run DIR/pipes", "sample --run DIR/pipes", "train --resume --run DIR/pipes", "import DIR/exported-pipe --run DIR/new")
	add(refused, "links that leave their folder", "import DIR/exported-link --run DIR/new", "train --resume --run DIR/links")
	add(works, "templates that call themselves", "import DIR/exported-template --run DIR/template", "chat --run DIR/template")
	add(works, "weights near the largest number", "import DIR/exported-huge --run DIR/huge", "sample --run DIR/huge -n 2 --prompt Mia --temperature 1e-6 --top-p 0.5")
	add(works, "neighbouring numbers in metrics", "plot DIR/flat --to DIR/flat.svg")
	add(refused, "a hundred thousand keys, rows, answers", "finetune --run DIR/new --from base --data DIR/keys.jsonl --test test.tsv", "finetune --run DIR/new --from base --data DIR/rows.json --test test.tsv",
		"align sft --from base --data DIR/rows.json --run DIR/new", "align reward --from sft --data DIR/answers.jsonl --run DIR/new")
	add(refused, "checkpoints with other numbers", "train --resume --run DIR/steps")
	add(refused, "settings that the command makes itself", "finetune --run DIR/new"+finetuning+" --set train.checkpoint_interval=5", "scaling run --layers 1 --tokens 1000 --to DIR/new --set train.eval_interval=5")
	add(works, "control characters in labels", "finetune --run DIR/labels --from base --set finetune.min_steps=4 --data DIR/labels.tsv --test DIR/labels.tsv", "classify --run DIR/labels Mia")
	add(works, "1,500 classes", "finetune --run DIR/classes --from base --set finetune.min_steps=4 --epochs 1 --data DIR/classes.tsv --test DIR/classes.tsv")
	add(works, "a word of a megabyte", "tokenizer encode --tokenizer base --file DIR/word.txt")
	list = append(list,
		attempt{fault: "six file handles", shell: "ulimit -n 6", line: "sample --run base -n 2"},
		attempt{fault: "standard output on a full disk", shell: "exec >/dev/full", line: "scaling table gpt3"},
		attempt{fault: "standard output on a full disk", shell: "exec >/dev/full", line: "sample --run base -n 2"},
		attempt{fault: "standard output on a full disk", shell: "exec >/dev/full", line: "eval --run base"},
	)
	return list
}

// Hostile makes all attempts and checks that each succeeds or is refused in one line, soon,
// without a stack trace, without much memory, and without control characters in its errors.
func Hostile(p *Program, r *Report) error {
	const dir = "hostile"
	if err := hostileFiles(p, filepath.Join(p.Folder, dir)); err != nil {
		return err
	}
	for _, a := range attempts() {
		var process *Process
		var err error
		if args := words(a.line, dir); a.shell != "" {
			process, err = p.shell(a.shell, args...)
		} else {
			process, err = p.Start(nil, args...)
		}
		if err != nil {
			return err
		}
		e := process.Wait()
		os.RemoveAll(filepath.Join(p.Folder, dir, "new"))
		x := r.row(a.fault, "hostile")
		x.times++
		refusal := lastLines(e.Stderr)
		switch {
		case e.Fault() != "":
			r.wrong(x, "%v: %s", e, e.Fault())
		case strings.ContainsAny(e.Stderr, "\x1b\x07"): // a pipe gets labels as they are
			r.wrong(x, "%v: prints control characters", e)
		case a.expected == works && e.Status != 0, a.expected == refused && e.Status == 0, e.Status > 2 || strings.Contains(refusal, "\n"):
			r.wrong(x, "%v", e)
		case e.Status == 0:
			x.accepted++
		}
	}
	return nil
}

// hostileFiles writes the files that the attempts read into a folder.
func hostileFiles(p *Program, dir string) error {
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	times := func(n int, text string) []byte { return bytes.Repeat([]byte(text), n) }
	var classes bytes.Buffer
	classes.WriteString("sentence\tlabel\n")
	for i := range 3000 {
		fmt.Fprintf(&classes, "Day %d.\tclass %d\n", i, i%1500)
	}
	var keys bytes.Buffer
	for i := range 100_000 {
		fmt.Fprintf(&keys, `{"sentence": "Mia ran.", "label": "GOOD", "k%d": 1}`+"\n", i)
	}
	for name, text := range map[string][]byte{
		"keys.jsonl":    keys.Bytes(),
		"rows.json":     slices.Concat([]byte("[\n"), times(300_000, `{"sentence": "Mia ran.", "label": "GOOD", "prompt": "Who ran?", "response": "Mia."},`+"\n"), []byte("7]\n")),
		"answers.jsonl": slices.Concat([]byte(`{"prompt": "Who ran?", "answers": ["Mia"`), times(100_000, `, "Mia"`), []byte(`], "ranks": [1`), times(100_000, ", 2"), []byte("]}\n")),
		"nested.yaml":   append([]byte("data: "), times(100_000, "[")...), "braces.yaml": times(40_000, "{{{{a,"),
		"anchors.yaml": times(200_000, "&"), "percents.yaml": times(200_000, "%"), "long.yaml": append([]byte("kind: "), times(100_000_000, "a")...),
		"labels.tsv":  append([]byte("sentence\tlabel\n"), times(40, "Mia was happy.\t\x1b[31mGOOD\x07\nMax was sad.\tBAD\n")...),
		"classes.tsv": classes.Bytes(), "word.txt": times(1_000_000, "x"),
		"text.gz": bomb(nil, times(1<<20, "Mia ran to the shop on the hill. ")), "rows.tsv.gz": bomb([]byte("sentence\tlabel\n"), times(8<<20, "a\tb\n")),
		"text.jsonl.gz": bomb(nil, times(1<<19, `{"prompt": "Who ran?", "response": "Mia."}`+"\n")),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o666); err != nil {
			return err
		}
	}
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o666); err != nil {
		return err
	}
	// Copies of a run and of an exported model, each with one file changed.
	for _, c := range []struct {
		from, name, file string
		change           func(path string, text []byte) error
	}{
		{"base", "wide", "config.yaml", replace("width: 8", "width: 1000000000")},
		{"base", "links", "samples.txt", func(path string, text []byte) error {
			outside := filepath.Join(dir, "outside.txt")
			return errors.Join(os.WriteFile(outside, text, 0o666), os.Symlink(outside, path))
		}},
		{"base", "flat", "metrics.jsonl", flat},
		{"exported", "exported-template", "tokenizer_config.json", replace("{", `{"chat_template": "{% macro f(a=f()) %}{% endmacro %}{{ f() }}",`)},
		{"exported", "exported-huge", "model.safetensors", enlarge("ln_f.bias", 1e36)},
		{"base", "steps", "last.safetensors", replace(`"step":"60"`, `"step":"-1"`)},
		{"base", "pipes", "last.safetensors", pipe},
		{"base", "pipes", "best.safetensors", pipe},
		{"exported", "exported-wide", "config.json", replace(`"n_embd": 8`, `"n_embd": 1000000000`)},
		{"exported", "exported-pipe", "model.safetensors", pipe},
		{"exported", "exported-link", "model.safetensors", func(path string, _ []byte) error {
			return os.Symlink(filepath.Join(p.Folder, "exported", "model.safetensors"), path)
		}},
	} {
		whole := filepath.Join(dir, c.name)
		if _, err := os.Stat(whole); err != nil {
			if err := os.CopyFS(whole, os.DirFS(filepath.Join(p.Folder, c.from))); err != nil {
				return err
			}
		}
		path := filepath.Join(whole, c.file)
		text, err := os.ReadFile(path)
		if err == nil {
			err = os.Remove(path)
		}
		if err == nil {
			err = c.change(path, text)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// replace writes a file with some bytes of its text replaced.
func replace(before, after string) func(path string, text []byte) error {
	return func(path string, text []byte) error {
		if !bytes.Contains(text, []byte(before)) {
			return fmt.Errorf("%s has no %s: the program writes it differently now", path, before)
		}
		return os.WriteFile(path, bytes.Replace(text, []byte(before), []byte(after), 1), 0o666)
	}
}

// flat writes metrics whose learning rates and losses are two neighbouring numbers.
func flat(path string, text []byte) error {
	all, err := train.ParseMetrics(bytes.NewReader(text), path)
	if err != nil {
		return err
	}
	for i := range all {
		if m := &all[i]; m.LearningRate != 0 {
			m.LearningRate, m.Loss = 0.001, 5
			if i%4 == 0 {
				m.LearningRate, m.Loss = math.Nextafter(0.001, 1), math.Nextafter(5, 6)
			}
		}
	}
	var b bytes.Buffer
	if err := atomicfile.WriteLines(&b, all); err != nil {
		return err
	}
	return os.WriteFile(path, b.Bytes(), 0o666)
}

// enlarge writes a model whose tensor of that name is full of x.
func enlarge(name string, x float32) func(path string, text []byte) error {
	return func(path string, text []byte) error {
		if err := os.WriteFile(path, text, 0o666); err != nil {
			return err
		}
		f, err := safetensors.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		var all []safetensors.Tensor
		found := false
		for _, n := range f.Names() {
			info, _ := f.Info(n)
			values := make([]float32, info.Len())
			if err := f.Float32(n, values); err != nil {
				return err
			}
			if n == name || n == "transformer."+name {
				found = true
				for i := range values {
					values[i] = x
				}
			}
			all = append(all, safetensors.Tensor{Name: n, Shape: info.Shape, Data: values})
		}
		if !found {
			return fmt.Errorf("%s has no %s", path, name)
		}
		return safetensors.Write(path, all, map[string]string{"format": "pt"})
	}
}

// pipe makes a named pipe that nobody writes to.
func pipe(path string, _ []byte) error { return syscall.Mkfifo(path, 0o666) }

// bomb returns a gzip file of a beginning and more than ten gigabytes of repetitions of part.
func bomb(begin, part []byte) []byte {
	pressed := func(text []byte) []byte {
		var b bytes.Buffer
		w, _ := gzip.NewWriterLevel(&b, gzip.BestSpeed)
		w.Write(text)
		w.Close()
		return b.Bytes()
	}
	return append(pressed(begin), bytes.Repeat(pressed(part), 10<<30/len(part)+1)...)
}
