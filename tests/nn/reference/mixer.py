"""The mixer of vsr and its heads once more: NumPy, float64, one text at a time, from the definitions in training/README.md."""
import json
import pathlib
import struct

import numpy as np

from .safetensors import read


def gelu(x):
    erf = np.vectorize(__import__("math").erf, otypes=[np.float64])
    return 0.5 * x * (1 + erf(x / np.sqrt(2)))


def softmax(x, axis=-1):
    if x.shape[axis] == 0:
        return x
    e = np.exp(x - x.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


def unit(x):
    return x / np.maximum(np.sqrt((x * x).sum(axis=-1, keepdims=True)), 1e-12)


class File:
    def __init__(self, path):
        data = pathlib.Path(path).read_bytes()
        (n,) = struct.unpack("<Q", data[:8])
        self.notes = json.loads(data[8 : 8 + n]).get("__metadata__", {})
        self.tensors = read(path)

    def __contains__(self, name):
        return name in self.tensors

    def __getitem__(self, name):
        values = np.asarray(self.tensors[name], np.float64)
        scale = name.removesuffix(".weight") + ".scale"
        if name.endswith(".weight") and scale in self.tensors and self.tensors[name].dtype == np.int8:
            values = values * self.tensors[scale][:, None]
        return values

    def linear(self, module, x):
        y = x @ self[module + ".weight"].T
        return y + self[module + ".bias"] if module + ".bias" in self else y


def splitmix(x):
    """The x-th number of SplitMix64 from 0, in whole numbers of any size."""
    whole = (1 << 64) - 1
    x = (x + 1) * 0x9E3779B97F4A7C15 & whole
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9 & whole
    x = (x ^ x >> 27) * 0x94D049BB133111EB & whole
    return x ^ x >> 31


def signs(token, dims):
    words = [splitmix(token * (dims // 64) + word) for word in range(dims // 64)]
    return np.array([1.0 if words[i // 64] >> i % 64 & 1 else -1.0 for i in range(dims)])


class Text:
    """What the trunk makes of one text."""

    def __init__(self, trunk, ids, shapes):
        self.ids, self.pieces = np.asarray(ids, np.int64), len(trunk["embedding.weight"])
        self.x = trunk["embedding.weight"][self.ids]
        dims = trunk["embedding.weight"].shape[1]
        weights = np.exp(trunk["embedding.importance"][self.ids]) if "embedding.importance" in trunk else np.ones(len(ids))
        s = (weights[:, None] * self.x).sum(axis=0) / weights.sum() if len(ids) else np.zeros(dims)
        self.y = s
        if "sentence.up.weight" in trunk:
            self.y = s + trunk.linear("sentence.down", gelu(trunk.linear("sentence.up", s)))
        self.vector = self.compared(trunk)
        self.shapes = np.asarray(shapes, np.int64)
        if "mixer.in.weight" in trunk:
            self.h = self.mix(trunk)

    def compared(self, trunk):
        """What texts are compared by: a mean, perhaps by a table of its own, and perhaps signs and concepts behind it."""
        mean, ids, x = self.y, self.ids, self.x
        if "vector.weight" in trunk:
            table, importance = trunk["vector.weight"], trunk["vector.importance"]
            weights, x = np.exp(importance[ids]), table[ids]
            mean = (weights[:, None] * x).sum(axis=0) / weights.sum() if len(ids) else np.zeros(table.shape[1])
        v = unit(mean[: int(trunk.notes.get("dims", len(mean)))])
        if "signs.weight" in trunk:
            dims, share = int(trunk.notes["signs.dims"]), int(trunk.notes["signs.percent"]) / 100
            own = sum((trunk["signs.weight"][t] * signs(int(t), dims) for t in ids), np.zeros(dims))
            v = np.concatenate([np.sqrt(1 - share) * v, np.sqrt(share) * unit(own)])
        if "concepts.query" in trunk:
            share = int(trunk.notes["concepts.percent"]) / 100
            v = np.concatenate([np.sqrt(1 - share) * v, np.sqrt(share) * unit(concepts(trunk, x, mean))])
        return v

    def mix(self, trunk):
        """By the convolutions of the trunk, or of a head that brings its own."""
        h = trunk.linear("mixer.in", self.x) + trunk["mixer.shape.weight"][self.shapes]
        if "mixer.word.weight" in trunk:
            h = h + trunk["mixer.word.weight"][self.ids]
        n, block = len(h), 0
        while f"mixer.{block}.conv.weight" in trunk:
            at = f"mixer.{block}."
            taps, step = trunk[at + "conv.weight"], int(trunk.notes.get(at + "dilation", 1))
            conv = np.zeros_like(h)
            for k in range(taps.shape[1]):
                for i in range(n):
                    j = i + (k - taps.shape[1] // 2) * step
                    if 0 <= j < n:
                        conv[i] += taps[:, k] * h[j]
            if at + "conv.bias" in trunk:
                conv += trunk[at + "conv.bias"]
            mean, variance = conv.mean(axis=1, keepdims=True), conv.var(axis=1, keepdims=True)
            normed = (conv - mean) / np.sqrt(variance + 1e-5) * trunk[at + "norm.weight"] + trunk[at + "norm.bias"]
            h = h + trunk.linear(at + "down", gelu(trunk.linear(at + "up", normed)))
            block += 1
        return h


def pool(queries, rows):
    return (softmax(queries @ rows.T) @ rows).ravel() if len(rows) else np.zeros(queries.size)


def concepts(trunk, x, mean):
    """What kinds of things the text is taken for, by the leading directions of their affinities."""
    if not len(x):
        return np.zeros(len(trunk["concepts.axes.weight"]))
    hidden = gelu(trunk.linear("concepts.hidden", np.concatenate([pool(trunk["concepts.query"], x), mean])))
    logits, found = trunk.linear("concepts.out", hidden), []
    for size in map(int, trunk.notes["concepts.groups"].split(",")):
        found.append(np.sqrt(softmax(logits[:size])))
        logits = logits[size:]
    return trunk.linear("concepts.axes", np.concatenate(found))


def compare(head, b, a):
    """c for each token of b, beside text a."""
    u_a, u_b = unit(head.linear("align", a.x)), unit(head.linear("align", b.x))
    similar = u_b @ u_a.T
    gathered = softmax(head["align.temperature"][0] * similar) @ a.h if len(a.h) else np.zeros_like(b.h)
    most = similar.max(axis=1, keepdims=True) if len(a.h) else np.zeros((len(b.h), 1))
    same = np.isin(b.ids, a.ids)[:, None].astype(np.float64)
    return gelu(head.linear("compare", np.hstack([b.h, gathered, np.abs(b.h - gathered), b.h * gathered, most, same])))


def mean_and_max(c):
    return [c.mean(axis=0), c.max(axis=0)] if len(c) else [np.zeros(c.shape[1])] * 2


def ngrams(head, ids, pieces):
    """The linear part: whole numbers of any size, and sets."""
    weight, orders = head.tensors["ngram.weight"], int(head.notes["ngram_orders"])
    found = set()
    common = set(np.flatnonzero(head.tensors["ngram.common"])) if "ngram.common" in head else set()
    ids = [int(i) for i in ids[:1024]]
    for at in range(len(ids)):
        for k in range(1, orders + 1):
            run = ids[at : at + k]
            if len(run) < k:
                continue
            if all(t in common for t in run):
                continue
            if k == 1:
                found.add(run[0])
                continue
            h = run[0]
            for j in range(1, k):
                h = (h * 0x9E3779B97F4A7C15 + run[j] * 0xC2B2AE3D27D4EB4F + j) % 2**64
            g = (h ^ h >> 29) * 0xBF58476D1CE4E5B9 % 2**64
            found.add(pieces + (g >> 20) % (len(weight) - pieces))
    total = weight[sorted(found)].astype(np.float64).sum(axis=0)
    return head["ngram.scale"] * total / max(len(found), 1) ** 0.5


def probabilities(head, a, b=None):
    """What a head says of a text, or of a pair; [rows][labels]."""
    kind = head.notes["kind"]
    if kind == "classify":
        parts = {"tokens": lambda: pool(head["token_pool.query"], a.x), "mixed": lambda: pool(head["pool.query"], a.h),
                 "sentence": lambda: a.y}  # fmt: skip
        inputs = head.notes["inputs"].split(",")
        f = np.concatenate([np.zeros(0)] + [parts[name]() for name in inputs if name != "ngrams"])[None]
    elif kind == "tag":
        f = a.mix(head) if "mixer.in.weight" in head else a.h
    elif kind == "pair-tag":
        f = compare(head, b, a)
    else:
        f = np.concatenate(mean_and_max(compare(head, b, a)) + mean_and_max(compare(head, a, b)))[None]
    if "hidden.weight" in head:
        f = gelu(head.linear("hidden", f))
    logits = head.linear("out", f) if "out.weight" in head else np.zeros((len(f), len(json.loads(head.notes["labels"]))))
    if "ngram.weight" in head:
        logits = logits + ngrams(head, a.ids, a.pieces)
    if "calibration.scale" in head:
        logits = logits * head["calibration.scale"]
    if "calibration.bias" in head:
        logits = logits + head["calibration.bias"]
    return softmax(logits) if logits.shape[1] > 1 else 1 / (1 + np.exp(-logits))
