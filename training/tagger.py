#!/usr/bin/env python3
"""Trains the tagger of personal data: a mixer of its own over the trunk's vectors, with a vector of its own for each piece.

    tagger.py TRUNK_DIR OUT_DIR [--steps N] ...

It shares the trunk's table and nothing else: what a piece means is the trunk's, what names and places look like is learned here, in
a second table that has as many numbers a piece as the mixer is wide. Names, places, firms and addresses of the marked texts are
replaced by others of many countries (entities.py), again and again, so that contexts and spellings are learned and not lists.
"""
import argparse
import collections
import json
import pathlib
import pickle
import random
import re
import time
import unicodedata

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

import classify
import export
import measures
import mixer
import rows
import text
import wordnet

PII = ["AGE", "CREDIT_CARD", "DATE_TIME", "DOMAIN_NAME", "EMAIL_ADDRESS", "GPE", "IBAN_CODE", "IP_ADDRESS", "NRP",
       "ORGANIZATION", "PERSON", "PHONE_NUMBER", "STREET_ADDRESS", "TITLE", "US_DRIVER_LICENSE", "US_SSN", "ZIP_CODE"]
BIO = ["O"] + [f"{p}-{t}" for t in PII for p in "BI"]
SAME = {"LOCATION": "GPE", "ADDRESS": "STREET_ADDRESS", "PREFIX": "TITLE"}
MARKED = {"wnut17_ner": {"PERSON", "GPE", "ORGANIZATION"}}  # of PII: what the files with few types mark
SMALL = {4: 8, 5: 8, 6: 8, 7: 8, 10: 8}
LARGE = {4: 4, 6: 5, 7: 5, 8: 5}
BETWEEN = re.compile(r"[\s,>;]*\Z")


class Text:
    """A text as the model sees it: pieces, shapes, and (with places) which characters they are."""

    __slots__ = ("ids", "shapes", "starts", "ends")

    def __init__(self, t, most, places=True):
        # A token is seldom longer than a dozen characters; what lies far beyond `most` of them need not be cut up.
        self.ids, self.shapes, self.starts, self.ends = (np.array(x[:most], np.int32) for x in text.tokens(t[: 16 * most]))
        if not places:
            self.starts = self.ends = None


def characters(t, spans):
    """Byte places to places of characters."""
    b = t.encode()
    at = lambda i: len(b[:i].decode(errors="ignore"))
    return [(at(s[0]), at(s[1]), *s[2:]) for s in spans]


def joined(t, spans):
    """One address is one span: some files mark its parts (house, street, town, postcode) and others the whole."""
    parts = {"STREET_ADDRESS", "GPE", "ZIP_CODE"}
    out, group = [], []

    def close():
        if any(k == "STREET_ADDRESS" for _, _, k in group):
            out.append((group[0][0], group[-1][1], "STREET_ADDRESS"))
        else:
            out.extend(group)
        group.clear()

    for s, e, k in sorted(spans):
        if group and (k not in parts or not BETWEEN.match(t[group[-1][1] : s])):
            close()
        if k in parts:
            group.append((s, e, k))
        else:
            out.append((s, e, k))
    close()
    return sorted(out)


def marks(split):
    """set -> [(text, [(start, end, type)])]"""
    sets = {}
    for name in ("pii/presidio_research", "pii/wnut17_ner"):
        sets[name.split("/")[1]] = rows.dev(name) if split == "dev" else rows.train(name)
    sets["own"], sets["own written"] = rows.own("pii", split), rows.own("personal", split)
    if split == "train":
        sets["own written"] = [r for r in sets["own written"] if not rows.dev_texts().has(r["text"])]
    out = {}
    for name, found in sets.items():
        found = [(r["text"], characters(r["text"], r["spans"])) for r in found]
        found = [(t, [(s, e, SAME.get(y, y)) for s, e, y in sp if SAME.get(y, y) in PII]) for t, sp in found]
        if found:
            out[name] = [(t, joined(t, sp)) for t, sp in found]
    return out


