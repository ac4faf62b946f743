#!/usr/bin/env python3
"""Trains a classify head: what the sentence says, plus what its runs of one to three tokens say.

    ngrams.py TASK TRUNK OUT [--beside HEAD] [--version V]

    logits = out(gelu(hidden(y))) + sum over the distinct n-grams of the text of their rows / sqrt(how many there are)

The runs are hashed into a table whose rows are numbers for each class (src/nn/ngrams.h): a linear model, the old strong baseline
for subjects and phrases, beside the sentence vector that knows what words mean. Both are trained together; each is left out
at random, so that neither leans on the other. The table is kept in eight bits.

With --beside, the calibrated logits are the mean of these and of a head of mixed.py, as one head: its hidden layer is both.
"""
import argparse
import json
import pathlib

import numpy as np
import torch
import torch.nn.functional as F

import classify
import export
import mixed
import mixer
import tasks
import text

ORDERS, BUCKETS, MOST = 3, 1 << 17, 1024
POOLED = 96  # tokens of a text that pools see in training; four times as many in calibration
MULTIPLY, ADD, FINISH = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xC2B2AE3D27D4EB4F), np.uint64(0xBF58476D1CE4E5B9)


def features(ids, pieces, common=None):
    """The distinct n-grams of a text, as rows of the table; `common` [pieces]: of these alone no run is made."""
    a = np.array(ids[:MOST], np.uint64)
    plain = common[a.astype(np.int64)] if common is not None else np.zeros(len(a), bool)
    out, h, dull = [a[~plain]], a, plain
    for k in range(1, ORDERS):
        if len(a) <= k:
            break
        h = h[:-1] * MULTIPLY + a[k:] * ADD + np.uint64(k)
        dull = dull[:-1] & plain[k:]
        out.append((np.uint64(pieces) + (((h ^ (h >> np.uint64(29))) * FINISH) >> np.uint64(20)) % np.uint64(BUCKETS))[~dull])
    return np.unique(np.concatenate(out)).astype(np.int64)


class Rows:
    """Texts as the head sees them: sentence vectors, and n-grams one behind another."""

    def __init__(self, texts, trunk, pieces, common=None, pooled=0):
        ids = [x or [0] for x in text.ids_of(texts)]
        self.ids, self.vectors = [np.array(x[:pooled]) for x in ids] if pooled else None, trunk.vectors
        self.y = []
        for i in range(0, len(ids), 512):
            some = [x[:8192] for x in ids[i : i + 512]]
            starts = np.concatenate([[0], np.cumsum([len(x) for x in some])[:-1]])
            self.y.append(trunk.sentences(torch.tensor([t for x in some for t in x]), torch.from_numpy(starts)))
        self.y = torch.cat(self.y) if self.y else torch.zeros(0, trunk.dims)
        self.grams = [features(x, pieces, common) for x in ids]

    def take(self, which, random=None, drop=0.0):
        grams = [self.grams[i] for i in which]
        n = np.array([len(g) for g in grams])
        weight = np.repeat(1 / np.sqrt(np.maximum(n, 1)), n).astype(np.float32)
        if drop:
            weight *= random.rand(len(weight)) >= drop
        starts = np.concatenate([[0], np.cumsum(n)[:-1]])
        return (self.y[torch.from_numpy(np.asarray(which))], torch.from_numpy(np.concatenate(grams)), torch.from_numpy(starts),
                torch.from_numpy(weight), self.tokens(which, random, drop))

    def tokens(self, which, random, drop):
        """Vectors of the tokens [B][T][D] and which of them there are [B][T], for attention pools."""
        if not self.ids:
            return None
        ids = [self.ids[i] for i in which]
        most = max(len(x) for x in ids)
        mask = torch.from_numpy(np.array([np.arange(most) < len(x) for x in ids]))
        padded = torch.from_numpy(text.pad(ids, most))
        x = self.vectors[padded]
        if drop:
            keep = torch.from_numpy(random.rand(*padded.shape) >= drop)
            keep[:, 0] = True
            mask = mask & keep
        return x, mask


def most_frequent(n, pieces):
    """[pieces] of bool: the tokens that the most requests have, whatever they are about."""
    count = np.zeros(pieces, np.int64)
    for ids in text.ids_of([t for t, _ in tasks.spoken()]):
        count[np.unique(ids)] += 1
    found = np.zeros(pieces, bool)
    found[np.argsort(-count, kind="stable")[:n]] = True
    return found


class Head(torch.nn.Module):
    def __init__(self, dims, hidden, classes, rows, queries=0):
        super().__init__()
        self.pool = mixer.Pool(queries, dims) if queries else None
        self.hidden, self.out = torch.nn.Linear(dims * (queries + 1), hidden), torch.nn.Linear(hidden, classes)
        self.table = torch.nn.EmbeddingBag(rows, classes, mode="sum", sparse=True)
        torch.nn.init.zeros_(self.table.weight)

    def forward(self, y, grams, starts, weight, tokens=None, drop=0.0, alone=0.0):
        if self.pool:
            y = torch.cat([self.pool(*tokens), y], 1)
        sentence = self.out(F.dropout(F.gelu(self.hidden(F.dropout(y, drop, self.training))), drop, self.training))
        table = self.table(grams, starts, per_sample_weights=weight)
        if self.training and alone:
            keep = torch.rand(len(y), 1)
            sentence, table = sentence * (keep >= alone), table * (keep < 1 - alone)
        return sentence + table


