#!/usr/bin/python3
"""Checks the reference by what is known without it: values worked out by hand, and laws that the models obey. Then breaks
it on purpose, one definition at a time, to see that the cases of the fixtures would notice.

    check_reference.py          the checks
    check_reference.py float32  how far plain float32 is from the stored results, model by model
    check_reference.py bf16     the same where the factors of products are rounded to that; int8 likewise
"""
import contextlib
import json
import math
import pathlib
import re
import sys
import types

import numpy as np

from draw import random_weights
from reference import adapter, arithmetic, bert, deberta, gemma3, model, modernbert, qwen3, rope, safetensors, sentence, siglip, weights
from reference.arithmetic import attend, causal, everything, gelu, gelu_tanh, layer_norm, softmax, within
from reference.model import open_model
from reference.rope import Rope

FIXTURES = pathlib.Path(__file__).resolve().parent.parent / "fixtures" / "nn"
CHECKS = []


def check(function):
    CHECKS.append(function)
    return function


def near(a, b, tolerance=1e-12):
    assert np.abs(np.asarray(a) - np.asarray(b)).max() <= tolerance, (a, b)


def far(a, b, distance=1e-3):
    assert np.abs(np.asarray(a) - np.asarray(b)).max() >= distance, "no difference"


def noise(seed, *shape):
    return random_weights("check/" + seed, shape, 1.0)


def words(seed, length):
    return 3 + (np.abs(noise(seed, length)) * 1000).astype(int) % 90


# Arithmetic


@check
def activations_at_one():
    near(gelu(np.array([1.0, -1.0, 0.0])), [0.8413447460685429, -0.15865525393145707, 0.0])
    near(gelu_tanh(np.array([1.0, -1.0, 0.0])), [0.8411919906082768, -0.1588080093917233, 0.0])
    near(arithmetic.ACTIVATIONS["silu"](np.array([1.0])), 0.7310585786300049)
    near(arithmetic.ACTIVATIONS["quick_gelu"](np.array([1.0])), 0.8457957659328212)


@check
def norms_of_three_values():
    x = np.array([[1.0, 2.0, 6.0]])  # mean 3, population variance 14/3
    near(layer_norm(x, np.array([1.0, 1.0, 2.0]), np.array([0.0, 0.5, 0.0]), 0.0),
         [[-2 / math.sqrt(14 / 3), -1 / math.sqrt(14 / 3) + 0.5, 6 / math.sqrt(14 / 3)]])  # fmt: skip
    near(arithmetic.rms_norm(x, 1.0, 0.0), x / math.sqrt(41 / 3))
    near(arithmetic.l2_normalize(np.array([3.0, 4.0])), [0.6, 0.8])
    near(arithmetic.l2_normalize(np.zeros(2)), [0.0, 0.0])


@check
def softmax_of_nothing_is_zero():
    scores = np.array([[-np.inf, -np.inf], [0.0, -np.inf], [1000.0, 1000.0]])
    near(softmax(scores), [[0, 0], [1, 0], [0.5, 0.5]])


@check
def windows():
    assert within(200, 64)[100].sum() == 129 and within(200, 64)[0].sum() == 65
    assert causal(10, 4)[9].tolist() == [False] * 6 + [True] * 4
    assert causal(3).tolist() == [[True, False, False], [True, True, False], [True, True, True]]


@check
def one_token_gets_its_own_value():
    q, k, v = noise("q", 1, 8), noise("k", 1, 8), noise("v", 1, 8)
    for visible in (everything(1), within(1, 0), causal(1), causal(1, 1)):
        near(attend(q, k, v, 0.3, visible), v)


@check
def local_is_full_up_to_the_window():
    reach = 4
    for length in (1, reach, reach + 1, reach + 2):
        q, k, v = noise("q", length, 8), noise("k", length, 8), noise("v", length, 8)
        full, local = attend(q, k, v, 0.2, everything(length)), attend(q, k, v, 0.2, within(length, reach))
        (near if length <= reach + 1 else far)(full, local)


# Pictures


def tower():
    tensors, prefix = safetensors.read(FIXTURES.parent / "multimodal" / "model.safetensors"), "image_encoder.vision_encoder."
    own = {name[len(prefix) :]: array for name, array in tensors.items() if name.startswith(prefix)}
    return siglip.Siglip(weights.Weights(own, siglip.Siglip.EMBEDDING), 2)


