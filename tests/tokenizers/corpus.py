#!/usr/bin/env python3
"""Texts to tokenize: corpus.py N > texts.jsonl. The same N gives the same texts, and the first ones of a longer run are
not those of a shorter one but drawn in the same way, so that a small sample has every kind.

A line is {"text_b64", "kind"}, or {"a_b64", "b_b64", "kind": "pair"}. `special` texts spell special tokens, `broken` ones
are not UTF-8; the others hold only characters that Python's Unicode knows or that will never be assigned, because
libraries of different age differ on the rest.
"""

import base64
import json
import random
import sys
import unicodedata

import seed
from reference import WHITE_SPACE

SPECIAL = ["[CLS]", "[SEP]", "[MASK]", "[PAD]", "[UNK]", "<s>", "</s>", "<unk>", "<pad>", "<mask>", "<bos>", "<eos>",
           "<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|padding|>", "<start_of_turn>", "<end_of_turn>", "<a>", "<b>",
           "<c>", "<d>"] + [f"Flag{i:02d}Q" for i in range(1, 32, 2)]
# Not special: they are tokens in any text.
ORDINARY = ["<think>", "</think>", "|||IP_ADDRESS|||", "[unused0]", "[unused2]", "<sep>", "router", "  ", "   ", "\n\n",
            "\u2581\u2581", "ab", "abc", "abcd", "bcde", "b c", "\u00c9a", "\u00e9a", "<x>", "<x><y>", "flag02q"]
ORDINARY += [f"Flag{i:02d}Q" for i in range(0, 32, 2)]

BLOCKS = [  # (first, last): every script, whatever of it is assigned
    (0x0, 0x7F), (0x80, 0x24F), (0x250, 0x2FF), (0x300, 0x36F), (0x370, 0x3FF), (0x400, 0x52F), (0x530, 0x58F),
    (0x590, 0x5FF), (0x600, 0x6FF), (0x700, 0x7BF), (0x7C0, 0x8FF), (0x900, 0x97F), (0x980, 0xA7F), (0xA80, 0xB7F),
    (0xB80, 0xC7F), (0xC80, 0xD7F), (0xD80, 0xDFF), (0xE00, 0xEFF), (0xF00, 0xFFF), (0x1000, 0x109F), (0x10A0, 0x10FF),
    (0x1100, 0x11FF), (0x1200, 0x139F), (0x13A0, 0x167F), (0x1680, 0x177F), (0x1780, 0x18AF), (0x1900, 0x1AFF),
    (0x1B00, 0x1CFF), (0x1D00, 0x1DFF), (0x1E00, 0x1EFF), (0x1F00, 0x1FFF), (0x2000, 0x206F), (0x2070, 0x20CF),
    (0x20D0, 0x20FF), (0x2100, 0x218F), (0x2190, 0x23FF), (0x2400, 0x24FF), (0x2500, 0x27BF), (0x27C0, 0x2BFF),
    (0x2C00, 0x2DFF), (0x2E00, 0x2FDF), (0x2FF0, 0x303F), (0x3040, 0x30FF), (0x3100, 0x31FF), (0x3200, 0x33FF),
    (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xA000, 0xA4CF), (0xA4D0, 0xA7FF), (0xA800, 0xA8FF), (0xA900, 0xABFF),
    (0xAC00, 0xD7A3), (0xD7B0, 0xD7FF), (0xE000, 0xF8FF), (0xF900, 0xFAFF), (0xFB00, 0xFDFF), (0xFE00, 0xFE6F),
    (0xFE70, 0xFEFF), (0xFF00, 0xFFEF), (0xFFF0, 0xFFFD), (0x10000, 0x101FF), (0x10280, 0x105FF), (0x10600, 0x10FFF),
    (0x11000, 0x11FFF), (0x12000, 0x1254F), (0x13000, 0x1342F), (0x16800, 0x16FFF), (0x17000, 0x18AFF), (0x1B000, 0x1B2FF),
    (0x1BC00, 0x1BCAF), (0x1D000, 0x1D24F), (0x1D300, 0x1D7FF), (0x1E000, 0x1EEFF), (0x1F000, 0x1F2FF), (0x1F300, 0x1F64F),
    (0x1F680, 0x1FAFF), (0x20000, 0x2A6DF), (0x2A700, 0x2EBEF), (0x2F800, 0x2FA1F), (0x30000, 0x3134A), (0xE0000, 0xE01EF),
    (0xF0000, 0xFFFFD), (0x100000, 0x10FFFD),
]
NEVER_ASSIGNED = {0xFFFE, 0xFFFF, 0x1FFFE, 0xFDD0, 0x10FFFF}
MARKS = [chr(c) for c in (0x300, 0x301, 0x302, 0x303, 0x308, 0x30A, 0x316, 0x323, 0x327, 0x328, 0x332, 0x345, 0x35C,
                          0x3099, 0x309A, 0x5B4, 0x5B7, 0x64B, 0x651, 0x93C, 0x94D, 0x9BE, 0xE31, 0xE49, 0xFB0, 0x1DC4,
                          0x20DD, 0xFE0F, 0x302E, 0x1D165)]
