/*
 * token_estimate - how many bytes of prompt make a token here, learned from what backends report.
 *
 * Holds the two running ratios of signals.md §11.1 per category. Observing takes a short lock; the ratio that context
 * rules divide by is read without one. Any thread. At most TOKEN_ESTIMATE_CATEGORIES_MAX categories beside `_default`;
 * what comes later is counted under `_default` alone.
 */
#ifndef VSR_WIRE_TOKEN_ESTIMATE_H
#define VSR_WIRE_TOKEN_ESTIMATE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/str.h"

struct token_estimate;

enum {
    TOKEN_ESTIMATE_CATEGORIES_MAX = 256,
    TOKEN_ESTIMATE_CATEGORY_LEN_MAX = 256, /* a longer name is counted under `_default` */
    TOKEN_ESTIMATE_SAMPLES_MIN = 10,       /* below it the start ratio is used */
};

struct token_ratio {
    double mean, conservative; /* bytes per token, not clamped */
    uint64_t samples;
};

/* Free with token_estimate_free(). */
struct token_estimate *token_estimate_new(void);
void token_estimate_free(struct token_estimate *estimate);

#define TOKEN_ESTIMATE_DEFAULT "_default"

/*
 * An answer reported `tokens` prompt tokens for `bytes` bytes of prompt. Goes to `_default` and, when `category` is not
 * empty, to that category (copied). Ignored when either count is 0. Requests with tools, images or structured content
 * are the caller's to leave out. Returns whether the category has ratios of its own, beside `_default`.
 */
bool token_estimate_observe(struct token_estimate *estimate, vsr_str category, uint64_t bytes, uint64_t tokens);

/* The ratio to divide by: conservative, in [1, 8], or 4 until there are enough samples. Lock-free. */
double token_estimate_ratio(const struct token_estimate *estimate);

/* ceil(bytes / ratio); 0 for 0 bytes, else at least 1. `ratio` 0 stands for 4. */
uint64_t token_estimate_tokens(uint64_t bytes, double ratio);

/* What has been learned for a category; empty: `_default`. False when it is unknown. */
bool token_estimate_read(struct token_estimate *estimate, vsr_str category, struct token_ratio *ret_ratio);

struct token_category {
    vsr_str name; /* lives as long as the estimate */
    struct token_ratio ratio;
};

/* All of them, `_default` first, then in the order in which they came up. Returns how many. */
size_t token_estimate_list(struct token_estimate *estimate,
                           struct token_category ret_categories[static TOKEN_ESTIMATE_CATEGORIES_MAX + 1]);

/* In [1, 8]: what a ratio is divided by as. */
double token_estimate_clamp(double ratio);

#endif
