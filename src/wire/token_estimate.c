#include "wire/token_estimate.h"

#include <pthread.h>
#include <stdatomic.h>

#include "core/arena.h"
#include "core/map.h"
#include "core/mem.h"

#define RATIO_START 4.0
#define RATIO_LEAST 1.0
#define RATIO_MOST 8.0
#define MEAN_STEP 0.005
#define FALL_STEP 0.9 /* towards fewer bytes per token, which means more tokens: the safe side */
#define RISE_STEP 0.1

struct token_estimate {
    pthread_mutex_t lock;
    struct arena *arena;         /* names and ratios; guarded by lock */
    struct map categories;       /* name -> struct token_ratio; guarded by lock */
    struct token_ratio fallback; /* `_default`; guarded by lock */
    _Atomic double ratio;        /* of `_default`, as readers want it */
};

double token_estimate_clamp(double ratio) {
    if (ratio < RATIO_LEAST)
        return RATIO_LEAST;
    return ratio > RATIO_MOST ? RATIO_MOST : ratio;
}

struct token_estimate *token_estimate_new(void) {
    struct token_estimate *estimate = MEM_NEW(struct token_estimate);
    pthread_mutex_init(&estimate->lock, NULL);
    estimate->arena = arena_new(0, 0);
    map_init(&estimate->categories, estimate->arena);
    estimate->fallback = (struct token_ratio){ .mean = RATIO_START, .conservative = RATIO_START };
    atomic_init(&estimate->ratio, RATIO_START);
    return estimate;
}

void token_estimate_free(struct token_estimate *estimate) {
    if (!estimate)
        return;
    arena_free(estimate->arena);
    pthread_mutex_destroy(&estimate->lock);
    mem_free(estimate);
}

static void learn(struct token_ratio *ratio, double observed) {
    if (ratio->samples++ == 0) {
        ratio->mean = ratio->conservative = observed;
        return;
    }
    ratio->mean = (1 - MEAN_STEP) * ratio->mean + MEAN_STEP * observed;
    ratio->conservative += (observed < ratio->conservative ? FALL_STEP : RISE_STEP) * (observed - ratio->conservative);
}

/* The category's ratios, made when there is room; NULL: only `_default` counts. */
static struct token_ratio *category_ratio(struct token_estimate *estimate, vsr_str category) {
    struct token_ratio *ratio;
    if (category.len == 0 || category.len > TOKEN_ESTIMATE_CATEGORY_LEN_MAX ||
        str_eq(category, VSR_STR(TOKEN_ESTIMATE_DEFAULT)))
        return NULL;
    ratio = map_get(&estimate->categories, category);
    if (ratio || estimate->categories.n == TOKEN_ESTIMATE_CATEGORIES_MAX)
        return ratio;
    ratio = ARENA_NEW(estimate->arena, struct token_ratio);
    *ratio = (struct token_ratio){ .mean = RATIO_START, .conservative = RATIO_START };
    map_put(&estimate->categories, arena_str(estimate->arena, category), ratio);
    return ratio;
}

bool token_estimate_observe(struct token_estimate *estimate, vsr_str category, uint64_t bytes, uint64_t tokens) {
    double observed;
    struct token_ratio *ratio;
    if (bytes == 0 || tokens == 0)
        return false;
    observed = (double)bytes / (double)tokens;
    pthread_mutex_lock(&estimate->lock);
    learn(&estimate->fallback, observed);
    ratio = category_ratio(estimate, category);
    if (ratio)
        learn(ratio, observed);
    if (estimate->fallback.samples >= TOKEN_ESTIMATE_SAMPLES_MIN)
        atomic_store_explicit(&estimate->ratio, token_estimate_clamp(estimate->fallback.conservative),
                              memory_order_relaxed);
    pthread_mutex_unlock(&estimate->lock);
    return ratio != NULL;
}

double token_estimate_ratio(const struct token_estimate *estimate) {
    /* Relaxed: a single number, and a slightly old one is as good. */
    return atomic_load_explicit(&estimate->ratio, memory_order_relaxed);
}

uint64_t token_estimate_tokens(uint64_t bytes, double ratio) {
    double tokens;
    uint64_t whole;
    if (bytes == 0)
        return 0;
    if (!(ratio > 0))
        ratio = RATIO_START;
    tokens = (double)bytes / token_estimate_clamp(ratio);
    whole = (uint64_t)tokens;
    return (double)whole < tokens || whole == 0 ? whole + 1 : whole;
}

bool token_estimate_read(struct token_estimate *estimate, vsr_str category, struct token_ratio *ret_ratio) {
    const struct token_ratio *ratio = &estimate->fallback;
    bool found;
    pthread_mutex_lock(&estimate->lock);
    if (category.len > 0 && !str_eq(category, VSR_STR(TOKEN_ESTIMATE_DEFAULT)))
        ratio = map_get(&estimate->categories, category);
    found = ratio != NULL;
    if (found)
        *ret_ratio = *ratio;
    pthread_mutex_unlock(&estimate->lock);
    return found;
}

size_t token_estimate_list(struct token_estimate *estimate,
                           struct token_category ret_categories[static TOKEN_ESTIMATE_CATEGORIES_MAX + 1]) {
    size_t n = 0;
    pthread_mutex_lock(&estimate->lock);
    ret_categories[n++] = (struct token_category){ VSR_STR(TOKEN_ESTIMATE_DEFAULT), estimate->fallback };
    for (size_t i = 0; i < estimate->categories.n; i++)
        ret_categories[n++] = (struct token_category){ estimate->categories.entries[i].key,
                                                       *(struct token_ratio *)estimate->categories.entries[i].value };
    pthread_mutex_unlock(&estimate->lock);
    return n;
}
