/* memory - what is remembered of the user is given to the model (plugins.md). */
#include <math.h>

#include "plugin/plugin.h"

struct memory_reflection {
    struct config_at at;
    bool enabled;
    int algorithm;
    int64_t max_inject_tokens, recency_decay_days;
    double dedup_threshold;
    struct config_strings block_patterns;
};

struct memory_config {
    struct config_at at;
    bool enabled, auto_store, hybrid_search;
    int64_t retrieval_limit;
    double similarity_threshold;
    vsr_str hybrid_mode;
    struct memory_reflection reflection;
};

static const char *const algorithms[] = { "heuristic", "noop", NULL };

static const struct field reflection_fields[] = {
    { "enabled", FIELD_BOOL, offsetof(struct memory_reflection, enabled), .fallback = "true",
      .help = "Whether memories are sorted and thinned out before they are given." },
    { "algorithm", FIELD_ENUM, offsetof(struct memory_reflection, algorithm), .fallback = "heuristic",
      .choices = algorithms, .help = "How." },
    { "max_inject_tokens", FIELD_INT, offsetof(struct memory_reflection, max_inject_tokens), .flags = FIELD_RANGE,
      .fallback = "2048", .least = 0, .greatest = INFINITY, .help = "Most that is given." },
    { "recency_decay_days", FIELD_INT, offsetof(struct memory_reflection, recency_decay_days), .flags = FIELD_RANGE,
      .fallback = "30", .least = 0, .greatest = INFINITY, .help = "How fast old memories fade." },
    { "dedup_threshold", FIELD_NUMBER, offsetof(struct memory_reflection, dedup_threshold), .flags = FIELD_RANGE,
      .fallback = "0.90", .least = 0, .greatest = 1, .help = "From here on two memories are the same." },
    { "block_patterns", FIELD_STRINGS, offsetof(struct memory_reflection, block_patterns),
      .flags = FIELD_NONBLANK | FIELD_VERBATIM, .help = "Memories with one of these are never given." },
};
static const struct schema reflection_schema = SCHEMA("reflection", struct memory_reflection, reflection_fields);

static const struct field fields[] = {
    { "enabled", FIELD_BOOL, offsetof(struct memory_config, enabled), .fallback = "true",
      .help = "Whether the decision uses memory, whatever global.stores.memory says." },
    { "retrieval_limit", FIELD_INT, offsetof(struct memory_config, retrieval_limit), .flags = FIELD_RANGE, .least = 1,
      .greatest = INFINITY, .help = "Most memories; absent: as global.stores.memory says." },
    { "similarity_threshold", FIELD_NUMBER, offsetof(struct memory_config, similarity_threshold), .flags = FIELD_RANGE,
      .least = 0, .greatest = 1,
      .help = "Least likeness of request and memory; absent: as global.stores.memory says." },
    { "auto_store", FIELD_BOOL, offsetof(struct memory_config, auto_store),
      .help = "Whether new memories are made; absent: as global.stores.memory says." },
    { "hybrid_search", FIELD_BOOL, offsetof(struct memory_config, hybrid_search),
      .help = "Whether words count beside meaning; absent: as global.stores.memory says." },
    { "hybrid_mode", FIELD_STRING, offsetof(struct memory_config, hybrid_mode), .help = "How the two are mixed." },
    { "reflection", FIELD_OBJECT, offsetof(struct memory_config, reflection), .object = &reflection_schema,
      .help = "What happens to memories before they are given." },
};
static const struct schema schema = SCHEMA("memory", struct memory_config, fields);

static bool is_enabled(const void *block) {
    const struct memory_config *config = block;
    return config && config->enabled;
}

const struct config_kind plugin_memory = { .type = "memory", .schema = &schema, .enabled = is_enabled };
