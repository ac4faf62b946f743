/*
 * limit_rules - the rules of `global.services.ratelimit`, compiled, and which of them a request falls under.
 *
 * A rule is a budget of its own for each caller. Whose: every user's, unless the rule's `match` names tenants or keys
 * and no user; then it is the tenant's or the key's, however many users share it. It is one budget for all models,
 * unless `match.model` is written. Callers of whom nobody has said who they are share one budget. Immutable after
 * build; any thread.
 */
#ifndef VSR_PROVIDER_LIMIT_RULES_H
#define VSR_PROVIDER_LIMIT_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/document.h"
#include "core/err.h"
#include "core/str.h"

struct arena;
struct redis_options;

enum limit_kind { LIMIT_REQUESTS, LIMIT_TOKENS, LIMIT_COST, LIMIT_CONCURRENT, LIMIT_KINDS };

/* `requests`, `tokens`, `cost`, `concurrent`: in metrics and in the names of buckets. */
extern const char *const limit_kind_names[LIMIT_KINDS];

/* The rules that one provider of the list counts. */
struct limit_provider {
    const struct config_ratelimit_provider *config;
    struct redis_options *redis; /* redis-limiter: where it counts; else NULL */
    struct limit_rule *rules;    /* none for envoy-ratelimit */
    size_t n_rules;
    vsr_str name; /* in metrics and logs: the type, or behind it its number among several */
};

struct limit_rule {
    const struct config_ratelimit_rule *config;
    vsr_str id;                 /* begins the names of its buckets */
    double limits[LIMIT_KINDS]; /* 0: unlimited */
    uint64_t window_us;
    bool by_user, by_tenant, by_key, by_model; /* whose budget it is */
    vsr_str user, group, tenant, model;        /* empty: any */
    bool any_key;
    vsr_str *keys; /* fingerprints of the keys that it is for, unless any_key */
    size_t n_keys;
    size_t index; /* in the set: for the metrics */
};

struct limit_set {
    struct limit_provider *providers;
    size_t n_providers;
    const struct limit_rule **rules; /* of all providers */
    size_t n_rules;
    bool fail_open;
};

enum { LIMIT_FINGERPRINT_LEN = 16 };

/* Stands for a listener's key where the key itself must not go: the first 16 hex digits of its SHA-256. */
vsr_str limit_fingerprint(struct arena *arena, vsr_str key);

/* Into `arena`, where the document must live too. `*ret_set` is NULL when nothing is limited. VSR_E_INVALID. */
int limit_set_build(struct arena *arena, const struct config_document *doc, struct limit_set **ret_set,
                    struct vsr_err *err) VSR_MUST_CHECK;

/* Who asks for what. What is not known is empty, and falls under the rules for any. */
struct limit_subject {
    vsr_str user, tenant;
    vsr_str key; /* fingerprint of the listener's key that was shown */
    const vsr_str *groups;
    size_t n_groups;
    vsr_str requested_model, selected_model;
    vsr_str currency; /* that the selected model is priced in; empty: it has no price */
};

bool limit_rule_matches(const struct limit_rule *rule, const struct limit_subject *subject);

/* The bucket of the rule for that caller. The same parts never make the same name in another way. */
vsr_str limit_bucket_name(struct arena *arena, const struct limit_rule *rule, enum limit_kind kind,
                          const struct limit_subject *subject);

#endif
