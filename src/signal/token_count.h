/*
 * token_count - the number of tokens that context rules compare.
 */
#ifndef VSR_SIGNAL_TOKEN_COUNT_H
#define VSR_SIGNAL_TOKEN_COUNT_H

#include <stdbool.h>
#include <stdint.h>

struct request_facts;

/* `bytes_per_token` 0: 4.0. */
uint64_t signal_token_count(const struct request_facts *facts, double bytes_per_token, bool with_reserve);

#endif