@check
def a_head_sees_a_set_of_tokens_and_a_trunk_their_places():
    t, pixels = tower(), noise("pixels", 3, 40, 40)
    tokens = t.tokens(pixels)
    near(t.pooled(tokens), t.pooled(tokens[::-1]), 1e-10)
    far(t.pooled(tokens), t.pooled(t.tokens(pixels[:, ::-1])), 1e-2)
    places = t.w.tensors["embeddings.position_embedding.weight"]
    t.w.tensors["embeddings.position_embedding.weight"] = np.zeros_like(places)
    patches = pixels.reshape(3, 5, 8, 5, 8)
    turned = patches[:, ::-1].reshape(3, 40, 40)  # rows of patches in another order
    near(t.pooled(t.tokens(pixels)), t.pooled(t.tokens(turned)), 1e-10)


@check
def the_form_of_gelu_shows_in_a_picture():
    t, pixels = tower(), noise("pixels", 3, 40, 40)
    before = t.pooled(t.tokens(pixels))
    siglip.gelu_tanh = gelu
    try:
        far(before, t.pooled(t.tokens(pixels)), 1e-4)
    finally:
        siglip.gelu_tanh = gelu_tanh


# Rotary positions


@check
def rope_turns_halves():
    rope = Rope(4, 10000.0)
    near(rope.inverse, [1.0, np.float32(0.01)])
    turned = rope.rotate(np.array([[1.0, 2.0, 3.0, 4.0]]), first=1)[0]
    c, s = math.cos(1.0), math.sin(1.0)
    near(turned[0], c - 3 * s, 1e-6)
    near(turned[2], 3 * c + s, 1e-6)


@check
def rope_is_relative():
    rope, other = Rope(16, 10000.0), noise("rope", 40, 16)
    q, k = noise("q", 40, 16), noise("k", 40, 16)
    here = attend(rope.rotate(q), rope.rotate(k), other, 0.25, everything(40))
    there = attend(rope.rotate(q, 1000), rope.rotate(k, 1000), other, 0.25, everything(40))
    near(here, there, 2e-4)  # the rounded angles

    def interleaved(x):
        x = np.concatenate([x[:, 0::2], x[:, 1::2]], axis=1)
        y = rope.rotate(x)
        return np.stack(np.split(y, 2, axis=1), axis=-1).reshape(len(x), -1)

    far(here, attend(interleaved(q), interleaved(k), other, 0.25, everything(40)), 0.1)


@check
def rope_is_rounded_as_it_was_trained():
    rope = Rope(64, 160000.0)
    exact = 160000.0 ** (-2.0 * np.arange(32) / 64)
    for position, wrong in ((511, 7e-6), (8191, 1.6e-4), (32767, 1e-3)):
        cos, sin = rope.table([position])
        error = max(np.abs(cos - np.cos(position * exact)).max(), np.abs(sin - np.sin(position * exact)).max())
        assert wrong / 4 < error < wrong * 4, (position, error)


@check
def yarn_keeps_fast_and_divides_slow():
    scaling = {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 4096}
    plain, turned = Rope(64, 10000.0), Rope(64, 10000.0, scaling)
    near(turned.inverse[0], plain.inverse[0])
    near(turned.inverse[-1], plain.inverse[-1] / 4, 1e-9)
    near(turned.attention_factor, 0.1 * math.log(4.0) + 1.0)
    ratio = plain.inverse / turned.inverse
    assert (np.diff(ratio) >= -1e-6).all() and ((ratio > 1.01) & (ratio < 3.99)).sum() >= 5
    # by hand: correction(32) = 64 ln(4096/(64 pi)) / (2 ln 10000) = 10.47, correction(1) = 22.51
    near(ratio[:11], 1.0, 1e-6)
    near(ratio[23:], 4.0, 1e-6)
    assert ratio[11] > 1.0 and ratio[22] < 4.0
    near(Rope(64, 10000.0, scaling | {"factor": 1.0}).inverse, plain.inverse)
    near(Rope(64, 10000.0, scaling | {"mscale": 2.0, "mscale_all_dim": 1.0}).attention_factor,
         (0.2 * math.log(4.0) + 1.0) / (0.1 * math.log(4.0) + 1.0))  # fmt: skip
    near(Rope(64, 10000.0, scaling | {"attention_factor": 1.5}).attention_factor, 1.5)
    near(Rope(64, 10000.0, {"type": "linear", "factor": 8.0}).inverse, plain.inverse / 8, 1e-9)


