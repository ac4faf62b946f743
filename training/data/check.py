#!/usr/bin/env python3
"""Whether the sets that `build` made are what they say: check.py DIR

    labels, splits and fields are the known ones, no text occurs twice, no group lies in two splits, no text of train is in dev, in an evaluation set or a probe of a profile,
    spans lie on UTF-8 boundaries and cover what their type is (check digits, an @, no blank at the ends),
    and a second run with another hash seed makes the same bytes.

What is found is printed; the exit status is 1 then.
"""

import collections
import filecmp
import glob
import gzip
import json
import os
import re
import subprocess
import sys
import tempfile

from grammar import normal
from topics import DOMAINS

HERE = os.path.dirname(os.path.abspath(__file__))
LABELS = {
    "feedback": {"satisfied", "need_clarification", "wrong_answer", "want_different", "none"},
    "jailbreak": {"jailbreak", "benign"},
    "fact_check": {"fact_check_needed", "no_fact_check"},
    "domain": set(DOMAINS),
    "modality": {"text", "image", "both"},
    "difficulty": {"easy", "medium", "hard"},
    "hallucination": {"supported", "hallucinated"},
    "nli": {"entailment", "neutral", "contradiction"},
}
SETS = set(LABELS) | {"asked", "prompts", "exam", "terms", "intents", "kinds", "pairs", "attacks", "personal", "pii", "triples", "train_intents", "banks", "bank_queries"}
EVALUATION = {"banks", "bank_queries"}
PII = "AGE CREDIT_CARD DATE_TIME DOMAIN_NAME EMAIL_ADDRESS GPE IBAN_CODE IP_ADDRESS NRP ORGANIZATION PERSON PHONE_NUMBER STREET_ADDRESS TITLE US_DRIVER_LICENSE US_SSN ZIP_CODE".split()
LANGS = {"en", "zh", "es", "de", "fr", "it", "ja", "mul"}
problems = []


def wrong(where, what):
    problems.append(f"{where}: {what}")


def luhn(text):
    total = 0
    for i, c in enumerate(reversed(re.sub(r"\D", "", text))):
        d = int(c) * (1 + i % 2)
        total += d - 9 if d > 9 else d
    return total % 10 == 0


def iban(text):
    text = text.replace(" ", "").upper()
    return int("".join(str(int(c, 36)) for c in text[4:] + text[:4])) % 97 == 1


SHAPE = {
    "EMAIL_ADDRESS": lambda t: re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", t),
    "CREDIT_CARD": luhn,
    "IBAN_CODE": iban,
    "US_SSN": lambda t: re.fullmatch(r"\d{3}([- ]?)\d{2}\1\d{4}", t),
    "AGE": lambda t: re.fullmatch(r"\d{1,3}|[^\W\d_]+([- ][^\W\d_]+){0,3}", t),  # or some words of any language: only a shape
    "IP_ADDRESS": lambda t: re.fullmatch(r"\d{1,3}(\.\d{1,3}){3}|[0-9a-fA-F:]{6,}", t),
    "DOMAIN_NAME": lambda t: "." in t and " " not in t,
    "PHONE_NUMBER": lambda t: sum(c.isdigit() for c in t) >= 7,
    "ZIP_CODE": lambda t: any(c.isdigit() for c in t),
}


def check_spans(where, data, spans, types):
    end = 0
    for start, stop, kind in spans:
        if not (end <= start < stop <= len(data)):
            wrong(where, f"span {start}-{stop} overlaps or lies outside")
            continue
        end = stop
        try:
            text = data[start:stop].decode()
            data[:start].decode()
        except UnicodeDecodeError:
            wrong(where, f"span {start}-{stop} cuts a character")
            continue
        if kind not in types:
            wrong(where, f"type {kind}")
        if text != text.strip():
            wrong(where, f"span '{text}' has a blank at its end")
        if kind in SHAPE and not SHAPE[kind](text):
            wrong(where, f"'{text}' is no {kind}")


def load(folder):
    sets = {}
    for name in sorted(SETS):
        path = os.path.join(folder, name + ".jsonl")
        if not os.path.exists(path):
            continue
        with open(path, encoding="utf-8") as lines:
            sets[name] = [json.loads(line) for line in lines]
    return sets


def key(row):
    return normal("\x1f".join(row[k] for k in ("text", "a", "b", "context", "answer") if k in row))


