#!/usr/bin/env python3
"""Trains the mixer together with what reads mixed tokens: the tagger of personal data, hallucination, inference between texts.

    mixed.py TRUNK_DIR OUT_DIR [--steps N] ...

OUT_DIR gets trunk/ (the same table, with the mixer), pii/, hallucination/ and nli/. The table of vectors stays as it is.
"""
import argparse
import json
import pathlib
import shutil
import time

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

PII = ["AGE", "CREDIT_CARD", "DATE_TIME", "DOMAIN_NAME", "EMAIL_ADDRESS", "GPE", "IBAN_CODE", "IP_ADDRESS", "NRP",
       "ORGANIZATION", "PERSON", "PHONE_NUMBER", "STREET_ADDRESS", "TITLE", "US_DRIVER_LICENSE", "US_SSN", "ZIP_CODE"]
BIO = ["O"] + [f"{p}-{t}" for t in PII for p in "BI"]
SAME = {"LOCATION": "GPE", "ADDRESS": "STREET_ADDRESS", "PREFIX": "TITLE"}
NLI = ["entailment", "neutral", "contradiction"]
FOUND = ["supported", "hallucinated"]
EVERY = {5: 8, 4: 8, 6: 8, 7: 8}  # shapes of upper case become lower case


def characters(t, spans):
    """Byte places to places of characters."""
    b = t.encode()
    at = lambda i: len(b[:i].decode(errors="ignore"))
    return [(at(s[0]), at(s[1]), *s[2:]) for s in spans]


class Text:
    __slots__ = ("ids", "shapes", "starts", "ends", "text")

    def __init__(self, t, most):
        self.text = t
        self.ids, self.shapes, self.starts, self.ends = (x[:most] for x in text.tokens(t))


def pii_rows(split):
    sets = {}
    for name in ("pii/presidio_research", "pii/wnut17_ner"):
        sets[name.split("/")[1]] = [(r["text"], characters(r["text"], r["spans"])) for r in (
            rows.dev(name) if split == "dev" else rows.train(name))]
    mine = [(r["text"], characters(r["text"], r["spans"])) for r in rows.own("pii", split)]
    if mine:
        sets["own"] = mine
    return {k: [(t, [(s, e, SAME.get(y, y)) for s, e, y in sp if SAME.get(y, y) in PII]) for t, sp in v] for k, v in sets.items()}


def bio(t, spans):
    out = np.zeros(len(t.ids), np.int64)
    for s, e, y in spans:
        inside = [i for i in range(len(t.ids)) if t.starts[i] < e and t.ends[i] > s and t.ends[i] > t.starts[i]]
        for k, i in enumerate(inside):
            out[i] = 1 + 2 * PII.index(y) + (k > 0)
    return out


def decode(t, p):
    """Spans of one text from probabilities of BIO classes; an I- of another type opens a span too."""
    types = np.stack([p[:, 1 + 2 * k] + p[:, 2 + 2 * k] for k in range(len(PII))], 1)
    best, out = p.argmax(1), []
    for i, c in enumerate(best):
        if t.ends[i] == t.starts[i] and not (out and c):
            continue
        if c == 0:
            continue
        k, begins = (c - 1) // 2, (c - 1) % 2 == 0
        if out and out[-1][3] == i - 1 and out[-1][2] == k and not begins:
            out[-1][1], out[-1][3] = t.ends[i], i
        else:
            out.append([t.starts[i], t.ends[i], k, i])
    return [(s, e, PII[k]) for s, e, k, _ in out if e > s]


def marked(t, spans):
    """1 for the tokens of an answer that are not supported."""
    return np.array([any(t.starts[i] < e and t.ends[i] > s for s, e in spans) for i in range(len(t.ids))], np.int64)


def hallucination_rows(split):
    sets = {}
    for name in ("hallucination/summedits", "hallucination/xquad_answer_swap"):
        found = rows.dev(name) if split == "dev" else rows.train(name, "answer" if "summ" in name else "question")
        sets[name.split("/")[1]] = [(r["context"], r.get("question") or "", r["answer"],
                                     [s[:2] for s in characters(r["answer"], r["spans"])]) for r in found]
    return sets


def nli_rows(split):
    sets = {}
    for name in ("nli/aristo_tracie_scitail", "nli/begin_wow", "nli/breaking_nli", "nli/med"):
        found = rows.dev(name) if split == "dev" else rows.train(name, "b")
        sets[name.split("/")[1]] = [(r["a"], r["b"], (NLI + ["not_entailment"]).index(r["label"])) for r in found]
    return sets


