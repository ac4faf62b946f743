/*
 * suite - a test suite for a routing profile, as `probes.yaml` writes it (config.md §18.1).
 *
 * Each variant of a decision is one request with an expectation. The document is strict: unknown keys, anchors,
 * aliases, merge keys, tags and repeated keys are errors. Read-only once loaded: any thread.
 */
#ifndef VSR_PROBE_SUITE_H
#define VSR_PROBE_SUITE_H

#include "config/schema.h"

enum {
    PROBE_TIMEOUT_S_MAX = 1200,
    PROBE_CONCURRENCY_MAX = 64,
    PROBE_REPEAT_MAX = 10000,
    PROBE_GENERATED_BYTES_MAX = 10485760,
    PROBE_BODY_LEN_MAX = 10 << 20,
    PROBE_PROMPT_CHARS_MAX = 2000,
};

enum probe_placement { PLACE_BEFORE, PLACE_AFTER, PLACE_AROUND };
enum probe_match { MATCH_CONTAINS, MATCH_EXACT };

struct probe_padding {
    struct config_at at;
    vsr_str text;
    int64_t repeat;
    int placement; /* enum probe_placement */
};

struct probe_generated_text {
    struct config_at at;
    int64_t message_index, content_index, target_text_bytes;
    vsr_str character; /* one printable ASCII character */
};

struct probe_playground {
    struct config_at at;
    bool enabled;
    vsr_str reason;
};

struct probe_variant {
    struct config_at at;
    vsr_str id;
    vsr_str query;
    const struct yaml_node *messages; /* either a query or messages */
    const struct yaml_node *tools;
    int64_t repeat;
    struct probe_padding *padding;
    struct probe_generated_text *generated_text;
    struct config_strings tags;
    vsr_str notes;
    struct config_strings_map expected_signals; /* when written, instead of the decision's */
    vsr_str display_prompt;
    struct probe_playground *playground;
};

struct probe_robustness {
    struct config_at at;
    double min_pass_rate;
};

struct probe_decision {
    struct config_at at;
    vsr_str id, expected_decision, model, expected_recipe, expected_algorithm, expected_alias, objective, notes;
    struct config_strings expected_plugins, forbidden_plugins;
    int plugin_match, signal_match; /* enum probe_match */
    struct config_strings_map expected_signals, forbidden_signals;
    struct probe_robustness *robustness;
    struct config_list variants; /* struct probe_variant */
};

struct probe_image {
    struct config_at at;
    vsr_str id, description, media_type, data_base64, sha256;
};

struct probe_fixtures {
    struct config_at at;
    struct config_list images; /* struct probe_image */
};

struct probe_assets {
    struct config_at at;
    vsr_str yaml, dsl;
};

struct probe_evaluation {
    struct config_at at;
    int64_t request_timeout_seconds, concurrency;
};

struct probe_acceptance {
    struct config_at at;
    double min_probe_pass_rate, min_decision_pass_rate;
};

struct probe_coverage {
    struct config_at at;
    double min_signal_assertion_percent, min_projection_assertion_percent, min_algorithm_assertion_percent,
        min_plugin_assertion_percent;
    struct config_strings required_request_shapes;
    struct config_number_map min_tag_counts, min_tag_pass_rate;
};

struct probe_suite {
    struct config_at at;
    vsr_str schema_version, name, description, router_eval_endpoint;
    struct probe_assets routing_assets;
    struct probe_evaluation evaluation;
    struct probe_acceptance acceptance;
    struct probe_coverage coverage;
    struct probe_fixtures fixtures;
    struct config_list decisions; /* struct probe_decision */
};

/*
 * Parses and checks `text`, named `file` in messages. Everything wrong is in `diag`, which is initialised here. Returns
 * 0 or a negative code; the suite lives in `arena`.
 */
int probe_suite_parse(struct arena *arena, vsr_str text, vsr_str file, const struct probe_suite **ret_suite,
                      struct diag *diag);

extern const struct schema probe_suite_schema;

/* What a decision of the suite expects when this variant is asked. */
const struct config_strings_map *probe_expected_signals(const struct probe_decision *decision,
                                                        const struct probe_variant *variant);

/* Categories that pass rates are kept by (config.md §18.4). */
enum probe_tag {
    TAG_LANGUAGE,
    TAG_NEGATIVE,
    TAG_COLLISION,
    TAG_FALLBACK,
    TAG_STRESS,
    TAG_TOOLS,
    TAG_MULTI_TURN,
    PROBE_TAGS
};
const char *probe_tag_text(enum probe_tag tag);
/* Bit per category that the variant's tags and shape put it in. */
unsigned probe_tags(const struct probe_variant *variant);

/* NULL: no picture of that name. */
const struct probe_image *probe_image(const struct probe_suite *suite, vsr_str id);

#endif
