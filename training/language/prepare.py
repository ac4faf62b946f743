#!/usr/bin/env python3
"""Writes what the language model is trained and measured on, as lines of `set <TAB> language <TAB> text`.

    prepare.py DATA OUT        DATA: the folder with language/ and embedding/; OUT receives train.tsv and heldout.tsv

Only rows with split "train" go to train.tsv, and only rows with split "dev" to heldout.tsv: no text is in both. One row in
ten of the training rows, chosen by a hash of its text, is marked `tune`: numbers such as the learning rate were chosen on
those, never on the held-out rows.
"""
import gzip
import hashlib
import json
import pathlib
import random
import re
import sys

LANGUAGES = """af ar az be bg bn bs ca cs cy da de el en eo es et eu fa fi fr ga gu he hi hr hu hy id is it ja ka kk ko la lg lt
lv mi mk mn mr ms nb nl nn pa pl pt ro ru sk sl sn so sq sr st sv sw ta te th tl tn tr ts uk ur vi xh yo zh zu""".split()
TOP = "ar bn de en es fa fr hi id it ja ko nl pl pt ru tr ur vi zh".split()
LINE_END = "\u2028"  # of a text within its row
UNSPACED = {"zh": 2, "ja": 3, "th": 4}  # characters that make about a word
TUNE_SHARE = 10
TOP_WEIGHT = 2  # the rows of the languages that most prompts are in are there twice: where words are anybody's, they win

NOT_ENGLISH = ("xquad", "roleplay", "arena")  # parts of mixed_prompts
# Where English is known to be English; of prompts it is assumed.
ENGLISH = [("embedding/tatoeba_en_xx.jsonl.gz", "b", None), ("language/lingua_sentences.jsonl.gz", "text", "label")]

# file, what to read as text, which language, set name, most rows of one language (0: all)
SOURCES = [
    ("language/lingua_sentences.jsonl.gz", "text", "label", "sentence", 0),
    ("language/lingua_short.jsonl.gz", "text", "label", "short", 0),
    ("embedding/tatoeba_en_xx.jsonl.gz", "a", "lang", "chat", 0),
    ("embedding/tatoeba_en_xx.jsonl.gz", "b", "=en", "chat", 900),
    ("embedding/xquad_question_translation.jsonl.gz", "a", "lang", "question", 0),
    ("embedding/sts_open_multi.jsonl.gz", "a", "lang", "caption", 500),
    ("fact_check/mixed_prompts.jsonl.gz", "text", "=en", "prompt", 3000),
    ("intent/clinc150.jsonl.gz", "text", "=en", "prompt", 1500),
]


