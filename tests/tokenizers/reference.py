#!/usr/bin/env python3
"""A tokenizer that is slow and plain, to check a fast one against.

Reads a tokenizer.json and, line by line, texts; writes ids, byte offsets and token types. Nothing here is clever: a text
is a list of (character, start, end), every step makes a new list, BPE looks for the best pair again after each merge.
Unicode's data are Python's; the two regular expressions are run by Python's `re`, with classes spelt out.

    reference.py FILE [--bare] [--parse-special] [--max N] [--only-first | --only-second] < texts > encodings

FILE may be a directory; then a tokenizer_config.json in it says which side is cut.

Lines in: "text", {"text_b64": ...} or {"a_b64": ..., "b_b64": ...}, the latter two with "options" of their own or
without: {"bare", "parse_special", "tokens_max", "only_first", "only_second"}. Lines out: {"ids", "offsets", "types", "dropped"} or
{"error"}.
"""

import base64
import functools
import json
import os
import re
import struct
import sys
import unicodedata

WHITE_SPACE = set("\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000") | {chr(c) for c in range(0x2000, 0x200B)}


def category(ch):
    return unicodedata.category(ch)


def is_punctuation(ch):
    return ch in "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~" or category(ch)[0] == "P"


def is_number(ch):
    return category(ch)[0] == "N"


OTHER_ALPHABETIC = [(0x24B6, 0x24E9), (0x1F130, 0x1F149), (0x1F150, 0x1F169), (0x1F170, 0x1F189)]  # marks apart


def is_word(ch):
    """\\w: Alphabetic, M, Nd, Pc, Join_Control."""
    kind = category(ch)
    return (kind[0] in "LM" or kind in ("Nl", "Nd", "Pc") or ch in "\u200c\u200d"
            or any(first <= ord(ch) <= last for first, last in OTHER_ALPHABETIC))


# ---- the text with its places: a list of (character, start, end)


def places(text):
    out = []
    at = 0
    for ch in text:
        end = at + len(ch.encode("utf-8"))
        out.append((ch, at, end))
        at = end
    return out


def decode(raw):
    """Each maximal ill-formed part of UTF-8 becomes U+FFFD and keeps its bytes."""
    try:
        return places(raw.decode("utf-8"))
    except UnicodeDecodeError:
        pass
    out = []
    i = 0
    while i < len(raw):
        try:
            for n in (1, 2, 3, 4):
                try:
                    ch = raw[i : i + n].decode("utf-8")
                    break
                except UnicodeDecodeError as err:
                    if n == 4 or i + n >= len(raw) or err.reason != "unexpected end of data":
                        raise
            out.append((ch, i, i + n))
            i += n
        except UnicodeDecodeError as err:
            n = max(1, err.end - err.start)
            out.append(("\ufffd", i, i + n))
            i += n
    return out


def string(chars):
    return "".join(c[0] for c in chars)


def span(chars):
    return (chars[0][1], chars[-1][2])


# ---- normalisers


