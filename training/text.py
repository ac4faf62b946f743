"""Text as the built-in models see it: normalised, cut into subword tokens, each with its place and its shape.

The same steps as models/trunk/tokenizer.json asks of any tokenizer: NFKC, lower case, white space to one space, none at
the ends, then Unigram pieces. Shapes are of the ORIGINAL characters, which lower case has not yet levelled.
"""
import functools
import json
import os
import pathlib
import re
import struct
import unicodedata

import numpy as np
import sentencepiece

MODEL = pathlib.Path(os.environ.get("VSR_WORK", pathlib.Path(__file__).resolve().parents[1] / "build" / "training")) / "tokenizer.model"
SHIPPED = pathlib.Path(__file__).resolve().parents[1] / "models" / "trunk" / "tokenizer.json"  # where none was trained here
SPACE = "[\t\n\v\f\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+"
SPACES = re.compile(SPACE)
BLANKS = frozenset(c for c in map(chr, range(0x3001)) if SPACES.fullmatch(c))
SHAPES = 16  # times two: tokens that do not begin a word have their own


def lower(text):
    # Letter by letter: a final sigma is like any other.
    return text.replace("\u03a3", "\u03c3").lower()


def normal(text):
    return SPACES.sub(" ", lower(unicodedata.normalize("NFKC", text))).strip(" ")


def field(number, value):
    """One field of a protocol buffer."""
    if isinstance(value, float):
        return bytes([number << 3 | 5]) + struct.pack("<f", value)
    tag = number << 3 | (0 if isinstance(value, int) else 2)
    return varint(tag) + (varint(value) if isinstance(value, int) else varint(len(value)) + value)


def varint(n):
    out = b""
    while n > 127:
        out, n = out + bytes([n & 127 | 128]), n >> 7
    return out + bytes([n])


def model_of(path):
    """The shipped tokenizer.json as a SentencePiece model: Unigram, text taken as it is."""
    vocabulary = json.loads(path.read_text(encoding="utf-8"))["model"]["vocab"]
    body = b"".join(field(1, field(1, piece.encode()) + field(2, float(score)) + field(3, 2 if i == 0 else 1))
                    for i, (piece, score) in enumerate(vocabulary))
    return body + field(2, field(3, 1)) + field(3, field(1, b"identity") + field(3, 1) + field(4, 0) + field(5, 1))


@functools.lru_cache(None)
def pieces():
    if MODEL.exists():
        return sentencepiece.SentencePieceProcessor(model_file=str(MODEL))
    return sentencepiece.SentencePieceProcessor(model_proto=model_of(SHIPPED))


def ids(text):
    return pieces().encode(normal(text))


def ids_of(texts):
    return pieces().encode([normal(t) for t in texts])


def aligned(text):
    """The normalised text and, for each of its characters, the [start, end) of the original ones; then one past the end."""
    if text.isascii():
        chars = [(c.lower(), i, i + 1) for i, c in enumerate(text)]
    else:
        # Clusters that normalisation may join: a starter and what combines with it.
        chars, i = [], 0
        while i < len(text):
            j = i + 1
            while j < len(text) and (unicodedata.combining(text[j]) or unicodedata.category(text[j]) in ("Mn", "Mc")):
                j += 1
            joined = lower(unicodedata.normalize("NFKC", text[i:j]))
            apart = [(c, k, k + 1) for k in range(i, j) for c in lower(unicodedata.normalize("NFKC", text[k]))]
            # Marks that stay by themselves keep their own places; what is composed has those of as many of its parts.
            at = lambda k: min(i + k, j - 1)
            chars += apart if "".join(c for c, _, _ in apart) == joined else [(c, at(k), at(k) + 1) for k, c in enumerate(joined)]
            i = j
    out, places = [], []
    for c, i, j in chars:
        if c in BLANKS:
            if not out:
                continue
            if out[-1] == " ":
                places[-1] = (places[-1][0], j)
                continue
            c = " "
        out.append(c)
        places.append((i, j))
    while out and out[-1] == " ":
        out.pop()
        places.pop()
    return "".join(out), places


def in_script(c):
    return ("\u2e80" <= c <= "\u2fdf" or "\u3005" <= c <= "\u3007" or "\u3041" <= c <= "\u30ff" or "\u31f0" <= c <= "\u31ff"
            or "\u3400" <= c <= "\u9fff" or "\u1100" <= c <= "\u11ff" or "\uac00" <= c <= "\ud7af" or "\uf900" <= c <= "\ufaff"
            or "\uff66" <= c <= "\uff9f" or c >= "\U00020000")


@functools.lru_cache(1 << 16)
def shape(token):
    """The class of a token's original characters; src/text/token_shape.h says the rules."""
    t = SPACES.sub(" ", token).strip(" ")
    if not t:
        return 0
    kinds = [unicodedata.category(c) for c in t]
    digits, letters = kinds.count("Nd"), sum(k[0] == "L" for k in kinds)
    if digits:
        return 1 if digits == len(t) else 2 if letters else 3
    if all(map(in_script, t)):
        return 9
    if letters == len(t):
        upper = [k in ("Lu", "Lt") for k in kinds]
        small = [k == "Ll" for k in kinds]
        if all(upper):
            return 4 if len(t) == 1 else 5
        if upper[0] and all(small[1:]):
            return 6
        if all(small):
            return 8
        return 7 if all(u or s for u, s in zip(upper, small)) else 10
    if set(t) == {"@"}:
        return 11
    if all(c in ".,;:!?" for c in t):
        return 12
    if all(c in "-_/\\" or k == "Pd" for c, k in zip(t, kinds)):
        return 13
    if all(c in "()[]{}<>\"'`" or k in ("Ps", "Pe", "Pi", "Pf") for c, k in zip(t, kinds)):
        return 14
    return 15


def tokens(text):
    """(ids, shapes, starts, ends): places are characters of the text as given, white space in front left out."""
    flat, places = aligned(text)
    found, shapes, starts, ends = [], [], [], []
    at = 0
    marked = "\u2581" + flat.replace(" ", "\u2581")
    sp = pieces()
    for piece, id_ in zip(sp.encode(flat, out_type=str), sp.encode(flat)):
        begins = sp.id_to_piece(id_).startswith("\u2581")  # not so for what is unknown
        n = len(piece)
        lo, hi = at - 1, at - 1 + n  # of flat: the first mark is none of its characters
        at += n
        first = max(lo + piece.startswith("\u2581"), 0)
        if first >= hi:  # the mark alone
            place = places[min(max(lo, 0), len(places) - 1)]
            start, end = place[0], place[0]
        else:
            start, end = places[first][0], places[hi - 1][1]
        found.append(id_)
        shapes.append(shape(text[start:end]) + (0 if begins else SHAPES))
        starts.append(start)
        ends.append(end)
    assert at == len(marked) or not found, (at, len(marked), text)
    return found, shapes, starts, ends


def pad(lists, length=None, fill=0):
    length = length or max((len(x) for x in lists), default=1) or 1
    out = np.full((len(lists), length), fill, np.int64)
    for row, x in zip(out, lists):
        row[: min(len(x), length)] = x[:length]
    return out
