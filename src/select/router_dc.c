/* router_dc - the model whose description is most like the query (decisions.md §5.2). */
#include <math.h>

#include "select/selector.h"

struct router_dc_config {
    struct config_at at;
    double temperature, min_similarity;
    int64_t dimension_size;
    bool use_query_contrastive, use_model_contrastive, require_descriptions, use_capabilities;
};

static const struct field fields[] = {
    { "temperature", FIELD_NUMBER, offsetof(struct router_dc_config, temperature),
      .flags = FIELD_RANGE | FIELD_LEAST_OPEN, .fallback = "0.07", .least = 0, .greatest = INFINITY,
      .help = "Sharpness of the softmax over candidates." },
    { "dimension_size", FIELD_INT, offsetof(struct router_dc_config, dimension_size), .flags = FIELD_RANGE,
      .fallback = "768", .least = 1, .greatest = 65536, .help = "Components of the embeddings that are compared." },
    { "min_similarity", FIELD_NUMBER, offsetof(struct router_dc_config, min_similarity), .flags = FIELD_RANGE,
      .fallback = "0.3", .least = 0, .greatest = 1, .help = "Below it the first candidate is taken." },
    { "use_query_contrastive", FIELD_BOOL, offsetof(struct router_dc_config, use_query_contrastive), .fallback = "true",
      .help = "Kept for published documents; without effect." },
    { "use_model_contrastive", FIELD_BOOL, offsetof(struct router_dc_config, use_model_contrastive), .fallback = "true",
      .help = "Kept for published documents; without effect." },
    { "require_descriptions", FIELD_BOOL, offsetof(struct router_dc_config, require_descriptions), .fallback = "false",
      .help = "Every candidate's model card must have a description." },
    { "use_capabilities", FIELD_BOOL, offsetof(struct router_dc_config, use_capabilities), .fallback = "true",
      .help = "The card's capabilities are part of the text that is compared." },
};
static const struct schema schema = SCHEMA("router_dc block", struct router_dc_config, fields);

static void check(const struct config_site *site, const void *block) {
    const struct router_dc_config *config = block;
    if (!config || !config->require_descriptions)
        return;
    CONFIG_EACH(const struct config_model_ref, ref, &site->decision->model_refs)
    if (ref->card && str_trim(ref->card->description).len == 0)
        diag_error(site->diag, "E_REQUIRED", schema_at(ref), VSR_STR("describe the model in routing.modelCards"),
                   "require_descriptions is set, and the card of model \"%.*s\" has no description",
                   VSR_FMT(ref->model));
}

const struct config_kind selector_router_dc = { .type = "router_dc", .schema = &schema, .check = TABLE_CHECK(check) };
