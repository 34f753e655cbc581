package run

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gofrs/flock"

	"tinygpt/configs"
	"tinygpt/internal/expect"
	"tinygpt/internal/fixture"
	"tinygpt/tokenizer"
	"tinygpt/train"
)

// A run of any kind is made and read back, and no other kind is taken for it.
func TestMakeRead(t *testing.T) {
	t.Chdir(t.TempDir())
	type settings struct {
		Vectors struct {
			Dim int `yaml:"dim"`
		} `yaml:"vectors"`
	}
	var c settings
	c.Vectors.Dim = 100
	dir, err := Make("", "wiki.yaml", Vectors, c, func(dir string) error {
		expect.NoFile(t, filepath.Join(dir, configFile))
		return os.WriteFile(filepath.Join(dir, "vocab.tsv"), nil, 0o644)
	})
	if err != nil || dir != filepath.FromSlash("runs/wiki-1") {
		t.Fatal(dir, err)
	}
	var again settings
	if err := Read(dir, &again, Vectors); err != nil || again != c {
		t.Errorf("%+v: %v", again, err)
	}
	expect.Error(t, Read(dir, &again, SFT, PPO), "holds a run of kind vectors, expected sft or ppo: make one with `gpt align sft`")
	_, err = Open(dir)
	expect.Error(t, err, "no language model")
	_, err = Make(dir, "", Vectors, c, nil)
	expect.Error(t, err, "holds a run already")
	if latest, err := Latest(Root, Vectors); err != nil || latest != dir {
		t.Error(latest, err)
	}
	_, err = Latest(Root, Writers()...)
	expect.Error(t, err, "gpt train")
	// What fails leaves nothing.
	if _, err := Make("", "x", Vectors, c, func(string) error { return errors.New("full") }); err == nil {
		t.Error("no error")
	}
	expect.NoFile(t, filepath.FromSlash("runs/x-1"))
	if _, err := Make("", "x", "poems", c, nil); !errors.Is(err, errNoKind) {
		t.Error(err)
	}
}

// A configuration that couldn't be read again isn't written.
func TestMakeTooLarge(t *testing.T) {
	t.Chdir(t.TempDir())
	_, err := Make("a", "", Vectors, map[string]string{"text": strings.Repeat("a", configs.MaxSize)}, nil)
	expect.OneLine(t, err, "the configuration would have 2621", "bytes, and up to 262144 can be read again")
	expect.NoFile(t, "a")
}

// A run's folder from somebody else can't have this program write to files elsewhere, and can
// be removed.
func TestLockLinks(t *testing.T) {
	dir := t.TempDir()
	secret := filepath.Join(dir, "secret")
	fixture.Write(t, secret, "x")
	for _, name := range []string{lockFile, train.SamplesFile, LossCurveFile} {
		folder := filepath.Join(dir, "run-"+name)
		fixture.Write(t, filepath.Join(folder, configFile), "kind: text\n")
		fixture.Link(t, secret, filepath.Join(folder, name))
		_, err := Lock(folder)
		expect.OneLine(t, err, "the link "+name+" leads out of the folder", "put a copy")
		if err := Remove(folder); name == lockFile {
			expect.OneLine(t, err, "leads out of the folder")
		} else if err != nil {
			t.Error(err)
		}
	}
	if expect.Says(t, secret, "x"); len(expect.File(t, secret)) != 1 {
		t.Error("a file outside was written to")
	}
}

// Runs that are begun at the same time get folders of their own.
func TestMakeAtTheSameTime(t *testing.T) {
	t.Chdir(t.TempDir())
	const n = 20
	var dirs sync.Map
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			dir, err := Make("", "a", Vectors, map[string]int{"number": i}, nil)
			if err != nil {
				t.Error(err)
			}
			if _, taken := dirs.LoadOrStore(dir, true); taken {
				t.Errorf("%s is given twice", dir)
			}
		})
	}
	wg.Wait()
	if found, _ := filepath.Glob("runs/a-*/config.yaml"); len(found) != n {
		t.Errorf("%d runs: %v", len(found), found)
	}
}

// Sections of a run's own are kept and passed over by those who don't know them.
func TestSections(t *testing.T) {
	t.Chdir(t.TempDir())
	type align struct {
		Beta float64 `yaml:"beta"`
	}
	if _, err := Create("", "a", PPO, config(t), tokenizer.NewByte(), nil, Section{"align", align{0.25}}); err != nil {
		t.Fatal(err)
	}
	r, err := Open("")
	if err != nil || r.Kind != PPO {
		t.Fatal(r, err)
	}
	var a align
	if err := r.Section("align", &a); err != nil || a.Beta != 0.25 {
		t.Error(a, err)
	}
	if _, err := Create("", "a", Text, config(t), tokenizer.NewByte(), nil, Section{"align", align{}}); err == nil {
		t.Error("a run trained on texts got a section align")
	}
	if dirs, _ := filepath.Glob("runs/*"); len(dirs) != 1 {
		t.Error(dirs)
	}
}

