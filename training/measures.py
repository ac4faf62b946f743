"""The figures of the cards, each from probabilities and truth."""
import numpy as np
from sklearn.metrics import f1_score, roc_auc_score


def ece(p, y, bins=15):
    """Expected calibration error of the top class."""
    conf, hit = p.max(1), p.argmax(1) == y
    at = np.minimum((conf * bins).astype(int), bins - 1)
    return sum(abs(hit[at == b].mean() - conf[at == b].mean()) * (at == b).mean() for b in range(bins) if (at == b).any())


def tpr(score, positive, fpr):
    """Share of positives found when that share of the negatives is let through."""
    negatives = np.sort(score[~positive])[::-1]
    allowed = int(np.floor(fpr * len(negatives)))
    limit = negatives[allowed] if allowed < len(negatives) else -np.inf
    return float((score[positive] > limit).mean())


def classification(p, y):
    return {"rows": len(y), "accuracy": float((p.argmax(1) == y).mean()),
            "macro-F1": f1_score(y, p.argmax(1), average="macro", labels=sorted(set(y)), zero_division=0), "ECE": ece(p, y)}


def detection(score, positive):
    return {"AUC": roc_auc_score(positive, score), "TPR@1%FPR": tpr(score, positive, 0.01),
            "TPR@0.1%FPR": tpr(score, positive, 0.001)}


def spans(found, truth):
    """(exact F1, overlap F1) of lists of sets of (start, end, type)."""
    tp = nf = nt = cover_f = cover_t = 0
    for f, t in zip(found, truth):
        f, t = set(f), set(t)
        tp += len(f & t)
        nf += len(f)
        nt += len(t)
        touches = lambda a, others: any(a[2] == b[2] and a[0] < b[1] and b[0] < a[1] for b in others)
        cover_f += sum(touches(a, t) for a in f)
        cover_t += sum(touches(a, f) for a in t)
    exact = 2 * tp / max(nf + nt, 1)
    p, r = cover_f / max(nf, 1), cover_t / max(nt, 1)
    return {"exact F1": exact, "overlap F1": 2 * p * r / max(p + r, 1e-9), "precision": tp / max(nf, 1), "recall": tp / max(nt, 1)}
