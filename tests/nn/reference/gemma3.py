"""EmbeddingGemma, and Gemma 3 as a text encoder: four norms a layer, one key head for all, sliding layers between full ones."""
import math

import numpy as np

from .arithmetic import ACTIVATIONS, attend, causal, everything, heads, rms_norm, within
from .rope import Rope


class Gemma3:
    EMBEDDING = "embed_tokens.weight"

    def __init__(self, config, weights):
        for capped in ("final_logit_softcapping", "attn_logit_softcapping"):
            if config.get(capped) is not None:
                raise ValueError(f"{capped}: must be null")
        self.config, self.w = config, weights
        self.n_layers = config["num_hidden_layers"]
        self.n_heads, self.n_kv = config["num_attention_heads"], config["num_key_value_heads"]
        self.head_dim = config["head_dim"]
        self.eps = config.get("rms_norm_eps", 1e-6)
        self.bias = config.get("attention_bias", False)
        self.act = ACTIVATIONS[config.get("hidden_activation", "gelu_pytorch_tanh")]
        self.bidirectional = config.get("use_bidirectional_attention", False)
        self.window = config["sliding_window"]
        positions = config.get("max_position_embeddings")
        newer = config.get("rope_parameters") or {}
        full, sliding = newer.get("full_attention") or {}, newer.get("sliding_attention") or {}
        self.rope = {
            "full_attention": Rope(
                self.head_dim,
                full.get("rope_theta", config.get("rope_theta", 1e6)),
                full or config.get("rope_scaling"),
                positions,
            ),
            "sliding_attention": Rope(
                self.head_dim,
                sliding.get("rope_theta", config.get("rope_local_base_freq", 1e4)),
                sliding or None,
                positions,
            ),
        }

    def kind(self, n):
        if self.config.get("layer_types"):
            return self.config["layer_types"][n]
        every = self.config.get("sliding_window_pattern") or self.config.get("_sliding_window_pattern") or 6
        return "full_attention" if (n + 1) % every == 0 else "sliding_attention"

    def visible(self, n, length):
        if self.kind(n) == "full_attention":
            return everything(length) if self.bidirectional else causal(length)
        return within(length, self.window // 2) if self.bidirectional else causal(length, self.window)

    def norm(self, x, name):
        return rms_norm(x, 1.0 + self.w[name + ".weight"], self.eps)

    def embed(self, ids, types=None):
        return self.w["embed_tokens.weight"][ids] * math.sqrt(self.config["hidden_size"])

    def layer(self, n, h):
        at = f"layers.{n}."
        own = at + "self_attn."
        rope = self.rope[self.kind(n)]
        x = self.norm(h, at + "input_layernorm")
        q = heads(self.w.linear(x, own + "q_proj", self.bias), self.n_heads)
        k = heads(self.w.linear(x, own + "k_proj", self.bias), self.n_kv)
        v = heads(self.w.linear(x, own + "v_proj", self.bias), self.n_kv)
        q = [rope.rotate(self.norm(one, own + "q_norm")) for one in q]
        k = [rope.rotate(self.norm(one, own + "k_norm")) for one in k]
        scale = self.config["query_pre_attn_scalar"] ** -0.5
        group = self.n_heads // self.n_kv
        o = [
            attend(q[a], k[a // group], v[a // group], scale, self.visible(n, len(h))) for a in range(self.n_heads)
        ]
        y = self.w.linear(np.concatenate(o, axis=-1), own + "o_proj", self.bias)
        h = h + self.norm(y, at + "post_attention_layernorm")
        y = self.norm(h, at + "pre_feedforward_layernorm")
        gated = self.act(self.w.linear(y, at + "mlp.gate_proj", False)) * self.w.linear(y, at + "mlp.up_proj", False)
        return h + self.norm(self.w.linear(gated, at + "mlp.down_proj", False), at + "post_feedforward_layernorm")

    def final(self, h):
        return self.norm(h, "norm")

    def sequence_logits(self, h):
        """Of the last token, as in all decoders, also where each token sees both ways."""
        return self.w.top_linear(h[-1], "score", self.w.has_top("score.bias"))

    def token_logits(self, h):
        return self.w.top_linear(h, "score", self.w.has_top("score.bias"))
