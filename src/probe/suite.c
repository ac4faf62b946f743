#include "probe/suite.h"

#include <math.h>
#include <string.h>

#include "core/arena.h"
#include "core/err.h"
#include "core/map.h"
#include "core/utf8.h"
#include "probe/image.h"

static const char *const placements[] = { "before", "after", "around", NULL };
static const char *const matches[] = { "contains", "exact", NULL };
static const char *const tag_texts[] = { "language", "negative", "collision", "fallback",
                                         "stress",   "tools",    "multi_turn" };
static const char *const shapes[] = { "text", "messages", "tools" };

/* ---- variants */

static const struct field padding_fields[] = {
    { "text", FIELD_STRING, offsetof(struct probe_padding, text), .flags = FIELD_REQUIRED, .help = "What is added." },
    { "repeat", FIELD_INT, offsetof(struct probe_padding, repeat), .flags = FIELD_RANGE, .fallback = "1", .least = 1,
      .greatest = PROBE_REPEAT_MAX, .help = "How often." },
    { "placement", FIELD_ENUM, offsetof(struct probe_padding, placement), .fallback = "before", .choices = placements,
      .help = "Where." },
};
static const struct schema padding_schema = SCHEMA("padding", struct probe_padding, padding_fields);

static const struct field generated_fields[] = {
    { "message_index", FIELD_INT, offsetof(struct probe_generated_text, message_index),
      .flags = FIELD_REQUIRED | FIELD_RANGE, .least = 0, .greatest = INFINITY, .help = "Which message grows." },
    { "content_index", FIELD_INT, offsetof(struct probe_generated_text, content_index),
      .flags = FIELD_REQUIRED | FIELD_RANGE, .least = 0, .greatest = INFINITY, .help = "Before which of its parts." },
    { "target_text_bytes", FIELD_INT, offsetof(struct probe_generated_text, target_text_bytes),
      .flags = FIELD_REQUIRED | FIELD_RANGE, .least = 1, .greatest = PROBE_GENERATED_BYTES_MAX,
      .help = "Bytes of text that the message has then." },
    { "character", FIELD_STRING, offsetof(struct probe_generated_text, character), .fallback = "x",
      .help = "What it is filled with: one printable ASCII character." },
};

static void check_generated(const void *object, struct arena *arena, struct diag *diag);

static const struct schema generated_schema =
    SCHEMA("generated text", struct probe_generated_text, generated_fields, .check = check_generated);

static void check_generated(const void *object, struct arena *arena, struct diag *diag) {
    vsr_str text = ((const struct probe_generated_text *)object)->character;
    if (text.len != 1 || text.ptr[0] < ' ' || text.ptr[0] > '~')
        diag_error(diag, "E_TYPE", schema_field_at(&generated_schema, object, "character", arena), VSR_STR(""),
                   "expected one printable ASCII character");
}

static const struct field playground_fields[] = {
    { "enabled", FIELD_BOOL, offsetof(struct probe_playground, enabled), .fallback = "true",
      .help = "Whether the playground offers it." },
    { "reason", FIELD_STRING, offsetof(struct probe_playground, reason), .help = "Why not." },
};
static const struct schema playground_schema = SCHEMA("playground", struct probe_playground, playground_fields);

