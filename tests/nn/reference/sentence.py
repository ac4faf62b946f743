"""From hidden states to one vector: the modules that a sentence-embedding directory lists."""
import json
import math
import pathlib

import numpy as np

from . import safetensors
from .arithmetic import ACTIVATIONS, l2_normalize

POOLINGS = {
    "cls": lambda h: h[0],
    "max": lambda h: h.max(axis=0),
    "mean": lambda h: h.mean(axis=0),
    "mean_sqrt_len_tokens": lambda h: h.sum(axis=0) / math.sqrt(len(h)),
    "weightedmean": lambda h: (h * np.arange(1, len(h) + 1)[:, None]).sum(axis=0) / (len(h) * (len(h) + 1) / 2),
    "lasttoken": lambda h: h[-1],
}

DENSE_ACTIVATIONS = {"Identity": lambda x: x, "Tanh": np.tanh, "ReLU": ACTIVATIONS["relu"], "GELU": ACTIVATIONS["gelu"]}


def pooling_mode(config):
    if "pooling_mode" in config:
        return config["pooling_mode"]
    keys = {"cls": "cls_token", "max": "max_tokens", "mean": "mean_tokens", "mean_sqrt_len_tokens": "mean_sqrt_len_tokens",
            "weightedmean": "weightedmean_tokens", "lasttoken": "lasttoken"}  # fmt: skip
    modes = [mode for mode, key in keys.items() if config.get("pooling_mode_" + key)]
    if len(modes) != 1:
        raise ValueError(f"pooling modes {modes}: exactly one can be")
    return modes[0]


class Sentence:
    """`vector(hidden)` runs the modules; `default` pools where there is no modules.json."""

    include_prompt = True

    def __init__(self, directory, default):
        self.directory = pathlib.Path(directory)
        listed = self.directory / "modules.json"
        if listed.exists():
            modules = sorted(json.loads(listed.read_text()), key=lambda module: module["idx"])
            self.steps = [self._step(module) for module in modules]
        else:
            self.steps = [POOLINGS[default], l2_normalize]

    def _step(self, module):
        kind = module["type"].rsplit(".", 1)[-1]
        if kind == "Transformer":
            return lambda h: h
        if kind == "Normalize":
            return l2_normalize
        path = self.directory / module["path"]
        config = json.loads((path / "config.json").read_text())
        if kind == "Pooling":
            self.include_prompt = config.get("include_prompt", True)
            return POOLINGS[pooling_mode(config)]
        if kind != "Dense":
            raise ValueError(f"module {kind!r}: Transformer, Pooling, Dense and Normalize are known")
        tensors = safetensors.read(path / "model.safetensors")
        act = DENSE_ACTIVATIONS[config.get("activation_function", "torch.nn.modules.activation.Tanh").rsplit(".", 1)[-1]]
        bias = tensors["linear.bias"] if config.get("bias", True) else 0.0
        return lambda x: act(x @ tensors["linear.weight"].T + bias)

    def vector(self, hidden, dim=None, prompt_tokens=0):
        """The first `dim` components if fewer are wanted, at length 1 again. The first `prompt_tokens` states, special
        tokens in front included, are those of a prompt, which some models leave out of the pool."""
        x = hidden if self.include_prompt else hidden[prompt_tokens:]
        for step in self.steps:
            x = step(x)
        return x if dim is None else l2_normalize(x[:dim])
