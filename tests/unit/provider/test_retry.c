#include "provider/retry.h"

#include "test.h"

#define BIT(status) [(status) / 64] = UINT64_C(1) << ((status) % 64)

static const struct {
    const char *name;
    struct config_reliability reliability;
    struct provider_result result;
    enum retry_class want;
} cases[] = {
    { "off", { .retry_mask = 0 }, { .failure = PROVIDER_CONNECT }, RETRY_NO },
    { "connect", { .retry_mask = RETRY_CONNECT_FAILURE }, { .failure = PROVIDER_CONNECT }, RETRY_ANYWHERE },
    { "connect is no reset", { .retry_mask = RETRY_RESET }, { .failure = PROVIDER_CONNECT }, RETRY_NO },
    { "reset", { .retry_mask = RETRY_RESET }, { .failure = PROVIDER_RESET }, RETRY_ANYWHERE },
    { "reset is no connect", { .retry_mask = RETRY_CONNECT_FAILURE }, { .failure = PROVIDER_RESET }, RETRY_NO },
    { "5xx covers connect", { .retry_mask = RETRY_5XX }, { .failure = PROVIDER_CONNECT }, RETRY_ANYWHERE },
    { "5xx covers reset", { .retry_mask = RETRY_5XX }, { .failure = PROVIDER_RESET }, RETRY_ANYWHERE },
    { "silence is a 504", { .retry_mask = RETRY_GATEWAY_ERROR }, { .failure = PROVIDER_TIMEOUT }, RETRY_ANYWHERE },
    { "silence is no reset", { .retry_mask = RETRY_RESET }, { .failure = PROVIDER_TIMEOUT }, RETRY_NO },
    { "garbage is a 502", { .retry_mask = RETRY_GATEWAY_ERROR }, { .failure = PROVIDER_GARBAGE }, RETRY_ANYWHERE },
    { "no place", { .retry_mask = RETRY_CONNECT_FAILURE }, { .failure = PROVIDER_CANCELLED }, RETRY_OTHER },
    { "5xx covers no place", { .retry_mask = RETRY_5XX }, { .failure = PROVIDER_CANCELLED }, RETRY_OTHER },
    { "no place is no reset", { .retry_mask = RETRY_RESET }, { .failure = PROVIDER_CANCELLED }, RETRY_NO },
    { "200", { .retry_mask = ~0u }, { .status = 200 }, RETRY_NO },
    { "500", { .retry_mask = RETRY_5XX }, { .status = 500 }, RETRY_ANYWHERE },
    { "500 is no gateway error", { .retry_mask = RETRY_GATEWAY_ERROR }, { .status = 500 }, RETRY_NO },
    { "502", { .retry_mask = RETRY_GATEWAY_ERROR }, { .status = 502 }, RETRY_ANYWHERE },
    { "503", { .retry_mask = RETRY_GATEWAY_ERROR }, { .status = 503 }, RETRY_ANYWHERE },
    { "504", { .retry_mask = RETRY_GATEWAY_ERROR }, { .status = 504 }, RETRY_ANYWHERE },
    { "409", { .retry_mask = RETRY_RETRIABLE_4XX }, { .status = 409 }, RETRY_ANYWHERE },
    { "400", { .retry_mask = RETRY_RETRIABLE_4XX }, { .status = 400 }, RETRY_NO },
    { "429 named", { .retry_status = { BIT(429) } }, { .status = 429 }, RETRY_ASKED },
    { "429 not named", { .retry_mask = ~0u }, { .status = 429 }, RETRY_NO },
    { "599 named", { .retry_status = { BIT(599) } }, { .status = 599 }, RETRY_ASKED },
    { "odd status", { .retry_status = { BIT(429) } }, { .status = 9999 }, RETRY_NO },
};

TEST(classes) {
    for (size_t i = 0; i < VSR_COUNT(cases); i++)
        CHECK_INT(retry_classify(&cases[i].reliability, &cases[i].result), cases[i].want, cases[i].name);
}

TEST(backoff) {
    static const uint64_t full[] = { 25, 50, 100, 200, 250, 250 };
    for (uint32_t attempt = 1; attempt <= VSR_COUNT(full); attempt++) {
        for (uint64_t random = 0; random < 1000; random++) {
            uint64_t ms = retry_backoff_ms(attempt, random * 0x9e3779b97f4a7c15u);
            CHECK(ms <= full[attempt - 1] && ms >= full[attempt - 1] / 2, "jitter over the upper half");
        }
        CHECK_INT(retry_backoff_ms(attempt, 0), full[attempt - 1], "longest");
    }
}

TEST(budget) {
    CHECK(retry_within_budget(0, 0), "at least three");
    CHECK(retry_within_budget(2, 1), "at least three");
    CHECK(!retry_within_budget(3, 15), "three");
    CHECK(retry_within_budget(3, 20), "20 % of 20");
    CHECK(!retry_within_budget(4, 20), "20 % of 20");
    CHECK(retry_within_budget(19, 100), "20 % of 100");
    CHECK(!retry_within_budget(20, 100), "20 % of 100");
}

RUN_TESTS(T(classes), T(backoff), T(budget))
