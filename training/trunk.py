#!/usr/bin/env python3
"""Trains the trunk: subword vectors, how much each counts, and the sentence step.

    trunk.py OUT [--seconds N] ...

Several losses at once, on mixed batches:
  contrast  in-batch softmax over pairs, both ways; texts of one group are not each other's negatives
  banks     16 labels with five examples each, as the router compares a request with banks (0.75 best + 0.25 mean of the best
            two): softmax over the banks, and the level of the score itself, so that thresholds mean something
  graded    order (CoSENT) and level of the similarity rows
  depth     two banks, of easy and of hard requests about anything: softmax over the two
  domain    a linear head, so that the vectors know the subjects
"""
import argparse
import math
import pathlib
import pickle
import time

import numpy as np
import torch
import torch.nn.functional as F
from scipy.stats import spearmanr

import mixer
import pairs
import rows
import signs
import text
from store import Store

WEIGHT = {"tatoeba": 1.0, "xquad_translation": 0.6, "wiki_split": 0.4, "xquad_passage": 0.7, "pubmed": 0.2,
          "adversarial": 0.1, "sgd": 0.5, "metatool": 1.0, "apizoo": 0.3, "bfcl": 0.3, "own_paraphrase": 1.0, "own_terms": 0.3, "intent_name": 0.6, "corner": 1.2, "corner_asked": 2.0, "corner_name": 0.6, "topic_request": 3.0, "topic_words": 2.0, "exam_answer": 1.2, "exam_subject": 0.6,
          "entailed": 0.5, "begin_message": 0.2, "summary": 0.2, "passage": 0.6, "wn_gloss": 3.0, "wn_synonym": 1.5,
          "wn_example": 1.5, "wn_kind": 1.0, "wn_topic": 0.4}
FAMILY = {"clinc": 1.0, "hwu": 1.0, "sgd": 0.3, "metatool": 0.6, "subject": 1.0, "domain": 0.5, "gaokao": 0.1, "own": 1.0, "topics": 3.0, "terms": 3.0, "chinese": 2.0, "intents": 1.5, "banks": 4.0, "kinds": 4.0, "asked": 0.4, "corners": 0.6, "corner_asked": 3.0}
DOMAINS = ["biology", "business", "chemistry", "computer science", "economics", "engineering", "health", "history", "law",
           "math", "other", "philosophy", "physics", "psychology"]


class Rows:
    """Adam on the rows of a matrix that a batch touches."""

    def __init__(self, weight, lr):
        self.weight, self.lr = weight, lr
        self.m, self.v = torch.zeros_like(weight), torch.zeros(weight.shape[0])
        self.t = torch.zeros(weight.shape[0])

    def take(self, which):
        self.which = which
        self.now = self.weight[which].requires_grad_(True)
        return self.now

    def step(self, scale):
        g, w = self.now.grad, self.which
        t = self.t[w] + 1
        self.t[w] = t
        m = 0.9 * self.m[w] + 0.1 * g
        # One second moment for a row: its directions keep their proportions.
        v = 0.999 * self.v[w] + 0.001 * g.reshape(len(w), -1).pow(2).mean(1)
        self.m[w], self.v[w] = m, v
        shape = (-1,) + (1,) * (g.dim() - 1)
        mh = m / (1 - 0.9**t).reshape(shape)
        vh = (v / (1 - 0.999**t)).reshape(shape)
        self.weight[w] -= scale * self.lr * mh / (vh.sqrt() + 1e-8)