static const struct field variant_fields[] = {
    { "id", FIELD_STRING, offsetof(struct probe_variant, id), .flags = FIELD_REQUIRED | FIELD_NONBLANK,
      .help = "Unique in its decision." },
    { "query", FIELD_STRING, offsetof(struct probe_variant, query), .help = "A message of the user." },
    { "messages", FIELD_NODE, offsetof(struct probe_variant, messages), .help = "A conversation instead." },
    { "tools", FIELD_NODE, offsetof(struct probe_variant, tools), .help = "Tools of the request." },
    { "repeat", FIELD_INT, offsetof(struct probe_variant, repeat), .flags = FIELD_RANGE, .fallback = "1", .least = 1,
      .greatest = PROBE_REPEAT_MAX, .help = "How often the query is written." },
    { "padding", FIELD_OPTIONAL, offsetof(struct probe_variant, padding), .object = &padding_schema,
      .help = "Lines around the query." },
    { "generated_text", FIELD_OPTIONAL, offsetof(struct probe_variant, generated_text), .object = &generated_schema,
      .help = "Text that fills a message up." },
    { "tags", FIELD_STRINGS, offsetof(struct probe_variant, tags), .flags = FIELD_NONBLANK,
      .help = "What it is about." },
    { "notes", FIELD_STRING, offsetof(struct probe_variant, notes), .help = "For readers." },
    { "expected_signals", FIELD_STRINGS_MAP, offsetof(struct probe_variant, expected_signals),
      .help = "Signals that match, instead of the decision's." },
    { "display_prompt", FIELD_STRING, offsetof(struct probe_variant, display_prompt),
      .help = "What the playground shows." },
    { "playground", FIELD_OPTIONAL, offsetof(struct probe_variant, playground), .object = &playground_schema,
      .help = "Whether the playground offers it." },
};

static void check_variant(const void *object, struct arena *arena, struct diag *diag);

static const struct schema variant_schema =
    SCHEMA("variant", struct probe_variant, variant_fields, .check = check_variant);

static struct diag_at variant_at(const struct probe_variant *variant, const char *field, struct arena *arena) {
    return schema_field_at(&variant_schema, variant, field, arena);
}

static void check_playground(const struct probe_variant *variant, struct arena *arena, struct diag *diag) {
    if (utf8_count(variant->display_prompt) > PROBE_PROMPT_CHARS_MAX)
        diag_error(diag, "E_RANGE", variant_at(variant, "display_prompt", arena), VSR_STR(""),
                   "longer than %d characters", PROBE_PROMPT_CHARS_MAX);
    if (variant->playground && !variant->playground->enabled &&
        (variant->playground->reason.len == 0 || variant->display_prompt.len == 0))
        diag_error(diag, "E_REQUIRED", variant_at(variant, "playground", arena), VSR_STR(""),
                   "a variant that the playground does not offer needs a reason and a display_prompt");
}

static void check_variant(const void *object, struct arena *arena, struct diag *diag) {
    const struct probe_variant *variant = object;
    bool has_query = schema_present(&variant_schema, variant, "query");
    if (has_query == (variant->messages != NULL))
        diag_error(diag, "E_REQUIRED", schema_at(variant), VSR_STR(""),
                   "exactly one of query and messages is required");
    if (variant->messages && variant->messages->kind != YAML_SEQUENCE)
        diag_error(diag, "E_TYPE", variant_at(variant, "messages", arena), VSR_STR(""), "expected a list");
    if (variant->tools && variant->tools->kind != YAML_SEQUENCE)
        diag_error(diag, "E_TYPE", variant_at(variant, "tools", arena), VSR_STR(""), "expected a list");
    if (variant->generated_text && !variant->messages)
        diag_error(diag, "E_CONFLICT", variant_at(variant, "generated_text", arena), VSR_STR(""),
                   "generated_text needs messages");
    if (variant->messages && (variant->padding || schema_present(&variant_schema, variant, "repeat")))
        diag_error(diag, "E_CONFLICT", variant_at(variant, variant->padding ? "padding" : "repeat", arena), VSR_STR(""),
                   "padding and repeat need a query");
    check_playground(variant, arena, diag);
}

/* ---- decisions */

static const struct field robustness_fields[] = {
    { "min_pass_rate", FIELD_NUMBER, offsetof(struct probe_robustness, min_pass_rate),
      .flags = FIELD_REQUIRED | FIELD_RANGE, .least = 0, .greatest = 100, .help = "Percent of its variants." },
};
static const struct schema robustness_schema = SCHEMA("robustness", struct probe_robustness, robustness_fields);

