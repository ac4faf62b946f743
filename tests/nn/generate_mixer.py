#!/usr/bin/python3
"""Makes tests/fixtures/mixer: small mixers with random weights, heads of every kind, and what they say.

    generate_mixer.py            writes all of it anew
    generate_mixer.py --check    compares with what is there: weights byte for byte, results within a millionth

`full` has every part that a trunk can have, its sizes no multiples of anything; `plain` only a table
and concepts; `compared` a table of its own for the vectors that texts are compared by, signs and
concepts. cases.safetensors of each has, for case N, `caseN.ids` and `caseN.shapes`, of a pair `caseN.second.ids` and `caseN.second.shapes`, and
the results: `caseN.vector`, `caseN.mixed`, and `caseN.<head>` for each head file.
"""
import json
import pathlib
import shutil
import sys
import tempfile

import numpy as np

from draw import random_integers, random_weights
from generate import differences
from reference import mixer, safetensors

TARGET = pathlib.Path(__file__).resolve().parent.parent / "fixtures" / "mixer"


class Weights:
    def __init__(self, name):
        self.name, self.tensors, self.notes = name, {}, {}

    def add(self, name, shape, deviation, mean=0.0, dtype="F32"):
        self.tensors[name] = (dtype, random_weights(f"mixer/{self.name}/{name}", shape, deviation, mean))

    def quantized(self, name, rows, cols, deviation):
        values = random_integers(f"mixer/{self.name}/{name}", rows * cols, -127, 127).reshape(rows, cols)
        self.tensors[name + ".weight"] = ("I8", values)
        scales = random_integers(f"mixer/{self.name}/{name}/scale", rows, 8, 15) / 16 * deviation / 64
        self.tensors[name + ".scale"] = ("F32", np.float32(scales))

    def linear(self, name, n_out, n_in, bias=True, dtype="F32"):
        self.add(name + ".weight", (n_out, n_in), n_in**-0.5, dtype=dtype)
        if bias:
            self.add(name + ".bias", (n_out,), 0.2)

    def write(self, path):
        safetensors.write(path, self.tensors, self.notes)


def full_trunk():
    w = Weights("full")
    vocabulary, dims, width, hidden = 300, 36, 20, 72
    w.quantized("embedding", vocabulary, dims, 1.0)
    w.add("embedding.importance", (vocabulary,), 1.0)
    w.linear("sentence.up", 50, dims)
    w.linear("sentence.down", dims, 50)
    convolutions(w, dims, width, hidden, [(5, 1), (3, 2), (1, 1)])
    w.notes["dims"] = "32"
    concepts(w, dims, 2, 21, [7, 4], 5)
    return w, dims, width


def convolutions(w, dims, width, hidden, blocks):
    w.quantized("mixer.in", width, dims, 0.2)
    w.add("mixer.in.bias", (width,), 0.2)
    w.add("mixer.shape.weight", (32, width), 0.5)
    for block, (taps, dilation) in enumerate(blocks):
        at = f"mixer.{block}."
        w.add(at + "conv.weight", (width, taps), taps**-0.5)
        if block != 1:
            w.add(at + "conv.bias", (width,), 0.2)
        w.add(at + "norm.weight", (width,), 0.15, 1.0)
        w.add(at + "norm.bias", (width,), 0.15)
        w.linear(at + "up", hidden, width, dtype="BF16" if block == 1 else "F32")
        w.linear(at + "down", width, hidden, dtype="F16" if block == 1 else "F32")
        if dilation > 1:
            w.notes[at + "dilation"] = str(dilation)


def concepts(w, dims, queries, hidden, groups, axes):
    w.add("concepts.query", (queries, dims), 0.3)
    w.linear("concepts.hidden", hidden, (queries + 1) * dims)
    w.linear("concepts.out", sum(groups), hidden)
    w.quantized("concepts.axes", axes, sum(groups), 0.3)
    w.notes |= {"concepts.groups": ",".join(map(str, groups)), "concepts.percent": "25"}


def plain_trunk():
    w = Weights("plain")
    w.add("embedding.weight", (90, 17), 1.0, dtype="BF16")
    concepts(w, 17, 1, 9, [4], 3)
    return w, 17, 0


def compared_trunk():
    w = Weights("compared")
    w.quantized("embedding", 120, 20, 1.0)
    w.quantized("vector", 120, 27, 1.0)
    w.add("vector.importance", (120,), 1.0)
    w.tensors["signs.weight"] = ("F32", np.abs(random_weights("mixer/compared/signs", (120,), 1.0)))
    w.notes |= {"dims": "25", "signs.dims": "128", "signs.percent": "30"}
    concepts(w, 27, 3, 22, [5, 1, 31], 13)
    return w, 20, 0


def head(trunk, name, kind, labels):
    w = Weights(f"{trunk}/{name}")
    w.notes = {"kind": kind, "task": name, "labels": json.dumps([f"{name} {n}" for n in range(labels)])}
    return w


