/* response_cache - an answer that was given before is given again (plugins.md §2). */
#include <math.h>

#include "plugin/plugin.h"

struct cache_semantic {
    struct config_at at;
    double similarity_threshold;
};

struct cache_request_controls {
    struct config_at at;
    bool enabled;
    vsr_str header;
    struct config_strings allowed;
    int64_t max_ttl_seconds;
};

struct cache_personalized {
    struct config_at at;
    int mode; /* 0 disabled, 1 exact */
};

struct cache_revision {
    struct config_at at;
    vsr_str cache_epoch, model_revision, prompt_revision, policy_revision;
};

struct response_cache_config {
    struct config_at at;
    bool enabled;
    int mode, scope;
    struct cache_semantic semantic;
    int64_t ttl_seconds;
    struct cache_request_controls request_controls;
    struct cache_personalized personalized;
    struct cache_revision revision;
};

static const char *const modes[] = { "semantic", "exact", "exact_then_semantic", NULL };
static const char *const scopes[] = { "user", "team", "tenant", "global", NULL };
static const char *const personalized_modes[] = { "disabled", "exact", NULL };
static const char *const controls[] = { "no-cache", "no-store", "bypass", "max-age", "ttl", NULL };

static const struct field semantic_fields[] = {
    { "similarity_threshold", FIELD_NUMBER, offsetof(struct cache_semantic, similarity_threshold), .flags = FIELD_RANGE,
      .fallback = "0.8", .least = 0, .greatest = 1, .help = "From here on two questions count as the same." },
};
static const struct schema semantic_schema = SCHEMA("semantic", struct cache_semantic, semantic_fields);

static const struct field control_fields[] = {
    { "enabled", FIELD_BOOL, offsetof(struct cache_request_controls, enabled), .fallback = "false",
      .help = "Whether clients may steer the cache by a header." },
    { "header", FIELD_STRING, offsetof(struct cache_request_controls, header), .flags = FIELD_NONBLANK,
      .fallback = "x-vsr-cache-control", .help = "Its name." },
    { "allowed", FIELD_STRINGS, offsetof(struct cache_request_controls, allowed), .flags = FIELD_NONBLANK,
      .fallback = "[no-cache, no-store, bypass]",
      .help = "What they may say: no-cache, no-store, bypass, max-age, ttl." },
    { "max_ttl_seconds", FIELD_INT, offsetof(struct cache_request_controls, max_ttl_seconds), .flags = FIELD_RANGE,
      .fallback = "0", .least = 0, .greatest = INFINITY, .help = "Longest life they may ask for; 0: the decision's." },
};

static void check_controls(const void *object, struct arena *arena, struct diag *diag);

static const struct schema controls_schema =
    SCHEMA("request controls", struct cache_request_controls, control_fields, .check = check_controls);

static bool is_control(vsr_str word) {
    for (size_t i = 0; controls[i]; i++)
        if (str_eq_c(word, controls[i]))
            return true;
    return false;
}

static void check_controls(const void *object, struct arena *arena, struct diag *diag) {
    const struct cache_request_controls *config = object;
    struct diag_at at = schema_field_at(&controls_schema, object, "allowed", arena);
    for (size_t i = 0; i < config->allowed.n; i++)
        if (!is_control(config->allowed.items[i]))
            diag_error(diag, "E_ENUM", at, VSR_STR(""),
                       "\"%.*s\" is not one of no-cache, no-store, bypass, max-age, ttl",
                       VSR_FMT(config->allowed.items[i]));
}

static const struct field personalized_fields[] = {
    { "mode", FIELD_ENUM, offsetof(struct cache_personalized, mode), .fallback = "disabled",
      .choices = personalized_modes, .help = "Whether a prompt enriched for one user may be answered from the cache." },
};
static const struct schema personalized_schema = SCHEMA("personalized", struct cache_personalized, personalized_fields);

#define REVISION(name, text) \
    { #name, FIELD_STRING, offsetof(struct cache_revision, name), .help = text }
static const struct field revision_fields[] = {
    REVISION(cache_epoch, "Changing it forgets everything."),
    REVISION(model_revision, "Changing it forgets what other revisions of the model said."),
    REVISION(prompt_revision, "Changing it forgets what other prompts led to."),
    REVISION(policy_revision, "Changing it forgets what other policies led to."),
};
#undef REVISION
static const struct schema revision_schema = SCHEMA("revision", struct cache_revision, revision_fields);

/* Flat spellings of what is nested now (config/alias.h). */
#define OLD(name, kind, block, now) \
    { #name, kind, offsetof(struct response_cache_config, block), .flags = FIELD_OLD, .help = "Now " now "." }

static const struct field fields[] = {
    { "enabled", FIELD_BOOL, offsetof(struct response_cache_config, enabled), .fallback = "true",
      .help = "Whether the decision's answers are cached." },
    { "mode", FIELD_ENUM, offsetof(struct response_cache_config, mode), .fallback = "semantic", .choices = modes,
      .help = "What counts as the same question." },
    { "scope", FIELD_ENUM, offsetof(struct response_cache_config, scope), .fallback = "user", .choices = scopes,
      .help = "Who shares answers." },
    { "semantic", FIELD_OBJECT, offsetof(struct response_cache_config, semantic), .object = &semantic_schema,
      .help = "Settings of the modes that compare meaning." },
    { "ttl_seconds", FIELD_INT, offsetof(struct response_cache_config, ttl_seconds), .flags = FIELD_RANGE, .least = 0,
      .greatest = INFINITY, .help = "Life of an answer; 0: it is not cached; absent: the store's." },
    { "request_controls", FIELD_OBJECT, offsetof(struct response_cache_config, request_controls),
      .object = &controls_schema, .help = "What clients may ask of the cache." },
    { "personalized", FIELD_OBJECT, offsetof(struct response_cache_config, personalized),
      .object = &personalized_schema, .help = "Answers to prompts that were enriched for one user." },
    { "revision", FIELD_OBJECT, offsetof(struct response_cache_config, revision), .object = &revision_schema,
      .help = "Labels that part old answers from new ones." },
    OLD(similarity_threshold, FIELD_NUMBER, semantic, "semantic.similarity_threshold"),
    OLD(allow_request_controls, FIELD_BOOL, request_controls, "request_controls.enabled"),
    OLD(control_header, FIELD_STRING, request_controls, "request_controls.header"),
};
#undef OLD
static const struct schema schema = SCHEMA("response_cache", struct response_cache_config, fields);

static bool is_enabled(const void *block) {
    const struct response_cache_config *config = block;
    return config && config->enabled;
}

/* Answers that were made from someone's documents or memories must not reach others. */
static void check(const struct config_site *site, const void *block) {
    static const vsr_str personal[] = { VSR_STR_INIT("rag"), VSR_STR_INIT("memory") };
    for (size_t i = 0; is_enabled(block) && i < VSR_COUNT(personal); i++) {
        const struct config_plugin *other = config_decision_plugin(site->decision, personal[i]);
        if (other)
            diag_warn(site->diag, "W_CACHE_BYPASS", schema_at(block), VSR_STR(""),
                      "the cache is not read for requests that the plugin %.*s at line %u enriches",
                      VSR_FMT(personal[i]), schema_at(other).line);
    }
}

static const char *const old_types[] = { "semantic-cache", "semantic_cache", "response-cache", NULL };

const struct config_kind plugin_response_cache = {
    .type = "response_cache",
    .old_types = old_types,
    .schema = &schema,
    .block_required = true,
    .check = TABLE_CHECK(check),
    .enabled = is_enabled,
};
