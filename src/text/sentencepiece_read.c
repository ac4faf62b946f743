/*
 * Reads a SentencePiece ModelProto: of its fields the pieces, and what of the trainer's and the normalizer's
 * specification bears on encoding. The wire format is tag, then a varint, eight bytes, a length and bytes, or four
 * bytes.
 */
#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "core/arena.h"
#include "core/bits.h"
#include "core/utf8.h"
#include "text/tokenizer_engine.h"
#include "text/tokenizer_work.h"

enum {
    PIECE_LEN_MAX = 256, /* of a piece that is merged: bounds the ways to take it apart */
    PARTS_MAX = 1 << 16,
};

enum wire { WIRE_VARINT = 0, WIRE_64 = 1, WIRE_BYTES = 2, WIRE_32 = 5 };

enum piece_type { PIECE_NORMAL = 1, PIECE_UNKNOWN, PIECE_CONTROL, PIECE_USER_DEFINED, PIECE_UNUSED, PIECE_BYTE };

enum model_type { MODEL_TYPE_UNIGRAM = 1, MODEL_TYPE_BPE = 2 };

struct field {
    uint32_t number;
    enum wire wire;
    uint64_t value; /* VARINT, 64, 32 */
    vsr_str bytes;  /* BYTES */
};

struct piece {
    vsr_str text;
    float score;
    enum piece_type type;
};

struct reader {
    struct arena *arena; /* of the tokenizer */
    struct arena *own;
    struct tokenizer *t;
    struct vsr_err *err;
    struct sentencepiece *model;
    struct piece *pieces;
    size_t n, cap;
    uint64_t model_type;
    bool byte_fallback;
    bool fairseq;     /* ids are as fairseq orders them */
    int64_t bos, eos; /* -1: none */
    uint32_t unk;
    uint64_t key;
};

static bool read_varint(vsr_str *rest, uint64_t *ret) {
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 70 && rest->len; shift += 7) {
        uint8_t c = (uint8_t)rest->ptr[0];
        *rest = str_sub(*rest, 1, rest->len);
        if (shift < 64)
            value |= (uint64_t)(c & 0x7F) << shift;
        if (c < 0x80) {
            *ret = value;
            return true;
        }
    }
    return false;
}

static bool read_fixed(vsr_str *rest, size_t len, uint64_t *ret) {
    if (rest->len < len)
        return false;
    *ret = 0;
    for (size_t i = 0; i < len; i++)
        *ret |= (uint64_t)(uint8_t)rest->ptr[i] << (8 * i);
    *rest = str_sub(*rest, len, rest->len);
    return true;
}

/* The next field of a message. False when the bytes are none. */
static bool next_field(vsr_str *rest, struct field *ret) {
    uint64_t tag, len;
    *ret = (struct field){ 0 };
    if (!read_varint(rest, &tag) || tag >> 3 == 0 || tag >> 3 > UINT32_MAX)
        return false;
    ret->number = (uint32_t)(tag >> 3);
    ret->wire = (enum wire)(tag & 7);
    switch (ret->wire) {
    case WIRE_VARINT:
        return read_varint(rest, &ret->value);
    case WIRE_64:
        return read_fixed(rest, 8, &ret->value);
    case WIRE_32:
        return read_fixed(rest, 4, &ret->value);
    case WIRE_BYTES:
        if (!read_varint(rest, &len) || len > rest->len)
            return false;
        ret->bytes = str_sub(*rest, 0, (size_t)len);
        *rest = str_sub(*rest, (size_t)len, rest->len);
        return true;
    }
    return false;
}

static int broken(const struct reader *r, const char *what) {
    return err_set(r->err, VSR_E_INVALID, "SentencePiece model: %s is broken or cut off; is this a SentencePiece file?",
                   what);
}