class Models(nn.Module):
    def __init__(self, dims, o):
        super().__init__()
        self.mixer = mixer.Mixer(dims, o.width, o.inner, o.kernel, o.blocks, dilation=[int(d) for d in o.dilation.split(",")])
        self.pii_hidden, self.pii_out = nn.Linear(o.width, o.tag), nn.Linear(o.tag, len(BIO))
        self.found, self.found_out = mixer.Compare(dims, o.width, 64, o.compare), nn.Linear(o.compare, 2)
        self.nli, self.nli_hidden = mixer.Compare(dims, o.width, 64, o.compare), nn.Linear(4 * o.compare, 64)
        self.nli_out = nn.Linear(64, 3)
        self.drop = o.drop


class Batch:
    def __init__(self, frozen, texts, r=None, hide=0.0):
        n = max(1, max(len(t.ids) for t in texts))
        self.ids = torch.from_numpy(text.pad([t.ids for t in texts], n))
        shapes = [t.shapes for t in texts]
        if r is not None:
            shapes = [[EVERY.get(s % 16, s % 16) + s // 16 * 16 for s in x] if r.rand() < 0.15 else x for x in shapes]
        self.shapes = torch.from_numpy(text.pad(shapes, n))
        self.mask = torch.from_numpy(text.pad([[1] * len(t.ids) for t in texts], n)).float()
        x = frozen.vectors[self.ids]
        if hide:
            x = x * torch.from_numpy(r.rand(*self.ids.shape) >= hide)[:, :, None]
        self.x = x * self.mask[:, :, None]

    def mixed(self, m):
        return m(self.x, self.shapes, self.mask)


def tag(m, h):
    return m.pii_out(F.dropout(F.gelu(m.pii_hidden(F.dropout(h, m.drop, m.training))), m.drop, m.training))


def found(m, a, b):
    c = m.found(a.x, a.mixed(m.mixer), a.ids, a.mask, b.x, b.mixed(m.mixer), b.ids, b.mask, m.drop)
    return m.found_out(c)


def inferred(m, a, b):
    ha, hb = a.mixed(m.mixer), b.mixed(m.mixer)
    cb = m.nli(a.x, ha, a.ids, a.mask, b.x, hb, b.ids, b.mask, m.drop)
    ca = m.nli(b.x, hb, b.ids, b.mask, a.x, ha, a.ids, a.mask, m.drop)
    parts = []
    for c, mask in ((cb, b.mask), (ca, a.mask)):
        mk = mask[:, :, None]
        parts += [(c * mk).sum(1) / mk.sum(1).clamp_min(1), c.masked_fill(mk == 0, -1e4).max(1).values]
    return m.nli_out(F.gelu(m.nli_hidden(torch.cat(parts, 1))))


def chunks(order, size):
    return [order[i : i + size] for i in range(0, len(order), size)]


class Cycle:
    """Batches of like length, over and over."""

    def __init__(self, lengths, size, r):
        self.lengths, self.size, self.r, self.left = np.asarray(lengths), size, r, []

    def next(self):
        if not self.left:
            order = np.argsort(self.lengths + self.r.rand(len(self.lengths)) * 8)
            self.left = chunks(order, self.size)
            self.r.shuffle(self.left)
        return self.left.pop()


def main():
    p = argparse.ArgumentParser()
    p.add_argument("trunk", type=pathlib.Path)
    p.add_argument("out", type=pathlib.Path)
    p.add_argument("--steps", type=int, default=3000)
    p.add_argument("--width", type=int, default=128)
    p.add_argument("--inner", type=int, default=128)
    p.add_argument("--kernel", type=int, default=5)
    p.add_argument("--blocks", type=int, default=2)
    p.add_argument("--dilation", default="1,1")
    p.add_argument("--compare", type=int, default=96)
    p.add_argument("--tag", type=int, default=128)
    p.add_argument("--drop", type=float, default=0.1)
    p.add_argument("--hide", type=float, default=0.15)
    p.add_argument("--lr", type=float, default=2e-3)
    p.add_argument("--mix", default="0.6,0.2,0.2", help="shares of the steps: pii, hallucination, nli")
    p.add_argument("--version", default="1")
    o = p.parse_args()
    torch.manual_seed(1)
    torch.set_num_threads(1)
    r = np.random.RandomState(1)
    frozen = classify.Frozen(o.trunk)
    m = Models(frozen.dims, o)

    own = pii_rows("train")
    pii = [(Text(t, 256), s) for v in own.values() for t, s in v]
    pii = [(t, bio(t, s)) for t, s in pii if t.ids]
    hall = [(Text(c + (" " + q if q and r.rand() < 0.5 else ""), 384), Text(a, 128), s)
            for v in hallucination_rows("train").values() for c, q, a, s in v]
    hall = [(c, a, marked(a, s)) for c, a, s in hall if a.ids and c.ids]
    nli = [(Text(a, 160), Text(b, 96), y) for v in nli_rows("train").values() for a, b, y in v]
    nli = [x for x in nli if x[0].ids and x[1].ids]
    print(len(pii), len(hall), len(nli), "rows", flush=True)
    held = lambda n: r.rand(n) < 0.06  # for calibration
    hp, hh, hn = held(len(pii)), held(len(hall)), held(len(nli))
    split = lambda xs, h: ([x for x, k in zip(xs, h) if not k], [x for x, k in zip(xs, h) if k])
    (pii, pii_held), (hall, hall_held), (nli, nli_held) = split(pii, hp), split(hall, hh), split(nli, hn)
    cp = Cycle([len(t.ids) for t, _ in pii], 48, r)
    ch = Cycle([len(t.ids) for t, _, _ in hall], 24, r)
    cn = Cycle([len(t.ids) for t, _, _ in nli], 48, r)
    weight = np.bincount([y for _, _, y in nli if y < 3], minlength=3)
    weight = torch.tensor((weight.mean() / weight) ** 0.5, dtype=torch.float32)
    opt = torch.optim.AdamW(m.parameters(), lr=o.lr, weight_decay=0.02)
    mix = np.array([float(x) for x in o.mix.split(",")])
    seen, began = {}, time.time()
    m.train()
    for step in range(o.steps):
        for group in opt.param_groups:
            group["lr"] = o.lr * min(1, (step + 1) / 100) * (1 - step / o.steps)
        what = r.choice(3, p=mix / mix.sum())
        if what == 0:
            pick = cp.next()
            b = Batch(frozen, [pii[i][0] for i in pick], r, o.hide)
            y = torch.from_numpy(text.pad([pii[i][1] for i in pick], b.ids.shape[1], -100))
            loss = F.cross_entropy(tag(m, b.mixed(m.mixer)).flatten(0, 1), y.flatten(), ignore_index=-100)
        elif what == 1:
            pick = ch.next()
            a, b = Batch(frozen, [hall[i][0] for i in pick]), Batch(frozen, [hall[i][1] for i in pick])
            y = torch.from_numpy(text.pad([hall[i][2] for i in pick], b.ids.shape[1], -100))
            loss = F.cross_entropy(found(m, a, b).flatten(0, 1), y.flatten(), ignore_index=-100)
        else:
            pick = cn.next()
            a, b = Batch(frozen, [nli[i][0] for i in pick]), Batch(frozen, [nli[i][1] for i in pick])
            y = torch.tensor([nli[i][2] for i in pick])
            loss = nli_loss(inferred(m, a, b), y, weight)
        opt.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(m.parameters(), 1.0)
        opt.step()
        seen[what] = 0.97 * seen.get(what, loss.item()) + 0.03 * loss.item()
        if (step + 1) % 250 == 0:
            print(step + 1, f"{time.time() - began:.0f}s", {k: round(v, 4) for k, v in sorted(seen.items())}, flush=True)
    m.eval()
    write(m, frozen, o, calibration(m, frozen, pii_held, hall_held, nli_held))


def nli_loss(logits, y, weight):
    logp = F.log_softmax(logits, 1)
    three = y < 3
    loss = F.nll_loss(logp[three], y[three], weight, reduction="sum")
    return (loss - torch.logsumexp(logp[~three][:, 1:], 1).sum()) / len(y)


@torch.no_grad()
def tagged(m, frozen, texts):
    out = [None] * len(texts)
    for cut in chunks(np.argsort([len(t.ids) for t in texts]), 64):
        b = Batch(frozen, [texts[i] for i in cut])
        logits = tag(m, b.mixed(m.mixer))
        for i, l in zip(cut, logits):
            out[i] = l[: len(texts[i].ids)]
    return out


@torch.no_grad()
def paired(run, m, frozen, pairs_):
    out = [None] * len(pairs_)
    for cut in chunks(np.argsort([len(p[0].ids) for p in pairs_]), 32):
        logits = run(m, Batch(frozen, [pairs_[i][0] for i in cut]), Batch(frozen, [pairs_[i][1] for i in cut]))
        for i, l in zip(cut, logits):
            out[i] = l[: len(pairs_[i][1].ids)] if run is found else l
    return out


def calibration(m, frozen, pii, hall, nli):
    out = {"pii": classify.calibrated(torch.cat(tagged(m, frozen, [t for t, _ in pii])), np.concatenate([y for _, y in pii]))}
    out["hallucination"] = classify.calibrated(torch.cat(paired(found, m, frozen, hall)), np.concatenate([y for _, _, y in hall]))
    three = [x for x in nli if x[2] < 3]
    out["nli"] = classify.calibrated(torch.stack(paired(inferred, m, frozen, three)), np.array([x[2] for x in three]))
    return out


def write(m, frozen, o, cal):
    tensors, meta = dict(frozen.tensors), dict(frozen.meta)
    tensors = {k: v for k, v in tensors.items() if not k.startswith("mixer.")}
    tensors.update(mixer.tensors_of(m.mixer))
    meta.update(mixer.metadata_of(m.mixer))
    export.write(o.out / "trunk" / "trunk.safetensors", tensors, meta)
    if (o.trunk / "tokenizer.json").resolve() != (o.out / "trunk" / "tokenizer.json").resolve():
        shutil.copy(o.trunk / "tokenizer.json", o.out / "trunk" / "tokenizer.json")
    linear = lambda name, part: {name + ".weight": part.weight, name + ".bias": part.bias}
    compare = lambda c: {"align.weight": c.align.weight, "align.temperature": c.temperature, **linear("compare", c.compare)}
    for task, kind, labels, tensors in (
        ("pii", "tag", BIO, {**linear("hidden", m.pii_hidden), **linear("out", m.pii_out)}),
        ("hallucination", "pair-tag", FOUND, {**compare(m.found), **linear("out", m.found_out)}),
        ("nli", "pair", NLI, {**compare(m.nli), **linear("hidden", m.nli_hidden), **linear("out", m.nli_out)}),
    ):
        tensors["calibration.scale"], tensors["calibration.bias"] = cal[task]
        export.write(o.out / task / "head.safetensors", tensors,
                     {"task": task, "kind": kind, "labels": json.dumps(labels), "version": o.version, "trunk": frozen.meta.get("version", "")})
    figures(m, frozen, cal)


def figures(m, frozen, cal):
    say = lambda *a: print(*a[:-1], json.dumps({k: round(float(v), 4) for k, v in a[-1].items()}), flush=True)
    scaled = lambda l, c: torch.softmax(l * c[0] + c[1], -1).numpy()
    for name, found_ in pii_rows("dev").items():
        texts = [Text(t, 4096) for t, _ in found_]
        probs = [scaled(l, cal["pii"]) for l in tagged(m, frozen, texts)]
        say("pii", name, measures.spans([decode(t, p) for t, p in zip(texts, probs)], [s for _, s in found_]))
    for name, found_ in hallucination_rows("dev").items():
        pairs_ = [(Text(c, 768), Text(a, 768)) for c, q, a, s in found_]
        p = [scaled(l, cal["hallucination"])[:, 1] for l in paired(found, m, frozen, pairs_)]
        truth = [marked(a, s[3]) for (_, a), s in zip(pairs_, found_)]
        score = np.array([x.max() if len(x) else 0 for x in p])
        y = np.array([bool(s[3]) for s in found_])
        runs = lambda bits: {(i, j, "") for i, j in stretches(bits)}
        best = max((measures.spans([runs(x >= t) for x in p], [runs(t_ == 1) for t_ in truth])["overlap F1"], t)
                   for t in np.arange(0.2, 0.9, 0.1))
        all_p, all_y = np.concatenate(p), np.concatenate(truth)
        out = measures.spans([runs(x >= 0.5) for x in p], [runs(t_ == 1) for t_ in truth])
        out.update({"best overlap F1": best[0], "at": best[1], "answer AUC": measures.detection(score, y)["AUC"],
                    "token ECE": measures.ece(np.stack([1 - all_p, all_p], 1), all_y)})
        say("hallucination", name, out)
    every, truths = [], []
    for name, found_ in nli_rows("dev").items():
        pairs_ = [(Text(a, 512), Text(b, 512), y) for a, b, y in found_]
        p = np.stack([scaled(l, cal["nli"]) for l in paired(inferred, m, frozen, pairs_)])
        y = np.array([x[2] for x in found_])
        if (y == 3).any():
            q = np.stack([p[:, 0], 1 - p[:, 0]], 1)
            say("nli", name + " (entailed or not)", measures.classification(q, np.minimum(y, 1)))
        else:
            say("nli", name, measures.classification(p, y))
            every.append(p)
            truths.append(y)
    say("nli", "all three-way", measures.classification(np.concatenate(every), np.concatenate(truths)))


def stretches(bits):
    at = np.flatnonzero(np.diff(np.concatenate([[0], np.asarray(bits, int), [0]])))
    return list(zip(at[::2], at[1::2]))


if __name__ == "__main__":
    main()