# Families


@check
def deberta_buckets():
    expected = {0: 0, 1: 1, 127: 127, 128: 128, 129: 129, 130: 130, 200: 169, 510: 255, 511: 255, 512: 256}
    for x, slot in expected.items():
        assert deberta.bucket(x, 256, 512) == slot, (x, deberta.bucket(x, 256, 512))
        assert deberta.bucket(-x, 256, 512) == -slot
    assert deberta.bucket(300, 0, 512) == 300


@check
def mpnet_buckets():
    def by_logarithm(distance):
        side, n = (16 if distance > 0 else 0), abs(distance)
        steps = math.log(n / 8) / math.log(16) * 8 if n >= 8 else 0
        return side + (n if n < 8 else min(15, 8 + math.floor(steps + 1e-9)))

    for distance in range(-300, 301):
        assert bert.mpnet_bucket(distance) == by_logarithm(distance), distance
    assert [bert.mpnet_bucket(-n) for n in (7, 8, 15, 16, 31, 32, 64, 91, 128)] == [7, 8, 9, 10, 11, 12, 14, 15, 15]


@check
def token_types_are_added_even_if_there_is_one():
    model = open_model(FIXTURES / "bert-sequence")
    ids = words("types", 9)
    far(model.hidden(ids, np.zeros(9, int)), model.hidden(ids, np.ones(9, int)), 1e-2)


@check
def causal_prefixes_stand_alone():
    for name in ("modernbert-embed", "bert-embed-mean", "qwen3-embed", "gemma-embed", "gemma-causal"):
        if not (FIXTURES / name).exists():
            continue
        model = open_model(FIXTURES / name)
        ids = words("prefix", 40)
        (near if name in ("qwen3-embed", "gemma-causal") else far)(model.hidden(ids)[:20], model.hidden(ids[:20]), 1e-9)


@check
def order_of_a_pair_matters():
    ids = words("pair", 21)
    a, b, sep = ids[:12], ids[12:20], ids[20:]
    for name in ("bert-sequence", "modernbert-sequence-cls"):
        model = open_model(FIXTURES / name)
        far(model.logits(np.concatenate([a, sep, b])), model.logits(np.concatenate([b, sep, a])), 1e-2)


@check
def groups_share_key_heads():
    """Grouped heads are plain heads with the keys and values repeated."""
    right = open_model(FIXTURES / "qwen3-embed")
    ids = words("groups", 30)
    plain = open_model(FIXTURES / "qwen3-embed")
    d, group = plain.encoder.head_dim, plain.encoder.n_heads // plain.encoder.n_kv
    for name, tensor in plain.weights.tensors.items():
        if name.endswith(("k_proj.weight", "v_proj.weight")):
            plain.weights.tensors[name] = tensor.reshape(-1, d, tensor.shape[1]).repeat(group, axis=0).reshape(-1, tensor.shape[1])
    plain.encoder.n_kv = plain.encoder.n_heads
    near(right.hidden(ids), plain.hidden(ids))


@check
def vectors_are_of_length_one():
    for path in sorted(FIXTURES.rglob("cases.safetensors")):
        modules = path.parent / "modules.json"
        unit = not modules.exists() or "Normalize" in modules.read_text()
        multi_label = not (path.parent / "config.json").exists() or "multi_label" in (path.parent / "config.json").read_text()
        for name, array in safetensors.read(path).items():
            if name.endswith("embedding") and (unit or ".dim" in name):
                near((array * array).sum(), 1.0, 1e-6)
            if name.endswith("probabilities") and not multi_label and array.shape[-1] > 1:
                near(array.sum(axis=-1), 1.0, 1e-6)


@check
def texts_are_their_tokens():
    """The ids and offsets of the texts, once more: words cut into the longest pieces from the left."""
    for path in sorted(FIXTURES.glob("*/cases.json")):
        about = json.loads(path.read_text())
        vocabulary = json.loads((FIXTURES / about.get("base", path.parent.name) / "tokenizer.json").read_text())["model"]["vocab"]
        arrays = safetensors.read(path.parent / "cases.safetensors")
        for case in about["cases"]:
            if "text" not in case:
                continue
            ids, offsets = arrays[case["name"] + ".ids"], arrays[case["name"] + ".offsets"]
            expected = []
            for text in (case.get("prompt", "") + case["text"], case.get("pair", "")):
                for found in re.finditer(r"\S+", text):
                    expected += word_pieces(found[0].lower(), found.start(), vocabulary)
            own = [(ids[n], *offsets[n]) for n in range(len(ids)) if offsets[n][1] > 0]
            assert own == expected[: len(own)] and (len(own) == len(expected) or "cut" in case["about"]), (path, case)


