#include "signal/bank.h"

#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "config/global_shared.h"
#include "core/arena.h"
#include "core/assert.h"
#include "core/mem.h"
#include "nn/similarity.h"
#include "signal/evidence.h"
#include "signal/family.h"
#include "signal/prototypes.h"

/* What judging reads: prototypes, or why there are none. Never changed once it is published. */
struct content {
    struct content *older; /* somebody may still be reading it */
    enum signal_code code; /* SIGNAL_OK: there are prototypes */
    char *reason;
    size_t n, dims;                /* of the prototypes */
    size_t whole;                  /* numbers of a vector that is not cut */
    struct similarity_scale scale; /* of the model; without points: none */
    float *vectors;
};

struct signal_bank {
    struct signal_bank_options options;
    vsr_str *texts; /* those that are not blank */
    size_t n_texts;
    uint32_t *examples; /* texts in the order that breaks ties, repeats left out as the options say */
    size_t n_examples;
    _Atomic(struct content *) content; /* NULL: nobody filled it yet */
};

/* ---- declaring */

static int compare_texts(const void *left, const void *right, void *data) {
    const struct signal_bank *bank = data;
    uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
    int order = str_cmp(bank->texts[a], bank->texts[b]);
    return order ? order : (a > b) - (a < b);
}

static void sort_examples(struct signal_bank *bank, struct arena *arena) {
    size_t n = 0;
    bank->examples = ARENA_ARRAY(arena, uint32_t, bank->n_texts);
    for (size_t i = 0; i < bank->n_texts; i++)
        bank->examples[i] = (uint32_t)i;
    qsort_r(bank->examples, bank->n_texts, sizeof(*bank->examples), compare_texts, bank);
    for (size_t i = 0; i < bank->n_texts; i++)
        if (n == 0 || bank->options.repeats_count ||
            !str_eq(bank->texts[bank->examples[i]], bank->texts[bank->examples[n - 1]]))
            bank->examples[n++] = bank->examples[i];
    bank->n_examples = n;
}

static bool same_options(const struct signal_bank_options *a, const struct signal_bank_options *b) {
    if (a->source != b->source || a->scoring != b->scoring || a->repeats_count != b->repeats_count ||
        a->dims != b->dims || a->n_texts != b->n_texts)
        return false;
    for (size_t i = 0; i < a->n_texts; i++)
        if (!str_eq(a->texts[i], b->texts[i]))
            return false;
    return true;
}

static void free_content(void *data) {
    struct signal_bank *bank = data;
    struct content *content = atomic_load_explicit(&bank->content, memory_order_acquire);
    while (content) {
        struct content *older = content->older;
        mem_free(content->vectors);
        mem_free(content->reason);
        mem_free(content);
        content = older;
    }
}

struct signal_bank *signal_bank_add(struct signal_builder *builder, const struct signal_bank_options *options) {
    struct signal_banks *banks = builder->banks;
    struct signal_bank *bank;
    for (size_t i = 0; i < banks->n; i++)
        if (same_options(&banks->items[i]->options, options))
            return banks->items[i];
    bank = ARENA_NEW(builder->arena, struct signal_bank);
    bank->options = *options;
    bank->texts = ARENA_ARRAY(builder->arena, vsr_str, options->n_texts);
    for (size_t i = 0; i < options->n_texts; i++)
        if (str_trim(options->texts[i]).len > 0)
            bank->texts[bank->n_texts++] = options->texts[i];
    VSR_ASSERT(bank->n_texts <= SIGNAL_BANK_TEXTS_MAX);
    sort_examples(bank, builder->arena);
    atomic_init(&bank->content, NULL);
    arena_on_free(builder->arena, free_content, bank);
    banks->items = arena_grow(builder->arena, banks->items, sizeof(struct signal_bank *), banks->n, &banks->cap);
    banks->items[banks->n++] = bank;
    return bank;
}

/* ---- filling */

uint32_t signal_bank_source(const struct signal_bank *bank) {
    return bank->options.source;
}

const vsr_str *signal_bank_texts(const struct signal_bank *bank, size_t *ret_n) {
    *ret_n = bank->n_texts;
    return bank->texts;
}

/* What is written before it is published is seen by whoever reads it. */
static const struct content *content_of(const struct signal_bank *bank) {
    return atomic_load_explicit(&bank->content, memory_order_acquire);
}

