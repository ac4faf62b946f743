#!/usr/bin/env python3
"""Ids and byte ranges by the SentencePiece library: sentencepiece_reference.py MODEL < texts > encodings.

Lines as reference.py's, with the option `bare` alone. MODEL may be a directory; what its tokenizer_config.json says of the
tokens at the ends of a text and of the space in front is done, as the published tokenizers of such directories do it.
"""

import json
import os
import sys

import sentencepiece

from reference import texts_of

NO_PREFIX = b"\x1a\x02\x18\x00"  # normalizer_spec { add_dummy_prefix: false }, merged with what the file has


FAIRSEQ = "sentencepiece.bpe.model"


def find(path):
    """The model's bytes, what stands beside it, and whether its ids are fairseq's."""
    config = {}
    if os.path.isdir(path):
        if os.path.exists(beside := os.path.join(path, "tokenizer_config.json")):
            with open(beside, encoding="utf-8") as file:
                config = json.load(file)
        names = ["tokenizer.model", "spm.model", "spiece.model", FAIRSEQ]
        path = next(p for p in (os.path.join(path, name) for name in names) if os.path.exists(p))
    with open(path, "rb") as file:
        return file.read(), config, os.path.basename(path) == FAIRSEQ


def fairseq_id(number):
    """XLM-RoBERTa: <s>, <pad>, </s>, <unk>, then the file's pieces behind <unk>, <s>, </s>."""
    return {0: 3, 1: 0, 2: 2}.get(number, number + 1)


def ends_of(model, config):
    """Tokens before a text, behind it, before a second one; the type of the second one."""
    def one(token):
        return [token] if token >= 0 else []

    cls, sep = model.piece_to_id("[CLS]"), model.piece_to_id("[SEP]")
    if "add_bos_token" in config or "add_eos_token" in config:
        bos = one(model.bos_id()) if config.get("add_bos_token", True) else []
        eos = one(model.eos_id()) if config.get("add_eos_token", False) else []
        return bos, eos, bos, 1
    if model.is_control(cls) and model.is_control(sep):
        return [cls], [sep], [], 1
    if model.bos_id() >= 0:
        return [model.bos_id()], [], [model.bos_id()], 1
    return [], one(model.eos_id()), [], 0


def encode(model, raw):
    text = raw.decode("utf-8")
    places = [0]
    for ch in text:
        places.append(places[-1] + len(ch.encode("utf-8")))
    return [(p.id, [places[p.begin], places[p.end]]) for p in model.encode(text, out_type="immutable_proto").pieces]


def main():
    proto, config, fairseq = find(sys.argv[1])
    if config.get("add_prefix_space") is False:
        proto += NO_PREFIX
    model = sentencepiece.SentencePieceProcessor(model_proto=proto)
    before, behind, between, second_type = ([0], [2], [2], 0) if fairseq else ends_of(model, config)
    for line in sys.stdin.buffer:
        line = json.loads(line)
        bare = line.get("options", {}).get("bare", False)
        out = []
        for i, raw in enumerate(texts_of(line)):
            first = [] if bare else between if i else before
            last = [] if bare else behind
            pieces = [(fairseq_id(t) if fairseq else t, place) for t, place in encode(model, raw)]
            tokens = [(t, [0, 0]) for t in first] + pieces + [(t, [0, 0]) for t in last]
            out += [(*token, second_type if i else 0) for token in tokens]
        print(json.dumps({"ids": [t[0] for t in out], "offsets": [t[1] for t in out], "types": [t[2] for t in out]},
                         separators=(",", ":")))


if __name__ == "__main__":
    main()
