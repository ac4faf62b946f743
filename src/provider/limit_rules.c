#include "provider/limit_rules.h"

#include <openssl/sha.h>

#include "core/arena.h"
#include "core/buf.h"
#include "store/redis_client.h"

enum {
    NAME_LEN_MAX = 4 << 10, /* a longer name of a bucket is shortened to its hash */
};

const char *const limit_kind_names[LIMIT_KINDS] = { "requests", "tokens", "cost", "concurrent" };

/* By enum config_ratelimit_unit. */
static const uint64_t windows_s[] = { 1, 60, 3600, 86400, 30 * 86400 };
static const char *const provider_types[] = { "envoy-ratelimit", "local-limiter", "redis-limiter" };

static vsr_str hex_digest(struct arena *arena, vsr_str text, size_t len) {
    static const char digits[] = "0123456789abcdef";
    unsigned char digest[SHA256_DIGEST_LENGTH];
    char *hex = arena_alloc(arena, len);
    SHA256((const unsigned char *)text.ptr, text.len, digest);
    for (size_t i = 0; i < len; i++)
        hex[i] = digits[i % 2 ? digest[i / 2] & 15 : digest[i / 2] >> 4];
    return str_make(hex, len);
}

vsr_str limit_fingerprint(struct arena *arena, vsr_str key) {
    return hex_digest(arena, key, LIMIT_FINGERPRINT_LEN);
}

/* ---- building */

static bool is_any(vsr_str text) {
    return text.len == 0 || str_eq(text, VSR_STR("*"));
}

static vsr_str unless_any(vsr_str text) {
    return is_any(text) ? VSR_STR("") : text;
}

/* The variable that the listener's `index`th token comes from; empty when it stands in the document. */
static vsr_str token_variable(const struct config_listener *listener, size_t index) {
    const struct yaml_node *node;
    vsr_str source;
    if (index >= listener->api_keys.n)
        return str_trim(listener->api_key_envs.items[index - listener->api_keys.n]);
    node = listener->api_keys.nodes ? listener->api_keys.nodes[index] : NULL;
    source = node && node->substituted ? str_trim(node->source) : VSR_STR("");
    if (source.len > 3 && str_starts(source, VSR_STR("${")) && source.ptr[source.len - 1] == '}')
        return str_sub(source, 2, source.len - 1);
    return VSR_STR("");
}

/* Keys of that variable, on whatever listener. */
static void find_keys(struct arena *arena, const struct config_document *doc, vsr_str variable,
                      struct limit_rule *rule) {
    size_t cap = 0;
    CONFIG_EACH(const struct config_listener, listener, &doc->listeners) {
        for (size_t i = 0; i < listener->tokens.n; i++) {
            if (listener->tokens.items[i].len == 0 || !str_eq(token_variable(listener, i), variable))
                continue;
            rule->keys = arena_grow(arena, rule->keys, sizeof(*rule->keys), rule->n_keys, &cap);
            rule->keys[rule->n_keys++] = limit_fingerprint(arena, listener->tokens.items[i]);
        }
    }
}

static void build_rule(struct arena *arena, const struct config_document *doc, size_t provider,
                       const struct config_ratelimit_rule *config, struct limit_rule *rule) {
    const struct config_ratelimit_match *match = &config->match;
    rule->config = config;
    rule->limits[LIMIT_REQUESTS] = (double)config->requests_per_unit;
    rule->limits[LIMIT_TOKENS] = (double)config->tokens_per_unit;
    rule->limits[LIMIT_COST] = config->cost_per_unit;
    rule->limits[LIMIT_CONCURRENT] = (double)config->concurrent;
    rule->window_us = windows_s[config->unit] * 1000000;
    rule->by_tenant = match->tenant.len > 0;
    rule->by_key = match->key.len > 0;
    rule->by_user = match->user.len > 0 || !(rule->by_tenant || rule->by_key);
    rule->by_model = match->model.len > 0;
    rule->user = unless_any(match->user);
    rule->group = unless_any(match->group);
    rule->tenant = unless_any(match->tenant);
    rule->model = unless_any(match->model);
    rule->any_key = is_any(match->key);
    if (!rule->any_key)
        find_keys(arena, doc, match->key, rule);
    rule->id = arena_printf(arena, "%zu/%.*s", provider, VSR_FMT(config->name));
}

static vsr_str provider_name(struct arena *arena, const struct config_ratelimit *ratelimit, size_t index) {
    const struct config_ratelimit_provider *providers = ratelimit->providers.items;
    size_t n = 0, place = 0;
    for (size_t i = 0; i < ratelimit->providers.n; i++) {
        n += providers[i].type == providers[index].type;
        place += i <= index && providers[i].type == providers[index].type;
    }
    return n == 1 ? str_from_c(provider_types[providers[index].type])
                  : arena_printf(arena, "%s-%zu", provider_types[providers[index].type], place);
}

