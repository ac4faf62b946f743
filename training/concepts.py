#!/usr/bin/env python3
"""Teaches the trunk which kinds of things a text may be taken for, to stand beside what texts are compared by: concepts.py TRUNK_DIR

A mean of word vectors says what a text speaks of. That a request looks like other requests to review a contract, or for comfort,
says what is wanted, in whatever words: of two texts that are taken for the same kinds of things, the vectors are near. The classes
are all banks of requests that this project has but those of data/banks.py, the subjects and their corners, and the intents of
assistants, of which the same tenth as everywhere is left out. Reads the eight-bit table of the vectors, and leaves it as it is.
"""
import argparse
import collections
import json
import pathlib
import sys

import numpy as np
import torch
import torch.nn.functional as F

import classify
import export
import mixer
import pairs
import rows
import tasks
import text

# Of the batches of training, and of what stands beside the vector.
SHARE = {"kinds": (0.45, 0.6), "subjects": (0.2, 0.15), "corners": (0.2, 0.15), "intents": (0.15, 0.1)}
PERCENT, AXES = 25, 128
LONGEST = 96  # tokens of a text in training
ROWS = 128  # of a batch
MEASURED = 4000  # texts of each group that say which directions lead
# What a cosine means on the scale that policies' thresholds are written for (src/nn/similarity.h). Of the eighteen banks of
# training/data/banks.py: 0.31 is what a fifth of the requests do not reach with their own bank and six in ten not with the best
# wrong one, 0.425 what one in twenty reaches with a wrong one, 0.12 the middle of all wrong ones; 0.63 is the middle of requests
# of intents that were trained on, 0.85 of paraphrases.
SIMILARITY = [[0.12, 0.2], [0.31, 0.5], [0.425, 0.74], [0.63, 0.86], [0.85, 0.96]]


def classes():
    """group -> [(text, class, weight)]"""
    found = collections.defaultdict(list)
    families, two = pairs.groups(), pairs.two_sided()
    found["kinds"] = [(r["text"], r["label"], 1.0) for name in ("kinds", "intents", "train_intents") for r in rows.own(name)]
    found["subjects"] = [(t, tasks.DOMAIN[y], w) for t, y, w in tasks.train("domain") if y >= 0]
    for family in ("topics", "corners"):
        found["corners"] += [(t, label, 1.0) for label, texts in families[family].items() for t in texts]
    found["corners"] += [(t, label, 1.0) for label, (_, asked) in two["corner_asked"].items() for t in asked]
    found["corners"] += [(t, label, 1.0) for label, (_, words) in two["terms"].items() for t in words]
    found["intents"] = [(t, family + " " + label, 1.0) for family in ("clinc", "hwu", "sgd", "metatool")
                        for label, texts in families[family].items() for t in texts]
    return {g: found[g] for g in SHARE}


class Rows:
    """The texts of one group as tokens, in an order without end."""

    def __init__(self, found, random):
        names = sorted({label for _, label, _ in found})
        at = {name: i for i, name in enumerate(names)}
        self.ids = [np.array((x or [0])[:LONGEST]) for x in text.ids_of([t for t, _, _ in found])]
        self.y = torch.tensor([at[label] for _, label, _ in found])
        self.weight = torch.tensor([w for _, _, w in found], dtype=torch.float32)
        self.classes, self.random, self.order = len(names), random, []

    def next(self, n):
        if len(self.order) < n:
            self.order = list(self.random.permutation(len(self.ids)))
        return [self.order.pop() for _ in range(n)]


def batch(ids, table, weight, random=None, drop=0.0):
    """Tokens, which there are, their mean. A dropped token is seen by the pools of none."""
    n = max(len(x) for x in ids)
    mask = torch.from_numpy(np.array([np.arange(n) < len(x) for x in ids]))
    padded = torch.from_numpy(text.pad(ids, n))
    if drop:
        keep = torch.from_numpy(random.rand(*padded.shape) >= drop)
        keep[:, 0] = True
        mask = mask & keep
    return mixer.tokens(padded, mask, table, weight)


