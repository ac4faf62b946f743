"""Rotary positions, half-split form, with the roundings to float32 that the models were trained with.

theta^(2i/d), its inverse, and the product of position and inverse are each rounded; without that the angle at position
32767 is off by a thousandth.
"""
import math

import numpy as np

from . import arithmetic


def _f32(x):
    return np.asarray(x).astype(np.float32).astype(np.float64)


class Rope:
    """Angles for heads of `dim` features. `scaling` is the object of config.json, or None."""

    def __init__(self, dim, theta, scaling=None, max_positions=None):
        self.attention_factor = 1.0
        powers = _f32(theta ** _f32(2.0 * np.arange(dim // 2) / dim))
        kind = (scaling or {}).get("rope_type", (scaling or {}).get("type", "default"))
        if kind == "default":
            inverse = _f32(1.0 / powers)
        elif kind == "linear":
            inverse = _f32(1.0 / powers) / scaling["factor"]
        elif kind == "yarn":
            inverse, self.attention_factor = yarn(powers, dim, theta, scaling, max_positions)
        else:
            raise ValueError(f"rope_type {kind!r}: default, linear and yarn are known")
        self.inverse = _f32(inverse)

    def table(self, positions):
        angle = _f32(np.asarray(positions, np.float64)[:, None] * self.inverse[None, :])
        factor = _f32(self.attention_factor)
        return _f32(_f32(np.cos(angle)) * factor), _f32(_f32(np.sin(angle)) * factor)

    def rotate(self, x, first=0):
        """x is [L, dim], its first row at position `first`."""
        cos, sin = self.table(np.arange(first, first + len(x)))
        a, b = np.split(x, 2, axis=-1)
        return np.concatenate([a * cos - b * sin, b * cos + a * sin], axis=-1).astype(arithmetic.REAL)


def yarn(powers, dim, theta, scaling, max_positions):
    """Frequencies that turn fast are kept, slow ones are divided by the factor, with a ramp between."""
    original = scaling.get("original_max_position_embeddings") or max_positions
    factor = scaling.get("factor") or max_positions / original

    def correction(turns):
        return dim * math.log(original / (2.0 * math.pi * turns)) / (2.0 * math.log(theta))

    low = correction(scaling.get("beta_fast") or 32.0)
    high = correction(scaling.get("beta_slow") or 1.0)
    if scaling.get("truncate", True):
        low, high = math.floor(low), math.ceil(high)
    low, high = max(low, 0), min(high, dim - 1)
    if low == high:
        high += 0.001
    ramp = np.clip((np.arange(dim // 2) - low) / (high - low), 0.0, 1.0)

    def magnitude(k):
        return 1.0 if factor <= 1.0 else 0.1 * k * math.log(factor) + 1.0

    attention_factor = scaling.get("attention_factor")
    if attention_factor is None:
        k, k_all = scaling.get("mscale"), scaling.get("mscale_all_dim")
        attention_factor = magnitude(k) / magnitude(k_all) if k and k_all else magnitude(1.0)
    ramp = _f32(ramp)
    slow, fast = _f32(1.0 / _f32(factor * powers)), _f32(1.0 / powers)
    return _f32(slow * ramp) + _f32(fast * _f32(1.0 - ramp)), attention_factor