static void publish(struct signal_bank *bank, struct content *content) {
    content->older = atomic_load_explicit(&bank->content, memory_order_acquire);
    atomic_store_explicit(&bank->content, content, memory_order_release);
}

bool signal_bank_is_filled(const struct signal_bank *bank) {
    const struct content *content = content_of(bank);
    return bank->n_texts == 0 || (content && content->code == SIGNAL_OK);
}

/* Copies the examples' vectors, cut and of unit length, to `unit`. Returns how many there are; SIZE_MAX: one is none.
 */
static size_t gather(const struct signal_bank *bank, const float *const *vectors, size_t dims, float *unit) {
    size_t n = 0;
    for (size_t i = 0; i < bank->n_examples; i++) {
        const float *vector = vectors[bank->examples[i]];
        if (!vector)
            continue;
        memcpy(unit + n * dims, vector, dims * sizeof(*unit));
        if (!vector_normalize(unit + n * dims, dims))
            return SIZE_MAX;
        n++;
    }
    return n;
}

static size_t choose(const struct signal_bank *bank, const float *unit, size_t n, size_t dims,
                     const struct similarity_scale *scale, uint32_t *chosen) {
    if (bank->options.scoring && bank->options.scoring->enabled)
        return prototypes_choose(unit, n, dims, scale, bank->options.scoring, chosen);
    for (size_t i = 0; i < n; i++)
        chosen[i] = (uint32_t)i;
    return n;
}

static struct content *make_content(const struct signal_bank *bank, const float *unit, size_t n, size_t dims,
                                    const struct similarity_scale *scale) {
    struct content *content = MEM_NEW(struct content);
    uint32_t *chosen = mem_alloc(n * sizeof(*chosen));
    if (scale)
        content->scale = *scale;
    content->n = choose(bank, unit, n, dims, &content->scale, chosen);
    content->dims = dims;
    content->vectors = mem_alloc(content->n * dims * sizeof(*content->vectors));
    for (size_t i = 0; i < content->n; i++)
        memcpy(content->vectors + i * dims, unit + chosen[i] * dims, dims * sizeof(*unit));
    mem_free(chosen);
    return content;
}

void signal_bank_fill(struct signal_bank *bank, const float *const *vectors, size_t dims,
                      const struct similarity_scale *scale) {
    size_t cut = bank->options.dims > 0 && bank->options.dims < dims ? bank->options.dims : dims, n;
    struct content *content;
    float *unit;
    if (signal_bank_is_filled(bank))
        return;
    unit = mem_alloc((bank->n_examples * cut + 1) * sizeof(*unit));
    n = gather(bank, vectors, cut, unit);
    if (n == 0 || n == SIZE_MAX) {
        signal_bank_fail(bank, SIGNAL_FAILED,
                         n == 0 ? "none of the examples could be embedded"
                                : "an example's vector is zero or not finite");
    } else {
        content = make_content(bank, unit, n, cut, scale);
        content->whole = dims;
        publish(bank, content);
    }
    mem_free(unit);
}

static bool says_the_same(const struct content *content, enum signal_code code, const char *reason) {
    return content && content->code == code && strcmp(content->reason, reason) == 0;
}

void signal_bank_fail(struct signal_bank *bank, enum signal_code code, const char *reason) {
    struct content *content;
    size_t len = strlen(reason) + 1;
    VSR_ASSERT(code != SIGNAL_OK);
    if (signal_bank_is_filled(bank) || says_the_same(content_of(bank), code, reason))
        return;
    content = MEM_NEW(struct content);
    content->code = code;
    content->reason = mem_alloc(len);
    memcpy(content->reason, reason, len);
    publish(bank, content);
}

/* ---- comparing */

/* What a vector that is cut is multiplied with to have unit length. */
static double stretch_of(const struct content *content, const float *numbers) {
    double square;
    if (content->dims == content->whole)
        return 1;
    square = vector_dot(numbers, numbers, content->dims);
    return square > 0 ? 1 / sqrt(square) : 0;
}

/* Of products in 32 bits: 1e-6 in a cosine near 1 is an angle of 1.4e-3. */
#define ANGLE_ROUNDING 2e-3

/* Rounding may carry the product of like vectors past 1. */
static float within_one(double similarity) {
    return (float)fmax(-1, fmin(1, similarity));
}

