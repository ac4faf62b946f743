#include "text/tokenizer.h"

#include "core/arena.h"
#include "core/bits.h"
#include "core/mem.h"
#include "core/utf8.h"
#include "text/tokenizer_engine.h"
#include "text/tokenizer_work.h"
#include "text/unicode.h"

struct tokenizer_scratch {
    struct tokenizer_work work;
    /* the encoding handed out */
    uint32_t *ids, *starts, *ends;
    uint8_t *types, *sequences;
    size_t cap;
};

enum {
    ENCODING_KEPT_MAX = 1 << 16, /* tokens: twice as many as the longest context */
    TOKEN_SIZE = 3 * sizeof(uint32_t) + 2,
};

struct tokenizer_scratch *tokenizer_scratch_new(void) {
    return MEM_NEW(struct tokenizer_scratch);
}

static void free_encoding(struct tokenizer_scratch *scratch) {
    mem_free(scratch->ids);
    mem_free(scratch->starts);
    mem_free(scratch->ends);
    mem_free(scratch->types);
    mem_free(scratch->sequences);
    *scratch = (struct tokenizer_scratch){ .work = scratch->work };
}

void tokenizer_scratch_free(struct tokenizer_scratch *scratch) {
    if (!scratch)
        return;
    tokenizer_work_done(&scratch->work);
    free_encoding(scratch);
    mem_free(scratch);
}

size_t tokenizer_scratch_size(const struct tokenizer_scratch *scratch) {
    return scratch->work.held + scratch->cap * TOKEN_SIZE;
}

/* Length of the ill-formed part at `pos`: the longest beginning of a code point there, at least one byte. */
static size_t ill_formed_len(vsr_str text, size_t pos) {
    const uint8_t *p = (const uint8_t *)text.ptr + pos;
    size_t left = text.len - pos, want, n = 1;
    uint8_t low = 0x80, high = 0xBF;
    if (p[0] < 0xC2 || p[0] > 0xF4)
        return 1;
    want = p[0] < 0xE0 ? 2 : p[0] < 0xF0 ? 3 : 4;
    if (p[0] == 0xE0)
        low = 0xA0;
    else if (p[0] == 0xED)
        high = 0x9F;
    else if (p[0] == 0xF0)
        low = 0x90;
    else if (p[0] == 0xF4)
        high = 0x8F;
    for (; n < want && n < left && p[n] >= low && p[n] <= high; n++) {
        low = 0x80;
        high = 0xBF;
    }
    return n;
}

/* The text as valid UTF-8: itself where it is, else a copy with U+FFFD for each ill-formed part. */
static struct token_text clean_text(struct tokenizer_work *work, vsr_str text) {
    struct token_text raw = { .ptr = text.ptr, .len = text.len };
    size_t bad = utf8_check(text), done = 0;
    if (bad == text.len)
        return raw;
    work->clean.len = 0;
    while (bad < text.len && !work->failed) {
        size_t n = ill_formed_len(text, bad);
        token_out_copy(work, &work->clean, &raw, done, bad);
        token_out_bytes(work, &work->clean, VSR_STR("\xEF\xBF\xBD"), (uint32_t)bad, (uint32_t)(bad + n));
        done = bad + n;
        bad = done + utf8_check(str_sub(text, done, text.len));
    }
    token_out_copy(work, &work->clean, &raw, done, text.len);
    return token_out_text(&work->clean);
}

static void encode_piece(const struct tokenizer *t, struct tokenizer_work *work, const struct token_text *text,
                         size_t start, size_t end) {
    switch (t->kind) {
    case MODEL_WORDPIECE:
        wordpiece_encode(&t->model.wordpiece, work, text, start, end);
        break;
    case MODEL_BPE:
        bpe_encode(&t->model.bpe, work, text, start, end);
        break;
    case MODEL_UNIGRAM:
        unigram_encode(&t->model.unigram, work, text, start, end);
        break;
    case MODEL_WORD_LEVEL:
        word_level_encode(&t->model.word_level, work, text, start, end);
        break;
    }
}