def bio(t, spans):
    out = np.zeros(len(t.ids), np.int64)
    for s, e, y in spans:
        # The bare mark of a word's beginning has no characters of its own: within a span it goes with it.
        inside = [i for i in range(len(t.ids)) if (t.starts[i] < e and t.ends[i] > s if t.ends[i] > t.starts[i]
                                                   else s < t.starts[i] < e)]
        for k, i in enumerate(inside):
            out[i] = 1 + 2 * PII.index(y) + (k > 0)
    return out


def in_word(c):
    return c == "_" or (unicodedata.category(c)[0] in "LM" or unicodedata.category(c) == "Nd") and not text.in_script(c)


def tidy(t, spans):
    """As src/model/bio.h says: trimmed, grown to whole words, joined where at most one space or mark lies between; of two
    types that grew to the very same words the surer one."""
    out = []
    for s, e, k, mean in spans:
        while s < e and t[s].isspace():
            s += 1
        while s < e and t[e - 1].isspace():
            e -= 1
        if s == e:
            continue
        while in_word(t[s]) and s > 0 and in_word(t[s - 1]):
            s -= 1
        while in_word(t[e - 1]) and e < len(t) and in_word(t[e]):
            e += 1
        last = out[-1] if out else None
        if last and last[2] == k and (last[1] >= s or (s - last[1] == 1 and not in_word(t[last[1]]))):
            last[3] = (last[3] * (last[1] - last[0]) + mean * (e - s)) / (last[1] - last[0] + e - s)
            last[1] = max(e, last[1])
        elif last and (s, e) == tuple(last[:2]):
            out[-1] = [s, e, k, mean] if mean > last[3] else last
        else:
            out.append([s, e, k, mean])
    return [tuple(x[:3]) for x in out]


def decode(t, cut, p):
    """Spans of one text: the likeliest sequence of BIO classes in which I- follows its own B- or I-, made tidy."""
    n = len(cut.ids)
    if not n:
        return []
    logp = np.log(np.maximum(p, 1e-30))
    kind = np.arange(len(BIO))
    types, is_i = (kind - 1) // 2, (kind > 0) & (kind % 2 == 0)
    allowed = ~is_i[None] | ((types[:, None] == types[None]) & (kind[:, None] > 0))  # [before][now]
    score, back = np.where(is_i, -np.inf, logp[0]), np.zeros((n, len(BIO)), int)
    for i in range(1, n):
        step = np.where(allowed, score[:, None], -np.inf)
        back[i] = step.argmax(0)
        score = step.max(0) + logp[i]
    path = [int(score.argmax())]
    for i in range(n - 1, 0, -1):
        path.append(back[i][path[-1]])
    path.reverse()
    out = []
    for i, c in enumerate(path):
        sure = float(p[i, 1 + 2 * types[c] : 3 + 2 * types[c]].sum()) if c else 0
        if c and is_i[c] and out:
            out[-1][1] = cut.ends[i]
            out[-1][3].append(sure)
        elif c:
            out.append([cut.starts[i], cut.ends[i], types[c], [sure]])
    spans = [(int(s), int(e), int(k), sum(sure) / len(sure)) for s, e, k, sure in out]
    return [(s, e, PII[k]) for s, e, k in tidy(t, spans)]


TIMES = {"presidio_research": 10, "wnut17_ner": 5, "own": 1, "own written": 8}
CACHE = "tagger.pickle"