static const struct field decision_fields[] = {
    { "id", FIELD_STRING, offsetof(struct probe_decision, id), .flags = FIELD_REQUIRED | FIELD_NONBLANK,
      .help = "Unique in the suite." },
    { "expected_decision", FIELD_STRING, offsetof(struct probe_decision, expected_decision),
      .flags = FIELD_REQUIRED | FIELD_NONBLANK, .help = "Where its variants go." },
    { "model", FIELD_STRING, offsetof(struct probe_decision, model), .help = "What they ask for." },
    { "expected_recipe", FIELD_STRING, offsetof(struct probe_decision, expected_recipe), .fallback = "default",
      .help = "Who routes them." },
    { "expected_algorithm", FIELD_STRING, offsetof(struct probe_decision, expected_algorithm),
      .help = "How a model is chosen." },
    { "expected_plugins", FIELD_STRINGS, offsetof(struct probe_decision, expected_plugins), .flags = FIELD_NONBLANK,
      .help = "Plugins that the decision has." },
    { "forbidden_plugins", FIELD_STRINGS, offsetof(struct probe_decision, forbidden_plugins), .flags = FIELD_NONBLANK,
      .help = "Plugins that it has not." },
    { "plugin_match", FIELD_ENUM, offsetof(struct probe_decision, plugin_match), .fallback = "contains",
      .choices = matches, .help = "Whether there may be others." },
    { "expected_alias", FIELD_STRING, offsetof(struct probe_decision, expected_alias),
      .help = "A model it recommends." },
    { "expected_signals", FIELD_STRINGS_MAP, offsetof(struct probe_decision, expected_signals),
      .help = "Signals that match." },
    { "forbidden_signals", FIELD_STRINGS_MAP, offsetof(struct probe_decision, forbidden_signals),
      .help = "Signals that do not." },
    { "signal_match", FIELD_ENUM, offsetof(struct probe_decision, signal_match), .fallback = "contains",
      .choices = matches, .help = "Whether others may match." },
    { "robustness", FIELD_OPTIONAL, offsetof(struct probe_decision, robustness), .object = &robustness_schema,
      .help = "How many of its variants must pass." },
    { "objective", FIELD_STRING, offsetof(struct probe_decision, objective), .help = "For readers." },
    { "notes", FIELD_STRING, offsetof(struct probe_decision, notes), .help = "For readers." },
    { "variants", FIELD_OBJECTS, offsetof(struct probe_decision, variants), .flags = FIELD_REQUIRED | FIELD_NONBLANK,
      .object = &variant_schema, .help = "Its requests." },
};

static void check_decision(const void *object, struct arena *arena, struct diag *diag);

static const struct schema decision_schema =
    SCHEMA("probe decision", struct probe_decision, decision_fields, .check = check_decision);

static void check_unique(struct map *seen, vsr_str id, const void *object, struct diag *diag) {
    const void *first = map_put(seen, id, (void *)object);
    if (first)
        diag_error(diag, "E_DUP", schema_at(object), VSR_STR(""), "the id \"%.*s\" already stands at line %u",
                   VSR_FMT(id), schema_at(first).line);
}

static void check_filled(const struct config_list *list, const struct schema *schema, const void *object,
                         const char *field, struct diag *diag) {
    if (list->n == 0)
        diag_error(diag, "E_REQUIRED", schema_field_at(schema, object, field, diag->arena), VSR_STR(""),
                   "must have at least one entry");
}

static void check_decision(const void *object, struct arena *arena, struct diag *diag) {
    const struct probe_decision *decision = object;
    struct map seen;
    map_init(&seen, arena);
    check_filled(&decision->variants, &decision_schema, object, "variants", diag);
    CONFIG_EACH(const struct probe_variant, variant, &decision->variants)
    check_unique(&seen, variant->id, variant, diag);
}

/* ---- the suite */