@torch.no_grad()
def logits(head, rows):
    head.eval()
    n = len(rows.grams)
    return torch.cat([head(*rows.take(range(i, min(i + 512, n)))) for i in range(0, n, 512)])


def joined(own, other, classes, dims):
    """Two heads as one whose logits are the mean of their calibrated ones. The other's, linear, is on the left."""
    a, b = other["calibration.scale"] / 2, own["calibration.scale"] / 2
    pools = other["out.weight"].shape[1] - dims
    # Linear through a hidden layer with GELU: a column and its negative, gelu(x) - gelu(-x) = x.
    left = a * other["out.weight"]
    n = len(own["hidden.weight"])
    hidden = torch.zeros(2 * classes + n, pools + dims)
    hidden[:classes], hidden[classes : 2 * classes] = left, -left
    hidden[2 * classes :, pools:] = own["hidden.weight"]
    eye = torch.eye(classes)
    out = dict(own)
    out["hidden.weight"] = hidden
    out["hidden.bias"] = torch.cat([torch.zeros(2 * classes), own["hidden.bias"]])
    out["out.weight"] = torch.cat([eye, -eye, b * own["out.weight"]], 1)
    out["out.bias"] = (a * other["out.bias"] + other["calibration.bias"] / 2 + b * own["out.bias"] + own["calibration.bias"] / 2)
    out["ngram.scale"] = b * own["ngram.scale"]
    out["calibration.scale"], out["calibration.bias"] = torch.ones(1), torch.zeros(classes)
    out["token_pool.query"], out["pool.query"] = other["token_pool.query"], other["pool.query"]
    return out


class Exported:
    """A classify head as its file has it, whatever it reads."""

    def __init__(self, path, trunk):
        t, self.meta = export.read(path)
        self.t = {k: torch.from_numpy(v) for k, v in t.items()}
        if "hidden.scale" in t:
            self.t["hidden.weight"] = export.restored(t["hidden.weight"], t["hidden.scale"])
        self.inputs = self.meta["inputs"].split(",")
        self.trunk, self.table = trunk, None
        self.common = t["ngram.common"] > 0 if "ngram.common" in t else None
        if "ngrams" in self.inputs:
            self.table = torch.nn.EmbeddingBag.from_pretrained(self.t["ngram.weight"].float() * self.t["ngram.scale"], mode="sum")

    def pool(self, name, x, mask):
        q = self.t[name]
        w = (x @ q.t()).masked_fill(mask[:, :, None] == 0, -1e9).softmax(1)
        return torch.einsum("btq,btd->bqd", w, x).flatten(1)

    @torch.no_grad()
    def some(self, texts):
        batch = mixed.Batch(self.trunk, [mixed.Text(t, 2048, False) for t in texts])
        parts = {"tokens": lambda: self.pool("token_pool.query", batch.x, batch.mask),
                 "mixed": lambda: self.pool("pool.query", batch.mixed(self.trunk.mixer), batch.mask), "sentence": lambda: batch.sentence}
        f = torch.cat([parts[p]() for p in self.inputs if p in parts], 1)
        if "hidden.weight" in self.t:
            f = F.gelu(F.linear(f, self.t["hidden.weight"], self.t["hidden.bias"]))
        z = F.linear(f, self.t["out.weight"], self.t["out.bias"])
        if self.table:
            _, grams, starts, weight, _ = Rows(texts, self.trunk, len(self.trunk.vectors), self.common).take(range(len(texts)))
            z = z + self.table(grams, starts, per_sample_weights=weight)
        return (z * self.t["calibration.scale"] + self.t["calibration.bias"]).softmax(1)

    def probabilities(self, texts):
        order = np.argsort([len(t) for t in texts], kind="stable")
        out = np.zeros((len(texts), len(self.t["out.bias"])), np.float32)
        for i in range(0, len(order), 64):
            out[order[i : i + 64]] = self.some([texts[k] for k in order[i : i + 64]]).numpy()
        return out


