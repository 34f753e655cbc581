"""What the checks of `gpt import` and `gpt export` against other programs share."""
import argparse, contextlib, pathlib, shlex, subprocess, sys, tempfile

TEXT = """The ferry left the harbour at nine, and Anna stood at the rail with her brother's letter in her coat.
"You'll be back before the harvest," he had said; she wasn't so sure. The sea was calm, the gulls followed,
and the island grew smaller: first the houses, then the church, then the hill with its 3 old windmills.
Café, naïve, Übermut - 1,024 words, 50% of them hers. Nobody on deck spoke. Nobody had to.
"""

failures = 0


@contextlib.contextmanager
def check(what):
    global failures
    try:
        yield
        print("ok    ", what)
    except Exception as e:
        failures += 1
        print("WRONG ", what, "\n       ", str(e).strip().replace("\n", "\n        "))


class Program:
    def __init__(self, command):
        self.command = shlex.split(command)

    def __call__(self, *args):
        p = subprocess.run([*self.command, *map(str, args)], input="", capture_output=True, text=True)
        assert p.returncode == 0, f"gpt {' '.join(map(str, args))}: exit {p.returncode}\n{p.stdout[-2000:]}{p.stderr}"
        return p.stdout


def main(doc, testdata, checks, run=None):
    """Runs checks(gpt, folder) with gpt built by Go or as --gpt says, or testdata(folder).
    Checks of a run of the user's, which run describes, get its folder from --run too."""
    a = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("--gpt")
    if testdata:
        a.add_argument("--testdata")
    if run:
        a.add_argument("--run", required=True, help=run)
    a = a.parse_args()
    if testdata and a.testdata:
        return testdata(a.testdata)
    with tempfile.TemporaryDirectory() as work:
        work = pathlib.Path(work)
        command = a.gpt
        if not command:
            command = str(work / "gpt")
            root = pathlib.Path(__file__).resolve().parents[3]
            subprocess.run(["go", "build", "-o", command, "./cmd/gpt"], cwd=root, check=True)
        checks(Program(command), work, *([a.run] if run else []))
    sys.exit(f"{failures} checks failed" if failures else None)
