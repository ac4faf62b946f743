#!/usr/bin/python3
"""Writes the models that `make bench-nn` measures, each in two forms with the same random weights.

    generate.py FOLDER

    FOLDER/<model>/config.json, model.safetensors     the trunk, in the layout in which models are published
    FOLDER/<model>/head-<n>/                          five classifiers over it: three of texts, two of tokens
    FOLDER/<model>/f32.onnx, int8.onnx                the trunk for ONNX Runtime: input_ids [1, n] -> hidden [1, n, h]

Both ONNX files are made to be quick there: queries, keys and values are one product, and attention and rotary positions
are ONNX Runtime's own fused operators, which were quicker than the standard ones by 2 to 11 %. int8 is what its dynamic
quantisation makes: DynamicQuantizeLinear, MatMulInteger with a scale for each output channel, f32 between.

Vocabularies are cut to 4,096 rows: a lookup costs the same. Files that another version of this program wrote are
written again, others are left. Needs Debian's python3-numpy and python3-onnx.
"""
import hashlib
import json
import math
import pathlib
import struct
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

VOCABULARY = 4096
OPSET = 17
POSITIONS_MAX = 8192
BERT_POSITIONS = 512
SQRT_HALF = math.sqrt(0.5)

BERT = {"model_type": "bert", "hidden_act": "gelu", "layer_norm_eps": 1e-12, "vocab_size": VOCABULARY,
        "max_position_embeddings": BERT_POSITIONS, "type_vocab_size": 2, "pad_token_id": 0,
        "position_embedding_type": "absolute"}
MODERNBERT = {"model_type": "modernbert", "hidden_activation": "gelu", "norm_eps": 1e-5, "vocab_size": VOCABULARY,
              "max_position_embeddings": POSITIONS_MAX, "global_attn_every_n_layers": 3, "local_attention": 128,
              "global_rope_theta": 160000.0, "local_rope_theta": 10000.0, "norm_bias": False, "attention_bias": False,
              "mlp_bias": False, "classifier_bias": False, "classifier_activation": "gelu",
              "classifier_pooling": "mean", "pad_token_id": 0, "cls_token_id": 1, "sep_token_id": 2}


def sizes(hidden, layers, heads, intermediate):
    return {"hidden_size": hidden, "num_hidden_layers": layers, "num_attention_heads": heads,
            "intermediate_size": intermediate}


MODELS = {
    "minilm-l6": BERT | sizes(384, 6, 12, 1536),
    "bert-base": BERT | sizes(768, 12, 12, 3072),
    "modernbert-base": MODERNBERT | sizes(768, 22, 12, 1152),
}
# (classes, one row for each token)
HEADS = [(14, False), (2, False), (35, True), (4, False), (2, True)]


# ---- weights

class Random:
    """Weights such as training leaves them: matrices of 0.02, norms near 1."""

    def __init__(self, seed):
        self.state = np.random.Generator(np.random.PCG64(seed))

    def matrix(self, out, width):
        return self.state.standard_normal((out, width), dtype=np.float32) * np.float32(0.02)

    def bias(self, n):
        return self.state.standard_normal(n, dtype=np.float32) * np.float32(0.02)

    def gamma(self, n):
        return np.float32(1) + self.state.standard_normal(n, dtype=np.float32) * np.float32(0.05)


def bert_weights(config, random):
    h, i = config["hidden_size"], config["intermediate_size"]
    w = {"embeddings.word_embeddings.weight": random.matrix(VOCABULARY, h),
         "embeddings.position_embeddings.weight": random.matrix(BERT_POSITIONS, h),
         "embeddings.token_type_embeddings.weight": random.matrix(2, h)}

    def norm(name):
        w[name + ".weight"], w[name + ".bias"] = random.gamma(h), random.bias(h)

    def linear(name, out, width):
        w[name + ".weight"], w[name + ".bias"] = random.matrix(out, width), random.bias(out)

    norm("embeddings.LayerNorm")
    for layer in range(config["num_hidden_layers"]):
        at = f"encoder.layer.{layer}."
        for part in ("query", "key", "value"):
            linear(at + "attention.self." + part, h, h)
        linear(at + "attention.output.dense", h, h)
        norm(at + "attention.output.LayerNorm")
        linear(at + "intermediate.dense", i, h)
        linear(at + "output.dense", h, i)
        norm(at + "output.LayerNorm")
    return w