static int read_piece(struct reader *r, vsr_str message) {
    struct piece piece = { .type = PIECE_NORMAL };
    struct field field;
    while (message.len) {
        if (!next_field(&message, &field))
            return broken(r, "a piece");
        if (field.number == 1 && field.wire == WIRE_BYTES) {
            piece.text = field.bytes;
        } else if (field.number == 2 && field.wire == WIRE_32) {
            uint32_t bits = (uint32_t)field.value;
            memcpy(&piece.score, &bits, sizeof(bits));
        } else if (field.number == 3 && field.wire == WIRE_VARINT) {
            if (field.value < PIECE_NORMAL || field.value > PIECE_BYTE)
                return err_set(r->err, VSR_E_INVALID, "SentencePiece model: piece %zu has the unknown type %llu", r->n,
                               (unsigned long long)field.value);
            piece.type = (enum piece_type)field.value;
        }
    }
    if (r->n == TOKENIZER_VOCABULARY_MAX)
        return err_set(r->err, VSR_E_LIMIT, "SentencePiece model: more than %d pieces", TOKENIZER_VOCABULARY_MAX);
    if (piece.text.len == 0 || utf8_check(piece.text) != piece.text.len || !isfinite(piece.score))
        return err_set(r->err, VSR_E_INVALID, "SentencePiece model: piece %zu is empty, no UTF-8, or has no score",
                       r->n);
    if (piece.text.len > TRIE_KEY_LEN_MAX)
        return err_set(r->err, VSR_E_LIMIT, "SentencePiece model: piece %zu has more than %d bytes", r->n,
                       TRIE_KEY_LEN_MAX);
    r->pieces = arena_grow(r->own, r->pieces, sizeof(piece), r->n, &r->cap);
    r->pieces[r->n++] = piece;
    return 0;
}

static int read_trainer(struct reader *r, vsr_str message) {
    struct field field;
    while (message.len) {
        if (!next_field(&message, &field))
            return broken(r, "trainer_spec");
        if (field.wire != WIRE_VARINT)
            continue;
        switch (field.number) {
        case 3:
            r->model_type = field.value;
            break;
        case 24:
            r->model->whitespace_as_suffix = field.value != 0;
            break;
        case 35:
            r->byte_fallback = field.value != 0;
            break;
        case 41:
            r->bos = (int32_t)field.value;
            break;
        case 42:
            r->eos = (int32_t)field.value;
            break;
        default:
            break;
        }
    }
    return 0;
}

static int read_normalizer(struct reader *r, vsr_str message) {
    struct field field;
    while (message.len) {
        if (!next_field(&message, &field))
            return broken(r, "normalizer_spec");
        if (field.number == 2 && field.wire == WIRE_BYTES && field.bytes.len) {
            int rc = charsmap_read(r->arena, field.bytes, &r->model->charsmap, r->err);
            if (rc < 0)
                return rc;
        }
        if (field.wire != WIRE_VARINT)
            continue;
        if (field.number == 3)
            r->model->add_dummy_prefix = field.value != 0;
        else if (field.number == 4)
            r->model->remove_extra_whitespaces = field.value != 0;
        else if (field.number == 5)
            r->model->escape_whitespaces = field.value != 0;
    }
    return 0;
}

static int read_model(struct reader *r, vsr_str message) {
    struct field field;
    while (message.len) {
        int rc = 0;
        if (!next_field(&message, &field))
            return broken(r, "the file");
        if (field.wire != WIRE_BYTES)
            continue;
        if (field.number == 1)
            rc = read_piece(r, field.bytes);
        else if (field.number == 2)
            rc = read_trainer(r, field.bytes);
        else if (field.number == 3)
            rc = read_normalizer(r, field.bytes);
        if (rc < 0)
            return rc;
    }
    return r->n ? 0 : broken(r, "the list of pieces");
}

/* ---- XLM-RoBERTa: ids of fairseq */

enum { FAIRSEQ_FIRST = 4, FAIRSEQ_MORE = 2, SENTENCEPIECE_FIRST = 3 };

static bool is_piece(const struct piece *piece, const char *text, enum piece_type type) {
    return str_eq_c(piece->text, text) && piece->type == type;
}

