/* What `reliability.retry_on` says, as bits (config.md §6.4). */
#include "config/check.h"
#include "config/document_tables.h"

enum {
    STATUS_MIN = 100,
    STATUS_MAX = 599,
};

static const struct {
    vsr_str name;
    unsigned mask;
} retry_tokens[] = {
    { VSR_STR_INIT("connect-failure"), RETRY_CONNECT_FAILURE },
    { VSR_STR_INIT("refused-stream"), RETRY_CONNECT_FAILURE }, /* HTTP/1.1 refuses connections, not streams */
    { VSR_STR_INIT("reset"), RETRY_RESET },
    { VSR_STR_INIT("gateway-error"), RETRY_GATEWAY_ERROR },
    /* A backend that fails before it answers is a server error too. */
    { VSR_STR_INIT("5xx"), RETRY_5XX | RETRY_GATEWAY_ERROR | RETRY_CONNECT_FAILURE | RETRY_RESET },
    { VSR_STR_INIT("retriable-4xx"), RETRY_RETRIABLE_4XX },
};

static bool read_token(struct config_reliability *reliability, vsr_str token) {
    uint64_t status;
    for (size_t i = 0; i < VSR_COUNT(retry_tokens); i++) {
        if (str_eq(token, retry_tokens[i].name)) {
            reliability->retry_mask |= retry_tokens[i].mask;
            return true;
        }
    }
    if (!str_to_u64(token, &status) || status < STATUS_MIN || status > STATUS_MAX)
        return false;
    reliability->retry_status[status / 64] |= UINT64_C(1) << (status % 64);
    return true;
}

static void report_token(struct check *c, const struct config_reliability *reliability, vsr_str token) {
    vsr_str names[VSR_COUNT(retry_tokens)];
    for (size_t i = 0; i < VSR_COUNT(names); i++)
        names[i] = retry_tokens[i].name;
    diag_error(c->diag, "E_ENUM", schema_field_at(&config_reliability_schema, reliability, "retry_on", c->arena),
               diag_suggest(c->diag, token, names, VSR_COUNT(names)),
               "\"%.*s\" is not one of connect-failure, refused-stream, reset, gateway-error, 5xx, retriable-4xx, or a "
               "status",
               VSR_FMT(token));
}

/*
 * Who gives a model a second endpoint wants it used when the first one fails. Without a word about retries such a model
 * gets one, which goes to another endpoint and happens before anything has reached the client; `retry_count: 0` says
 * no.
 */
static void default_retry(struct config_reliability *reliability, size_t n_endpoints) {
    if (n_endpoints < 2 || schema_present(&config_reliability_schema, reliability, "retry_count") ||
        schema_present(&config_reliability_schema, reliability, "retry_on"))
        return;
    reliability->retry_count = 1;
    reliability->retry_on = VSR_STR("5xx,429");
}

void derive_reliability(struct check *c, struct config_reliability *reliability, size_t n_endpoints) {
    vsr_str rest;
    if (check_is_open(reliability, "retry_on"))
        return;
    default_retry(reliability, n_endpoints);
    rest = reliability->retry_on;
    if (str_trim(rest).len == 0 && reliability->retry_count > 0)
        rest = VSR_STR("connect-failure");
    while (rest.ptr) {
        vsr_str token = str_trim(str_split(&rest, ','));
        if (token.len && !read_token(reliability, token))
            report_token(c, reliability, token);
    }
}
