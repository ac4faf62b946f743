#include "model/bio.h"

#include <math.h>
#include <string.h>

#include "core/arena.h"
#include "core/utf8.h"
#include "text/unicode.h"

enum part { OUTSIDE, BEGIN, INSIDE, PLAIN };

struct class {
    enum part part;
    uint32_t type;
};

struct bio {
    struct class *classes;
    size_t n_classes;
    vsr_str *types;
    size_t n_types;
};

/* ---- labels */

static uint32_t type_named(struct bio *bio, struct arena *arena, vsr_str name) {
    for (size_t i = 0; i < bio->n_types; i++)
        if (str_eq(bio->types[i], name))
            return (uint32_t)i;
    bio->types[bio->n_types] = arena_str(arena, name);
    return (uint32_t)bio->n_types++;
}

static struct class read_label(struct bio *bio, struct arena *arena, vsr_str label) {
    enum part part = str_starts(label, VSR_STR("B-")) ? BEGIN : str_starts(label, VSR_STR("I-")) ? INSIDE : PLAIN;
    vsr_str name = part == PLAIN ? label : str_sub(label, 2, label.len);
    return (struct class){ part, type_named(bio, arena, name) };
}

static size_t outside_class(const vsr_str *labels, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (str_eq_c(labels[i], "O"))
            return i;
    return 0;
}

int bio_build(struct arena *arena, const vsr_str *labels, size_t n, struct bio **ret, struct vsr_err *err) {
    struct bio *bio;
    if (n < 2)
        return err_set(err, VSR_E_INVALID, "a tagger needs two labels, there %s %zu", n == 1 ? "is" : "are", n);
    bio = ARENA_NEW(arena, struct bio);
    *bio = (struct bio){ .classes = ARENA_ARRAY(arena, struct class, n),
                         .n_classes = n,
                         .types = ARENA_ARRAY(arena, vsr_str, n) };
    for (size_t i = 0; i < n; i++)
        bio->classes[i] =
            i == outside_class(labels, n) ? (struct class){ OUTSIDE, 0 } : read_label(bio, arena, labels[i]);
    *ret = bio;
    return 0;
}

size_t bio_types(const struct bio *bio) {
    return bio->n_types;
}

vsr_str bio_type(const struct bio *bio, uint32_t type) {
    return bio->types[type];
}

/* ---- one class for each token */

static uint32_t likeliest(const float *row, size_t n) {
    uint32_t best = 0;
    for (uint32_t i = 1; i < n; i++)
        if (row[i] > row[best])
            best = i;
    return best;
}

static double log_of(float probability) {
    return log(probability > 1e-30F ? (double)probability : 1e-30);
}

/* The best ways to a token: to any class, and to a beginning or an inside of each type. */
struct ways {
    uint32_t any, *of_type; /* classes */
};

static void find_ways(const struct bio *bio, const double *score, struct ways *ways) {
    static const uint32_t none = UINT32_MAX;
    ways->any = 0;
    for (size_t i = 0; i < bio->n_types; i++)
        ways->of_type[i] = none;
    for (uint32_t c = 0; c < bio->n_classes; c++) {
        const struct class *class = &bio->classes[c];
        if (score[c] > score[ways->any])
            ways->any = c;
        if (class->part != BEGIN && class->part != INSIDE)
            continue;
        if (ways->of_type[class->type] == none || score[c] > score[ways->of_type[class->type]])
            ways->of_type[class->type] = c;
    }
}

/*
 * The best way to each class of each token; `from` says by which class of the token before. An inside follows its own
 * type and anything else follows anything, so each step takes one pass over the classes.
 */
static void viterbi(const struct bio *bio, const struct bio_tokens *tokens, struct arena *arena, uint32_t *ret) {
    size_t n = bio->n_classes;
    double *score = ARENA_ARRAY(arena, double, n), *next = ARENA_ARRAY(arena, double, n), *swap;
    uint32_t *from = ARENA_ARRAY(arena, uint32_t, n * tokens->n), best = 0;
    struct ways ways = { .of_type = ARENA_ARRAY(arena, uint32_t, bio->n_types) };
    for (uint32_t c = 0; c < n; c++)
        score[c] = bio->classes[c].part == INSIDE ? -INFINITY : log_of(tokens->probabilities[c]);
    for (size_t t = 1; t < tokens->n; t++) {
        find_ways(bio, score, &ways);
        for (uint32_t c = 0; c < n; c++) {
            const struct class *class = &bio->classes[c];
            uint32_t before = class->part == INSIDE ? ways.of_type[class->type] : ways.any;
            from[t * n + c] = before;
            next[c] = score[before] + log_of(tokens->probabilities[t * n + c]);
        }
        swap = score;
        score = next;
        next = swap;
    }
    for (uint32_t c = 1; c < n; c++)
        if (score[c] > score[best])
            best = c;
    for (size_t t = tokens->n; t > 0; t--) {
        ret[t - 1] = best;
        best = t > 1 ? from[(t - 1) * n + best] : best;
    }
}

/* ---- spans */

struct decoder {
    const struct bio *bio;
    vsr_str text;
    const struct bio_tokens *tokens;
    struct bio_span *spans;
    size_t n;
    size_t n_tokens; /* of the open span; 0: none is open */
};

