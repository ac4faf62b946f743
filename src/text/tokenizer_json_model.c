/* Reads the `model` of a tokenizer.json: its vocabulary, and what each kind of model needs beside it. */
#include "core/arena.h"
#include "core/utf8.h"
#include "text/tokenizer_reader.h"
#include "text/tokenizer_work.h"

enum {
    TOKENS_AHEAD = 16,   /* whose place in the vocabulary is asked for before it is needed */
    MERGES_AT_ONCE = 32, /* looked up together */
};

/* Very old files of BPE name no type. */
static int get_model_type(struct tokenizer_reader *r, json_ref ref, vsr_str *ret) {
    if (reader_get(r, ref, "type") == JSON_NONE && reader_get(r, ref, "merges") != JSON_NONE) {
        *ret = VSR_STR("BPE");
        return 0;
    }
    return reader_type(r, ref, "model", ret);
}

static json_ref next_key(const struct tokenizer_reader *r, json_ref object, json_ref key) {
    return json_next(&r->doc, object, json_next(&r->doc, object, key));
}

/* {"token": id, ...} */
static int read_tokens(struct tokenizer_reader *r, json_ref ref) {
    size_t n = 0, bytes_len = 0;
    json_ref ahead;
    if (ref == JSON_NONE || !json_is(&r->doc, ref, JSON_OBJECT))
        return reader_invalid(r, "model", "has no vocab that is an object");
    for (json_ref key = json_first(&r->doc, ref); key != JSON_NONE; key = next_key(r, ref, key)) {
        n++;
        bytes_len += r->doc.nodes[key].end - r->doc.nodes[key].start;
    }
    vocabulary_init(&r->t->vocabulary, r->arena, n, bytes_len);
    ahead = json_first(&r->doc, ref);
    n = 0;
    for (json_ref key = ahead; key != JSON_NONE; key = next_key(r, ref, key)) {
        uint32_t id;
        int rc = reader_id(r, json_next(&r->doc, ref, key), "model: vocab", &id);
        if (rc < 0)
            return rc;
        for (; ahead != JSON_NONE && n < TOKENS_AHEAD; ahead = next_key(r, ref, ahead), n++)
            vocabulary_fetch(&r->t->vocabulary, reader_text(r, ahead));
        vocabulary_put(&r->t->vocabulary, reader_text(r, key), id);
        n--;
    }
    return 0;
}

/* Id of a token that an option names; TOKEN_NONE when the option is absent. */
static int get_token(struct tokenizer_reader *r, json_ref ref, const char *key, uint32_t *ret) {
    vsr_str token;
    int rc;
    *ret = TOKEN_NONE;
    if (reader_get(r, ref, key) == JSON_NONE)
        return 0;
    if ((rc = reader_string(r, ref, "model", key, &token)) < 0)
        return rc;
    *ret = vocabulary_id(&r->t->vocabulary, token);
    for (size_t i = 0; i < r->t->n_added && *ret == TOKEN_NONE; i++)
        if (str_eq(r->t->added[i].content, token))
            *ret = r->t->added[i].id;
    if (*ret == TOKEN_NONE)
        return err_set(r->err, VSR_E_INVALID, "model: %s \"%.*s\" is in no vocabulary", key,
                       (int)(token.len < 80 ? token.len : 80), token.ptr);
    return 0;
}

/* Keys of all tokens that a text may become and that begin with `prefix`, without it. */
static int build_trie(struct tokenizer_reader *r, vsr_str prefix, struct token_trie *trie) {
    const struct vocabulary *vocabulary = &r->t->vocabulary;
    struct trie_key *keys = ARENA_ARRAY(r->own, struct trie_key, vocabulary->n);
    size_t n = 0;
    for (uint32_t id = 0; id < vocabulary->n; id++) {
        vsr_str token = vocabulary_token(vocabulary, id);
        if (!vocabulary_has(vocabulary, id) || reader_is_special(r, id) || !str_starts(token, prefix))
            continue;
        if (token.len > TRIE_KEY_LEN_MAX)
            return err_set(r->err, VSR_E_LIMIT, "model: token %u (\"%.*s...\") has more than %d bytes", id,
                           VSR_FMT(str_sub(token, 0, 60)), TRIE_KEY_LEN_MAX);
        keys[n++] = (struct trie_key){ str_sub(token, prefix.len, token.len), id };
    }
    token_trie_build(trie, r->arena, keys, n);
    return 0;
}

