#!/usr/bin/env python3
"""Writes a trained trunk as trunk.safetensors: shrink.py TRUNK.pt OUT_DIR [VERSION]"""
import pathlib
import shutil
import sys

import torch

import export
import text
import trunk as trunks


def main():
    t, out = trunks.Trunk.load(sys.argv[1]), pathlib.Path(sys.argv[2])
    q, scale = export.quantised(t.vectors)
    tensors = {"embedding.weight": q, "embedding.scale": scale, "embedding.importance": t.importance}
    if t.sentence:
        tensors.update({"sentence." + k: v for k, v in t.sentence.state_dict().items()})
    export.write(out / "trunk.safetensors", tensors, {"task": "embedding", "version": sys.argv[3] if len(sys.argv) > 3 else "1"})
    shutil.copy(text.MODEL.with_suffix(".json"), out / "tokenizer.json")


if __name__ == "__main__":
    main()