def modernbert_weights(config, random):
    h, i = config["hidden_size"], config["intermediate_size"]
    w = {"embeddings.tok_embeddings.weight": random.matrix(VOCABULARY, h), "embeddings.norm.weight": random.gamma(h)}
    for layer in range(config["num_hidden_layers"]):
        at = f"layers.{layer}."
        if layer > 0:
            w[at + "attn_norm.weight"] = random.gamma(h)
        w[at + "attn.Wqkv.weight"] = random.matrix(3 * h, h)
        w[at + "attn.Wo.weight"] = random.matrix(h, h)
        w[at + "mlp_norm.weight"] = random.gamma(h)
        w[at + "mlp.Wi.weight"] = random.matrix(2 * i, h)
        w[at + "mlp.Wo.weight"] = random.matrix(h, i)
    w["final_norm.weight"] = random.gamma(h)
    return w


def head_weights(config, classes, per_token, random):
    h = config["hidden_size"]
    w = {"classifier.weight": random.matrix(classes, h), "classifier.bias": random.bias(classes)}
    if config["model_type"] == "modernbert":
        w |= {"head.dense.weight": random.matrix(h, h), "head.norm.weight": random.gamma(h)}
    elif not per_token:
        w |= {"pooler.dense.weight": random.matrix(h, h), "pooler.dense.bias": random.bias(h)}
    return w


def write_safetensors(path, tensors):
    header, at = {}, 0
    for name, values in tensors.items():
        header[name] = {"dtype": "F32", "shape": list(values.shape), "data_offsets": [at, at + values.nbytes]}
        at += values.nbytes
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as out:
        out.write(struct.pack("<Q", len(text)) + text)
        for values in tensors.values():
            out.write(values.tobytes())


def write_model(folder, config, architecture, weights):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config | {"architectures": [architecture]}, indent=1) + "\n")
    write_safetensors(folder / "model.safetensors", weights)


def write_heads(folder, config, random):
    kind = {"bert": "Bert", "modernbert": "ModernBert"}[config["model_type"]]
    for n, (classes, per_token) in enumerate(HEADS):
        labels = {str(k): f"label-{k}" for k in range(classes)}
        task = "ForTokenClassification" if per_token else "ForSequenceClassification"
        write_model(folder / f"head-{n}", config | {"id2label": labels}, kind + task,
                    head_weights(config, classes, per_token, random))


# ---- ONNX

