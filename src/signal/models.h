/*
 * models - which models of this process the rules of a family would ask.
 *
 * A rule names none itself: the document's catalogue does, and the family knows which of its entries it means. Only
 * models that run inside vsr count; what a server does for a rule is not told.
 */
#ifndef VSR_SIGNAL_MODELS_H
#define VSR_SIGNAL_MODELS_H

#include "config/document.h"

struct signal_model {
    vsr_str path;       /* as the document spells it */
    const char *type;   /* what it is for: "pii-detection" */
    vsr_str label_file; /* as the document spells it; empty: the usual ones */
};

typedef void signal_model_fn(void *data, const struct signal_model *model);
/* Calls `fn` for each model that `rule` would ask; the same may come more than once. */
typedef void signal_models(const struct config_document *doc, const void *rule, signal_model_fn *fn, void *data);

signal_models signal_models_embedding, signal_models_domain, signal_models_pii, signal_models_guard,
    signal_models_fact_check, signal_models_feedback, signal_models_modality, signal_models_preference;

/* The embedder of that kind (enum config_embedding_model; EMBEDDING_UNSET: of the settings), if it is of this process.
 */
void signal_models_embedder(const struct config_document *doc, int kind, signal_model_fn *fn, void *data);

#endif
