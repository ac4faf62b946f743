"""Numbers that look random and are the same everywhere and forever: drawn by splitmix64 from the hash of a name."""
import hashlib
import math

import numpy as np

SPREAD = 15  # weights are whole numbers -15..15 times a step of three bits: exact in bf16 and f16, and small when packed


def random_words(seed, n):
    """n words of splitmix64, begun at the hash of `seed`."""
    start = int.from_bytes(hashlib.sha256(seed.encode()).digest()[:8], "little")
    with np.errstate(over="ignore"):
        z = np.uint64(start) + np.arange(1, n + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return z ^ (z >> np.uint64(31))


def random_integers(seed, n, low, high):
    return low + (random_words(seed, n) % np.uint64(high - low + 1)).astype(np.int64)


def random_weights(seed, shape, deviation, mean=0.0):
    """About the wanted standard deviation: 4, 5, 6 or 7 times a power of two between values. Beside a mean only 4 times, so
    that the sums are exact too."""
    wanted = deviation * math.sqrt(3.0) / SPREAD
    octave = 2.0 ** math.floor(math.log2(wanted))
    steps = [octave, 2 * octave] if mean else [octave * quarters / 4 for quarters in range(4, 9)]
    step = min(steps, key=lambda step: abs(math.log(step / wanted)))
    return mean + random_integers(seed, math.prod(shape), -SPREAD, SPREAD).reshape(shape) * step