/* A part of a normalised text without added tokens. */
static void encode_words(const struct tokenizer *t, struct tokenizer_work *work, struct token_text text) {
    const struct token_spans *pieces;
    if (text.len == 0)
        return;
    work->stage = 1;
    work->turn = 0;
    pieces = splitter_run(&t->splitter, work, &text);
    for (size_t i = 0; i < pieces->n && !work->failed; i++)
        encode_piece(t, work, &text, pieces->at[i].start, pieces->at[i].end);
}

static void encode_normalized(const struct tokenizer *t, struct tokenizer_work *work, const struct token_text *text,
                              bool special) {
    struct added_match match;
    size_t done = 0, pos = 0;
    while (!work->failed && added_matcher_find(&t->normalized, text, special, done, &pos, &match)) {
        if (match.start > done)
            encode_words(t, work, token_text_sub(text, done, match.start));
        token_push(work, text, match.id, match.start, match.end);
        done = match.end;
    }
    encode_words(t, work, token_text_sub(text, done, text->len));
}

/* A part of the original without raw added tokens. */
static void encode_part(const struct tokenizer *t, struct tokenizer_work *work, struct token_text text, bool special) {
    if (text.len == 0)
        return;
    work->stage = 0;
    work->turn = 0;
    if (t->sentencepiece) {
        sentencepiece_normalize(t->sentencepiece, work, &text);
        if (!work->failed && text.len)
            encode_piece(t, work, &text, 0, text.len);
        return;
    }
    normalizer_run(&t->normalizer, work, &text);
    if (!work->failed)
        encode_normalized(t, work, &text, special);
}

/* Offsets without the white space at the ends of tokens. */
static void trim_offsets(const struct tokenizer *t, struct token_list *list, size_t first) {
    for (size_t i = first; i < list->n; i++) {
        vsr_str token = vocabulary_token(&t->vocabulary, list->ids[i]);
        uint32_t leading = 0, trailing = 0;
        size_t end = token.len;
        for (size_t next = 0; next < token.len; leading++) {
            uint32_t cp = token_decode(token.ptr, &next);
            if (cp != 0x120 && !unicode_is_space(cp))
                break;
        }
        while (end > 0) {
            size_t at = end, next;
            uint32_t cp;
            do
                at--;
            while (((uint8_t)token.ptr[at] & 0xC0) == 0x80);
            next = at;
            cp = token_decode(token.ptr, &next);
            if (cp != 0x120 && !unicode_is_space(cp))
                break;
            end = at;
            trailing++;
        }
        if (t->template.trims_after_space && leading == 1 && (i == first || list->starts[i] == 0))
            leading = 0;
        list->starts[i] = list->ends[i] - list->starts[i] < leading ? list->ends[i] : list->starts[i] + leading;
        list->ends[i] = list->ends[i] - list->starts[i] < trailing ? list->starts[i] : list->ends[i] - trailing;
    }
}

static int encode_text(const struct tokenizer *t, struct tokenizer_work *work, vsr_str text, bool special,
                       struct vsr_err *err) {
    struct token_text whole;
    struct added_match match;
    size_t done = 0, pos = 0, first = work->tokens.n;
    if (text.len > TOKENIZER_TEXT_LEN_MAX)
        return err_set(err, VSR_E_LIMIT, "a text of %zu bytes is longer than the %d that are read", text.len,
                       TOKENIZER_TEXT_LEN_MAX);
    whole = clean_text(work, text.ptr ? text : VSR_STR(""));
    while (!work->failed && added_matcher_find(&t->raw, &whole, special, done, &pos, &match)) {
        if (match.start > done)
            encode_part(t, work, token_text_sub(&whole, done, match.start), special);
        token_push(work, &whole, match.id, match.start, match.end);
        done = match.end;
    }
    if (!work->failed)
        encode_part(t, work, token_text_sub(&whole, done, whole.len), special);
    if (work->failed == VSR_E_LIMIT)
        return err_set(err, VSR_E_LIMIT, "a text of %zu bytes grows past the %d that are read once it is normalised",
                       text.len, TOKEN_TEXT_LEN_MAX);
    if (work->failed)
        return err_set(err, VSR_E_NOMEM, "no memory to tokenize a text of %zu bytes", text.len);
    if (t->template.trims)
        trim_offsets(t, &work->tokens, first);
    return 0;
}

