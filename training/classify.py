#!/usr/bin/env python3
"""Trains the head of one classifier on the finished trunk, calibrates it, writes it, and prints its figures.

    classify.py TASK TRUNK_DIR OUT_DIR [--epochs N] [--queries N] [--hidden N] ...

The trunk stays as it is: what the head reads is what the exported eight-bit table holds.
"""
import argparse
import json
import pathlib
import sys
import time

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

import export
import measures
import mixer
import tasks
from store import Store


class Frozen:
    """The exported trunk."""

    def __init__(self, path):
        t, self.meta = export.read(pathlib.Path(path) / "trunk.safetensors")
        self.tensors = t
        self.vectors = export.restored(t["embedding.weight"], t["embedding.scale"])
        self.importance = torch.from_numpy(t["embedding.importance"])
        self.dims = self.vectors.shape[1]
        self.sentence = None
        if "sentence.up.weight" in t:
            self.sentence = mixer.Sentence(self.dims, t["sentence.up.weight"].shape[0])
            self.sentence.load_state_dict({k[9:]: torch.from_numpy(v) for k, v in t.items() if k.startswith("sentence.")})
        self.mixer = None
        if "mixer.in.weight" in t:
            self.mixer = mixer.from_tensors(t, self.meta)

    @torch.no_grad()
    def sentences(self, ids, offsets):
        s = mixer.bag(self.vectors, self.importance, ids, offsets)
        return self.sentence(s) if self.sentence else s


class Head(nn.Module):
    """Token pools and the sentence vector to logits."""

    def __init__(self, dims, queries, hidden, classes, sentence=True):
        super().__init__()
        self.pool = mixer.Pool(queries, dims) if queries else None
        self.sentence = sentence
        width = queries * dims + (dims if sentence else 0)
        self.hidden = nn.Linear(width, hidden) if hidden else None
        self.out = nn.Linear(hidden or width, classes)

    def forward(self, x, mask, y, drop=0.0):
        f = torch.cat(([self.pool(x, mask)] if self.pool else []) + ([y] if self.sentence else []), 1)
        f = F.dropout(f, drop, self.training)
        if self.hidden:
            f = F.dropout(F.gelu(self.hidden(f)), drop, self.training)
        return self.out(f)


def batches(store, which, size, r=None):
    """Texts of like length together."""
    order = np.argsort(store.lengths[which] + (r.rand(len(which)) * 6 if r else 0), kind="stable")
    cut = [order[i : i + size] for i in range(0, len(order), size)]
    if r:
        r.shuffle(cut)
    return cut


def inputs(frozen, store, which, r=None, drop=0.0):
    ids, offsets = store.batch(which)
    n = store.lengths[which]
    t = max(int(n.max()), 1)
    padded, mask = np.zeros((len(which), t), np.int64), np.zeros((len(which), t), np.float32)
    inside = np.arange(t)[None] < n[:, None]
    padded[inside] = ids
    mask[inside] = 1
    mask[n == 0, 0] = 1  # an empty text is one unknown token
    if drop:
        mask *= (r.rand(*mask.shape) >= drop) | (np.arange(t) == r.randint(0, t, len(which))[:, None])
        mask[mask.sum(1) == 0, 0] = 1
    padded, mask = torch.from_numpy(padded), torch.from_numpy(mask).float()
    x = frozen.vectors[padded]
    w = frozen.importance[padded].exp() * mask
    s = torch.einsum("bt,btd->bd", w, x) / w.sum(1, keepdim=True)
    with torch.no_grad():
        y = frozen.sentence(s) if frozen.sentence else s
    return x, mask, y


@torch.no_grad()
def logits_of(head, frozen, store, which):
    head.eval()
    out = torch.zeros(len(which), head.out.out_features)
    for cut in batches(store, which, 128):
        out[cut] = head(*inputs(frozen, store, which[cut]))
    return out


def calibrated(logits, y, weight=None):
    """Scale and bias that make the probabilities of held-out rows honest."""
    scale, bias = torch.ones(1, requires_grad=True), torch.zeros(logits.shape[1], requires_grad=True)
    opt = torch.optim.LBFGS([scale, bias], max_iter=100)
    y = torch.from_numpy(y)

    def closure():
        opt.zero_grad()
        loss = F.cross_entropy(logits * scale + bias, y) + 0.01 * bias.pow(2).sum()
        loss.backward()
        return loss

    opt.step(closure)
    return scale.detach(), bias.detach()