/* The mean of the prototypes; their number does not matter for a direction. */
static float *middle_of(const struct content *content) {
    float *sum = mem_alloc(content->dims * sizeof(*sum));
    for (size_t i = 0; i < content->n; i++)
        for (size_t k = 0; k < content->dims; k++)
            sum[k] += content->vectors[i * content->dims + k];
    return sum;
}

bool signal_bank_likeness(const struct signal_bank *a, const struct signal_bank *b, double *ret_similarity,
                          bool *ret_scaled) {
    const struct content *left = content_of(a), *right = content_of(b);
    float *x, *y;
    bool ok;
    if (!left || !right || left->code != SIGNAL_OK || right->code != SIGNAL_OK || left->dims != right->dims)
        return false;
    x = middle_of(left);
    y = middle_of(right);
    ok = vector_normalize(x, left->dims) && vector_normalize(y, left->dims);
    if (ok) {
        *ret_similarity = similarity_of(&left->scale, within_one(vector_dot(x, y, left->dims)));
        *ret_scaled = left->scale.n > 0;
    }
    mem_free(x);
    mem_free(y);
    return ok;
}

static float nearest(const struct content *a, const struct content *b) {
    float most = -1;
    for (size_t i = 0; i < a->n; i++)
        for (size_t k = 0; k < b->n; k++) {
            float cosine = within_one(vector_dot(a->vectors + i * a->dims, b->vectors + k * b->dims, a->dims));
            most = cosine > most ? cosine : most;
        }
    return most;
}

static double angle_of(const struct content *content, double similarity) {
    return acos(fmax(-1, fmin(1, similarity_cosine(&content->scale, similarity))));
}

bool signal_bank_meet(const struct signal_bank *a, double least_a, const struct signal_bank *b, double least_b,
                      bool *ret_meet, double *ret_similarity) {
    const struct content *left = content_of(a), *right = content_of(b);
    double cosine;
    if (!left || !right || left->code != SIGNAL_OK || right->code != SIGNAL_OK || left->dims != right->dims ||
        a->options.source != b->options.source)
        return false;
    cosine = (double)nearest(left, right);
    *ret_meet = acos(cosine) <= angle_of(left, least_a) + angle_of(right, least_b) + ANGLE_ROUNDING;
    *ret_similarity = similarity_of(&left->scale, cosine);
    return true;
}

static bool refuse(enum signal_code code, const char *reason, enum signal_code *ret_code, const char **ret_reason) {
    *ret_code = code;
    *ret_reason = reason;
    return false;
}

static struct prototypes_score blend(const struct signal_bank *bank, float *similarities, size_t n,
                                     enum signal_bank_method method) {
    const struct config_prototype_scoring *scoring = bank->options.scoring;
    if (method == BANK_MEAN)
        return prototypes_blend(similarities, n, 0, 0);
    if (method == BANK_BEST || !scoring)
        return prototypes_blend(similarities, n, 1, scoring ? (size_t)scoring->top_m : 1);
    return prototypes_blend(similarities, n, scoring->best_weight, (size_t)scoring->top_m);
}

bool signal_bank_score(const struct signal_bank *bank, const struct evidence_answer *answer,
                       enum signal_bank_method method, struct signal_bank_score *ret_score, enum signal_code *ret_code,
                       const char **ret_reason) {
    const struct content *content = content_of(bank);
    float similarities[SIGNAL_BANK_TEXTS_MAX];
    struct prototypes_score score;
    double stretch;
    *ret_score = (struct signal_bank_score){ 0 };
    if (answer->code != SIGNAL_OK)
        return refuse(answer->code, answer->reason, ret_code, ret_reason);
    if (bank->n_texts == 0)
        return true;
    if (!content)
        return refuse(SIGNAL_UNAVAILABLE, "examples are being embedded", ret_code, ret_reason);
    if (content->code != SIGNAL_OK)
        return refuse(content->code, content->reason, ret_code, ret_reason);
    if (answer->n != content->whole)
        return refuse(SIGNAL_FAILED, "the text's vector has another number of dimensions than those of the examples",
                      ret_code, ret_reason);
    stretch = stretch_of(content, answer->numbers);
    for (size_t i = 0; i < content->n; i++)
        similarities[i] =
            (float)similarity_of(answer->similarity,
                                 within_one(stretch * vector_dot(answer->numbers, content->vectors + i * content->dims,
                                                                 content->dims)));
    score = blend(bank, similarities, content->n, method);
    *ret_score = (struct signal_bank_score){ score.score, score.best, score.support, content->n };
    return true;
}
