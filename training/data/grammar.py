"""Templates with choices and slots, and the rows made from them.

A template is text with two kinds of holes:

    (a|b|)      one of the alternatives; they may be empty and may hold holes themselves. Round brackets without a bar are text.
    {name}      a word of the list `name`; its words may hold holes themselves.

    rows = Rows("feedback")
    rows.add("satisfied", "en", "(thanks|thank you)(!|.|), that (worked|helped)")
    rows.write(path)

What comes out depends on the templates alone: each template draws from a generator seeded by the set's name and its own text, so a template
that is added moves no other. A template is a group (`gid`), and train and dev are split by group: a dev row has no sibling in train. A row that a
template before it has made already is left out.
"""

import hashlib
import json
import random
import re
import sys

DEV_SHARE = 12  # of a hundred groups


def digest(text):
    return hashlib.sha256(text.encode()).hexdigest()


def seeded(*parts):
    return random.Random(int(digest("\x1f".join(parts))[:16], 16))


def split_of(gid):
    return "dev" if int(digest("split " + gid)[:8], 16) % 100 < DEV_SHARE else "train"


def normal(text):
    """What makes two texts the same: letters and digits, in lower case."""
    return re.sub(r"[\W_]+", " ", text.lower()).strip() or text.strip()


SLOT = re.compile(r"\{([a-z_0-9]+)\}")


def parse(template):
    """A list of pieces: text, ("slot", name) or ("choice", [pieces, ...])."""
    out, at, text = [], 0, []

    def flush():
        if text:
            out.append("".join(text))
            text.clear()

    while at < len(template):
        c = template[at]
        if c == "{":
            m = SLOT.match(template, at)
            if m:
                flush()
                out.append(("slot", m.group(1)))
                at = m.end()
                continue
        if c == "(":
            end, bars = close_of(template, at)
            if end is not None and bars:
                flush()
                cuts = [at] + bars + [end]
                out.append(("choice", [parse(template[a + 1 : b]) for a, b in zip(cuts, cuts[1:])]))
                at = end + 1
                continue
        text.append(c)
        at += 1
    flush()
    return out


def close_of(template, start):
    depth, bars = 0, []
    for at in range(start, len(template)):
        c = template[at]
        if c == "(":
            depth += 1
        elif c == ")":
            depth -= 1
            if depth == 0:
                return at, bars
        elif c == "|" and depth == 1:
            bars.append(at)
    return None, []


PARSED = {}


def parsed(template):
    if template not in PARSED:
        PARSED[template] = parse(template)
    return PARSED[template]


def count(pieces, words):
    n = 1
    for piece in pieces:
        if isinstance(piece, str):
            continue
        if piece[0] == "slot":
            fill = words[piece[1]]
            n *= 50 if callable(fill) else sum(count(parsed(w), words) if "(" in w or "{" in w else 1 for w in fill)
        else:
            n *= sum(count(p, words) for p in piece[1])
        if n > 10**9:
            return 10**9
    return n


def expand(pieces, words, rng, out):
    """Appends (text, slot name or None) to `out`; a slot's own holes count as the slot's text."""
    for piece in pieces:
        if isinstance(piece, str):
            out.append((piece, None))
        elif piece[0] == "choice":
            options = piece[1]
            weights = [min(count(p, words), 20) for p in options]
            expand(rng.choices(options, weights)[0], words, rng, out)
        else:
            fill = words[piece[1]]
            word = fill(rng) if callable(fill) else rng.choice(fill)
            inner = []
            expand(parsed(word), words, rng, inner) if not callable(fill) else inner.append((word, None))
            out.append(("".join(t for t, _ in inner), piece[1]))


def draw(template, words, rng):
    out = []
    expand(parsed(template), words, rng, out)
    return "".join(text for text, _ in out)


def lines(block):
    """The lines of a block of hand-written text; blank ones and those that begin with '#' are left out. A written "\\n" is a line end."""
    return [x.strip().replace("\\n", "\n") for x in block.splitlines() if x.strip() and not x.strip().startswith("#")]


# How people type.

SHORT_FORMS = [
    (r"\byou\b", "u"), (r"\byour\b", "ur"), (r"\bplease\b", "pls"), (r"\bthanks\b", "thx"), (r"\bbecause\b", "cuz"), (r"\bto be\b", "2 be"),
    (r"\bdo not\b", "dont"), (r"\bdon't\b", "dont"), (r"\bdoesn't\b", "doesnt"), (r"\bthat's\b", "thats"), (r"\bit's\b", "its"), (r"\bi'm\b", "im"),
    (r"\bcan't\b", "cant"), (r"\bisn't\b", "isnt"), (r"\bwhat's\b", "whats"), (r"\band\b", "n"), (r"\bwith\b", "w/"), (r"\bpeople\b", "ppl"),
    (r"\bi am\b", "im"), (r"\bgoing to\b", "gonna"), (r"\bwant to\b", "wanna"), (r"\bthough\b", "tho"), (r"\bi've\b", "ive"), (r"\bdidn't\b", "didnt"),
]


def typo(text, rng):
    """One slip of the fingers inside a word of four letters or more."""
    words = [m for m in re.finditer(r"[A-Za-z]{4,}", text)]
    if not words:
        return text
    m = rng.choice(words)
    at = rng.randrange(m.start() + 1, m.end() - 1)
    kind = rng.randrange(3)
    if kind == 0:
        return text[:at] + text[at + 1] + text[at] + text[at + 2 :]
    if kind == 1:
        return text[:at] + text[at + 1 :]
    return text[:at] + text[at] + text[at:]


