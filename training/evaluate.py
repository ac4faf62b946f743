#!/usr/bin/env python3
"""Measures the exported models on dev rows and prints what the cards say: evaluate.py [MODELS_DIR] [--cards]

Reads the files that ship, nothing else of the training. With --cards the figures replace those between the marks of each
model's README.md.
"""
import argparse
import contextlib
import io
import json
import pathlib
import re

import torch
import torch.nn.functional as F

import classify
import export
import mixed
import ngrams
import tagger
import tasks
import trunk

TOP = pathlib.Path(__file__).resolve().parents[1]


class Exported(trunk.Trunk):
    """What texts are compared by."""

    def __init__(self, frozen):
        self.vectors, self.importance = frozen.own or (frozen.vectors, frozen.importance)
        self.sentence, self.signs = None if frozen.own else frozen.sentence, frozen.signs
        self.concepts = frozen.concepts

    def compared(self, s, ids, offsets, drop=0.0):
        v = super().compared(s, ids, offsets, drop)
        if not self.concepts:
            return v
        return self.concepts.beside(F.normalize(v, dim=1), self.vectors, self.importance.exp(), ids, offsets)


def models(frozen, top):
    """The heads of pairs as their files have them, and their calibration."""
    files = {name: export.read(top / name / "head.safetensors") for name in ("hallucination", "nli")}
    t = {k: {n: torch.from_numpy(v) for n, v in tensors.items()} for k, (tensors, _) in files.items()}
    o = argparse.Namespace(width=frozen.mixer.project.out_features, inner=1, kernel=1, blocks=1, dilation="1", drop=0.0,
                           compare=t["nli"]["compare.weight"].shape[0], queries=1,
                           mixed_queries=1)
    m = mixed.Models(frozen.dims, o)
    m.mixer = frozen.mixer
    linear = lambda part, tt, name: part.load_state_dict({"weight": tt[name + ".weight"], "bias": tt[name + ".bias"]})
    linear(m.found_out, t["hallucination"], "out")
    linear(m.nli_hidden, t["nli"], "hidden"), linear(m.nli_out, t["nli"], "out")
    for c, tt in ((m.found, t["hallucination"]), (m.nli, t["nli"])):
        c.load_state_dict({"temperature": tt["align.temperature"], "align.weight": tt["align.weight"],
                           "compare.weight": tt["compare.weight"], "compare.bias": tt["compare.bias"]})
    m.eval()
    return m, {k: (v["calibration.scale"], v["calibration.bias"]) for k, v in t.items()}


def classifiers(frozen, top):
    """The heads of texts: task -> ngrams.Exported."""
    found = {task: ngrams.Exported(top / task / "head.safetensors", frozen) for task in tasks.LABELS}
    for task, head in found.items():
        assert json.loads(head.meta["labels"]) == tasks.LABELS[task]
    return found


def main():
    p = argparse.ArgumentParser()
    p.add_argument("models", nargs="?", type=pathlib.Path, default=TOP / "models")
    p.add_argument("--cards", action="store_true")
    o = p.parse_args()
    torch.set_num_threads(1)
    out = io.StringIO()
    with contextlib.redirect_stdout(out) if o.cards else contextlib.nullcontext():
        frozen = classify.Frozen(o.models / "trunk")
        print("embedding dev", json.dumps({k: round(float(v), 4) for k, v in trunk.measure(Exported(frozen)).items()}))
        m, cal = models(frozen, o.models)
        mixed.figures_of_texts({task: head.probabilities for task, head in classifiers(frozen, o.models).items()})
        mixed.figures(m, frozen, cal)
        tagger.figures(*tagger.read(o.models / "pii" / "head.safetensors", frozen), frozen)
    for path in sorted(o.models.glob("*/*.safetensors")) + sorted(o.models.glob("*/tokenizer.json")):
        print("size", path.relative_to(o.models), path.stat().st_size)
    if o.cards:
        cards(o.models, out.getvalue().splitlines())


def cards(top, lines):
    print("\n".join(lines))
    for card in top.glob("*/README.md"):
        body = card.read_text()
        mine = [x for x in lines if x.split(" ", 1)[0] == card.parent.name]
        if mine and "<!-- figures -->" in body:
            table = ["| dev set | " + "figures |", "|---|---|"]
            for line in mine:
                name, _, figures = line.partition(" ")[2].partition("{")
                pairs = json.loads("{" + figures)
                table.append(f"| {name.strip()} | " + ", ".join(f"{k} {v:g}" for k, v in pairs.items()) + " |")
            new = re.sub(r"<!-- figures -->.*<!-- end -->", lambda _: "<!-- figures -->\n" + "\n".join(table) + "\n<!-- end -->",
                         body, flags=re.S)
            card.write_text(new)


if __name__ == "__main__":
    main()
