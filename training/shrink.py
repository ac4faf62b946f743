#!/usr/bin/env python3
"""Writes a trained trunk as trunk.safetensors: shrink.py TRUNK.pt OUT_DIR [VERSION]"""
import json
import pathlib
import shutil
import sys

import torch

import export
import text
import trunk as trunks


# What a cosine means on the scale that policies' thresholds are written for (src/nn/similarity.h). Of the eighteen banks of
# training/data/banks.py: 0.30 is what a quarter of the requests do not reach with their own bank and half do not with the best
# wrong one, 0.43 what one in twenty reaches with a wrong one, 0.14 the middle of all wrong ones.
SIMILARITY = [[0.14, 0.2], [0.3, 0.5], [0.43, 0.74], [0.65, 0.86], [0.9, 0.96]]


def main():
    t, out = trunks.Trunk.load(sys.argv[1]), pathlib.Path(sys.argv[2])
    q, scale = export.quantised(t.vectors)
    tensors = {"embedding.weight": q, "embedding.scale": scale, "embedding.importance": t.importance}
    if t.sentence:
        tensors.update({"sentence." + k: v for k, v in t.sentence.state_dict().items()})
    export.write(out / "trunk.safetensors", tensors, {"task": "embedding", "similarity": json.dumps(SIMILARITY),
                                                   "version": sys.argv[3] if len(sys.argv) > 3 else "1"})
    shutil.copy(text.MODEL.with_suffix(".json"), out / "tokenizer.json")


if __name__ == "__main__":
    main()
