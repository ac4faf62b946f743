/*
 * tokenizer - text to the token ids of a model, and each token's place in the text.
 *
 * Made from the files that models are published with: `tokenizer.json`, or `vocab.txt` (WordPiece) or a SentencePiece
 * model under one of its names where there is nothing else. Immutable once built: any thread, each with a scratch of
 * its own.
 *
 * Places are byte ranges of the text that was given, through every step of normalisation. Any bytes are a text: NUL is
 * a character, each maximal ill-formed part of UTF-8 counts as U+FFFD. What a user typed never becomes a special token,
 * even when it spells one: not by the matcher of added tokens, and not by the model's own vocabulary.
 *
 * There is no padding: batches are packed, sequence behind sequence. What a tokenizer.json says of padding and
 * truncation was how it was last called, and is not read.
 */
#ifndef VSR_TEXT_TOKENIZER_H
#define VSR_TEXT_TOKENIZER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/str.h"

struct arena;
struct tokenizer;         /* lives in the arena it was built in */
struct tokenizer_scratch; /* working memory of one thread */

enum {
    TOKENIZER_FILE_LEN_MAX = 64 << 20,
    TOKENIZER_VOCABULARY_MAX = 1 << 20,
    TOKENIZER_TEXT_LEN_MAX = 16 << 20, /* of one text; callers cut far earlier */
};

enum tokenizer_truncation {
    TOKENIZER_KEEP_START, /* one text: drops its end, or its start where the file says so; a pair: the longer one first
                           */
    TOKENIZER_ONLY_FIRST, /* a pair: only the first text gives way; VSR_E_LIMIT when that is not enough */
    TOKENIZER_ONLY_SECOND,
};

struct tokenizer_options {
    size_t tokens_max; /* template tokens included; 0: no bound */
    enum tokenizer_truncation truncation;
    bool bare;          /* without the tokens that the template adds */
    bool parse_special; /* special tokens in the text are meant: for text of our own, never for a user's */
};

/* What a tokenizer_config.json says of a vocab.txt. */
struct tokenizer_vocab_options {
    bool cased;      /* do_lower_case false */
    bool ideographs; /* tokenize_chinese_chars false: they are no words of their own */
    enum { TOKENIZER_ACCENTS_BY_CASE, TOKENIZER_ACCENTS_KEPT, TOKENIZER_ACCENTS_STRIPPED } accents; /* strip_accents */
};

/* Tokens in order. The arrays live in the scratch until its next use. */
struct encoding {
    const uint32_t *ids;
    const uint32_t *starts, *ends; /* bytes of the text that the token came from; both 0 for template tokens */
    const uint8_t *types;          /* token type: 0 or 1 */
    const uint8_t *sequences;      /* 0 first text, 1 second text, ENCODING_TEMPLATE added by the template */
    size_t n;
    size_t n_dropped; /* by truncation */
};

enum { ENCODING_TEMPLATE = 255 };

/* The place of token `i` without white space at its ends; `text` is the one that the token came from. Empty, at the
 * token's start, when there is nothing else. */
void encoding_trimmed(const struct encoding *encoding, size_t i, vsr_str text, uint32_t *ret_start, uint32_t *ret_end);

enum tokenizer_unit { TOKENIZER_CODE_POINTS, TOKENIZER_UTF16 };

/*
 * Places in another unit than bytes, for callers whose strings have one: of each token `i` of `sequence`, whose text is
 * `text`, to `ret_starts[i]` and `ret_ends[i]`; the others are left as they are. An ill-formed part counts as the
 * U+FFFD that it was read as. One pass over the text.
 */
void encoding_places(const struct encoding *encoding, uint8_t sequence, vsr_str text, enum tokenizer_unit unit,
                     uint32_t *ret_starts, uint32_t *ret_ends);