@functools.cache
def full_decomposition(ch, compatibility):
    code = ord(ch)
    if 0xAC00 <= code <= 0xD7A3:
        code -= 0xAC00
        parts = [0x1100 + code // 588, 0x1161 + code % 588 // 28]
        return [chr(p) for p in parts] + ([chr(0x11A7 + code % 28)] if code % 28 else [])
    how = unicodedata.decomposition(ch).split()
    if not how or (how[0][0] == "<" and not compatibility):
        return [ch]
    return [d for p in how if p[0] != "<" for d in full_decomposition(chr(int(p, 16)), compatibility)]


@functools.cache
def compose_pair(a, b):
    both = unicodedata.normalize("NFC", a + b)
    return both if len(both) == 1 else None


def unicode_form(form, chars):
    """Steps of (character, change): 0 replaces the next old character, 1 is one more, -n swallows n more old ones."""
    steps = []
    for ch, _, _ in chars:
        for i, part in enumerate(full_decomposition(ch, "K" in form)):
            steps.append((part, 1 if i else 0))
    i = 0
    while i < len(steps):
        j = i
        while j < len(steps) and unicodedata.combining(steps[j][0]):
            j += 1
        steps[i:j] = sorted(steps[i:j], key=lambda s: unicodedata.combining(s[0]))
        i = max(j, i + 1)
    if form.endswith("C"):
        out = []
        starter = None
        for ch, change in steps:
            kind = unicodedata.combining(ch)
            blocked = starter is None
            if not blocked and starter != len(out) - 1:
                before = unicodedata.combining(out[-1][0])
                blocked = before == 0 or before >= kind
            both = None if blocked else compose_pair(out[starter][0], ch)
            if both:
                out[starter] = (both, out[starter][1] + change - 1)
                continue
            if kind == 0:
                starter = len(out)
            out.append((ch, change))
        steps = out
    out = []
    at = 0
    for ch, change in steps:
        _, start, end = out[-1] if change > 0 else chars[at]
        out.append((ch, start, end))
        if change <= 0:
            at += 1 - change
    return out


IDEOGRAPHS = [(0x4E00, 0x9FFF), (0x3400, 0x4DBF), (0x20000, 0x2A6DF), (0x2A700, 0x2B73F), (0x2B740, 0x2B81F),
              (0x2B920, 0x2CEAF), (0xF900, 0xFAFF), (0x2F800, 0x2FA1F)]


def bert_normalizer(spec, chars):
    if spec.get("clean_text", True):
        chars = [c for c in chars if c[0] in "\t\n\r" or not (c[0] in "\0\ufffd" or category(c[0]) in ("Cc", "Cf", "Co"))]
        chars = [(" " if c[0] in WHITE_SPACE else c[0], c[1], c[2]) for c in chars]
    if spec.get("handle_chinese_chars", True):
        out = []
        for ch, start, end in chars:
            if any(first <= ord(ch) <= last for first, last in IDEOGRAPHS):
                out += [(" ", start, end), (ch, start, end), (" ", start, end)]
            else:
                out.append((ch, start, end))
        chars = out
    lowercase = spec.get("lowercase", True)
    strip = spec.get("strip_accents")
    if lowercase if strip is None else strip:
        chars = [c for c in unicode_form("NFD", chars) if category(c[0]) != "Mn"]
    if lowercase:
        chars = lower(chars)
    return chars


def lower(chars):
    return [(part, start, end) for ch, start, end in chars for part in ch.lower()]


def string_matches(text, pattern):
    out = []
    at = text.find(pattern)
    while at >= 0:
        out.append((at, at + len(pattern)))
        at = text.find(pattern, at + len(pattern))
    return out


SPACE_CLASS = "".join("\\u%04x" % ord(c) for c in sorted(WHITE_SPACE))


def regex_matches(text, pattern):
    pattern = re.sub(r"\\s(?![^\[]*\])", lambda _: "[" + SPACE_CLASS + "]", pattern)
    return [m.span() for m in re.finditer(pattern, text)]


def replace(spec, chars):
    pattern = spec["pattern"]
    text = string(chars)
    spans = string_matches(text, pattern["String"]) if "String" in pattern else regex_matches(text, pattern["Regex"])
    out = []
    at = 0
    for start, end in spans:
        out += chars[at:start]
        out += [(ch, chars[end - 1][1], chars[end - 1][2]) for ch in spec["content"]]
        at = end
    return out + chars[at:]


def prepend(chars, text):
    if not chars:
        return chars
    return [(ch, chars[0][1], chars[0][2]) for ch in text] + chars


class Charsmap:
    """SentencePiece's table of replacements: a double array over bytes, then NUL-terminated strings."""

    def __init__(self, blob):
        size = struct.unpack_from("<I", blob)[0]
        self.units = struct.unpack_from("<%dI" % (size // 4), blob, 4)
        self.pool = blob[4 + size :]
        self.known = {}

    def transform(self, text):
        if text not in self.known:
            self.known[text] = self.look_up(text.encode("utf-8"))
        return self.known[text]

    def look_up(self, key):
        def offset(unit):
            return (unit >> 10) << ((unit & 0x200) >> 6)

        at = offset(self.units[0])
        for byte in key:
            if byte == 0:
                return None
            at ^= byte
            unit = self.units[at]
            if unit & 0x800000FF != byte:
                return None
            at ^= offset(unit)
            if unit & 0x100:
                start = self.units[at] & 0x7FFFFFFF
                return self.pool[start : self.pool.index(b"\0", start)].decode("utf-8")
        return None


NOT_SPACING = [(0x102B, 0x102C), (0x1038, 0x1038), (0x1062, 0x1064), (0x1067, 0x106D), (0x1083, 0x1083),
               (0x1087, 0x108C), (0x108F, 0x108F), (0x109A, 0x109C), (0x1A61, 0x1A61), (0x1A63, 0x1A64),
               (0xAA7B, 0xAA7B), (0xAA7D, 0xAA7D), (0x11720, 0x11721)]
PREPENDED = [(0x600, 0x605), (0x6DD, 0x6DD), (0x70F, 0x70F), (0x890, 0x891), (0x8E2, 0x8E2), (0xD4E, 0xD4E),
             (0x110BD, 0x110BD), (0x110CD, 0x110CD), (0x111C2, 0x111C3), (0x1193F, 0x1193F), (0x11941, 0x11941),
             (0x11A3A, 0x11A3A), (0x11A84, 0x11A89), (0x11D46, 0x11D46)]


def within(ch, ranges):
    return any(first <= ord(ch) <= last for first, last in ranges)


def joins(before, ch):
    """Whether an extended grapheme cluster goes on. Pairs that need 6 bytes (Hangul, flags, emoji) do not matter here."""
    def control(c):
        return (category(c) in ("Cc", "Zl", "Zp", "Cf") and c not in "\u200c\u200d" and not within(c, PREPENDED)
                and not 0xE0020 <= ord(c) <= 0xE007F)

    if before == "\r" and ch == "\n":
        return True
    if control(before) or control(ch):
        return False
    if category(ch)[0] == "M" and not within(ch, NOT_SPACING):
        return True
    if ch in "\u200c\u200d\u0e33\u0eb3\uff9e\uff9f" or within(ch, [(0x1F3FB, 0x1F3FF), (0xE0020, 0xE007F)]):
        return True
    return within(before, PREPENDED)


def clusters(chars):
    out = []
    for c in chars:
        if out and joins(out[-1][-1][0], c[0]):
            out[-1].append(c)
        else:
            out.append([c])
    return out


def precompiled(charsmap, chars):
    def put(old, new):
        for i, ch in enumerate(new):
            _, start, end = old[min(i, len(old) - 1)]
            out.append((ch, start, end))

    out = []
    for cluster in clusters(chars):
        text = string(cluster)
        new = charsmap.transform(text) if len(text.encode("utf-8")) < 6 else None
        if new is not None:
            put(cluster, new)
            continue
        for c in cluster:
            new = charsmap.transform(c[0])
            put([c], c[0] if new is None else new)
    return out


NMT_DELETED = set(range(0x01, 0x09)) | {0x0B} | set(range(0x0E, 0x20)) | {0x7F, 0x8F, 0x9F}
NMT_SPACE = {0x09, 0x0A, 0x0C, 0x0D, 0x1680, 0x2028, 0x2029, 0x2581, 0xFEFF, 0xFFFD} | set(range(0x200B, 0x2010))


def nmt(chars):
    return [(" " if ord(c[0]) in NMT_SPACE else c[0], c[1], c[2]) for c in chars if ord(c[0]) not in NMT_DELETED]


def byte_alphabet():
    plain = [b for b in range(256) if 33 <= b <= 126 or 161 <= b <= 172 or 174 <= b <= 255]
    rest = [b for b in range(256) if b not in plain]
    return {**{b: chr(b) for b in plain}, **{b: chr(0x100 + i) for i, b in enumerate(rest)}}


BYTE_ALPHABET = byte_alphabet()


def byte_level(chars):
    return [(BYTE_ALPHABET[b], start, end) for ch, start, end in chars for b in ch.encode("utf-8")]


def strip(chars, left, right):
    first, last = 0, len(chars)
    while left and first < last and chars[first][0] in WHITE_SPACE:
        first += 1
    while right and last > first and chars[last - 1][0] in WHITE_SPACE:
        last -= 1
    return chars[first:last]


def make_normalizer(spec):
    if spec is None:
        return lambda chars: chars
    kind = spec["type"]
    if kind == "Sequence":
        steps = [make_normalizer(s) for s in spec["normalizers"]]

        def sequence(chars):
            for step in steps:
                chars = step(chars)
            return chars

        return sequence
    if kind == "Precompiled":
        charsmap = Charsmap(base64.b64decode(spec["precompiled_charsmap"]))
        return lambda chars: precompiled(charsmap, chars)
    return {
        "BertNormalizer": lambda chars: bert_normalizer(spec, chars),
        "NFC": lambda chars: unicode_form("NFC", chars),
        "NFD": lambda chars: unicode_form("NFD", chars),
        "NFKC": lambda chars: unicode_form("NFKC", chars),
        "NFKD": lambda chars: unicode_form("NFKD", chars),
        "Lowercase": lower,
        "StripAccents": lambda chars: [c for c in chars if category(c[0])[0] != "M"],
        "Strip": lambda chars: strip(chars, spec.get("strip_left", True), spec.get("strip_right", True)),
        "Replace": lambda chars: replace(spec, chars),
        "Prepend": lambda chars: prepend(chars, spec["prepend"]),
        "Nmt": nmt,
        "ByteLevel": byte_level,
    }[kind]


# ---- pre-tokenisers: from pieces to pieces


def split(chars, spans, behavior, invert=False):
    parts = []  # (characters, whether it is a match)
    at = 0
    for start, end in spans:
        if start > at:
            parts.append((chars[at:start], invert))
        if end > start:
            parts.append((chars[start:end], not invert))
        at = end
    if at < len(chars):
        parts.append((chars[at:], invert))
    if behavior == "Removed":
        return [part for part, match in parts if not match]
    if behavior == "Isolated":
        return [part for part, _ in parts]
    out = []
    previous = None
    if behavior == "Contiguous":
        for part, match in parts:
            if out and previous == match:
                out[-1] = out[-1] + part
            else:
                out.append(part)
            previous = match
        return out
    assert behavior in ("MergedWithPrevious", "MergedWithNext"), behavior
    forward = behavior == "MergedWithPrevious"
    previous = False
    for part, match in parts if forward else reversed(parts):
        if match and not previous and out:
            out[-1] = out[-1] + part if forward else part + out[-1]
        else:
            out.append(part)
        previous = match
    return out if forward else out[::-1]


def single_matches(chars, test):
    return [(i, i + 1) for i, c in enumerate(chars) if test(c[0])]


def class_of(major):
    ranges = []
    for code in range(0x40000):  # there are no letters and numbers past this
        if category(chr(code))[0] != major:
            continue
        if ranges and ranges[-1][1] == code - 1:
            ranges[-1][1] = code
        else:
            ranges.append([code, code])
    return "".join("\\U%08x-\\U%08x" % (a, b) for a, b in ranges)


GPT2 = r"""'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"""
QWEN = (r"""(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"""
        r"""|\s*[\r\n]+|\s+(?!\S)|\s+""")
compiled = {}


def pattern_spans(text, pattern):
    """Runs one of the two patterns; Python's own engine, the classes spelt out. (?i: folds ASCII and U+017F.)"""
    if pattern not in compiled:
        letters, numbers = class_of("L"), class_of("N")
        written = pattern.replace("[^\\s", "[^" + SPACE_CLASS).replace("\\S", "[^" + SPACE_CLASS + "]")
        written = written.replace("(?i:'s|", "(?:'[sS\u017f]|").replace("|'t|'re|'ve|'m|'ll|'d)",
                                                                       "|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])")
        written = written.replace("\\s", "[" + SPACE_CLASS + "]")
        for name, inside in (("\\p{L}", letters), ("\\p{N}", numbers)):
            written = re.sub(r"(\[[^\]]*)" + re.escape(name), lambda m, inside=inside: m.group(1) + inside, written)
            written = written.replace(name, "[" + inside + "]")
        compiled[pattern] = re.compile(written)
    return [m.span() for m in compiled[pattern].finditer(text)]


def make_pre_tokenizer(spec):
    """A function from one piece to pieces."""
    if spec is None:
        return lambda piece: [piece]
    kind = spec["type"]
    if kind == "Sequence":
        steps = [make_pre_tokenizer(s) for s in spec["pretokenizers"]]

        def sequence(piece):
            pieces = [piece]
            for step in steps:
                pieces = [out for p in pieces for out in step(p) if out]
            return pieces

        return sequence

    def bert(piece):
        words = split(piece, single_matches(piece, lambda ch: ch in WHITE_SPACE), "Removed")
        return [out for word in words for out in split(word, single_matches(word, is_punctuation), "Isolated")]

    def whitespace(piece):
        out = []
        kind_before = None
        for c in piece:
            kind = "space" if c[0] in WHITE_SPACE else "word" if is_word(c[0]) else "other"
            if kind != "space":
                if kind == kind_before:
                    out[-1].append(c)
                else:
                    out.append([c])
            kind_before = kind
        return out

    def metaspace(piece):
        mark = spec.get("replacement", "\u2581")
        scheme = spec.get("prepend_scheme")
        if scheme is None:
            scheme = "always" if spec.get("add_prefix_space", True) else "never"
        piece = [(mark if c[0] == " " else c[0], c[1], c[2]) for c in piece]
        if piece and piece[0][0] != mark and (scheme == "always" or (scheme == "first" and piece[0][1] == 0)):
            piece = prepend(piece, mark)
        if not spec.get("split", True):
            return [piece]
        return split(piece, single_matches(piece, lambda ch: ch == mark), "MergedWithNext")

    def bytes_(piece):
        if spec.get("add_prefix_space", True) and piece and piece[0][0] != " ":
            piece = prepend(piece, " ")
        pieces = [piece]
        if spec.get("use_regex", True):
            pieces = split(piece, pattern_spans(string(piece), GPT2), "Isolated")
        return [byte_level(p) for p in pieces]

    def by_pattern(piece):
        pattern = spec["pattern"]
        text = string(piece)
        spans = string_matches(text, pattern["String"]) if "String" in pattern else pattern_spans(text, pattern["Regex"])
        return split(piece, spans, spec["behavior"], spec.get("invert", False))

    return {
        "BertPreTokenizer": bert,
        "Whitespace": whitespace,
        "WhitespaceSplit": lambda p: split(p, single_matches(p, lambda ch: ch in WHITE_SPACE), "Removed"),
        "Punctuation": lambda p: split(p, single_matches(p, is_punctuation), spec.get("behavior", "Isolated")),
        "Digits": lambda p: split(p, single_matches(p, is_number),
                                  "Isolated" if spec.get("individual_digits") else "Contiguous"),
        "CharDelimiterSplit": lambda p: split(p, single_matches(p, lambda ch: ch == spec["delimiter"]), "Removed"),
        "Metaspace": metaspace,
        "ByteLevel": bytes_,
        "Split": by_pattern,
    }[kind]


# ---- models: from a piece to tokens (id, start, end)


class WordPiece:
    def __init__(self, spec, special):
        self.vocab = {token: i for token, i in spec["vocab"].items() if token not in special}
        self.unk = spec["vocab"][spec["unk_token"]]
        self.prefix = spec.get("continuing_subword_prefix", "##")
        self.chars_max = spec.get("max_input_chars_per_word", 100)
        self.longest = max(map(len, self.vocab))

    def encode(self, piece):
        unknown = [(self.unk, *span(piece))]
        if len(piece) > self.chars_max:
            return unknown
        out = []
        at = 0
        while at < len(piece):
            for end in range(min(len(piece), at + self.longest), at, -1):
                token = (self.prefix if at else "") + string(piece[at:end])
                if token in self.vocab:
                    break
            else:
                return unknown
            out.append((self.vocab[token], *span(piece[at:end])))
            at = end
        return out


class WordLevel:
    def __init__(self, spec, special):
        self.vocab = {token: i for token, i in spec["vocab"].items() if token not in special}
        self.unk = spec["vocab"][spec["unk_token"]]

    def encode(self, piece):
        return [(self.vocab.get(string(piece), self.unk), *span(piece))]


class Bpe:
    def __init__(self, spec, special):
        self.vocab = spec["vocab"]
        self.special = special
        self.byte_fallback = spec.get("byte_fallback", False)
        self.fuse_unk = spec.get("fuse_unk", False)
        self.ignore_merges = spec.get("ignore_merges", False)
        self.prefix = spec.get("continuing_subword_prefix") or ""
        self.suffix = spec.get("end_of_word_suffix") or ""
        self.unk = self.vocab.get(spec.get("unk_token")) if spec.get("unk_token") is not None else None
        self.ranks = {}
        for rank, merge in enumerate(spec["merges"]):
            a, b = merge.split(" ") if isinstance(merge, str) else merge
            self.ranks[(self.vocab[a], self.vocab[b])] = (rank, self.vocab[a + b[len(self.prefix) :]])

    def encode(self, piece):
        text = string(piece)
        if self.ignore_merges and text in self.vocab and text not in self.special:
            return [(self.vocab[text], *span(piece))]
        symbols = []  # (id, start, end, whether it stands for something unknown)
        for i, c in enumerate(piece):
            written = (self.prefix if i else "") + c[0] + (self.suffix if i == len(piece) - 1 else "")
            codes = ["<0x%02X>" % b for b in written.encode("utf-8")]
            if written in self.vocab:
                symbols.append((self.vocab[written], c[1], c[2], False))
            elif self.byte_fallback and all(code in self.vocab for code in codes):
                symbols += [(self.vocab[code], c[1], c[2], False) for code in codes]
            elif self.unk is not None:
                if self.fuse_unk and symbols and symbols[-1][3]:
                    symbols[-1] = (self.unk, symbols[-1][1], c[2], True)
                else:
                    symbols.append((self.unk, c[1], c[2], True))
        while True:
            best = None
            for i in range(len(symbols) - 1):
                found = self.ranks.get((symbols[i][0], symbols[i + 1][0]))
                if found and (best is None or found[0] < best[0]):
                    best = (found[0], i, found[1])
            if best is None:
                return [s[:3] for s in symbols]
            _, i, token = best
            symbols[i : i + 2] = [(token, symbols[i][1], symbols[i + 1][2], False)]


class Unigram:
    def __init__(self, spec, special):
        pieces = spec["vocab"]
        self.unk = spec.get("unk_id")
        self.byte_fallback = spec.get("byte_fallback", False)
        self.all = {piece: i for i, (piece, _) in enumerate(pieces)}
        self.vocab = {piece: i for piece, i in self.all.items() if piece not in special}
        self.scores = [score for _, score in pieces]
        self.unk_score = min(self.scores) - 10
        self.longest = max(len(piece) for piece, _ in pieces)

    def encode(self, piece):
        n = len(piece)
        text = string(piece)
        best = [None] * (n + 1)  # (score, from, id)
        best[0] = (0.0, None, None)
        for s in range(n):
            found = [(e, self.vocab[text[s:e]]) for e in range(s + 1, min(n, s + self.longest) + 1) if text[s:e] in self.vocab]
            edges = [(e, token, self.scores[token]) for e, token in found]
            if not any(e == s + 1 for e, _ in found):
                edges.append((s + 1, None, self.unk_score))
            for e, token, score in edges:
                score += best[s][0]
                if best[e] is None or score > best[e][0]:
                    best[e] = (score, s, token)
        strings = []  # (from, to, id or None)
        at = n
        while at > 0:
            _, start, token = best[at]
            if token is None and strings and strings[-1][2] is None:
                strings[-1] = (start, strings[-1][1], None)
            else:
                strings.append((start, at, token))
            at = start
        out = []
        for start, end, _ in reversed(strings):
            place = span(piece[start:end])
            codes = ["<0x%02X>" % b for b in text[start:end].encode("utf-8")]
            if text[start:end] in self.vocab:
                out.append((self.vocab[text[start:end]], *place))
            elif self.byte_fallback and all(code in self.all for code in codes):
                out += [(self.all[code], *place) for code in codes]
            else:
                out.append((self.unk, *place))
        return out


# ---- added tokens


def find_added(chars, tokens):
    """[(characters, None) or (characters, token)]; leftmost, then longest."""
    text = string(chars)
    tokens = [t for t in tokens if t[0] in text]
    if not tokens:
        return [(chars, None)] if chars else []
    out = []
    at = 0  # where the text not yet given out begins
    i = 0
    while i < len(text):
        found = max((t for t in tokens if text.startswith(t[0], i)), key=lambda t: len(t[0]), default=None)
        if found is None:
            i += 1
            continue
        start, end = i, i + len(found[0])
        i = end
        token = found[1]
        if token.get("single_word"):
            if (start > 0 and is_word(text[start - 1])) or (end < len(text) and is_word(text[end])):
                continue
        if token.get("lstrip"):
            while start > at and text[start - 1] in WHITE_SPACE:
                start -= 1
        if token.get("rstrip"):
            while end < len(text) and text[end] in WHITE_SPACE:
                end += 1
        if start > at:
            out.append((chars[at:start], None))
        out.append((chars[start:end], token))
        at = end
    if at < len(text):
        out.append((chars[at:], None))
    return out


# ---- the whole


class TooLong(Exception):
    pass


class Tokenizer:
    def __init__(self, spec, parse_special, cuts_left):
        self.cuts_left = cuts_left
        self.normalize = make_normalizer(spec.get("normalizer"))
        self.pre_tokenize = make_pre_tokenizer(spec.get("pre_tokenizer"))
        self.post = spec.get("post_processor")
        added = [t for t in spec.get("added_tokens") or [] if t["content"]]
        special = {t["content"] for t in added if t["special"]}
        if not parse_special:
            added = [t for t in added if not t["special"]]
        self.raw = [(t["content"], t) for t in added if not t["normalized"]]
        self.normalized = []
        for token in added:
            if token["normalized"]:
                content = string(self.normalize([(ch, 0, 0) for ch in token["content"]]))
                if content:
                    self.normalized.append((content, token))
        model = spec["model"]
        kind = model.get("type") or ("BPE" if "merges" in model else "?")
        special = set() if parse_special else special
        self.model = {"WordPiece": WordPiece, "WordLevel": WordLevel, "BPE": Bpe, "Unigram": Unigram}[kind](model, special)
        self.ids = {piece: i for i, (piece, _) in enumerate(model["vocab"])} if kind == "Unigram" else dict(model["vocab"])
        self.ids.update({t["content"]: t["id"] for t in spec.get("added_tokens") or []})
        self.names = {i: token for token, i in self.ids.items()}
        self.processors = self.post["processors"] if self.post and self.post["type"] == "Sequence" else [self.post]

    def encode_text(self, raw):
        out = []
        for chars, token in find_added(decode(raw), self.raw):
            if token:
                out.append((token["id"], *span(chars)))
                continue
            for piece, token in find_added(self.normalize(chars), self.normalized):
                if token:
                    out.append((token["id"], *span(piece)))
                    continue
                for word in self.pre_tokenize(piece):
                    if word:
                        out += self.model.encode(word)
        return out

    def trim(self, tokens, spec):
        """trim_offsets: whitespace of a token, as its bytes are written, is not its place."""
        out = []
        for i, (token, start, end) in enumerate(tokens):
            text = self.names[token]
            leading = len(text) - len(text.lstrip("\u0120" + SPACES))
            trailing = len(text) - len(text.rstrip("\u0120" + SPACES))
            if leading == 1 and (i == 0 or start == 0) and spec.get("add_prefix_space", True):
                leading = 0
            start = min(start + leading, end)
            end = max(end - trailing, start)
            out.append((token, start, end))
        return out

    def template(self, pair):
        """Items of the template: (sequence 0 or 1, type) or ([ids], type); None where there is none."""
        for spec in self.processors:
            if spec is None:
                continue
            if spec["type"] == "TemplateProcessing":
                out = []
                for item in spec["pair" if pair else "single"]:
                    if "Sequence" in item:
                        out.append(("AB".index(item["Sequence"]["id"]), item["Sequence"]["type_id"]))
                    else:
                        token = spec["special_tokens"][item["SpecialToken"]["id"]]
                        out.append((token["ids"], item["SpecialToken"]["type_id"]))
                return out
            if spec["type"] == "BertProcessing":
                cls, sep = [spec["cls"][1]], [spec["sep"][1]]
                return [(cls, 0), (0, 0), (sep, 0)] + ([(1, 1), (sep, 1)] if pair else [])
            if spec["type"] == "RobertaProcessing":
                cls, sep = [spec["cls"][1]], [spec["sep"][1]]
                return [(cls, 0), (0, 0), (sep, 0)] + ([(sep, 0), (1, 0), (sep, 0)] if pair else [])
        return [(0, 0)] + ([(1, 1)] if pair else [])

    def encode(self, texts, bare=False, tokens_max=0, only_first=False, only_second=False):
        sequences = [self.encode_text(t) for t in texts]
        template = self.template(len(texts) > 1)
        if bare:
            template = [item for item in template if isinstance(item[0], int)]
        whole = sum(len(s) for s in sequences)
        if tokens_max:
            room = tokens_max - sum(len(item[0]) for item in template if not isinstance(item[0], int))
            if room < 0:
                raise TooLong
            kept = kept_lengths([len(s) for s in sequences], room, 0 if only_first else 1 if only_second else None)
            sequences = [s[len(s) - n :] if self.cuts_left else s[:n] for s, n in zip(sequences, kept)]
        dropped = whole - sum(len(s) for s in sequences)
        for spec in self.processors:
            if spec and spec["type"] in ("ByteLevel", "RobertaProcessing") and spec.get("trim_offsets", True):
                sequences = [self.trim(s, spec) for s in sequences]
        out = {"ids": [], "offsets": [], "types": [], "dropped": dropped}
        for item, kind in template:
            tokens = sequences[item] if isinstance(item, int) else [(i, 0, 0) for i in item]
            out["ids"] += [t[0] for t in tokens]
            out["offsets"] += [list(t[1:]) for t in tokens]
            out["types"] += [kind] * len(tokens)
        return out


SPACES = "".join(sorted(WHITE_SPACE))


def kept_lengths(lengths, room, only):
    """How many tokens of each sequence stay. `only`: the one that gives way, None: the longer one first."""
    excess = sum(lengths) - room
    if excess <= 0:
        return lengths
    if len(lengths) == 1:
        return [room]
    if only is not None:
        if lengths[only] <= excess:
            raise TooLong
        return [n - excess if i == only else n for i, n in enumerate(lengths)]
    swapped = lengths[0] > lengths[1]
    n1, n2 = sorted(lengths)
    n2 = n1 if n1 > room else max(n1, room - n1)
    if n1 + n2 > room:
        n1 = room // 2
        n2 = n1 + room % 2
    return [n2, n1] if swapped else [n1, n2]


def texts_of(line):
    if isinstance(line, str):
        return [line.encode("utf-8")]
    return [base64.b64decode(line[key]) for key in ("text_b64", "a_b64", "b_b64") if key in line]


def main():
    args = sys.argv[1:]
    path = args.pop(0)
    cuts_left = False
    if os.path.isdir(path):
        config = os.path.join(path, "tokenizer_config.json")
        path = os.path.join(path, "tokenizer.json")
        if os.path.exists(config):
            with open(config, encoding="utf-8") as file:
                cuts_left = json.load(file).get("truncation_side") == "left"
    options = {}
    while args:
        arg = args.pop(0)
        if arg in ("--bare", "--parse-special", "--only-first", "--only-second"):
            options[arg[2:].replace("-", "_")] = True
        elif arg == "--max":
            options["tokens_max"] = int(args.pop(0))
        else:
            sys.exit(f"reference.py: unknown option {arg}")
    with open(path, encoding="utf-8") as file:
        spec = json.load(file)
    made = {}
    for line in sys.stdin.buffer:
        line = json.loads(line)
        chosen = {**options, **(line.get("options", {}) if isinstance(line, dict) else {})}
        special = chosen.pop("parse_special", False)
        if special not in made:
            made[special] = Tokenizer(spec, special, cuts_left)
        try:
            result = made[special].encode(texts_of(line), **chosen)
        except TooLong:
            result = {"error": "too long"}
        print(json.dumps(result, separators=(",", ":")))


if __name__ == "__main__":
    main()