class Trunk:
    def __init__(self, vectors, importance, hidden, word_signs=None):
        self.vectors, self.importance, self.signs = vectors, importance, word_signs
        self.sentence = mixer.Sentence(vectors.shape[1], hidden) if hidden else None

    def save(self, path):
        torch.save({"vectors": self.vectors, "importance": self.importance,
                    "signs": self.signs.state() if self.signs else None,
                    "sentence": self.sentence.state_dict() if self.sentence else None}, path)

    @staticmethod
    def load(path):
        d = torch.load(path)
        t = Trunk(d["vectors"], d["importance"], d["sentence"]["up.weight"].shape[0] if d["sentence"] else 0,
                  signs.Signs(**d["signs"]) if d.get("signs") else None)
        if t.sentence:
            t.sentence.load_state_dict(d["sentence"])
        return t

    def compared(self, s, ids, offsets, drop=0.0):
        """What texts are compared by, not yet of unit length: of the means `s` of their tokens."""
        y = self.sentence(s) if self.sentence else s
        return self.signs.beside(y, ids, offsets, drop) if self.signs else y

    @torch.no_grad()
    def embed(self, texts, most=512, unit=True):
        out = []
        for i in range(0, len(texts), 512):
            ids = [x[:most] or [0] for x in text.ids_of(texts[i : i + 512])]
            flat = torch.tensor([t for x in ids for t in x])
            offsets = torch.tensor(np.concatenate([[0], np.cumsum([len(x) for x in ids])[:-1]]))
            y = self.compared(mixer.bag(self.vectors, self.importance, flat, offsets), flat, offsets)
            out.append(F.normalize(y, dim=1) if unit else y)
        return torch.cat(out)


def bank_scores(sims):
    """[Q][L][E] similarities to [Q][L] scores of the banks."""
    top = sims.topk(2, dim=2).values
    return 0.75 * top[:, :, 0] + 0.25 * top.mean(2)


def measure(trunk):
    out = {}
    dev = pairs.graded("dev")
    for lang in ("en", "zh", "de"):
        sub = [d for d in dev if d[3] == lang]
        a, b = trunk.embed([d[0] for d in sub]), trunk.embed([d[1] for d in sub])
        cos = (a * b).sum(1).numpy()
        out["sts " + lang] = spearmanr(cos, [d[2] for d in sub]).correlation
    near = pairs.related("dev")
    if near:
        cos = (trunk.embed([x[0] for x in near]) * trunk.embed([x[1] for x in near])).sum(1).numpy()
        out["requests"] = spearmanr(cos, [x[2] for x in near]).correlation
    r = np.random.RandomState(11)
    for which, labels in pairs.dev_groups().items():
        names = sorted(labels)
        flat = [t for n in names for t in labels[n]]
        at = np.cumsum([0] + [len(labels[n]) for n in names])
        v = trunk.embed(flat)
        right = n = 0
        own, other, best_other = [], [], []
        for _ in range(60):
            pick = r.choice(len(names), 16, replace=False)
            bank, query, truth = [], [], []
            for k, i in enumerate(pick):
                p = r.permutation(at[i + 1] - at[i]) + at[i]
                bank.append(p[:5])
                query += list(p[5:10])
                truth += [k] * len(p[5:10])
            sims = (v[query] @ v[np.concatenate(bank)].t()).reshape(len(query), 16, 5)
            s = bank_scores(sims)
            truth = torch.tensor(truth)
            right += (s.argmax(1) == truth).sum().item()
            n += len(query)
            is_own = F.one_hot(truth, 16).bool()
            own.append(s[is_own])
            other.append(s[~is_own])
            best_other.append(s.masked_fill(is_own, -1).max(1).values)
        own, other, best_other = torch.cat(own), torch.cat(other), torch.cat(best_other)
        out["recall " + which] = right / n
        out["own " + which] = own.median().item()
        out["best other " + which] = best_other.median().item()
        out["other " + which] = other.median().item()
    banks, queries = pairs.written_banks()
    if queries:
        names = sorted(banks)
        v = {n: trunk.embed(banks[n]) for n in names}
        q = trunk.embed([t for t, _ in queries])
        s = torch.stack([bank_scores((q @ v[n].t())[:, None])[:, 0] for n in names], 1)
        truth = torch.tensor([names.index(n) for _, n in queries])
        right = (s.argmax(1) == truth).float()
        han = torch.tensor([pairs.is_han(t) for t, _ in queries])
        out["recall written"], out["recall written zh"] = right.mean().item(), right[han].mean().item()
        out["own written"] = s.gather(1, truth[:, None]).median().item()
        out["other written"] = s[~F.one_hot(truth, len(names)).bool()].median().item()
    return out


