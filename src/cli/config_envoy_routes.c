/*
 * Routes: one for each model that vsr may name, with its timeouts and retries.
 */
#include "cli/config_envoy.h"
#include "core/arena.h"

/* The authority of all endpoints, or nothing when they differ. */
static vsr_str one_authority(const struct config_provider_model *model) {
    vsr_str authority = { NULL, 0 };
    for (size_t i = 0; i < model->backend_refs.n; i++) {
        const struct config_backend_ref *ref = envoy_ref(model, i);
        if (!envoy_takes_requests(ref))
            continue;
        if (authority.ptr && !str_eq(authority, ref->authority))
            return (vsr_str){ NULL, 0 };
        authority = ref->authority;
    }
    return authority;
}

static const struct {
    unsigned bit;
    const char *name;
} retry_names[] = {
    { RETRY_CONNECT_FAILURE, "connect-failure,refused-stream" },
    { RETRY_RESET, "reset" },
    { RETRY_GATEWAY_ERROR, "gateway-error" },
    { RETRY_5XX, "5xx" },
    { RETRY_RETRIABLE_4XX, "retriable-4xx" },
};

static void put_statuses(struct envoy_print *p, const struct config_reliability *reliability) {
    put_list(p, "retriable_status_codes");
    for (int64_t status = 100; status < 600; status++)
        if (reliability->retry_status[status / 64] & ((uint64_t)1 << status % 64))
            json_write_i64(&p->w, status);
    put_end(p, 1);
}

static void put_retries(struct envoy_print *p, const struct config_reliability *reliability) {
    vsr_str on = VSR_STR("");
    bool statuses = false;
    for (size_t i = 0; i < VSR_COUNT(retry_names); i++)
        if (reliability->retry_mask & retry_names[i].bit)
            on = arena_printf(p->arena, "%.*s%s%s", VSR_FMT(on), on.len ? "," : "", retry_names[i].name);
    for (size_t i = 0; i < VSR_COUNT(reliability->retry_status); i++)
        statuses |= reliability->retry_status[i] != 0;
    if (statuses)
        on = arena_printf(p->arena, "%.*s%sretriable-status-codes", VSR_FMT(on), on.len ? "," : "");
    if (reliability->retry_count == 0 || on.len == 0)
        return;
    put_begin(p, "retry_policy");
    put_text(p, "retry_on", on);
    put_number(p, "num_retries", reliability->retry_count);
    if (statuses)
        put_statuses(p, reliability);
    put_end(p, 1);
}

static void put_target(struct envoy_print *p, const struct config_provider_model *model, int64_t timeout_ms) {
    vsr_str authority = one_authority(model);
    put_begin(p, "route");
    put_text(p, "cluster", envoy_cluster_name(p, model->name));
    put_duration(p, "timeout", 0); /* a live stream may be as long as it likes */
    put_duration(p, "idle_timeout", timeout_ms);
    if (authority.ptr)
        put_text(p, "host_rewrite_literal", authority);
    else
        put_truth(p, "auto_host_rewrite", true);
    put_retries(p, &model->reliability);
    put_end(p, 1);
}

/* Requests below `prefix` whose header is exactly that. */
struct match {
    const char *prefix, *header;
    vsr_str value;
    bool ignore_case;
};

static void put_matched(struct envoy_print *p, const struct match *match, const struct config_provider_model *model,
                        int64_t timeout_ms) {
    put_begin(p, NULL);
    put_begin(p, "match");
    put_word(p, "prefix", match->prefix);
    put_list(p, "headers");
    put_begin(p, NULL);
    put_word(p, "name", match->header);
    put_begin(p, "string_match");
    put_text(p, "exact", match->value);
    if (match->ignore_case)
        put_truth(p, "ignore_case", true);
    put_end(p, 4);
    put_target(p, model, timeout_ms);
    put_end(p, 1);
}

static void put_route(struct envoy_print *p, const struct config_provider_model *model, vsr_str name,
                      int64_t timeout_ms) {
    const struct match match = { .prefix = "/", .header = "x-selected-model", .value = name };
    put_matched(p, &match, model, timeout_ms);
}

static void put_adapters(struct envoy_print *p, const struct config_provider_model *model, int64_t timeout_ms) {
    const struct config_list *cards = &p->doc->routing.model_cards;
    for (size_t i = 0; i < cards->n; i++) {
        const struct config_model_card *card = (const struct config_model_card *)cards->items + i;
        if (!str_eq(card->name, model->name))
            continue;
        for (size_t j = 0; j < card->loras.n; j++)
            put_route(p, model, ((const struct config_lora *)card->loras.items + j)->name, timeout_ms);
    }
}

/* For callers who want nothing done, where they may: vsr names no model then. */
static void put_skip_route(struct envoy_print *p, const struct config_provider_model *model, int64_t timeout_ms) {
    const struct match match = { "/v1/", "x-vsr-skip-processing", VSR_STR("true"), .ignore_case = true };
    put_matched(p, &match, model, timeout_ms);
}

/* Whatever vsr has named no model for is nobody's. The filter runs on it all the same. */
static void put_last_route(struct envoy_print *p) {
    put_begin(p, NULL);
    put_begin(p, "match");
    put_word(p, "prefix", "/");
    put_end(p, 1);
    put_begin(p, "direct_response");
    put_number(p, "status", 404);
    put_end(p, 2);
}

/* Envoy finds a route before it asks vsr, and again when vsr has said which model: the last one is for the first time.
 */
static void put_routes(struct envoy_print *p, int64_t timeout_ms) {
    const struct config_provider_model *fallback = NULL;
    put_list(p, "routes");
    for (size_t i = 0; i < p->doc->providers.models.n; i++) {
        const struct config_provider_model *model = envoy_model(p, i);
        if (!envoy_has_endpoint(model))
            continue;
        if (!fallback || str_eq(model->name, p->doc->providers.defaults.default_model))
            fallback = model;
        put_route(p, model, model->name, timeout_ms);
        put_adapters(p, model, timeout_ms);
    }
    if (fallback && p->doc->global.router.skip_processing.enabled)
        put_skip_route(p, fallback, timeout_ms);
    put_last_route(p);
    put_end(p, 1);
}

void envoy_put_routes(struct envoy_print *p, int64_t timeout_ms) {
    put_begin(p, "route_config");
    put_word(p, "name", "models");
    put_list(p, "virtual_hosts");
    put_begin(p, NULL);
    put_word(p, "name", "models");
    put_words(p, "domains", (const char *const[]){ "*" }, 1);
    put_routes(p, timeout_ms);
    put_end(p, 3);
}
