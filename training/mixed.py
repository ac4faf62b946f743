#!/usr/bin/env python3
"""Trains the mixer together with the heads that read it: hallucination, inference between texts, and the half of the jailbreak
head that knows the order of words.

    mixed.py TRUNK_DIR OUT_DIR [--steps N] ...

OUT_DIR gets trunk/ (the same table, with the mixer) and a folder for each head. The table of vectors stays as it is: what is
learned here reads the eight-bit numbers that ship.
"""
import argparse
import json
import pathlib
import pickle
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
import tasks
import text
from tagger import Cycle, Text, characters

NLI = ["entailment", "neutral", "contradiction"]
FOUND = ["supported", "hallucinated"]
def marked(t, spans):
    """1 for the tokens of an answer that are not supported."""
    return np.array([any(t.starts[i] < e and t.ends[i] > s for s, e in spans) for i in range(len(t.ids))], np.int64)


def hallucination_rows(split):
    sets = {}
    for name in ("hallucination/summedits", "hallucination/xquad_answer_swap"):
        found = rows.dev(name) if split == "dev" else rows.train(name, "answer" if "summ" in name else "question")
        sets[name.split("/")[1]] = [(r["context"], r.get("question") or "", r["answer"],
                                     [s[:2] for s in characters(r["answer"], r["spans"])]) for r in found]
    mine = [(r["context"], r.get("question") or "", r["answer"], [s[:2] for s in characters(r["answer"], r["spans"])])
            for r in rows.own("hallucination", split)]
    return {**sets, "own": mine} if mine else sets


def nli_rows(split):
    sets = {}
    for name in ("nli/aristo_tracie_scitail", "nli/begin_wow", "nli/breaking_nli", "nli/med"):
        found = rows.dev(name) if split == "dev" else rows.train(name, "b")
        sets[name.split("/")[1]] = [(r["a"], r["b"], (NLI + ["not_entailment"]).index(r["label"])) for r in found]
    mine = [(r["a"], r["b"], NLI.index(r["label"])) for r in rows.own("nli", split)]
    return {**sets, "own": mine} if mine else sets


LENGTH = {"jailbreak": 400}
CLASSES = ("jailbreak",)
SHARE = {"hallucination": 0.35, "nli": 0.3, "jailbreak": 0.35}


def class_rows(task):
    """Train: ([Text], labels, weights, held out, as people asked it); -1: no class should be sure."""
    found = tasks.train(task)
    return ([Text(t, LENGTH.get(task, 192), False) for t, _, _ in found], np.array([y for _, y, _ in found]),
            np.array([w for _, _, w in found], np.float32), *tasks.held_out(task, found))


def material():
    """All rows, cut into tokens; kept beside the tokenizer, because it takes minutes to make."""
    kept = text.MODEL.with_name("heads.pickle")
    if kept.exists():
        return pickle.loads(kept.read_bytes())
    r = np.random.RandomState(5)
    hall = [(Text(c + (" " + q if q and r.rand() < 0.5 else ""), 384), Text(a, 128), s)
            for v in hallucination_rows("train").values() for c, q, a, s in v]
    hall = [(c, a, marked(a, s)) for c, a, s in hall if len(a.ids) and len(c.ids)]
    nli = [(Text(a, 160), Text(b, 96), y) for v in nli_rows("train").values() for a, b, y in v]
    nli = [x for x in nli if len(x[0].ids) and len(x[1].ids)]
    found = hall, nli, {task: class_rows(task) for task in CLASSES}
    kept.write_bytes(pickle.dumps(found))
    return found


class Classes(nn.Module):
    """Pools over token vectors and over mixed ones, and the sentence vector, to logits."""

    def __init__(self, dims, width, queries, mixed_queries, classes):
        super().__init__()
        self.token_pool, self.pool = mixer.Pool(queries, dims), mixer.Pool(mixed_queries, width)
        self.out = nn.Linear((queries + 1) * dims + mixed_queries * width, classes)

    def forward(self, b, h, drop=0.0):
        f = torch.cat([self.token_pool(b.x, b.mask), self.pool(h, b.mask), b.sentence], 1)
        return self.out(F.dropout(f, drop, self.training))


class Models(nn.Module):
    def __init__(self, dims, o):
        super().__init__()
        self.classes = nn.ModuleDict({t: Classes(dims, o.width, o.queries, o.mixed_queries, len(tasks.LABELS[t]))
                                      for t in CLASSES})
        self.mixer = mixer.Mixer(dims, o.width, o.inner, o.kernel, o.blocks, dilation=[int(d) for d in o.dilation.split(",")])
        self.found, self.found_out = mixer.Compare(dims, o.width, 64, o.compare), nn.Linear(o.compare, 2)
        self.nli, self.nli_hidden = mixer.Compare(dims, o.width, 64, o.compare), nn.Linear(4 * o.compare, 64)
        self.nli_out = nn.Linear(64, 3)
        self.drop = o.drop


