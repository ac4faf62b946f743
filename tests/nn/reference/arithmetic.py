"""What all encoders are made of: norms, activations, softmax, attention over one head. Arrays are [tokens, features]."""
import contextlib
import math

import numpy as np

REAL = np.float64  # of every computation; check_reference.py lowers it to see what float32 costs

_erf = np.vectorize(math.erf, otypes=[np.float64])


# Lower precisions: both factors of the trunk's products are rounded, and nothing else is.


def bf16(x):
    """To the nearest of 8 bits, ties to even."""
    bits = np.ascontiguousarray(x, np.float32).view(np.uint32).astype(np.uint64)
    bits = bits + 0x7FFF + (bits >> 16 & 1) & 0xFFFF0000
    return bits.astype(np.uint32).view(np.float32).astype(np.float64)


def int8(x):
    """To whole numbers from -127 to 127 times a scale for each row: of activations a token, of weights an output channel."""
    scale = np.abs(x).max(axis=-1, keepdims=True) / 127.0
    return np.rint(x / np.where(scale > 0.0, scale, 1.0)) * scale


PRECISIONS = {"bf16": bf16, "int8": int8}
_rounding = None


@contextlib.contextmanager
def rounded(precision):
    global _rounding
    _rounding = PRECISIONS[precision]
    try:
        yield
    finally:
        _rounding = None


def factors(*arrays):
    return arrays if _rounding is None else tuple(_rounding(array) for array in arrays)


def layer_norm(x, gain, bias, eps):
    """The variance is that of the population; `bias` may be None."""
    mean = x.mean(axis=-1, keepdims=True)
    variance = ((x - mean) ** 2).mean(axis=-1, keepdims=True)
    y = (x - mean) / np.sqrt(variance + eps) * gain
    return y if bias is None else y + bias


def rms_norm(x, gain, eps):
    return x / np.sqrt((x * x).mean(axis=-1, keepdims=True) + eps) * gain


def gelu(x):
    return (0.5 * x * (1.0 + _erf(x / math.sqrt(2.0)))).astype(REAL)


def gelu_tanh(x):
    return 0.5 * x * (1.0 + np.tanh(math.sqrt(2.0 / math.pi) * (x + 0.044715 * x**3)))


def sigmoid(x):
    return 1.0 / (1.0 + np.exp(-x))


ACTIVATIONS = {
    "gelu": gelu,
    "gelu_python": gelu,
    "gelu_new": gelu_tanh,
    "gelu_pytorch_tanh": gelu_tanh,
    "gelu_fast": gelu_tanh,
    "gelu_accurate": gelu_tanh,
    "silu": lambda x: x * sigmoid(x),
    "swish": lambda x: x * sigmoid(x),
    "relu": lambda x: np.maximum(x, 0.0),
    "tanh": np.tanh,
    "quick_gelu": lambda x: x * sigmoid(1.702 * x),
}


def softmax(scores):
    """Over the last axis; -inf is what is not seen, and a row that sees nothing becomes zeros."""
    top = scores.max(axis=-1, keepdims=True)
    weights = np.exp(scores - np.where(np.isfinite(top), top, 0.0))
    total = weights.sum(axis=-1, keepdims=True)
    return weights / np.where(total > 0.0, total, 1.0)


def distance(length):
    """distance(L)[i][j] = i - j: i is the query's place, j the key's."""
    place = np.arange(length)
    return place[:, None] - place[None, :]


def everything(length):
    return np.ones((length, length), bool)


def within(length, reach):
    """Both sides, the edge included: reach 64 sees 129 keys."""
    return np.abs(distance(length)) <= reach


def causal(length, window=None):
    """Oneself and what is before; with a window, `window` keys at most: j > i - window."""
    d = distance(length)
    return (d >= 0) & (d < window) if window else d >= 0


def attend(q, k, v, scale, visible, bias=0.0):
    """One head: q, k, v are [L, d], `visible` is [L, L], `bias` is added to the scaled scores."""
    scores = scale * (q @ k.T) + bias
    return softmax(np.where(visible, scores, -np.inf)) @ v


def heads(x, n):
    """[L, n*d] as a list of n arrays [L, d]."""
    return np.split(x, n, axis=-1)


def l2_normalize(x):
    return x / max(math.sqrt(float((x * x).sum())), 1e-12)
