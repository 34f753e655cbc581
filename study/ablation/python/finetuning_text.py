"""Writes the text that docs/finetuning.md's table is pre-trained on.

    python3 study/ablation/python/finetuning_text.py DATA > pretraining.txt

Taken are prose, dialogues and instructions, and what the labelled sets' training
files say, without their labels; nothing of a development or test file. Documents are
divided by <|endoftext|> and shuffled. CoLA's sentences are left out: a model that has
read those that nobody would say no longer stumbles over them.
"""
import csv
import gzip
import json
import os
import random
import re
import sys


def read(data, name):
    path = os.path.join(data, name)
    with (gzip.open if name.endswith(".gz") else open)(path, "rt", encoding="utf-8") as f:
        return f.read().splitlines()


def table(data, name):
    return [line.split("\t") for line in read(data, name)]


def objects(data, name):
    return [json.loads(line) for line in read(data, name)]


def chunks(lines, size):
    """Joins lines to documents of about size characters."""
    out, part, length = [], [], 0
    for line in lines:
        part.append(line)
        length += len(line)
        if length >= size:
            out.append("\n".join(part))
            part, length = [], 0
    return out + ["\n".join(part)]


def sentences(lines):
    """Joins the tokens of a CoNLL file's sentences."""
    out, words = [], []
    for line in lines + [""]:
        word = line.split("\t")[0].strip()
        if word:
            words.append(word)
        elif words:
            out.append(" ".join(words))
            words = []
    return out


def documents(data):
    for row in csv.reader(read(data, "ag_news/train.csv")):
        yield " ".join(row[1:])
    for o in objects(data, "arc_easy/train.jsonl"):
        yield "\n".join([o["question"], *o["choices"]])
    for o in objects(data, "copa/train.jsonl"):
        link = {"cause": "because", "effect": "so"}[o["question"]]
        yield "\n".join([o["premise"] + " " + link, o["choice1"], o["choice2"]])
    for name, text in ("snli/train.tsv", slice(1, 3)), ("sick/SICK_train.txt.gz", slice(1, 3)), ("stsb/train.tsv", slice(1, 3)), ("chnsenticorp/train.tsv", slice(1, 2)):
        for row in table(data, name)[1:]:
            yield "\n".join(row[text])
    for row in table(data, "sst2/train.tsv"):
        yield row[0]
    yield from sentences(read(data, "wnut17/wnut17train.conll"))
    for o in objects(data, "instruct/instructions.jsonl"):
        yield "\n".join(part for part in (o["instruction"], o["input"], o["output"]) if part)
    for o in objects(data, "preference/hh_helpful_2000.jsonl.gz"):
        yield re.sub(r"\n\n(Human|Assistant):", "\n", o["prompt"] + o["chosen"])
    for o in objects(data, "preference/pandalm_pairs.jsonl"):
        yield o["chosen"]
    # The prose has spaces around its punctuation.
    prose = [re.sub(r" ([,.;:?!)]|'s\b)", r"\1", line) for line in read(data, "prose/gutenberg_mix.txt")]
    yield from chunks(prose, 400)
    yield from chunks([line.strip() for line in read(data, "prose_zh/hongloumeng_1-40.txt")], 130)


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    texts = [str(text).strip() for text in documents(sys.argv[1])]
    texts = [text for text in texts if text and "<|endoftext|>" not in text]
    random.Random(1).shuffle(texts)
    sys.stdout.reconfigure(encoding="utf-8")
    print("\n<|endoftext|>\n".join(texts))


main()
