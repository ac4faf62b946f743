"""Texts by number, cut into tokens once; batches of them as flat ids with offsets."""
import numpy as np

import text


class Store:
    def __init__(self, most=96):
        self.at, self.texts, self.most = {}, [], most

    def add(self, t):
        i = self.at.get(t)
        if i is None:
            i = self.at[t] = len(self.texts)
            self.texts.append(t)
        return i

    def close(self):
        lists = []
        for i in range(0, len(self.texts), 20000):
            # What a few thousand characters leave of a passage is more than `most` tokens anyway.
            lists += [x[: self.most] for x in text.ids_of([t[: 12 * self.most] for t in self.texts[i : i + 20000]])]
        self.lengths = np.array([len(x) for x in lists], np.int64)
        self.starts = np.concatenate([[0], np.cumsum(self.lengths)])
        self.flat = np.fromiter((i for x in lists for i in x), np.int32, int(self.starts[-1]))
        return self

    def batch(self, which):
        """(ids, offsets) of these texts, one behind another."""
        which = np.asarray(which, np.int64)
        n = self.lengths[which]
        offsets = np.concatenate([[0], np.cumsum(n)])
        at = np.arange(offsets[-1]) - np.repeat(offsets[:-1], n) + np.repeat(self.starts[which], n)
        return self.flat[at].astype(np.int64), offsets[:-1]