class Batch:
    def __init__(self, frozen, texts, r=None, hide=0.0):
        n = max(1, max(len(t.ids) for t in texts))
        self.ids = torch.from_numpy(text.pad([t.ids for t in texts], n))
        shapes = [t.shapes for t in texts]
        self.shapes = torch.from_numpy(text.pad(shapes, n))
        self.mask = torch.from_numpy(text.pad([[1] * len(t.ids) for t in texts], n)).float()
        x = frozen.vectors[self.ids]
        w = frozen.importance[self.ids].exp() * self.mask
        if hide:
            w = w * torch.from_numpy(r.rand(*self.ids.shape) >= hide / 2)
        s = torch.einsum("bt,btd->bd", w, x) / w.sum(1, keepdim=True).clamp_min(1e-6)
        self.sentence = frozen.sentence(s) if frozen.sentence else s
        if hide:
            x = x * torch.from_numpy(r.rand(*self.ids.shape) >= hide)[:, :, None]
        self.x = x * self.mask[:, :, None]

    def mixed(self, m):
        return m(self.x, self.shapes, self.mask)


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


def main():
    p = argparse.ArgumentParser()
    p.add_argument("trunk", type=pathlib.Path)
    p.add_argument("out", type=pathlib.Path)
    p.add_argument("--steps", type=int, default=8000)
    p.add_argument("--width", type=int, default=128)
    p.add_argument("--inner", type=int, default=128)
    p.add_argument("--kernel", type=int, default=9)
    p.add_argument("--blocks", type=int, default=2)
    p.add_argument("--dilation", default="1,4")
    p.add_argument("--compare", type=int, default=96)
    p.add_argument("--drop", type=float, default=0.1)
    p.add_argument("--hide", type=float, default=0.1)
    p.add_argument("--lr", type=float, default=3e-3)
    p.add_argument("--init", type=pathlib.Path, help="models to begin with")
    p.add_argument("--queries", type=int, default=4)
    p.add_argument("--mixed-queries", type=int, default=4)
    p.add_argument("--version", default="1")
    o = p.parse_args()
    torch.manual_seed(1)
    torch.set_num_threads(1)
    r = np.random.RandomState(1)
    frozen = classify.Frozen(o.trunk)
    m = Models(frozen.dims, o)
    if o.init:
        import evaluate  # which reads what this module writes

        before = evaluate.models(classify.Frozen(o.init / "trunk"), o.init)[0].state_dict()
        for name, now in m.state_dict().items():
            if now.shape == before[name].shape:
                continue
            # A wider convolution begins as the narrow one.
            narrow, before[name] = before[name], torch.zeros_like(now)
            half, old = now.shape[2] // 2, narrow.shape[2] // 2
            before[name][:, :, half - old : half + old + 1] = narrow
        m.load_state_dict(before)

    hall, nli, classes = material()
    print(len(hall), len(nli), {t: len(x[0]) for t, x in classes.items()}, "rows", flush=True)
    held = lambda n: r.rand(n) < 0.06  # for calibration
    hh, hn = held(len(hall)), held(len(nli))
    split = lambda xs, h: ([x for x, k in zip(xs, h) if not k], [x for x, k in zip(xs, h) if k])
    (hall, hall_held), (nli, nli_held) = split(hall, hh), split(nli, hn)
    cycles = {"hallucination": Cycle([len(c.ids) + len(a.ids) for c, a, _ in hall], r),
              "nli": Cycle([len(a.ids) + len(b.ids) for a, b, _ in nli], r)}
    class_held, balance = {}, {}
    for task, (texts, y, w, apart, as_asked) in classes.items():
        keep = apart & as_asked & (y >= 0)
        class_held[task] = ([texts[i] for i in np.flatnonzero(keep)], y[keep])
        fit = ~apart
        cycles[task] = Cycle([len(t.ids) for t in texts], r, w * fit)
        count = np.bincount(y[fit & (y >= 0)], weights=w[fit & (y >= 0)], minlength=len(tasks.LABELS[task]))
        balance[task] = torch.tensor((count.mean() / count) ** 0.3, dtype=torch.float32)
    weight = np.bincount([y for _, _, y in nli if y < 3], minlength=3)
    weight = torch.tensor((weight.mean() / weight) ** 0.5, dtype=torch.float32)
    pools = [v for k, v in m.named_parameters() if k.startswith("classes")]
    others = [v for k, v in m.named_parameters() if not k.startswith("classes")]
    opt = torch.optim.AdamW([{"params": others, "rate": o.lr}, {"params": pools, "rate": 2 * o.lr}], lr=o.lr, weight_decay=0.02)
    names = list(SHARE)
    mix = np.array([SHARE[n] for n in names])
    seen, began = {}, time.time()
    m.train()
    for step in range(o.steps):
        for group in opt.param_groups:
            group["lr"] = group["rate"] * min(1, (step + 1) / 100) * (1 - step / o.steps)
        what = names[r.choice(len(names), p=mix / mix.sum())]
        pick = cycles[what].next()
        if what == "hallucination":
            a, b = Batch(frozen, [hall[i][0] for i in pick]), Batch(frozen, [hall[i][1] for i in pick])
            y = torch.from_numpy(text.pad([hall[i][2] for i in pick], b.ids.shape[1], -100))
            loss = F.cross_entropy(found(m, a, b).flatten(0, 1), y.flatten(), ignore_index=-100)
        elif what == "nli":
            a, b = Batch(frozen, [nli[i][0] for i in pick]), Batch(frozen, [nli[i][1] for i in pick])
            loss = nli_loss(inferred(m, a, b), torch.tensor([nli[i][2] for i in pick]), weight)
        else:
            texts, y, *_ = classes[what]
            b = Batch(frozen, [texts[i] for i in pick], r, o.hide)
            y = torch.from_numpy(y[pick])
            logits = m.classes[what](b, b.mixed(m.mixer), 2 * o.drop)
            loss = F.cross_entropy(logits, y, balance[what], reduction="none", ignore_index=-1, label_smoothing=0.02)
            loss = (loss - (y < 0) * 0.5 * F.log_softmax(logits, 1).mean(1)).mean()
        opt.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(m.parameters(), 1.0)
        opt.step()
        seen[what] = 0.97 * seen.get(what, loss.item()) + 0.03 * loss.item()
        if (step + 1) % 500 == 0:
            print(step + 1, f"{time.time() - began:.0f}s", {k: round(v, 4) for k, v in sorted(seen.items())}, flush=True)
    m.eval()
    cal = calibration(m, frozen, hall_held, nli_held)
    for task, (texts, y) in class_held.items():
        cal[task] = classify.calibrated(classed(m, task, frozen, texts), y)
    write(m, frozen, o, cal)