static const struct field assets_fields[] = {
    { "yaml", FIELD_STRING, offsetof(struct probe_assets, yaml), .flags = FIELD_REQUIRED | FIELD_NONBLANK,
      .help = "The profile, relative to its repository." },
    { "dsl", FIELD_STRING, offsetof(struct probe_assets, dsl), .flags = FIELD_REQUIRED | FIELD_NONBLANK,
      .help = "The same in the policy language." },
};
static const struct schema assets_schema = SCHEMA("routing assets", struct probe_assets, assets_fields);

static const struct field evaluation_fields[] = {
    { "request_timeout_seconds", FIELD_INT, offsetof(struct probe_evaluation, request_timeout_seconds),
      .flags = FIELD_RANGE, .fallback = "60", .least = 1, .greatest = PROBE_TIMEOUT_S_MAX,
      .help = "Longest wait for a router." },
    { "concurrency", FIELD_INT, offsetof(struct probe_evaluation, concurrency), .flags = FIELD_RANGE, .fallback = "1",
      .least = 1, .greatest = PROBE_CONCURRENCY_MAX, .help = "Requests at the same time." },
};
static const struct schema evaluation_schema = SCHEMA("evaluation", struct probe_evaluation, evaluation_fields);

#define PERCENT(type, name, number, text) \
    { \
#name, FIELD_NUMBER, offsetof(type, name), .flags = FIELD_RANGE, .fallback = number, .least = 0, \
                                                   .greatest = 100, .help = text \
    }
static const struct field acceptance_fields[] = {
    PERCENT(struct probe_acceptance, min_probe_pass_rate, "100", "Percent of all variants that pass."),
    PERCENT(struct probe_acceptance, min_decision_pass_rate, "100", "Percent of a decision's variants that pass."),
};
static const struct schema acceptance_schema = SCHEMA("acceptance", struct probe_acceptance, acceptance_fields);

static const struct field coverage_fields[] = {
    PERCENT(struct probe_coverage, min_signal_assertion_percent, "0", "Percent of signals that some probe asserts."),
    PERCENT(struct probe_coverage, min_projection_assertion_percent, "0", "Percent of projection outputs."),
    PERCENT(struct probe_coverage, min_algorithm_assertion_percent, "0", "Percent of algorithms."),
    PERCENT(struct probe_coverage, min_plugin_assertion_percent, "0", "Percent of plugins."),
    { "required_request_shapes", FIELD_STRINGS, offsetof(struct probe_coverage, required_request_shapes),
      .flags = FIELD_NONBLANK, .help = "Shapes that occur: text, messages, tools." },
    { "min_tag_counts", FIELD_NUMBER_MAP, offsetof(struct probe_coverage, min_tag_counts), .flags = FIELD_RANGE,
      .least = 0, .greatest = INFINITY, .help = "Variants of a category of tags." },
    { "min_tag_pass_rate", FIELD_NUMBER_MAP, offsetof(struct probe_coverage, min_tag_pass_rate), .flags = FIELD_RANGE,
      .least = 0, .greatest = 100, .help = "Percent of them that pass." },
};
#undef PERCENT

static void check_coverage(const void *object, struct arena *arena, struct diag *diag);

static const struct schema coverage_schema =
    SCHEMA("coverage", struct probe_coverage, coverage_fields, .check = check_coverage);

static bool is_one_of(vsr_str word, const char *const *words, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (str_eq_c(word, words[i]))
            return true;
    return false;
}

static void check_categories(const struct config_number_map *map, const void *object, const char *field,
                             struct arena *arena, struct diag *diag) {
    for (size_t i = 0; i < map->n; i++)
        if (!is_one_of(map->keys[i], tag_texts, PROBE_TAGS))
            diag_error(diag, "E_ENUM", schema_field_at(&coverage_schema, object, field, arena), VSR_STR(""),
                       "\"%.*s\" is not one of language, negative, collision, fallback, stress, tools, multi_turn",
                       VSR_FMT(map->keys[i]));
}

