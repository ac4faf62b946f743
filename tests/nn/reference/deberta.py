"""DeBERTa-v2 and -v3: content and relative position attend to each other; no absolute positions unless asked for."""
import math

import numpy as np

from .arithmetic import ACTIVATIONS, attend, distance, everything, heads, layer_norm


def bucket(x, buckets, positions):
    """Distances up to half the buckets are exact, farther ones share buckets that grow by the logarithm. Odd in x."""
    middle = buckets // 2
    if buckets <= 0 or abs(x) <= middle:
        return x
    far = math.ceil(math.log(abs(x) / middle) / math.log((positions - 1) / middle) * (middle - 1)) + middle
    return far if x > 0 else -far


class Deberta:
    EMBEDDING = "embeddings.word_embeddings.weight"

    def __init__(self, config, weights):
        if config.get("conv_kernel_size", 0) > 0:
            raise ValueError("conv_kernel_size: no convolution here")
        self.config, self.w = config, weights
        self.n_layers = config["num_hidden_layers"]
        self.n_heads = config["num_attention_heads"]
        self.hidden = config["hidden_size"]
        self.eps = config.get("layer_norm_eps", 1e-7)
        self.act = ACTIVATIONS[config.get("hidden_act", "gelu")]
        kinds = config.get("pos_att_type") or []
        kinds = kinds.split("|") if isinstance(kinds, str) else kinds
        kinds = [kind.strip().lower() for kind in kinds]
        self.c2p, self.p2c = "c2p" in kinds, "p2c" in kinds
        self.share = config.get("share_att_key", False)
        self.buckets = config.get("position_buckets", -1)
        reach = config.get("max_relative_positions", -1)
        self.positions = reach if reach > 0 else config["max_position_embeddings"]
        self.span = self.buckets if self.buckets > 0 else self.positions

    def embed(self, ids, types):
        h = self.w["embeddings.word_embeddings.weight"][ids]
        if self.config.get("position_biased_input", True):
            h = h + self.w["embeddings.position_embeddings.weight"][np.arange(len(ids))]
        if self.config.get("type_vocab_size", 0) > 0:
            h = h + self.w["embeddings.token_type_embeddings.weight"][types]
        if self.config.get("embedding_size", self.hidden) != self.hidden:
            h = self.w.linear(h, "embeddings.embed_proj", bias=False)
        return self.w.layer_norm(h, "embeddings.LayerNorm", self.eps)

    def relative(self):
        """The table of relative positions, [2 * span, hidden]."""
        table = self.w["encoder.rel_embeddings.weight"]
        if "layer_norm" in self.config.get("norm_rel_ebd", "none").lower():
            gain, bias = self.w["encoder.LayerNorm.weight"], self.w["encoder.LayerNorm.bias"]
            table = layer_norm(table, gain, bias, self.eps)
        return table

    def slots(self, length):
        """slots[i][j]: the row of the table for query i and key j."""
        by_distance = {
            x: min(max(bucket(x, self.buckets, self.positions) + self.span, 0), 2 * self.span - 1)
            for x in range(-length + 1, length)
        }
        return np.vectorize(by_distance.__getitem__)(distance(length))

    def layer(self, n, h):
        at = f"encoder.layer.{n}."
        own = at + "attention.self."
        q, k, v = (heads(self.w.linear(h, own + name), self.n_heads) for name in ("query_proj", "key_proj", "value_proj"))
        table, slot = self.relative(), self.slots(len(h))
        if self.c2p:
            keys = heads(self.w.linear(table, own + ("key_proj" if self.share else "pos_key_proj"), whole=True), self.n_heads)
        if self.p2c:
            queries = heads(self.w.linear(table, own + ("query_proj" if self.share else "pos_query_proj"), whole=True), self.n_heads)
        scale = ((self.hidden // self.n_heads) * (1 + self.c2p + self.p2c)) ** -0.5
        o = []
        for a in range(self.n_heads):
            bias = 0.0
            if self.c2p:  # Q_i . Rk[slot(i - j)]
                bias = bias + np.take_along_axis(q[a] @ keys[a].T, slot, axis=1)
            if self.p2c:  # K_j . Rq[slot(i - j)]
                bias = bias + np.take_along_axis(k[a] @ queries[a].T, slot.T, axis=1).T
            o.append(attend(q[a], k[a], v[a], scale, everything(len(h)), scale * bias))
        y = self.w.linear(np.concatenate(o, axis=-1), at + "attention.output.dense")
        h = self.w.layer_norm(h + y, at + "attention.output.LayerNorm", self.eps)
        m = self.w.linear(self.act(self.w.linear(h, at + "intermediate.dense")), at + "output.dense")
        return self.w.layer_norm(h + m, at + "output.LayerNorm", self.eps)

    def final(self, h):
        return h

    def sequence_logits(self, h):
        act = ACTIVATIONS[self.config.get("pooler_hidden_act", "gelu")]
        return self.w.top_linear(act(self.w.top_linear(h[0], "pooler.dense")), "classifier")

    def token_logits(self, h):
        return self.w.top_linear(h, "classifier")