# Lines that stand together on envelopes, cards and in invitations: where one thing ends and the next begins.
CARDS = """{p}, {a}|{p}\n{a}|{p}\n\n{a}|{o}, {a}|{o}\n{a}|{o}\n\n{a}|{p}\n{o}\n{a}|{p}, {o}, {a}|{t} {p}\n{o}\n{a}|{p}\n{j}\n{o}\n{a}|{p}, {j}, {o}|{p}\n{j}\n{o}|
c/o {p}\n{a}|{o}\nc/o {p}\n{a}|Attn: {p}\n{o}\n{a}|To: {p}\n{a}|Ship to {p}, {a}.|Bill to: {o}\n{a}|Return address: {p}, {a}|Deliver to {o}, {a}, please.|
The party is at {p}'s place, {a}.|Our office: {o}, {a}|The venue is {o}, {a}.|{o} is at {a}.|{o} ({a})|{o} - {a}|
{p} of {o}, {a}|Signed: {p}, {o}, {g}|{p}, {g}|{p} from {g}|{o}, {g}|{o} in {g}|in {g}, {o} opened a shop|After ten years in {g}, {o} moves on.|{g}, {w}: {p} of {o} said|{p}\n{g}|
{f} asked {f} to wait|{f} told {f} and {f} about it|{f} gave it to {f}|{f} and {f} went from {g} to {g}|{f} moved to {g}|I wrote to {f}|talk to {f}|to {f}, with love|
flying to {g} with {f}|{f} flew to {g} {w}|{p} has left|{p} and {p} are married|ask {p} about it|thanks {f}!|hi {f},|Dear {t} {l},|{t} {l} called|cc {p}, {p}|> {p}\n> {o}\n> {a}|
{n} food|a {n} friend of {f}|the {n} team|{a}. It was great.|{a}. We went there {w}.|I live at {a}. Call me.|{a} is where {f} lives|my address is {a}|send it to {a}|move to {a} in {g}"""
KINDS = {"p": "PERSON", "f": "PERSON", "l": "PERSON", "o": "ORGANIZATION", "a": "STREET_ADDRESS", "g": "GPE", "t": "TITLE", "j": "TITLE",
         "w": "DATE_TIME", "n": "NRP"}


