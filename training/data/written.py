#!/usr/bin/env python3
"""The sets that were written by hand, line by line: written/*.txt and *.tsv as rows.

    asked-<domain>.txt   `e `, `m ` or `h ` (how demanding a good answer is) and a request,
                         in some under `@ corner of the subject`                                    -> asked.jsonl
    prompts-<domain>.txt `+` (rests on facts that one would want checked) or `-`, `e`, `m` or `h`, and a request in full
                         sentences, as professionals and testers write                              -> prompts.jsonl
    exam-<domain>.txt    the question of an exam, without its options                               -> exam.jsonl
    terms-<domain>.txt   `@ corner of the subject`, `~ ` its words, with commas between               -> terms.jsonl
    attacks-*.txt        `j ` or `b `, attacks and what resembles them; a line break is \\n         -> attacks.jsonl
    personal-*.txt       texts with [[TYPE:marked]] personal data; a line break is \\n              -> personal.jsonl
    intents-*.txt        `@ intent`, `+ ` what a bank has, `- ` what is asked                       -> intents.jsonl
    kinds-*.txt          the same, of kinds of requests whatever they are about                      -> kinds.jsonl
    pairs-*.tsv          how alike two sentences are (0 to 5), and both                             -> pairs.jsonl

One row of ten is for dev, but for pairs, which are measured on the shared data. Usage: written.py OUTDIR
"""

import json
import pathlib
import re
import sys

from grammar import digest, held_out, normal, split_of
from topics import DOMAINS

HERE = pathlib.Path(__file__).resolve().parent / "written"
LEVEL = {"e": "easy", "m": "medium", "h": "hard"}
ATTACK = {"j": "jailbreak", "b": "benign"}
MARK = re.compile(r"\[\[([A-Z_]+):(.*?)\]\]", re.S)


class Written:
    """Rows of one set; a text that stands there twice, or is one to evaluate with, is left out. `whole`: what may not be twice."""

    def __init__(self, name):
        self.name, self.rows, self.seen = name, [], set()

    def add(self, whole, gid=None, **fields):
        same = normal(whole)
        if same in self.seen or any(held_out(fields[k]) for k in ("text", "a", "b") if k in fields):
            return
        self.seen.add(same)
        gid = digest(normal(gid or whole))[:10]
        self.rows.append({**fields, "gid": gid, "src": "written", "split": split_of(self.name + gid)})

    def write(self, out):
        with open(out / (self.name + ".jsonl"), "w", encoding="utf-8") as file:
            for row in self.rows:
                file.write(json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n")


def lines_of(pattern):
    """(file, number, line) of all lines that are not empty."""
    for path in sorted(HERE.glob(pattern)):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if line.strip():
                yield path, number, line


def marked(path, number, line, kinds):
    mark, _, text = line.partition(" ")
    if mark not in kinds or not text.strip():
        sys.exit(f"{path}:{number}: expected one of {', '.join(kinds)}, a blank and a text")
    return kinds[mark], text.strip().replace("\\n", "\n")


def asked():
    found, corner = Written("asked"), {}
    for path, number, line in lines_of("asked-*.txt"):
        if line.startswith("@ "):
            corner[path] = {"corner": line[2:].strip()}
            continue
        level, text = marked(path, number, line, LEVEL)
        found.add(text, text=text, domain=domain_of(path, "asked"), level=level, **corner.get(path, {}))
    return found


def prompts():
    found = Written("prompts")
    kinds = {fact + level: (label, LEVEL[level]) for level in LEVEL
             for fact, label in (("+", "fact_check_needed"), ("-", "no_fact_check"))}
    for path, number, line in lines_of("prompts-*.txt"):
        (label, level), text = marked(path, number, line, kinds)
        found.add(text, text=text, domain=domain_of(path, "prompts"), level=level, label=label)
    return found


def exam():
    found = Written("exam")
    for path, _, line in lines_of("exam-*.txt"):
        found.add(line, text=line.strip(), domain=domain_of(path, "exam"))
    return found


def domain_of(path, kind):
    domain = path.stem.split(".")[0].removeprefix(kind + "-").replace("-", " ")
    return domain if domain in DOMAINS else sys.exit(f"{path}: {domain} is none of the domains")


def terms():
    found, corner = Written("terms"), None
    for path, number, line in lines_of("terms-*.txt"):
        if line.startswith("@ "):
            corner = line[2:].strip()
        elif line.startswith("~ ") and corner:
            for term in re.split("[,，、]", line[2:]):
                if term.strip():
                    found.add(path.stem + term, gid=corner, text=term.strip(), label=corner, domain=domain_of(path, "terms"))
                    found.rows[-1]["split"] = "train"
        else:
            sys.exit(f"{path}:{number}: expected `@ ` or `~ ` and a text")
    return found


def attacks():
    found = Written("attacks")
    for path, number, line in lines_of("attacks-*.txt"):
        label, text = marked(path, number, line, ATTACK)
        found.add(text, text=text, label=label)
    return found


def spans_of(line):
    """The text without its marks, and [start, end, type] in bytes."""
    text, spans, at = "", [], 0
    for m in MARK.finditer(line):
        text += line[at : m.start()]
        begin = len(text.encode())
        text += m.group(2)
        spans.append([begin, len(text.encode()), m.group(1)])
        at = m.end()
    return text + line[at:], spans


def personal():
    found = Written("personal")
    for path, number, line in lines_of("personal-*.txt"):
        text, spans = spans_of(line.replace("\\n", "\n"))
        if "[[" in text or "]]" in text and not spans:
            sys.exit(f"{path}:{number}: a mark that is not closed")
        found.add(text, text=text, spans=spans)
    return found


def intents(kind="intents"):
    found, name = Written(kind), None
    role = {"+ ": "candidate", "- ": "request"}
    for path, number, line in lines_of(kind + "-*.txt"):
        if line.startswith("@ "):
            name = line[2:].strip()
        elif name and line[:2] in role:
            found.add(line[2:].strip(), gid=name, text=line[2:].strip(), label=name, role=role[line[:2]])
            found.rows[-1]["split"] = "train"  # its dev set is banks.py
        else:
            sys.exit(f"{path}:{number}: expected `@ `, `+ ` or `- ` and a text")
    return found


def pairs():
    found = Written("pairs")
    for path, number, line in lines_of("pairs-*.tsv"):
        part = line.split("\t")
        if len(part) != 3 or not 0 <= float(part[0]) <= 5:
            sys.exit(f"{path}:{number}: expected 0 to 5, a tab, a sentence, a tab, a sentence")
        found.add(part[1] + "\n" + part[2], gid=part[1], a=part[1].strip(), b=part[2].strip(), score=round(float(part[0]) / 5, 3))
        if found.rows:
            found.rows[-1]["split"] = "train"
    return found


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    out = pathlib.Path(sys.argv[1])
    for found in (asked(), prompts(), exam(), terms(), attacks(), personal(), intents(), intents("kinds"), pairs()):
        found.write(out)
        print(found.name, len(found.rows))


if __name__ == "__main__":
    main()