def proper(text, lang):
    """Sentences begin with a capital letter."""
    text = re.sub(r"(^|[.!?] )([a-z\u00e0-\u00ff])", lambda m: m.group(1) + m.group(2).upper(), text)
    return re.sub(r"\bi\b(?=$|[ '])", "I", text) if lang == "en" else text


def casual(text, lang, rng, strength=1.0):
    """Sometimes: lower case, no punctuation at the end, short forms, a slip; for languages without spaces only the punctuation."""
    if lang in ("zh", "ja"):
        if rng.random() < 0.25 * strength:
            text = re.sub(r"[。！？!?~～]+$", "", text)
        if rng.random() < 0.12 * strength:
            text = text.replace("，", rng.choice([" ", ",", ""]))
        return text
    x = rng.random()
    if x >= 0.4 and rng.random() < 0.85:
        text = proper(text, lang)
    if x < 0.35 * strength:
        text = text.lower()
        if lang == "en" and rng.random() < 0.35:
            for pattern, short in SHORT_FORMS:
                if rng.random() < 0.5:
                    text = re.sub(pattern, short, text)
    elif x < 0.38 * strength:
        text = text.upper()
    if rng.random() < 0.3 * strength:
        text = re.sub(r"[.!]+$", "", text)
    if rng.random() < 0.06 * strength:
        text = re.sub(r"\?$", "", text)
    if rng.random() < 0.1 * strength:
        text = typo(text, rng)
    if rng.random() < 0.03 * strength:
        text = typo(text, rng)
    return text


HELD = set()


def held_out(text):
    """Whether a text is one of the evaluation set."""
    if not HELD:
        import banks

        HELD.update(normal(line) for pair in banks.BANKS.values() for block in pair for line in lines(block))
    return normal(text) in HELD


class Rows:
    """The rows of one set."""

    def __init__(self, name, words=None, most=40, spread=2.0, text="text"):
        self.name, self.words, self.most, self.spread, self.key = name, dict(words or {}), most, spread, text
        self.rows, self.seen = [], set()

    def row(self, label, lang, gid, **fields):
        """One row as it stands; False when its text is there already, or is one to evaluate with."""
        if any(held_out(fields[k]) for k in ("text", "a", "b") if k in fields):
            return False
        same = normal("\x1f".join(str(fields[k]) for k in ("text", "a", "b", "context", "answer") if k in fields))
        if same in self.seen:
            return False
        self.seen.add(same)
        row = dict(fields)
        if label is not None:
            row["label"] = label
        row.update(lang=lang, gid=gid, src="own/" + self.name, synthetic=True, split=split_of(self.name + gid))
        self.rows.append(row)
        return True

    def add(self, label, lang, template, most=None, noise=1.0, wrap=None, **fields):
        """Rows of a template: as many as its variety is worth, at most `most`."""
        gid = digest(template)[:10]
        rng = seeded(self.name, template)
        ways = count(parsed(template), self.words)
        want = min(self.most if most is None else most, max(1, int(self.spread * ways**0.5)), ways)
        made = tries = 0
        while made < want and tries < want * 4:
            tries += 1
            text = tidy(draw(template, self.words, rng), lang)
            if noise:
                text = casual(text, lang, rng, noise)
            if wrap:
                text = wrap(text, rng)
            made += self.row(label, lang, gid, text=text, **fields)

    def block(self, label, lang, block, **options):
        for template in lines(block):
            self.add(label, lang, template, **options)

    def join(self, label, lang, n, between=" ", want=lambda row: True):
        """Rows of two rows of one label and split, for longer texts; they belong to the group of the first."""
        rng = seeded(self.name, "join", label, lang)
        for split in ("train", "dev"):
            have = [r for r in self.rows if r["label"] == label and r["lang"] == lang and r["split"] == split and "\n" not in r[self.key] and want(r)]
            share = n * (100 - DEV_SHARE) // 100 if split == "train" else n * DEV_SHARE // 100
            for _ in range(share if len(have) > 1 else 0):
                a, b = rng.sample(have, 2)
                head = a[self.key]
                if lang not in ("zh", "ja") and head[-1] not in ".!?,":
                    head += rng.choice([".", ".", "!", ",", ""])
                elif lang in ("zh", "ja") and head[-1] not in "。！？，":
                    head += "。"
                text = head + (between if lang not in ("zh", "ja") else "") + b[self.key]
                if self.row(label, lang, a["gid"], text=text):
                    self.rows[-1]["split"] = split

    def write(self, path):
        with open(path, "w", encoding="utf-8") as out:
            for row in self.rows:
                out.write(json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n")

    def main(self):
        if len(sys.argv) != 2:
            sys.exit(f"usage: {sys.argv[0]} OUTPUT.jsonl")
        self.write(sys.argv[1])


def tidy(text, lang):
    """Empty choices leave spaces behind."""
    text = re.sub(r"  +", " ", text) if "\n" not in text else text
    text = re.sub(r" +([,.!?;:])(?=\s|$)", r"\1", text) if lang != "fr" else text
    return text.strip()