/* From the text of a tokenizer.json. Borrows `json`. VSR_E_INVALID names the component that is unknown or broken. */
int tokenizer_from_json(struct arena *arena, vsr_str json, struct tokenizer **ret, struct vsr_err *err) VSR_MUST_CHECK;
/* From a vocab.txt: WordPiece with the BERT normaliser; `options` NULL: lower case, as in bert-base-uncased. */
int tokenizer_from_vocab(struct arena *arena, vsr_str vocab, const struct tokenizer_vocab_options *options,
                         struct tokenizer **ret, struct vsr_err *err) VSR_MUST_CHECK;
/*
 * From a SentencePiece model file (protobuf): BPE or Unigram, ids and places as the SentencePiece library gives them.
 * The file knows no template: [CLS] A [SEP] where it has these as control pieces, else its beginning token before each
 * text, else its end token behind each; add_bos_token and add_eos_token of a tokenizer_config.json win.
 */
int tokenizer_from_sentencepiece(struct arena *arena, vsr_str model, struct tokenizer **ret,
                                 struct vsr_err *err) VSR_MUST_CHECK;
/*
 * From the SentencePiece model of an XLM-RoBERTa (sentencepiece.bpe.model), whose ids are one past the file's: fairseq
 * put <s>, <pad>, </s> and <unk> at 0 to 3 and <mask> behind all pieces. <s> A </s>, of a pair <s> A </s> </s> B </s>.
 * VSR_E_INVALID for a file that does not begin with <unk>, <s>, </s>.
 */
int tokenizer_from_xlm_roberta(struct arena *arena, vsr_str model, struct tokenizer **ret,
                               struct vsr_err *err) VSR_MUST_CHECK;
/* Whichever of these the directory has, in that order; reads tokenizer_config.json for what the files leave open. */
int tokenizer_open(struct arena *arena, vsr_str directory, struct tokenizer **ret, struct vsr_err *err) VSR_MUST_CHECK;

/*
 * The scratch grows with the text and is used again. What a huge text takes, tens of bytes for each of its own, is
 * given back when the call returns, and the encoding's arrays at the next call.
 */
struct tokenizer_scratch *tokenizer_scratch_new(void);
void tokenizer_scratch_free(struct tokenizer_scratch *scratch);
size_t
tokenizer_scratch_size(const struct tokenizer_scratch *scratch); /* bytes held; what BPE remembers (1 or 2 MB) apart */

/* Files of a directory any of which is a tokenizer, in the order in which they are looked for; NULL behind the last. */
extern const char *const tokenizer_files[];

/* VSR_E_LIMIT for a text past TOKENIZER_TEXT_LEN_MAX, or a pair that cannot be cut as asked. */
int tokenizer_encode(const struct tokenizer *tokenizer, struct tokenizer_scratch *scratch, vsr_str text,
                     const struct tokenizer_options *options, struct encoding *ret, struct vsr_err *err) VSR_MUST_CHECK;
int tokenizer_encode_pair(const struct tokenizer *tokenizer, struct tokenizer_scratch *scratch, vsr_str first,
                          vsr_str second, const struct tokenizer_options *options, struct encoding *ret,
                          struct vsr_err *err) VSR_MUST_CHECK;

/* How many tokens the template adds to one text, and to a pair. */
size_t tokenizer_template_len(const struct tokenizer *tokenizer, bool pair);
size_t tokenizer_vocabulary_size(const struct tokenizer *tokenizer); /* highest id + 1 */
/* The highest id that a text or the template becomes, + 1: special tokens, which no text becomes, may lie beyond. */
size_t tokenizer_ids_end(const struct tokenizer *tokenizer);
/* As written in the vocabulary; empty for an id that nothing has. */
vsr_str tokenizer_token(const struct tokenizer *tokenizer, uint32_t id);
/* False when there is no such token. */
bool tokenizer_id(const struct tokenizer *tokenizer, vsr_str token, uint32_t *ret_id);
/* The model_max_length of tokenizer_config.json; 0: none, or not read from a directory. */
size_t tokenizer_length_max(const struct tokenizer *tokenizer);

#endif