// The kind of a run that was made before kinds were written down follows from its
// settings.
func TestKindOf(t *testing.T) {
	for text, want := range map[string]Kind{
		"kind: ppo\nmodel: {layers: 3}":                  PPO,
		"data: {sha256: ab}\nmodel: {layers: 3}":         Text,
		"finetune: {task: tagging}":                      Finetuned,
		"tokenizer: {kind: imported}":                    Imported,
		"tokenizer: {kind: imported}\ndata: {sha256: a}": Text,
	} {
		if got, err := kindOf([]byte(text), "config.yaml"); err != nil || got != want {
			t.Errorf("%q: %s, %v, want %s", text, got, err, want)
		}
	}
	for _, text := range []string{"kind: poems", "kind: ["} {
		if k, err := kindOf([]byte(text), "config.yaml"); err == nil || !strings.HasPrefix(err.Error(), "config.yaml: ") {
			t.Errorf("%q: %s, %v", text, k, err)
		}
	}
}

// A folder is held by one process at a time. Another one gets an error that names it, and
// a holder that died is no obstacle.
func TestLock(t *testing.T) {
	if dir := os.Getenv("TINYGPT_TEST_LOCK"); dir != "" { // the other process
		_, err := Lock(dir)
		fmt.Println("locked:", err)
		os.Stdin.Read(make([]byte, 1))
		os.Exit(0)
	}
	dir := t.TempDir()
	other := exec.Command(os.Args[0], "-test.run=^TestLock$")
	other.Env = append(os.Environ(), "TINYGPT_TEST_LOCK="+dir)
	in, err := other.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := other.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Start(); err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	line := make([]byte, 100)
	n, _ := out.Read(line)
	if got := string(line[:n]); !strings.HasPrefix(got, "locked: <nil>") {
		t.Fatalf("the other process says %q", got)
	}
	want := fmt.Sprintf("in use by process %d", other.Process.Pid)
	_, err = Lock(dir)
	expect.Error(t, err, want)
	_, err = Make(dir, "", Vectors, configs.Config{}, nil)
	expect.Error(t, err, want)
	other.Process.Kill()
	other.Wait()
	unlock, err := Lock(dir)
	if err != nil {
		t.Fatal("a dead holder: ", err)
	}
	if _, err := Lock(dir); err == nil {
		t.Error("locked twice")
	}
	unlock()
	if unlock, err = Lock(dir); err != nil {
		t.Error("after unlock: ", err)
	}
	unlock()
	if left, _ := os.ReadDir(dir); len(left) != 0 {
		t.Error("left in the folder: ", left)
	}
	// Many at a time: one holds it, and the others are told so or come after.
	var holders, most atomic.Int32
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 50 {
				if unlock, err := Lock(dir); err == nil {
					if n := holders.Add(1); n > 1 {
						most.Store(n)
					}
					holders.Add(-1)
					unlock()
				}
			}
		})
	}
	wg.Wait()
	if n := most.Load(); n > 1 {
		t.Errorf("%d held the folder at the same time", n)
	}
}

// TestMakeAmongOthers: a folder may have other files, but none that the run would write over, or
// go on with, such as the checkpoint of a run that was there before. What fails leaves them.
func TestMakeAmongOthers(t *testing.T) {
	t.Chdir(t.TempDir())
	c := config(t)
	for _, name := range []string{"tokenizer_config.json", train.MetricsFile, train.LastCheckpoint} {
		fixture.Write(t, filepath.Join(name+".d", name), "mine")
		_, err := Create(name+".d", "", Text, c, tokenizer.NewByte(), nil)
		expect.OneLine(t, err, name+".d has a file "+name+" already")
		expect.Folder(t, name+".d", name)
		if got := expect.File(t, name+".d", name); string(got) != "mine" {
			t.Errorf("%s holds %q", name, got)
		}
	}
	fixture.Write(t, "mine/notes.txt", "mine")
	_, err := Make("mine", "", Vectors, c, func(dir string) error {
		fixture.Write(t, filepath.Join(dir, "tokenizer.json"), "half")
		return errors.New("full")
	})
	expect.Error(t, err, "full")
	expect.Folder(t, "mine", "notes.txt")
	if _, err := Create("mine", "", Text, c, tokenizer.NewByte(), nil); err != nil {
		t.Error(err)
	}
	// What a killed process has begun is begun again.
	fixture.Write(t, "killed/"+lockFile, "1 elsewhere\n")
	fixture.Write(t, "killed/tokenizer.json", "half")
	if _, err := Create("killed", "", Text, c, tokenizer.NewByte(), nil); err != nil {
		t.Error(err)
	}
}

// TestLockWhileListed: a process that lists runs, and looks whether one is at work in a folder
// that has the lock of a killed one, isn't taken for one at work.
func TestLockWhileListed(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, lockFile)
	fixture.Write(t, path, "1 elsewhere\n")
	looks := flock.New(path, flock.SetFlag(os.O_RDWR))
	if held, err := looks.TryRLock(); err != nil || !held {
		t.Fatal(held, err)
	}
	if busy(dir) {
		t.Error("two that list runs take each other for one at work")
	}
	time.AfterFunc(20*time.Millisecond, func() { looks.Unlock() })
	unlock, err := Lock(dir)
	if err != nil {
		t.Fatal(err)
	}
	if !busy(dir) {
		t.Error("nobody is at work")
	}
	unlock()
}