def rows(data, file):
    with gzip.open(data / file, "rt", encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def digest(text):
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")


def is_latin(text):
    letters = [c for c in text if c.isalpha()]
    return letters and sum(c < "\u0250" for c in letters) > 0.9 * len(letters)


def words_of(text):
    return re.findall(r"[^\W\d_]+(?:['\u2019][^\W\d_]+)*", text.lower())


def english_words(data):
    """Words of the training rows that are known to be English."""
    words = set()
    for file, text_key, lang_key in ENGLISH:
        for row in rows(data, file):
            if row["split"] == "train" and (lang_key is None or row[lang_key] == "en"):
                words.update(words_of(row[text_key]))
    return words


def read_source(data, source, english):
    """(split, set, language, text) of one source, in an order that does not depend on anything."""
    file, text_key, lang_key, name, most = source
    found = {}
    for row in rows(data, file):
        lang = lang_key[1:] if lang_key.startswith("=") else row.get(lang_key)
        text = " ".join(str(row[text_key]).split())
        if lang_key == "=en" and row.get("src", "").startswith(NOT_ENGLISH):
            continue
        if lang not in LANGUAGES or not text or (lang_key == "=en" and not is_latin(text)):
            continue
        if name == "prompt" and english.isdisjoint(words_of(text)):  # people greet assistants in any language
            continue
        kind = {"single-words": "word", "word-pairs": "pair"}.get(row.get("kind"), name)
        found.setdefault((row["split"], lang), {})[text] = kind
    for (split, lang), texts in sorted(found.items()):
        chosen = sorted(texts, key=digest)
        for text in chosen[:most] if most else chosen:
            yield split, texts[text], lang, text


def window(text, lang, words, chance):
    """`words` words in a row out of the text."""
    if lang in UNSPACED:
        pieces, per_word, joint = re.findall(r"[^\W\d_]|[\u0e31-\u0e4e]", text), UNSPACED[lang], ""
    else:
        pieces, per_word, joint = re.findall(r"[^\W\d_](?:[^\W\d_]|['\u2019\u0300-\u036f\u0900-\u0dff\u200c-])*", text), 1, " "
    n = words * per_word
    if len(pieces) < n:
        return None
    at = chance.randrange(len(pieces) - n + 1)
    return joint.join(pieces[at:at + n])


def chunks(sentences, least):
    """Runs of sentences of at least `least` bytes."""
    run = []
    for sentence in sentences:
        run.append(sentence)
        if sum(len(s.encode()) + 1 for s in run) >= least:
            yield " ".join(run)
            run = []


def composed(held, chance):
    """Longer texts from held-out sentences: of one language, and an instruction above or below another language's text."""
    by_lang = {}
    for kind, lang, text in held:
        if kind == "sentence":
            by_lang.setdefault(lang, []).append(text)
    for lang, sentences in sorted(by_lang.items()):
        for text in chunks(sentences, 2000):
            yield "long", lang, text.encode()[:2048].decode(errors="ignore")
    top = [lang for lang in TOP if lang in by_lang]
    for lang in top:
        for sentence in by_lang[lang]:
            other = chance.choice([o for o in top if o != lang])
            body = LINE_END.join(chance.sample(by_lang[other], 4))
            yield "mixed-above", lang, sentence + LINE_END + body
            yield "mixed-below", lang, body + LINE_END + sentence


def code():
    """Chunks of about 1 KB of this repository's own programs, with their comments: no language."""
    top = pathlib.Path(__file__).resolve().parent.parent.parent
    for pattern in "src/net/*.c", "src/core/*.c", "tools/*.pl", "tests/integration/*.mjs":
        for path in sorted(top.glob(pattern)):
            lines, size = [], 0
            for line in path.read_text().splitlines():
                lines.append(line.replace("\t", "    "))
                size += len(line) + 1
                if size >= 1000:
                    yield "code", "-", LINE_END.join(lines)
                    lines, size = [], 0


def main():
    data, out = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    out.mkdir(parents=True, exist_ok=True)
    chance = random.Random(20)
    trained = set()
    with open(out / "train.tsv", "w") as train, open(out / "heldout.tsv", "w") as heldout:
        held, english = [], english_words(data)
        for source in SOURCES:
            for split, kind, lang, text in read_source(data, source, english):
                if split == "train":
                    tune = digest("tune " + text) % TUNE_SHARE == 0
                    line = f"{'tune-' if tune else ''}{kind}\t{lang}\t{text}\n"
                    train.write(line * (TOP_WEIGHT if lang in TOP else 1))
                    trained.add(text)
                elif kind in ("sentence", "word", "pair", "chat"):
                    held.append((kind, lang, text))
        for kind, lang, text in held:
            if text in trained and kind in ("sentence", "chat"):
                continue
            heldout.write(f"{kind}\t{lang}\t{text}\n")
            if kind == "sentence":
                for n in 1, 2, 3, 5:
                    part = window(text, lang, n, chance)
                    if part:
                        heldout.write(f"window-{n}\t{lang}\t{part}\n")
        for kind, lang, text in [*composed(held, chance), *code()]:
            heldout.write(f"{kind}\t{lang}\t{text}\n")


main()