def cards(e, n):
    import names

    r = e.random
    frames = [f for f in CARDS.replace("|\n", "|").split("|") if f]
    draw = {"p": e.person, "f": e.first, "l": e.last, "o": e.firm, "a": lambda: e.address(r.random() < 0.75), "g": lambda: e.place(""),
            "t": lambda: r.choice(names.PREFIXES), "j": lambda: e.other("TITLE", "accountant"), "n": lambda: r.choice(names.NATIONS),
            "w": lambda: r.choice("Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split())}
    for _ in range(n):
        t, spans = "", []
        for k, part in enumerate(re.split(r"\{(\w)\}", r.choice(frames))):
            if k % 2 == 0:
                t += part
                continue
            word = draw[part]()
            spans.append((len(t), len(t) + len(word), KINDS[part]))
            t += word
        if r.random() < 0.12 and len(t.lower()) == len(t):
            t = t.lower()
        yield t, spans


def lists(e):
    """Names, places, firms and plain words with nothing around them: what a word is by itself."""
    r = e.random
    words = sorted({w.replace("_", " ") for s in wordnet.synsets().values() for w in s.words if w.islower()})
    kinds = [("PERSON", 8000, lambda: e.person() if r.random() < 0.5 else e.single()), ("GPE", 4000, lambda: e.place("")),
             ("ORGANIZATION", 2500, e.firm), (None, 6000, lambda: r.choice(words)), ("STREET_ADDRESS", 2000, lambda: e.address(r.random() < 0.7))]
    for kind, n, draw in kinds:
        for _ in range(n):
            one = [draw() for _ in range(1 if kind == "STREET_ADDRESS" else r.choice([1, 1, 2, 3]))]
            if kind is None and r.random() < 0.3:
                one = [w.capitalize() for w in one]
            if r.random() < 0.12:
                one = [w.lower() for w in one]
            gap = r.choice([", ", " and ", " / ", "; "])
            t, spans = "", []
            for w in one:
                t += gap if t else ""
                spans += [(len(t), len(t) + len(w), kind)] if kind else []
                t += w
            yield t, spans


def other_languages(n):
    """Sentences of some eighty languages with nothing to find: without them every word that is not known looks like a name.
    By their English side: no capital but the first, no digit."""
    names_nothing = lambda english: not re.search(r"\d|(?<=.)\b(?!I\b)[A-Z]|[Dd]ay\b|[Nn]ight|[Mm]orning|[Yy]ear|[Tt]om\b|[Mm]ary\b|o'clock", english)
    found = [r["a"] for r in rows.train("embedding/tatoeba_en_xx", "a") if names_nothing(r["b"]) and not r["b"].startswith(("Tom", "Mary"))]
    yield from random.Random(9).sample(found, min(n, len(found)))
    for r in rows.own("asked"):
        if any("\u4e00" <= c <= "\u9fff" for c in r["text"]) and not any(c.isdigit() or c.isascii() and c.isupper() for c in r["text"]):
            yield r["text"]


def material():
    """[(Text, labels, whether O is only of the types that its file marks, group)], kept beside the tokenizer."""
    kept = text.MODEL.with_name(CACHE)
    if kept.exists():
        return pickle.loads(kept.read_bytes())
    import entities

    e = entities.Entities(random.Random(7))
    out = []
    for name, found in marks("train").items():
        for i, (t, spans) in enumerate(found):
            for k in range(TIMES[name]):
                if k and not spans and k > 1:
                    break
                a, b = e.swapped(t, spans) if k or (name == "own" and i % 2) else (t, spans)
                if k % 6 == 5:
                    a = a.lower() if len(a.lower()) == len(a) else a
                cut = Text(a, 256)
                if len(cut.ids):
                    out.append((cut, bio(cut, b), name in MARKED, name))
    plain = [(t, []) for t in other_languages(9000)]
    for a, b in [*lists(e), *cards(e, 9000), *plain]:
        cut = Text(a, 256)
        if len(cut.ids):
            out.append((cut, bio(cut, b), False, "lists"))
    kept.write_bytes(pickle.dumps(out))
    return out


class Tagger(nn.Module):
    def __init__(self, dims, pieces, o):
        super().__init__()
        self.words = nn.Embedding(pieces, o.width, sparse=True)
        nn.init.zeros_(self.words.weight)
        self.mixer = mixer.Mixer(dims, o.width, o.inner, o.kernel, len(o.dilation.split(",")),
                                 dilation=[int(d) for d in o.dilation.split(",")])
        self.hidden, self.out = nn.Linear(o.width, o.tag), nn.Linear(o.tag, len(BIO))
        self.drop = 0.0

    def forward(self, b):
        h = self.mixer(b.x, b.shapes, b.mask, self.words(b.ids) * b.known[:, :, None])
        h = F.dropout(h, self.drop, self.training)
        return self.out(F.dropout(F.gelu(self.hidden(h)), self.drop, self.training))


class Batch:
    def __init__(self, frozen, texts, r=None, hide=0.0):
        n = max(1, max(len(t.ids) for t in texts))
        self.ids = torch.from_numpy(text.pad([t.ids for t in texts], n))
        shapes = [t.shapes for t in texts]
        if r is not None:
            style = r.rand(len(shapes))
            shapes = [x if s >= 0.12 else [(SMALL if s < 0.09 else LARGE).get(y % 16, y % 16) + y // 16 * 16 for y in x]
                      for x, s in zip(shapes, style)]
        self.shapes = torch.from_numpy(text.pad(shapes, n))
        self.mask = torch.from_numpy(text.pad([[1] * len(t.ids) for t in texts], n)).float()
        x = frozen.vectors[self.ids]
        self.known = self.mask
        if hide:
            # The piece as a whole, or only what was learned of it here.
            drawn = r.rand(*self.ids.shape)
            x = x * torch.from_numpy(drawn >= hide)[:, :, None]
            self.known = self.mask * torch.from_numpy(drawn >= 2.5 * hide)
        self.x = x * self.mask[:, :, None]


def loss_of(logits, y, partial):
    """Of rows whose file marks some types only, O stands for every other type too."""
    logp = logits.log_softmax(2)
    picked = logp.gather(2, y.clamp_min(0)[:, :, None])[:, :, 0]
    if partial.any():
        others = [0] + [1 + 2 * k + i for k, t in enumerate(PII) if t not in MARKED["wnut17_ner"] for i in (0, 1)]
        any_other = logp[:, :, others].logsumexp(2)
        picked = torch.where((y == 0) & partial[:, None], any_other, picked)
    keep = (y >= 0).float()
    return -(picked * keep).sum() / keep.sum()


class Cycle:
    """Batches of like length, over and over; a row of little weight is in some rounds only."""

    def __init__(self, lengths, r, weights=None, tokens=3000, most=96):
        self.lengths, self.r, self.weights, self.tokens, self.most = np.asarray(lengths), r, weights, tokens, most
        self.left, self.rounds = [], 0

    def next(self):
        if not self.left:
            n = len(self.lengths)
            now = np.arange(n) if self.weights is None else np.flatnonzero(self.r.rand(n) < self.weights)
            now = now[np.argsort(self.lengths[now] + self.r.rand(len(now)) * 8)]
            at = 0
            while at < len(now):
                size = max(6, min(self.most, self.tokens // max(8, int(self.lengths[now[min(at + 48, len(now) - 1)]]))))
                self.left.append(now[at : at + size])
                at += size
            self.left = [self.left[i] for i in self.r.permutation(len(self.left))]
            self.rounds += 1
        return self.left.pop()


@torch.no_grad()
def tagged(m, frozen, texts):
    """Logits of each text."""
    m.eval()
    out = [None] * len(texts)
    order = np.argsort([len(t.ids) for t in texts])
    for at in range(0, len(order), 64):
        cut = order[at : at + 64]
        logits = m(Batch(frozen, [texts[i] for i in cut]))
        for i, l in zip(cut, logits):
            out[i] = l[: len(texts[i].ids)]
    return out


def figures(m, cal, frozen, most=10**9):
    scaled = lambda l: torch.softmax(l * cal[0] + cal[1], -1).numpy()
    for name, found in marks("dev").items():
        found = found[:most]
        texts = [Text(t, 4096) for t, _ in found]
        kinds = MARKED.get(name, set(PII))
        got = [[s for s in decode(t, cut, scaled(l)) if s[2] in kinds] for (t, _), cut, l in zip(found, texts, tagged(m, frozen, texts))]
        out = measures.spans(got, [s for _, s in found])
        print("pii", name, json.dumps({k: round(float(v), 4) for k, v in out.items()}), flush=True)


def read(path, frozen):
    """The exported tagger and its calibration."""
    t, meta = export.read(path)
    made = Tagger.__new__(Tagger)
    nn.Module.__init__(made)
    table = export.restored(t["mixer.word.weight"], t["mixer.word.scale"])
    made.words = nn.Embedding.from_pretrained(table)
    made.mixer = mixer.from_tensors(t, meta)
    made.hidden, made.out, made.drop = nn.Linear(*t["hidden.weight"].shape[::-1]), nn.Linear(*t["out.weight"].shape[::-1]), 0.0
    for name in ("hidden", "out"):
        getattr(made, name).load_state_dict({p: torch.from_numpy(t[f"{name}.{p}"]) for p in ("weight", "bias")})
    made.eval()
    return made, (torch.from_numpy(t["calibration.scale"]), torch.from_numpy(t["calibration.bias"]))


def write(m, path, cal, meta):
    q, scale = export.quantised(m.words.weight.detach())
    tensors = {"mixer.word.weight": q, "mixer.word.scale": scale, **mixer.tensors_of(m.mixer)}
    for name in ("hidden", "out"):
        tensors[name + ".weight"], tensors[name + ".bias"] = getattr(m, name).weight, getattr(m, name).bias
    tensors["calibration.scale"], tensors["calibration.bias"] = cal
    export.write(path, tensors, {"task": "pii", "kind": "tag", "labels": json.dumps(BIO), **mixer.metadata_of(m.mixer), **meta})


def main():
    p = argparse.ArgumentParser()
    p.add_argument("trunk", type=pathlib.Path)
    p.add_argument("out", type=pathlib.Path)
    p.add_argument("--steps", type=int, default=3000)
    p.add_argument("--width", type=int, default=128)
    p.add_argument("--inner", type=int, default=192)
    p.add_argument("--kernel", type=int, default=7)
    p.add_argument("--dilation", default="1,2,4")
    p.add_argument("--tag", type=int, default=128)
    p.add_argument("--drop", type=float, default=0.25)
    p.add_argument("--hide", type=float, default=0.12)
    p.add_argument("--lr", type=float, default=3e-3)
    p.add_argument("--word-lr", type=float, default=1e-3)
    p.add_argument("--init", type=pathlib.Path, help="a head.safetensors of the same sizes to begin with")
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--version", default="1")
    o = p.parse_args()
    torch.manual_seed(o.seed)
    torch.set_num_threads(1)
    r = np.random.RandomState(o.seed)
    frozen = classify.Frozen(o.trunk)
    m = Tagger(frozen.dims, len(frozen.vectors), o)
    if o.init:
        m.load_state_dict(read(o.init, frozen)[0].state_dict())
        m.words.weight.requires_grad_(True)
    m.drop = o.drop
    found = material()
    print(len(found), "texts", collections.Counter(g for *_, g in found), sum(len(t.ids) for t, *_ in found), "tokens", flush=True)
    held = r.rand(len(found)) < 0.02
    fit, out_of_it = [x for x, h in zip(found, held) if not h], [x for x, h in zip(found, held) if h]
    cycle = Cycle([len(t.ids) for t, *_ in fit], r)
    dense = [v for k, v in m.named_parameters() if k != "words.weight"]
    opt = torch.optim.AdamW(dense, lr=o.lr, weight_decay=0.02)
    words = torch.optim.SparseAdam([m.words.weight], lr=o.word_lr)
    seen, began = None, time.time()
    for step in range(o.steps):
        scale = min(1, (step + 1) / 100) * (1 - step / o.steps)
        opt.param_groups[0]["lr"], words.param_groups[0]["lr"] = o.lr * scale, o.word_lr * scale
        m.train()
        pick = cycle.next()
        b = Batch(frozen, [fit[i][0] for i in pick], r, o.hide)
        y = torch.from_numpy(text.pad([fit[i][1] for i in pick], b.ids.shape[1], -100))
        loss = loss_of(m(b), y, torch.tensor([fit[i][2] for i in pick]))
        opt.zero_grad()
        words.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(dense, 1.0)
        opt.step()
        words.step()
        seen = loss.item() if seen is None else 0.98 * seen + 0.02 * loss.item()
        if (step + 1) % 500 == 0:
            print(step + 1, f"{time.time() - began:.0f}s round {cycle.rounds} loss {seen:.4f}", flush=True)
        if (step + 1) % 1500 == 0:
            figures(m, (torch.ones(1), torch.zeros(len(BIO))), frozen, 500)
    whole = [(t, y) for t, y, partial, _ in out_of_it if not partial]
    logits = torch.cat(tagged(m, frozen, [t for t, _ in whole]))
    cal = classify.calibrated(logits, np.concatenate([y for _, y in whole]))
    write(m, o.out / "head.safetensors", cal, {"version": o.version, "trunk": frozen.meta.get("version", "")})
    figures(*read(o.out / "head.safetensors", frozen), frozen)


if __name__ == "__main__":
    main()
