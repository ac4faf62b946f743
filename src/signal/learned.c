#include "signal/learned.h"

#include "core/arena.h"

void *learned_build(struct signal_builder *builder) {
    return (void *)builder->rules;
}

bool learned_has_text(const void *state, const struct request_facts *facts, size_t rule) {
    (void)state;
    (void)rule;
    return str_trim(facts->eval_text).len > 0;
}

static bool any_text(const struct texts *texts) {
    for (size_t i = 0; i < texts->n; i++)
        if (str_trim(texts->items[i]).len > 0)
            return true;
    return false;
}

bool learned_has_contents(const struct request_facts *facts, bool with_history, bool with_tool_results) {
    return str_trim(facts->eval_text).len > 0 ||
           (with_history && (any_text(&facts->non_user) || any_text(&facts->prior_user))) ||
           (with_tool_results && any_text(&facts->tool_text));
}

const struct config_model_catalog *learned_catalog(const struct config_document *doc) {
    const struct config_model_catalog *catalog = &doc->global.model_catalog;
    return catalog->at.path.ptr ? catalog : NULL;
}

void learned_check_image_model(const struct config_document *doc, struct diag_at at, const char *what,
                               struct diag *diag) {
    const struct config_model_catalog *catalog = learned_catalog(doc);
    if (catalog && catalog->embeddings.semantic.embedding_config.model_type != EMBEDDING_MULTIMODAL)
        diag_error(diag, "E_CONFLICT", at,
                   VSR_STR("set global.model_catalog.embeddings.semantic.embedding_config.model_type"),
                   "%s needs an embedding model of type multimodal", what);
}

void learned_warn_label(const struct schema *schema, const void *rule, vsr_str name, const char *const *known,
                        struct arena *arena, struct diag *diag) {
    vsr_str names[8], all = { 0 };
    size_t n = 0;
    for (; known[n] && n < VSR_COUNT(names); n++) {
        names[n] = str_from_c(known[n]);
        if (str_eq(name, names[n]))
            return;
        all = arena_printf(arena, "%.*s%s%s", VSR_FMT(all), n ? ", " : "", known[n]);
    }
    diag_warn(diag, "W_NEVER", schema_field_at(schema, rule, "name", arena), diag_suggest(diag, name, names, n),
              "no model gives the label \"%.*s\"; known are %.*s", VSR_FMT(name), VSR_FMT(all));
}
