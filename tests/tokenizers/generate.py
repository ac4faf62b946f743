#!/usr/bin/env python3
"""Small tokenizers of every kind, made from seed.py.

    generate.py DIRECTORY [SHARED]

Writes DIRECTORY/<name>/tokenizer.json, DIRECTORY/<name>/tokenizer.model for SentencePiece models, directories that ship
other files only, and DIRECTORY/index.json: which there are, in which ways npm's library is known to do something else
(README.md says what and who is right), and which parts to give it instead, that say the same in words it understands.
Where a directory has no tokenizer.json, `json` names one that says the same. SHARED is a directory with published
tokenizer files; what it has is listed too. The same input gives the same files.
"""

import base64
import io
import itertools
import json
import math
import os
import re
import struct
import sys
from collections import Counter

import seed
from reference import BYTE_ALPHABET, GPT2, QWEN, WHITE_SPACE, is_punctuation

# ---- vocabularies


MERGES_MAX = 700  # learnt once for each kind of words; a tokenizer takes as many of the first as it wants
learnt = {}


def learn_merges(words):
    """Ordinary byte-pair training over lists of symbols: the commonest pair again and again."""
    key = tuple(map(tuple, words))
    if key in learnt:
        return learnt[key]
    counts = Counter(w for w in key if w)
    merges = []
    while len(merges) < MERGES_MAX:
        pairs = Counter()
        for word, count in counts.items():
            for pair in zip(word, word[1:]):
                pairs[pair] += count
        if not pairs:
            break
        best = max(pairs, key=lambda p: (pairs[p], p))
        merges.append(best)
        counts = Counter({merged(w, best) if best[0] in w else w: count for w, count in counts.items()})
    learnt[key] = merges
    return merges


def train_bpe(words, n_merges, reserved):
    """Vocabulary (what is reserved, symbols, results of merges) and merges."""
    vocab = {}
    merges = learn_merges(words)[:n_merges]
    for token in reserved + sorted({s for w in words for s in w}) + ["".join(m) for m in merges]:
        vocab.setdefault(token, len(vocab))
    return vocab, merges


def merged(word, pair):
    out = []
    for symbol in word:
        if out and (out[-1], symbol) == pair and out[-1] is not None:
            out[-1] = out[-1] + symbol
            out.append(None)  # what was just joined joins nothing in this pass
        else:
            out.append(symbol)
    return tuple(s for s in out if s is not None)


def byte_words(pattern):
    """The seed text in the alphabet of bytes, cut roughly as the tokenizer will cut it."""
    return [[BYTE_ALPHABET[b] for b in word.encode()] for word in re.findall(r" ?\w+| ?[^\w\s]+|\s+", pattern)]


BYTES = [BYTE_ALPHABET[b] for b in range(256)]
FALLBACK = ["<0x%02X>" % b for b in range(256)]
WORDS = re.findall(r"\w+|[^\w\s]", seed.TEXT)


def byte_bpe(n_merges, reserved=(), text=seed.TEXT):
    vocab, merges = train_bpe(byte_words(text), n_merges, list(reserved) + BYTES)
    return {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": "", "end_of_word_suffix": "",
            "fuse_unk": False, "byte_fallback": False, "ignore_merges": False, "vocab": vocab,
            "merges": [" ".join(m) for m in merges]}


def sentence_bpe(n_merges, reserved, bytes_=True, pairs=True):
    """Characters with ▁ for a space; runs of ▁ and of line ends merge, nothing crosses into a word from the left."""
    text = seed.TEXT.replace(" ", "\u2581") + "\u2581\u2581\u2581\u2581\n\n\n\n" * 40
    words = [list(w) for w in re.findall(r"\u2581?[^\u2581\n]+|\u2581+|\n+", text)]
    keep = [w for w in words if not any(ord(ch) > 0x1F000 for ch in w)]
    vocab, merges = train_bpe(keep, n_merges, list(reserved) + (FALLBACK if bytes_ else []))
    return {"type": "BPE", "dropout": None, "unk_token": "<unk>", "continuing_subword_prefix": None,
            "end_of_word_suffix": None, "fuse_unk": True, "byte_fallback": bytes_, "ignore_merges": False, "vocab": vocab,
            "merges": [list(m) if pairs else " ".join(m) for m in merges]}


def pieces_of(words, prefix, n):
    """The commonest beginnings and inner parts of words, and every character as both."""
    counts = Counter()
    chars = set()
    for word in words:
        chars.update(word)
        for start in range(len(word)):
            for end in range(start + 2, min(len(word), start + 6) + 1):
                counts[(prefix if start else "") + word[start:end]] += 1
    common = sorted(counts, key=lambda p: (-counts[p], p))[:n]
    return sorted(chars) + [prefix + ch for ch in sorted(chars)] + sorted(common)


def word_piece(reserved, words=None, prefix="##", n=1500, **options):
    import unicodedata

    if words is None:
        lowered = unicodedata.normalize("NFD", seed.TEXT.lower())
        bare = "".join(ch for ch in lowered if unicodedata.category(ch) != "Mn")
        words = re.findall(r"\w+|[^\w\s]", seed.TEXT + "\n" + bare)
    vocab = {}
    for token in list(reserved) + pieces_of(words, prefix, n):
        vocab.setdefault(token, len(vocab))
    return {"type": "WordPiece", "unk_token": reserved[1], "continuing_subword_prefix": prefix,
            "max_input_chars_per_word": 100, "vocab": vocab, **options}


def boundaries(reserved=("[PAD]", "[UNK]")):
    """A model whose ids show where pieces begin: each character as a beginning and as a continuation."""
    chars = sorted({ch for ch in seed.TEXT} | {"\u2581"} | set(BYTES) | set(map(chr, range(32, 127))))
    vocab = {}
    for token in list(reserved) + chars + ["##" + ch for ch in chars]:
        vocab.setdefault(token, len(vocab))
    return {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##", "max_input_chars_per_word": 150,
            "vocab": vocab}