def word_pieces(word, begin, vocabulary):
    pieces, at = [], 0
    while at < len(word):
        mark = "##" if at else ""
        ends = [end for end in range(len(word), at, -1) if mark + word[at:end] in vocabulary]
        if not ends:
            unknown = next(id for token, id in vocabulary.items() if "unk" in token.lower())
            return [(unknown, begin, begin + len(word))]
        pieces.append((vocabulary[mark + word[at : ends[0]]], begin + at, begin + ends[0]))
        at = ends[0]
    return pieces


# Adapters


def adapted(name, **changes):
    with changed(adapter, changes):
        return open_fixture(name)


@check
def an_adapter_of_nothing_is_its_base():
    base, nothing = open_model(FIXTURES / "modernbert-mlm"), adapted("modernbert-mlm-lora-intent", lora_alpha=0)
    ids = words("nothing", 20)
    near(base.hidden(ids), nothing.hidden(ids))
    far(base.hidden(ids), adapted("modernbert-mlm-lora-intent").hidden(ids), 0.1)


@check
def an_adapter_leaves_the_layers_before_it_alone():
    ids = words("trunk", 20)
    base, guard = open_model(FIXTURES / "modernbert-mlm").states(ids), open_fixture("modernbert-mlm-lora-guard").states(ids)
    for n in range(3):
        near(base[n], guard[n])
    far(base[3], guard[3], 0.1)


@check
def merging_is_adding_on_the_side():
    x = noise("side", 5, 48)
    base = weights.read_directory(FIXTURES / "modernbert-mlm")["model.layers.1.attn.Wqkv.weight"]
    merged = open_fixture("modernbert-mlm-lora-pii").weights.tensors["model.layers.1.attn.Wqkv.weight"]
    saved = safetensors.read(FIXTURES / "modernbert-mlm-lora-pii" / "adapter_model.safetensors")
    at = "base_model.model.model.layers.1.attn.Wqkv.lora_"
    side = x @ saved[at + "A.default.weight"].T @ saved[at + "B.default.weight"].T
    near(x @ merged.T, x @ base.T + 12 / 6 * side)  # alpha 12 by alpha_pattern, rank 6 by rank_pattern


@check
def dora_gives_each_row_its_length():
    tensors = open_fixture("modernbert-mlm-lora-dora").weights.tensors
    saved = safetensors.read(FIXTURES / "modernbert-mlm-lora-dora" / "adapter_model.safetensors")
    module = "model.layers.3.mlp.Wi"
    length = np.sqrt((tensors[module + ".weight"] ** 2).sum(axis=1))
    near(length, np.abs(saved[f"base_model.model.{module}.lora_magnitude_vector.weight"]))


@check
def rules_and_tensors_must_agree():
    for changes in ({"target_modules": ["attn.Wqkv"]}, {"layers_to_transform": [0]}, {"r": 5}, {"peft_type": "IA3"}):
        try:
            adapted("modernbert-mlm-lora-intent", **changes)
        except ValueError:
            continue
        raise AssertionError(f"{changes} was accepted")


# The fixtures notice


@contextlib.contextmanager
def broken(place, name, value):
    right = getattr(place, name)
    setattr(place, name, value)
    try:
        yield
    finally:
        setattr(place, name, right)


def merged(value, changes):
    return value | changes if isinstance(value, dict) else value


def changed(module, changes):
    """The json files that `module` reads say something else."""
    return broken(module, "json", types.SimpleNamespace(loads=lambda text: merged(json.loads(text), changes)))


def open_fixture(name):
    base = json.loads((FIXTURES / name / "cases.json").read_text()).get("base")
    return open_model(FIXTURES / base, FIXTURES / name) if base else open_model(FIXTURES / name)


def off(now, stored):
    """The largest difference, relative to the greatest number of its row."""
    return (np.abs(now - stored).max(axis=-1) / np.abs(stored).max(axis=-1)).max()