/* <unk> <s> </s> and the rest become <s> <pad> </s> <unk>, the rest, <mask>. */
static int order_as_fairseq(struct reader *r) {
    static const struct piece first[FAIRSEQ_FIRST] = { { VSR_STR_INIT("<s>"), 0, PIECE_CONTROL },
                                                       { VSR_STR_INIT("<pad>"), 0, PIECE_CONTROL },
                                                       { VSR_STR_INIT("</s>"), 0, PIECE_CONTROL },
                                                       { VSR_STR_INIT("<unk>"), 0, PIECE_UNKNOWN } };
    struct piece *pieces;
    if (r->n < SENTENCEPIECE_FIRST || !is_piece(&r->pieces[0], "<unk>", PIECE_UNKNOWN) ||
        !is_piece(&r->pieces[1], "<s>", PIECE_CONTROL) || !is_piece(&r->pieces[2], "</s>", PIECE_CONTROL))
        return err_set(
            r->err, VSR_E_INVALID,
            "SentencePiece model: it does not begin with <unk>, <s> and </s>, as that of an XLM-RoBERTa; use "
            "the tokenizer.json of this model");
    if (r->n + FAIRSEQ_MORE > TOKENIZER_VOCABULARY_MAX)
        return err_set(r->err, VSR_E_LIMIT, "SentencePiece model: more than %d pieces",
                       TOKENIZER_VOCABULARY_MAX - FAIRSEQ_MORE);
    pieces = ARENA_ARRAY(r->own, struct piece, r->n + FAIRSEQ_MORE);
    memcpy(pieces, first, sizeof(first));
    memcpy(pieces + FAIRSEQ_FIRST, r->pieces + SENTENCEPIECE_FIRST, (r->n - SENTENCEPIECE_FIRST) * sizeof(*pieces));
    pieces[r->n + 1] = (struct piece){ VSR_STR("<mask>"), 0, PIECE_CONTROL };
    r->pieces = pieces;
    r->n += FAIRSEQ_MORE;
    r->bos = 0;
    r->eos = 2;
    return 0;
}

/* ---- from pieces to a tokenizer */

static uint64_t *new_bits(const struct reader *r) {
    return ARENA_ARRAY(r->arena, uint64_t, BITS_WORDS(r->n + 1));
}

static int fill_vocabulary(struct reader *r) {
    struct vocabulary *vocabulary = &r->t->vocabulary;
    size_t bytes_len = 0;
    r->unk = TOKEN_NONE;
    for (size_t i = 0; i < r->n; i++)
        bytes_len += r->pieces[i].text.len;
    vocabulary_init(vocabulary, r->arena, r->n, bytes_len);
    for (size_t i = 0; i < r->n; i++) {
        if (vocabulary_id(vocabulary, r->pieces[i].text) != TOKEN_NONE)
            return err_set(r->err, VSR_E_INVALID, "SentencePiece model: piece %zu stands in it twice", i);
        vocabulary_put(vocabulary, r->pieces[i].text, (uint32_t)i);
        if (r->pieces[i].type != PIECE_UNKNOWN)
            continue;
        if (r->unk != TOKEN_NONE)
            return err_set(r->err, VSR_E_INVALID, "SentencePiece model: pieces %u and %zu are both unknown", r->unk, i);
        r->unk = (uint32_t)i;
    }
    if (r->unk == TOKEN_NONE)
        return err_set(r->err, VSR_E_INVALID, "SentencePiece model: no piece is of type UNKNOWN");
    return 0;
}

static int find_bytes(const struct reader *r, uint32_t ids[static 256]) {
    for (unsigned b = 0; b < 256; b++) {
        char name[8];
        (void)snprintf(name, sizeof(name), "<0x%02X>", b);
        ids[b] = vocabulary_id(&r->t->vocabulary, str_from_c(name));
        if (r->byte_fallback && (ids[b] == TOKEN_NONE || r->pieces[ids[b]].type != PIECE_BYTE))
            return err_set(r->err, VSR_E_INVALID, "SentencePiece model: byte_fallback without a byte piece %s", name);
    }
    return 0;
}

