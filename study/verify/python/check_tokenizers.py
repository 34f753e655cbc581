"""Checks exported tokenizers with the libraries that they are for.

    go build -o gpt ./cmd/gpt
    pip install transformers tiktoken
    python study/verify/python/check_tokenizers.py ./gpt TOKENIZER[,TOKENIZER...] TEXT...

For each TOKENIZER (what `gpt tokenizer --tokenizer` takes) and each file TEXT, the
ids of `gpt tokenizer encode` must be those of AutoTokenizer on what `gpt tokenizer
export` writes, of the tokenizers library on its tokenizer.json, and, for byte-level
tokenizers, of tiktoken on its ranks. Prints a line for each and fails if one differs.
"""

import json
import pathlib
import subprocess
import sys
import tempfile

import tiktoken
from tiktoken.load import load_tiktoken_bpe
from tokenizers import Tokenizer
from transformers import AutoTokenizer

# GPT-2's, as in tiktoken_ext/openai_public.py of tiktoken.
PATTERN = r"""'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"""


def gpt(*args, check=True):
    return subprocess.run([sys.argv[1], "tokenizer", *args], check=check, capture_output=True).stdout


def ours(name, path):
    return json.loads(gpt("encode", "-t", name, "--format", "json", "--file", path))["ids"]


failed = False
for name in sys.argv[2].split(","):
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        gpt("export", "-t", name, "-o", str(folder))
        auto = AutoTokenizer.from_pretrained(folder)
        plain = Tokenizer.from_file(str(folder / "tokenizer.json"))
        encoders = {
            type(auto).__name__: lambda s: auto(s, verbose=False)["input_ids"],
            "tokenizers": lambda s: plain.encode(s).ids,
        }
        gpt("export", "-t", name, "-o", str(folder / "t.tiktoken"), check=False)
        if (folder / "t.tiktoken").exists():
            ranks = load_tiktoken_bpe(str(folder / "t.tiktoken"))
            special = {"<|endoftext|>": len(ranks)}
            encoding = tiktoken.Encoding("exported", pat_str=PATTERN, mergeable_ranks=ranks, special_tokens=special)
            encoders["tiktoken"] = encoding.encode_ordinary
        for path in sys.argv[3:]:
            text = pathlib.Path(path).read_bytes().decode("utf-8")
            want = ours(name, path)
            for library, encode in encoders.items():
                same = encode(text) == want
                failed |= not same
                print("same" if same else "DIFFERENT", name, library, path, len(want), "ids")
sys.exit(failed)
