#!/usr/bin/env python3
"""Tokenizers to measure: tokenizers.py DIRECTORY [SHARED] writes DIRECTORY/<name>/tokenizer.json and prints a list of
{"name", "path", "budget_mb_s", "budget_load_ms"}.

WordPiece and byte pairs are the published files of SHARED, or small ones from tests/tokenizers without it. `gemma-size` and
`qwen-size` have as many tokens and merges as those families, in files of their form and length; their words are those of
docs/, and as many made-up ones as it takes. The same input gives the same files.
"""

import json
import pathlib
import random
import re
import sys
from collections import Counter

TOP = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TOP / "tests/tokenizers"))

import generate  # noqa: E402
from reference import BYTE_ALPHABET, QWEN  # noqa: E402

SPACE = "\u2581"
GEMMA_TOKENS, QWEN_TOKENS = 262_144, 151_643


def words_of(text, n):
    """Words of the text with their counts, then made-up ones that continue as its words do, to `n` in all."""
    counts = Counter(re.findall(r"[^\W_]+|[^\w\s]+", text))
    rng = random.Random(1)
    follows = {}
    for word in counts:
        padded = "^^" + word + "$"
        for i in range(len(padded) - 2):
            follows.setdefault(padded[i : i + 2], []).append(padded[i + 2])
    while len(counts) < n:
        word = "^^"
        while word[-1] != "$" and len(word) < 14:
            word += rng.choice(follows[word[-2:]])
        counts.setdefault(word[2:].rstrip("$"), 0)
    return counts


def pieces_of(words, n, fixed):
    """`n` tokens: the fixed ones and the commonest beginnings of words. With a piece come all its beginnings."""
    counts = Counter()
    for word, count in words:
        for end in range(2, len(word) + 1):
            counts[word[:end]] += count + 1
    best = sorted(counts, key=lambda piece: (-counts[piece], len(piece), piece))
    vocabulary = dict.fromkeys(fixed)
    for piece in best:
        if len(vocabulary) == n:
            return list(vocabulary)
        vocabulary.setdefault(piece)
    raise SystemExit("tokenizers.py: too few words")


def halves(piece, ids):
    """Two ways to put a piece together, as many as there are on average; the last character is always one of them."""
    ways = [(piece[:at], piece[at:]) for at in range(len(piece) - 1, 0, -1) if piece[:at] in ids and piece[at:] in ids]
    return ways[:2]


def bpe(vocabulary, merges, **options):
    return {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None, "end_of_word_suffix": None,
            "fuse_unk": False, "byte_fallback": False, "ignore_merges": False, **options, "vocab": vocabulary,
            "merges": merges}


def gemma_size(text):
    """A merge for each way to put a piece together, the commonest piece first: so these files are converted."""
    words = words_of(text, 130_000)
    given = [(SPACE + word, 4 * count) for word, count in words.items()] + list(words.items())
    names = ["<pad>", "<eos>", "<bos>", "<unk>", "<mask>"]
    chars = sorted({ch for word, _ in given for ch in word})
    pieces = pieces_of(given, GEMMA_TOKENS, names + generate.FALLBACK + ["\n", "\t"] + chars)
    ids = {piece: i for i, piece in enumerate(pieces)}
    merges = [list(pair) for piece in pieces[len(names) + 256 :] for pair in halves(piece, ids)]
    model = bpe(ids, merges, unk_token="<unk>", fuse_unk=True, byte_fallback=True)
    spaces = {"type": "Replace", "pattern": {"String": " "}, "content": SPACE}
    cut = {"type": "Split", "pattern": {"String": " "}, "behavior": "MergedWithPrevious", "invert": False}
    ends = generate.template("<bos> A <eos>", "<bos> A <eos> <bos>:1 B:1 <eos>:1", {"<bos>": 2, "<eos>": 1})
    return generate.tokenizer(model, spaces, cut, ends, [generate.added(ids[name], name) for name in names])


def qwen_size(text):
    words = words_of(text, 130_000)
    given = [("".join(BYTE_ALPHABET[b] for b in word.encode()), count)
             for plain, count in words.items() for word in (" " + plain, plain)]
    pieces = pieces_of(given, QWEN_TOKENS, generate.BYTES)
    ids = {piece: i for i, piece in enumerate(pieces)}
    merges = [" ".join((piece[:-1], piece[-1])) for piece in pieces[256:]]
    cut = generate.sequence("p", {"type": "Split", "pattern": {"Regex": QWEN}, "behavior": "Isolated", "invert": False},
                            {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": False, "use_regex": False})
    tokens = [generate.added(len(ids), "<|endoftext|>")]
    return generate.tokenizer(bpe(ids, merges), {"type": "NFC"}, cut, None, tokens)


def main():
    directory = pathlib.Path(sys.argv[1])
    shared = pathlib.Path(sys.argv[2]) if len(sys.argv) > 2 else None
    text = "\n".join(path.read_text() for path in sorted(TOP.glob("docs/*.md")))
    entries = []

    def add(name, path, budget, load=None):
        entries.append({"name": name, "path": str(path), "budget_mb_s": budget, "budget_load_ms": load})

    def write(name, spec, budget, load=None, indent=None):
        (directory / name).mkdir(parents=True, exist_ok=True)
        (directory / name / "tokenizer.json").write_text(json.dumps(spec, ensure_ascii=False, indent=indent))
        add(name, directory / name, budget, load)

    if shared and (shared / "bert-uncased").exists():
        add("bert-uncased", shared / "bert-uncased", 20)
    else:
        write("bert-uncased-small", generate.bert_kinds()["bert-uncased-small"][0], 20)
    made = generate.published(str(shared))[1] if shared else {}
    if "gpt2" in made:
        write("gpt2", made["gpt2"][0], 20)
    else:
        write("gpt2-small", generate.byte_kinds()["gpt2-small"][0], 20)
    if shared and (path := shared / "llama2/tokenizer.model").exists():
        add("llama2", path, 8)
    write("qwen-size", qwen_size(text), 20, indent=2)
    write("gemma-size", gemma_size(text), 8, 250, indent=2)
    print(json.dumps(entries))


if __name__ == "__main__":
    main()
