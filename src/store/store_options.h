/*
 * store_options - options that stay: copied, with what was left open filled in. Private to store/.
 */
#ifndef VSR_STORE_STORE_OPTIONS_H
#define VSR_STORE_STORE_OPTIONS_H

#include <stdbool.h>

struct arena;
struct redis_options;
struct response_store_options;

struct response_store_options *store_options_copy(struct arena *arena, const struct response_store_options *options);
/* Whether both mean the same place, with the same limits. Both have been copied. */
bool store_options_equal(const struct response_store_options *a, const struct response_store_options *b);
/* Whether what is stored with one is found with the other, by the same process. Both have been copied. */
bool store_options_same_place(const struct response_store_options *a, const struct response_store_options *b);

void redis_options_copy(struct arena *arena, const struct redis_options *options, struct redis_options *ret_options);

#endif