static bool is_text(const struct piece *piece) {
    return piece->type == PIECE_NORMAL || piece->type == PIECE_USER_DEFINED || piece->type == PIECE_UNUSED;
}

/* Bits of the pieces that no text leads to. */
static const uint64_t *special_bits(const struct reader *r) {
    uint64_t *bits = new_bits(r);
    for (size_t i = 0; i < r->n; i++)
        if (!is_text(&r->pieces[i]))
            bits_add(bits, i);
    return bits;
}

/* NULL when there is none. */
static uint64_t *type_bits(const struct reader *r, enum piece_type type) {
    uint64_t *bits = new_bits(r);
    bool any = false;
    for (size_t i = 0; i < r->n; i++)
        if (r->pieces[i].type == type) {
            bits_add(bits, i);
            any = true;
        }
    return any ? bits : NULL;
}

static const struct token_trie *build_user_defined(const struct reader *r) {
    struct token_trie *trie = ARENA_NEW(r->arena, struct token_trie);
    struct trie_key *keys = ARENA_ARRAY(r->own, struct trie_key, r->n);
    size_t n = 0;
    for (size_t i = 0; i < r->n; i++)
        if (r->pieces[i].type == PIECE_USER_DEFINED)
            keys[n++] = (struct trie_key){ r->pieces[i].text, (uint32_t)i };
    if (n == 0)
        return NULL;
    token_trie_build(trie, r->arena, keys, n);
    return trie;
}

struct ranked {
    float score;
    uint32_t id;
};

static int compare_ranked(const void *a, const void *b) {
    const struct ranked *left = a, *right = b;
    if (left->score != right->score)
        return left->score > right->score ? -1 : 1;
    return left->id < right->id ? -1 : left->id > right->id;
}

/* Place of each piece by its score, the best first, equal ones together. */
static uint32_t *rank_pieces(const struct reader *r) {
    struct ranked *order = ARENA_ARRAY(r->own, struct ranked, r->n);
    uint32_t *ranks = ARENA_ARRAY(r->own, uint32_t, r->n), rank = 0;
    for (size_t i = 0; i < r->n; i++)
        order[i] = (struct ranked){ r->pieces[i].score, (uint32_t)i };
    qsort(order, r->n, sizeof(*order), compare_ranked);
    for (size_t i = 0; i < r->n; i++) {
        rank += i > 0 && order[i].score != order[i - 1].score;
        ranks[order[i].id] = rank;
    }
    return ranks;
}

/* The symbol that `text` would be: a piece, or a single character, which gets a number of its own when it is no piece.
 */
static bool symbol_of(struct reader *r, vsr_str text, uint32_t *ret) {
    struct bpe *bpe = &r->t->model.bpe;
    uint32_t id = vocabulary_id(&r->t->vocabulary, text), part;
    if (id != TOKEN_NONE && is_text(&r->pieces[id])) {
        *ret = id;
        return r->pieces[id].type != PIECE_USER_DEFINED;
    }
    if (token_char_len(text.ptr[0]) != text.len)
        return false;
    part = vocabulary_id(&bpe->parts, text);
    if (part == TOKEN_NONE) {
        part = (uint32_t)bpe->n_parts++;
        vocabulary_put(&bpe->parts, text, part);
    }
    *ret = (uint32_t)r->n + part;
    return true;
}

struct pair {
    uint32_t left, right, result;
};