def material():
    """All that is learned from, as numbers of texts; kept beside the tokenizer, because it takes a minute to make."""
    kept = text.MODEL.with_name("material.pickle")
    if kept.exists():
        return pickle.loads(kept.read_bytes())
    store = Store()
    source = {}
    for name, found in pairs.sources().items():
        groups = {}
        a = np.array([store.add(x[0]) for x in found])
        b = np.array([store.add(x[1]) for x in found])
        g = np.array([groups.setdefault((name, x[2]), len(groups)) if x[2] is not None else -1 for x in found])
        source[name] = (a, b, g)
    add = lambda texts: np.array([store.add(t) for t in texts])
    families = {f: [(add(ts),) * 2 for _, ts in sorted(g.items())] for f, g in pairs.groups().items()}
    for f, g in pairs.two_sided().items():
        families[f] = [(add(bank), add(asked)) for _, (bank, asked) in sorted(g.items())]
    graded = pairs.graded()
    ga = np.array([store.add(x[0]) for x in graded])
    gb = np.array([store.add(x[1]) for x in graded])
    gs = np.array([x[2] for x in graded], np.float32)
    glang = np.array([x[3] for x in graded])
    near = pairs.related()
    na, nb = np.array([store.add(x[0]) for x in near], np.int64), np.array([store.add(x[1]) for x in near], np.int64)
    ns = np.array([x[2] for x in near], np.float32)
    domain = []
    for f in ("mmlu_pro", "mmlu", "gaokao_bench_zh", "user_style_weak"):
        domain += [(store.add(x["text"]), DOMAINS.index(x["label"])) for x in rows.train("domain/" + f)]
    domain += [(store.add(x["text"]), DOMAINS.index(x["domain"])) for x in rows.own("asked") + rows.own("prompts")] * 3
    domain += [(store.add(x["text"]), DOMAINS.index(x["domain"])) for x in rows.own("terms")]
    domain = np.array(domain)
    depth = [add(texts) for texts in pairs.depths()]
    store.close()
    found = store, source, families, (ga, gb, gs, glang), (na, nb, ns), domain, depth
    kept.write_bytes(pickle.dumps(found))
    return found


def graded_loss(cos, want):
    """Order (CoSENT) and level."""
    diff = (cos[:, None] - cos[None]) * 20
    order = torch.where(want[:, None] < want[None] - 0.02, diff, torch.full_like(diff, -1e4))
    ordered = torch.logsumexp(torch.cat([torch.zeros(1), order.flatten()]), 0)
    return 0.3 * ordered + 4 * (cos - want).pow(2).mean()


