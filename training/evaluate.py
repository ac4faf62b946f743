#!/usr/bin/env python3
"""Measures the exported models on dev rows and prints what the cards say: evaluate.py [MODELS_DIR [TASK...]]

Reads the files that ship, nothing else of the training. With --cards the figures replace those between the marks of each
model's README.md.
"""
import argparse
import contextlib
import io
import json
import pathlib
import re
import sys

import numpy as np
import torch

import classify
import export
import measures
import mixed
import mixer
import tasks
import trunk
from store import Store

TOP = pathlib.Path(__file__).resolve().parents[1]


class Exported(trunk.Trunk):
    def __init__(self, frozen):
        self.vectors, self.importance, self.sentence = frozen.vectors, frozen.importance, frozen.sentence


def classifier(frozen, path):
    t, meta = export.read(path / "head.safetensors")
    queries = t["token_pool.query"].shape[0] if "token_pool.query" in t else 0
    head = classify.Head(frozen.dims, queries, t["hidden.weight"].shape[0] if "hidden.weight" in t else 0,
                         len(json.loads(meta["labels"])))
    head.load_state_dict({k.replace("token_pool", "pool"): torch.from_numpy(v) for k, v in t.items()
                          if not k.startswith("calibration")})
    return head, torch.from_numpy(t["calibration.scale"]), torch.from_numpy(t["calibration.bias"]), json.loads(meta["labels"])


def classifies(frozen, task, path):
    head, scale, bias, labels = classifier(frozen, path)
    assert labels == tasks.LABELS[task]
    store = Store(512)
    sets = {k: (np.array([store.add(t) for t, _ in v]), np.array([y for _, y in v])) for k, v in tasks.dev(task).items()}
    extra = {k: np.array([store.add(t) for t in v]) for k, v in tasks.extra(task).items()}
    store.close()
    p = lambda which: torch.softmax(classify.logits_of(head, frozen, store, which) * scale + bias, 1).numpy()
    classify.figures(task, {k: (p(w), y) for k, (w, y) in sets.items()})
    for name, which in extra.items():
        q = p(which)
        print(task, name, json.dumps({"rows": len(q), **{f"share of {labels[k]} at 0.7": round(float((q[:, k] >= 0.7).mean()), 4)
                                                        for k in range(1, len(labels))}}))


def mixed_models(frozen, top):
    files = {name: export.read(top / name / "head.safetensors") for name in ("pii", "hallucination", "nli")}
    t = {k: v[0] for k, v in files.items()}
    o = argparse.Namespace(width=1, inner=1, kernel=1, blocks=1, dilation="1", compare=t["nli"]["compare.weight"].shape[0],
                           tag=t["pii"]["hidden.weight"].shape[0], drop=0.0)
    o.width = frozen.mixer.project.out_features
    m = mixed.Models(frozen.dims, o)
    m.mixer = frozen.mixer
    load = lambda part, tensors: part.load_state_dict({k: torch.from_numpy(v) for k, v in tensors.items()})
    linear = lambda part, tt, name: load(part, {"weight": tt[name + ".weight"], "bias": tt[name + ".bias"]})
    linear(m.pii_hidden, t["pii"], "hidden"), linear(m.pii_out, t["pii"], "out")
    linear(m.found_out, t["hallucination"], "out")
    linear(m.nli_hidden, t["nli"], "hidden"), linear(m.nli_out, t["nli"], "out")
    for c, tt in ((m.found, t["hallucination"]), (m.nli, t["nli"])):
        load(c, {"temperature": tt["align.temperature"], "align.weight": tt["align.weight"],
                 "compare.weight": tt["compare.weight"], "compare.bias": tt["compare.bias"]})
    m.eval()
    cal = {k: (torch.from_numpy(v["calibration.scale"]), torch.from_numpy(v["calibration.bias"])) for k, v in t.items()}
    return m, cal


def main():
    p = argparse.ArgumentParser()
    p.add_argument("models", nargs="?", type=pathlib.Path, default=TOP / "models")
    p.add_argument("tasks", nargs="*")
    p.add_argument("--cards", action="store_true")
    o = p.parse_args()
    torch.set_num_threads(1)
    out = io.StringIO()
    with contextlib.redirect_stdout(out) if o.cards else contextlib.nullcontext():
        frozen = classify.Frozen(o.models / "trunk")
        wanted = lambda task: (not o.tasks or task in o.tasks) and (o.models / task / "head.safetensors").exists()
        if not o.tasks or "embedding" in o.tasks:
            print("embedding dev", json.dumps({k: round(float(v), 4) for k, v in trunk.measure(Exported(frozen)).items()}))
        for task in tasks.LABELS:
            if wanted(task):
                classifies(frozen, task, o.models / task)
        if wanted("pii"):
            m, cal = mixed_models(frozen, o.models)
            mixed.figures(m, frozen, cal)
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
