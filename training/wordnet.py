"""WordNet 3.0 as Debian's wordnet-base installs it: synsets with words, gloss, examples and pointers."""
import functools
import pathlib
import re

ROOT = pathlib.Path("/usr/share/wordnet")


class Synset:
    __slots__ = ("key", "lex", "pos", "words", "gloss", "examples", "pointers")

    def __init__(self, key, lex, pos, words, gloss, examples, pointers):
        self.key, self.lex, self.pos, self.words = key, lex, pos, words
        self.gloss, self.examples, self.pointers = gloss, examples, pointers


@functools.lru_cache(None)
def synsets():
    """By (part of speech, offset), in file order."""
    found = {}
    for part, file in (("n", "noun"), ("v", "verb"), ("a", "adj"), ("r", "adv")):
        with open(ROOT / f"data.{file}", encoding="latin-1") as lines:
            for line in lines:
                if line.startswith("  "):  # the licence
                    continue
                head, _, gloss = line.partition(" | ")
                f = head.split(" ")
                n = int(f[3], 16)
                words = [re.sub(r"\(\w+\)$", "", f[4 + 2 * i]).replace("_", " ") for i in range(n)]
                at = 4 + 2 * n
                pointers = []
                for i in range(int(f[at])):
                    symbol, offset, pos = f[at + 1 + 4 * i : at + 4 + 4 * i]
                    pointers.append((symbol, ("a" if pos == "s" else pos, offset)))
                examples = [e for e in re.findall(r'"([^"]{6,})"', gloss)]
                definition = re.sub(r';?\s*"[^"]*".*', "", gloss).strip(" ;\n")
                found[part, f[0]] = Synset((part, f[0]), int(f[1]), part, words, definition, examples, pointers)
    return found


def topics(synset, depth=0):
    """Words of the subjects that a synset is marked with, by itself or by what it is a kind of."""
    all_ = synsets()
    names = [all_[key].words[0] for symbol, key in synset.pointers if symbol == ";c" and key in all_]
    if not names and depth < 3:
        for symbol, key in synset.pointers:
            if symbol in ("@", "@i") and key in all_:
                names = topics(all_[key], depth + 1)
                if names:
                    break
    return names
