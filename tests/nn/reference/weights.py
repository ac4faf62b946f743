"""The tensors of a model directory: one file or shards, under one of the prefixes that exporters put before the trunk."""
import json
import pathlib
import re

from . import arithmetic, safetensors

PREFIXES = ["", "model.", "_orig_mod.", "_orig_mod.model.", "bert.", "roberta.", "deberta.", "mpnet."]

# What may be in a file without being asked for: other heads, and counters that older exporters saved.
SPARE = re.compile(r"(.*\.)?position_ids|(decoder|cls|lm_head|lm_predictions|mask_predictions)\..*|(.*\.)?pooler\..*")


def read_directory(directory):
    """name -> array of the whole model, LayerNorm's old names (.gamma, .beta) made the new ones."""
    directory = pathlib.Path(directory)
    index = directory / "model.safetensors.index.json"
    if index.exists():
        where = json.loads(index.read_text())["weight_map"]
        shards = {shard: safetensors.read(directory / shard) for shard in sorted(set(where.values()))}
        tensors = {name: shards[shard][name] for name, shard in where.items()}
    else:
        tensors = safetensors.read(directory / "model.safetensors")
    return {re.sub(r"\.gamma$", ".weight", re.sub(r"\.beta$", ".bias", name)): t for name, t in tensors.items()}


class Weights:
    """`weights["layers.0..."]` is looked up under the prefix of the trunk, `weights.top("classifier...")` outside."""

    def __init__(self, tensors, embedding):
        found = [prefix for prefix in PREFIXES if prefix + embedding in tensors]
        if not found:
            raise KeyError(f"{embedding}: under no prefix of {PREFIXES}")
        self.prefix = found[0]
        self.tensors = tensors
        self.embedding = embedding
        self.used = set()

    def top(self, name):
        self.used.add(name)
        return self.tensors[name].astype(arithmetic.REAL)

    def has_top(self, name):
        return name in self.tensors

    def __getitem__(self, name):
        return self.top(self.prefix + name)

    def linear(self, x, name, bias=True, whole=False):
        """A map of the trunk, its factors in the precision of arithmetic.rounded(). `whole`: not in that."""
        x, weight = (x, self[name + ".weight"]) if whole else arithmetic.factors(x, self[name + ".weight"])
        y = x @ weight.T
        return y + self[name + ".bias"] if bias else y

    def top_linear(self, x, name, bias=True):
        y = x @ self.top(name + ".weight").T
        return y + self.top(name + ".bias") if bias else y

    def layer_norm(self, x, name, eps, bias=True):
        return arithmetic.layer_norm(x, self[name + ".weight"], self[name + ".bias"] if bias else None, eps)

    def check_used(self):
        """After a run: every tensor was needed, or may be spare."""
        spare = [name for name in self.tensors if name not in self.used and not SPARE.fullmatch(self._bare(name))]
        if spare:
            raise ValueError(f"tensors that nothing asked for: {spare}")

    def _bare(self, name):
        return name[len(self.prefix) :] if name.startswith(self.prefix) else name
