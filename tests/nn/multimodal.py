#!/usr/bin/python3
"""Makes tests/fixtures/multimodal: a small model of texts and pictures in the published layout, one file for all its parts,
and what it makes of texts and of the pictures of tests/fixtures/pictures (which pictures.py writes first).

Weights are drawn as those of the other fixtures (README.md). `cases.json` lists the cases; `cases.safetensors` has of a
text `textN.ids` and `textN.embedding`, of a picture `pictureN.tokens` (some rows behind the last norm), `.pooled`,
`.embedding` and `.dim16`. Needs NumPy and Pillow.
"""
import json
import pathlib
import shutil

import numpy as np
from PIL import Image

from draw import random_integers
from fixture import Tensors
from fixture_models import BRANCH, SCORES, add_bert, bert_config
from pictures import TARGET as PICTURES
from pictures import scaled
from reference import safetensors
from reference.arithmetic import l2_normalize
from reference.bert import Bert
from reference.siglip import Siglip
from reference.weights import Weights
from vocabulary import Vocabulary

TARGET = pathlib.Path(__file__).resolve().parent.parent / "fixtures" / "multimodal"
DIMS, CUTS = 64, (64, 32, 16)
HIDDEN, INNER, LAYERS, PATCH, ACROSS = 128, 96, 2, 8, 5
SIDE = PATCH * ACROSS
ROWS = [0, 1, 12, 24]
FILES = ["rgb.png", "alpha.png", "grey.png", "palette.png", "interlaced.png", "deep.png", "lossless.webp"]  # none is lossy


def add_vision(t, prefix):
    at = prefix + "vision_encoder."
    t.add(at + "embeddings.patch_embedding.weight", (HIDDEN, 3, PATCH, PATCH), 0.3)
    t.add(at + "embeddings.patch_embedding.bias", (HIDDEN,), 0.05)
    t.add(at + "embeddings.position_embedding.weight", (ACROSS * ACROSS, HIDDEN), 0.2)
    for n in range(LAYERS):
        layer = f"{at}encoder.layers.{n}."
        t.norm(layer + "layer_norm1", HIDDEN)
        t.linear(layer + "self_attn.q_proj", HIDDEN, HIDDEN, gain=SCORES)
        t.linear(layer + "self_attn.k_proj", HIDDEN, HIDDEN, gain=SCORES)
        t.linear(layer + "self_attn.v_proj", HIDDEN, HIDDEN)
        t.linear(layer + "self_attn.out_proj", HIDDEN, HIDDEN, gain=BRANCH)
        t.norm(layer + "layer_norm2", HIDDEN)
        t.linear(layer + "mlp.fc1", INNER, HIDDEN)
        t.linear(layer + "mlp.fc2", HIDDEN, INNER, gain=BRANCH)
    t.norm(at + "post_layernorm", HIDDEN)
    t.add(at + "head.probe", (1, 1, HIDDEN), 1.0)
    t.add(at + "head.attention.in_proj_weight", (3 * HIDDEN, HIDDEN), HIDDEN**-0.5)
    t.add(at + "head.attention.in_proj_bias", (3 * HIDDEN,), 0.2)
    t.linear(at + "head.attention.out_proj", HIDDEN, HIDDEN)
    t.norm(at + "head.layernorm", HIDDEN)
    t.linear(at + "head.mlp.fc1", INNER, HIDDEN)
    t.linear(at + "head.mlp.fc2", HIDDEN, INNER)
    t.linear(prefix + "projection", DIMS, HIDDEN)


def part(tensors, prefix):
    return {name[len(prefix) :]: array for name, array in tensors.items() if name.startswith(prefix)}


def pixels_of(name):
    rgb = np.asarray(scaled(Image.open(PICTURES / name), SIDE), np.float64)
    return ((rgb / 255.0 - 0.5) / 0.5).transpose(2, 0, 1)


def main():
    shutil.rmtree(TARGET, ignore_errors=True)
    TARGET.mkdir()
    t = Tensors("multimodal")
    config = bert_config("BertModel", hidden_size=DIMS, num_attention_heads=2, num_hidden_layers=2)
    add_bert(t, config, "text_encoder.encoder.", pooler=True)
    add_vision(t, "image_encoder.")
    t.add("audio_encoder.encoder.conv1.weight", (8, 4, 3), 0.3)  # nobody reads it
    t.add("logit_scale", (1,), 0.1, 2.0)
    safetensors.write(TARGET / "model.safetensors", {name: ("BF16", array) for name, array in t.all.items()}, {"format": "pt"})
    said = {"embedding_dim": DIMS, "text_hidden_size": DIMS, "text_num_layers": 2, "matryoshka_dims": list(CUTS)}
    (TARGET / "config.json").write_text(json.dumps(said, indent=1) + "\n")
    words = Vocabulary("bert", config["vocab_size"], config["max_position_embeddings"])
    (TARGET / "tokenizer.json").write_text(json.dumps(words.tokenizer_json(), indent=1, ensure_ascii=False) + "\n")
    (TARGET / "tokenizer_config.json").write_text(json.dumps(words.tokenizer_config(), indent=1) + "\n")

    text = Bert(config, Weights(part(t.all, "text_encoder.encoder."), Bert.EMBEDDING))
    image = Siglip(Weights(part(t.all, "image_encoder.vision_encoder."), Siglip.EMBEDDING), HIDDEN // 64)
    cases, arrays = [], {}
    for n, length in enumerate((3, 17, 64)):
        ids = random_integers(f"multimodal/ids/{n}", length, 5, config["vocab_size"] - 1)
        h = text.embed(ids, np.zeros(length, np.int64))
        for layer in range(text.n_layers):
            h = text.layer(layer, h)
        arrays[f"text{n}.ids"] = ("I32", ids)
        arrays[f"text{n}.embedding"] = ("F32", l2_normalize(h.mean(axis=0)).astype(np.float32))
        cases.append({"name": f"text{n}", "tokens": length})
    for n, name in enumerate(FILES):
        tokens = image.tokens(pixels_of(name))
        pooled = image.pooled(tokens)
        vector = t.all["image_encoder.projection.weight"] @ pooled + t.all["image_encoder.projection.bias"]
        for key, array in {"tokens": tokens[ROWS], "pooled": pooled, "embedding": l2_normalize(vector),
                           "dim16": l2_normalize(vector[:16])}.items():  # fmt: skip
            arrays[f"picture{n}.{key}"] = ("F32", array.astype(np.float32))
        cases.append({"name": f"picture{n}", "file": name})
    safetensors.write(TARGET / "cases.safetensors", arrays)
    (TARGET / "cases.json").write_text(json.dumps({"rows": ROWS, "cases": cases}, indent=1) + "\n")


if __name__ == "__main__":
    main()
