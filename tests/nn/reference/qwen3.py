"""Qwen3 as an embedder: causal, grouped heads, each query and key normed before it is turned."""
import numpy as np

from .arithmetic import ACTIVATIONS, attend, causal, heads, rms_norm
from .rope import Rope


class Qwen3:
    EMBEDDING = "embed_tokens.weight"

    def __init__(self, config, weights):
        self.config, self.w = config, weights
        self.n_layers = config["num_hidden_layers"]
        self.n_heads = config["num_attention_heads"]
        self.n_kv = config.get("num_key_value_heads", self.n_heads)
        self.head_dim = config.get("head_dim") or config["hidden_size"] // self.n_heads
        self.eps = config.get("rms_norm_eps", 1e-6)
        self.bias = config.get("attention_bias", False)
        self.act = ACTIVATIONS[config.get("hidden_act", "silu")]
        newer = config.get("rope_parameters") or {}
        theta = newer.get("rope_theta", config.get("rope_theta", 10000.0))
        scaling = newer or config.get("rope_scaling")
        self.rope = Rope(self.head_dim, theta, scaling, config.get("max_position_embeddings"))

    def slides(self, n):
        """Whether layer n sees a window only."""
        if self.config.get("layer_types"):
            return self.config["layer_types"][n] == "sliding_attention"
        return bool(self.config.get("use_sliding_window")) and n >= self.config.get("max_window_layers", 28)

    def embed(self, ids, types=None):
        return self.w["embed_tokens.weight"][ids]

    def layer(self, n, h):
        at = f"layers.{n}."
        own = at + "self_attn."
        x = rms_norm(h, self.w[at + "input_layernorm.weight"], self.eps)
        q = heads(self.w.linear(x, own + "q_proj", self.bias), self.n_heads)
        k = heads(self.w.linear(x, own + "k_proj", self.bias), self.n_kv)
        v = heads(self.w.linear(x, own + "v_proj", self.bias), self.n_kv)
        q_gain, k_gain = self.w[own + "q_norm.weight"], self.w[own + "k_norm.weight"]
        q = [self.rope.rotate(rms_norm(one, q_gain, self.eps)) for one in q]
        k = [self.rope.rotate(rms_norm(one, k_gain, self.eps)) for one in k]
        visible = causal(len(h), self.config["sliding_window"] if self.slides(n) else None)
        group = self.n_heads // self.n_kv
        o = [attend(q[a], k[a // group], v[a // group], self.head_dim**-0.5, visible) for a in range(self.n_heads)]
        h = h + self.w.linear(np.concatenate(o, axis=-1), own + "o_proj", self.bias)
        y = rms_norm(h, self.w[at + "post_attention_layernorm.weight"], self.eps)
        gated = self.act(self.w.linear(y, at + "mlp.gate_proj", False)) * self.w.linear(y, at + "mlp.up_proj", False)
        return h + self.w.linear(gated, at + "mlp.down_proj", False)

    def final(self, h):
        return rms_norm(h, self.w["norm.weight"], self.eps)

    def sequence_logits(self, h):
        """The last token has seen all others; no pooler, no activation."""
        return self.w.top_linear(h[-1], "score", self.w.has_top("score.bias"))

    def token_logits(self, h):
        return self.w.top_linear(h, "score", self.w.has_top("score.bias"))
