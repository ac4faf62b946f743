"""BERT, RoBERTa (and XLM-RoBERTa), MPNet: the post-norm family. They differ in names, positions and one bias table."""
import numpy as np

from . import arithmetic
from .arithmetic import ACTIVATIONS, attend, everything, heads


class Bert:
    EMBEDDING = "embeddings.word_embeddings.weight"
    QUERY, KEY, VALUE = "attention.self.query", "attention.self.key", "attention.self.value"
    OUT, OUT_NORM = "attention.output.dense", "attention.output.LayerNorm"
    DEFAULT_EPS = 1e-12

    def __init__(self, config, weights):
        self.config, self.w = config, weights
        self.n_layers = config["num_hidden_layers"]
        self.n_heads = config["num_attention_heads"]
        self.hidden = config["hidden_size"]
        self.eps = config.get("layer_norm_eps", self.DEFAULT_EPS)
        self.act = ACTIVATIONS[config.get("hidden_act", "gelu")]

    def positions(self, ids):
        return np.arange(len(ids))

    def embed(self, ids, types):
        h = self.w["embeddings.word_embeddings.weight"][ids]
        h = h + self.w["embeddings.position_embeddings.weight"][self.positions(ids)]
        h = self.add_types(h, types)
        return self.w.layer_norm(h, "embeddings.LayerNorm", self.eps)

    def add_types(self, h, types):
        return h + self.w["embeddings.token_type_embeddings.weight"][types]

    def score_bias(self, head, length):
        return 0.0

    def layer(self, n, h):
        at = f"encoder.layer.{n}."
        scale = (self.hidden // self.n_heads) ** -0.5
        q, k, v = (heads(self.w.linear(h, at + name), self.n_heads) for name in (self.QUERY, self.KEY, self.VALUE))
        o = [
            attend(q[a], k[a], v[a], scale, everything(len(h)), self.score_bias(a, len(h)))
            for a in range(self.n_heads)
        ]
        a = self.w.linear(np.concatenate(o, axis=-1), at + self.OUT)
        h = self.w.layer_norm(h + a, at + self.OUT_NORM, self.eps)
        m = self.w.linear(self.act(self.w.linear(h, at + "intermediate.dense")), at + "output.dense")
        return self.w.layer_norm(h + m, at + "output.LayerNorm", self.eps)

    def final(self, h):
        return h

    def sequence_logits(self, h):
        pooled = np.tanh(self.w.linear(h[0], "pooler.dense", whole=True))  # always tanh, whatever hidden_act says
        return self.w.top_linear(pooled, "classifier")

    def token_logits(self, h):
        return self.w.top_linear(h, "classifier")


class Roberta(Bert):
    DEFAULT_EPS = 1e-5

    def positions(self, ids):
        """Counts what is not padding, from one past the padding's id; a literal padding id stays at its own place."""
        pad = self.config.get("pad_token_id", 1)
        real = (np.asarray(ids) != pad).astype(np.int64)
        return np.cumsum(real) * real + pad

    def sequence_logits(self, h):
        return self.w.top_linear(np.tanh(self.w.top_linear(h[0], "classifier.dense")), "classifier.out_proj")


class Mpnet(Roberta):
    QUERY, KEY, VALUE = "attention.attn.q", "attention.attn.k", "attention.attn.v"
    OUT, OUT_NORM = "attention.attn.o", "attention.LayerNorm"

    def add_types(self, h, types):
        return h

    def score_bias(self, head, length):
        """One table for all layers, by how far the key is from the query, added after scaling."""
        table = self.w["encoder.relative_attention_bias.weight"]  # [32, heads]
        slot = [[mpnet_bucket(j - i) for j in range(length)] for i in range(length)]
        return table[np.array(slot), head].astype(arithmetic.REAL)


def mpnet_bucket(distance):
    """`distance` is key minus query. Exact to 7, then wider; 32 buckets, half of them for each side."""
    side = 16 if distance > 0 else 0
    n = abs(distance)
    if n < 8:
        return side + n
    return side + 7 + sum(step <= n for step in (8, 12, 16, 23, 32, 46, 64, 91))
