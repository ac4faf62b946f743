"""Which words a text has, whatever they mean: each token's signs, as src/nn/word_signs.h makes them of its number.

A mean of learned vectors takes a guitar for a flute. Beside it stands the sum of random signs of the tokens, rare ones counting
more: two texts have as much of it in common as they have words in common.
"""
import numpy as np
import torch
import torch.nn.functional as F


def drawn(n, dims):
    """[n][dims] of +1 and -1: the bits of SplitMix64 (Steele, Lea, Flood 2014) of token * (dims / 64) + word, lowest first."""
    with np.errstate(over="ignore"):
        x = np.arange(n * (dims // 64), dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(0x9E3779B97F4A7C15)
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        x ^= x >> np.uint64(31)
    bits = (x[:, None] >> np.arange(64, dtype=np.uint64)) & np.uint64(1)
    return torch.from_numpy(bits.reshape(n, dims).astype(np.float32) * 2 - 1)


class Signs:
    def __init__(self, weight, dims, percent):
        """`weight` [V]: what each token counts; `percent` of the square of a vector's length is theirs."""
        self.weight, self.dims, self.percent = weight, dims, percent
        self.signs = drawn(len(weight), dims)

    def beside(self, mean, ids, offsets, drop=0.0):
        """[B][D + dims] at unit length, of means [B][D] of tokens `ids` from `offsets` on."""
        weight = self.weight[ids]
        if drop:
            weight = weight * (torch.rand_like(weight) >= drop)
        share = self.percent / 100
        own = F.embedding_bag(ids, self.signs, offsets, mode="sum", per_sample_weights=weight)
        return torch.cat([F.normalize(mean, dim=1) * (1 - share) ** 0.5, F.normalize(own, dim=1) * share**0.5], 1)

    def state(self):
        return {"weight": self.weight, "dims": self.dims, "percent": self.percent}


def rarity(counts, power=2.5):
    """What tokens count by how often they occur, 1 for the middle one."""
    weight = np.log(1 + counts.sum() / (counts + 5.0)) ** power
    return torch.from_numpy(weight / np.median(weight)).float()