def worst(fixture):
    """Between the stored results and what the reference says now. Logits are few and may all lie near zero: theirs is
    relative to the greatest one of the model."""
    cases = safetensors.read(FIXTURES / fixture / "cases.safetensors")
    model = open_fixture(fixture)
    most, logits, greatest = 0.0, [], 0.0
    for case in json.loads((FIXTURES / fixture / "cases.json").read_text())["cases"]:
        name, more = case["name"], {key: case[key] for key in ("prompt_tokens",) if key in case}
        hidden = model.hidden(cases[name + ".ids"], cases.get(name + ".types"))
        most = max(most, off(hidden[cases[name + ".rows"]], cases[name + ".hidden"]))
        if name + ".embedding" in cases:
            now = model.embedding(cases[name + ".ids"], cases.get(name + ".types"), **more)
            most = max(most, off(now, cases[name + ".embedding"]))
        if name + ".logits" in cases:
            now = model.logits(cases[name + ".ids"], cases.get(name + ".types"))
            logits.append(np.abs(now - cases[name + ".logits"]).max())
            greatest = max(greatest, np.abs(cases[name + ".logits"]).max())
    return max([most] + [difference / greatest for difference in logits])


def theta_of_the_other_kind(config):
    full, local = modernbert_ropes(config).values()
    return {"full_attention": local, "sliding_attention": full}


modernbert_ropes = modernbert.rope_parameters

def change(module, about, fixture, **changes):
    return about, fixture, lambda: changed(module, changes)


def replace(about, fixture, place, name, value):
    return about, fixture, lambda: broken(place, name, value)


