#include "provider/retry.h"

static bool named_literally(const struct config_reliability *reliability, int status) {
    if (status < 0 || (size_t)status / 64 >= VSR_COUNT(reliability->retry_status))
        return false;
    return reliability->retry_status[status / 64] >> (status % 64) & 1;
}

/* Which tokens of retry_on cover a failed attempt. Silence and garbage become 504 and 502 for the client, hence
 * gateway-error. */
static unsigned tokens_of_failure(enum provider_failure failure) {
    switch (failure) {
    case PROVIDER_CONNECT:
    case PROVIDER_CANCELLED:
        return RETRY_CONNECT_FAILURE | RETRY_5XX;
    case PROVIDER_RESET:
        return RETRY_RESET | RETRY_5XX;
    case PROVIDER_TIMEOUT:
        return RETRY_GATEWAY_ERROR | RETRY_5XX;
    case PROVIDER_GARBAGE:
        return RETRY_RESET | RETRY_GATEWAY_ERROR | RETRY_5XX;
    case PROVIDER_OK:
        break;
    }
    return 0;
}

static unsigned tokens_of_status(int status) {
    if (status == 502 || status == 503 || status == 504)
        return RETRY_GATEWAY_ERROR | RETRY_5XX;
    if (status >= 500 && status <= 599)
        return RETRY_5XX;
    return status == 409 ? RETRY_RETRIABLE_4XX : 0;
}

enum retry_class retry_classify(const struct config_reliability *reliability, const struct provider_result *result) {
    if (result->failure != PROVIDER_OK && !(reliability->retry_mask & tokens_of_failure(result->failure)))
        return RETRY_NO;
    if (result->failure != PROVIDER_OK)
        return result->failure == PROVIDER_CANCELLED ? RETRY_OTHER : RETRY_ANYWHERE;
    if (reliability->retry_mask & tokens_of_status(result->status))
        return RETRY_ANYWHERE;
    return named_literally(reliability, result->status) ? RETRY_ASKED : RETRY_NO;
}

uint64_t retry_backoff_ms(uint32_t attempt, uint64_t random) {
    uint64_t full = RETRY_BACKOFF_MS;
    for (uint32_t i = 1; i < attempt && full < RETRY_BACKOFF_MAX_MS; i++)
        full *= 2;
    if (full > RETRY_BACKOFF_MAX_MS)
        full = RETRY_BACKOFF_MAX_MS;
    return full - random % (full / 2 + 1);
}

bool retry_within_budget(int64_t retries, int64_t active) {
    int64_t most = active * RETRY_BUDGET_PERCENT / 100;
    if (most < RETRY_BUDGET_MIN)
        most = RETRY_BUDGET_MIN;
    return retries + 1 <= most;
}
