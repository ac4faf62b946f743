"""A vocabulary of made-up words, its tokenizer.json, and texts whose tokens are known without a tokenizer.

Words are four letters (consonant, vowel, consonant, vowel), pieces that continue a word are z and a vowel, so a text falls
into tokens in one way only. The special tokens and where they go are those of each family.
"""
from draw import random_integers

CONSONANTS, VOWELS = "bdfgklmnprst", "aeiou"
PIECES = ["##z" + vowel for vowel in VOWELS]

# Of each family: the special tokens from id 0 on, what stands around one text and a pair, and the type of the second text.
FAMILIES = {
    "bert": (["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"], "[CLS] A [SEP]", "[CLS] A [SEP] B [SEP]", 1),
    "deberta-v2": (["[PAD]", "[CLS]", "[SEP]", "[UNK]", "[MASK]"], "[CLS] A [SEP]", "[CLS] A [SEP] B [SEP]", 1),
    "roberta": (["<s>", "<pad>", "</s>", "<unk>", "<mask>"], "<s> A </s>", "<s> A </s> </s> B </s>", 0),
    "modernbert": (["<pad>", "<eos>", "<bos>", "<unk>", "<mask>"], "<bos> A <eos>", "<bos> A <eos> B <eos>", 0),
    "qwen3": (["<pad>", "<bos>", "<|endoftext|>", "<unk>", "<mask>"], "A <|endoftext|>", "A <|endoftext|> B <|endoftext|>", 0),
}
FAMILIES["xlm-roberta"] = FAMILIES["mpnet"] = FAMILIES["roberta"]
FAMILIES["gemma3_text"] = FAMILIES["modernbert"]


def word(n):
    n = n * 1009 % 3600  # 1009 has no factor of 3600: no word twice
    c, n = CONSONANTS[n % 12], n // 12
    v, n = VOWELS[n % 5], n // 5
    return c + v + CONSONANTS[n % 12] + VOWELS[n // 12]


class Vocabulary:
    def __init__(self, family, size, max_length):
        self.specials, self.single, self.pair, self.pair_type = FAMILIES[family]
        self.max_length = max_length
        first = len(self.specials) + len(PIECES)
        self.tokens = self.specials + PIECES + [word(n) for n in range(size - first)]
        assert len(set(self.tokens)) == size
        self.ids = {token: n for n, token in enumerate(self.tokens)}
        self.unknown = next(token for token in self.specials if "unk" in token.lower())

    def tokenizer_json(self):
        def template(form):
            kind, items = 0, []
            for item in form.split():
                if item == "B":
                    kind = self.pair_type
                items.append(
                    {"Sequence": {"id": item, "type_id": kind}}
                    if item in "AB"
                    else {"SpecialToken": {"id": item, "type_id": kind}}
                )
            return items

        around = sorted(set(self.pair.split()) - {"A", "B"})
        return {
            "version": "1.0",
            "truncation": None,
            "padding": None,
            "added_tokens": [
                {"id": n, "content": token, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False,
                 "special": True} for n, token in enumerate(self.specials)
            ],
            "normalizer": {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True, "strip_accents": None,
                           "lowercase": True},
            "pre_tokenizer": {"type": "BertPreTokenizer"},
            "post_processor": {
                "type": "TemplateProcessing", "single": template(self.single), "pair": template(self.pair),
                "special_tokens": {token: {"id": token, "ids": [self.ids[token]], "tokens": [token]} for token in around},
            },
            "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": True},
            "model": {"type": "WordPiece", "unk_token": self.unknown, "continuing_subword_prefix": "##",
                      "max_input_chars_per_word": 100, "vocab": self.ids},
        }  # fmt: skip

    def tokenizer_config(self):
        return {"model_max_length": self.max_length, "tokenizer_class": "PreTrainedTokenizerFast", "unk_token": self.unknown}

    def text(self, seed, n_words):
        """(text, [(id, begin, end)]): words, some of several pieces, some capital, a few unknown, spaces of any number."""
        text, tokens = "", []
        for n, drawn in enumerate(random_integers(seed, n_words, 0, 2**40)):
            drawn = int(drawn)
            text += " " * ((1 + (drawn % 11 == 0)) if n else 0)
            begin = len(text)
            if drawn % 13 == 5:
                text += "xyx"
                tokens.append((self.ids[self.unknown], begin, len(text)))
                continue
            choice = len(self.specials) + len(PIECES) + drawn // 16 % (len(self.tokens) - len(self.specials) - len(PIECES))
            text += self.tokens[choice].capitalize() if drawn % 7 == 0 else self.tokens[choice]
            tokens.append((choice, begin, len(text)))
            for k in range((0, 0, 0, 1, 2)[drawn // 7 % 5]):
                begin, piece = len(text), drawn // (97 + 31 * k) % len(PIECES)
                text += PIECES[piece][2:]
                tokens.append((len(self.specials) + piece, begin, len(text)))
        return text, tokens

    def sequence(self, first, second=None, max_length=None):
        """ids, types and byte offsets of one text or a pair with what stands around; one text is cut on its right."""
        form = (self.pair if second else self.single).split()
        if max_length is not None:
            first = first[: max_length - len(form) + 1]
        ids, types, offsets, kind = [], [], [], 0
        for item in form:
            if item == "B":
                kind = self.pair_type
            for token in {"A": first, "B": second}.get(item, [(self.ids.get(item), 0, 0)]):
                ids.append(token[0])
                types.append(kind)
                offsets.append(token[1:])
        return ids, types, offsets
