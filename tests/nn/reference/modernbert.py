"""ModernBERT and mmBERT: pre-norm, rotary, gated, every third layer sees everything and the others a window."""
import numpy as np

from .arithmetic import ACTIVATIONS, attend, everything, heads, layer_norm, within
from .rope import Rope


def rope_parameters(config):
    """{"full_attention": (theta, scaling), "sliding_attention": (theta, scaling)} from the newer or the older keys."""
    ropes = {}
    for kind, older, default in (
        ("full_attention", "global_rope_theta", 160000.0),
        ("sliding_attention", "local_rope_theta", 10000.0),
    ):
        own = (config.get("rope_parameters") or {}).get(kind) or {}
        theta = own.get("rope_theta")
        if theta is None:
            theta = config.get(older, default)
        if theta is None:  # local_rope_theta: null
            theta = ropes["full_attention"][0]
        ropes[kind] = (theta, own or None)
    return ropes


class ModernBert:
    EMBEDDING = "embeddings.tok_embeddings.weight"

    def __init__(self, config, weights):
        self.config, self.w = config, weights
        self.n_layers = config["num_hidden_layers"]
        self.n_heads = config["num_attention_heads"]
        self.hidden = config["hidden_size"]
        self.eps = config.get("norm_eps", 1e-5)
        self.norm_bias = config.get("norm_bias", False)
        self.attention_bias = config.get("attention_bias", False)
        self.mlp_bias = config.get("mlp_bias", False)
        self.act = ACTIVATIONS[config.get("hidden_activation", "gelu")]
        self.reach = config.get("local_attention", 128) // 2
        self.layer_types = config.get("layer_types")
        self.every = config.get("global_attn_every_n_layers", 3)
        self.rope = {
            kind: Rope(self.hidden // self.n_heads, theta, scaling, config.get("max_position_embeddings"))
            for kind, (theta, scaling) in rope_parameters(config).items()
        }

    def norm(self, x, name):
        return self.w.layer_norm(x, name, self.eps, self.norm_bias)

    def kind(self, n):
        if self.layer_types:
            return self.layer_types[n]
        return "full_attention" if n % self.every == 0 else "sliding_attention"

    def embed(self, ids, types=None):
        return self.norm(self.w["embeddings.tok_embeddings.weight"][ids], "embeddings.norm")

    def layer(self, n, h):
        at = f"layers.{n}."
        rope = self.rope[self.kind(n)]
        visible = everything(len(h)) if self.kind(n) == "full_attention" else within(len(h), self.reach)
        scale = (self.hidden // self.n_heads) ** -0.5
        x = h if n == 0 else self.norm(h, at + "attn_norm")  # layer 0 has none
        q, k, v = np.split(self.w.linear(x, at + "attn.Wqkv", self.attention_bias), 3, axis=-1)
        q, k, v = heads(q, self.n_heads), heads(k, self.n_heads), heads(v, self.n_heads)
        o = [attend(rope.rotate(q[a]), rope.rotate(k[a]), v[a], scale, visible) for a in range(self.n_heads)]
        h = h + self.w.linear(np.concatenate(o, axis=-1), at + "attn.Wo", self.attention_bias)
        y = self.norm(h, at + "mlp_norm")
        gated, plain = np.split(self.w.linear(y, at + "mlp.Wi", self.mlp_bias), 2, axis=-1)
        return h + self.w.linear(self.act(gated) * plain, at + "mlp.Wo", self.mlp_bias)

    def final(self, h):
        return self.norm(h, "final_norm")

    def predict(self, z):
        """The prediction head: dense, activation, norm. Outside the prefix of the trunk."""
        z = self.w.top_linear(z, "head.dense", self.config.get("classifier_bias", False))
        z = ACTIVATIONS[self.config.get("classifier_activation", "gelu")](z)
        bias = self.w.top("head.norm.bias") if self.norm_bias else None
        return layer_norm(z, self.w.top("head.norm.weight"), bias, self.eps)

    def sequence_logits(self, h):
        pooling = self.config.get("classifier_pooling", "cls")
        z = {"cls": lambda: h[0], "mean": lambda: h.mean(axis=0)}[pooling]()
        return self.w.top_linear(self.predict(z), "classifier")

    def token_logits(self, h):
        return self.w.top_linear(self.predict(h), "classifier")

    def masked_logits(self, h):
        """One for each word of the vocabulary; the decoder is the embedding table."""
        return self.predict(h) @ self.w["embeddings.tok_embeddings.weight"].T + self.w.top("decoder.bias")