SPACES = sorted(WHITE_SPACE) + ["\u200b", "\u200c", "\u200d", "\u2060", "\ufeff", "\u180e", "\u2581", "\u00ad"]
EMOJI = ["😀", "👍", "👩", "👨", "👧", "💻", "❤", "🏳", "🌈", "🇩", "🇪", "🇫", "🏴", "☕", "1", "#", "🤦"]
JOINERS = ["\u200d", "\ufe0f", "\u20e3", "🏽", "🏿", "\U000e0067", "\U000e007f"]

# In every sample, however small: one text for each rule that chance might miss.
SHARP = [
    "", " ", "\0", "a\0b\0", "\u2581", "\ufffd",
    *[f"x{a}y{b}{a} {b}z{a}" for a, b in zip(SPACES[::2], SPACES[1::2] + ["\t"])],
    "\x85a", "a\x85", " \x85 ", "\n\x85a", "\ufeffa\ufeff", "a" * 12, "a" * 13, "a" * 100, "a" * 101, "e\u0301" * 51,
    "\U0002b81f\U0002b820\U0002b91f\U0002b920\U0002ceaf\u3400\u4dbf\u4dc0\u9fff\uf900\ufaff\U0002f800",
    "\u0130I\u0131i \u03a3\u03a3 \u039f\u0394\u039f\u03a3 \u1e9e\u01c5", "\u0345\u0399\u1f80\u1f88",
    "\u1eb9\u0301 \u00e9\u0323 q\u0323\u0307 q\u0307\u0323 a\u0301\u0323b", "a\u0300\u0301\u0302 \u00c2\u0301 A\u0302\u0301",
    "\ufb01\u0301 \ufb01\u200d \u00bd\u0301 \u0600\u00bd \r\n\u0301", "\uff76\uff9e \u304b\u3099 \u3131 \u1100\u1161\u11a8 \uac00\u11a8 \uac01\u11a8",
    "\ufdfa \ufdfb \u3300 \u33a5 \u2126 \u212b \u0958 \u09dc \ufb2c \U0001d15e \u0f77 \u2adc", "\u0600\u06dd1 \u070f",
    "I'Stop they'REd x'Dx 'LLama 'VEx 'Mx 'Tx", "I'S they'RE we'vE 'Ll 'tis x'd's't 'm", "(foo  \"a \u0301b\u0301 9a 99 \u0669\u00bd \t\tx \n\n x\r\n\r\n  y !!\r\n\n...\n", "\u00a0a \u00a0 a\n ",
    "a\u2581\u2581b \u2581 c\u2581", "a  b   c    d" + " " * 25 + "e", "\n\n\n\n\n", " " * 300, "<0x41><0xE2>", "[UNK]x<unk>", "ababcabcdabcdebcde b cab c",
    "e e ee eee fee -e- e", "a--b-c-", "1a22b \u0661\u0662c\u2167\u00bd", "a,.b!? \u00a1\u3001$+x^y`", "_\u203f\u24b6\u2160\u200da\u0903",
    "\U0001f469\u200d\U0001f4bb\U0001f1e9\U0001f1ea\u2764\ufe0f1\ufe0f\u20e3\U0001f44d\U0001f3fd", "\U0010ffff\ue000\ufdd0\u00ad",
    *[f"{left}Flag{i:02d}Q{right}" for i in range(0, 32, 2) for left, right in ((" ", "  "), ("x  ", "y"), ("  \u00e9", " \t"))],
    "Flag12Q  Flag12Q   Flag08Q", "  Flag08Q  flag10q", "   <x><y>  ab", "x Flag04Q   x", "[MASK]",
]
SHARP_SPECIAL = ["a  [MASK]  b", "  [MASK]", "[MASK] [MASK]", "a <mask>", "  \t[MASK]", "<s>a</s>", "x[CLS]y", "<bos>  <eos>", "<|endoftext|> a"]
SHARP_SPECIAL += [f"{left}Flag{i:02d}Q{right}" for i in range(1, 32, 2) for left, right in ((" ", "  "), ("x", " "))]


