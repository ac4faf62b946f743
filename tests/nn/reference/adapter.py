"""LoRA adapters in PEFT's layout, merged into the tensors of their base in float64."""
import json
import math
import pathlib
import re

import numpy as np

from . import safetensors
from .weights import PREFIXES

TASKS = {"SEQ_CLS": "ForSequenceClassification", "TOKEN_CLS": "ForTokenClassification", "FEATURE_EXTRACTION": "Model"}
HEADS = ("classifier", "score")  # carried by every classifying adapter, whatever modules_to_save says

# Tables, and the heads of other tasks. Taggers have no pooler.
_TABLES = r"embeddings\.weight$|embed_tokens|attention_bias|^(decoder|cls|lm_head)\."
NO_LINEAR = {"SEQ_CLS": _TABLES, "TOKEN_CLS": _TABLES + r"|\bpooler\.", "FEATURE_EXTRACTION": _TABLES}


def targeted(module, config, linears):
    """Whether the rules of adapter_config.json adapt `module`, a path without base_model.model."""
    parts = module.split(".")
    saved = list(config.get("modules_to_save") or [])
    if config.get("task_type") in ("SEQ_CLS", "TOKEN_CLS"):
        saved += HEADS
    if any(name in parts for name in saved):
        return False
    if any(module == name or module.endswith("." + name) for name in config.get("exclude_modules") or []):
        return False
    wanted = config["target_modules"]
    if wanted == "all-linear":
        found = module in linears
    elif isinstance(wanted, str):
        found = re.fullmatch(wanted, module) is not None
    else:
        found = any(module == name or module.endswith("." + name) for name in wanted)
    if found and config.get("layers_to_transform") is not None:
        layer = next((int(part) for part in parts if part.isdigit()), None)
        layers = config["layers_to_transform"]
        return layer in ([layers] if isinstance(layers, int) else layers)
    return found


def pattern(config, key, module, default):
    """rank_pattern and alpha_pattern: the first expression of the file that matches the end of the path."""
    for expression, value in (config.get(key) or {}).items():
        if re.match(rf"(.*\.)?({expression})$", module):
            return value
    return default


def trunk_prefix(names, embedding):
    return next(prefix for prefix in PREFIXES if prefix + embedding in names)


def merge(base, directory, embedding):
    """Returns the tensors of base + adapter, and the task. Fails if a module that should be adapted is not."""
    directory = pathlib.Path(directory)
    config = json.loads((directory / "adapter_config.json").read_text())
    if config["peft_type"] != "LORA" or config.get("fan_in_fan_out"):
        raise ValueError("an adapter that is no LoRA of [out, in] matrices")
    saved = {}
    for name, tensor in safetensors.read(directory / "adapter_model.safetensors").items():
        saved[name.removeprefix("base_model.model.").replace(".default.", ".")] = tensor

    # A base may be saved bare while the adapter knows it under its prefix, and the other way about.
    prefix = trunk_prefix(base, embedding)

    def in_base(name):
        bare = next((name[len(p) :] for p in PREFIXES if p and name.startswith(p)), name)
        return prefix + bare if name not in base and prefix + bare in base else name

    merged = dict(base)
    adapted, plain = {}, {}
    for name, tensor in saved.items():
        found = re.fullmatch(r"(.*)\.(lora_A\.weight|lora_B\.weight|lora_B\.bias|lora_magnitude_vector)(\.weight)?", name)
        if found:
            adapted.setdefault(found[1], {})[found[2]] = tensor
        elif "lora_" in name:
            raise ValueError(f"{name}: not an adapter of a linear map")
        else:
            plain[name] = tensor
    # First what replaces the base: heads, and biases that were trained along.
    for name, tensor in plain.items():
        merged[in_base(name)] = tensor

    linears = {
        name.removesuffix(".weight")
        for name, tensor in merged.items()
        if tensor.ndim == 2 and not re.search(NO_LINEAR[config["task_type"]], name)
    }
    adapted_in_base = {in_base(module + ".weight").removesuffix(".weight") for module in adapted}
    for module in linears:
        if targeted(module, config, linears) != (module in adapted_in_base):
            raise ValueError(f"{module}: adapted by the rules or by the tensors, not by both")

    for module, parts in adapted.items():
        a, b = parts["lora_A.weight"], parts["lora_B.weight"]
        rank = pattern(config, "rank_pattern", module, config["r"])
        if a.shape[0] != rank or b.shape[1] != rank:
            raise ValueError(f"{module}: rank {a.shape[0]}, expected {rank}")
        alpha = pattern(config, "alpha_pattern", module, config["lora_alpha"])
        scale = alpha / (math.sqrt(rank) if config.get("use_rslora") else rank)
        name = in_base(module + ".weight")
        weight = merged[name] + scale * (b @ a)
        if config.get("use_dora"):
            length = np.sqrt((weight * weight).sum(axis=1))  # of each output row
            weight = (parts["lora_magnitude_vector"] / length)[:, None] * weight
        merged[name] = weight
        if "lora_B.bias" in parts:
            bias = in_base(module + ".bias")
            merged[bias] = merged[bias] + scale * parts["lora_B.bias"]
    return merged, TASKS[config["task_type"]]
