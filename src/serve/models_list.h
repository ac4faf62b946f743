/*
 * models_list - the public catalogue, GET /v1/models and GET /v1/models/{id} (gateway.md 2.1).
 *
 * Printed once per snapshot; answering is a copy.
 */
#ifndef VSR_SERVE_MODELS_LIST_H
#define VSR_SERVE_MODELS_LIST_H

#include <stdbool.h>

#include "core/str.h"

struct model_name;
struct snapshot;

/* Fills snapshot->models_json and snapshot->model_entries. */
void models_list_build(struct snapshot *snapshot);

/* Whether GET /v1/models lists that name. LoRA names are callable but never listed. */
bool models_list_shows(const struct snapshot *snapshot, const struct model_name *name);

/* The entry of one listed or concrete model as JSON; ptr NULL when there is none. */
vsr_str models_list_entry(const struct snapshot *snapshot, vsr_str id);

#endif
