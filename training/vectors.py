#!/usr/bin/env python3
"""Gives the trunk a table of its own for the vectors that texts are compared by: vectors.py TRUNK_DIR TRUNK.pt[=SHARE]...

What ranks banks of examples best is not what heads read best, and a table apart can be trained further without training every
head again. Of several trunks the weighted mean is written, as shrink.py does it.
"""
import json
import pathlib
import sys

import export
import shrink

# What a cosine means on the scale that policies' thresholds are written for (src/nn/similarity.h). Of the eighteen banks of
# training/data/banks.py: 0.22 is what a quarter of the requests do not reach with their own bank and half do not with the best
# wrong one, 0.336 what one in twenty reaches with a wrong one, 0.06 the middle of all wrong ones; 0.57 is the middle of requests
# of intents that were trained on, 0.83 of paraphrases.
SIMILARITY = [[0.06, 0.2], [0.22, 0.5], [0.336, 0.74], [0.57, 0.86], [0.83, 0.96]]


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
    export.write(path, tensors, {**meta, "similarity": json.dumps(SIMILARITY)})


if __name__ == "__main__":
    main()
