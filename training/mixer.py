"""The built-in models in torch, step by step as src/nn/mixer.h says them."""
import torch
import torch.nn.functional as F
from torch import nn


class Sentence(nn.Module):
    """A mean of token vectors to a sentence vector."""

    def __init__(self, dims, hidden):
        super().__init__()
        self.up, self.down = nn.Linear(dims, hidden), nn.Linear(hidden, dims)
        nn.init.zeros_(self.down.weight)
        nn.init.zeros_(self.down.bias)

    def forward(self, s):
        return s + self.down(F.gelu(self.up(s)))


def bag(vectors, importance, ids, offsets, drop=0.0):
    """Weighted means of token vectors: `vectors` [U][D], `importance` [U], `ids` into them; a dropped token has no weight."""
    weight = importance[ids].exp()
    if drop:
        weight = weight * (torch.rand_like(weight) >= drop)
    n = len(offsets)
    of = torch.repeat_interleave(torch.arange(n), torch.diff(offsets, append=torch.tensor([len(ids)])))
    total = torch.zeros(n).index_add(0, of, weight).clamp_min(1e-6)
    summed = F.embedding_bag(ids, vectors, offsets, mode="sum", per_sample_weights=weight)
    return summed / total[:, None]


class Mixer(nn.Module):
    """Token vectors to mixed ones: short convolutions over the tokens of a text."""

    def __init__(self, dims, width, hidden, kernel, blocks, shapes=32, dilation=None):
        super().__init__()
        self.project = nn.Linear(dims, width)
        self.shape = nn.Embedding(shapes, width)
        nn.init.normal_(self.shape.weight, std=0.1)
        self.dilation = dilation or [1] * blocks
        self.conv = nn.ModuleList(nn.Conv1d(width, width, kernel, groups=width, dilation=d, padding=d * (kernel // 2))
                                  for d in self.dilation)
        self.norm = nn.ModuleList(nn.LayerNorm(width) for _ in range(blocks))
        self.up = nn.ModuleList(nn.Linear(width, hidden) for _ in range(blocks))
        self.down = nn.ModuleList(nn.Linear(hidden, width) for _ in range(blocks))

    def forward(self, x, shapes, mask, words=None):
        """x [B][T][D], shapes [B][T], mask [B][T] (1: a token), words [B][T][M] (a head's own vectors of the tokens); what lies
        behind a text's end stays zero."""
        m = mask[:, :, None]
        h = self.project(x) + self.shape(shapes)
        h = (h if words is None else h + words) * m
        for conv, norm, up, down in zip(self.conv, self.norm, self.up, self.down):
            c = conv(h.transpose(1, 2)).transpose(1, 2)
            h = (h + down(F.gelu(up(norm(c))))) * m
        return h


def tensors_of(m):
    """By the names of the model file."""
    out = {"mixer.in.weight": m.project.weight, "mixer.in.bias": m.project.bias, "mixer.shape.weight": m.shape.weight}
    for i, (conv, norm, up, down) in enumerate(zip(m.conv, m.norm, m.up, m.down)):
        out[f"mixer.{i}.conv.weight"], out[f"mixer.{i}.conv.bias"] = conv.weight[:, 0], conv.bias
        for name, part in (("norm", norm), ("up", up), ("down", down)):
            out[f"mixer.{i}.{name}.weight"], out[f"mixer.{i}.{name}.bias"] = part.weight, part.bias
    return out


def metadata_of(m):
    return {f"mixer.{i}.dilation": d for i, d in enumerate(m.dilation)}


def from_tensors(t, meta):
    width, dims = t["mixer.in.weight"].shape
    blocks = sum(k.endswith("conv.weight") for k in t)
    m = Mixer(dims, width, t["mixer.0.up.weight"].shape[0], t["mixer.0.conv.weight"].shape[1], blocks,
              t["mixer.shape.weight"].shape[0], [int(meta.get(f"mixer.{i}.dilation", 1)) for i in range(blocks)])
    with torch.no_grad():
        for name, to in tensors_of(m).items():
            to.copy_(torch.from_numpy(t[name]))
    return m


class Compare(nn.Module):
    """Each token of one text beside what the other text has for it."""

    def __init__(self, dims, width, align, out):
        super().__init__()
        self.align = nn.Linear(dims, align, bias=False)
        self.temperature = nn.Parameter(torch.tensor([8.0]))
        self.compare = nn.Linear(4 * width + 2, out)

    def forward(self, xa, ha, ida, ma, xb, hb, idb, mb, drop=0.0):
        """Of each token of b: [B][Tb][out]."""
        ua, ub = F.normalize(self.align(xa), dim=2), F.normalize(self.align(xb), dim=2)
        sims = torch.einsum("bie,bje->bij", ub, ua).masked_fill(ma[:, None] == 0, -1e4)
        w = (self.temperature * sims).softmax(2)
        g = torch.einsum("bij,bjm->bim", w, ha)
        best = sims.max(2).values[:, :, None].clamp_min(-1)
        same = ((idb[:, :, None] == ida[:, None]) & (ma[:, None] > 0)).any(2).float()[:, :, None]
        f = torch.cat([hb, g, (hb - g).abs(), hb * g, best, same], 2)
        return F.dropout(F.gelu(self.compare(F.dropout(f, drop, self.training))), drop, self.training)


class Pool(nn.Module):
    """Attention pools: each query's softmax over the tokens of a text, and the weighted sums side by side."""

    def __init__(self, queries, dims):
        super().__init__()
        self.query = nn.Parameter(torch.randn(queries, dims) * dims**-0.5)

    def forward(self, x, mask):
        scores = (x @ self.query.t()).masked_fill(mask[:, :, None] == 0, -1e9)
        w = scores.softmax(1)
        return torch.einsum("btq,btd->bqd", w, x).flatten(1)


class Concepts(nn.Module):
    """What kinds of things a text is taken for (src/nn/concepts.h): pools over its tokens and their mean, a hidden layer, classes of
    several groups."""

    def __init__(self, dims, queries, hidden, sizes):
        super().__init__()
        self.pool = Pool(queries, dims)
        self.hidden, self.out = nn.Linear((queries + 1) * dims, hidden), nn.Linear(hidden, sum(sizes))
        self.sizes = list(sizes)

    def group(self, g):
        at = sum(self.sizes[:g])
        return slice(at, at + self.sizes[g])

    def heard(self, x, mask, mean, drop=0.0):
        """The hidden layer, of tokens [B][T][D], which of them there are [B][T], and their weighted mean [B][D]."""
        f = F.dropout(torch.cat([self.pool(x, mask), mean], 1), drop, self.training)
        return F.dropout(F.gelu(self.hidden(f)), drop, self.training)

    def logits(self, h, g):
        return F.linear(h, self.out.weight[self.group(g)], self.out.bias[self.group(g)])

    def roots(self, x, mask, mean):
        """Square roots of the probabilities of all groups."""
        h = self.heard(x, mask, mean)
        return torch.cat([self.logits(h, g).softmax(1).sqrt() for g in range(len(self.sizes))], 1)


def tokens(padded, mask, table, weight):
    """Of ids [B][T] and which of them there are: vectors [B][T][D], the mask, the weighted mean [B][D]; zeros where there are none."""
    x, w = table[padded], weight[padded] * mask
    return x, mask, torch.einsum("bt,btd->bd", w, x) / w.sum(1, keepdim=True).clamp_min(1e-6)


class Beside:
    """Concepts and their axes, as the trunk's file has them."""

    def __init__(self, concepts, axes, percent):
        self.concepts, self.axes, self.percent = concepts.eval(), axes, percent

    @torch.no_grad()
    def beside(self, v, table, weight, ids, offsets):
        """[B][N + K] at unit length, of [B][N] at unit length and the tokens `ids` from `offsets` on; `weight` of each token. What has
        no tokens is taken for nothing."""
        parts = torch.tensor_split(ids, offsets[1:])
        many = torch.tensor([len(p) for p in parts])
        padded = nn.utils.rnn.pad_sequence([p if len(p) else ids.new_zeros(1) for p in parts], batch_first=True)
        mask = torch.arange(padded.shape[1]) < many[:, None]
        k = self.concepts.roots(*tokens(padded, mask, table, weight)) @ self.axes.t() * (many > 0)[:, None]
        share = self.percent / 100
        return torch.cat([v * (1 - share) ** 0.5, F.normalize(k, dim=1) * share**0.5], 1)