def train(data, table, weight, random, o):
    m = mixer.Concepts(table.shape[1], o.queries, o.hidden, [d.classes for d in data.values()])
    with torch.no_grad():
        m.hidden.weight.div_(table.std() * 1.2)  # token vectors are short: what the layer gives shall be of about one
    opt = torch.optim.AdamW(m.parameters(), lr=o.lr, weight_decay=0.01)
    names, sets, share, seen = list(data), list(data.values()), np.array([SHARE[g][0] for g in data]), {}
    m.train()
    for step in range(o.steps):
        for group in opt.param_groups:
            group["lr"] = o.lr * min(1, (step + 1) / 100) * (1 - step / o.steps)
        g = random.choice(len(data), p=share / share.sum())
        d, name = sets[g], names[g]
        pick = d.next(ROWS)
        h = m.heard(*batch([d.ids[i] for i in pick], table, weight, random, o.drop), o.drop)
        loss = (F.cross_entropy(m.logits(h, g), d.y[pick], reduction="none") * d.weight[pick]).mean()
        opt.zero_grad()
        loss.backward()
        opt.step()
        seen[name] = 0.98 * seen.get(name, loss.item()) + 0.02 * loss.item()
        if (step + 1) % 1000 == 0:
            print(step + 1, {k: round(v, 3) for k, v in seen.items()}, flush=True)
    return m.eval()


@torch.no_grad()
def axes(m, data, table, weight):
    """[AXES][classes]: leading directions of the roots, about the origin, each group with what it counts."""
    counts = torch.cat([torch.full((d.classes,), SHARE[g][1]) for g, d in data.items()]).sqrt()
    square = torch.zeros(len(counts), len(counts))
    for d in data.values():
        some = d.ids[:: max(1, len(d.ids) // MEASURED)]
        for i in range(0, len(some), 2 * ROWS):
            r = m.roots(*batch(some[i : i + 2 * ROWS], table, weight)) * counts
            square += r.t() @ r
    value, vector = torch.linalg.eigh(square)
    print("axes keep", round(float(value[-AXES:].sum() / value.sum()), 3), flush=True)
    return vector[:, -AXES:].flip(1).t() * counts


def main():
    p = argparse.ArgumentParser()
    p.add_argument("trunk", type=pathlib.Path)
    p.add_argument("--steps", type=int, default=8000)
    p.add_argument("--queries", type=int, default=6)
    p.add_argument("--hidden", type=int, default=128)
    p.add_argument("--drop", type=float, default=0.2)
    p.add_argument("--lr", type=float, default=2e-3)
    o = p.parse_args()
    torch.manual_seed(1)
    torch.set_num_threads(1)
    random = np.random.RandomState(1)
    frozen = classify.Frozen(o.trunk)
    if not frozen.own:
        sys.exit("the trunk has no table of its own for vectors: vectors.py comes before")
    table, weight = frozen.own[0], frozen.own[1].exp()
    data = {g: Rows(found, random) for g, found in classes().items()}
    print({g: (len(d.ids), d.classes) for g, d in data.items()}, flush=True)
    m = train(data, table, weight, random, o)
    tensors = {"concepts.query": m.pool.query, "concepts.hidden.bias": m.hidden.bias, "concepts.out.bias": m.out.bias}
    for name, part in (("hidden", m.hidden), ("out", m.out)):
        q, scale = export.quantised(part.weight.detach())
        tensors[f"concepts.{name}.weight"], tensors[f"concepts.{name}.scale"] = q, scale
        with torch.no_grad():
            part.weight.copy_(export.restored(q, scale))
    tensors["concepts.axes.weight"], tensors["concepts.axes.scale"] = export.quantised(axes(m, data, table, weight))
    kept = {k: v for k, v in frozen.tensors.items() if not k.startswith("concepts.")}
    meta = {**frozen.meta, "concepts.groups": ",".join(str(n) for n in m.sizes), "concepts.percent": PERCENT,
            "similarity": json.dumps(SIMILARITY)}
    export.write(o.trunk / "trunk.safetensors", {**kept, **tensors}, meta)


if __name__ == "__main__":
    main()