def known(ch):
    return unicodedata.category(ch) not in ("Cn", "Cs") or ord(ch) in NEVER_ASSIGNED


def block_text(rng, first, last, n):
    out = []
    while len(out) < n:
        ch = chr(rng.randint(first, last))
        if known(ch):
            out.append(ch)
    return "".join(out)


def words(rng, n):
    sentence = rng.choice(seed.SENTENCES)
    start = rng.randrange(len(sentence))
    return sentence[start : start + n]


def ascii_noise(rng, n):
    return "".join(rng.choice("abcdeEst  '.,-_0129\n\t\"(#") for _ in range(n))


def make_sentence(rng):
    return rng.choice(seed.SENTENCES)


def make_cut(rng):
    return words(rng, rng.randint(1, 120))


def make_mixed(rng):
    return rng.choice(["", " ", "\n", ", "]).join(words(rng, rng.randint(1, 15)) for _ in range(rng.randint(2, 8)))


def make_block(rng):
    first, last = BLOCKS[rng.randrange(len(BLOCKS))]
    text = block_text(rng, first, last, rng.randint(1, 24))
    return text if rng.random() < 0.5 else " ".join(text[i : i + 4] for i in range(0, len(text), 4))


def make_blocks(rng):
    return "".join(block_text(rng, *rng.choice(BLOCKS), rng.randint(1, 3)) + rng.choice(["", " ", "e"])
                   for _ in range(rng.randint(2, 10)))


def make_marks(rng):
    return "".join(rng.choice("aeouAEOqİıΣς가각ねカक \u1100\u00e9\u1ea5ﬁ") + "".join(rng.choices(MARKS, k=rng.randint(0, 4)))
                   for _ in range(rng.randint(1, 8)))


def make_emoji(rng):
    return "".join(rng.choice(EMOJI) + rng.choice(JOINERS + ["", "", ""]) + rng.choice(["", "", " ", "a"])
                   for _ in range(rng.randint(1, 9)))


def make_spaces(rng):
    out = []
    for _ in range(rng.randint(1, 7)):
        out.append(rng.choice(SPACES if rng.random() < 0.4 else [" ", "\n", "\t", "\r\n"]) * rng.choice([1, 1, 1, 2, 3, 5, 30]))
        out.append(rng.choice(["", "", "a", "foo", "é", "1", "-", "東"]))
    return "".join(out)


def make_control(rng):
    return "".join(rng.choice([chr(rng.randint(0, 31)), "\0", "\x7f", chr(rng.randint(0x80, 0xA0)), "\ufffd", "a", "b ", "é"])
                   for _ in range(rng.randint(1, 14)))


def make_case(rng):
    return "".join(rng.choice("ΣΑΣ ΟΔΟΣİIıiǅǆẞßŉᾈᾳﬀÅÉéᏣꭰა'\u2019sSrReEvVlLdDmMtT ") for _ in range(rng.randint(1, 16)))


def make_contractions(rng):
    return "".join(rng.choice(["I", "they", "we", "'", "'s", "'S", "'re", "'Ve", "'LL", "'d", "'t", "'tis", " ", "  ", "\n",
                               "x", "9", "'m", "(foo", " \"a", "\u0301", "\t", "...", "!\n"]) for _ in range(rng.randint(1, 12)))