static int collect_pairs(struct reader *r, struct pair **ret_pairs, size_t *ret_n) {
    struct pair *pairs = NULL;
    size_t n = 0, cap = 0;
    for (uint32_t id = 0; id < r->n; id++) {
        vsr_str text = r->pieces[id].text;
        if (!is_text(&r->pieces[id]) || r->pieces[id].type == PIECE_USER_DEFINED)
            continue;
        if (text.len > PIECE_LEN_MAX)
            return err_set(r->err, VSR_E_LIMIT, "SentencePiece model: piece %u has more than %d bytes", id,
                           PIECE_LEN_MAX);
        for (size_t at = token_char_len(text.ptr[0]); at < text.len; at += token_char_len(text.ptr[at])) {
            struct pair pair = { .result = id };
            if (!symbol_of(r, str_sub(text, 0, at), &pair.left) ||
                !symbol_of(r, str_sub(text, at, text.len), &pair.right))
                continue;
            if (n == BPE_MERGES_MAX || r->t->model.bpe.n_parts > PARTS_MAX)
                return err_set(r->err, VSR_E_LIMIT, "SentencePiece model: more than %d ways to put pieces together",
                               BPE_MERGES_MAX);
            pairs = arena_grow(r->own, pairs, sizeof(pair), n, &cap);
            pairs[n++] = pair;
        }
    }
    *ret_pairs = pairs;
    *ret_n = n;
    return 0;
}

static int build_bpe(struct reader *r) {
    struct bpe *bpe = &r->t->model.bpe;
    struct pair *pairs = NULL;
    uint32_t *ranks = rank_pieces(r), *priorities;
    size_t n = 0;
    int rc;
    *bpe = (struct bpe){ .vocabulary = &r->t->vocabulary,
                         .unk = r->unk,
                         .sentencepiece = true,
                         .byte_fallback = r->byte_fallback,
                         .special = special_bits(r),
                         .n_special = r->n,
                         .frozen = r->model->user_defined,
                         .unused = type_bits(r, PIECE_UNUSED),
                         .cache_key = r->key };
    r->t->kind = MODEL_BPE;
    vocabulary_init(&bpe->parts, r->arena, 0, 0);
    if ((rc = find_bytes(r, bpe->byte_ids)) < 0 || (rc = collect_pairs(r, &pairs, &n)) < 0)
        return rc;
    if (r->n + bpe->n_parts > TOKENIZER_VOCABULARY_MAX)
        return err_set(r->err, VSR_E_LIMIT, "SentencePiece model: more than %d symbols", TOKENIZER_VOCABULARY_MAX);
    bpe_init(bpe, r->arena, n);
    priorities = ARENA_ARRAY(r->arena, uint32_t, n + 1);
    for (size_t i = 0; i < n; i++) {
        priorities[i] = ranks[pairs[i].result];
        bpe_add_merge(bpe, pairs[i].left, pairs[i].right, pairs[i].result);
    }
    bpe->priorities = priorities;
    bpe_finish(bpe);
    return 0;
}

static int build_unigram(struct reader *r) {
    struct unigram *model = &r->t->model.unigram;
    struct trie_key *keys = ARENA_ARRAY(r->own, struct trie_key, r->n);
    double *scores = ARENA_ARRAY(r->arena, double, r->n);
    float least = FLT_MAX, most = FLT_MIN; /* as the library begins, though FLT_MIN is no least score */
    size_t n = 0;
    for (size_t i = 0; i < r->n; i++) {
        const struct piece *piece = &r->pieces[i];
        scores[i] = (double)piece->score;
        if (piece->type == PIECE_NORMAL) {
            least = piece->score < least ? piece->score : least;
            most = piece->score > most ? piece->score : most;
        }
        if (is_text(piece) && piece->type != PIECE_UNUSED)
            keys[n++] = (struct trie_key){ piece->text, (uint32_t)i };
    }
    *model = (struct unigram){ .vocabulary = &r->t->vocabulary,
                               .scores = scores,
                               .unk = r->unk,
                               .unk_score = (double)(least - 10.0f),
                               .byte_fallback = r->byte_fallback,
                               .special = special_bits(r),
                               .sentencepiece = true,
                               .score_max = (double)most,
                               .user_defined = type_bits(r, PIECE_USER_DEFINED) };
    r->t->kind = MODEL_UNIGRAM;
    token_trie_build(&model->trie, r->arena, keys, n);
    return find_bytes(r, model->byte_ids);
}

