/*
 * retry - when another attempt is worth it (config.md 6.4). Pure: any thread.
 */
#ifndef VSR_PROVIDER_RETRY_H
#define VSR_PROVIDER_RETRY_H

#include <stdbool.h>
#include <stdint.h>

#include "config/document.h"
#include "provider/provider.h"

enum {
    RETRY_BACKOFF_MS = 25,
    RETRY_BACKOFF_MAX_MS = 250,
    RETRY_AFTER_MAX_MS = 2000, /* a longer Retry-After is not waited for */
    RETRY_BUDGET_PERCENT = 20, /* of the calls under way to the model */
    RETRY_BUDGET_MIN = 3,
};

enum retry_class {
    RETRY_NO,
    RETRY_ANYWHERE, /* on any endpoint, after the back-off */
    RETRY_ASKED,    /* named literally in retry_on: another endpoint first, else only as Retry-After allows */
    RETRY_OTHER,    /* no connection is free: on an endpoint that was not tried, or not at all */
};

/*
 * What `retry_on` says of this result. Success is never retried. A cancelled attempt had no place among those to its
 * endpoint: to the request that is a connection which was not made.
 */
enum retry_class retry_classify(const struct config_reliability *reliability, const struct provider_result *result);

/* Back-off before attempt number `attempt` (1: the first retry), jittered over its upper half. */
uint64_t retry_backoff_ms(uint32_t attempt, uint64_t random);

/* Whether one more retry fits beside `retries` with `active` calls under way. */
bool retry_within_budget(int64_t retries, int64_t active);

#endif