static void check_coverage(const void *object, struct arena *arena, struct diag *diag) {
    const struct probe_coverage *coverage = object;
    for (size_t i = 0; i < coverage->required_request_shapes.n; i++)
        if (!is_one_of(coverage->required_request_shapes.items[i], shapes, VSR_COUNT(shapes)))
            diag_error(diag, "E_ENUM", schema_field_at(&coverage_schema, object, "required_request_shapes", arena),
                       VSR_STR(""), "\"%.*s\" is not one of text, messages, tools",
                       VSR_FMT(coverage->required_request_shapes.items[i]));
    check_categories(&coverage->min_tag_counts, object, "min_tag_counts", arena, diag);
    check_categories(&coverage->min_tag_pass_rate, object, "min_tag_pass_rate", arena, diag);
}

static const struct field image_fields[] = {
    { "id", FIELD_STRING, offsetof(struct probe_image, id), .flags = FIELD_KEY, .help = "Its name." },
    { "description", FIELD_STRING, offsetof(struct probe_image, description), .flags = FIELD_REQUIRED | FIELD_NONBLANK,
      .help = "What it shows." },
    { "media_type", FIELD_STRING, offsetof(struct probe_image, media_type), .flags = FIELD_REQUIRED | FIELD_NONBLANK,
      .help = "image/png, image/jpeg, image/gif or image/webp." },
    { "data_base64", FIELD_STRING, offsetof(struct probe_image, data_base64), .flags = FIELD_REQUIRED | FIELD_NONBLANK,
      .help = "The file." },
    { "sha256", FIELD_STRING, offsetof(struct probe_image, sha256), .flags = FIELD_REQUIRED | FIELD_NONBLANK,
      .help = "Its digest, sha256: and 64 hexadecimal digits." },
};
static const struct schema image_schema =
    SCHEMA("image fixture", struct probe_image, image_fields, .check = probe_image_check);

static const struct field fixtures_fields[] = {
    { "images", FIELD_OBJECT_MAP, offsetof(struct probe_fixtures, images), .object = &image_schema,
      .help = "Pictures by name." },
};
static const struct schema fixtures_schema = SCHEMA("fixtures", struct probe_fixtures, fixtures_fields);

static const struct field suite_fields[] = {
    { "schema_version", FIELD_STRING, offsetof(struct probe_suite, schema_version), .flags = FIELD_REQUIRED,
      .help = "v1." },
    { "name", FIELD_STRING, offsetof(struct probe_suite, name), .flags = FIELD_REQUIRED | FIELD_NONBLANK,
      .help = "Name of the profile and of its directory." },
    { "description", FIELD_STRING, offsetof(struct probe_suite, description), .help = "For readers." },
    { "routing_assets", FIELD_OBJECT, offsetof(struct probe_suite, routing_assets), .flags = FIELD_REQUIRED,
      .object = &assets_schema, .help = "What is tested." },
    { "router_eval_endpoint", FIELD_STRING, offsetof(struct probe_suite, router_eval_endpoint),
      .fallback = "/api/v1/eval", .help = "Path of the evaluation API." },
    { "evaluation", FIELD_OBJECT, offsetof(struct probe_suite, evaluation), .object = &evaluation_schema,
      .help = "How a router is asked." },
    { "acceptance", FIELD_OBJECT, offsetof(struct probe_suite, acceptance), .object = &acceptance_schema,
      .help = "What must pass." },
    { "coverage", FIELD_OBJECT, offsetof(struct probe_suite, coverage), .flags = FIELD_REQUIRED,
      .object = &coverage_schema, .help = "What must be asserted." },
    { "fixtures", FIELD_OBJECT, offsetof(struct probe_suite, fixtures), .object = &fixtures_schema,
      .help = "What requests refer to." },
    { "decisions", FIELD_OBJECTS, offsetof(struct probe_suite, decisions), .flags = FIELD_REQUIRED | FIELD_NONBLANK,
      .object = &decision_schema, .help = "Expectations and requests." },
};

static void check_suite(const void *object, struct arena *arena, struct diag *diag);

const struct schema probe_suite_schema = SCHEMA("probe suite", struct probe_suite, suite_fields, .check = check_suite);

