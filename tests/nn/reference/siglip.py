"""SigLIP's tower of pictures: patches as tokens, pre-norm layers, and a head in which one learned query asks all of them."""
import numpy as np

from .arithmetic import attend, gelu_tanh, heads, softmax


class Siglip:
    EMBEDDING = "embeddings.patch_embedding.weight"
    EPS = 1e-6

    def __init__(self, weights, n_heads):
        self.w, self.n_heads = weights, n_heads
        self.n_layers = 0
        while f"encoder.layers.{self.n_layers}.layer_norm1.weight" in weights.tensors:
            self.n_layers += 1
        self.hidden, _, self.patch, _ = weights[self.EMBEDDING].shape

    def embed(self, pixels):
        """`pixels` is [3, side, side], from -1 to 1; a convolution whose steps are as long as its window."""
        kernel, p = self.w[self.EMBEDDING], self.patch
        side = pixels.shape[1]
        tokens = [
            (kernel * pixels[None, :, y : y + p, x : x + p]).sum(axis=(1, 2, 3))
            for y in range(0, side, p)
            for x in range(0, side, p)
        ]
        return np.stack(tokens) + self.w["embeddings.patch_embedding.bias"] + self.w["embeddings.position_embedding.weight"]

    def layer(self, n, h):
        at = f"encoder.layers.{n}."
        x = self.w.layer_norm(h, at + "layer_norm1", self.EPS)
        q, k, v = (heads(self.w.linear(x, f"{at}self_attn.{name}_proj"), self.n_heads) for name in "qkv")
        seen = np.ones((len(h), len(h)), bool)
        scale = (self.hidden // self.n_heads) ** -0.5
        o = [attend(q[a], k[a], v[a], scale, seen) for a in range(self.n_heads)]
        h = h + self.w.linear(np.concatenate(o, axis=-1), at + "self_attn.out_proj")
        x = self.w.layer_norm(h, at + "layer_norm2", self.EPS)
        return h + self.w.linear(gelu_tanh(self.w.linear(x, at + "mlp.fc1")), at + "mlp.fc2")

    def tokens(self, pixels):
        h = self.embed(pixels)
        for n in range(self.n_layers):
            h = self.layer(n, h)
        return self.w.layer_norm(h, "post_layernorm", self.EPS)

    def pooled(self, tokens):
        """Attention of one query over all tokens, as a multi-head attention is stored: queries, keys, values in one matrix."""
        n, d = self.hidden, self.hidden // self.n_heads
        matrix, bias = self.w["head.attention.in_proj_weight"], self.w["head.attention.in_proj_bias"]
        q = matrix[:n] @ self.w["head.probe"][0, 0] + bias[:n]
        k, v = tokens @ matrix[n : 2 * n].T + bias[n : 2 * n], tokens @ matrix[2 * n :].T + bias[2 * n :]
        o = []
        for a in range(self.n_heads):
            own = slice(a * d, (a + 1) * d)
            o.append(softmax(k[:, own] @ q[own] * d**-0.5) @ v[:, own])
        y = self.w.linear(np.concatenate(o)[None], "head.attention.out_proj", whole=True)
        x = self.w.layer_norm(y, "head.layernorm", self.EPS)
        x = self.w.linear(gelu_tanh(self.w.linear(x, "head.mlp.fc1", whole=True)), "head.mlp.fc2", whole=True)
        return (y + x)[0]