def main():
    p = argparse.ArgumentParser()
    p.add_argument("task")
    p.add_argument("trunk", type=pathlib.Path)
    p.add_argument("out", type=pathlib.Path)
    p.add_argument("--version", default="1")
    p.add_argument("--beside", type=pathlib.Path)
    p.add_argument("--epochs", type=int, default=4)
    p.add_argument("--hidden", type=int, default=192)
    p.add_argument("--rate", type=float, default=0.4, help="of the table")
    p.add_argument("--alone", type=float, default=0.25)
    p.add_argument("--queries", type=int, default=0, help="attention pools over the tokens")
    p.add_argument("--common", type=int, default=0, help="so many of the most frequent tokens make no run by themselves")
    p.add_argument("--drop", type=float, default=0.2, help="of the runs of tokens")
    o = p.parse_args()
    if o.beside and o.queries:
        p.error("--beside brings pools of its own: not together with --queries")
    torch.manual_seed(1)
    torch.set_num_threads(1)
    random = np.random.RandomState(1)
    trunk = classify.Frozen(o.trunk)
    pieces = len(trunk.vectors)
    labels = tasks.LABELS[o.task]
    found = tasks.train(o.task)
    y = np.array([r[1] for r in found])
    importance = torch.tensor([r[2] for r in found], dtype=torch.float32)
    common = most_frequent(o.common, pieces) if o.common else None
    cut = POOLED if o.queries else 0
    data = Rows([r[0] for r in found], trunk, pieces, common, cut)
    out_of_it, as_asked = tasks.held_out(o.task, found)
    print(o.task, len(found), "rows", [int((y == c).sum()) for c in range(len(labels))], flush=True)

    spread = data.y.std(0).mean().item() or 1.0
    head = Head(trunk.dims, o.hidden, len(labels), pieces + BUCKETS, o.queries)
    with torch.no_grad():
        head.hidden.weight.div_(spread * 4)
    dense = [p for name, p in head.named_parameters() if not name.startswith("table")]
    opt = torch.optim.AdamW(dense, lr=2e-3, weight_decay=0.01)
    table = torch.optim.Adagrad([head.table.weight], lr=o.rate)
    use = np.flatnonzero(~out_of_it)
    for epoch in range(o.epochs):
        head.train()
        total = 0.0
        order = random.permutation(use)
        for g in opt.param_groups:
            g["lr"] = 2e-3 * (1 - epoch / o.epochs)
        for i in range(0, len(order), 128):
            b = order[i : i + 128]
            z = head(*data.take(b, random, o.drop), drop=0.2, alone=o.alone).log_softmax(1)
            t = torch.from_numpy(y[b])
            loss = torch.where(t >= 0, -z[torch.arange(len(b)), t.clamp_min(0)], -z.mean(1))
            loss = (loss * importance[b]).mean()
            opt.zero_grad()
            table.zero_grad()
            loss.backward()
            opt.step()
            table.step()
            total += loss.item() * len(b)
        print("epoch", epoch, "loss", round(total / len(order), 4), flush=True)

    # The table as it will be read: eight bits, one scale for each class.
    with torch.no_grad():
        w = head.table.weight
        scale = w.abs().amax(0).clamp_min(1e-6) / 127
        q = torch.round(w / scale).to(torch.int8)
        head.table.weight.copy_(q.float() * scale)
        if o.queries:
            hidden, hidden_scale = export.quantised(head.hidden.weight)
            head.hidden.weight.copy_(export.restored(hidden, hidden_scale))
    keep = np.flatnonzero(out_of_it & as_asked & (y >= 0))
    held = [found[i][0] for i in keep]
    factor, bias = classify.calibrated(logits(head, Rows(held, trunk, pieces, common, 4 * cut)), y[keep])
    tensors = {"hidden.weight": head.hidden.weight, "hidden.bias": head.hidden.bias, "out.weight": head.out.weight,
               "out.bias": head.out.bias, "ngram.weight": q, "ngram.scale": scale, "calibration.scale": factor, "calibration.bias": bias}
    tensors = {k: v.detach() for k, v in tensors.items()}
    if o.queries:
        tensors["hidden.weight"], tensors["hidden.scale"] = hidden, hidden_scale
    if common is not None:
        tensors["ngram.common"] = torch.from_numpy(common.astype(np.int8))
    inputs = "sentence,ngrams"
    if o.queries:
        tensors["token_pool.query"], inputs = head.pool.query.detach(), "tokens," + inputs
    if o.beside:
        other = {k: torch.from_numpy(v) for k, v in export.read(o.beside)[0].items()}
        tensors, inputs = joined(tensors, other, len(labels), trunk.dims), "tokens,mixed,sentence,ngrams"
    meta = {"task": o.task, "kind": "classify", "labels": json.dumps(labels, ensure_ascii=False), "inputs": inputs,
            "ngram_orders": ORDERS, "version": o.version, "trunk": trunk.meta.get("version", "")}
    export.write(o.out / "head.safetensors", tensors, meta)
    if o.beside:
        # The mean of two honest heads is less sure than it may be.
        p = Exported(o.out / "head.safetensors", trunk).probabilities(held)
        tensors["calibration.scale"], tensors["calibration.bias"] = classify.calibrated(torch.from_numpy(np.log(p + 1e-9)), y[keep])
        export.write(o.out / "head.safetensors", tensors, meta)
    ready = Exported(o.out / "head.safetensors", trunk)
    classify.figures(o.task, {name: (ready.probabilities([r[0] for r in rows]), np.array([r[1] for r in rows]))
                              for name, rows in tasks.dev(o.task).items()})


if __name__ == "__main__":
    main()