def asked_by_probes():
    """Normalised requests, of one line, of the routing profiles that the router is measured with, where they are at hand."""
    found = {}
    for path in glob.glob(os.path.join(HERE, "../../../shared/recipes/*/probes.yaml")):
        with open(path, encoding="utf-8") as lines:
            for line in lines:
                m = re.match(r"\s*(?:- )?(?:query|content): (.+)", line)
                text = normal(m.group(1).strip("\"' \n")) if m else ""
                if len(text) > 3:  # anybody says "hi"
                    found[text] = "the probes of a profile"
    return found


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sets = load(sys.argv[1])
    if not sets:
        sys.exit(f"{sys.argv[1]}: no sets here; run training/data/build first")
    held = {**asked_by_probes(), **{key(r): name for name in EVALUATION for r in sets.get(name, [])}}
    for name, rows in sets.items():
        seen, groups = {}, {}
        for n, row in enumerate(rows, 1):
            where = f"{name}:{n}"
            if row["src"] != "written" and (row["lang"] not in LANGS or not row["synthetic"]):
                wrong(where, "lang, synthetic or src")
            if row["split"] not in (("test",) if name in EVALUATION else ("train", "dev")):
                wrong(where, f"split {row['split']}")
            if name in LABELS and row["label"] not in LABELS[name]:
                wrong(where, f"label {row['label']}")
            k = key(row)
            if k in seen and name not in EVALUATION and name != "terms":  # a word may have two homes
                wrong(where, f"the same text as line {seen[k]}")
            seen[k] = n
            if name not in EVALUATION and groups.setdefault(row["gid"], row["split"]) != row["split"]:
                wrong(where, f"group {row['gid']} lies in train and dev")
            if name in ("pii", "personal"):
                check_spans(where, row["text"].encode(), row["spans"], PII)
            if name == "hallucination":
                check_spans(where, row["answer"].encode(), row["spans"], {"hallucinated"})
                if bool(row["spans"]) != (row["label"] == "hallucinated"):
                    wrong(where, "label and spans disagree")
            if name not in EVALUATION:
                for text in (row.get("text"), row.get("a"), row.get("b")):
                    if text and normal(text) in held:
                        wrong(where, f"a text of {held[normal(text)]}: {text}")
        count = collections.Counter(r.get("label", r.get("relation", r.get("domain", "spans"))) for r in rows)
        parts = collections.Counter(r["split"] for r in rows)
        langs = collections.Counter(r.get("lang", "any") for r in rows)
        few = ", ".join(f"{k} {v}" for k, v in sorted(count.items())) if len(count) < 16 else f"{len(count)} labels"
        print(f"{name:14} {len(rows):6} rows  {dict(parts)}  {len({r['gid'] for r in rows})} groups  {dict(langs)}  {few}")

    for path in sorted(glob.glob(os.path.join(sys.argv[1], "topics", "*.txt"))):
        with open(path, encoding="utf-8") as text:
            for n, line in enumerate(text, 1):
                where = f"topics/{os.path.basename(path)}:{n}"
                if line.strip() and line[:2] not in ("@ ", "~ ", "- "):
                    wrong(where, "a line begins with '@ ', '~ ' or '- '")
                elif normal(line[2:]) in held:
                    wrong(where, f"a text of {held[normal(line[2:])]}: {line[2:].strip()}")

    # Ours that also stand in a dev row of the shared data: short ones do; whoever measures on that data leaves them out of training.
    shared = os.environ.get("VSR_DATA", os.path.join(HERE, "../../../shared/data"))
    for name in LABELS:
        dev = set()
        for path in glob.glob(os.path.join(shared, name, "*.gz")):
            with gzip.open(path, "rt", encoding="utf-8") as lines:
                dev |= {key(r) for r in map(json.loads, lines) if r.get("split") == "dev"}
        both = [r for r in sets.get(name, []) if r["split"] == "train" and key(r) in dev]
        if both:
            print(f"{name}: {len(both)} rows of train are dev rows of the shared data, such as {key(both[0])!r}")

    with tempfile.TemporaryDirectory() as again:
        subprocess.run([os.path.join(HERE, "build"), again], check=True, env=dict(os.environ, PYTHONHASHSEED="77"))
        for path in sorted(glob.glob(os.path.join(again, "*.jsonl"))):
            first = os.path.join(sys.argv[1], os.path.basename(path))
            if not os.path.exists(first) or not filecmp.cmp(path, first, shallow=False):
                wrong(os.path.basename(path), "a second run makes something else")
    for problem in problems[:50]:
        print("wrong:", problem)
    print(f"{len(problems)} problems")
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