static int reserve_encoding(struct tokenizer_scratch *scratch, size_t n, struct vsr_err *err) {
    size_t cap = n < 64 ? 64 : n;
    if (n <= scratch->cap)
        return 0;
    if (cap < scratch->cap * 2)
        cap = scratch->cap * 2;
    free_encoding(scratch);
    scratch->ids = mem_try_realloc(NULL, cap * sizeof(*scratch->ids));
    scratch->starts = mem_try_realloc(NULL, cap * sizeof(*scratch->starts));
    scratch->ends = mem_try_realloc(NULL, cap * sizeof(*scratch->ends));
    scratch->types = mem_try_realloc(NULL, cap);
    scratch->sequences = mem_try_realloc(NULL, cap);
    if (!scratch->ids || !scratch->starts || !scratch->ends || !scratch->types || !scratch->sequences) {
        free_encoding(scratch);
        return err_set(err, VSR_E_NOMEM, "no memory for %zu tokens", n);
    }
    scratch->cap = cap;
    return 0;
}

/* A run of the tokens found, from `first` on. */
static void write_sequence(struct tokenizer_scratch *scratch, size_t *n, size_t first, size_t count, uint8_t type,
                           uint8_t sequence) {
    const struct token_list *from = &scratch->work.tokens;
    if (count == 0)
        return;
    memcpy(scratch->ids + *n, from->ids + first, count * sizeof(uint32_t));
    memcpy(scratch->starts + *n, from->starts + first, count * sizeof(uint32_t));
    memcpy(scratch->ends + *n, from->ends + first, count * sizeof(uint32_t));
    memset(scratch->types + *n, type, count);
    memset(scratch->sequences + *n, sequence, count);
    *n += count;
}

static void write_token(struct tokenizer_scratch *scratch, size_t *n, const struct template_item *item) {
    scratch->ids[*n] = item->id;
    scratch->starts[*n] = scratch->ends[*n] = 0;
    scratch->types[*n] = item->type;
    scratch->sequences[*n] = ENCODING_TEMPLATE;
    ++*n;
}

/* How often a form holds each text; a template may repeat one. */
static size_t encoding_len(const struct template_form *form, size_t n_first, size_t n_second) {
    size_t n = form->n_tokens;
    for (size_t i = 0; i < form->n; i++)
        n += form->items[i].kind == TEMPLATE_FIRST ? n_first : form->items[i].kind == TEMPLATE_SECOND ? n_second : 0;
    return n;
}

static int assemble(const struct tokenizer *t, struct tokenizer_scratch *scratch,
                    const struct tokenizer_options *options, bool pair, size_t all_first, struct encoding *ret,
                    struct vsr_err *err) {
    const struct template_form *form = pair ? &t->template.pair : &t->template.single;
    size_t all = scratch->work.tokens.n, n_first = all_first, n_second = all - all_first, n = 0;
    size_t own = options->bare ? 0 : form->n_tokens;
    int rc;
    if (options->tokens_max) {
        if (own > options->tokens_max)
            return err_set(err, VSR_E_LIMIT, "tokens_max %zu is less than the %zu tokens that the template adds",
                           options->tokens_max, own);
        rc = truncate_lengths(options->tokens_max - own, options->truncation, pair, &n_first, &n_second, err);
        if (rc < 0)
            return rc;
    }
    rc = reserve_encoding(scratch, encoding_len(form, n_first, n_second), err);
    if (rc < 0)
        return rc;
    for (size_t i = 0; i < form->n; i++) {
        const struct template_item *item = &form->items[i];
        if (item->kind == TEMPLATE_FIRST)
            write_sequence(scratch, &n, t->truncates_left ? all_first - n_first : 0, n_first, item->type, 0);
        else if (item->kind == TEMPLATE_SECOND)
            write_sequence(scratch, &n, t->truncates_left ? all - n_second : all_first, n_second, item->type, 1);
        else if (!options->bare)
            write_token(scratch, &n, item);
    }
    *ret = (struct encoding){ .ids = scratch->ids,
                              .starts = scratch->starts,
                              .ends = scratch->ends,
                              .types = scratch->types,
                              .sequences = scratch->sequences,
                              .n = n,
                              .n_dropped = all - n_first - n_second };
    return 0;
}