static float type_probability(const struct decoder *d, size_t token, uint32_t type) {
    const float *row = d->tokens->probabilities + token * d->bio->n_classes;
    float sum = 0;
    for (size_t i = 0; i < d->bio->n_classes; i++)
        if (d->bio->classes[i].part != OUTSIDE && d->bio->classes[i].type == type)
            sum += row[i];
    return sum;
}

static void close_span(struct decoder *d) {
    if (d->n_tokens)
        d->spans[d->n - 1].mean /= (float)d->n_tokens;
    d->n_tokens = 0;
}

static void open_span(struct decoder *d, size_t token, uint32_t type) {
    float p = type_probability(d, token, type);
    close_span(d);
    d->spans[d->n++] = (struct bio_span){ d->tokens->starts[token], d->tokens->ends[token], type, p, p, p };
    d->n_tokens = 1;
}

static void extend_span(struct decoder *d, size_t token) {
    struct bio_span *span = &d->spans[d->n - 1];
    float p = type_probability(d, token, span->type);
    span->end = d->tokens->ends[token];
    span->mean += p;
    span->least = p < span->least ? p : span->least;
    span->greatest = p > span->greatest ? p : span->greatest;
    d->n_tokens++;
}

static void take_token(struct decoder *d, enum bio_rule rule, size_t token, const struct class *class) {
    bool same = d->n_tokens > 0 && d->spans[d->n - 1].type == class->type;
    if (class->part == OUTSIDE)
        close_span(d);
    else if (class->part == BEGIN || (!same && (class->part == PLAIN || rule != BIO_STRICT)))
        open_span(d, token, class->type);
    else if (same)
        extend_span(d, token);
    else
        close_span(d);
}

/* ---- to whole words */

/* The character at `at`, and where the next one begins. */
static uint32_t char_at(vsr_str text, size_t at, size_t *ret_end) {
    *ret_end = at;
    return utf8_next(text, ret_end);
}

/* The character before `at`, and where it begins. */
static uint32_t char_before(vsr_str text, size_t at, size_t *ret_start) {
    *ret_start = at;
    return utf8_prev(text, ret_start);
}

static void trim(vsr_str text, struct bio_span *span) {
    size_t next;
    while (span->start < span->end && unicode_is_space(char_at(text, span->start, &next)))
        span->start = (uint32_t)next;
    while (span->start < span->end && unicode_is_space(char_before(text, span->end, &next)))
        span->end = (uint32_t)next;
}

static void grow_to_words(vsr_str text, struct bio_span *span) {
    size_t next;
    bool word = unicode_is_word(char_at(text, span->start, &next));
    while (word && span->start > 0 && unicode_is_word(char_before(text, span->start, &next)))
        span->start = (uint32_t)next;
    word = unicode_is_word(char_before(text, span->end, &next));
    while (word && span->end < text.len && unicode_is_word(char_at(text, span->end, &next)))
        span->end = (uint32_t)next;
}

/* Nothing, or one character that is no part of a word. */
static bool is_narrow_gap(vsr_str text, size_t from, size_t to) {
    size_t end;
    return from >= to || (!unicode_is_word(char_at(text, from, &end)) && end == to);
}

static bool joins(vsr_str text, const struct bio_span *a, const struct bio_span *b) {
    return a->type == b->type && is_narrow_gap(text, a->end, b->start);
}

static void join(struct bio_span *a, const struct bio_span *b) {
    float a_len = (float)(a->end - a->start), b_len = (float)(b->end - b->start);
    a->mean = (a->mean * a_len + b->mean * b_len) / (a_len + b_len);
    a->end = b->end > a->end ? b->end : a->end;
    a->least = b->least < a->least ? b->least : a->least;
    a->greatest = b->greatest > a->greatest ? b->greatest : a->greatest;
}

static size_t tidy(vsr_str text, struct bio_span *spans, size_t n) {
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        struct bio_span span = spans[i];
        trim(text, &span);
        if (span.start >= span.end)
            continue;
        grow_to_words(text, &span);
        if (kept > 0 && joins(text, &spans[kept - 1], &span))
            join(&spans[kept - 1], &span);
        else if (kept > 0 && span.start == spans[kept - 1].start && span.end == spans[kept - 1].end)
            spans[kept - 1] = span.mean > spans[kept - 1].mean ? span : spans[kept - 1];
        else
            spans[kept++] = span;
    }
    return kept;
}

size_t bio_decode(const struct bio *bio, enum bio_rule rule, vsr_str text, const struct bio_tokens *tokens,
                  struct arena *arena, struct bio_span **ret) {
    struct decoder decoder = { .bio = bio, .text = text, .tokens = tokens };
    uint32_t *classes = ARENA_ARRAY(arena, uint32_t, tokens->n + 1);
    decoder.spans = ARENA_ARRAY(arena, struct bio_span, tokens->n + 1);
    if (rule == BIO_VITERBI && tokens->n > 0)
        viterbi(bio, tokens, arena, classes);
    else
        for (size_t i = 0; i < tokens->n; i++)
            classes[i] = likeliest(tokens->probabilities + i * bio->n_classes, bio->n_classes);
    for (size_t i = 0; i < tokens->n; i++)
        take_token(&decoder, rule, i, &bio->classes[classes[i]]);
    close_span(&decoder);
    *ret = decoder.spans;
    return tidy(text, decoder.spans, decoder.n);
}