class Graph:
    """Nodes in the order they are added; a value is the name of the tensor that holds it."""

    def __init__(self, int8):
        self.int8 = int8
        self.nodes, self.initializers, self.known = [], [], {}

    def op(self, kind, *inputs, **attributes):
        name = f"t{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [name], **attributes))
        return name

    def own_op(self, kind, *inputs, **attributes):
        """Of ONNX Runtime, not of the standard."""
        return self.op(kind, *inputs, domain="com.microsoft", **attributes)

    def constant(self, values, dtype=np.float32):
        values = np.ascontiguousarray(np.asarray(values, dtype=dtype))
        key = (values.dtype.str, values.shape, values.tobytes()) if values.size < 64 else None
        if key in self.known:
            return self.known[key]
        name = f"c{len(self.initializers)}"
        self.initializers.append(numpy_helper.from_array(values, name))
        if key:
            self.known[key] = name
        return name

    def shape(self, *dims):
        return self.constant(dims, np.int64)

    def linear(self, x, weight, bias=None):
        product = self.bytes_product(x, weight) if self.int8 else self.op("MatMul", x, self.constant(weight.T))
        return product if bias is None else self.op("Add", product, self.constant(bias))

    def bytes_product(self, x, weight):
        scale = np.abs(weight).max(axis=1) / np.float32(127)
        rounded = np.rint(weight / scale[:, None]).astype(np.int8)
        at = len(self.nodes)
        self.nodes.append(helper.make_node("DynamicQuantizeLinear", [x], [f"q{at}", f"qs{at}", f"qz{at}"]))
        product = self.op("MatMulInteger", f"q{at}", self.constant(rounded.T, np.int8), f"qz{at}",
                          self.constant(np.zeros(len(scale)), np.int8))
        return self.op("Mul", self.op("Cast", product, to=TensorProto.FLOAT),
                       self.op("Mul", f"qs{at}", self.constant(scale)))

    def norm(self, x, gamma, beta, eps):
        beta = np.zeros_like(gamma) if beta is None else beta
        return self.op("LayerNormalization", x, self.constant(gamma), self.constant(beta), axis=-1, epsilon=eps)

    def gelu(self, x):
        erf = self.op("Erf", self.op("Div", x, self.constant(1 / SQRT_HALF)))
        return self.op("Mul", self.op("Mul", x, self.op("Add", erf, self.constant(1))), self.constant(0.5))

    def part(self, x, begin, end, axis=-1):
        return self.op("Slice", x, self.shape(begin), self.shape(end), self.shape(axis))

    def length(self, ids):
        return self.op("Slice", self.op("Shape", ids), self.shape(1), self.shape(2))

    def write(self, path, hidden):
        self.nodes.append(helper.make_node("Identity", [hidden], ["hidden"]))
        graph = helper.make_graph(
            self.nodes, "encoder", [helper.make_tensor_value_info("input_ids", TensorProto.INT64, [1, "n"])],
            [helper.make_tensor_value_info("hidden", TensorProto.FLOAT, [1, "n", "h"])], self.initializers)
        domains = [helper.make_opsetid("", OPSET), helper.make_opsetid("com.microsoft", 1)]
        onnx.save(helper.make_model(graph, opset_imports=domains, ir_version=8), str(path))


