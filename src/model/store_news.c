#include "model/store_news.h"

#include <stdio.h>

#include "core/assert.h"
#include "model/catalogue.h"
#include "model/model.h"
#include "nn/labels.h"

void news_tell(const struct store *store, const struct news *news) {
    if (store->options.report)
        store->options.report(store->options.owner, str_from_c(news->name), news->state, str_from_c(news->message));
}

void news_of_state(struct store *store, struct slot *slot, enum readiness_state state, const char *message,
                   struct news *news) {
    slot->state = state;
    news->state = state;
    (void)snprintf(news->name, sizeof(news->name), "%.*s", VSR_FMT(slot->wish->model.name));
    (void)snprintf(news->message, sizeof(news->message), "%s", message);
    if (slot->gone || !slot->wanted)
        return;
    readiness_set_state(store->options.readiness, slot->readiness, slot->model ? MODEL_STATE_READY : state,
                        str_from_c(message));
}

void news_of_ready(struct store *store, struct slot *slot, struct news *news) {
    char message[READINESS_MESSAGE_LEN];
    (void)snprintf(message, sizeof(message), "%.*s", VSR_FMT(model_warning(slot->model, 0)));
    news_of_state(store, slot, MODEL_STATE_READY, message, news);
}

void news_of_load(struct store *store, const struct slot *slot) {
    const struct model *model = slot->model;
    const struct labels *labels = model_labels(model);
    const struct readiness_load shown = {
        .resolved_path = slot->wish->directory,
        .load_ms = slot->load_ms,
        .self_test_us = slot->self_test_us,
        .memory_bytes = model_bytes(model).all,
        .task = str_from_c(model_task_name(model_task(model))),
        .architecture = str_from_c(model_architecture(model)),
        .precision = str_from_c(precision_name(model_precision(model))),
        .tokens_max = model_tokens_max(model),
        .width = model_width(model),
        .labels = labels->names,
        .n_labels = labels->n,
    };
    if (slot->wanted)
        readiness_loaded(store->options.readiness, slot->readiness, &shown);
}

void news_of_wanting(struct store *store, struct slot *slot, const struct store_model *model) {
    const struct readiness_model shown = { model->name, model->type, catalogue_path(model->name), model->mandatory };
    if (slot->wanted) {
        readiness_describe(store->options.readiness, slot->readiness, &shown);
        return;
    }
    slot->wanted = true;
    slot->readiness = readiness_add(store->options.readiness, &shown);
    VSR_ASSERT(slot->readiness >= 0); /* there is room for STORE_MODELS_MAX */
    if (slot->model)
        news_of_load(store, slot);
    else
        readiness_set_state(store->options.readiness, slot->readiness, slot->state, VSR_STR(""));
}

void news_of_phase(struct store *store) {
    char missing[READINESS_NAME_LEN];
    size_t n = 0, checked = 0, under_way = 0;
    for (const struct slot *slot = store->slots; slot; slot = slot->next) {
        n += slot->wanted;
        checked += slot->wanted && slot->asked && !slot->model;
        under_way += (slot->queued || slot->loading) && slot_is_eager(slot);
    }
    if (n == 0)
        readiness_set_phase(store->options.readiness, READINESS_SKIPPED, VSR_STR(""));
    else if (checked > 0)
        readiness_set_phase(store->options.readiness, READINESS_CHECKING, VSR_STR(""));
    else if (under_way > 0)
        readiness_set_phase(store->options.readiness, READINESS_INITIALIZING, VSR_STR(""));
    else if (readiness_is_ready(store->options.readiness, missing))
        readiness_set_phase(store->options.readiness, READINESS_READY, VSR_STR(""));
    else
        readiness_set_phase(store->options.readiness, READINESS_FAILED, str_from_c(missing));
}
