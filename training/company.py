#!/usr/bin/env python3
"""First vectors of the pieces, from the company they keep: a shifted positive PMI matrix over windows of all training text,
and its leading singular directions.

    company.py OUT [DIMS]

The dictionary's lemmas count as text beside their glosses, so that rare words start near the words that explain them.
"""
import sys
import time

import numpy as np
import scipy.sparse as sp
import torch
from sklearn.utils.extmath import randomized_svd

import text
import tokenizer
import wordnet

WINDOW = 8
SMOOTH = 0.75
SHIFT = 0.0


def main():
    dims = int(sys.argv[2]) if len(sys.argv) > 2 else 256
    began = time.time()
    texts = tokenizer.corpus()
    for s in wordnet.synsets().values():
        texts.append(", ".join(s.words[:4]) + ": " + s.gloss)
    size = text.pieces().get_piece_size()
    flat, doc = [], []
    for i in range(0, len(texts), 20000):
        for k, ids in enumerate(text.ids_of([t[:6000] for t in texts[i : i + 20000]])):
            flat.append(np.array(ids, np.int32))
            doc.append(np.full(len(ids), i + k, np.int32))
    flat, doc = np.concatenate(flat), np.concatenate(doc)
    print(len(flat), "tokens", f"{time.time() - began:.0f}s", flush=True)
    counts = np.bincount(flat, minlength=size)
    # Very frequent pieces say little of their company: some of their occurrences are skipped, which also widens windows.
    r = np.random.RandomState(2)
    keep = r.rand(len(flat)) < np.sqrt(2e-4 / (counts / counts.sum()))[flat].clip(0, 1)
    flat, doc = flat[keep], doc[keep]
    total = sp.csr_matrix((size, size), dtype=np.float32)
    for d in range(1, WINDOW + 1):
        same = doc[d:] == doc[:-d]
        m = sp.coo_matrix((np.full(same.sum(), 1 / d**0.5, np.float32), (flat[:-d][same], flat[d:][same])), (size, size)).tocsr()
        total = total + m
    total = total + total.T
    print(total.nnz, "cells", f"{time.time() - began:.0f}s", flush=True)
    row = np.asarray(total.sum(1)).ravel() + 1e-9
    column = row**SMOOTH
    total = total.tocoo()
    pmi = np.log(total.data * column.sum() / (row[total.row] * column[total.col])) - SHIFT
    good = pmi > 0
    m = sp.csr_matrix((pmi[good], (total.row[good], total.col[good])), (size, size))
    u, s, _ = randomized_svd(m, dims, n_oversamples=16, n_iter=3, random_state=1)
    v = u * np.sqrt(s)
    v -= v.mean(0)
    v /= np.sqrt((v**2).mean()) / 0.1
    # A long vector is a piece met often, not one that matters more.
    norm = np.linalg.norm(v, axis=1, keepdims=True)
    v *= (norm.mean() / np.maximum(norm, 0.2 * norm.mean())) ** 0.5
    importance = -0.3 * np.log(counts / counts.sum() / 1e-4 + 0.1).clip(-2, 6)
    torch.save({"vectors": torch.tensor(v, dtype=torch.float32), "importance": torch.tensor(importance, dtype=torch.float32)},
               sys.argv[1])
    print(f"{time.time() - began:.0f}s")
    sp_ = text.pieces()
    unit = v / np.linalg.norm(v, axis=1, keepdims=True)
    for word in ("\u2581doctor", "\u2581python", "\u2581angry", "\u2581lawsuit", "\u2581derivative", "\u2581mitochondria"):
        i = sp_.piece_to_id(word)
        print(word, [sp_.id_to_piece(int(j)) for j in np.argsort(-unit @ unit[i])[1:9]])


if __name__ == "__main__":
    main()