def nli_loss(logits, y, weight):
    logp = F.log_softmax(logits, 1)
    three = y < 3
    loss = F.nll_loss(logp[three], y[three], weight, reduction="sum")
    return (loss - torch.logsumexp(logp[~three][:, 1:], 1).sum()) / len(y)


@torch.no_grad()
def classed(m, task, frozen, texts):
    out = torch.zeros(len(texts), len(tasks.LABELS[task]))
    for cut in chunks(np.argsort([len(t.ids) for t in texts], kind="stable"), 64):
        b = Batch(frozen, [texts[i] for i in cut])
        out[cut] = m.classes[task](b, b.mixed(m.mixer))
    return out


@torch.no_grad()
def paired(run, m, frozen, pairs_):
    out = [None] * len(pairs_)
    for cut in chunks(np.argsort([len(p[0].ids) for p in pairs_]), 32):
        logits = run(m, Batch(frozen, [pairs_[i][0] for i in cut]), Batch(frozen, [pairs_[i][1] for i in cut]))
        for i, l in zip(cut, logits):
            out[i] = l[: len(pairs_[i][1].ids)] if run is found else l
    return out


def calibration(m, frozen, hall, nli):
    out = {"hallucination": classify.calibrated(torch.cat(paired(found, m, frozen, hall)), np.concatenate([y for _, _, y in hall]))}
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
    for task in CLASSES:
        labels = tasks.LABELS[task]
        tensors = {k: v for k, v in m.classes[task].state_dict().items()}
        tensors["calibration.scale"], tensors["calibration.bias"] = cal[task]
        export.write(o.out / task / "head.safetensors", tensors,
                     {"task": task, "kind": "classify", "labels": json.dumps(labels), "inputs": "tokens,mixed,sentence",
                      "version": o.version, "trunk": frozen.meta.get("version", "")})
    for task, kind, labels, tensors in (
        ("hallucination", "pair-tag", FOUND, {**compare(m.found), **linear("out", m.found_out)}),
        ("nli", "pair", NLI, {**compare(m.nli), **linear("hidden", m.nli_hidden), **linear("out", m.nli_out)}),
    ):
        tensors["calibration.scale"], tensors["calibration.bias"] = cal[task]
        export.write(o.out / task / "head.safetensors", tensors,
                     {"task": task, "kind": kind, "labels": json.dumps(labels), "version": o.version, "trunk": frozen.meta.get("version", "")})
    figures(m, frozen, cal)


def figures_of_texts(probabilities):
    """`probabilities`: task -> texts to probabilities."""
    for task, p in probabilities.items():
        classify.figures(task, {k: (p([t for t, _ in v]), np.array([y for _, y in v])) for k, v in tasks.dev(task).items()})
        for name, texts in tasks.extra(task).items():
            q = p(texts)
            print(task, name, json.dumps({"rows": len(q), **{f"share of {l} at 0.7": round(float((q[:, k] >= 0.7).mean()), 4)
                                                             for k, l in enumerate(tasks.LABELS[task]) if k}}), flush=True)


def figures(m, frozen, cal):
    """Of pairs."""
    say = lambda *a: print(*a[:-1], json.dumps({k: round(float(v), 4) for k, v in a[-1].items()}), flush=True)
    scaled = lambda l, c: torch.softmax(l * c[0] + c[1], -1).numpy()
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