static const struct tokenizer_options no_options = { 0 };

static void begin(struct tokenizer_scratch *scratch) {
    if (scratch->cap > ENCODING_KEPT_MAX)
        free_encoding(scratch);
    scratch->work.tokens.n = 0;
    scratch->work.failed = 0;
}

static int end(struct tokenizer_scratch *scratch, int rc) {
    tokenizer_work_trim(&scratch->work);
    return rc;
}

int tokenizer_encode(const struct tokenizer *tokenizer, struct tokenizer_scratch *scratch, vsr_str text,
                     const struct tokenizer_options *options, struct encoding *ret, struct vsr_err *err) {
    int rc;
    options = options ? options : &no_options;
    begin(scratch);
    rc = encode_text(tokenizer, &scratch->work, text, options->parse_special, err);
    if (rc == 0)
        rc = assemble(tokenizer, scratch, options, false, scratch->work.tokens.n, ret, err);
    return end(scratch, rc);
}

int tokenizer_encode_pair(const struct tokenizer *tokenizer, struct tokenizer_scratch *scratch, vsr_str first,
                          vsr_str second, const struct tokenizer_options *options, struct encoding *ret,
                          struct vsr_err *err) {
    size_t n_first;
    int rc;
    options = options ? options : &no_options;
    begin(scratch);
    rc = encode_text(tokenizer, &scratch->work, first, options->parse_special, err);
    n_first = scratch->work.tokens.n;
    if (rc == 0)
        rc = encode_text(tokenizer, &scratch->work, second, options->parse_special, err);
    if (rc == 0)
        rc = assemble(tokenizer, scratch, options, true, n_first, ret, err);
    return end(scratch, rc);
}

void encoding_trimmed(const struct encoding *encoding, size_t i, vsr_str text, uint32_t *ret_start, uint32_t *ret_end) {
    size_t start = encoding->starts[i], end = encoding->ends[i];
    while (start < end) {
        size_t next = start;
        if (!unicode_is_space(utf8_next(text, &next)))
            break;
        start = next;
    }
    while (end > start) {
        size_t before = end;
        if (!unicode_is_space(utf8_prev(text, &before)))
            break;
        end = before;
    }
    *ret_start = (uint32_t)(start == encoding->ends[i] ? encoding->starts[i] : start);
    *ret_end = (uint32_t)(start == encoding->ends[i] ? encoding->starts[i] : end);
}

/* A place in a text, in bytes and in units. Moves forward; places of tokens hardly ever run backwards. */
struct cursor {
    vsr_str text;
    enum tokenizer_unit unit;
    size_t before, at; /* start and end of the last character passed */
    uint32_t count;    /* units up to `at` */
};

static void pass_char(struct cursor *c) {
    uint32_t cp;
    c->before = c->at;
    cp = utf8_next(c->text, &c->at);
    if (cp == UTF8_INVALID)
        c->at = c->before + ill_formed_len(c->text, c->before);
    c->count += c->unit == TOKENIZER_UTF16 && cp != UTF8_INVALID && cp > 0xFFFF ? 2 : 1;
}

/* Units up to the end of the character that `offset` stands in or behind. */
static uint32_t units_at(struct cursor *c, size_t offset) {
    if (offset <= c->before && offset != c->at)
        *c = (struct cursor){ .text = c->text, .unit = c->unit };
    while (c->at < offset && c->at < c->text.len)
        pass_char(c);
    return c->count;
}

