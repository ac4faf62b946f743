#!/usr/bin/env python3
"""Gives the trunk a table of its own for the vectors that texts are compared by: vectors.py TRUNK_DIR TRUNK.pt[=SHARE]...

What ranks banks of examples best is not what heads read best, and a table apart can be trained further without training every
head again. Of several trunks the weighted mean is written, as shrink.py does it.
"""
import pathlib
import sys

import export
import shrink


def main():
    path = pathlib.Path(sys.argv[1]) / "trunk.safetensors"
    tensors, meta = export.read(path)
    t = shrink.mean(sys.argv[2:])
    if t.sentence:
        sys.exit("a trunk with a sentence step: its vectors are no means, and there is no place for the step")
    q, scale = export.quantised(t.vectors)
    tensors.update({"vector.weight": q, "vector.scale": scale, "vector.importance": t.importance})
    if t.signs:
        tensors["signs.weight"] = t.signs.weight
        meta.update({"signs.dims": t.signs.dims, "signs.percent": t.signs.percent})
    # Concepts read the table that was there before, and the scale is theirs: concepts.py writes both anew.
    stale = ("concepts.", "similarity")
    tensors, meta = ({k: v for k, v in d.items() if not k.startswith(stale)} for d in (tensors, meta))
    export.write(path, tensors, meta)


if __name__ == "__main__":
    main()