static int read_wordpiece(struct tokenizer_reader *r, json_ref ref) {
    struct wordpiece *model = &r->t->model.wordpiece;
    json_ref chars = reader_get(r, ref, "max_input_chars_per_word");
    vsr_str prefix = VSR_STR("##");
    int64_t chars_max = WORDPIECE_CHARS_DEFAULT;
    int rc;
    if ((rc = reader_check_keys(r, ref, "model WordPiece",
                                "type vocab unk_token continuing_subword_prefix max_input_chars_per_word")) < 0 ||
        (rc = get_token(r, ref, "unk_token", &model->unk)) < 0)
        return rc;
    if (reader_get(r, ref, "continuing_subword_prefix") != JSON_NONE &&
        (rc = reader_string(r, ref, "model", "continuing_subword_prefix", &prefix)) < 0)
        return rc;
    if (chars != JSON_NONE && (!json_i64(&r->doc, chars, &chars_max) || chars_max < 0 || chars_max > UINT32_MAX))
        return reader_invalid(r, "model", "has a max_input_chars_per_word that is no count");
    if (model->unk == TOKEN_NONE)
        return reader_invalid(r, "model WordPiece", "has no unk_token");
    r->t->kind = MODEL_WORDPIECE;
    model->chars_max = (uint32_t)chars_max;
    rc = build_trie(r, VSR_STR(""), &model->starts);
    return rc < 0 ? rc : build_trie(r, prefix, &model->continues);
}

static int read_word_level(struct tokenizer_reader *r, json_ref ref) {
    int rc = reader_check_keys(r, ref, "model WordLevel", "type vocab unk_token");
    r->t->kind = MODEL_WORD_LEVEL;
    if (rc < 0 || (rc = get_token(r, ref, "unk_token", &r->t->model.word_level.unk)) < 0)
        return rc;
    return build_trie(r, VSR_STR(""), &r->t->model.word_level.words);
}

static void find_byte_ids(const struct tokenizer_reader *r, uint32_t ids[static 256]) {
    static const char hex[] = "0123456789ABCDEF";
    for (unsigned b = 0; b < 256; b++) {
        const char name[] = { '<', '0', 'x', hex[b >> 4], hex[b & 15], '>' };
        ids[b] = vocabulary_id(&r->t->vocabulary, str_make(name, sizeof(name)));
    }
}

static void find_alphabet_ids(const struct tokenizer_reader *r, uint32_t ids[static 256]) {
    for (unsigned b = 0; b < 256; b++) {
        char c[4];
        size_t n = utf8_encode(byte_alphabet((uint8_t)b), c);
        ids[b] = vocabulary_id(&r->t->vocabulary, str_make(c, n));
        if (ids[b] != TOKEN_NONE && reader_is_special(r, ids[b]))
            ids[b] = TOKEN_NONE;
    }
}

/* "a b" or ["a", "b"]. */
static bool read_merge(struct tokenizer_reader *r, json_ref ref, vsr_str *ret_left, vsr_str *ret_right) {
    if (json_is(&r->doc, ref, JSON_ARRAY)) {
        json_ref first = json_first(&r->doc, ref);
        if (json_count(&r->doc, ref) != 2)
            return false;
        return json_str(r->own, &r->doc, first, ret_left) &&
               json_str(r->own, &r->doc, json_next(&r->doc, ref, first), ret_right);
    }
    if (!json_str(r->own, &r->doc, ref, ret_right))
        return false;
    *ret_left = str_split(ret_right, ' ');
    return ret_right->ptr && str_find_char(*ret_right, ' ') < 0;
}

enum { MERGE_LEFT, MERGE_RIGHT, MERGE_RESULT, MERGE_TOKENS };

struct merges {
    struct vocabulary_query queries[MERGES_AT_ONCE][MERGE_TOKENS];
    size_t n, first;        /* number of the first one in the file */
    struct arena_mark mark; /* before the strings of these */
};

static int merge_error(struct tokenizer_reader *r, const struct merges *merges, size_t i, const char *problem) {
    vsr_str left = merges->queries[i][MERGE_LEFT].token, right = merges->queries[i][MERGE_RIGHT].token;
    return err_set(r->err, VSR_E_INVALID, "model BPE: merge %zu (\"%.*s\" and \"%.*s\") %s", merges->first + i,
                   (int)(left.len < 60 ? left.len : 60), left.ptr, (int)(right.len < 60 ? right.len : 60), right.ptr,
                   problem);
}

static vsr_str joined(struct tokenizer_reader *r, vsr_str left, vsr_str right) {
    const struct bpe *bpe = &r->t->model.bpe;
    vsr_str tail = str_starts(right, bpe->prefix) ? str_sub(right, bpe->prefix.len, right.len) : right;
    char *bytes = arena_alloc(r->own, left.len + tail.len + 1);
    memcpy(bytes, left.ptr, left.len);
    memcpy(bytes + left.len, tail.ptr, tail.len);
    return str_make(bytes, left.len + tail.len);
}

