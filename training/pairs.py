"""What the trunk learns from: pairs of texts that mean nearly the same, texts in groups, and pairs with a similarity.

Pair(a, b, group): two texts of the same group, or the same text, are never each other's negatives.
"""
import collections
import pathlib
import random
import re
import sys

import rows
import wordnet

HELD_OUT = 10  # one intent in so many is never trained on: ranking is measured on these


def held_out(label):
    return rows.digest("bank " + label) % HELD_OUT == 0


def options_of(row):
    return [o for o in row.get("options") or [] if isinstance(o, str)]


def plain(name):
    """`Weather.GetWeather` or `play_music` as words."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).replace("_", " ").replace(".", " ")


def sources():
    """name -> list of (a, b, group or None)."""
    found = {}
    for name, file in (("tatoeba", "tatoeba_en_xx"), ("xquad_translation", "xquad_question_translation"),
                       ("wiki_split", "wiki_split"), ("xquad_passage", "xquad_question_passage"),
                       ("pubmed", "pubmedqa_question_abstract"), ("adversarial", "adversarial_qa_passage")):
        found[name] = [(r["a"], r["b"], r["gid"] if "passage" in name else None) for r in rows.train("embedding/" + file, "a")]
    found["sgd"] = [(r["a"], r["b"], r["b"]) for r in rows.train("embedding/sgd_utterance_intent", "a")
                    if not held_out(r["label"])]
    catalogue = {r["name"].lower(): r["description"] for r in rows.read("tools/metatool_catalog.jsonl.gz")}
    found["metatool"] = [(r["text"], catalogue[r["label"].lower()], r["label"]) for r in rows.train("tools/metatool_single")
                         if r["label"].lower() in catalogue and not held_out(r["label"])]
    found["apizoo"] = [(plain(r["name"].split(" - ")[0]), r["description"], r["description"])
                       for r in rows.read("tools/apizoo_catalog.jsonl.gz")]
    found["bfcl"] = []
    for r in rows.train("tools/bfcl_train"):
        by = {t["name"]: t for t in r["tools"] if isinstance(t, dict)}
        for gold in r.get("gold") or []:
            if gold in by and isinstance(r["text"], str):
                found["bfcl"].append((r["text"], by[gold].get("description", plain(gold)), gold))
    found["exam_answer"], found["exam_subject"] = [], []
    for file in ("domain/mmlu_pro", "domain/mmlu"):
        for r in rows.train(file):
            subject = plain(r["src"].split("-", 1)[-1])
            options = options_of(r)
            words = [o for o in options if re.search(r"[A-Za-z]{4}", o)]
            if words:
                found["exam_answer"].append((r["text"], "; ".join(words), None))
            found["exam_subject"].append((r["text"], subject, subject))
    found["entailed"] = [(r["a"], r["b"], None) for f in ("nli/aristo_tracie_scitail", "nli/med", "nli/begin_wow")
                         for r in rows.train(f, "b") if r["label"] == "entailment"]
    found["begin_message"] = [(r["message"], r["b"], None) for r in rows.train("nli/begin_wow", "b") if r.get("message")]
    found["summary"] = [(r["answer"], r["context"], r["gid"]) for r in rows.train("hallucination/summedits", "answer")]
    sentences = collections.defaultdict(set)
    for f, key in (("hallucination/summedits", "context"), ("embedding/xquad_question_passage", "b"),
                   ("embedding/pubmedqa_question_abstract", "b"), ("embedding/adversarial_qa_passage", "b")):
        for r in rows.read(f + ".jsonl.gz"):
            if r["split"] == "train" and r.get("lang", "en") == "en":
                sentences[r[key]].update(s for s in re.split(r"(?<=[.!?])\s+|\n", r[key]) if len(s) > 30)
    found["passage"] = []
    rnd = random.Random(3)
    for passage in sorted(sentences):
        s = sorted(sentences[passage])
        rnd.shuffle(s)
        found["passage"] += [(x, y, passage) for x, y in zip(s[::2], s[1::2])]
    found["own_paraphrase"] = [(r["a"], r["b"], None) for r in rows.own("triples") if r["relation"] == "paraphrase"]
    found["topic_request"], found["topic_words"] = [], []
    rnd = random.Random(6)
    for name, (keys, requests) in written_topics().items():
        for request in requests:
            found["topic_request"].append((request, name + ": " + ", ".join(rnd.sample(keys, min(8, len(keys)))), name))
        for key in keys:
            found["topic_words"].append((key, ", ".join(rnd.sample(keys, min(4, len(keys)))), name))
            found["topic_words"].append((key, rnd.choice(requests), name))
            found["topic_words"].append((key, name, name))
    found["corner"], found["corner_name"], found["corner_asked"] = [], [], []
    for name, words in corners().items():
        for word in words:
            found["corner"].append((word, ", ".join(rnd.sample(words, min(4, len(words)))), name))
            found["corner_name"].append((word, name, name))
    known = corners()
    for r in rows.own("asked"):
        name = r["domain"] + " " + r.get("corner", "")
        if name in known:
            found["corner_asked"].append((r["text"], ", ".join(rnd.sample(known[name], min(6, len(known[name])))), name))
    found["intent_name"] = [(r["text"], r["label"], r["label"]) for r in rows.own("intents")]
    en, zh = terms()
    found["own_terms"] = [(a, b, None) for d in en for a, b in zip(en[d], zh[d])]
    found.update(dictionary())
    return {k: v for k, v in found.items() if v}


def written_topics():
    """Topic -> (its words, what people ask about it), from training/data/topics: `@ topic`, `~ words`, `- request` lines."""
    found, name = {}, None
    for path in sorted((rows.OWN / "topics").glob("*.txt")):
        for line in path.read_text().splitlines():
            mark, rest = line[:2], line[2:].strip()
            if mark == "@ ":
                name = rest
                found.setdefault(name, ([], []))
            elif mark == "~ ":
                found[name][0].extend(w.strip() for w in re.split("[,\uff0c\u3001]", rest) if w.strip())
            elif mark == "- " and rest:
                found[name][1].append(rest)
    return {k: v for k, v in found.items() if v[0] and v[1]}


def corners():
    """Corner of a subject -> its words."""
    found = collections.defaultdict(list)
    for r in rows.own("terms"):
        found[r["domain"] + " " + r["label"]].append(r["text"])
    return found


def terms():
    """Subject -> what one asks about, in English and, in the same order, in Chinese."""
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "data"))
    import topics

    return topics.EN, topics.ZH


def dictionary():
    gloss, synonym, example, kind, topic = [], [], [], [], []
    all_ = wordnet.synsets()
    rnd = random.Random(5)
    for s in all_.values():
        for w in s.words[:4]:
            gloss.append((w, s.gloss, s.gloss))
        if len(s.words) > 1:
            for w in s.words[1:4]:
                synonym.append((s.words[0], w, s.words[0]))
        for e in s.examples[:2]:
            example.append((e, s.words[0] + ", " + s.gloss, s.gloss))
        parents = [all_[k] for sym, k in s.pointers if sym in ("@", "@i") and k in all_]
        if parents:
            p = parents[0]
            kind.append((rnd.choice(s.words) + ", " + s.gloss, p.words[0] + ", " + p.gloss, p.gloss))
        for t in wordnet.topics(s)[:1]:
            topic.append((rnd.choice(s.words) + ", " + s.gloss, t, t))
        related = [all_[k].words[0] for sym, k in s.pointers if sym in ("+", "&", "\\", "*", ">") and k in all_]
        for w in related[:2]:
            synonym.append((s.words[0], w, s.words[0]))
    return {"wn_gloss": gloss, "wn_synonym": synonym, "wn_example": example, "wn_kind": kind, "wn_topic": topic}


def groups():
    """family -> label -> texts: what a bank of examples is sampled from."""
    found = collections.defaultdict(lambda: collections.defaultdict(list))
    for r in rows.train("intent/clinc150"):
        if r["label"] != "oos" and not held_out(r["label"]):
            found["clinc"][r["label"]].append(r["text"])
    for r in rows.train("intent/hwu_nlu"):
        if not held_out(r["label"]):
            found["hwu"][r["label"]].append(r["text"])
    for r in rows.train("embedding/sgd_utterance_intent", "a"):
        if not held_out(r["label"]):
            found["sgd"][r["label"]].append(r["a"])
    for r in rows.train("tools/metatool_single"):
        if not held_out(r["label"]):
            found["metatool"][r["label"]].append(r["text"])
    for file in ("domain/mmlu_pro", "domain/mmlu"):
        for r in rows.train(file):
            found["subject"][plain(r["src"].split("-", 1)[-1])].append(r["text"])
            found["domain"][r["label"]].append(r["text"])
    for r in rows.train("domain/gaokao_bench_zh"):
        found["gaokao"][r["label"]].append(r["text"])
    for r in rows.own("train_intents"):
        found["own"][r["label"]].append(r["text"])
    for name, (keys, requests) in written_topics().items():
        found["topics"][name] += requests
    for r in rows.own("intents"):
        found["intents"][r["label"]].append(r["text"])
    for r in rows.own("asked") + rows.own("prompts"):
        found["asked"][r["domain"]].append(r["text"])
    found["corners"].update(corners())
    for family in list(found):
        for label in list(found[family]):
            found[family][label] = sorted(set(found[family][label]))
            if len(found[family][label]) < 7:
                del found[family][label]
    return {f: dict(g) for f, g in found.items() if len(g) >= 4}


def is_han(t):
    return any("\u4e00" <= c <= "\u9fff" for c in t)


def two_sided():
    """family -> label -> (what a bank is drawn from, what is compared with it), where the two are of different kinds."""
    found = {"terms": {}, "chinese": {}, "corner_asked": {}}
    asked = collections.defaultdict(list)
    for r in rows.own("asked"):
        asked[r["domain"] + " " + r.get("corner", "")].append(r["text"])
    for name, words in corners().items():
        if len(asked[name]) >= 3:
            found["corner_asked"][name] = (words, asked[name])
    for name, (keys, requests) in written_topics().items():
        english, chinese = [t for t in requests if not is_han(t)], [t for t in requests if is_han(t)]
        if len(english) >= 7 and len(keys) >= 3:
            found["terms"][name] = (english, keys)
        if len(english) >= 7 and chinese:
            found["chinese"][name] = (english, chinese)
    own = collections.defaultdict(list)
    for r in rows.own("train_intents"):
        own[r["label"]].append(r["text"])
    for name, texts in own.items():
        english, chinese = [t for t in texts if not is_han(t)], [t for t in texts if is_han(t)]
        if len(english) >= 7 and chinese:
            found["chinese"][name] = (english, chinese)
    for family, rows_of in (("banks", "intents"), ("kinds", "kinds")):
        found[family] = {}
        sides = collections.defaultdict(lambda: ([], []))
        for r in rows.own(rows_of):
            sides[r["label"]][r["role"] == "request"].append(r["text"])
        for name, (candidates, requests) in sides.items():
            if len(candidates) >= 3 and len(requests) >= 3:
                found[family][name] = (candidates, requests)
    return {f: g for f, g in found.items() if len(g) >= 16}


def depths():
    """Requests by how demanding they are, of all subjects: easy ones, hard ones."""
    found = collections.defaultdict(set)
    for r in rows.own("asked") + rows.own("prompts"):
        found[r["level"]].add(r["text"])
    for r in rows.own("difficulty"):
        found[r["label"]].add(r["text"])
    return sorted(found["easy"]), sorted(found["hard"])


def dev_groups():
    """Families of dev texts: `seen` labels were trained on with other texts, `unseen` ones were not at all."""
    found = {"seen": collections.defaultdict(list), "unseen": collections.defaultdict(list)}
    for file, key in (("intent/clinc150", "text"), ("intent/hwu_nlu", "text"), ("tools/metatool_single", "text"),
                      ("embedding/sgd_utterance_intent", "a")):
        for r in rows.read(file + ".jsonl.gz"):
            # Of unseen labels no text was trained on, whatever its split.
            which = "unseen" if held_out(r["label"]) else "seen"
            if r["label"] != "oos" and (which == "unseen" or r["split"] == "dev"):
                found[which][file.split("/")[1][:4] + " " + r["label"]].append(r[key])
    return {w: {k: sorted(set(v)) for k, v in g.items() if len(set(v)) >= 8} for w, g in found.items()}


def written_banks():
    """The banks and questions of training/data/banks.py: (label -> candidates, [(question, label)])."""
    banks = collections.defaultdict(list)
    for r in rows.own("banks", "test"):
        banks[r["label"]].append(r["text"])
    known = rows.DevTexts([t for _, requests in written_topics().values() for t in requests])
    return banks, [(r["text"], r["label"]) for r in rows.own("bank_queries", "test") if not known.has(r["text"])]


def related(split="train"):
    """Pairs of requests with how near they are, by the grammars of training/data."""
    return [(r["a"], r["b"], r["score"]) for r in rows.own("triples", split)]


def graded(split="train"):
    read = rows.dev if split == "dev" else (lambda f: [r for r in rows.read(f + ".jsonl.gz") if r["split"] == "train"])
    found = [(r["a"], r["b"], r["score"], r["lang"]) for r in read("embedding/sts_open_multi")]
    if split == "train":
        found += [(r["a"], r["b"], 0.75 + 0.2 * r["score"], "en") for r in read("embedding/paws_sample")]
        found += [(r["a"], r["b"], r["score"], "en") for r in rows.own("pairs")]
    return found