void encoding_places(const struct encoding *encoding, uint8_t sequence, vsr_str text, enum tokenizer_unit unit,
                     uint32_t *ret_starts, uint32_t *ret_ends) {
    struct cursor start = { .text = text, .unit = unit }, end = start;
    for (size_t i = 0; i < encoding->n; i++) {
        if (encoding->sequences[i] != sequence)
            continue;
        ret_starts[i] = units_at(&start, encoding->starts[i]);
        ret_ends[i] = units_at(&end, encoding->ends[i]);
    }
}

size_t tokenizer_template_len(const struct tokenizer *tokenizer, bool pair) {
    return pair ? tokenizer->template.pair.n_tokens : tokenizer->template.single.n_tokens;
}

size_t tokenizer_vocabulary_size(const struct tokenizer *tokenizer) {
    return tokenizer->vocabulary.n;
}

static size_t unknown_end(const struct tokenizer *t) {
    uint32_t id = t->kind == MODEL_WORDPIECE ? t->model.wordpiece.unk
                  : t->kind == MODEL_BPE     ? t->model.bpe.unk
                  : t->kind == MODEL_UNIGRAM ? t->model.unigram.unk
                                             : t->model.word_level.unk;
    return id == TOKEN_NONE ? 0 : (size_t)id + 1;
}

static size_t form_end(const struct template_form *form, size_t end) {
    for (size_t i = 0; i < form->n; i++) {
        if (form->items[i].kind == TEMPLATE_TOKEN && form->items[i].id >= end)
            end = (size_t)form->items[i].id + 1;
    }
    return end;
}

size_t tokenizer_ids_end(const struct tokenizer *tokenizer) {
    size_t end = tokenizer->vocabulary.n, least = unknown_end(tokenizer);
    uint64_t *special = mem_alloc(BITS_WORDS(end + 1) * sizeof(*special));
    least = form_end(&tokenizer->template.single, least);
    least = form_end(&tokenizer->template.pair, least);
    for (size_t i = 0; i < tokenizer->n_added; i++) {
        if (tokenizer->added[i].special && tokenizer->added[i].id < end)
            bits_add(special, tokenizer->added[i].id);
    }
    while (end > least && (bits_has(special, end - 1) || !vocabulary_has(&tokenizer->vocabulary, (uint32_t)end - 1)))
        end--;
    mem_free(special);
    return end;
}

vsr_str tokenizer_token(const struct tokenizer *tokenizer, uint32_t id) {
    return vocabulary_token(&tokenizer->vocabulary, id);
}

bool tokenizer_id(const struct tokenizer *tokenizer, vsr_str token, uint32_t *ret_id) {
    uint32_t id = vocabulary_id(&tokenizer->vocabulary, token);
    if (id == TOKEN_NONE)
        return false;
    *ret_id = id;
    return true;
}

size_t tokenizer_length_max(const struct tokenizer *tokenizer) {
    return tokenizer->length_max;
}

int tokenizer_build_added(struct tokenizer *t, struct vsr_err *err) {
    struct tokenizer_work work = { 0 };
    struct added_token *normalized;
    if (t->n_added == 0) {
        t->raw.empty = t->normalized.empty = true;
        return 0;
    }
    normalized = ARENA_ARRAY(t->arena, struct added_token, t->n_added);
    memcpy(normalized, t->added, t->n_added * sizeof(*normalized));
    for (size_t i = 0; i < t->n_added; i++) {
        struct token_text text = { .ptr = t->added[i].content.ptr, .len = t->added[i].content.len };
        if (!t->added[i].normalized)
            continue;
        work.turn = 0;
        normalizer_run(&t->normalizer, &work, &text);
        normalized[i].content = arena_str(t->arena, str_make(text.ptr, text.len));
        if (work.failed || text.len > ADDED_CONTENT_LEN_MAX) {
            tokenizer_work_done(&work);
            return err_set(err, VSR_E_LIMIT, "added_tokens: entry %zu is too long once it is normalised", i);
        }
    }
    tokenizer_work_done(&work);
    added_matcher_build(&t->raw, t->arena, t->added, t->n_added, false);
    added_matcher_build(&t->normalized, t->arena, normalized, t->n_added, true);
    return 0;
}