def full_heads(dims, width):
    w = head("full", "everything", "classify", 5)
    w.notes["inputs"] = "tokens,mixed,sentence"
    w.add("token_pool.query", (3, dims), 0.3)
    w.add("pool.query", (2, width), 0.3)
    w.linear("hidden", 70, 4 * dims + 2 * width)
    w.linear("out", 5, 70)
    w.add("calibration.scale", (1,), 0.1, 0.75)
    w.add("calibration.bias", (5,), 0.5)
    yield "everything", w
    w = head("full", "tokens", "classify", 3)
    w.notes["inputs"] = "tokens"
    w.add("token_pool.query", (1, dims), 0.3)
    w.linear("out", 3, dims, bias=False)
    w.add("calibration.scale", (1,), 0.1, 2.0)
    yield "tokens", w
    w = head("full", "single", "classify", 1)
    w.notes["inputs"] = "sentence"
    w.linear("out", 1, dims)
    yield "single", w
    for name, inputs, buckets, orders in (("runs", "sentence,ngrams", 701, 3), ("phrases", "ngrams", 64, 2)):
        w = head("full", name, "classify", 6)
        w.notes |= {"inputs": inputs, "ngram_orders": str(orders)}
        rows = 300 + buckets
        values = random_integers(f"mixer/full/{name}/ngram", rows * 6, -127, 127).reshape(rows, 6)
        w.tensors["ngram.weight"] = ("I8", values)
        w.add("ngram.scale", (6,), 0.002, 0.01)
        if name == "phrases":
            w.tensors["ngram.common"] = ("I8", (random_integers(f"mixer/full/{name}/common", 300, 0, 3) == 0).astype(np.int8))
        if name == "runs":
            w.linear("hidden", 20, dims)
            w.linear("out", 6, 20)
        w.add("calibration.bias", (6,), 0.5)
        yield name, w
    w = head("full", "tagger", "tag", 7)
    w.linear("hidden", 33, width)
    w.linear("out", 7, 33)
    yield "tagger", w
    w = head("full", "bare_tagger", "tag", 2)
    w.linear("out", 2, width)
    w.add("calibration.bias", (2,), 0.5)
    yield "bare_tagger", w
    w = head("full", "own_tagger", "tag", 5)
    convolutions(w, dims, 28, 40, [(7, 1), (3, 4)])
    w.quantized("mixer.word", 300, 28, 0.7)
    w.linear("hidden", 21, 28)
    w.linear("out", 5, 21)
    yield "own_tagger", w
    w = head("full", "plain_tagger", "tag", 3)
    convolutions(w, dims, 12, 8, [(3, 1)])
    w.linear("out", 3, 12)
    yield "plain_tagger", w
    for name, kind, labels in (("entails", "pair", 3), ("invents", "pair-tag", 2)):
        w = head("full", name, kind, labels)
        w.linear("align", 24, dims, bias=False)
        w.add("align.temperature", (1,), 0.5, 8.0)
        w.linear("compare", 30, 4 * width + 2)
        if kind == "pair":
            w.linear("hidden", 40, 4 * 30)
        w.linear("out", labels, 40 if kind == "pair" else 30)
        yield name, w


def plain_heads(dims, _):
    w = head("plain", "sentence", "classify", 4)
    w.notes["inputs"] = "sentence"
    w.linear("out", 4, dims)
    yield "sentence", w


def no_heads(*_):
    return ()


def write(directory, trunk, heads, lengths, pairs):
    directory.mkdir(parents=True)
    weights, dims, width = trunk
    weights.write(directory / "trunk.safetensors")
    opened = {}
    for name, w in heads(dims, width):
        w.write(directory / f"{name}.safetensors")
        opened[name] = mixer.File(directory / f"{name}.safetensors")
    file, arrays = mixer.File(directory / "trunk.safetensors"), {}
    vocabulary = len(file["embedding.weight"])

    def draw(at, n):
        ids, shapes = random_integers(f"mixer/{at}/ids", n, 0, vocabulary - 1), random_integers(f"mixer/{at}/shapes", n, 0, 31)
        arrays[at + ".ids"], arrays[at + ".shapes"] = ("I32", ids), ("I32", shapes)
        return mixer.Text(file, ids, shapes)

    cases = [(n, None) for n in lengths] + list(pairs)
    for number, (n, second) in enumerate(cases):
        at = f"case{number}"
        a = draw(at, n)
        b = draw(at + ".second", second) if second is not None else None
        arrays[at + ".vector"] = ("F32", a.vector)
        if width:
            arrays[at + ".mixed"] = ("F32", a.h)
        for name, opened_head in opened.items():
            if opened_head.notes["kind"].startswith("pair") == (b is not None):
                arrays[f"{at}.{name}"] = ("F32", mixer.probabilities(opened_head, a, b))
    safetensors.write(directory / "cases.safetensors", {name: (dtype, np.asarray(array, np.float32) if dtype == "F32" else array)
                                                        for name, (dtype, array) in arrays.items()})  # fmt: skip


def generate(target):
    write(target / "full", full_trunk(), full_heads, [1, 2, 3, 17, 64, 250, 0], [(9, 4), (3, 20), (40, 33), (0, 5), (5, 0)])
    write(target / "plain", plain_trunk(), plain_heads, [1, 30, 0], [])
    write(target / "compared", compared_trunk(), no_heads, [1, 2, 30, 200, 0], [])


def main():
    if sys.argv[1:] == ["--check"]:
        with tempfile.TemporaryDirectory() as scratch:
            generate(pathlib.Path(scratch))
            found = list(differences(TARGET, pathlib.Path(scratch)))
        print(*found, f"{len(found)} differences", sep="\n")
        return 1 if found else 0
    if sys.argv[1:]:
        sys.exit(__doc__)
    shutil.rmtree(TARGET, ignore_errors=True)
    generate(TARGET)
    return 0


if __name__ == "__main__":
    sys.exit(main())