MUTANTS = [
    change(model, "GELU by tanh", "bert-sequence", hidden_act="gelu_new"),
    change(model, "GELU by erf", "bert-token", hidden_act="gelu"),
    change(sentence, "the prompt pooled", "bert-embed-dense", include_prompt=True),
    change(sentence, "no activation", "bert-embed-dense", activation_function="torch.nn.Identity"),
    change(sentence, "another pooling", "bert-embed-mean", pooling_mode="cls"),
    change(model, "eps left out", "bert-embed-cls", layer_norm_eps=1e-12),
    replace("positions from one", "bert-embed-mean", bert.Bert, "positions", lambda self, ids: np.arange(1, len(ids) + 1) % 512),
    change(model, "positions from one", "roberta-sequence", pad_token_id=0),
    replace("padding counted", "roberta-sequence", bert.Roberta, "positions", lambda self, ids: np.arange(2, len(ids) + 2)),
    replace("no token type", "xlm-roberta-embed", bert.Bert, "add_types", lambda self, h, types: h),
    replace("bias the wrong way about", "mpnet-embed", bert, "mpnet_bucket", lambda d: bert_bucket(-d)),
    replace("64 on the wrong side of a step", "mpnet-embed", bert, "mpnet_bucket", lambda d: bert_bucket(d - (d == 64))),
    change(model, "M for M - 1", "deberta-token", max_position_embeddings=65),
    change(model, "M for M - 1", "deberta-sequence", max_position_embeddings=513),
    change(model, "one term only", "deberta-sequence", pos_att_type="c2p"),
    change(model, "one term only", "deberta-unshared", pos_att_type="p2c"),
    change(model, "table not normed", "deberta-sequence", norm_rel_ebd="none"),
    replace("j - i for i - j", "deberta-c2p", deberta, "distance", lambda n: -arithmetic.distance(n)),
    change(model, "GELU by tanh", "modernbert-embed", hidden_activation="gelu_new"),
    change(model, "GELU by tanh in the head", "modernbert-sequence-mean", classifier_activation="gelu_new"),
    change(model, "eps left out", "modernbert-embed", norm_eps=1e-12),
    change(model, "first token", "modernbert-sequence-mean", classifier_pooling="cls"),
    change(model, "mean", "modernbert-sequence-cls", classifier_pooling="mean"),
    change(model, "local theta from the default", "modernbert-embed", local_rope_theta=10000.0),
    change(model, "layer_types unread", "modernbert-token", layer_types=None),
    replace("a window too wide by one", "modernbert-sequence-mean", modernbert, "within", lambda n, r: within(n, r + 1)),
    replace("a window too narrow by one", "modernbert-sequence-cls", modernbert, "within", lambda n, r: within(n, r - 1)),
    replace("a window too wide by one", "modernbert-sequence-cls", modernbert, "within", lambda n, r: within(n, r + 1)),
    replace("no window", "modernbert-token", modernbert, "within", lambda n, r: everything(n)),
    replace("thetas swapped", "modernbert-token", modernbert, "rope_parameters", theta_of_the_other_kind),
    replace("thetas swapped", "modernbert-sequence-cls", modernbert, "rope_parameters", theta_of_the_other_kind),
    replace("yarn without its factor", "modernbert-yarn", rope, "yarn", lambda *a: (right_yarn(*a)[0], 1.0)),
    replace("yarn without its ramp", "modernbert-yarn", rope, "yarn", lambda *a: (1.0 / a[0], right_yarn(*a)[1])),
    replace("yarn without its ramp", "qwen3-yarn", rope, "yarn", lambda *a: (1.0 / a[0], right_yarn(*a)[1])),
    replace("yarn rounded", "qwen3-yarn", rope, "yarn", lambda b, d, t, s, m: right_yarn(b, d, t, s | {"truncate": True}, m)),
    replace("yarn without mscale", "qwen3-yarn", rope, "yarn", lambda b, d, t, s, m: right_yarn(b, d, t, s | {"mscale": None}, m)),
    replace("both directions", "qwen3-embed", qwen3, "causal", lambda n, w=None: everything(n)),
    change(model, "eps left out", "qwen3-embed", rms_norm_eps=0.0),
    change(model, "a window too wide by one", "qwen3-sliding", sliding_window=9),
    change(model, "a window in every layer", "qwen3-window", max_window_layers=0),
    change(model, "the older theta", "qwen3-sliding", rope_parameters=None),
    change(model, "causal", "gemma-embed", use_bidirectional_attention=False),
    change(model, "a window too wide by one", "gemma-embed", sliding_window=18),
    change(model, "scale by the head's width", "gemma-embed", query_pre_attn_scalar=16),
    change(model, "GELU by erf", "gemma-embed", hidden_activation="gelu"),
    change(model, "one theta", "gemma-embed", rope_local_base_freq=1e6),
    replace("no scaling of the embeddings", "gemma-embed", gemma3.Gemma3, "embed",
            lambda self, ids, types=None: self.w["embed_tokens.weight"][ids]),
    change(model, "both directions", "gemma-causal", use_bidirectional_attention=True),
    change(model, "a window too wide by one", "gemma-causal", sliding_window=9),
    change(model, "the usual pattern", "gemma-causal", sliding_window_pattern=6),
    change(model, "rope not scaled", "gemma-causal", rope_scaling=None),
    change(adapter, "another alpha", "modernbert-mlm-lora-intent", lora_alpha=4),
    change(adapter, "scaled by the rank", "modernbert-mlm-lora-guard", use_rslora=False),
    change(adapter, "alpha_pattern unread", "modernbert-mlm-lora-pii", alpha_pattern={}),
    change(adapter, "lengths unread", "modernbert-mlm-lora-dora", use_dora=False),
    change(adapter, "another alpha", "bert-mlm-lora-intent", lora_alpha=2),
    change(adapter, "lengths unread", "bert-mlm-lora-pii", use_dora=False),
    change(adapter, "another alpha", "bert-mlm-lora-head", lora_alpha=4),
]  # fmt: skip

bert_bucket, right_yarn = bert.mpnet_bucket, rope.yarn

# Mistakes that any model can suffer, each tried on every fixture that has what it breaks.

FAMILY_MODULES = {"bert": bert, "roberta": bert, "xlm-roberta": bert, "mpnet": bert, "deberta-v2": deberta,
                  "modernbert": modernbert, "qwen3": qwen3, "gemma3_text": gemma3}  # fmt: skip
OTHER_ACTIVATION = {"gelu": "gelu_new", "gelu_new": "gelu", "gelu_pytorch_tanh": "gelu", "silu": "gelu", "relu": "gelu",
                    "quick_gelu": "gelu_new"}  # fmt: skip


def wider(module):
    """Windows one key wider, where there are any."""
    right = module.within, getattr(module, "causal", None)

    @contextlib.contextmanager
    def mutated():
        with contextlib.ExitStack() as stack:
            stack.enter_context(broken(module, "within", lambda n, reach: right[0](n, reach + 1)))
            if right[1]:
                stack.enter_context(broken(module, "causal", lambda n, window=None: right[1](n, window and window + 1)))
            yield

    return mutated


