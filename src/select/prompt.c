/* prompt - a helper model chooses (decisions.md §5.11). */
#include <math.h>

#include "select/selector.h"
#include "select/site_checks.h"

enum { CANDIDATES_MIN = 2 };

struct prompt_config {
    struct config_at at;
    vsr_str model, instructions;
    double timeout_seconds;
};

static const struct field fields[] = {
    { "model", FIELD_STRING, offsetof(struct prompt_config, model), .flags = FIELD_REQUIRED | FIELD_NONBLANK,
      .help = "The helper: a card for text, in the openai format, with a backend." },
    { "instructions", FIELD_STRING, offsetof(struct prompt_config, instructions),
      .flags = FIELD_REQUIRED | FIELD_NONBLANK | FIELD_VERBATIM, .help = "What the helper is told to weigh." },
    { "timeout_seconds", FIELD_NUMBER, offsetof(struct prompt_config, timeout_seconds), .flags = FIELD_RANGE,
      .fallback = "5", .least = 0, .greatest = INFINITY,
      .help = "Longest wait for its answer; 0: as long as it takes." },
};
static const struct schema schema = SCHEMA("prompt block", struct prompt_config, fields);

static bool is_text(vsr_str modality) {
    static const char *const text[] = { "", "text", "ar", "both", "multimodal" };
    for (size_t i = 0; i < VSR_COUNT(text); i++)
        if (str_eq_c(modality, text[i]))
            return true;
    return false;
}

static void check_helper(const struct config_site *site, const struct prompt_config *config) {
    const struct config_model_card *card = config_card(site->doc, config->model);
    struct diag_at at = schema_field_at(&schema, config, "model", site->arena);
    if (!card)
        diag_error(site->diag, "E_REF", at, VSR_STR("the helper must be a concrete model"),
                   "model \"%.*s\" is not defined in routing.modelCards", VSR_FMT(config->model));
    else if (!is_text(card->modality))
        diag_error(site->diag, "E_CONFLICT", at, VSR_STR(""),
                   "model \"%.*s\" has modality \"%.*s\", a helper needs text", VSR_FMT(config->model),
                   VSR_FMT(card->modality));
    else if (site->doc->has_providers && (!card->provider || card->provider->backend_refs.n == 0))
        diag_error(site->diag, "E_NO_BACKEND", at, VSR_STR(""), "model \"%.*s\" has no backend",
                   VSR_FMT(config->model));
    else if (card->provider && card->provider->api_format != 0)
        diag_error(site->diag, "E_CONFLICT", at, VSR_STR(""),
                   "model \"%.*s\" does not speak the openai format, which a helper needs", VSR_FMT(config->model));
}

/* An answer names one candidate: names must tell them apart. */
static void check_candidates(const struct config_site *site) {
    const struct config_list *refs = &site->decision->model_refs;
    const struct config_model_ref *items = refs->items;
    if (refs->n < CANDIDATES_MIN)
        diag_error(site->diag, "E_REQUIRED", schema_at(site->decision->algorithm), VSR_STR(""),
                   "an algorithm of type prompt needs at least %d modelRefs, found %zu", CANDIDATES_MIN, refs->n);
    for (size_t i = 0; i < refs->n; i++)
        for (size_t k = 0; k < i; k++)
            if (str_eq(items[i].model, items[k].model) ||
                str_eq(config_ref_name(&items[i]), config_ref_name(&items[k]))) {
                diag_error(site->diag, "E_DUP", schema_at(&items[i]), VSR_STR(""),
                           "model \"%.*s\" is a candidate twice, at line %u too", VSR_FMT(items[i].model),
                           schema_at(&items[k]).line);
                break;
            }
}

static void check(const struct config_site *site, const void *block) {
    check_helper(site, block);
    check_candidates(site);
}

const struct config_kind selector_prompt = {
    .type = "prompt", .schema = &schema, .block_required = true, .check = TABLE_CHECK(check)
};
