"""Writes golden/added/: a tokenizer with added tokens of every kind and the ids that
Hugging Face's tokenizers give, for the tests of this package.

    pip install tokenizers==0.23.3 && python added.py
"""

import json
import pathlib

from tokenizers import AddedToken, Tokenizer

golden = pathlib.Path(__file__).parent / "golden"
tok = Tokenizer.from_file(str(golden / "bytelevel" / "tokenizer.json"))
tok.add_special_tokens([
    AddedToken("<mask>", lstrip=True, special=True),
    AddedToken("<sep>", rstrip=True, special=True),
    AddedToken("<both>", lstrip=True, rstrip=True, special=True),
    AddedToken("YES", single_word=True, special=True),
    "<s>", "<s><s>",
])
tok.add_tokens(["   ", "<tool>", AddedToken("cat", single_word=True), AddedToken("Hallo", rstrip=True)])
TEXTS = [
    "", "plain text", "a <mask> b", "a\n\t <mask>b", "<mask>", "  <mask>  ", "a <sep>  b", "a<sep>\n\nb <sep>", "x  <both>  y", "x<both>y",
    "YES", "a YES b", "aYES", "YES!", "YESb", "éYES", "_YES", "YES2", "<s><s><s>", "<s> <s><s>", "a    b", "      ", "<tool>x<tool>",
    "cat", "a cat.", "cats", "a-cat-b", "concat", "Hallo  au", "<tool><mask>   <tool>", "<sep>   <mask>", "<both> <both>", "<|endoftext|>a",
    "YES cat YES", "YESYES", "\u00a0<mask>", "a\u3000<mask>b",
]
(golden / "added").mkdir(exist_ok=True)
tok.save(str(golden / "added" / "tokenizer.json"), pretty=False)
(golden / "added" / "ids.json").write_text(json.dumps([{"text": t, "ids": tok.encode(t).ids, "decoded": tok.decode(tok.encode(t).ids, skip_special_tokens=True)} for t in TEXTS], ensure_ascii=True, indent=0) + "\n")