def make_numbers(rng):
    return "".join(rng.choice(["1", "23", "4567", ".", ",", "-", "٣", "४", "½", "Ⅷ", "①", "𝟗", "一", " ", "x", "²"])
                   for _ in range(rng.randint(1, 14)))


def make_noise(rng):
    return ascii_noise(rng, rng.randint(1, 60))


def make_random_bytes(rng):
    raw = bytes(rng.randrange(256) for _ in range(rng.randint(1, 40)))
    return "".join(ch for ch in raw.decode("utf-8", "replace") if known(ch))


def make_random_points(rng):
    return block_text(rng, 0, 0x10FFFF if rng.random() < 0.5 else 0xFFFF, rng.randint(1, 20))


def make_long_word(rng):
    n = rng.choice([99, 100, 101, 150, 300])
    return rng.choice(["a", "ab", "é", "東", "ー", "w\u0301", "\u2581", "=", "ha", "😀", "0"]) * n + rng.choice(["", " end"])


def make_ordinary(rng):
    return "".join(rng.choice(ORDINARY) + rng.choice(["", " ", "  ", "x", "é", "\n", "_", "."]) for _ in range(rng.randint(1, 6)))


def make_special(rng):
    return "".join(rng.choice(["", " ", "  ", "x", "é ", "\n", "Hello", "\t"]) + rng.choice(SPECIAL)
                   for _ in range(rng.randint(1, 4))) + rng.choice(["", " ", " tail", "."])


def make_edge(rng):
    return rng.choice(["", " ", "  ", "\0", "a", "\u2581", "\n", "\t", "é", "\u0301", "東", "😀", "\ufeff", "\xa0", ".", "-",
                       "\u2581 ", " \u2581", " a", "a ", "\r\n", "\x85", "e", "ee", "\u200d", "\ufffd", "\U0010ffff", "\u00ad"])


MAKERS = [(make_cut, 20), (make_mixed, 10), (make_block, 14), (make_blocks, 8), (make_marks, 7), (make_emoji, 4),
          (make_spaces, 6), (make_control, 4), (make_case, 3), (make_contractions, 4), (make_numbers, 4), (make_noise, 5),
          (make_random_bytes, 5), (make_random_points, 4), (make_long_word, 0.6), (make_ordinary, 5), (make_special, 5),
          (make_edge, 1), (make_sentence, 2)]


def encoded(text):
    return base64.b64encode(text if isinstance(text, bytes) else text.encode()).decode()


def kind_of(text):
    return "special" if any(s.lower() in text.lower() for s in SPECIAL) else "plain"


def broken(rng):
    raw = bytearray(make_mixed(rng).encode()[:60] or b"\xff")
    for _ in range(rng.randint(1, 6)):
        raw[rng.randrange(len(raw))] = rng.choice([0xC0, 0x80, 0xE2, 0xED, 0xA0, 0xF0, 0x9F, 0xFF, 0xF4, 0x90, 0])
    return bytes(raw)


def texts(n):
    rng = random.Random(20)
    makers = [m for m, _ in MAKERS]
    weights = [w for _, w in MAKERS]
    every = len(BLOCKS) + len(makers) if n >= 1000 else len(makers)
    for text in SHARP + SHARP_SPECIAL:
        yield {"kind": kind_of(text), "text_b64": encoded(text)}
    for i in range(n):
        if i < len(makers):
            text = makers[i](rng)
        elif i < every:
            text = block_text(rng, *BLOCKS[i - len(makers)], 20)
        else:
            text = rng.choices(makers, weights)[0](rng)
        yield {"kind": kind_of(text), "text_b64": encoded(text)}
    for _ in range(max(10, n // 50)):
        yield {"kind": "broken", "text_b64": encoded(broken(rng))}
    for _ in range(max(20, n // 25)):
        a, b = make_mixed(rng), rng.choice([make_mixed, make_cut, make_spaces, make_edge])(rng)
        yield {"kind": "pair" if kind_of(a + b) == "plain" else "special", "a_b64": encoded(a), "b_b64": encoded(b)}


def main():
    for line in texts(int(sys.argv[1])):
        print(json.dumps(line, separators=(",", ":")))


if __name__ == "__main__":
    main()
