/*
 * tokenizer_template - how much of one or two texts stays, and what stands around them.
 *
 * Immutable once built: any thread.
 */
#ifndef VSR_TEXT_TOKENIZER_TEMPLATE_H
#define VSR_TEXT_TOKENIZER_TEMPLATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "text/tokenizer.h"

struct arena;

enum { TEMPLATE_ITEMS_MAX = 1024 };

enum template_item_kind { TEMPLATE_TOKEN, TEMPLATE_FIRST, TEMPLATE_SECOND };

struct template_item {
    enum template_item_kind kind;
    uint32_t id; /* TOKEN */
    uint8_t type;
};

struct template_form {
    struct template_item *items;
    size_t n, cap;
    size_t n_tokens; /* items that are tokens of their own */
};

struct token_template {
    struct template_form single, pair;
    bool trims;             /* offsets leave out white space at the ends of a token */
    bool trims_after_space; /* add_prefix_space: a first token with one space keeps it */
};

/* Copies `item`. False when there are TEMPLATE_ITEMS_MAX already. */
bool template_form_add(struct template_form *form, struct arena *arena, struct template_item item);
/* A, then B of type 1: what there is without a post-processor. */
void token_template_plain(struct token_template *template, struct arena *arena);

/* first A last, and for a pair first A last second B last, B of type `second_type`; each token may be TOKEN_NONE. */
struct template_ends {
    uint32_t first, last, second;
    uint8_t second_type;
};
void token_template_around(struct token_template *template, struct arena *arena, struct template_ends ends);

/* How many tokens of each text stay so that both together are at most `room`. VSR_E_LIMIT: not as asked. */
int truncate_lengths(size_t room, enum tokenizer_truncation truncation, bool pair, size_t *n_first, size_t *n_second,
                     struct vsr_err *err) VSR_MUST_CHECK;

#endif
