#!/usr/bin/env python3
"""Writes a trained trunk as trunk.safetensors: shrink.py OUT_DIR VERSION TRUNK.pt[=SHARE]...

Of several trunks that were trained one from another the weighted mean is written: it is better than each of them, because what
a later stage gained for one thing it lost for another.
"""
import json
import pathlib
import shutil
import sys

import export
import text
import trunk as trunks


# What a cosine means on the scale that policies' thresholds are written for (src/nn/similarity.h). Of the eighteen banks of
# training/data/banks.py: 0.29 is what a quarter of the requests do not reach with their own bank and half do not with the best
# wrong one, 0.42 what one in twenty reaches with a wrong one, 0.1 the middle of all wrong ones.
SIMILARITY = [[0.1, 0.2], [0.29, 0.5], [0.42, 0.74], [0.65, 0.86], [0.9, 0.96]]


def mean(named):
    """Of `TRUNK.pt=SHARE` texts; shares need not add up to 1."""
    parts = [(trunks.Trunk.load(path), float(share or 1)) for path, _, share in (name.partition("=") for name in named)]
    total = sum(share for _, share in parts)
    vectors = sum(t.vectors * (share / total) for t, share in parts)
    importance = sum(t.importance * (share / total) for t, share in parts)
    out = trunks.Trunk(vectors, importance, 0)
    out.sentence = parts[0][0].sentence if len(parts) == 1 else None
    return out


def main():
    out, version = pathlib.Path(sys.argv[1]), sys.argv[2]
    t = mean(sys.argv[3:])
    q, scale = export.quantised(t.vectors)
    tensors = {"embedding.weight": q, "embedding.scale": scale, "embedding.importance": t.importance}
    if t.sentence:
        tensors.update({"sentence." + k: v for k, v in t.sentence.state_dict().items()})
    export.write(out / "trunk.safetensors", tensors, {"task": "embedding", "similarity": json.dumps(SIMILARITY),
                                                   "version": version})
    shutil.copy(text.MODEL.with_suffix(".json"), out / "tokenizer.json")


if __name__ == "__main__":
    main()