def attend(g, config, q, k, v, bias):
    """[1, n, hidden] each. `bias` [1, 1, n, n] is added to the scores; None: everything is seen."""
    h, heads = config["hidden_size"], config["num_attention_heads"]
    scale = 1 / math.sqrt(h // heads)
    masks = [] if bias is None else ["", "", bias]  # biases of the vectors, padding: none
    return g.own_op("MultiHeadAttention", q, k, v, *masks, num_heads=heads, scale=scale)


def bert_graph(g, config, w):
    h, eps = config["hidden_size"], config["layer_norm_eps"]

    def norm(x, name):
        return g.norm(x, w[name + ".weight"], w[name + ".bias"], eps)

    def linear(x, *names):
        return g.linear(x, np.concatenate([w[n + ".weight"] for n in names]),
                        np.concatenate([w[n + ".bias"] for n in names]))

    first_rows = w["embeddings.position_embeddings.weight"] + w["embeddings.token_type_embeddings.weight"][0]
    rows = g.op("Slice", g.constant(first_rows), g.shape(0), g.length("input_ids"), g.shape(0))
    x = g.op("Add", g.op("Gather", g.constant(w["embeddings.word_embeddings.weight"]), "input_ids"), rows)
    x = norm(x, "embeddings.LayerNorm")
    for layer in range(config["num_hidden_layers"]):
        at = f"encoder.layer.{layer}."
        qkv = linear(x, *(at + "attention.self." + part for part in ("query", "key", "value")))
        context = attend(g, config, *(g.part(qkv, n * h, (n + 1) * h) for n in range(3)), None)
        x = norm(g.op("Add", x, linear(context, at + "attention.output.dense")), at + "attention.output.LayerNorm")
        y = linear(g.gelu(linear(x, at + "intermediate.dense")), at + "output.dense")
        x = norm(g.op("Add", x, y), at + "output.LayerNorm")
    return x


def rope_tables(g, theta, dim):
    """Cosines and sines [positions, dim / 2], rounded where `transformers` rounds."""
    frequencies = (1 / theta ** (np.arange(0, dim, 2, dtype=np.float64) / dim)).astype(np.float32)
    angles = np.outer(np.arange(POSITIONS_MAX, dtype=np.float32), frequencies).astype(np.float64)
    return [g.constant(f(angles)) for f in (np.cos, np.sin)]


def window_bias(g, config, positions):
    """0 where |i - j| is at most half the window, else the lowest number."""
    far = g.op("Abs", g.op("Sub", g.op("Transpose", positions, perm=[1, 0]), positions))
    seen = g.op("LessOrEqual", far, g.constant(config["local_attention"] // 2, np.int64))
    bias = g.op("Where", seen, g.constant(0), g.constant(np.finfo(np.float32).min))
    return g.op("Unsqueeze", bias, g.shape(0, 1))


def modernbert_graph(g, config, w):
    h, i, eps = config["hidden_size"], config["intermediate_size"], config["norm_eps"]
    dim = h // config["num_attention_heads"]
    length = g.op("Squeeze", g.length("input_ids"), g.shape(0))
    positions = g.op("Unsqueeze", g.op("Range", g.constant(0, np.int64), length, g.constant(1, np.int64)), g.shape(0))
    bias = window_bias(g, config, positions)
    tables = {True: rope_tables(g, config["global_rope_theta"], dim),
              False: rope_tables(g, config["local_rope_theta"], dim)}
    x = g.op("Gather", g.constant(w["embeddings.tok_embeddings.weight"]), "input_ids")
    x = g.norm(x, w["embeddings.norm.weight"], None, eps)
    for layer in range(config["num_hidden_layers"]):
        at = f"layers.{layer}."
        glob = layer % config["global_attn_every_n_layers"] == 0
        y = x if layer == 0 else g.norm(x, w[at + "attn_norm.weight"], None, eps)
        qkv = g.linear(y, w[at + "attn.Wqkv.weight"])
        q, k, v = (g.part(qkv, n * h, (n + 1) * h) for n in range(3))
        q, k = (g.own_op("RotaryEmbedding", part, positions, *tables[glob], num_heads=config["num_attention_heads"])
                for part in (q, k))
        x = g.op("Add", x, g.linear(attend(g, config, q, k, v, None if glob else bias), w[at + "attn.Wo.weight"]))
        both = g.linear(g.norm(x, w[at + "mlp_norm.weight"], None, eps), w[at + "mlp.Wi.weight"])
        gated = g.op("Mul", g.gelu(g.part(both, 0, i)), g.part(both, i, 2 * i))
        x = g.op("Add", x, g.linear(gated, w[at + "mlp.Wo.weight"]))
    return g.norm(x, w["final_norm.weight"], None, eps)


# ---- all of it

FAMILIES = {"bert": (bert_weights, bert_graph, "BertModel"),
            "modernbert": (modernbert_weights, modernbert_graph, "ModernBertModel")}


def write_all(folder, name, config, seed):
    make_weights, make_graph, architecture = FAMILIES[config["model_type"]]
    random = Random(seed)
    weights = make_weights(config, random)
    write_model(folder / name, config, architecture, weights)
    write_heads(folder / name, config, random)
    for file, int8 in (("f32.onnx", False), ("int8.onnx", True)):
        g = Graph(int8)
        g.write(folder / name / file, make_graph(g, config, weights))


def main():
    folder = pathlib.Path(sys.argv[1])
    version = hashlib.sha256(pathlib.Path(__file__).read_bytes()).hexdigest()
    for seed, (name, config) in enumerate(MODELS.items()):
        stamp = folder / name / "version"
        if stamp.exists() and stamp.read_text() == version:
            continue
        print(f"writing {folder / name}", file=sys.stderr)
        stamp.unlink(missing_ok=True)
        write_all(folder, name, config, seed)
        stamp.write_text(version)


if __name__ == "__main__":
    main()
