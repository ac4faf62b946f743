#!/usr/bin/env python3
"""Ids and byte ranges by the SentencePiece library: sentencepiece_reference.py MODEL < texts > encodings.

Lines as reference.py's, without options: {"ids", "offsets"}, nothing added before or after.
"""

import json
import os
import sys

import sentencepiece

from reference import texts_of


def main():
    path = sys.argv[1]
    if os.path.isdir(path):
        path = os.path.join(path, "tokenizer.model")
    model = sentencepiece.SentencePieceProcessor(model_file=path)
    for line in sys.stdin.buffer:
        text = texts_of(json.loads(line))[0].decode("utf-8")
        places = [0]
        for ch in text:
            places.append(places[-1] + len(ch.encode("utf-8")))
        pieces = model.encode(text, out_type="immutable_proto").pieces
        print(json.dumps({"ids": [p.id for p in pieces], "offsets": [[places[p.begin], places[p.end]] for p in pieces]},
                         separators=(",", ":")))


if __name__ == "__main__":
    main()
