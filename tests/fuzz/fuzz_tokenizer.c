/* links: text */
/*
 * A hostile tokenizer file and a hostile text. The first byte says which file: 0 tokenizer.json, 1 a SentencePiece
 * model, 2 vocab.txt, 3 a SentencePiece model of an XLM-RoBERTa. Up to the marker "\n%%\n" comes the file, behind it
 * the text. Whatever loads encodes; places lie in the text, ids in the vocabulary, cuts are obeyed, and what users type
 * is no special token.
 */
#include "core/arena.h"
#include "core/assert.h"
#include "text/tokenizer_engine.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { TOKENS_MAX = 9 };

static bool is_unknown(const struct tokenizer *t, uint32_t id) {
    switch (t->kind) {
    case MODEL_WORDPIECE:
        return id == t->model.wordpiece.unk;
    case MODEL_BPE:
        return id == t->model.bpe.unk;
    case MODEL_UNIGRAM:
        return id == t->model.unigram.unk;
    case MODEL_WORD_LEVEL:
        return id == t->model.word_level.unk;
    }
    return false;
}

/* Bytes that stand for unknown characters may be special: they spell nothing. */
static bool is_byte(const struct tokenizer *t, uint32_t id) {
    vsr_str token = tokenizer_token(t, id);
    return str_starts(token, VSR_STR("<0x")) && token.len == 6;
}

static bool is_special(const struct tokenizer *t, uint32_t id) {
    bool special = false, plain = false;
    for (size_t i = 0; i < t->n_added; i++)
        if (t->added[i].id == id)
            *(t->added[i].special ? &special : &plain) = true;
    return special && !plain;
}

static void check(const struct tokenizer *t, const struct encoding *e, size_t len_first, size_t len_second) {
    for (size_t i = 0; i < e->n; i++) {
        size_t len = e->sequences[i] == 0 ? len_first : e->sequences[i] == 1 ? len_second : 0;
        VSR_ASSERT(e->starts[i] <= e->ends[i] && e->ends[i] <= len);
        VSR_ASSERT(e->ids[i] < tokenizer_vocabulary_size(t));
        if (e->sequences[i] != ENCODING_TEMPLATE)
            VSR_ASSERT(!is_special(t, e->ids[i]) || is_unknown(t, e->ids[i]) || is_byte(t, e->ids[i]));
    }
}

static void encode(const struct tokenizer *t, vsr_str text) {
    struct tokenizer_scratch *scratch = tokenizer_scratch_new();
    struct tokenizer_options options = { 0 };
    struct encoding e;
    size_t n, half = text.len / 2;
    VSR_ASSERT(tokenizer_encode(t, scratch, text, &options, &e, NULL) == 0);
    check(t, &e, text.len, 0);
    n = e.n;
    VSR_ASSERT(tokenizer_encode(t, scratch, text, &options, &e, NULL) == 0 && e.n == n); /* with a warm cache */
    options.tokens_max = TOKENS_MAX;
    if (tokenizer_encode_pair(t, scratch, str_sub(text, 0, half), str_sub(text, half, text.len), &options, &e, NULL) ==
        0) {
        VSR_ASSERT(e.n <= TOKENS_MAX);
        check(t, &e, half, text.len - half);
    }
    options.parse_special = true;
    (void)!tokenizer_encode(t, scratch, text, &options, &e, NULL);
    tokenizer_scratch_free(scratch);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct arena *arena = arena_new(0, 0);
    struct tokenizer *t = NULL;
    struct vsr_err err = VSR_ERR_NONE;
    vsr_str all = str_make((const char *)data + 1, size ? size - 1 : 0), file, text;
    ptrdiff_t marker;
    int rc = -1;
    if (size == 0)
        goto out;
    marker = str_find(all, VSR_STR("\n%%\n"));
    file = marker < 0 ? all : str_sub(all, 0, (size_t)marker);
    text = marker < 0 ? all : str_sub(all, (size_t)marker + 4, all.len);
    if (data[0] % 4 == 0)
        rc = tokenizer_from_json(arena, file, &t, &err);
    else if (data[0] % 4 == 1)
        rc = tokenizer_from_sentencepiece(arena, file, &t, &err);
    else if (data[0] % 4 == 3)
        rc = tokenizer_from_xlm_roberta(arena, file, &t, &err);
    else
        rc = tokenizer_from_vocab(arena, file, &(struct tokenizer_vocab_options){ .cased = size & 1 }, &t, &err);
    VSR_ASSERT(rc == 0 || err.text[0]);
    if (rc == 0)
        encode(t, text);
out:
    arena_free(arena);
    return 0;
}