static int add_merges(struct tokenizer_reader *r, struct merges *merges) {
    struct bpe *bpe = &r->t->model.bpe;
    vocabulary_find(&r->t->vocabulary, merges->queries[0], merges->n * MERGE_TOKENS);
    for (size_t i = 0; i < merges->n; i++) {
        const struct vocabulary_query *query = merges->queries[i];
        if (query[MERGE_LEFT].id == TOKEN_NONE || query[MERGE_RIGHT].id == TOKEN_NONE)
            return merge_error(r, merges, i, "has a part that is not in the vocabulary");
        if (query[MERGE_RESULT].id == TOKEN_NONE)
            return merge_error(r, merges, i, "gives what is not in the vocabulary");
        bpe_fetch_merge(bpe, query[MERGE_LEFT].id, query[MERGE_RIGHT].id);
    }
    for (size_t i = 0; i < merges->n; i++) {
        const struct vocabulary_query *query = merges->queries[i];
        if (reader_is_special(r, query[MERGE_RESULT].id))
            bpe_skip_merge(bpe, query[MERGE_RESULT].id);
        else
            bpe_add_merge(bpe, query[MERGE_LEFT].id, query[MERGE_RIGHT].id, query[MERGE_RESULT].id);
    }
    merges->first += merges->n;
    merges->n = 0;
    arena_rewind(r->own, merges->mark);
    return 0;
}

static int read_merges(struct tokenizer_reader *r, json_ref list) {
    struct merges merges = { .mark = arena_mark(r->own) };
    int rc = 0;
    for (json_ref item = json_first(&r->doc, list); rc == 0 && item != JSON_NONE;
         item = json_next(&r->doc, list, item)) {
        struct vocabulary_query *query = merges.queries[merges.n];
        vsr_str left = { "", 0 }, right = { "", 0 };
        if (!read_merge(r, item, &left, &right))
            return err_set(r->err, VSR_E_INVALID, "model BPE: merge %zu is neither \"a b\" nor [\"a\", \"b\"]",
                           merges.first + merges.n);
        query[MERGE_LEFT].token = left;
        query[MERGE_RIGHT].token = right;
        query[MERGE_RESULT].token = joined(r, left, right);
        if (++merges.n == MERGES_AT_ONCE)
            rc = add_merges(r, &merges);
    }
    return rc == 0 ? add_merges(r, &merges) : rc;
}

/* Whether the model can read raw bytes instead of the byte alphabet. */
static void prefer_bytes(struct tokenizer_reader *r) {
    struct splitter *splitter = &r->t->splitter;
    struct bpe *bpe = &r->t->model.bpe;
    struct split_step *last = splitter->n_steps ? &splitter->steps[splitter->n_steps - 1] : NULL;
    if (!last || last->kind != SPLIT_BYTES || bpe->byte_fallback || bpe->prefix.len || bpe->suffix.len)
        return;
    last->keep_bytes = true;
    bpe->bytes_are_chars = true;
    find_alphabet_ids(r, bpe->byte_ids);
}

static int get_affix(struct tokenizer_reader *r, json_ref ref, const char *key, vsr_str *ret) {
    int rc;
    *ret = (vsr_str){ "", 0 };
    if (reader_get(r, ref, key) == JSON_NONE)
        return 0;
    rc = reader_string(r, ref, "model", key, ret);
    if (rc == 0 && ret->len > 64)
        return err_set(r->err, VSR_E_LIMIT, "model: %s is longer than 64 bytes", key);
    return rc;
}

static int read_bpe(struct tokenizer_reader *r, json_ref ref) {
    struct bpe *bpe = &r->t->model.bpe;
    json_ref merges;
    size_t n_merges;
    int rc;
    *bpe = (struct bpe){ .vocabulary = &r->t->vocabulary, .cache_key = r->key };
    r->t->kind = MODEL_BPE;
    if ((rc = reader_check_keys(
             r, ref, "model BPE",
             "type vocab merges dropout unk_token continuing_subword_prefix end_of_word_suffix fuse_unk "
             "byte_fallback ignore_merges")) < 0 ||
        (rc = get_token(r, ref, "unk_token", &bpe->unk)) < 0 ||
        (rc = reader_bool(r, ref, "model", "fuse_unk", false, &bpe->fuse_unk)) < 0 ||
        (rc = reader_bool(r, ref, "model", "byte_fallback", false, &bpe->byte_fallback)) < 0 ||
        (rc = reader_bool(r, ref, "model", "ignore_merges", false, &bpe->ignore_merges)) < 0 ||
        (rc = get_affix(r, ref, "continuing_subword_prefix", &bpe->prefix)) < 0 ||
        (rc = get_affix(r, ref, "end_of_word_suffix", &bpe->suffix)) < 0 ||
        (rc = reader_array(r, ref, "model BPE", "merges", &merges)) < 0)
        return rc;
    n_merges = json_count(&r->doc, merges);
    if (n_merges > BPE_MERGES_MAX)
        return err_set(r->err, VSR_E_LIMIT, "model BPE: more than %d merges", BPE_MERGES_MAX);
    bpe->special = r->special;
    bpe->n_special = r->n_special;
    find_byte_ids(r, bpe->byte_ids);
    prefer_bytes(r);
    bpe_init(bpe, r->arena, n_merges);
    if ((rc = read_merges(r, merges)) < 0)
        return rc;
    bpe_finish(bpe);
    return 0;
}