static void check_suite(const void *object, struct arena *arena, struct diag *diag) {
    const struct probe_suite *suite = object;
    struct map seen;
    map_init(&seen, arena);
    if (!str_eq_c(suite->schema_version, "v1"))
        diag_error(diag, "E_VERSION", schema_field_at(&probe_suite_schema, object, "schema_version", arena),
                   VSR_STR(""), "found \"%.*s\", expected \"v1\"", VSR_FMT(suite->schema_version));
    check_filled(&suite->decisions, &probe_suite_schema, object, "decisions", diag);
    CONFIG_EACH(const struct probe_decision, decision, &suite->decisions)
    check_unique(&seen, decision->id, decision, diag);
}

int probe_suite_parse(struct arena *arena, vsr_str text, vsr_str file, const struct probe_suite **ret_suite,
                      struct diag *diag) {
    struct probe_suite *suite = ARENA_NEW(arena, struct probe_suite);
    struct yaml_node *root;
    int rc;
    diag_init(diag, arena, arena_str(arena, file));
    rc = yaml_tree_parse_plain(arena, text, &root, diag);
    if (rc == 0 && !schema_decode(&probe_suite_schema, root, VSR_STR(""), suite, arena, diag))
        rc = -1;
    diag_sort(diag);
    if (rc < 0 || diag->n_errors > 0)
        return VSR_E_INVALID;
    *ret_suite = suite;
    return 0;
}

/* ---- reading it */

const struct config_strings_map *probe_expected_signals(const struct probe_decision *decision,
                                                        const struct probe_variant *variant) {
    return schema_present(&variant_schema, variant, "expected_signals") ? &variant->expected_signals
                                                                        : &decision->expected_signals;
}

const char *probe_tag_text(enum probe_tag tag) {
    return tag_texts[tag];
}

static unsigned tag_bits(vsr_str tag) {
    static const struct {
        const char *text;
        unsigned bits;
    } exact[] = {
        { "de", 1u << TAG_LANGUAGE },
        { "en", 1u << TAG_LANGUAGE },
        { "es", 1u << TAG_LANGUAGE },
        { "fr", 1u << TAG_LANGUAGE },
        { "ja", 1u << TAG_LANGUAGE },
        { "zh", 1u << TAG_LANGUAGE },
        { "negative", 1u << TAG_NEGATIVE },
        { "class:negative", 1u << TAG_NEGATIVE },
        { "fallback", 1u << TAG_NEGATIVE | 1u << TAG_FALLBACK },
        { "collision", 1u << TAG_COLLISION },
        { "tools", 1u << TAG_TOOLS },
        { "shape:tools", 1u << TAG_TOOLS },
        { "multi-turn", 1u << TAG_MULTI_TURN },
        { "multiturn", 1u << TAG_MULTI_TURN },
        { "shape:messages", 1u << TAG_MULTI_TURN },
    };
    for (size_t i = 0; i < VSR_COUNT(exact); i++)
        if (str_eq_c(tag, exact[i].text))
            return exact[i].bits;
    if (str_starts(tag, VSR_STR("language:")))
        return 1u << TAG_LANGUAGE;
    if (str_starts(tag, VSR_STR("stress:")))
        return 1u << TAG_STRESS;
    return str_ends(tag, VSR_STR(":collision")) ? 1u << TAG_COLLISION : 0;
}

unsigned probe_tags(const struct probe_variant *variant) {
    unsigned bits = 0;
    for (size_t i = 0; i < variant->tags.n; i++)
        bits |= tag_bits(variant->tags.items[i]);
    if (variant->tools && variant->tools->n_items > 0)
        bits |= 1u << TAG_TOOLS;
    if (variant->messages)
        bits |= 1u << TAG_MULTI_TURN;
    return bits;
}

const struct probe_image *probe_image(const struct probe_suite *suite, vsr_str id) {
    CONFIG_EACH(const struct probe_image, image, &suite->fixtures.images)
    if (str_eq(image->id, id))
        return image;
    return NULL;
}