def main():
    p = argparse.ArgumentParser()
    p.add_argument("task")
    p.add_argument("trunk")
    p.add_argument("out", type=pathlib.Path)
    p.add_argument("--epochs", type=int, default=6)
    p.add_argument("--queries", type=int, default=8)
    p.add_argument("--hidden", type=int, default=0)
    p.add_argument("--drop", type=float, default=0.2)
    p.add_argument("--word-drop", type=float, default=0.1)
    p.add_argument("--lr", type=float, default=2e-3)
    p.add_argument("--decay", type=float, default=0.02)
    p.add_argument("--smooth", type=float, default=0.02)
    p.add_argument("--batch", type=int, default=64)
    p.add_argument("--tokens", type=int, default=160)
    p.add_argument("--version", default="1")
    o = p.parse_args()
    torch.manual_seed(1)
    torch.set_num_threads(1)
    r = np.random.RandomState(1)
    frozen = Frozen(o.trunk)
    labels = tasks.LABELS[o.task]
    store = Store(o.tokens)
    found = tasks.train(o.task)
    which = np.array([store.add(t) for t, _, _ in found])
    y = np.array([x[1] for x in found])
    w = np.array([x[2] for x in found], np.float32)
    dev = {k: (np.array([store.add(t) for t, _ in v]), np.array([x for _, x in v])) for k, v in tasks.dev(o.task).items()}
    store.close()
    print(o.task, len(found), "train rows", np.bincount(y[y >= 0], weights=w[y >= 0], minlength=len(labels)).round().tolist(), flush=True)
    # Calibration looks at rows that the head has not been fitted to.
    apart = np.array([i % 12 == 0 for i in r.permutation(len(y))]) & (w >= 1) & (y >= 0)
    fit = np.flatnonzero(~apart)
    head = Head(frozen.dims, o.queries, o.hidden, len(labels))
    opt = torch.optim.AdamW(head.parameters(), lr=o.lr, weight_decay=o.decay)
    balance = np.bincount(y[fit][y[fit] >= 0], weights=w[fit][y[fit] >= 0], minlength=len(labels))
    balance = torch.tensor((balance.mean() / balance) ** 0.3, dtype=torch.float32)
    began = time.time()
    for epoch in range(o.epochs):
        head.train()
        total = 0
        # A row of little weight is seen in some rounds only.
        now = fit[r.rand(len(fit)) < w[fit]]
        cuts = batches(store, which[now], o.batch, r)
        for k, cut in enumerate(cuts):
            rows = now[cut]
            for group in opt.param_groups:
                group["lr"] = o.lr * (1 - (epoch + k / len(cuts)) / o.epochs)
            logits = head(*inputs(frozen, store, which[rows], r, o.word_drop), o.drop)
            loss = F.cross_entropy(logits, torch.from_numpy(y[rows]), balance, reduction="none", label_smoothing=o.smooth,
                                   ignore_index=-1)
            loss = loss - (torch.from_numpy(y[rows]) < 0) * 0.5 * F.log_softmax(logits, 1).mean(1)
            loss = loss.mean()
            opt.zero_grad()
            loss.backward()
            opt.step()
            total += loss.item()
        print(f"epoch {epoch} loss {total / len(cuts):.4f} {time.time() - began:.0f}s", flush=True)
    scale, bias = calibrated(logits_of(head, frozen, store, which[apart]), y[apart])
    tensors = {k.replace("pool.", "token_pool."): v for k, v in head.state_dict().items()}
    tensors["calibration.scale"], tensors["calibration.bias"] = scale, bias
    parts = (["tokens"] if o.queries else []) + ["sentence"]
    export.write(o.out / "head.safetensors", tensors,
                 {"task": o.task, "kind": "classify", "labels": json.dumps(labels), "inputs": ",".join(parts), "version": o.version,
                  "trunk": frozen.meta.get("version", "")})
    figures(o.task, {k: (torch.softmax(logits_of(head, frozen, store, i) * scale + bias, 1).numpy(), t) for k, (i, t) in dev.items()})


def figures(task, sets):
    for name, (p, y) in sets.items():
        line(task, name, p, y)
    if len(sets) > 1:
        line(task, "all", np.concatenate([p for p, _ in sets.values()]), np.concatenate([y for _, y in sets.values()]))


def line(task, name, p, y):
    out = measures.classification(p, y)
    if p.shape[1] == 2 and 0 < y.sum() < len(y):
        out.update(measures.detection(p[:, 1], y == 1))
    print(task, name, json.dumps({k: round(float(v), 4) for k, v in out.items()}), flush=True)


if __name__ == "__main__":
    main()