/* A client that has this long to connect would keep callers waiting; they wait LIMIT_SHARED_MS for an answer anyway. */
static int build_redis(struct arena *arena, const struct config_redis *config, struct limit_provider *provider,
                       struct vsr_err *err) {
    vsr_str host;
    uint16_t port;
    if (!redis_address_parse(config->address, &host, &port))
        return err_set(err, VSR_E_INVALID,
                       "global.services.ratelimit: the address \"%.*s\" of a redis-limiter is not host:port",
                       VSR_FMT(config->address));
    provider->redis = ARENA_NEW(arena, struct redis_options);
    *provider->redis = (struct redis_options){ .address = config->address,
                                               .password = config->password,
                                               .key_prefix = config->key_prefix,
                                               .db = config->db,
                                               .tls = config->use_tls,
                                               .tls_skip_verify = config->tls_skip_verify };
    return 0;
}

static int build_provider(struct arena *arena, const struct config_document *doc, struct limit_set *set, size_t index,
                          struct vsr_err *err) {
    const struct config_ratelimit *ratelimit = &doc->global.services.ratelimit;
    const struct config_ratelimit_provider *config =
        (const struct config_ratelimit_provider *)ratelimit->providers.items + index;
    const struct config_ratelimit_rule *rules = config->rules.items;
    struct limit_provider *provider = &set->providers[index];
    provider->config = config;
    provider->name = provider_name(arena, ratelimit, index);
    provider->n_rules = config->rules.n;
    provider->rules = ARENA_ARRAY(arena, struct limit_rule, provider->n_rules);
    for (size_t r = 0; r < provider->n_rules; r++) {
        build_rule(arena, doc, index, &rules[r], &provider->rules[r]);
        provider->rules[r].index = set->n_rules;
        set->rules[set->n_rules++] = &provider->rules[r];
    }
    return config->type == RATELIMIT_REDIS ? build_redis(arena, config->redis, provider, err) : 0;
}

int limit_set_build(struct arena *arena, const struct config_document *doc, struct limit_set **ret_set,
                    struct vsr_err *err) {
    const struct config_ratelimit *ratelimit = &doc->global.services.ratelimit;
    const struct config_ratelimit_provider *configs = ratelimit->providers.items;
    struct limit_set *set = NULL;
    size_t n_rules = 0;
    int rc = 0;
    if (ratelimit->providers.n > 0) {
        set = ARENA_NEW(arena, struct limit_set);
        set->fail_open = ratelimit->fail_open;
        set->n_providers = ratelimit->providers.n;
        set->providers = ARENA_ARRAY(arena, struct limit_provider, set->n_providers);
        for (size_t i = 0; i < set->n_providers; i++)
            n_rules += configs[i].rules.n;
        set->rules = ARENA_ARRAY(arena, const struct limit_rule *, n_rules);
        for (size_t i = 0; i < set->n_providers && rc == 0; i++)
            rc = build_provider(arena, doc, set, i, err);
    }
    if (rc == 0)
        *ret_set = set;
    return rc;
}

/* ---- matching */

static bool is_one_of(vsr_str text, const vsr_str *items, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (str_eq(items[i], text))
            return true;
    return false;
}

bool limit_rule_matches(const struct limit_rule *rule, const struct limit_subject *subject) {
    if (rule->user.len && !str_eq(rule->user, subject->user))
        return false;
    if (rule->tenant.len && !str_eq(rule->tenant, subject->tenant))
        return false;
    if (rule->group.len && !is_one_of(rule->group, subject->groups, subject->n_groups))
        return false;
    if (!rule->any_key && !is_one_of(subject->key, rule->keys, rule->n_keys))
        return false;
    return !rule->model.len || str_eq(rule->model, subject->requested_model) ||
           str_eq(rule->model, subject->selected_model);
}

/* `|` divides, so that it and `%` are escaped; braces would be a hash tag to Redis, controls trouble in logs. */
static void add_part(struct buf *name, const char *label, vsr_str part) {
    (void)buf_printf(name, "|%s=", label);
    for (size_t i = 0; i < part.len; i++) {
        unsigned char c = (unsigned char)part.ptr[i];
        if (c <= 0x20 || c == 0x7f || c == '|' || c == '%' || c == '{' || c == '}')
            (void)buf_printf(name, "%%%02X", c);
        else
            (void)buf_append_char(name, (char)c);
    }
}

vsr_str limit_bucket_name(struct arena *arena, const struct limit_rule *rule, enum limit_kind kind,
                          const struct limit_subject *subject) {
    struct buf name;
    vsr_str text;
    /* Escaping makes at most three bytes of one. */
    buf_init(&name, 1024 + 3 * (rule->id.len + subject->user.len + subject->tenant.len + subject->key.len +
                                subject->requested_model.len + subject->selected_model.len));
    add_part(&name, "rule", rule->id);
    add_part(&name, "kind", str_from_c(limit_kind_names[kind]));
    if (rule->by_tenant)
        add_part(&name, "tenant", subject->tenant);
    if (rule->by_key)
        add_part(&name, "key", subject->key);
    if (rule->by_user)
        add_part(&name, "user", subject->user);
    if (rule->by_model)
        add_part(&name, "model", rule->model.len ? rule->model : subject->selected_model);
    text = buf_str(&name);
    text = text.len > NAME_LEN_MAX ? hex_digest(arena, text, 2 * SHA256_DIGEST_LENGTH) : arena_str(arena, text);
    buf_done(&name);
    return text;
}
