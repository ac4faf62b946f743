/* What a valid document asks for and this build does not do: said once per block, refused where ignoring is unsafe. */
#include "config/check.h"
#include "config/document_tables.h"
#include "config/features.h"
#include "core/arena.h"

static void report(void *data, struct diag_at at, const char *feature, bool unsafe) {
    struct check *c = data;
    if (unsafe && c->options->serving)
        diag_error(c->diag, "E_FEATURE", at, VSR_STR("take it out to serve without it"),
                   "not there yet, and unsafe to ignore: %s", feature);
    else
        diag_warn(c->diag, "W_FEATURE", at, VSR_STR(""), "not there yet: %s", feature);
}

void check_global_features(struct check *c) {
    config_features(c->doc, c->arena, report, c);
}

/* ---- one recipe */

/* Several decisions that want the same are said once, at the first. */
static const char *with_others(struct check *c, const char *feature, size_t n) {
    return n < 2
               ? feature
               : arena_printf(c->arena, "%s (here and in %zu other decision%s)%c", feature, n - 1, n > 2 ? "s" : "", 0)
                     .ptr;
}

static bool wants_selection(const struct config_decision *decision, const struct config_kind *kind) {
    return decision->algorithm && decision->algorithm->info == kind && decision->model_refs.n > 1;
}

static void check_selection(struct check *c, const struct config_kind *kind) {
    const struct config_algorithm *first = NULL;
    size_t n = 0;
    CONFIG_EACH(const struct config_decision, decision, &c->routing->decisions) {
        if (!wants_selection(decision, kind))
            continue;
        if (n++ == 0)
            first = decision->algorithm;
    }
    if (n > 0)
        report(c, schema_at(first),
               with_others(c,
                           arena_printf(c->arena, "the algorithm %s; the first of the modelRefs %s%c", kind->type,
                                        kind->looper ? "answers alone" : "is taken", 0)
                               .ptr,
                           n),
               false);
}

static const struct config_plugin *wanted_plugin(const struct config_decision *decision,
                                                 const struct config_kind *kind) {
    const struct config_plugin *plugin = config_decision_plugin(decision, str_from_c(kind->type));
    return plugin && (!kind->enabled || kind->enabled(plugin->configuration)) ? plugin : NULL;
}

static void check_plugin(struct check *c, const struct config_kind *kind) {
    const struct config_plugin *first = NULL;
    size_t n = 0;
    CONFIG_EACH(const struct config_decision, decision, &c->routing->decisions) {
        const struct config_plugin *plugin = wanted_plugin(decision, kind);
        n += plugin != NULL;
        if (plugin && !first)
            first = plugin;
    }
    if (n > 0)
        report(c, schema_at(first), with_others(c, arena_printf(c->arena, "the plugin %s%c", kind->type, 0).ptr, n),
               kind->unsafe);
}

static void check_directives(struct check *c, const struct config_decision *decision) {
    static const struct {
        const char *field, *feature;
    } directives[] = {
        { "output_contract_spec", "making answers fit a contract" },
        { "emits", "directives for the cache" },
        { "adaptations", "learning while serving" },
    };
    for (size_t i = 0; i < VSR_COUNT(directives); i++)
        if (schema_present(&config_decision_schema, decision, directives[i].field))
            report(c, schema_field_at(&config_decision_schema, decision, directives[i].field, c->arena),
                   directives[i].feature, false);
    if (decision->fallback)
        report(c, schema_field_at(&config_decision_schema, decision, "fallback", c->arena),
               "answers of the next candidate when one fails", false);
}

static void check_kinds_of(struct check *c, const struct config_kinds *kinds,
                           void (*check)(struct check *c, const struct config_kind *kind)) {
    for (size_t i = 0; i < kinds->n; i++)
        if (!kinds->items[i].ready)
            check(c, &kinds->items[i]);
}

void check_scope_features(struct check *c) {
    check_kinds_of(c, &c->options->parts.algorithms, check_selection);
    check_kinds_of(c, &c->options->parts.plugins, check_plugin);
    CONFIG_EACH(const struct config_decision, decision, &c->routing->decisions)
    check_directives(c, decision);
}