static bool control_id(const struct reader *r, vsr_str name, uint32_t *ret) {
    *ret = vocabulary_id(&r->t->vocabulary, name);
    return *ret != TOKEN_NONE && r->pieces[*ret].type == PIECE_CONTROL;
}

/* XLM-RoBERTa's, or [CLS] A [SEP] B [SEP] where the file has these, else each text behind the token that begins one, as
 * Llama and Gemma want it; without one, before the token that ends a text, as T5 does. */
static void build_template(struct reader *r) {
    struct template_ends ends = { .first = r->t->bos, .last = TOKEN_NONE, .second = r->t->bos, .second_type = 1 };
    uint32_t cls, sep;
    if (r->fairseq)
        ends = (struct template_ends){ .first = r->t->bos, .last = r->t->eos, .second = r->t->eos };
    else if (control_id(r, VSR_STR("[CLS]"), &cls) && control_id(r, VSR_STR("[SEP]"), &sep))
        ends = (struct template_ends){ .first = cls, .last = sep, .second = TOKEN_NONE, .second_type = 1 };
    else if (r->t->bos == TOKEN_NONE)
        ends = (struct template_ends){ .first = TOKEN_NONE, .last = r->t->eos, .second = TOKEN_NONE };
    token_template_around(&r->t->template, r->arena, ends);
}

static int build(struct reader *r) {
    int rc = r->fairseq ? order_as_fairseq(r) : 0;
    if (rc == 0)
        rc = fill_vocabulary(r);
    if (rc < 0)
        return rc;
    r->model->user_defined = build_user_defined(r);
    r->t->bos = r->bos >= 0 && (size_t)r->bos < r->n ? (uint32_t)r->bos : TOKEN_NONE;
    r->t->eos = r->eos >= 0 && (size_t)r->eos < r->n ? (uint32_t)r->eos : TOKEN_NONE;
    build_template(r);
    if (r->model_type == MODEL_TYPE_UNIGRAM)
        return build_unigram(r);
    if (r->model_type == MODEL_TYPE_BPE)
        return build_bpe(r);
    return err_set(r->err, VSR_E_INVALID, "SentencePiece model: model_type %llu is neither UNIGRAM (1) nor BPE (2)",
                   (unsigned long long)r->model_type);
}

static int read_file(struct arena *arena, vsr_str model, bool fairseq, struct tokenizer **ret, struct vsr_err *err) {
    struct reader r = {
        .arena = arena, .err = err, .fairseq = fairseq, .model_type = MODEL_TYPE_UNIGRAM, .bos = 1, .eos = 2
    };
    int rc;
    if (model.len > TOKENIZER_FILE_LEN_MAX)
        return err_set(err, VSR_E_LIMIT, "a SentencePiece model of %zu bytes is longer than %d", model.len,
                       TOKENIZER_FILE_LEN_MAX);
    r.own = arena_new(1 << 20, 0);
    r.t = ARENA_NEW(arena, struct tokenizer);
    r.model = ARENA_NEW(arena, struct sentencepiece);
    r.model->add_dummy_prefix = r.model->remove_extra_whitespaces = r.model->escape_whitespaces = true;
    r.t->arena = arena;
    r.t->sentencepiece = r.model;
    r.key = str_hash(model, fairseq ? 3 : 2) | 1;
    normalizer_init(&r.t->normalizer);
    rc = read_model(&r, model);
    if (rc == 0)
        rc = build(&r);
    if (rc == 0)
        rc = tokenizer_build_added(r.t, err);
    if (rc == 0)
        *ret = r.t;
    arena_free(r.own);
    return rc;
}

int tokenizer_from_sentencepiece(struct arena *arena, vsr_str model, struct tokenizer **ret, struct vsr_err *err) {
    return read_file(arena, model, false, ret, err);
}

int tokenizer_from_xlm_roberta(struct arena *arena, vsr_str model, struct tokenizer **ret, struct vsr_err *err) {
    return read_file(arena, model, true, ret, err);
}
