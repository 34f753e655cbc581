"""Writes golden/: tokenizers that Hugging Face's libraries made and the ids that
they give, for the tests of this package.

    pip install tokenizers==0.23.3 transformers==5.24.0 && python golden.py DATA

golden/bytelevel/tokenizer.json is what BpeTrainer learns from text.txt, with its
special tokens before the bytes, as that trainer has them. golden/lowercase holds
vocab.json and merges.txt of GPT-1's kind, learned from the same text without its
rare characters. golden/ids.json has the ids of some texts from
both, from GPT-2's vocabulary and from GPT-1's, and the SHA-256 of the ids, as
little endian int32, of larger texts with GPT-1's. DATA holds these vocabularies
and texts: gpt1_vocab, gpt2_vocab, prose, prose_zh and tinyshakespeare.

transformers 4.57.6, whose OpenAIGPTTokenizer splits with BasicTokenizer in Python
if spaCy is not installed, gives the same file.
"""

import collections
import gzip
import hashlib
import json
import pathlib
import shutil
import struct
import sys
import tempfile

from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from transformers import GPT2Tokenizer, OpenAIGPTTokenizer, PreTrainedTokenizerFast

here = pathlib.Path(__file__).parent
data = pathlib.Path(sys.argv[1])
golden = here / "golden"
text = (here / "text.txt").read_bytes().decode("utf-8")

TEXTS = [
    "",
    " ",
    "Hello, world!",
    "The miller's daughter kept three clocks; none agreed.",
    "I'll don't DON'T we've o'clock rock'n'roll",
    "  two  spaces\n\n\tand\ttabs \r\n end ",
    "e.g. $3.50 (50%) -- [x] {y} <z> a_b a/b a\\b #1 @me ^ ~ ` | & * + = \"q\" “q” ‘q’ … — – ¿¡",
    "Crème Brûlée ÀÉÎÕÜ Ångström naïve façade Straße İstanbul ǅ ﬁ ﬂ",
    "e\u0301a\u0308\u0323 \u00a0nbsp\u3000wide\u2003em\u200bzero\u00adsoft\ufeffbom",
    "磨坊主的女儿有三座钟，三座钟的时间都不一样。",
    "三刻 quarter 一天two次 豈更 ひらがな カタカナ 한국어",
    "Мельник смеялся: часы идут. Η ώρα περνά. שלום مرحبا नमस्ते",
    "🕰️ 👩\u200d🌾 🇫🇷 a🕰b 🕰",
    "control \x00\x01\x07\x0b\x1b[0m\x7f\x85 and \ufffd replacement, \ue000 private",
    "½ Ⅻ ٣٤٥ 1e-5 3.14159 x² H₂O №5 ™ © ª º",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa ababababab --------- !!!!!! ......",
    "supercalifragilisticexpialidocious antidisestablishmentarianism pneumonoultramicroscopic",
    "<|endoftext| <un </w> w</w>",
    "\nline\n\nline",
]

LARGE = ["tinyshakespeare/input.txt", "prose/gutenberg_mix.txt", "prose_zh/hongloumeng_1-40.txt"]


def byte_level():
    """Learns and writes golden/bytelevel; returns it."""
    t = Tokenizer(models.BPE())
    t.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    t.decoder = decoders.ByteLevel()
    t.train_from_iterator(
        [text],
        trainers.BpeTrainer(
            vocab_size=400,
            special_tokens=["<|endoftext|>", "<|start|>"],
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        ),
    )
    t.save(str(golden / "bytelevel" / "tokenizer.json"))
    return PreTrainedTokenizerFast(tokenizer_file=str(golden / "bytelevel" / "tokenizer.json"))


def lower_case():
    """Learns and writes golden/lowercase; returns it.

    BpeTrainer is no help: with ends of words its ties are broken at random.
    """
    t = Tokenizer(models.BPE())
    t.normalizer = normalizers.BertNormalizer(lowercase=True)
    t.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    words = [w for w, _ in t.pre_tokenizer.pre_tokenize_str(t.normalizer.normalize_str(text))]
    frequent = {c for c, n in collections.Counter("".join(words)).items() if n >= 8}
    words = collections.Counter((*w[:-1], w[-1] + "</w>") for w in words if frequent.issuperset(w))
    alphabet = sorted(frequent)
    vocab = ["<unk>", *alphabet, *(c + "</w>" for c in alphabet)]
    merges = []
    while len(merges) < 200:
        pairs = collections.Counter()
        for w, n in words.items():
            for pair in zip(w, w[1:]):
                pairs[pair] += n
        best = min(pairs, key=lambda p: (-pairs[p], p))
        merges.append(best)
        vocab.append("".join(best))
        merged = collections.Counter()
        for w, n in words.items():
            out = []
            for c in w:
                if out and (out[-1], c) == best:
                    out[-1] += c
                else:
                    out.append(c)
            merged[tuple(out)] += n
        words = merged
    models.BPE(vocab={t: i for i, t in enumerate(vocab)}, merges=merges).save(str(golden / "lowercase"))
    return OpenAIGPTTokenizer.from_pretrained(str(golden / "lowercase"))


def published(cls, vocab, merges):
    """Loads one of OpenAI's vocabularies under the names that transformers knows."""
    with tempfile.TemporaryDirectory() as folder:
        for source, name in ((vocab, "vocab.json"), (merges, "merges.txt")):
            content = (data / source).read_bytes()
            if source.endswith(".gz"):
                content = gzip.decompress(content)
            (pathlib.Path(folder) / name).write_bytes(content)
        return cls.from_pretrained(folder)


def ids(tokenizer, s):
    return tokenizer(s, verbose=False)["input_ids"]


shutil.rmtree(golden, ignore_errors=True)
for name in ("bytelevel", "lowercase"):
    (golden / name).mkdir(parents=True)
tokenizers = {
    "bytelevel": byte_level(),
    "lowercase": lower_case(),
    "gpt1": published(OpenAIGPTTokenizer, "gpt1_vocab/encoder_bpe_40000.json.gz", "gpt1_vocab/vocab_40000.bpe.gz"),
    "gpt2": published(GPT2Tokenizer, "gpt2_vocab/encoder.json", "gpt2_vocab/vocab.bpe"),
}
gpt1_files = {}
for name in LARGE:
    tokens = ids(tokenizers["gpt1"], (data / name).read_bytes().decode("utf-8"))
    digest = hashlib.sha256(struct.pack(f"<{len(tokens)}i", *tokens)).hexdigest()
    gpt1_files[name] = {"tokens": len(tokens), "sha256": digest}
result = {
    "texts": [
        {"text": s, **{name: ids(t, s) for name, t in tokenizers.items()}} for s in TEXTS + [text]
    ],
    "gpt1_files": gpt1_files,
}
with open(golden / "ids.json", "w", encoding="ascii", newline="\n") as f:
    f.write("{\n\"texts\": [\n")
    f.write(",\n".join(json.dumps(t) for t in result["texts"]))
    f.write("\n],\n\"gpt1_files\": " + json.dumps(gpt1_files) + "\n}\n")
