"""Writes merges.txt: what Hugging Face's trainer learns from text.txt; and of
newlines.txt, which has runs of line ends, newlines_merges.txt, and
newlines_by_line_merges.txt, which train() learns from the file.

    pip install tokenizers==0.23.3 && python merges.py

and prints, for each text named after it, the SHA-256 of the merges at three
vocabulary sizes, which train_test.go holds for the larger texts:

    python merges.py 512,4096,16384 FILE...

Both count every pair, down to those that occur once. The trainer's vocabulary
size includes the special token and the 256 bytes, as ours does.
"""

import hashlib
import json
import pathlib
import sys

from tokenizers import Tokenizer, models, pre_tokenizers, trainers


def merges(path, vocab_size, train=lambda tokenizer, text, path, trainer: tokenizer.train_from_iterator([text], trainer)):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=["<|endoftext|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    text = pathlib.Path(path).read_bytes().decode("utf-8")
    train(tokenizer, text, path, trainer)
    pairs = json.loads(tokenizer.to_str())["model"]["merges"]
    return "".join(left + " " + right + "\n" for left, right in pairs)


if len(sys.argv) > 1:
    for path in sys.argv[2:]:
        for size in sys.argv[1].split(","):
            digest = hashlib.sha256(merges(path, int(size)).encode()).hexdigest()
            print(path, size, digest)
else:
    here = pathlib.Path(__file__).parent
    text = merges(here / "text.txt", 1024)
    (here / "merges.txt").write_text(text, encoding="utf-8", newline="\n")
    path = here / "newlines.txt"
    text = merges(path, 300)
    (here / "newlines_merges.txt").write_text(text, encoding="utf-8", newline="\n")
    text = merges(path, 300, lambda tokenizer, text, path, trainer: tokenizer.train([str(path)], trainer))
    (here / "newlines_by_line_merges.txt").write_text(text, encoding="utf-8", newline="\n")