def code_points():
    """A model whose ids show the normalised text: bytes for whatever is not in the seed text."""
    vocab = {}
    for token in ["<unk>"] + FALLBACK + sorted(set(seed.TEXT)):
        vocab.setdefault(token, len(vocab))
    return {"type": "BPE", "unk_token": "<unk>", "fuse_unk": False, "byte_fallback": True, "vocab": vocab, "merges": []}


def unigram(reserved, n=800, bytes_=False, step=0.125):
    """Substrings of ▁words, scored by how often they come and how long they are, rounded to `step` to have ties: exact ones
    where sums of steps are exact, near ones otherwise."""
    counts = Counter()
    for word in ["\u2581" + w for w in re.findall(r"\S+", seed.TEXT)]:
        for start in range(len(word)):
            for end in range(start + 1, min(len(word), start + 6) + 1):
                counts[word[start:end]] += 1
    singles = [p for p in counts if len(p) == 1 and ord(p) < 0x1F000]
    common = sorted((p for p in counts if len(p) > 1), key=lambda p: (-counts[p] * len(p), p))[:n]
    total = sum(counts.values())
    vocab = [[token, 0.0] for token in reserved]
    if bytes_:
        vocab += [[token, 0.0] for token in FALLBACK]
    taken = {v[0] for v in vocab}
    for piece in sorted(singles) + common:
        if piece not in taken:
            vocab.append([piece, round(math.log(counts[piece] * len(piece) ** 2 / total) / step) * step])
    return {"type": "Unigram", "unk_id": reserved.index("<unk>" if "<unk>" in reserved else "[UNK]"), "vocab": vocab,
            "byte_fallback": bytes_}


# ---- SentencePiece models


def train_sentencepiece(**options):
    import sentencepiece

    out = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter([s.replace("\n", " ") for s in seed.SENTENCES] * 4), model_writer=out, num_threads=1,
        character_coverage=0.995, hard_vocab_limit=False, minloglevel=2, **options)
    return out.getvalue()


