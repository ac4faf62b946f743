#include "serve/cost_baseline.h"

#include "core/arena.h"
#include "provider/pricing.h"
#include "provider/savings.h"
#include "serve/snapshot.h"

static struct priced_model price_of(const struct snapshot_model *model) {
    return (struct priced_model){ model->provider->name, model->provider->config->pricing };
}

static const struct priced_model *price_all(const struct snapshot *snapshot) {
    struct priced_model *models = ARENA_ARRAY(snapshot->arena, struct priced_model, snapshot->models.n);
    for (size_t i = 0; i < snapshot->models.n; i++)
        models[i] = price_of(snapshot->models.entries[i].value);
    return models;
}

/* NULL: no model of that name has an endpoint. */
static const struct priced_model *price_named(const struct snapshot *snapshot, vsr_str name) {
    const struct snapshot_model *model = snapshot_model(snapshot, name);
    struct priced_model *priced;
    if (!model)
        return NULL;
    priced = ARENA_NEW(snapshot->arena, struct priced_model);
    *priced = price_of(model);
    return priced;
}

static void build_decision(const struct snapshot *snapshot, struct snapshot_decision *decision) {
    const struct config_list *refs = &decision->config->model_refs;
    struct priced_model *models = ARENA_ARRAY(snapshot->arena, struct priced_model, refs->n);
    CONFIG_EACH(const struct config_model_ref, ref, refs) {
        const struct snapshot_model *model = snapshot_model(snapshot, ref->model);
        if (model)
            models[decision->n_models++] = price_of(model);
    }
    decision->models = models;
}

static void build_decisions(const struct snapshot *snapshot) {
    for (size_t i = 0; i < snapshot->n_recipes; i++)
        for (size_t j = 0; j < snapshot->recipes[i].decisions.n; j++)
            build_decision(snapshot, snapshot->recipes[i].decisions.entries[j].value);
}

void cost_baseline_build(struct snapshot *snapshot) {
    const struct config_router_pricing *config = &snapshot->doc->global.router.pricing;
    const struct priced_model *all = NULL, *named = NULL;
    switch ((enum config_baseline)config->kind) {
    case BASELINE_DECISION_MAX:
        build_decisions(snapshot);
        return;
    case BASELINE_DEFAULT_MODEL:
        named = price_named(snapshot, snapshot->doc->providers.defaults.default_model);
        break;
    case BASELINE_MODEL:
        named = price_named(snapshot, config->baseline);
        break;
    case BASELINE_MOST_EXPENSIVE:
        all = price_all(snapshot);
        break;
    }
    for (size_t i = 0; i < snapshot->models.n; i++) {
        struct snapshot_model *model = snapshot->models.entries[i].value;
        vsr_str currency = pricing_currency(model->provider->config->pricing);
        model->baseline = all ? savings_dearest(all, snapshot->models.n, currency) : named;
    }
}

const struct priced_model *cost_baseline(const struct snapshot *snapshot, const struct snapshot_model *model,
                                         const struct snapshot_decision *decision) {
    if (snapshot->doc->global.router.pricing.kind != BASELINE_DECISION_MAX)
        return model->baseline;
    return decision ? savings_dearest(decision->models, decision->n_models,
                                      pricing_currency(model->provider->config->pricing))
                    : NULL;
}