def one_edge_missing(module):
    """Of each window the last key on one side."""
    right = module.within

    def within_less(n, reach):
        return right(n, reach) & (arithmetic.distance(n) < reach)

    return lambda: broken(module, "within", within_less)


def narrower(module):
    right = module.causal
    return lambda: broken(module, "causal", lambda n, window=None: right(n, window and window - 1))


class TurnedTooFast(Rope):
    """Frequencies 1 % too high."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.inverse = self.inverse * 1.01


def without_scale(module):
    right = module.attend
    return lambda: broken(module, "attend", lambda q, k, v, scale, *more: right(q, k, v, 1.0, *more))


def without_the_last_key(module):
    """Each query misses one key of those that it sees, the last."""
    right = module.attend

    def attend_less(q, k, v, scale, visible, *more):
        visible = visible.copy()
        last = len(k) - 1 - visible[:, ::-1].argmax(axis=1)
        several = visible.sum(axis=1) > 1
        visible[np.flatnonzero(several), last[several]] = False
        return right(q, k, v, scale, visible, *more)

    return lambda: broken(module, "attend", attend_less)


def mutants_of(fixture):
    base = json.loads((FIXTURES / fixture / "cases.json").read_text()).get("base", fixture)
    config = json.loads((FIXTURES / base / "config.json").read_text())
    module = FAMILY_MODULES[config["model_type"]]
    yield "scores not scaled", without_scale(module)
    yield "a key left out", without_the_last_key(module)
    for key in ("hidden_act", "hidden_activation"):
        if key in config:
            yield "another activation", change(model, "", "", **{key: OTHER_ACTIVATION[config[key]]})[2]
    if hasattr(module, "Rope"):
        yield "frequencies 1 % off", lambda: broken(module, "Rope", TurnedTooFast)
    if slides(config):
        yield "a window too wide by one", wider(module) if hasattr(module, "within") else change_window(config, 1)
        if config["model_type"] == "qwen3" or config["model_type"] == "gemma3_text" and not config.get("use_bidirectional_attention"):
            yield "a window too narrow by one", narrower(module)
        else:
            yield "an edge of the window missing", one_edge_missing(module)


def change_window(config, by):
    return change(model, "", "", sliding_window=config["sliding_window"] + by)[2]


def slides(config):
    if config["model_type"] == "qwen3":
        return bool(config.get("use_sliding_window"))
    return config["model_type"] in ("modernbert", "gemma3_text")


@check
def the_fixtures_are_what_the_reference_says():
    for path in sorted(FIXTURES.glob("*/cases.json")):
        assert worst(path.parent.name) < 1e-6, path.parent.name


NOTICED = 1e-4  # ten times what a test of float32 allows


@check
def the_fixtures_notice():
    tried = [(fixture, about, mutated) for about, fixture, mutated in MUTANTS]
    for path in sorted(FIXTURES.glob("*/cases.json")):
        tried += [(path.parent.name, about, mutated) for about, mutated in mutants_of(path.parent.name)]
    unnoticed = []
    for fixture, about, mutated in tried:
        with mutated():
            found = worst(fixture)
        print(f"   {fixture}: {about}: {found:.1e}")
        if not found > NOTICED:
            unnoticed.append((fixture, about))
    print(f"   {len(tried)} mistakes")
    assert not unnoticed, unnoticed


@check
def rounding_costs_what_the_fixtures_say():
    for path in sorted(FIXTURES.glob("*/cases.json")):
        for precision, most in (("bf16", 1e-2), ("int8", 5e-2)):
            with arithmetic.rounded(precision):
                assert 1e-4 < worst(path.parent.name) <= most, (path.parent.name, precision)


def float32():
    arithmetic.REAL = np.float32
    print_distances()


def print_distances():
    for path in sorted(FIXTURES.glob("*/cases.json")):
        print(f"{path.parent.name:32} {worst(path.parent.name):.1e}")


def main():
    if sys.argv[1:] == ["float32"]:
        return float32()
    if sys.argv[1:] and sys.argv[1] in arithmetic.PRECISIONS:
        with arithmetic.rounded(sys.argv[1]):
            return print_distances()
    if sys.argv[1:]:
        sys.exit(__doc__)
    failed = 0
    for function in CHECKS:
        try:
            function()
            print("ok  ", function.__name__)
        except AssertionError as error:
            failed += 1
            print("FAIL", function.__name__, error)
    print(f"{len(CHECKS) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