/* [["piece", score], ...]; the id is the place in the list. */
static int read_pieces(struct tokenizer_reader *r, json_ref list, double **ret_scores) {
    size_t n = json_count(&r->doc, list), bytes_len = r->doc.nodes[list].end - r->doc.nodes[list].start;
    uint32_t id = 0;
    if (n > TOKENIZER_VOCABULARY_MAX)
        return err_set(r->err, VSR_E_LIMIT, "model Unigram: more than %d pieces", TOKENIZER_VOCABULARY_MAX);
    *ret_scores = ARENA_ARRAY(r->arena, double, n + 1);
    vocabulary_init(&r->t->vocabulary, r->arena, n, bytes_len);
    for (json_ref item = json_first(&r->doc, list); item != JSON_NONE; item = json_next(&r->doc, list, item), id++) {
        json_ref piece = json_is(&r->doc, item, JSON_ARRAY) ? json_first(&r->doc, item) : JSON_NONE;
        json_ref score = piece == JSON_NONE ? JSON_NONE : json_next(&r->doc, item, piece);
        if (piece == JSON_NONE || !json_is(&r->doc, piece, JSON_STRING) || score == JSON_NONE ||
            !json_double(&r->doc, score, &(*ret_scores)[id]))
            return err_set(r->err, VSR_E_INVALID, "model Unigram: piece %u is not [\"piece\", score]", id);
        vocabulary_put(&r->t->vocabulary, reader_text(r, piece), id);
    }
    return 0;
}

static int read_unigram(struct tokenizer_reader *r, json_ref ref) {
    struct unigram *model = &r->t->model.unigram;
    json_ref unk = reader_get(r, ref, "unk_id");
    double least = 0;
    int rc;
    if ((rc = reader_check_keys(r, ref, "model Unigram", "type vocab unk_id byte_fallback")) < 0 ||
        (rc = reader_bool(r, ref, "model", "byte_fallback", false, &model->byte_fallback)) < 0)
        return rc;
    model->unk = TOKEN_NONE;
    if (unk != JSON_NONE && (rc = reader_id(r, unk, "model Unigram: unk_id", &model->unk)) < 0)
        return rc;
    if (model->unk != TOKEN_NONE && !vocabulary_has(&r->t->vocabulary, model->unk))
        return reader_invalid(r, "model Unigram", "has an unk_id that no piece has");
    for (uint32_t id = 0; id < r->t->vocabulary.n; id++)
        least = id == 0 || model->scores[id] < least ? model->scores[id] : least;
    r->t->kind = MODEL_UNIGRAM;
    model->vocabulary = &r->t->vocabulary;
    model->unk_score = least - 10;
    model->special = r->special;
    find_byte_ids(r, model->byte_ids);
    return build_trie(r, VSR_STR(""), &model->trie);
}

int reader_read_vocabulary(struct tokenizer_reader *r) {
    json_ref ref = reader_get(r, 0, "model"), list;
    double *scores = NULL;
    vsr_str type;
    int rc;
    if (ref == JSON_NONE || !json_is(&r->doc, ref, JSON_OBJECT))
        return reader_invalid(r, "model", "is missing or no object");
    if ((rc = get_model_type(r, ref, &type)) < 0)
        return rc;
    if (!str_eq_c(type, "Unigram"))
        return read_tokens(r, reader_get(r, ref, "vocab"));
    if ((rc = reader_array(r, ref, "model Unigram", "vocab", &list)) < 0 || (rc = read_pieces(r, list, &scores)) < 0)
        return rc;
    r->t->model.unigram = (struct unigram){ .scores = scores };
    return 0;
}

int reader_read_model(struct tokenizer_reader *r) {
    static const struct {
        const char *type;
        int (*read)(struct tokenizer_reader *r, json_ref ref);
    } readers[] = {
        { "WordPiece", read_wordpiece },
        { "BPE", read_bpe },
        { "Unigram", read_unigram },
        { "WordLevel", read_word_level },
    };
    json_ref ref = reader_get(r, 0, "model");
    vsr_str type;
    int rc = get_model_type(r, ref, &type);
    if (rc < 0)
        return rc;
    for (size_t i = 0; i < VSR_COUNT(readers); i++)
        if (str_eq_c(type, readers[i].type))
            return readers[i].read(r, ref);
    return reader_unknown_type(r, "model", type);
}
