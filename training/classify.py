"""The exported trunk as what heads are trained on, the calibration of a head, and the figures of a classifier."""
import json
import pathlib

import numpy as np
import torch
import torch.nn.functional as F

import export
import measures
import mixer
import signs


def concepts(t, meta):
    """What stands beside vectors, from the tensors of the trunk."""
    queries, dims = t["concepts.query"].shape
    m = mixer.Concepts(dims, queries, len(t["concepts.hidden.bias"]), [int(n) for n in meta["concepts.groups"].split(",")])
    with torch.no_grad():
        m.pool.query.copy_(torch.from_numpy(t["concepts.query"]))
        for name, part in (("hidden", m.hidden), ("out", m.out)):
            part.weight.copy_(export.restored(t[f"concepts.{name}.weight"], t[f"concepts.{name}.scale"]))
            part.bias.copy_(torch.from_numpy(t[f"concepts.{name}.bias"]))
    return mixer.Beside(m, export.restored(t["concepts.axes.weight"], t["concepts.axes.scale"]), int(meta["concepts.percent"]))


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
        self.own = None  # (vectors, importance) of what texts are compared by
        if "vector.weight" in t:
            self.own = export.restored(t["vector.weight"], t["vector.scale"]), torch.from_numpy(t["vector.importance"])
        self.signs = None
        if "signs.weight" in t:
            self.signs = signs.Signs(torch.from_numpy(t["signs.weight"]), int(self.meta["signs.dims"]), int(self.meta["signs.percent"]))
        self.concepts = None
        if "concepts.query" in t:
            assert self.own, "concepts read a table of its own"
            self.concepts = concepts(t, self.meta)
        self.mixer = None
        if "mixer.in.weight" in t:
            self.mixer = mixer.from_tensors(t, self.meta)

    @torch.no_grad()
    def sentences(self, ids, offsets):
        s = mixer.bag(self.vectors, self.importance, ids, offsets)
        return self.sentence(s) if self.sentence else s


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


def figures(task, sets):
    """`shared`: all sets but those that this project wrote itself, which are named so."""
    for name, (p, y) in sets.items():
        line(task, name, p, y)
    shared = [v for k, v in sets.items() if not k.startswith("own")]
    if len(shared) > 1:
        line(task, "shared", np.concatenate([p for p, _ in shared]), np.concatenate([y for _, y in shared]))
    if len(sets) > len(shared) > 0:
        line(task, "all", np.concatenate([p for p, _ in sets.values()]), np.concatenate([y for _, y in sets.values()]))


def line(task, name, p, y):
    out = measures.classification(p, y)
    if p.shape[1] == 2 and 0 < y.sum() < len(y):
        out.update(measures.detection(p[:, 1], y == 1))
    print(task, name, json.dumps({k: round(float(v), 4) for k, v in out.items()}), flush=True)

