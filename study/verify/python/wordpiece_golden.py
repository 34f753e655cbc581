#!/usr/bin/env python3
"""Writes the WordPiece vocabulary that the Go tests read (tokenizer/testdata/golden/wordpiece),
with the ids that transformers' BertTokenizer gives to the texts of golden/ids.json, as written
and in lower case.

    pip install tokenizers transformers
    python study/verify/python/wordpiece_golden.py

Last run with transformers 5.24.0, tokenizers 0.23.3.
"""
import json, pathlib

from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers
from transformers import AutoTokenizer

golden = pathlib.Path(__file__).resolve().parents[3] / "tokenizer/testdata/golden"
texts = [t["text"] for t in json.loads((golden / "ids.json").read_text())["texts"]]
texts += ["我在北京大学读书，2019年毕业。GPT-2 很好用！", "天气預報：今天晴。unaffable UNAFFABLE", "字" * 3 + "a" * 99, "a" * 100 + " " + "a" * 101 + " b"]
text = (golden.parent / "text.txt").read_text()

# BERT's Chinese vocabulary in small: the special tokens, some that are never used, characters,
# characters within a word, and pieces of words.
t = Tokenizer(models.WordPiece(unk_token="[UNK]"))
t.normalizer, t.pre_tokenizer = normalizers.BertNormalizer(lowercase=False), pre_tokenizers.BertPreTokenizer()
t.train_from_iterator([text, " ".join(texts)], trainers.WordPieceTrainer(
    vocab_size=700, special_tokens=["[PAD]", "[unused1]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"], show_progress=False, min_frequency=2, limit_alphabet=400))
# The trainer numbers tokens of the same frequency differently each time.
vocab = sorted(t.get_vocab(), key=lambda s: (s not in ("[PAD]", "[unused1]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"), s))

folder = golden / "wordpiece"
folder.mkdir(exist_ok=True)
(folder / "vocab.txt").write_text("".join(v + "\n" for v in vocab))
config = {"do_lower_case": False, "tokenizer_class": "BertTokenizer"}
out = []
for lower in (False, True):
    config["do_lower_case"] = lower
    (folder / "tokenizer_config.json").write_text(json.dumps(config) + "\n")
    out.append(AutoTokenizer.from_pretrained(folder))
    assert out[-1].tokenize("ABC é") != ["abc", "e"] or lower, out[-1]
    assert out[-1]("b")["input_ids"][0] == vocab.index("[CLS]")
config["do_lower_case"] = False
(folder / "tokenizer_config.json").write_text(json.dumps(config) + "\n")
lines = [json.dumps({"text": s, "ids": out[0](s, add_special_tokens=False)["input_ids"], "lower": out[1](s, add_special_tokens=False)["input_ids"]}, ensure_ascii=False) for s in texts]
(folder / "ids.json").write_text("[\n" + ",\n".join(lines) + "\n]\n")
print(len(vocab), "tokens,", sum(f.stat().st_size for f in folder.iterdir()), "bytes")
