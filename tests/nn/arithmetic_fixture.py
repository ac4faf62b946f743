"""tests/fixtures/nn/arithmetic: what the parts of an encoder give for a few values each, for tests of single functions."""
import numpy as np

from draw import random_weights
from reference import arithmetic, bert, deberta, safetensors
from reference.rope import Rope


def generate(target):
    arrays = {}

    def keep(name, array, dtype="F32"):
        arrays[name] = (dtype, np.asarray(array, np.float32 if dtype == "F32" else np.int64))

    def noise(name, *shape):
        array = random_weights("arithmetic/" + name, shape, 1.0)
        keep(name, array)
        return array

    x = np.concatenate([np.arange(-12.0, 12.0, 0.0625), [1e-30, -1e-30, 1e-6, -1e-4, 30.0, -30.0, 88.0, -88.0, 1e4, -1e4]])
    x = x.astype(np.float32).astype(np.float64)
    keep("activation.x", x)
    with np.errstate(over="ignore"):
        for name in ("gelu", "gelu_tanh", "silu", "relu", "tanh", "quick_gelu"):
            keep("activation." + name, arithmetic.ACTIVATIONS[name.replace("gelu_tanh", "gelu_pytorch_tanh")](x))
        keep("activation.sigmoid", arithmetic.sigmoid(x))

    keep("softmax.y", arithmetic.softmax(8.0 * noise("softmax.x_eighth", 6, 37)))
    x, gain, bias = noise("norm.x", 5, 40), noise("norm.gain", 40), noise("norm.bias", 40)
    keep("norm.layer", arithmetic.layer_norm(x, gain, bias, 1e-5))
    keep("norm.layer_without_bias", arithmetic.layer_norm(x, gain, None, 1e-5))
    keep("norm.layer_of_x_plus_64", arithmetic.layer_norm(x + 64.0, gain, bias, 1e-5))
    keep("norm.layer_of_x_over_1024", arithmetic.layer_norm(x / 1024.0, gain, bias, 1e-5))
    keep("norm.rms", arithmetic.rms_norm(x, gain, 1e-6))
    keep("norm.rms_one_plus", arithmetic.rms_norm(x, 1.0 + gain, 1e-6))

    length, reach = 21, 4
    q, k, v = noise("attention.q", length, 8), noise("attention.k", length, 8), noise("attention.v", length, 8)
    for name, visible in (
        ("full", arithmetic.everything(length)),
        ("within4", arithmetic.within(length, reach)),
        ("causal", arithmetic.causal(length)),
        ("causal4", arithmetic.causal(length, reach)),
    ):
        keep("attention." + name, arithmetic.attend(q, k, v, 8**-0.5, visible))

    positions = [0, 1, 2, 63, 511, 8191, 32767]
    keep("rope.positions", positions, "I32")
    yarn = {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 8192}
    for name, rope in (
        ("dim64.theta10000", Rope(64, 10000.0)),
        ("dim64.theta160000", Rope(64, 160000.0)),
        ("dim128.theta1000000", Rope(128, 1000000.0)),
        ("dim256.theta1000000.linear8", Rope(256, 1000000.0, {"rope_type": "linear", "factor": 8.0})),
        ("dim64.theta160000.yarn4x8192", Rope(64, 160000.0, yarn)),
        ("dim128.theta1000000.yarn4x8192", Rope(128, 1000000.0, yarn)),
    ):
        cos, sin = rope.table(positions)
        keep(f"rope.{name}.inverse", rope.inverse)
        keep(f"rope.{name}.cos", cos)
        keep(f"rope.{name}.sin", sin)
    x = noise("rope.x", 7, 64)
    keep("rope.dim64.theta10000.rotated_from_0", Rope(64, 10000.0).rotate(x))
    keep("rope.dim64.theta10000.rotated_from_100", Rope(64, 10000.0).rotate(x, 100))

    distances = np.arange(-1200, 1201)
    keep("distance", distances, "I32")
    keep("mpnet.bucket", [bert.mpnet_bucket(int(d)) for d in distances], "I32")
    for buckets, reach in ((256, 512), (16, 64), (0, 512)):
        keep(f"deberta.bucket.{buckets}.{reach}", [deberta.bucket(int(d), buckets, reach) for d in distances], "I32")

    folder = target / "arithmetic"
    folder.mkdir(parents=True)
    safetensors.write(folder / "cases.safetensors", arrays)
