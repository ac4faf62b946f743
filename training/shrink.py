#!/usr/bin/env python3
"""Writes a trained trunk as trunk.safetensors: shrink.py OUT_DIR VERSION TRUNK.pt[=SHARE]...

Of several trunks that were trained one from another the weighted mean is written: it is better than each of them, because what
a later stage gained for one thing it lost for another.
"""
import pathlib
import shutil
import sys

import export
import text
import trunk as trunks


def mean(named):
    """Of `TRUNK.pt=SHARE` texts; shares need not add up to 1."""
    parts = [(trunks.Trunk.load(path), float(share or 1)) for path, _, share in (name.partition("=") for name in named)]
    total = sum(share for _, share in parts)
    vectors = sum(t.vectors * (share / total) for t, share in parts)
    importance = sum(t.importance * (share / total) for t, share in parts)
    out = trunks.Trunk(vectors, importance, 0, parts[0][0].signs)
    out.sentence = parts[0][0].sentence if len(parts) == 1 else None
    return out


def main():
    out, version = pathlib.Path(sys.argv[1]), sys.argv[2]
    t = mean(sys.argv[3:])
    q, scale = export.quantised(t.vectors)
    tensors = {"embedding.weight": q, "embedding.scale": scale, "embedding.importance": t.importance}
    if t.sentence:
        tensors.update({"sentence." + k: v for k, v in t.sentence.state_dict().items()})
    export.write(out / "trunk.safetensors", tensors, {"task": "embedding", "version": version})
    shutil.copy(text.MODEL.with_suffix(".json"), out / "tokenizer.json")


if __name__ == "__main__":
    main()