def protobuf_fields(blob):
    """(number, value) of one message: what is needed to take a model apart."""
    at = 0

    def varint():
        nonlocal at
        value = shift = 0
        while True:
            byte = blob[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while at < len(blob):
        key = varint()
        kind = key & 7
        if kind == 0:
            value = varint()
        elif kind == 2:
            n = varint()
            value = blob[at : at + n]
            at += n
        else:
            n = 4 if kind == 5 else 8
            value = blob[at : at + n]
            at += n
        yield key >> 3, value


def take_apart(model):
    """Pieces with scores, and the character map, of a SentencePiece model."""
    pieces = []
    charsmap = b""
    for number, value in protobuf_fields(model):
        if number == 1:
            fields = dict(protobuf_fields(value))
            score = struct.unpack("<f", fields.get(2, b"\0\0\0\0"))[0]
            pieces.append([fields[1].decode(), score])
        elif number == 3:
            charsmap = dict(protobuf_fields(value)).get(2, b"")
    return pieces, base64.b64encode(charsmap).decode()


# ---- parts of a tokenizer.json


def added(token_id, content, special=True, single_word=False, lstrip=False, rstrip=False, normalized=False):
    return {"id": token_id, "content": content, "single_word": single_word, "lstrip": lstrip, "rstrip": rstrip,
            "normalized": normalized, "special": special}


def template(single, pair, ids):
    """"[CLS] A [SEP] B:1 [SEP]:1" to TemplateProcessing."""
    def items(text):
        out = []
        for word in text.split():
            name, _, kind = word.partition(":")
            kind = int(kind or 0)
            out.append({"Sequence": {"id": name, "type_id": kind}} if name in "AB"
                       else {"SpecialToken": {"id": name, "type_id": kind}})
        return out

    special = {name: {"id": name, "ids": [i] if isinstance(i, int) else i, "tokens": [name] if isinstance(i, int) else
                      [f"{name}{k}" for k in range(len(i))]} for name, i in ids.items()}
    return {"type": "TemplateProcessing", "single": items(single), "pair": items(pair), "special_tokens": special}


def tokenizer(model, normalizer=None, pre_tokenizer=None, post_processor=None, added_tokens=()):
    return {"version": "1.0", "truncation": None, "padding": None, "added_tokens": list(added_tokens),
            "normalizer": normalizer, "pre_tokenizer": pre_tokenizer, "post_processor": post_processor, "decoder": None,
            "model": model}


def sequence(kind, *parts):
    return {"type": "Sequence", {"n": "normalizers", "p": "pretokenizers", "o": "processors"}[kind]: list(parts)}


def id_of(model, token):
    return model["vocab"][token] if isinstance(model["vocab"], dict) else [v[0] for v in model["vocab"]].index(token)


BERT_SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
NEW_LINES = {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": " "}
BEHAVIORS = ["Removed", "Isolated", "Contiguous", "MergedWithPrevious", "MergedWithNext"]


def specials(model, names, **flags):
    return [added(id_of(model, name), name, **(flags if name in ("[MASK]", "<mask>") else {})) for name in names]


def bert_template(model, pair_type=1):
    return template("[CLS] A [SEP]", f"[CLS] A [SEP] B:{pair_type} [SEP]:{pair_type}",
                    {"[CLS]": id_of(model, "[CLS]"), "[SEP]": id_of(model, "[SEP]")})


def s_template(model):
    return template("<s> A </s>", "<s> A </s> </s> B </s>", {"<s>": id_of(model, "<s>"), "</s>": id_of(model, "</s>")})


def in_other_words(spec):
    """A pre-tokeniser that npm's library reads as the published one is meant; None where it needs none."""
    def cut(regex, behavior="Isolated", invert=False):
        return {"type": "Split", "pattern": {"Regex": regex}, "behavior": behavior, "invert": invert}

    kind = spec and spec["type"]
    if kind == "Sequence":
        parts = [in_other_words(part) or part for part in spec["pretokenizers"]]
        return sequence("p", *parts) if parts != spec["pretokenizers"] else None
    if kind == "Metaspace":
        scheme = spec.get("prepend_scheme") or ("always" if spec.get("add_prefix_space", True) else "never")
        whole = {**spec, "prepend_scheme": scheme}
        mark = spec["replacement"]
        return sequence("p", whole, cut(f"{mark}[^{mark}]*|[^{mark}]+")) if spec.get("split", True) else whole
    if kind == "Digits":
        return cut("\\p{N}" if spec["individual_digits"] else "\\p{N}+")
    if kind == "CharDelimiterSplit":
        return cut(spec["delimiter"], "Removed")
    if kind == "Whitespace":
        word = "\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\u200c\\u200d"
        return cut(f"[{word}]+|[^{word}\\p{{White_Space}}]+", "Removed", True)
    if kind == "Punctuation" or (kind == "Split" and "String" in spec["pattern"]):
        x = "[\\p{P}!-\\u002f:-@\\u005b-`{-~]" if kind == "Punctuation" else spec["pattern"]["String"]
        not_x = f"(?:(?!{x})[\\s\\S])"
        behavior, invert = spec["behavior"], spec.get("invert", False)
        if behavior == "Removed":
            return cut(x, "Removed", invert)
        return cut({"Isolated": f"{x}|{not_x}+", "Contiguous": f"(?:{x})+|{not_x}+",
                    "MergedWithPrevious": f"{x}{not_x}*|{not_x}+" if invert else f"{not_x}+{x}|{x}|{not_x}+",
                    "MergedWithNext": f"{not_x}*{x}|{not_x}+" if invert else f"{x}{not_x}+|{x}|{not_x}+"}[behavior])
    return None


NMT_WORDS = sequence(
    "n", {"type": "Replace", "pattern": {"Regex": "[\\u0001-\\u0008\\u000b\\u000e-\\u001f\\u007f\\u008f\\u009f]"}, "content": ""},
    {"type": "Replace", "content": " ", "pattern": {"Regex": "[\\u0009\\u000a\\u000c\\u000d\\u1680\\u200b-\\u200f\\u2028"
                                                       "\\u2029\\u2581\\ufeff\\ufffd]"}})

# ---- the tokenizers: name -> (tokenizer, ways in which npm's library differs, by their names in README.md, [parts])


def bert_kinds():
    out = {}
    bert = {"type": "BertPreTokenizer"}

    def normalizer(clean, chinese, accents, lowercase):
        return {"type": "BertNormalizer", "clean_text": clean, "handle_chinese_chars": chinese, "strip_accents": accents,
                "lowercase": lowercase}

    model = word_piece(BERT_SPECIAL)
    for name, options in {
        "bert-uncased-small": (True, True, None, True),
        "bert-cased": (True, True, None, False),
        "bert-lower-accents": (True, True, False, True),
        "bert-cased-bare": (True, True, True, False),
        "bert-no-chinese": (True, False, None, True),
        "bert-unclean": (False, True, None, True),
    }.items():
        out[name] = tokenizer(model, normalizer(*options), bert, bert_template(model), specials(model, BERT_SPECIAL)), []
    model = word_piece(BERT_SPECIAL, prefix="@@", max_input_chars_per_word=12)
    cls, sep = (["[CLS]", id_of(model, "[CLS]")], ["[SEP]", id_of(model, "[SEP]")])
    out["bert-processing"] = tokenizer(model, normalizer(True, True, None, True), bert,
                                       {"type": "BertProcessing", "sep": sep, "cls": cls},
                                       specials(model, BERT_SPECIAL)), []
    names = ["<s>", "<unk>", "<pad>", "</s>", "<mask>"]
    model = word_piece(names, unk_token="<unk>")
    out["mpnet"] = tokenizer(model, normalizer(True, True, None, True), bert, s_template(model),
                             specials(model, names, lstrip=True)), []
    return out


def bert_options():
    """Each combination of the BERT normaliser's options, over a model that shows the normalised text."""
    out = {}
    model = code_points()
    for clean, chinese, accents, lower in itertools.product([True, False], [True, False], [None, True, False], [True, False]):
        spec = {"type": "BertNormalizer", "clean_text": clean, "handle_chinese_chars": chinese, "strip_accents": accents,
                "lowercase": lower}
        name = "-".join(["bert-options", "clean" if clean else "unclean", "chinese" if chinese else "no",
                         {None: "default", True: "strip", False: "keep"}[accents], "lower" if lower else "cased"])
        out[name] = tokenizer(model, spec, None, None, [added(0, "<unk>")]), []
    return out


def byte_kinds():
    out = {}

    def byte_level(prefix=False, regex=True):
        return {"type": "ByteLevel", "add_prefix_space": prefix, "trim_offsets": True, "use_regex": regex}

    model = byte_bpe(600, ["<|endoftext|>"])
    post = {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": False, "use_regex": True}
    out["gpt2-small"] = tokenizer(model, None, byte_level(), post, [added(0, "<|endoftext|>", normalized=True)]), []
    out["gpt2-trim"] = tokenizer(model, None, byte_level(), {**post, "trim_offsets": True},
                                 [added(0, "<|endoftext|>", normalized=True)]), []
    old = {k: v for k, v in model.items() if k not in ("type", "byte_fallback", "ignore_merges", "dropout")}
    out["gpt2-old-file"] = tokenizer(old, None, byte_level(True), None, [added(0, "<|endoftext|>")]), []
    names = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    model = byte_bpe(600, names)
    for name, prefix, trim in [("roberta", False, True), ("roberta-prefix", True, True), ("roberta-untrimmed", True, False)]:
        post = {"type": "RobertaProcessing", "sep": ["</s>", 2], "cls": ["<s>", 0], "trim_offsets": trim,
                "add_prefix_space": prefix}
        out[name] = tokenizer(model, None, byte_level(prefix), post, specials(model, names, lstrip=True)), []
    qwen = sequence("p", {"type": "Split", "pattern": {"Regex": QWEN}, "behavior": "Isolated", "invert": False},
                    byte_level(False, False))
    model = byte_bpe(700)
    n = len(model["vocab"])
    tokens = [added(n, "<|endoftext|>"), added(n + 1, "<|im_start|>"), added(n + 2, "<|im_end|>"),
              added(n + 3, "<think>", special=False), added(n + 4, "</think>", special=False)]
    post = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": False, "use_regex": False}
    out["qwen"] = tokenizer(model, {"type": "NFC"}, qwen, post, tokens), []
    ends = template("A <|endoftext|>", "A <|endoftext|> B:1 <|endoftext|>:1", {"<|endoftext|>": n})
    out["qwen-embedding"] = tokenizer(model, {"type": "NFC"}, qwen, sequence("o", post, ends), tokens), []
    gpt2_split = sequence("p", {"type": "Split", "pattern": {"Regex": GPT2}, "behavior": "Isolated", "invert": False},
                          byte_level(False, False))
    out["gpt2-as-split"] = tokenizer(model, None, gpt2_split, None, tokens), []
    model = byte_bpe(650, ["|||IP_ADDRESS|||", "<|padding|>"])
    n = len(model["vocab"])
    tokens = [added(0, "|||IP_ADDRESS|||", special=False, normalized=True), added(1, "<|padding|>")]
    tokens += [added(n + i, " " * (24 - i), special=False, normalized=True) for i in range(23)]
    n += 23
    tokens += [added(n + i, name, lstrip=name == "[MASK]") for i, name in
               enumerate(["[UNK]", "[CLS]", "[SEP]", "[PAD]", "[MASK]"])]
    tokens += [added(n + 5 + i, f"[unused{i}]", special=False, normalized=True) for i in range(3)]
    post = template("[CLS] A [SEP]", "[CLS] A [SEP] B [SEP]", {"[CLS]": n + 1, "[SEP]": n + 2})
    out["modernbert"] = tokenizer(model, {"type": "NFC"}, byte_level(), post, tokens), []
    model = byte_bpe(300)
    for word in ["Ġ" * 300, "Ġrouter", "Ġmodel", "question", "Ġtokenization", "Ġ2024", "ÄĢ"]:
        model["vocab"].setdefault(word, len(model["vocab"]))
    model["ignore_merges"] = True
    out["ignore-merges"] = tokenizer(model, None, byte_level(), None, []), []
    normal = sequence("n", {"type": "NFKC"}, {"type": "ByteLevel"})
    out["byte-normalizer"] = tokenizer(byte_bpe(300), normal, None, None, []), [], {
        "normalizer": {"type": "NFKC"}, "pre_tokenizer": byte_level(False, False)}
    return out


def sentence_kinds():
    out = {}
    spaces = {"type": "Replace", "pattern": {"String": " "}, "content": "\u2581"}
    pieces = {"type": "Split", "pattern": {"String": " "}, "behavior": "MergedWithPrevious", "invert": False}
    names = ["<pad>", "<eos>", "<bos>", "<unk>", "<mask>", "<start_of_turn>", "<end_of_turn>"]
    model = sentence_bpe(600, names)
    tokens = [added(i, name) for i, name in enumerate(names)]
    for merge in (["\n\n", "\n"], ["\u2581\u2581", "\u2581"]):
        model["merges"].append(merge)
        model["vocab"].setdefault("".join(merge), len(model["vocab"]))
    for text in ["\n\n", "\n\n\n", "\u2581\u2581", "\u2581\u2581\u2581"]:
        model["vocab"].setdefault(text, len(model["vocab"]))
        tokens.append(added(id_of(model, text), text, special=False))
    ends = template("<bos> A <eos>", "<bos> A <eos> <bos>:1 B:1 <eos>:1", {"<bos>": 2, "<eos>": 1})
    out["gemma"] = tokenizer(model, spaces, pieces, ends, tokens), []
    out["gemma-plain"] = tokenizer(model, spaces, pieces, None, tokens[:7]), []
    names = ["<unk>", "<s>", "</s>"]
    start = sequence("n", {"type": "Prepend", "prepend": "\u2581"}, spaces)
    model = sentence_bpe(500, names, pairs=False)
    first = template("<s> A", "<s> A <s>:1 B:1", {"<s>": 1})
    tokens = [added(i, name, normalized=False) for i, name in enumerate(names)]
    out["llama"] = tokenizer(model, start, None, first, tokens), []
    model = sentence_bpe(400, names, bytes_=False)
    out["bpe-fused-unknown"] = tokenizer(model, start, {"type": "WhitespaceSplit"}, first, tokens), ["fuses-across-pieces"]
    model = {**model, "fuse_unk": False}
    out["bpe-each-unknown"] = tokenizer(model, start, {"type": "WhitespaceSplit"}, first, tokens), []
    model = {**model, "unk_token": None}
    out["bpe-dropped-unknown"] = tokenizer(model, start, {"type": "WhitespaceSplit"}, None, []), ["dropped-unknown"]

    model = sentence_bpe(500, names)
    model["vocab"] = {token: i for token, i in model["vocab"].items() if token not in FALLBACK[0x83::5]}
    out["bpe-some-bytes"] = tokenizer(model, start, None, first, tokens), []
    model = {**model, "fuse_unk": False}
    out["bpe-some-bytes-each"] = tokenizer(model, spaces, {"type": "WhitespaceSplit"}, first, tokens), []

    vocab = {"<unk>": 0}
    for ch in sorted(set(seed.TEXT) - set("eé\u2581\n")):
        vocab.setdefault(ch, len(vocab))
    model = {"type": "BPE", "unk_token": "<unk>", "fuse_unk": True, "byte_fallback": False, "vocab": vocab, "merges": []}
    out["bpe-no-mark"] = tokenizer(model, spaces, None, None, [added(0, "<unk>")]), ["fuses-across-pieces"]

    words = [list(w[:-1]) + [w[-1] + "</w>"] for w in WORDS]
    vocab, merges = train_bpe(words, 400, ["<unk>"])
    for ch in sorted(set(seed.TEXT)):
        vocab.setdefault(ch, len(vocab))
    model = {"type": "BPE", "unk_token": "<unk>", "end_of_word_suffix": "</w>", "fuse_unk": False, "vocab": vocab,
             "merges": [" ".join(m) for m in merges]}
    out["bpe-suffix"] = tokenizer(model, {"type": "Lowercase"}, {"type": "BertPreTokenizer"}, None, [added(0, "<unk>")]), []
    vocab = {"<unk>": 0}
    for ch in sorted(set(seed.TEXT)):
        vocab.setdefault(ch, len(vocab))
        vocab.setdefault("##" + ch, len(vocab))
    merges = []
    for a, b in [("t", "##h"), ("th", "##e"), ("##e", "##r"), ("##o", "##u"), ("r", "##ou"), ("##t", "##er"), ("rou", "##ter")]:
        merges.append(f"{a} {b}")
        vocab.setdefault(a + b[2:], len(vocab))
    model = {"type": "BPE", "unk_token": "<unk>", "continuing_subword_prefix": "##", "vocab": vocab, "merges": merges}
    out["bpe-prefix"] = tokenizer(model, None, {"type": "BertPreTokenizer"}, None, [added(0, "<unk>")]), ["prefix"]
    return out


def unigram_kinds():
    out = {}
    trained = train_sentencepiece(model_type="unigram", vocab_size=900, normalization_rule_name="nmt_nfkc")
    pieces, charsmap = take_apart(trained)
    pieces = [p for p in pieces if p[0] not in ("<unk>", "<s>", "</s>")]
    map_ = {"type": "Precompiled", "precompiled_charsmap": charsmap}
    always = {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": "always", "split": True}
    right = {"type": "Strip", "strip_left": False, "strip_right": True}
    both = {"type": "Strip", "strip_left": True, "strip_right": True}

    names = ["<s>", "<pad>", "</s>", "<unk>"]
    model = {"type": "Unigram", "unk_id": 3, "vocab": [[n, 0.0] for n in names] + pieces + [["<mask>", 0.0]]}
    tokens = specials(model, names + ["<mask>"], lstrip=True)
    words = sequence("p", {"type": "WhitespaceSplit"}, {"type": "Metaspace", "replacement": "\u2581", "str_rep": "\u2581",
                                                       "add_prefix_space": True})
    out["xlmr"] = tokenizer(model, map_, words, s_template(model), tokens), ["charsmap"]
    out["xlmr-new"] = tokenizer(model, sequence("n", map_, right, NEW_LINES), always, s_template(model), tokens), ["charsmap"]
    names = ["[PAD]", "[CLS]", "[SEP]", "[UNK]"]
    model = {"type": "Unigram", "unk_id": 3, "vocab": [[n, 0.0] for n in names] + pieces, "byte_fallback": False}
    n = len(model["vocab"])
    tokens = [added(0, "[PAD]"), added(1, "[CLS]"), added(2, "[SEP]"), added(3, "[UNK]", normalized=True), added(n, "[MASK]")]
    normal = sequence("n", both, map_, NEW_LINES)
    out["deberta-v3"] = tokenizer(model, normal, always, bert_template(model), tokens), ["charsmap"]
    punct = sequence("p", {"type": "Punctuation", "behavior": "Isolated"}, always)
    out["deberta-v3-punct"] = tokenizer(model, normal, punct, bert_template(model), tokens), ["charsmap"]

    def metaspace(scheme, cut):
        return {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": scheme, "split": cut}

    model = unigram(["<unk>", "<s>", "</s>"])
    tokens = specials(model, ["<unk>", "<s>", "</s>"])
    keep = added(len(model["vocab"]), "<sep>", special=False)
    for scheme, cut in itertools.product(["always", "first", "never"], [True, False]):
        out[f"unigram-{scheme}{'' if cut else '-whole'}"] = (
            tokenizer(model, None, metaspace(scheme, cut), None, tokens + [keep]), [])
    old = {"type": "Metaspace", "replacement": "\u2581", "add_prefix_space": False}
    out["unigram-old-file"] = tokenizer(model, None, old, None, tokens), []
    model = unigram(["<unk>", "<s>", "</s>"], step=0.1)
    out["unigram-near-ties"] = tokenizer(model, None, always, None, tokens), ["near-ties"]
    model = unigram(["<unk>", "<s>", "</s>"], bytes_=True)
    tokens = specials(model, ["<unk>", "<s>", "</s>"])
    out["unigram-bytes"] = tokenizer(model, {"type": "NFKC"}, always, None, tokens), ["unigram-bytes"]
    model = {**model, "vocab": [["<gone%02X>" % i, s] if t in FALLBACK[0x83::5] else [t, s]
                                for i, (t, s) in enumerate(model["vocab"])]}
    out["unigram-some-bytes"] = tokenizer(model, None, metaspace("never", True), None, tokens), ["unigram-bytes"]
    other = {"type": "Metaspace", "replacement": "_", "prepend_scheme": "always", "split": True}
    out["unigram-other-mark"] = tokenizer(unigram(["<unk>"]), map_, other, None, []), ["charsmap"]
    normal = sequence("n", {"type": "Nmt"}, {"type": "NFKC"}, NEW_LINES)
    out["unigram-nmt"] = tokenizer(unigram(["<unk>"]), normal, metaspace("first", True), None, []), ["first-after-deletion"], {
        "normalizer": sequence("n", NMT_WORDS, {"type": "NFKC"}, NEW_LINES)}
    return out


def part_kinds():
    """One component at a time."""
    out = {}
    model = boundaries()
    tokens = specials(model, ["[PAD]", "[UNK]"])

    def pre(name, spec, known=()):
        out[name] = tokenizer(model, None, spec, None, tokens), list(known)

    for behavior, invert in itertools.product(BEHAVIORS, [False, True]):
        spec = {"type": "Split", "pattern": {"String": "e"}, "behavior": behavior, "invert": invert}
        pre(f"split-{behavior}{'-invert' if invert else ''}", spec)
    pre("split-string-2", {"type": "Split", "pattern": {"String": "  "}, "behavior": "MergedWithPrevious", "invert": False})
    for behavior in BEHAVIORS:
        pre(f"punctuation-{behavior}", {"type": "Punctuation", "behavior": behavior})
    pre("digits", {"type": "Digits", "individual_digits": False})
    pre("digits-individual", {"type": "Digits", "individual_digits": True})
    pre("whitespace", {"type": "Whitespace"})
    pre("whitespace-split", {"type": "WhitespaceSplit"})
    level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    pre("split-gpt2", level)
    pre("split-gpt2-prefix", {**level, "add_prefix_space": True})
    pre("split-qwen", sequence("p", {"type": "Split", "pattern": {"Regex": QWEN}, "behavior": "Isolated", "invert": False},
                               {**level, "use_regex": False}))
    pre("char-delimiter", {"type": "CharDelimiterSplit", "delimiter": "-"})
    for scheme in ("always", "first", "never"):
        pre(f"metaspace-other-mark-{scheme}",
            {"type": "Metaspace", "replacement": "e", "prepend_scheme": scheme, "split": scheme != "first"})
    pre("metaspace-first-after-split", sequence("p", {"type": "WhitespaceSplit"},
        {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": "first", "split": True}), ["metaspace-first"])
    pre("digits-then-bert", sequence("p", {"type": "BertPreTokenizer"}, {"type": "Digits", "individual_digits": True}))
    pre("nothing", None)

    points = code_points()

    def norm(name, *specs, known=()):
        spec = specs[0] if len(specs) == 1 else sequence("n", *specs)
        parts = {"normalizer": NMT_WORDS} if spec["type"] == "Nmt" else {}
        out[f"normal-{name}"] = tokenizer(points, spec, None, None, [added(0, "<unk>")]), list(known), parts

    for form in ("NFC", "NFD", "NFKC", "NFKD"):
        norm(form.lower(), {"type": form})
    norm("lowercase", {"type": "Lowercase"})
    norm("accents", {"type": "NFD"}, {"type": "StripAccents"})
    norm("accents-composed", {"type": "StripAccents"}, {"type": "NFC"})
    norm("strip-left", {"type": "Strip", "strip_left": True, "strip_right": False})
    norm("strip-both", {"type": "Strip", "strip_left": True, "strip_right": True})
    norm("nmt", {"type": "Nmt"})
    norm("replace-string", {"type": "Replace", "pattern": {"String": "ee"}, "content": "<two>"},
         {"type": "Replace", "pattern": {"String": "x"}, "content": ""})
    norm("replace-runs", NEW_LINES, {"type": "Replace", "pattern": {"Regex": "\\s+"}, "content": " "})
    norm("replace-lines", {"type": "Replace", "pattern": {"Regex": "\\n"}, "content": " | "},
         {"type": "Replace", "pattern": {"Regex": "\\r"}, "content": ""},
         {"type": "Replace", "pattern": {"Regex": "[\\n\\r\\t\\v\\f]"}, "content": " "})
    norm("prepend", {"type": "Prepend", "prepend": "a\u0301>"})
    norm("strip-then-prepend", {"type": "Strip", "strip_left": True, "strip_right": True},
         {"type": "Prepend", "prepend": "\u2581"}, known=["prepends-to-nothing"])

    words = {}
    for word in ["[UNK]", "[PAD]"] + sorted(set(WORDS)):
        words.setdefault(word, len(words))
    level = {"type": "WordLevel", "vocab": words, "unk_token": "[UNK]"}
    tokens = [added(0, "[UNK]"), added(1, "[PAD]")]
    out["word-level"] = tokenizer(level, None, {"type": "BertPreTokenizer"}, None, tokens), []
    out["word-level-lower"] = tokenizer(level, {"type": "Lowercase"}, {"type": "WhitespaceSplit"}, None, tokens), []
    return out


def added_kinds():
    """Added tokens with every combination of flags, once without and once with a normaliser that changes them."""
    out = {}
    for lower in (False, True):
        model = boundaries()
        n = len(model["vocab"])
        tokens = []
        for i, (single, left, right, normal, special) in enumerate(itertools.product([False, True], repeat=5)):
            tokens.append(added(n + i, f"Flag{i:02d}Q", special, single, left, right, normal))
        n += len(tokens)
        for i, text in enumerate(["  ", "   ", "ab", "abc", "abcd", "bcde", "b c", "Éa", "<x>", "<x><y>"]):
            tokens.append(added(n + i, text, False, normalized=i % 2 == 1))
        name = "added-lower" if lower else "added"
        normal = {"type": "Lowercase"} if lower else None
        out[name] = tokenizer(model, normal, {"type": "BertPreTokenizer"}, None, tokens), ["added-flags"]
    return out


def template_kinds():
    out = {}
    model = byte_bpe(200, ["<a>", "<b>", "<c>", "<d>"])
    tokens = specials(model, ["<a>", "<b>", "<c>", "<d>"])
    level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": False, "use_regex": True}
    several = template("<many> A <b> <b>:1", "<many>:1 B:1 <c>:2 A:3 <many>", {"<many>": [0, 3, 0], "<b>": 1, "<c>": 2})
    out["template-several"] = tokenizer(model, None, level, several, tokens), ["template-ids"]
    out["template-none"] = tokenizer(model, None, level, None, tokens), []
    trimmed = sequence("o", {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True},
                       template("<a> A", "<a> A <b> B:1 <b>:1", {"<a>": 0, "<b>": 1}))
    out["template-trimmed"] = tokenizer(model, None, level, trimmed, tokens), []
    return out


def configured_kinds():
    """Files that say how a tokenizer was last called, which is not read, and which side a tokenizer_config.json cuts."""
    out = {}
    left = {"truncation_side": "left", "model_max_length": 1e30}
    model = word_piece(BERT_SPECIAL)
    normal = {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True, "strip_accents": None,
              "lowercase": True}
    bert = tokenizer(model, normal, {"type": "BertPreTokenizer"}, bert_template(model), specials(model, BERT_SPECIAL))
    out["cut-left"] = bert, [], {}, left
    level = {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True}
    out["cut-left-bytes"] = tokenizer(byte_bpe(300), None, level, {**level, "add_prefix_space": False}, []), [], {}, left
    for side, strategy, multiple in (("Right", {"Fixed": 24}, None), ("Left", "BatchLongest", 8)):
        padding = {"strategy": strategy, "direction": side, "pad_to_multiple_of": multiple, "pad_id": 0, "pad_type_id": 0,
                   "pad_token": "[PAD]"}
        truncation = {"direction": side, "max_length": 4, "strategy": "LongestFirst", "stride": 2}
        out[f"padded-{side.lower()}"] = {**bert, "padding": padding, "truncation": truncation}, []
    return out


def vocab_directories():
    """Directories with a vocab.txt alone: their files, and the tokenizer.json that says the same."""
    def same(vocab, names, after, lower=True, chinese=True, accents=None):
        normal = {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": chinese, "strip_accents": accents,
                  "lowercase": lower}
        model = {"type": "WordPiece", "unk_token": "[UNK]" if "[UNK]" in vocab else "<unk>", "vocab": vocab,
                 "continuing_subword_prefix": "##", "max_input_chars_per_word": 100}
        return tokenizer(model, normal, {"type": "BertPreTokenizer"}, after(model), specials(model, names, lstrip=after is s_template))

    def lines(vocab, end="\n"):
        return end.join(vocab) + end

    def config(**options):
        return json.dumps({"tokenizer_class": "BertTokenizer", "model_max_length": 512, **options})

    bert = word_piece(BERT_SPECIAL)["vocab"]
    names = ["<s>", "<unk>", "<pad>", "</s>", "<mask>"]
    mpnet = word_piece(names, unk_token="<unk>")["vocab"]
    return {
        "vocab-alone": ({"vocab.txt": lines(bert)}, same(bert, BERT_SPECIAL, bert_template)),
        "vocab-windows": ({"vocab.txt": lines(bert, "\r\n"), "tokenizer_config.json": config(do_lower_case=True)},
                          same(bert, BERT_SPECIAL, bert_template)),
        "vocab-cased": ({"vocab.txt": lines(bert), "tokenizer_config.json": config(do_lower_case=False, strip_accents=None)},
                        same(bert, BERT_SPECIAL, bert_template, lower=False)),
        "vocab-options": ({"vocab.txt": lines(bert), "tokenizer_config.json":
                           config(do_lower_case=True, strip_accents=False, tokenize_chinese_chars=False)},
                          same(bert, BERT_SPECIAL, bert_template, chinese=False, accents=False)),
        "vocab-cased-bare": ({"vocab.txt": lines(bert), "tokenizer_config.json": config(
            do_lower_case=False, strip_accents=True, truncation_side="left")},
                             same(bert, BERT_SPECIAL, bert_template, lower=False, accents=True)),
        "vocab-mpnet": ({"vocab.txt": lines(mpnet)}, same(mpnet, names, s_template)),
    }


def sentencepiece_directories(models):
    """Directories with a SentencePiece model under each of its names, and what a configuration may say of it."""
    bytes_, folded = models["sp-bpe-bytes"], models["sp-unigram-folded"]
    cls = train_sentencepiece(model_type="unigram", vocab_size=900, normalization_rule_name="nmt_nfkc",
                              control_symbols=["[CLS]", "[SEP]", "[MASK]"], bos_id=-1, eos_id=-1)
    t5 = train_sentencepiece(model_type="unigram", vocab_size=900, pad_id=0, eos_id=1, unk_id=2, bos_id=-1)
    llama = {"add_bos_token": True, "add_eos_token": False, "legacy": False, "clean_up_tokenization_spaces": False}
    out = {
        "dir-llama": ("tokenizer.model", bytes_, llama),
        "dir-llama-no-config": ("tokenizer.model", bytes_, None),
        "dir-llama-ends": ("tokenizer.model", bytes_, {**llama, "add_eos_token": True}),
        "dir-llama-eos": ("tokenizer.model", bytes_, {"add_bos_token": False, "add_eos_token": True}),
        "dir-llama-bare": ("tokenizer.model", bytes_, {"add_bos_token": False, "add_eos_token": False}),
        "dir-llama-no-space": ("tokenizer.model", bytes_, {**llama, "add_prefix_space": False}),
        "dir-deberta": ("spm.model", cls, {"do_lower_case": False, "vocab_type": "spm"}),
        "dir-t5": ("spiece.model", t5, {"extra_ids": 0}),
        "dir-folded": ("spiece.model", folded, None),
        "dir-xlmr": ("sentencepiece.bpe.model", models["sp-unigram-nfkc"], {"tokenizer_class": "XLMRobertaTokenizer",
                                                                            "do_lower_case": True}),
        "dir-xlmr-bytes": ("sentencepiece.bpe.model", models["sp-unigram-bytes"], None),
        "dir-xlmr-bpe": ("sentencepiece.bpe.model", models["sp-bpe-nfkc"], {"tokenizer_class": "XLMRobertaTokenizerFast"}),
        "dir-xlmr-symbols": ("sentencepiece.bpe.model", models["sp-unigram-symbols"], None),
    }
    return {name: {file: model, **({"tokenizer_config.json": json.dumps(config)} if config else {})}
            for name, (file, model, config) in out.items()}


def sentencepiece_models():
    bpe = {"model_type": "bpe", "vocab_size": 900}
    uni = {"model_type": "unigram", "vocab_size": 900}
    nfkc = {"normalization_rule_name": "nmt_nfkc"}
    identity = {"normalization_rule_name": "identity"}
    return {
        "sp-unigram-nfkc": train_sentencepiece(**uni, **nfkc),
        "sp-unigram-folded": train_sentencepiece(**uni, normalization_rule_name="nmt_nfkc_cf"),
        "sp-unigram-bytes": train_sentencepiece(**uni, **nfkc, byte_fallback=True),
        "sp-unigram-symbols": train_sentencepiece(**uni, **identity, user_defined_symbols=["<sep>", "router"]),
        "sp-bpe-bytes": train_sentencepiece(**bpe, **identity, byte_fallback=True, remove_extra_whitespaces=False),
        "sp-bpe-nfkc": train_sentencepiece(**bpe, **nfkc),
        "sp-bpe-no-prefix": train_sentencepiece(**bpe, **identity, add_dummy_prefix=False),
    }


def published(shared):
    """Tokenizers of SHARED, as index entries; gpt2's tokenizer.json is put together from its vocabulary and merges."""
    out = []
    made = {}
    if os.path.exists(path := os.path.join(shared, "bert-uncased", "tokenizer.json")):
        npm = {"ways": [], "parts": {}}
        out.append({"name": "bert-uncased", "path": os.path.dirname(path), "npm": npm})
        vocab = os.path.join(shared, "bert-uncased", "vocab.txt")
        out.append({"name": "bert-uncased-vocab", "path": vocab, "json": os.path.dirname(path), "npm": npm})
    if os.path.exists(path := os.path.join(shared, "gpt2", "vocab.json")):
        with open(path, encoding="utf-8") as file:
            vocab = json.load(file)
        with open(os.path.join(shared, "gpt2", "merges.txt"), encoding="utf-8") as file:
            merges = [line.rstrip("\n") for line in file if not line.startswith("#version") and line.strip()]
        model = {"type": "BPE", "vocab": vocab, "merges": merges, "unk_token": None, "continuing_subword_prefix": "",
                 "end_of_word_suffix": "", "fuse_unk": False}
        level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
        made["gpt2"] = tokenizer(model, None, level, {**level, "trim_offsets": False},
                                 [added(vocab["<|endoftext|>"], "<|endoftext|>", normalized=True)]), []
    if os.path.exists(path := os.path.join(shared, "llama2", "tokenizer.model")):
        out.append({"name": "llama2", "path": os.path.dirname(path), "sentencepiece": True})
    return out, made


def main():
    directory = sys.argv[1]
    index = []

    def put(name, files):
        folder = os.path.join(directory, name)
        os.makedirs(folder, exist_ok=True)
        for file_name, content in files.items():
            with open(os.path.join(folder, file_name), "wb") as file:
                file.write(content if isinstance(content, bytes) else content.encode("utf-8"))
        return folder

    def parts_of(spec, parts):
        parts = dict(parts or {})
        if "pre_tokenizer" not in parts and (words := in_other_words(spec["pre_tokenizer"])):
            parts["pre_tokenizer"] = words
        return parts

    def write(name, spec, ways, parts=None, config=None):
        files = {"tokenizer.json": json.dumps(spec, ensure_ascii=False)}
        if config:
            files["tokenizer_config.json"] = json.dumps(config)
        index.append({"name": name, "path": put(name, files), "npm": {"ways": ways, "parts": parts_of(spec, parts)}})

    for kinds in (bert_kinds, bert_options, byte_kinds, sentence_kinds, unigram_kinds, part_kinds, added_kinds, template_kinds,
                  configured_kinds):
        for name, entry in kinds().items():
            write(name, *entry)
    for name, (files, spec) in vocab_directories().items():
        beside = {key: value for key, value in files.items() if key == "tokenizer_config.json"}
        same = put(f"{name}/same", {"tokenizer.json": json.dumps(spec, ensure_ascii=False), **beside})
        index.append({"name": name, "path": put(name, files), "json": same, "npm": {"ways": [], "parts": {}}})
    models = sentencepiece_models()
    for name, files in [*((name, {"tokenizer.model": model}) for name, model in models.items()),
                        *sentencepiece_directories(models).items()]:
        index.append({"name": name, "path": put(name, files), "sentencepiece": True})
    if len(sys.argv) > 2:
        entries, made = published(sys.argv[2])
        for name, entry in made.items():
            write(name, *entry)
        index += entries
    with open(os.path.join(directory, "index.json"), "w", encoding="utf-8") as file:
        json.dump(index, file, indent=1)


if __name__ == "__main__":
    main()