def main():
    p = argparse.ArgumentParser()
    p.add_argument("out", type=pathlib.Path)
    p.add_argument("--seconds", type=float, default=600, help="when --steps is 0")
    p.add_argument("--dims", type=int, default=256)
    p.add_argument("--hidden", type=int, default=0)
    p.add_argument("--lr", type=float, default=1.5e-3)
    p.add_argument("--tau", type=float, default=0.05)
    p.add_argument("--drop", type=float, default=0.1)
    p.add_argument("--init", default="")
    p.add_argument("--threads", type=int, default=1)
    p.add_argument("--contrast", type=float, default=1.0)
    p.add_argument("--banks", type=float, default=1.0)
    p.add_argument("--graded", type=float, default=1.0)
    p.add_argument("--near", type=float, default=0.7)
    p.add_argument("--domain", type=float, default=0.3)
    p.add_argument("--depth", type=float, default=0.3)
    p.add_argument("--importance", type=float, default=1e-2)
    p.add_argument("--signs", type=int, default=0, help="numbers of a vector that say which words a text has")
    p.add_argument("--percent", type=int, default=30, help="of the square of a vector's length that are theirs")
    p.add_argument("--graded-rows", action="store_true", help="let the similarity rows move the vectors")
    p.add_argument("--families", type=float, default=1.0)
    p.add_argument("--steps", type=int, default=8800)
    p.add_argument("--chunk", type=int, default=160)
    p.add_argument("--chunks", type=int, default=3)
    o = p.parse_args()
    torch.manual_seed(1)
    torch.set_num_threads(o.threads)
    r = np.random.RandomState(1)

    store, source, families, (ga, gb, gs, glang), (na, nb, ns), domain, depth = material()
    print(len(store.texts), "texts", len(store.flat), "tokens", flush=True)

    pieces = text.pieces().get_piece_size()
    if o.init:
        start = torch.load(o.init)
        vectors, importance = start["vectors"], start["importance"]
    else:
        vectors, importance = torch.randn(pieces, o.dims) * 0.1, torch.zeros(pieces)
    trunk = Trunk(vectors, importance, o.hidden)
    if o.init and start.get("sentence") and o.hidden:
        trunk.sentence.load_state_dict(start["sentence"])
    if o.signs:
        trunk.signs = signs.Signs(signs.rarity(np.bincount(store.flat, minlength=pieces)), o.signs, o.percent)
    head = torch.nn.Linear(vectors.shape[1] + o.signs, len(DOMAINS))
    dense = list(trunk.sentence.parameters() if trunk.sentence else []) + list(head.parameters())
    adam = torch.optim.AdamW(dense, lr=1e-3, weight_decay=0.01)
    by_row, by_weight = Rows(trunk.vectors, o.lr), Rows(trunk.importance, o.importance)
    names = list(source)
    share = np.array([WEIGHT[n] for n in names])
    share /= share.sum()
    fnames = list(families)
    fshare = np.array([FAMILY.get(f, 1.0) for f in fnames])
    fshare /= fshare.sum()
    # Not two names for the same label in one episode.
    mixable = [f for f in ["clinc", "metatool"] + ["topics"] * 4 + ["banks"] * 4 + ["kinds"] * 3 + ["corner_asked"] * 2 + ["intents"] if f in families]

    began, step, seen = time.time(), 0, {}
    while True:
        spent = (time.time() - began) / o.seconds if not o.steps else step / o.steps
        if spent >= 1:
            break
        scale = min(1, (step + 1) / 200) * (0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * spent)))
        a, b, g = [], [], []
        for k, c in enumerate(r.choice(len(names), o.chunks, p=share)):
            sa, sb, sg = source[names[c]]
            pick = r.randint(0, len(sa), o.chunk)
            a.append(sa[pick])
            b.append(sb[pick])
            g.append(np.where(sg[pick] < 0, -1, sg[pick] + (c << 32)))
        a, b, g = map(np.concatenate, (a, b, g))
        if r.rand() < 0.6:
            fam = families[fnames[r.choice(len(fnames), p=fshare)]]
            labels = [fam[i] for i in r.choice(len(fam), min(16, len(fam)), replace=False)]
        else:
            # Rules of one profile are of all kinds; labels of one family are the harder to tell apart.
            labels = [families[f][r.randint(len(families[f]))] for f in r.choice(mixable, 16)]
            labels = list({id(label): label for label in labels}.values())
        bank, query = [], []
        size = r.choice([4, 5, 6, 7])
        for of, asked in labels:
            if of is asked:
                pick = of[r.choice(len(of), size=size + 3, replace=len(of) < size + 3)]
                bank.append(pick[:size])
                query.append(pick[size:])
            else:
                bank.append(of[r.choice(len(of), size=size, replace=len(of) < size)])
                query.append(asked[r.randint(0, len(asked), 3)])
        gp = r.randint(0, len(ga), 128)
        en = np.flatnonzero(glang == "en")
        gp[:48] = en[r.randint(0, len(en), 48)]
        dp = domain[r.randint(0, len(domain), 96)]
        np_ = r.randint(0, len(na), 96)
        sides = [d[r.choice(len(d), 30, replace=False)] for d in depth]
        parts = [a, b, np.concatenate(bank), np.concatenate(query), ga[gp], gb[gp], dp[:, 0], na[np_], nb[np_], *sides]
        cut = np.cumsum([len(x) for x in parts])[:-1]
        ids, offsets = store.batch(np.concatenate(parts))
        used, ids = np.unique(ids, return_inverse=True)
        used = torch.from_numpy(used)
        ids, offsets = torch.from_numpy(ids), torch.from_numpy(offsets)
        vectors, importance = by_row.take(used), by_weight.take(used)
        if o.graded_rows:
            s = mixer.bag(vectors, importance, ids, offsets, o.drop)
        else:
            # Few hundred English pairs: they may say which words count, but moving every vector would only learn them by heart.
            at = [int(offsets[cut[3]]), int(offsets[cut[5]])]
            lo, mid, hi = ids[: at[0]], ids[at[0] : at[1]], ids[at[1] :]
            ol, om, oh = offsets[: cut[3]], offsets[cut[3] : cut[5]] - at[0], offsets[cut[5] :] - at[1]
            s = torch.cat([mixer.bag(vectors, importance, lo, ol, o.drop),
                           mixer.bag(vectors.detach().requires_grad_(True), importance, mid, om),
                           mixer.bag(vectors, importance, hi, oh, o.drop)])
        y = trunk.compared(s, used[ids], offsets, o.drop)
        za, zb, zk, zq, zx, zz, yd, zm, zn, ze, zh = torch.tensor_split(y, torch.from_numpy(cut))
        za, zb, zk, zq, zx, zz, zm, zn, ze, zh = (F.normalize(z, dim=1) for z in (za, zb, zk, zq, zx, zz, zm, zn, ze, zh))

        logits = za @ zb.t() / o.tau
        same = (g[:, None] == g[None]) & (g[:, None] >= 0)
        same |= (a[:, None] == a[None]) | (b[:, None] == b[None]) | (a[:, None] == b[None])
        np.fill_diagonal(same, False)
        logits = logits.masked_fill(torch.from_numpy(same), -1e4)
        truth = torch.arange(len(a))
        contrast = (F.cross_entropy(logits, truth) + F.cross_entropy(logits.t(), truth)) / 2

        sims = (zq @ zk.t()).reshape(len(zq), len(labels), size)
        score = bank_scores(sims)
        truth = torch.arange(len(labels)).repeat_interleave(3)
        level = F.binary_cross_entropy_with_logits((score - 0.6) * 12, F.one_hot(truth, len(labels)).float())
        banks = F.cross_entropy(score / 0.05, truth) + level

        grade = graded_loss((zx * zz).sum(1), torch.from_numpy(gs[gp]))
        near = graded_loss((zm * zn).sum(1), torch.from_numpy(ns[np_]))

        subject = F.cross_entropy(head(F.normalize(yd, dim=1) * 8), torch.from_numpy(dp[:, 1]))
        many = size + 1
        sims = torch.cat([ze[many:], zh[many:]]) @ torch.cat([ze[:many], zh[:many]]).t()
        deep = torch.tensor([0] * (30 - many) + [1] * (30 - many))
        hard = F.cross_entropy(bank_scores(sims.reshape(len(deep), 2, many)) / 0.05, deep)
        loss = o.contrast * contrast + o.banks * banks + o.graded * grade + o.near * near + o.domain * subject + o.depth * hard
        adam.zero_grad()
        loss.backward()
        for group in adam.param_groups:
            group["lr"] = 1e-3 * scale
        adam.step()
        by_row.step(scale)
        by_weight.step(scale)
        for k, v in (("contrast", contrast), ("banks", banks), ("grade", grade), ("near", near), ("domain", subject), ("depth", hard)):
            seen[k] = 0.98 * seen.get(k, v.item()) + 0.02 * v.item()
        step += 1
        if step % 200 == 0:
            print(step, f"{time.time() - began:.0f}s", {k: round(v, 3) for k, v in seen.items()}, flush=True)
        if step % 500 == 0:
            print({k: round(v, 3) for k, v in measure(trunk).items()}, flush=True)
            trunk.save(o.out)
    print(step, "steps", {k: round(float(v), 4) for k, v in measure(trunk).items()}, flush=True)
    trunk.save(o.out)


if __name__ == "__main__":
    main()
